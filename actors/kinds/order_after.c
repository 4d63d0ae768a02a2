// SPDX-License-Identifier: Apache-2.0
// Cancel, ship, deliver. Cancel is a wish: it is recorded at once, the open step finishes, its answer decides what is
// given back. An order whose cancel was answered `ok` ends as cancelled, whatever its open step comes to.
// Pure; any thread.
#include "actors/kinds/order.h"

static enum status refuse_mismatch(struct order_turn *turn, const char *field)
{
    effects_refuse(turn->effects, field, "this was said before with other content", NULL, NULL);
    return STATUS_request_mismatch;
}

static bool same_text(bool has, struct bytes is, bool had, struct bytes was)
{
    return has == had && (!has || bytes_equal(is, was));
}

// ---- cancel

// false: answered already, `status` is the answer.
static bool cancel_begins(struct order_turn *turn, enum status *status)
{
    const struct order_cancel *body = turn->given->body;
    struct order *record = &turn->record;
    if (record->cancel) {
        bool same = same_text(body->has_reason, body->reason, record->has_cancel_reason, record->cancel_reason);
        *status = same ? order_answer_status(turn) : refuse_mismatch(turn, "reason");
        return false;
    }
    if (record->shipped) {
        *status = STATUS_already_shipped;
        return false;
    }
    if (turn->step == ORDER_STEP_settled && order_status_of(record->status) != ORDER_STATUS_confirmed) {
        *status = order_answer_view(turn); // it failed before
        return false;
    }
    if (turn->given->late) {
        *status = STATUS_too_late;
        return false;
    }
    record->cancel = true;
    record->cancel_reason = body->reason;
    record->has_cancel_reason = body->has_reason;
    order_become(turn, ORDER_STATUS_cancelling);
    order_end_with(turn, ORDER_STATUS_cancelled);
    return true;
}

enum status order_cancel_wish(struct order_turn *turn)
{
    enum status status;
    if (!cancel_begins(turn, &status))
        return status;
    if (PLANTED(cancel_forgets_step) && turn->step == ORDER_STEP_holding)
        order_give_back(turn);
    order_save(turn);
    return order_answer_status(turn);
}

enum status order_cancel_pricing(struct order_turn *turn)
{
    enum status status;
    if (!cancel_begins(turn, &status))
        return status;
    order_give_back(turn); // prices hold nothing: nobody waits for them
    order_save(turn);
    return order_answer_status(turn);
}

enum status order_cancel_paying(struct order_turn *turn)
{
    enum status status;
    if (!cancel_begins(turn, &status))
        return status;
    order_enter(turn, ORDER_STEP_voiding);
    order_save(turn);
    return order_answer_status(turn);
}

enum status order_cancel_settled(struct order_turn *turn)
{
    enum status status;
    if (!cancel_begins(turn, &status))
        return status;
    order_take_back(turn);
    order_save(turn);
    return order_answer_status(turn);
}

// ---- ship

enum status order_ship_early(struct order_turn *turn)
{
    return turn->given->late ? STATUS_too_late : STATUS_not_confirmed;
}

static enum status ship_again(struct order_turn *turn)
{
    const struct order_ship *body = turn->given->body;
    const struct order *record = &turn->record;
    if (!same_text(body->has_carrier, body->carrier, record->has_carrier, record->carrier))
        return refuse_mismatch(turn, "carrier");
    if (!same_text(body->has_tracking, body->tracking, record->has_tracking, record->tracking))
        return refuse_mismatch(turn, "tracking");
    return order_answer_status(turn);
}

enum status order_ship_confirmed(struct order_turn *turn)
{
    const struct order_ship *body = turn->given->body;
    struct order *record = &turn->record;
    if (record->shipped)
        return ship_again(turn);
    if (turn->given->late || order_status_of(record->status) != ORDER_STATUS_confirmed)
        return order_ship_early(turn);
    record->shipped = record->has_shipped = true;
    record->carrier = body->carrier;
    record->has_carrier = body->has_carrier;
    record->tracking = body->tracking;
    record->has_tracking = body->has_tracking;
    order_become(turn, ORDER_STATUS_shipped);
    order_tell(turn, EVENT_order_shipped);
    order_save(turn);
    return order_answer_status(turn);
}

// ---- deliver

enum status order_deliver_early(struct order_turn *turn)
{
    return turn->given->late ? STATUS_too_late : STATUS_not_shipped;
}

enum status order_deliver_shipped(struct order_turn *turn)
{
    enum order_status status = order_status_of(turn->record.status);
    if (status == ORDER_STATUS_delivered)
        return order_answer_status(turn);
    if (turn->given->late || status != ORDER_STATUS_shipped)
        return order_deliver_early(turn);
    order_become(turn, ORDER_STATUS_delivered);
    order_tell(turn, EVENT_order_delivered);
    order_save(turn);
    return order_answer_status(turn);
}
