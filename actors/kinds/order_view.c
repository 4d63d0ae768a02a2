// SPDX-License-Identifier: Apache-2.0
// What the world sees of an order. The view order.place answers holds no times, so all who ask at the same state get
// the same bytes. Pure; any thread.
#include "actors/kinds/order.h"

static const struct {
    const char *stage;
    enum status envelope;
} views[ORDER_STATUS_COUNT] = {
#define ORDER_STATUS(name, stage, envelope) [ORDER_STATUS_##name] = {#stage, STATUS_##envelope},
#include "actors/kinds/order_steps.def"
#undef ORDER_STATUS
};

// ---- rest

bool order_resting(const struct order_turn *turn)
{
    if (turn->step == ORDER_STEP_settled || (PLANTED(refused_early) && turn->record.has_ending))
        return true;
    switch (order_status_of(turn->record.status)) {
    case ORDER_STATUS_confirmed:
    case ORDER_STATUS_shipped:
    case ORDER_STATUS_delivered:
        return true;
    case ORDER_STATUS_payment_action_required:
        return turn->step == ORDER_STEP_paying;
    case ORDER_STATUS_created:
    case ORDER_STATUS_inventory_reserved:
    case ORDER_STATUS_payment_authorized:
    case ORDER_STATUS_cancelling:
    case ORDER_STATUS_out_of_stock:
    case ORDER_STATUS_payment_failed:
    case ORDER_STATUS_reservation_expired:
    case ORDER_STATUS_cancelled:
    case ORDER_STATUS_rejected:
    case ORDER_STATUS_COUNT:
        break;
    }
    return false;
}

bool order_at_rest(const struct given *given)
{
    struct order_turn turn;
    CHECK(order_load(&turn, given, NULL), "%.*s", BYTES_FORMAT(given->key));
    return order_resting(&turn);
}

// ---- order.place

// Two rejections have a name of their own.
static enum status envelope_of(const struct order *record)
{
    enum order_status status = order_status_of(record->status);
    if (status == ORDER_STATUS_rejected && bytes_equal(record->reason, BYTES("cart_claimed")))
        return STATUS_cart_claimed;
    if (status == ORDER_STATUS_rejected && bytes_equal(record->reason, BYTES("price_changed")))
        return STATUS_price_changed;
    return views[status].envelope;
}

static void explain_rejection(struct order_placed *view, const struct order *record,
                              const struct order_content *content)
{
    view->reason = record->reason;
    view->has_reason = record->has_reason;
    view->order_id = record->other_order_id;
    view->has_order_id = record->has_other_order_id;
    view->sku = record->bad_sku;
    view->has_sku = record->has_bad_sku;
    view->expected = content->expected_total;
    view->has_expected = bytes_equal(record->reason, BYTES("price_changed"));
}

enum status order_answer_view(struct order_turn *turn)
{
    if (PLANTED(refused_early) && turn->record.has_ending)
        turn->record.status = turn->record.ending;
    const struct order *record = &turn->record;
    const struct order_content *content = order_content_of(turn);
    enum order_status is = order_status_of(record->status);
    enum status status = envelope_of(record);
    struct order_placed view = {
        .status = record->status,
        .stage = bytes_text(views[is].stage),
        .total = record->total,
        .has_total = record->has_total,
        .lines = content->lines,
        .lines_count = content->lines_count,
    };
    if (status != STATUS_ok) {
        view.message = bytes_text(status_sentence(status));
        view.has_message = true;
    }
    if (is == ORDER_STATUS_rejected)
        explain_rejection(&view, record, content);
    if (is == ORDER_STATUS_out_of_stock) {
        view.shortages = record->shortages;
        view.shortages_count = record->shortages_count;
        view.has_shortages = record->has_shortages;
    }
    effects_reply(turn->effects, order_placed_shape(), &view);
    return status;
}

enum status order_view_placed(const struct given *given, struct effects *effects)
{
    struct order_turn turn;
    CHECK(order_load(&turn, given, effects), "%.*s", BYTES_FORMAT(given->key)); // somebody waits for it
    return order_answer_view(&turn);
}

// ---- order.get and the others

enum status order_answer_status(struct order_turn *turn)
{
    effects_reply(turn->effects, order_status_reply_shape(), &(struct order_status_reply){turn->record.status});
    return STATUS_ok;
}

static struct bytes reason_of(const struct order *record)
{
    if (record->cancel)
        return record->has_cancel_reason ? record->cancel_reason : (struct bytes){0};
    return record->has_reason ? record->reason : (struct bytes){0};
}

enum status order_get(const struct given *given, struct effects *effects)
{
    struct order_turn turn;
    if (!order_load(&turn, given, effects))
        return STATUS_not_found;
    const struct order *record = &turn.record;
    const struct order_content *content = order_content_of(&turn);
    struct bytes reason = reason_of(record);
    struct order_view view = {
        .status = record->status,
        .stage = bytes_text(views[order_status_of(record->status)].stage),
        .lines = content->lines,
        .lines_count = content->lines_count,
        .amounts = record->amounts,
        .amounts_count = record->amounts_count,
        .total = record->total,
        .has_total = record->has_total,
        .payment = {.method = content->payment_method, .state = record->parked ? BYTES("parked") : record->payment},
        .history = record->history,
        .history_count = record->history_count,
        .user_id = content->user_id,
        .cart_id = content->cart_id,
        .has_cart_id = content->has_cart_id,
        .address = content->address,
        .address_count = content->address_count,
        .has_address = content->has_address,
        .reason = reason,
        .has_reason = reason.size > 0,
        .shortages = record->shortages,
        .shortages_count = record->shortages_count,
        .has_shortages = record->has_shortages,
        .carrier = record->carrier,
        .has_carrier = record->has_carrier,
        .tracking = record->tracking,
        .has_tracking = record->has_tracking,
    };
    effects_reply(effects, order_view_shape(), &view);
    return STATUS_ok;
}

// ---- admission

void order_weigh(struct bytes open, struct weight *weight, struct arena *arena)
{
    struct order_turn turn;
    struct given given = {.record_open = open, .arena = arena};
    order_load(&turn, &given, NULL);
    bool asks = turn.step == ORDER_STEP_claiming || bits_any(turn.waiting, turn.bits_size) || turn.record.cart_waiting;
    weight->orders++;
    weight->lines += asks ? turn.record.lines_count : 0;
    weight->to_ask += !asks && turn.step == ORDER_STEP_voiding ? turn.record.lines_count : 0;
    weight->waiting += !asks;
    weight->to_wait += asks && !turn.record.has_ending &&
                       (turn.step == ORDER_STEP_claiming || turn.step == ORDER_STEP_pricing ||
                        turn.step == ORDER_STEP_holding);
    weight->parked += turn.record.parked;
}
