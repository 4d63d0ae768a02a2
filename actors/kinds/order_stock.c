// SPDX-License-Identifier: Apache-2.0
// What stock and cart answer while an order holds, commits or gives back. An answer counts once: its item's bit says
// whether it is waited for. Only `ok` acknowledges what cannot be refused; anything else stays open and is asked again.
// Pure; any thread.
#include "actors/kinds/order.h"

// The item this answer speaks of; false: nobody waits for it.
static bool answered_item(const struct order_turn *turn, uint32_t *index, int64_t *quantity)
{
    const struct answer *answer = turn->given->body;
    return order_item_find(turn->given->children[0].value, answer->key, index, quantity) &&
           bits_has(turn->waiting, *index);
}

static bool answered_ok(const struct order_turn *turn)
{
    const struct answer *answer = turn->given->body;
    return bytes_equal(answer->status, BYTES("ok"));
}

// ---- holding

static int64_t available_in(struct order_turn *turn, const struct answer *answer)
{
    struct order_shortages facts;
    struct refusal refusal = {0};
    CHECK(body_decode_lenient(order_shortages_shape(), answer->body, &facts, turn->given->arena, &refusal), "%s",
          refusal.message);
    return facts.shortages_count ? facts.shortages[0].available : 0;
}

static void refused(struct order_turn *turn, uint32_t index)
{
    const struct answer *answer = turn->given->body;
    struct order *record = &turn->record;
    if (bytes_equal(answer->status, BYTES("insufficient_stock"))) {
        order_short_note(turn, index, available_in(turn, answer));
        return;
    }
    if (record->has_reason)
        return; // the first one speaks for all
    record->reason = bytes_equal(answer->status, BYTES("not_found")) ? BYTES("unknown_sku") : answer->status;
    record->bad_sku = answer->key;
    record->has_reason = record->has_bad_sku = true;
}

// Every item has its answer.
static void holding_done(struct order_turn *turn)
{
    const struct order *record = &turn->record;
    order_shortages_make(turn);
    if (!record->cancel && record->has_reason)
        order_end_with(turn, ORDER_STATUS_rejected);
    else if (!record->cancel && record->has_shortages)
        order_end_with(turn, ORDER_STATUS_out_of_stock);
    if (record->has_ending)
        order_give_back(turn);
    else
        order_pay(turn);
}

enum status order_reserved(struct order_turn *turn)
{
    uint32_t index;
    int64_t quantity;
    if (!answered_item(turn, &index, &quantity))
        return STATUS_ok;
    bits_clear(turn->waiting, index);
    if (answered_ok(turn))
        bits_set(turn->held, index);
    else
        refused(turn, index);
    if (PLANTED(charge_early) && answered_ok(turn))
        memset(turn->waiting, 0, turn->bits_size);
    if (!bits_any(turn->waiting, turn->bits_size))
        holding_done(turn);
    return order_save(turn);
}

// ---- giving back

enum status order_released(struct order_turn *turn)
{
    uint32_t index;
    int64_t quantity;
    if (!answered_item(turn, &index, &quantity) || !answered_ok(turn))
        return STATUS_ok;
    bits_clear(turn->waiting, index);
    bits_clear(turn->held, index);
    order_settle_if_done(turn);
    return order_save(turn);
}

enum status order_unclaimed(struct order_turn *turn)
{
    if (!turn->record.cart_waiting || !answered_ok(turn))
        return STATUS_ok;
    turn->record.cart_waiting = turn->record.cart_held = false;
    order_settle_if_done(turn);
    return order_save(turn);
}

// ---- selling, and taking back

static void commit_step_done(struct order_turn *turn)
{
    if (bits_any(turn->waiting, turn->bits_size) || turn->record.cart_waiting)
        return;
    if (turn->record.cancel)
        order_take_back(turn);
    else
        order_settle_if_done(turn);
}

enum status order_committed(struct order_turn *turn)
{
    uint32_t index;
    int64_t quantity;
    if (!answered_item(turn, &index, &quantity) || !answered_ok(turn))
        return STATUS_ok;
    bits_clear(turn->waiting, index);
    bits_clear(turn->held, index);
    commit_step_done(turn);
    return order_save(turn);
}

enum status order_cart_settled(struct order_turn *turn)
{
    if (!turn->record.cart_waiting || !answered_ok(turn))
        return STATUS_ok;
    turn->record.cart_waiting = turn->record.cart_held = false;
    commit_step_done(turn);
    return order_save(turn);
}

void order_take_back(struct order_turn *turn)
{
    const struct order_content *content = order_content_of(turn);
    for (uint32_t i = 0; i < content->items_count; i++)
        bits_set(turn->waiting, i);
    order_enter(turn, ORDER_STEP_restocking);
}

enum status order_restocked(struct order_turn *turn)
{
    uint32_t index;
    int64_t quantity;
    if (!answered_item(turn, &index, &quantity) || !answered_ok(turn))
        return STATUS_ok;
    bits_clear(turn->waiting, index);
    order_settle_if_done(turn);
    return order_save(turn);
}
