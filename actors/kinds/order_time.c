// SPDX-License-Identifier: Apache-2.0
// Deadline, safety, start. An order has one timer, in memory: for its deadline while nothing was captured, and for what
// it asked and got no answer to. Between actors nothing is lost while the process lives, so the second never fires; if
// it does it is counted. After a start everything open is asked again at once, so the timer a stored record needs is
// the deadline's only. Pure; any thread.
#include "actors/kinds/order.h"

bool order_may_expire(const struct order_turn *turn)
{
    if (turn->record.has_ending)
        return false;
    return turn->step == ORDER_STEP_claiming || turn->step == ORDER_STEP_pricing || turn->step == ORDER_STEP_holding ||
           turn->step == ORDER_STEP_paying;
}

static bool overdue(const struct order_turn *turn)
{
    return (bits_any(turn->waiting, turn->bits_size) || turn->record.cart_waiting) &&
           turn->record.asked_at + ORDER_SAFETY_MS * INT64_C(1000) <= turn->given->at;
}

enum status order_wake(const struct given *given, struct effects *effects)
{
    struct order_turn turn;
    if (!order_load(&turn, given, effects))
        return order_dispatch(&turn, ORDER_EVENT_overdue);
    if (order_may_expire(&turn) && turn.record.deadline_at <= given->at)
        return order_dispatch(&turn, ORDER_EVENT_deadline);
    if (overdue(&turn) || turn.step == ORDER_STEP_settled)
        return order_dispatch(&turn, ORDER_EVENT_overdue);
    order_arm(&turn, turn.record.asked_at); // early: what it was set for is done
    return STATUS_ok;
}

enum status order_expire_wish(struct order_turn *turn)
{
    order_end_with(turn, ORDER_STATUS_reservation_expired);
    order_arm(turn, turn->given->at);
    return order_save(turn);
}

enum status order_expire_pricing(struct order_turn *turn)
{
    order_end_with(turn, ORDER_STATUS_reservation_expired);
    order_give_back(turn);
    return order_save(turn);
}

enum status order_expire_paying(struct order_turn *turn)
{
    order_end_with(turn, ORDER_STATUS_reservation_expired);
    order_enter(turn, ORDER_STEP_voiding);
    return order_save(turn);
}

enum status order_ask_overdue(struct order_turn *turn)
{
    effects_reask(turn->effects);
    if (turn->step == ORDER_STEP_claiming || turn->step == ORDER_STEP_holding)
        turn->record.asked_again = turn->record.has_asked_again = true;
    order_enter(turn, turn->step);
    return order_save(turn);
}

enum status order_resend(struct order_turn *turn)
{
    order_ask(turn);
    if (!PLANTED(deadline_lost))
        order_arm(turn, turn->given->at);
    return STATUS_ok;
}

// ---- what the runtime asks at start

int64_t order_wake_at(struct bytes open, struct arena *arena)
{
    struct order_turn turn;
    struct given given = {.record_open = open, .arena = arena};
    order_load(&turn, &given, NULL);
    return order_may_expire(&turn) ? turn.record.deadline_at : 0;
}

int64_t order_born_at(struct bytes open, struct arena *arena)
{
    struct order record;
    CHECK(record_decode(order_shape(), open, &record, arena), "open order");
    return record.created_at;
}
