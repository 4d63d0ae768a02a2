// SPDX-License-Identifier: Apache-2.0
// What each step asks of whom. An item's bit in `waiting`, `cart_waiting` and what the payment owes say what has no
// answer, so asking for the first time, again after a minute and again after a start are one function. Pure; any
// thread.
#include "actors/kinds/order.h"

static void ask_item(struct order_turn *turn, const struct order_item *item)
{
    struct bytes id = turn->given->key;
    struct effects *effects = turn->effects;
    switch (turn->step) {
    case ORDER_STEP_pricing:
        effects_send(effects, MESSAGE_catalog_price, item->sku, &(struct empty){});
        return;
    case ORDER_STEP_holding:
        effects_send(effects, MESSAGE_inventory_reserve, item->sku,
                     &(struct inventory_reserve){.reservation_id = id, .quantity = item->quantity});
        return;
    case ORDER_STEP_committing:
        effects_send(effects, MESSAGE_inventory_commit, item->sku, &(struct reservation_ref){.reservation_id = id});
        return;
    case ORDER_STEP_refunding:
    case ORDER_STEP_releasing:
        effects_send(effects, MESSAGE_inventory_release, item->sku, &(struct reservation_ref){.reservation_id = id});
        return;
    case ORDER_STEP_restocking:
        effects_send(effects, MESSAGE_inventory_restock, item->sku,
                     &(struct inventory_restock){.reservation_id = id, .quantity = item->quantity});
        return;
    case ORDER_STEP_none:
    case ORDER_STEP_claiming:
    case ORDER_STEP_paying:
    case ORDER_STEP_voiding:
    case ORDER_STEP_settled:
    case ORDER_STEP_COUNT:
        break;
    }
    CHECK(false, "items wait while %s", order_step_name(turn->step));
}

static void ask_cart(struct order_turn *turn)
{
    enum message_type message = turn->step == ORDER_STEP_claiming     ? MESSAGE_cart_claim
                                : turn->step == ORDER_STEP_committing ? MESSAGE_cart_settle
                                                                      : MESSAGE_cart_unclaim;
    effects_send(turn->effects, message, order_content_of(turn)->cart_id,
                 &(struct cart_claim){.order_id = turn->given->key});
}

static void ask_payment(struct order_turn *turn)
{
    struct bytes id = turn->given->key;
    if (turn->step == ORDER_STEP_paying)
        effects_send(
            turn->effects, MESSAGE_payment_charge, id,
            &(struct payment_charge){.amount = turn->record.total, .method = order_content_of(turn)->payment_method});
    else
        effects_send(
            turn->effects, MESSAGE_payment_want, id,
            &(struct payment_want){.want = turn->step == ORDER_STEP_voiding ? BYTES("voided") : BYTES("refunded")});
}

bool order_payment_owes(const struct order_turn *turn)
{
    if (turn->step == ORDER_STEP_paying || turn->step == ORDER_STEP_voiding)
        return true;
    return (turn->step == ORDER_STEP_refunding || turn->step == ORDER_STEP_restocking) &&
           bytes_equal(turn->record.payment, BYTES("captured"));
}

void order_ask(struct order_turn *turn)
{
    if (bits_any(turn->waiting, turn->bits_size)) {
        const struct order_content *content = order_content_of(turn);
        for (uint32_t i = 0; i < content->items_count; i++) {
            if (bits_has(turn->waiting, i))
                ask_item(turn, &content->items[i]);
        }
    }
    if (turn->record.cart_waiting)
        ask_cart(turn);
    if (order_payment_owes(turn))
        ask_payment(turn);
}

// ---- entering a step

void order_arm(struct order_turn *turn, int64_t asked_at)
{
    int64_t at = order_may_expire(turn) ? turn->record.deadline_at : 0;
    if (bits_any(turn->waiting, turn->bits_size) || turn->record.cart_waiting) {
        int64_t overdue = asked_at + ORDER_SAFETY_MS * INT64_C(1000);
        at = at && at < overdue ? at : overdue;
    }
    effects_wake(turn->effects, at);
}

void order_enter(struct order_turn *turn, enum order_step step)
{
    turn->step = step;
    turn->record.asked_at = turn->given->at;
    order_ask(turn);
    order_arm(turn, turn->given->at);
}
