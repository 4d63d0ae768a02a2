// SPDX-License-Identifier: Apache-2.0
// The order kind: an order alone knows the plan of a checkout; every other actor reacts from its own state. Pure; any
// thread, one message at a time. Steps (record.step), and what the world sees (record.status) below them:
//
//     place ─▶ claiming ─▶ pricing ─▶ holding ──all held──▶ paying ──captured──▶ committing ─▶ settled (confirmed)
//              (a cart)    (unknown      │ refused, cancelled,  │ deadline,          │ cancelled      │ cancelled
//                           prices)      │ deadline             │ cancelled          ▼ meanwhile      ▼
//                  │           │         ▼            declined  ▼                    └──▶ restocking ◀┘
//                  └───────────┴──▶ releasing ◀──────────── voiding ──captured,           (refund, goods back)
//                                        │       voided         │      but cancelled            │
//                                        ▼                      └────▶ refunding                ▼
//                          settled (refused, failed, expired,          (refund, ────────▶ settled (cancelled)
//                                   cancelled)                          release)
//
//     created ─▶ inventory_reserved ─▶ payment_authorized ─▶ confirmed ─▶ shipped ─▶ delivered
//
// The record lies in OPEN while a step is open and in HEAD once settled; exactly one of them exists. What was asked for
// lies in CONTENT (while claiming: in the record, so that it is written once, with the cart's lines). What a step waits
// for is one bit for an item (`waiting`), so an answer that comes twice is seen.
//   R1  settled ⇒ nothing waits, nothing is held, the cart is free, the payment is at an end, no ending is left to take
//   R2  total = Σ amounts
//   R3  confirmed and settled ⇒ captured or no provider asked; failed and settled ⇒ nothing captured or all refunded
//   R4  an item that waits in holding is not held; one that waits in committing, refunding or releasing is
#include "actors/kinds/order.h"

typedef enum status (*order_action)(struct order_turn *turn);

enum order_action_id {
#define ORDER_ACTION(name, function, sentence) ORDER_ACTION_##name,
#include "actors/kinds/order_steps.def"
#undef ORDER_ACTION
};

static const order_action actions[] = {
#define ORDER_ACTION(name, function, sentence) [ORDER_ACTION_##name] = function,
#include "actors/kinds/order_steps.def"
#undef ORDER_ACTION
};

static const uint8_t table[ORDER_EVENT_COUNT][ORDER_STEP_COUNT] = {
#define ORDER_EVENT(name, sentence, a, b, c, d, e, f, g, h, i, j, k)                                                   \
    [ORDER_EVENT_##name] = {ORDER_ACTION_##a, ORDER_ACTION_##b, ORDER_ACTION_##c, ORDER_ACTION_##d,                    \
                            ORDER_ACTION_##e, ORDER_ACTION_##f, ORDER_ACTION_##g, ORDER_ACTION_##h,                    \
                            ORDER_ACTION_##i, ORDER_ACTION_##j, ORDER_ACTION_##k},
#include "actors/kinds/order_steps.def"
#undef ORDER_EVENT
};

static const char *const step_names[ORDER_STEP_COUNT] = {
#define ORDER_STEP(name, sentence) #name,
#include "actors/kinds/order_steps.def"
#undef ORDER_STEP
};

static const char *const status_names[ORDER_STATUS_COUNT] = {
#define ORDER_STATUS(name, stage, envelope) #name,
#include "actors/kinds/order_steps.def"
#undef ORDER_STATUS
};

// ---- names

const char *order_step_name(enum order_step step)
{
    return step_names[step];
}

static enum order_step step_of(struct bytes name)
{
    for (int step = 0; step < ORDER_STEP_COUNT; step++) {
        if (bytes_equal(name, bytes_text(step_names[step])))
            return (enum order_step)step;
    }
    CHECK(false, "step %.*s", BYTES_FORMAT(name));
    return ORDER_STEP_none;
}

enum order_status order_status_of(struct bytes name)
{
    for (int status = 0; status < ORDER_STATUS_COUNT; status++) {
        if (bytes_equal(name, bytes_text(status_names[status])))
            return (enum order_status)status;
    }
    CHECK(false, "status %.*s", BYTES_FORMAT(name));
    return ORDER_STATUS_created;
}

struct bytes order_status_text(enum order_status status)
{
    return bytes_text(status_names[status]);
}

// ---- invariants

static bool payment_ended(struct bytes payment)
{
    return !bytes_equal(payment, BYTES("pending")) && !bytes_equal(payment, BYTES("action_required")) &&
           !bytes_equal(payment, BYTES("authorized"));
}

static bool sold(enum order_status status)
{
    return status == ORDER_STATUS_confirmed || status == ORDER_STATUS_shipped || status == ORDER_STATUS_delivered;
}

static void check_settled(const struct order_turn *turn)
{
    const struct order *record = &turn->record;
    enum order_status status = order_status_of(record->status);
    CHECK(!bits_any(turn->waiting, turn->bits_size) && !record->cart_waiting, "settled, but something waits");
    CHECK(!bits_any(turn->held, turn->bits_size) && !record->cart_held, "settled, but something is held");
    CHECK(payment_ended(record->payment) && !record->parked, "payment %.*s", BYTES_FORMAT(record->payment));
    CHECK(!record->has_ending && status != ORDER_STATUS_cancelling, "ending %.*s", BYTES_FORMAT(record->ending));
    bool captured = bytes_equal(record->payment, BYTES("captured"));
    bool paid = captured || bytes_equal(record->payment, BYTES("none"));
    CHECK(sold(status) ? paid : !captured, "%.*s, payment %.*s", BYTES_FORMAT(record->status),
          BYTES_FORMAT(record->payment));
}

static void check_open(const struct order_turn *turn)
{
    const struct order *record = &turn->record;
    bool holding = turn->step == ORDER_STEP_holding, asking = holding || turn->step == ORDER_STEP_pricing;
    for (size_t i = 0; i < turn->bits_size; i++) {
        if (holding)
            CHECK(!(turn->waiting[i] & turn->held[i]), "byte %zu", i);
        else if (!asking && turn->step != ORDER_STEP_restocking)
            CHECK(!(turn->waiting[i] & ~turn->held[i]), "byte %zu", i);
    }
    CHECK(turn->step != ORDER_STEP_claiming || record->cart_waiting, "claiming, but nobody is asked");
    CHECK(turn->step != ORDER_STEP_voiding || record->has_ending, "voiding without an ending");
    CHECK(turn->step != ORDER_STEP_releasing || record->has_ending, "releasing without an ending");
    CHECK(turn->step != ORDER_STEP_committing || record->cancel || sold(order_status_of(record->status)), "%.*s",
          BYTES_FORMAT(record->status));
}

static void check_record(const struct order_turn *turn)
{
    const struct order *record = &turn->record;
    if (record->has_total) {
        struct money sum = {.amount = 0};
        memcpy(sum.currency, record->total.currency, sizeof sum.currency);
        for (uint32_t i = 0; i < record->amounts_count; i++)
            CHECK(money_add(&sum, record->amounts[i].amount), "amount %u", i);
        CHECK(sum.amount == record->total.amount, "%lld, not %lld", (long long)sum.amount,
              (long long)record->total.amount);
    }
    if (turn->step == ORDER_STEP_settled)
        check_settled(turn);
    else
        check_open(turn);
}

// ---- loading, saving

void order_bits_init(struct order_turn *turn, uint32_t items)
{
    turn->bits_size = ((size_t)items + 7) / 8;
    turn->waiting = arena_alloc(turn->given->arena, turn->bits_size + 1);
    turn->held = arena_alloc(turn->given->arena, turn->bits_size + 1);
    turn->record.lines_count = items;
}

bool order_load(struct order_turn *turn, const struct given *given, struct effects *effects)
{
    *turn = (struct order_turn){.given = given, .effects = effects, .step = ORDER_STEP_none};
    turn->was_open = given->record_open.size > 0;
    turn->was_settled = given->head.size > 0;
    CHECK(!turn->was_open || !turn->was_settled, "%.*s is open and settled", BYTES_FORMAT(given->key));
    if (!turn->was_open && !turn->was_settled)
        return false;
    struct bytes stored = turn->was_open ? given->record_open : given->head;
    struct order *record = &turn->record;
    CHECK(record_decode(order_shape(), stored, record, given->arena), "%.*s", BYTES_FORMAT(given->key));
    CHECK(record->waiting.size == record->held.size, "%zu, %zu", record->waiting.size, record->held.size);
    turn->step = step_of(record->step);
    CHECK((turn->step == ORDER_STEP_settled) == turn->was_settled, "%.*s", BYTES_FORMAT(record->step));
    turn->bits_size = record->waiting.size;
    turn->waiting = arena_alloc(given->arena, turn->bits_size + 1);
    turn->held = arena_alloc(given->arena, turn->bits_size + 1);
    if (turn->bits_size) {
        memcpy(turn->waiting, record->waiting.at, turn->bits_size);
        memcpy(turn->held, record->held.at, turn->bits_size);
    }
    if (record->has_content) { // not yet a row of its own
        turn->content = record->content;
        turn->content_loaded = turn->content_changed = true;
    }
    return true;
}

struct order_content *order_content_of(struct order_turn *turn)
{
    const struct given *given = turn->given;
    if (turn->content_loaded)
        return &turn->content;
    CHECK(given->children_count > 0 && given->children[0].value.size > 0, "%.*s", BYTES_FORMAT(given->key));
    CHECK(record_decode(order_content_shape(), given->children[0].value, &turn->content, given->arena), "%.*s",
          BYTES_FORMAT(given->key));
    turn->content_loaded = true;
    return &turn->content;
}

enum status order_save(struct order_turn *turn)
{
    struct order *record = &turn->record;
    bool settled = turn->step == ORDER_STEP_settled;
    check_record(turn);
    record->step = bytes_text(step_names[turn->step]);
    record->waiting = bytes_of(turn->waiting, turn->bits_size);
    record->held = bytes_of(turn->held, turn->bits_size);
    record->has_content = turn->step == ORDER_STEP_claiming;
    if (record->has_content)
        record->content = turn->content;
    if (settled ? turn->was_open : turn->was_settled)
        effects_delete(turn->effects, settled ? PLACE_OPEN : PLACE_HEAD, (struct bytes){0});
    effects_put(turn->effects, settled ? PLACE_HEAD : PLACE_OPEN, (struct bytes){0}, order_shape(), record, 0);
    if (turn->content_changed && !record->has_content)
        effects_put(turn->effects, PLACE_CHILD, (struct bytes){0}, order_content_shape(), &turn->content, 0);
    return STATUS_ok;
}

// ---- moving on

void order_become(struct order_turn *turn, enum order_status status)
{
    struct order *record = &turn->record;
    struct history_entry *history =
        arena_alloc(turn->given->arena, ((size_t)record->history_count + 1) * sizeof *history);
    if (record->history_count)
        memcpy(history, record->history, record->history_count * sizeof *history);
    record->status = order_status_text(status);
    history[record->history_count++] = (struct history_entry){.status = record->status, .at = turn->given->at};
    record->history = history;
}

void order_tell(struct order_turn *turn, enum event_type event)
{
    const struct order *record = &turn->record;
    struct order_event data = {.status = record->status, .total = record->total, .has_total = record->has_total};
    if (record->cancel && record->has_cancel_reason && record->cancel_reason.size) {
        data.reason = record->cancel_reason;
        data.has_reason = true;
    } else if (!record->cancel && record->has_reason) {
        data.reason = record->reason;
        data.has_reason = true;
    }
    effects_event(turn->effects, event, &data);
}

// ---- ending

void order_end_with(struct order_turn *turn, enum order_status ending)
{
    turn->record.ending = order_status_text(ending);
    turn->record.has_ending = true;
}

// Of what was asked for twice the first answer may be a refusal and the second, still on its way, not: so all of it is
// given back, which arrives behind what was asked.
static void hold_what_was_asked(struct order_turn *turn)
{
    const struct order_content *content = order_content_of(turn);
    for (uint32_t i = 0; i < content->items_count; i++)
        bits_set(turn->held, i);
    turn->record.cart_held = content->has_cart_id;
}

void order_give_back(struct order_turn *turn)
{
    if (turn->record.asked_again)
        hold_what_was_asked(turn);
    if (turn->bits_size)
        memcpy(turn->waiting, turn->held, turn->bits_size);
    if (PLANTED(cart_stays_claimed))
        turn->record.cart_held = false;
    turn->record.cart_waiting = turn->record.cart_held;
    turn->record.has_prices = turn->record.has_currency = false;
    order_enter(turn, ORDER_STEP_releasing);
    order_settle_if_done(turn);
}

void order_reject(struct order_turn *turn, struct bytes reason)
{
    turn->record.reason = reason;
    turn->record.has_reason = true;
    order_end_with(turn, ORDER_STATUS_rejected);
    order_give_back(turn);
}

static void take_ending(struct order_turn *turn)
{
    struct order *record = &turn->record;
    enum order_status ending = order_status_of(record->ending);
    record->has_ending = false;
    if (bytes_equal(record->status, record->ending))
        return; // it had ended so before
    order_become(turn, ending);
    order_tell(turn, ending == ORDER_STATUS_cancelled ? EVENT_order_cancelled : EVENT_order_failed);
}

void order_settle_if_done(struct order_turn *turn)
{
    if (bits_any(turn->waiting, turn->bits_size) || turn->record.cart_waiting || order_payment_owes(turn))
        return;
    turn->step = ORDER_STEP_settled;
    if (turn->record.has_ending)
        take_ending(turn);
    effects_wake(turn->effects, 0);
}

// ---- events

enum status order_ignore(struct order_turn *turn)
{
    (void)turn;
    return STATUS_ok;
}

enum status order_dispatch(struct order_turn *turn, enum order_event_kind event)
{
    return actions[table[event][turn->step]](turn);
}

static enum status order_meet(const struct given *given, struct effects *effects, enum order_event_kind event)
{
    struct order_turn turn;
    order_load(&turn, given, effects);
    return order_dispatch(&turn, event);
}

static enum status order_place(const struct given *given, struct effects *effects)
{
    const struct order_place *body = given->body;
    if (body->has_cart_id == body->has_lines) {
        effects_refuse(effects, "lines", "exactly one of cart_id and lines must be given", NULL, NULL);
        return STATUS_invalid;
    }
    return order_meet(given, effects, ORDER_EVENT_place);
}

static enum status order_cancel(const struct given *given, struct effects *effects)
{
    return order_meet(given, effects, ORDER_EVENT_cancel);
}

static enum status order_ship(const struct given *given, struct effects *effects)
{
    return order_meet(given, effects, ORDER_EVENT_ship);
}

static enum status order_deliver(const struct given *given, struct effects *effects)
{
    return order_meet(given, effects, ORDER_EVENT_deliver);
}

static enum status order_resume(const struct given *given, struct effects *effects)
{
    return order_meet(given, effects, ORDER_EVENT_resume);
}

// What an order asked, and the event its answer is.
static enum status order_answer(const struct given *given, struct effects *effects)
{
    static const struct {
        enum message_type message;
        enum order_event_kind event;
    } answers[] = {
        {MESSAGE_cart_claim, ORDER_EVENT_claim},          {MESSAGE_cart_unclaim, ORDER_EVENT_unclaim},
        {MESSAGE_cart_settle, ORDER_EVENT_cart_settle},   {MESSAGE_catalog_price, ORDER_EVENT_price},
        {MESSAGE_inventory_reserve, ORDER_EVENT_reserve}, {MESSAGE_inventory_release, ORDER_EVENT_release},
        {MESSAGE_inventory_commit, ORDER_EVENT_commit},   {MESSAGE_inventory_restock, ORDER_EVENT_restock},
    };
    const struct answer *body = given->body;
    enum status status;
    if (!status_of_name(body->status, &status) || status_transient(status))
        return STATUS_ok; // no answer yet: asked again after a minute, and counted
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        if (bytes_equal(body->re, bytes_text(message_by_number(answers[i].message)->name)))
            return order_meet(given, effects, answers[i].event);
    }
    return STATUS_ok; // nothing an order asks
}

static enum status order_payment(const struct given *given, struct effects *effects)
{
    static const struct {
        const char *state;
        enum order_event_kind event;
    } notes[] = {
        {"authorized", ORDER_EVENT_authorized}, {"action_required", ORDER_EVENT_action_required},
        {"captured", ORDER_EVENT_captured},     {"declined", ORDER_EVENT_declined},
        {"voided", ORDER_EVENT_voided},         {"refunded", ORDER_EVENT_refunded},
        {"parked", ORDER_EVENT_parked},         {"unparked", ORDER_EVENT_unparked},
    };
    const struct payment_note *body = given->body;
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        if (bytes_equal(body->state, bytes_text(notes[i].state)))
            return order_meet(given, effects, notes[i].event);
    }
    CHECK(false, "%.*s", BYTES_FORMAT(body->state));
    return STATUS_ok;
}

static const handler handlers[MESSAGE_NUMBER_MAX + 1] = {
    [MESSAGE_order_place] = order_place,     [MESSAGE_order_get] = order_get,
    [MESSAGE_order_cancel] = order_cancel,   [MESSAGE_order_ship] = order_ship,
    [MESSAGE_order_deliver] = order_deliver, [MESSAGE_order_answer] = order_answer,
    [MESSAGE_order_payment] = order_payment, [MESSAGE_order_wake] = order_wake,
    [MESSAGE_order_resume] = order_resume,
};

const struct kind kind_order = {
    .id = KIND_ORDER,
    .handlers = handlers,
    .resume = MESSAGE_order_resume,
    .moves = true,
    .weigh = order_weigh,
    .at_rest = order_at_rest,
    .view = order_view_placed,
    .wake_at = order_wake_at,
    .born_at = order_born_at,
};
