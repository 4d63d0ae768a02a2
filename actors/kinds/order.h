// SPDX-License-Identifier: Apache-2.0
// Inside the order kind: one order while one message meets it. order.c loads, dispatches and saves; the other order_*.c
// files decide, one concept each. Lives for one message; everything in it borrows from the turn's arena.
#pragma once

#include "actors/kinds/kind.h"
#include "codec/check.h"
#include "codec/planted.h"

enum { ORDER_SAFETY_MS = 60000, ORDER_RETRY_AFTER_MS = 250 };

enum order_step {
#define ORDER_STEP(name, sentence) ORDER_STEP_##name,
#include "actors/kinds/order_steps.def"
#undef ORDER_STEP
    ORDER_STEP_COUNT
};

enum order_event_kind {
#define ORDER_EVENT(name, sentence, ...) ORDER_EVENT_##name,
#include "actors/kinds/order_steps.def"
#undef ORDER_EVENT
    ORDER_EVENT_COUNT
};

enum order_status {
#define ORDER_STATUS(name, stage, envelope) ORDER_STATUS_##name,
#include "actors/kinds/order_steps.def"
#undef ORDER_STATUS
    ORDER_STATUS_COUNT
};

struct order_turn {
    const struct given *given;
    struct effects *effects;
    enum order_step step;       // none: no such order
    struct order record;        // step, waiting, held: see `step` and the two below; order_save fills them in
    uint8_t *waiting, *held;    // bit = index of the item
    size_t bits_size;           // bytes of each
    bool was_open, was_settled; // where the record was found
    bool content_loaded, content_changed;
    struct order_content content;
};

// ---- order.c: loading, saving, moving on

const char *order_step_name(enum order_step step);
enum order_status order_status_of(struct bytes name);
struct bytes order_status_text(enum order_status status);
// false: there is no such order (step none).
bool order_load(struct order_turn *turn, const struct given *given, struct effects *effects);
// What was asked for; decoded at the first call.
struct order_content *order_content_of(struct order_turn *turn);
// Room for one bit for each item; all clear.
void order_bits_init(struct order_turn *turn, uint32_t items);
// CHECKs the record and writes it where its step says; the content too, if it changed.
enum status order_save(struct order_turn *turn);
// The world sees a new status: history.
void order_become(struct order_turn *turn, enum order_status status);
void order_tell(struct order_turn *turn, enum event_type event);
// The order is to end with this status once everything is given back.
void order_end_with(struct order_turn *turn, enum order_status ending);
// Nothing was charged: gives back holds and cart, settles when there is nothing to wait for.
void order_give_back(struct order_turn *turn);
void order_reject(struct order_turn *turn, struct bytes reason);
// Settles if nothing is waited for any more.
void order_settle_if_done(struct order_turn *turn);

// ---- order_ask.c: what each step asks of whom

// Enters a step and asks what it asks.
void order_enter(struct order_turn *turn, enum order_step step);
// Sends every message of the open step that has no answer.
void order_ask(struct order_turn *turn);
// The one timer: for the deadline, or for what was asked at `asked_at` and has no answer.
void order_arm(struct order_turn *turn, int64_t asked_at);
// Does the payment still have to do what this step asks of it?
bool order_payment_owes(const struct order_turn *turn);

// ---- order_items.c: lines, items, bits, prices

bool bits_any(const uint8_t *bits, size_t size);
bool bits_has(const uint8_t *bits, uint32_t index);
void bits_set(uint8_t *bits, uint32_t index);
void bits_clear(uint8_t *bits, uint32_t index);
// Sums lines of one SKU. false: more of one SKU than can be held.
bool order_items_make(struct order_content *content, struct arena *arena);
// The item of this SKU in a stored content, without decoding the rest. false: none.
bool order_item_find(struct bytes content, struct bytes sku, uint32_t *index, int64_t *quantity);
// Do all prices that are known share one currency? It becomes `currency` ("" if none is known).
bool order_currency(const struct order_content *content, struct money *currency);
// Marks items with a line whose price is not known; false: there is none.
bool order_items_unpriced(const struct order_content *content, uint8_t *bits, struct arena *arena);
// Gives each line without a price its item's (record.prices).
void order_prices_fill(struct order_content *content, struct bytes prices, struct bytes currency, struct arena *arena);
// What stock answers of an item it has not enough of; and, when every item has its answer, the list made of that.
void order_short_note(struct order_turn *turn, uint32_t index, int64_t available);
void order_shortages_make(struct order_turn *turn);
void order_price_note(struct order_turn *turn, uint32_t index, struct money price);
// Σ price × quantity; false: overflow.
bool order_total(const struct order_content *content, struct money *total);

// ---- order_place.c: from nothing to holding

enum status order_place_new(struct order_turn *turn);
enum status order_place_again(struct order_turn *turn);
enum status order_unknown(struct order_turn *turn);
enum status order_claimed(struct order_turn *turn);
enum status order_priced(struct order_turn *turn);

// ---- order_stock.c: what stock and cart answer

enum status order_reserved(struct order_turn *turn);
enum status order_released(struct order_turn *turn);
enum status order_unclaimed(struct order_turn *turn);
enum status order_committed(struct order_turn *turn);
enum status order_cart_settled(struct order_turn *turn);
enum status order_restocked(struct order_turn *turn);
// Sold, but cancelled: refund and restock.
void order_take_back(struct order_turn *turn);

// ---- order_pay.c: what the payment says

// Everything is held: charge, or confirm at once if no provider is needed.
void order_pay(struct order_turn *turn);
enum status order_authorized(struct order_turn *turn);
enum status order_action_required(struct order_turn *turn);
enum status order_captured(struct order_turn *turn);
enum status order_captured_late(struct order_turn *turn);
enum status order_captured_stray(struct order_turn *turn);
enum status order_declined(struct order_turn *turn);
enum status order_voided(struct order_turn *turn);
enum status order_refunded(struct order_turn *turn);
enum status order_parked(struct order_turn *turn);
enum status order_unparked(struct order_turn *turn);

// ---- order_after.c: cancel, ship, deliver

enum status order_cancel_wish(struct order_turn *turn);
enum status order_cancel_pricing(struct order_turn *turn);
enum status order_cancel_paying(struct order_turn *turn);
enum status order_cancel_settled(struct order_turn *turn);
enum status order_ship_confirmed(struct order_turn *turn);
enum status order_ship_early(struct order_turn *turn);
enum status order_deliver_shipped(struct order_turn *turn);
enum status order_deliver_early(struct order_turn *turn);

// ---- order_time.c: deadline, safety, start

enum status order_wake(const struct given *given, struct effects *effects);
enum status order_expire_wish(struct order_turn *turn);
enum status order_expire_pricing(struct order_turn *turn);
enum status order_expire_paying(struct order_turn *turn);
enum status order_ask_overdue(struct order_turn *turn);
enum status order_resend(struct order_turn *turn);
int64_t order_wake_at(struct bytes open, struct arena *arena);
int64_t order_born_at(struct bytes open, struct arena *arena);
// May the deadline still end this order?
bool order_may_expire(const struct order_turn *turn);

// ---- order_view.c: what the world sees

bool order_resting(const struct order_turn *turn);
// The body order.place answers; returns the envelope's status.
enum status order_answer_view(struct order_turn *turn);
// The body of cancel, ship, deliver.
enum status order_answer_status(struct order_turn *turn);
bool order_at_rest(const struct given *given);
enum status order_view_placed(const struct given *given, struct effects *effects);
enum status order_get(const struct given *given, struct effects *effects);
void order_weigh(struct bytes open, struct weight *weight, struct arena *arena);

// ---- order.c

enum status order_ignore(struct order_turn *turn);
enum status order_dispatch(struct order_turn *turn, enum order_event_kind event);
