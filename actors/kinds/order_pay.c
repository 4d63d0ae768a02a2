// SPDX-License-Identifier: Apache-2.0
// What the payment says. It works by itself and tells how far it is, possibly twice; an order believes the first time.
// The capture is the pivot: once it is known, the order is confirmed, or, if it was cancelled before, refunded.
// Pure; any thread.
#include "actors/kinds/order.h"
#include "actors/kinds/payment_methods.h"

static bool payment_is(const struct order_turn *turn, struct bytes state)
{
    return bytes_equal(turn->record.payment, state);
}

static void payment_said(struct order_turn *turn)
{
    const struct payment_note *note = turn->given->body;
    turn->record.payment = note->state;
    turn->record.parked = false;
}

static void order_confirm(struct order_turn *turn)
{
    order_become(turn, ORDER_STATUS_confirmed);
    if (payment_is(turn, BYTES("captured")) && !PLANTED(capture_not_told))
        order_tell(turn, EVENT_payment_captured);
    order_tell(turn, EVENT_order_confirmed);
    turn->record.has_ending = false;
    memcpy(turn->waiting, turn->held, turn->bits_size);
    turn->record.cart_waiting = turn->record.cart_held;
    order_enter(turn, ORDER_STEP_committing);
}

void order_pay(struct order_turn *turn)
{
    order_become(turn, ORDER_STATUS_inventory_reserved);
    order_tell(turn, EVENT_inventory_reserved);
    bool free_of_charge = turn->record.total.amount == 0;
    if (free_of_charge || payment_method_of(order_content_of(turn)->payment_method) == METHOD_COD) {
        order_confirm(turn);
        return;
    }
    turn->record.payment = BYTES("pending");
    order_enter(turn, ORDER_STEP_paying);
}

// ---- on the way

enum status order_authorized(struct order_turn *turn)
{
    if (payment_is(turn, BYTES("authorized")))
        return STATUS_ok;
    payment_said(turn);
    order_become(turn, ORDER_STATUS_payment_authorized);
    order_tell(turn, EVENT_payment_authorized);
    return order_save(turn);
}

enum status order_action_required(struct order_turn *turn)
{
    if (!payment_is(turn, BYTES("pending")))
        return STATUS_ok;
    payment_said(turn);
    order_become(turn, ORDER_STATUS_payment_action_required);
    return order_save(turn);
}

enum status order_parked(struct order_turn *turn)
{
    if (turn->record.parked)
        return STATUS_ok;
    turn->record.parked = true;
    return order_save(turn);
}

enum status order_unparked(struct order_turn *turn)
{
    if (!turn->record.parked)
        return STATUS_ok;
    turn->record.parked = false;
    return order_save(turn);
}

// ---- captured

enum status order_captured(struct order_turn *turn)
{
    payment_said(turn);
    order_confirm(turn);
    return order_save(turn);
}

static void order_refund(struct order_turn *turn)
{
    memcpy(turn->waiting, turn->held, turn->bits_size);
    turn->record.cart_waiting = turn->record.cart_held;
    order_enter(turn, ORDER_STEP_refunding);
}

enum status order_captured_late(struct order_turn *turn)
{
    if (!turn->record.cancel || PLANTED(late_capture_confirms))
        return order_captured(turn);
    payment_said(turn);
    order_tell(turn, EVENT_payment_captured);
    order_refund(turn);
    return order_save(turn);
}

enum status order_captured_stray(struct order_turn *turn)
{
    if (payment_is(turn, BYTES("captured")) || payment_is(turn, BYTES("refunded")))
        return STATUS_ok;
    payment_said(turn);
    order_tell(turn, EVENT_payment_captured);
    if (!turn->record.has_ending)
        order_end_with(turn, order_status_of(turn->record.status));
    order_refund(turn);
    return order_save(turn);
}

// ---- not captured

enum status order_declined(struct order_turn *turn)
{
    payment_said(turn);
    order_end_with(turn, PLANTED(decline_says_expired) ? ORDER_STATUS_reservation_expired : ORDER_STATUS_payment_failed);
    order_tell(turn, EVENT_payment_failed);
    order_give_back(turn);
    return order_save(turn);
}

enum status order_voided(struct order_turn *turn)
{
    payment_said(turn);
    order_give_back(turn);
    return order_save(turn);
}

enum status order_refunded(struct order_turn *turn)
{
    if (payment_is(turn, BYTES("refunded")))
        return STATUS_ok;
    payment_said(turn);
    order_tell(turn, EVENT_payment_refunded);
    order_settle_if_done(turn);
    return order_save(turn);
}
