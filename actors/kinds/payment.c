// SPDX-License-Identifier: Apache-2.0
// The payment kind: one payment for an order, worked toward what the order wants. At most one operation is open at the
// provider; the next is decided when its outcome is known. Pure; any thread, one message at a time.
//
//     charge ─▶ authorizing ──succeeded──▶ capturing ──succeeded──▶ captured ──want refunded──▶ refunding ─▶ refunded
//                 │  │  ▲                     │ declined
//                 │  ▼  │ confirm             ▼
//                 │ action_required ──────▶ voiding ─▶ voided         (want voided leads here too, until the capture
//                 │ declined     want voided                            was sent: from then on it comes too late)
//                 ▼
//               declined                         want, and nothing was ever charged ─▶ voided
//
// A key is made of order, attempt and operation and stored with its first-send time before it is sent. A timeout is not
// a refusal: same key again, later and later. A key older than `provider_key_hours` may be forgotten by the provider:
// then it is only asked about; if the provider does not know it, or refuses to give money back, the payment is parked
// until an operator resolves it:
//     resolve succeeded         as if the provider had said so
//     resolve failed            authorize: declined · capture: void what was authorized · void, refund: a new attempt
//   P1  an operation is open exactly while authorizing, capturing, voiding or refunding; parked only then
//   P2  refunded ≤ captured ≤ authorized ≤ amount
//   P3  an operation ends only by its own outcome (operation and attempt), so a capture is never sent twice by two keys
//   P4  what is open is asked again after a restart: by its order, which is open as well, or, if that has ended before
//       the operation began, because an OPEN row of its own says so
#include "actors/kinds/kind.h"
#include "codec/check.h"
#include "codec/planted.h"

enum { RETRY_FIRST_MS = 500, RETRY_LAST_MS = 60000 };
#define MS_US INT64_C(1000)
#define HOUR_US INT64_C(3600000000)

struct payment_turn {
    const struct given *given;
    struct effects *effects;
    struct payment record;
};

// ---- loading, saving

static bool payment_load(struct payment_turn *turn, const struct given *given, struct effects *effects)
{
    *turn = (struct payment_turn){.given = given, .effects = effects};
    if (!given->head.size)
        return false;
    CHECK(record_decode(payment_shape(), given->head, &turn->record, given->arena), "%.*s", BYTES_FORMAT(given->key));
    return true;
}

static bool state_is(const struct payment_turn *turn, const char *state)
{
    return bytes_equal(turn->record.state, bytes_text(state));
}

static bool wants(const struct payment_turn *turn, const char *want)
{
    return bytes_equal(turn->record.want, bytes_text(want));
}

// P4. Ends with the operation.
static void errand_save(struct payment_turn *turn)
{
    struct payment *record = &turn->record;
    if (!record->alone)
        return;
    if (record->has_open)
        effects_put(turn->effects, PLACE_OPEN, (struct bytes){0}, errand_shape(),
                    &(struct errand){.since = record->open.first_sent_at, .parked = record->parked}, 0);
    else
        effects_delete(turn->effects, PLACE_OPEN, (struct bytes){0});
    record->alone = record->has_alone = record->has_open;
}

static void payment_save(struct payment_turn *turn)
{
    const struct payment *record = &turn->record;
    errand_save(turn);
    bool working = state_is(turn, "authorizing") || state_is(turn, "capturing") || state_is(turn, "voiding") ||
                   state_is(turn, "refunding");
    CHECK(record->has_open == working, "%.*s", BYTES_FORMAT(record->state));
    CHECK(!record->parked || record->has_open, "%.*s", BYTES_FORMAT(record->state));
    CHECK(record->refunded.amount <= record->captured.amount, "%lld refunded", (long long)record->refunded.amount);
    CHECK(record->captured.amount <= record->authorized.amount, "%lld captured", (long long)record->captured.amount);
    CHECK(record->authorized.amount <= record->amount.amount, "%lld authorized", (long long)record->authorized.amount);
    effects_put(turn->effects, PLACE_HEAD, (struct bytes){0}, payment_shape(), record, 0);
}

static void payment_note_order(struct payment_turn *turn, const char *state)
{
    effects_send(turn->effects, MESSAGE_order_payment, turn->given->key,
                 &(struct payment_note){.state = bytes_text(state)});
}

// ---- operations

static int64_t retry_after(int64_t tries)
{
    int64_t ms = tries > 7 ? RETRY_LAST_MS : (int64_t)RETRY_FIRST_MS << (tries - 1);
    return (ms < RETRY_LAST_MS ? ms : RETRY_LAST_MS) * MS_US;
}

static struct bytes provider_key(const struct payment_turn *turn)
{
    const struct operation *open = &turn->record.open;
    return bytes_text(arena_format(turn->given->arena, "%.*s/%lld/%.*s", BYTES_FORMAT(turn->given->key),
                                   (long long)(PLANTED(new_key_on_retry) ? open->tries : open->attempt),
                                   BYTES_FORMAT(open->kind)));
}

static struct bytes operation_name(const struct operation *open)
{
    if (open->query || !open->has_confirm)
        return open->kind;
    return bytes_equal(open->confirm, BYTES("succeeded")) ? BYTES("confirm_succeeded") : BYTES("confirm_failed");
}

static void operation_send(struct payment_turn *turn)
{
    const struct payment *record = &turn->record;
    const struct operation *open = &record->open;
    effects_provider(turn->effects, &(struct provider_operation){
                                        .operation = operation_name(open),
                                        .provider_key = provider_key(turn),
                                        .attempt = open->attempt,
                                        .amount = record->amount,
                                        .method = record->method,
                                        .query = open->query,
                                    });
    effects_wake(turn->effects, turn->given->at + retry_after(open->tries));
}

static void operation_open(struct payment_turn *turn, struct bytes kind, const char *state)
{
    struct payment *record = &turn->record;
    record->state = bytes_text(state);
    record->open = (struct operation){
        .kind = kind,
        .attempt = record->attempts,
        .first_sent_at = turn->given->at,
        .tries = 1,
        .retry_at = turn->given->at + retry_after(1),
    };
    record->has_open = true;
    operation_send(turn);
}

static void void_open(struct payment_turn *turn)
{
    turn->record.want = BYTES("voided");
    operation_open(turn, BYTES("void"), "voiding");
}

static void operation_end(struct payment_turn *turn, const char *state)
{
    turn->record.state = bytes_text(state);
    turn->record.has_open = false;
    effects_wake(turn->effects, 0);
    payment_note_order(turn, state);
}

// The provider may have forgotten a key this old: true if it is only asked about from now on.
static bool operation_aged(struct payment_turn *turn)
{
    struct operation *open = &turn->record.open;
    int64_t forgotten_at = open->first_sent_at + turn->given->settings->provider_key_hours * HOUR_US;
    if (open->query || turn->given->at < forgotten_at || PLANTED(send_forgotten_key))
        return false;
    open->query = true;
    return true;
}

static void payment_park(struct payment_turn *turn)
{
    turn->record.parked = true;
    effects_wake(turn->effects, 0);
    payment_note_order(turn, "parked");
}

static void payment_unpark(struct payment_turn *turn)
{
    if (turn->record.parked)
        payment_note_order(turn, "unparked");
    turn->record.parked = false;
}

// ---- outcomes

static void authorize_ended(struct payment_turn *turn, struct bytes outcome)
{
    struct payment *record = &turn->record;
    if (bytes_equal(outcome, BYTES("declined"))) {
        operation_end(turn, "declined");
        return;
    }
    bool authorized = bytes_equal(outcome, BYTES("succeeded"));
    if (authorized)
        record->authorized = record->amount;
    if (!wants(turn, "captured")) {
        void_open(turn);
    } else if (authorized) {
        payment_note_order(turn, "authorized");
        operation_open(turn, BYTES("capture"), "capturing");
    } else {
        operation_end(turn, "action_required");
    }
}

static void capture_ended(struct payment_turn *turn, struct bytes outcome)
{
    struct payment *record = &turn->record;
    if (!bytes_equal(outcome, BYTES("succeeded"))) {
        void_open(turn); // nothing was captured: what is authorized goes back
        return;
    }
    record->captured = record->amount;
    operation_end(turn, "captured");
    if (wants(turn, "refunded"))
        operation_open(turn, BYTES("refund"), "refunding");
}

static void give_back_ended(struct payment_turn *turn, struct bytes outcome)
{
    struct payment *record = &turn->record;
    if (!bytes_equal(outcome, BYTES("succeeded"))) {
        payment_park(turn);
    } else if (state_is(turn, "refunding")) {
        record->refunded = record->captured;
        operation_end(turn, "refunded");
    } else {
        operation_end(turn, "voided");
    }
}

static void operation_ended(struct payment_turn *turn, struct bytes outcome)
{
    if (state_is(turn, "authorizing"))
        authorize_ended(turn, outcome);
    else if (state_is(turn, "capturing"))
        capture_ended(turn, outcome);
    else
        give_back_ended(turn, outcome);
}

// What the provider says about something that is not open any more: a duplicate, answered as success. One thing
// matters: an authorization that an operator had given up as failed, and that exists after all.
static void outcome_unexpected(struct payment_turn *turn, const struct provider_outcome *outcome)
{
    struct payment *record = &turn->record;
    if (!state_is(turn, "declined") || outcome->attempt != record->attempts ||
        !bytes_equal(outcome->operation, BYTES("authorize")) || !bytes_equal(outcome->outcome, BYTES("succeeded")))
        return;
    record->authorized = record->amount;
    record->alone = true;
    void_open(turn);
    payment_save(turn);
}

// The provider still knows the key, and what the shopper did never came to it: it is said again, by the timer.
static void confirm_again(struct payment_turn *turn)
{
    turn->record.open.query = false;
    turn->record.open.first_sent_at = turn->given->at;
    payment_save(turn);
}

// Does this outcome decide anything? `failed` does not: nothing happened, the timer tries again.
static bool outcome_decides(const struct payment_turn *turn, struct bytes outcome)
{
    const struct payment *record = &turn->record;
    bool giving_back = state_is(turn, "voiding") || state_is(turn, "refunding");
    if (bytes_equal(outcome, BYTES("failed")) || bytes_equal(outcome, BYTES("unknown")))
        return false;
    if (bytes_equal(outcome, BYTES("action_required")))
        return state_is(turn, "authorizing") && !record->open.has_confirm;
    return !(record->parked && giving_back && bytes_equal(outcome, BYTES("declined"))); // parked because of it
}

static enum status payment_outcome(const struct given *given, struct effects *effects)
{
    const struct provider_outcome *body = given->body;
    struct payment_turn turn;
    if (!payment_load(&turn, given, effects))
        return STATUS_ok;
    const struct payment *record = &turn.record;
    if (!record->has_open || record->open.attempt != body->attempt ||
        !bytes_equal(record->open.kind, body->operation)) {
        outcome_unexpected(&turn, body);
        return STATUS_ok;
    }
    if (bytes_equal(body->outcome, BYTES("unknown")) && record->open.query && !record->parked) {
        payment_park(&turn);
        payment_save(&turn);
        return STATUS_ok;
    }
    if (record->open.query && record->open.has_confirm && bytes_equal(body->outcome, BYTES("action_required"))) {
        confirm_again(&turn);
        return STATUS_ok;
    }
    if (!outcome_decides(&turn, body->outcome))
        return STATUS_ok;
    payment_unpark(&turn);
    operation_ended(&turn, body->outcome);
    payment_save(&turn);
    return STATUS_ok;
}

// ---- what the order asks

static bool from_its_order(const struct given *given)
{
    return given->sender == SENDER_PEER && given->from.kind == KIND_ORDER && bytes_equal(given->from.key, given->key);
}

// The open operation once more, under its own key. Returns whether the record changed.
static bool operation_resend(struct payment_turn *turn)
{
    if (!turn->record.has_open || turn->record.parked)
        return false;
    bool changed = operation_aged(turn);
    operation_send(turn);
    return changed;
}

// Asked again (the order was restarted): tells again where it stands, and goes on from there.
static enum status payment_again(struct payment_turn *turn, bool changed)
{
    const struct payment *record = &turn->record;
    if (state_is(turn, "capturing"))
        payment_note_order(turn, "authorized");
    if (record->parked)
        payment_note_order(turn, "parked");
    if (!record->has_open)
        payment_note_order(turn, arena_format(turn->given->arena, "%.*s", BYTES_FORMAT(record->state)));
    if (operation_resend(turn) || changed)
        payment_save(turn);
    return STATUS_ok;
}

static enum status payment_charge(const struct given *given, struct effects *effects)
{
    const struct payment_charge *body = given->body;
    struct payment_turn turn;
    if (!from_its_order(given))
        return STATUS_not_owner;
    if (payment_load(&turn, given, effects)) {
        const struct payment *record = &turn.record;
        bool same = record->amount.amount == body->amount.amount && money_same_currency(record->amount, body->amount) &&
                    bytes_equal(record->method, body->method);
        return same || !record->has_method ? payment_again(&turn, false) : STATUS_request_mismatch;
    }
    struct money zero = body->amount;
    zero.amount = 0;
    turn.record = (struct payment){
        .want = BYTES("captured"),
        .amount = body->amount,
        .method = body->method,
        .has_method = true,
        .authorized = zero,
        .captured = zero,
        .refunded = zero,
        .attempts = 1,
    };
    operation_open(&turn, BYTES("authorize"), "authorizing");
    payment_save(&turn);
    return STATUS_ok;
}

// Nothing was charged, and nothing will be: a charge that comes now finds this record.
static enum status want_first(struct payment_turn *turn, struct bytes want)
{
    turn->record = (struct payment){.state = BYTES("voided"), .want = want};
    payment_note_order(turn, "voided");
    payment_save(turn);
    return STATUS_ok;
}

static enum status payment_want(const struct given *given, struct effects *effects)
{
    const struct payment_want *body = given->body;
    struct payment_turn turn;
    if (!from_its_order(given))
        return STATUS_not_owner;
    if (!payment_load(&turn, given, effects))
        return want_first(&turn, body->want);

    bool refund = bytes_equal(body->want, BYTES("refunded")), changed = false;
    if (PLANTED(two_calls_open) && state_is(&turn, "authorizing"))
        turn.record.state = BYTES("action_required");
    if (state_is(&turn, "authorizing") || (refund && state_is(&turn, "capturing"))) {
        changed = !bytes_equal(turn.record.want, body->want);
        turn.record.want = body->want;
    } else if (state_is(&turn, "action_required")) {
        void_open(&turn);
        payment_save(&turn);
        return STATUS_ok;
    } else if (refund && state_is(&turn, "captured")) {
        turn.record.want = body->want;
        operation_open(&turn, BYTES("refund"), "refunding");
        payment_save(&turn);
        return STATUS_ok;
    }
    return payment_again(&turn, changed);
}

static enum status payment_wake(const struct given *given, struct effects *effects)
{
    struct payment_turn turn;
    if (!payment_load(&turn, given, effects) || !turn.record.has_open || turn.record.parked)
        return STATUS_ok;
    struct operation *open = &turn.record.open;
    if (given->at < open->retry_at) { // set for an operation before this one
        effects_wake(effects, open->retry_at);
        return STATUS_ok;
    }
    open->tries++;
    open->retry_at = given->at + retry_after(open->tries);
    operation_aged(&turn);
    operation_send(&turn);
    payment_save(&turn);
    return STATUS_ok;
}

// ---- people

static enum status answer_state(struct payment_turn *turn)
{
    effects_reply(turn->effects, payment_state_reply_shape(), &(struct payment_state_reply){turn->record.state});
    return STATUS_ok;
}

static enum status payment_get(const struct given *given, struct effects *effects)
{
    struct payment_turn turn;
    if (!payment_load(&turn, given, effects) || !turn.record.has_method)
        return STATUS_not_found; // nothing was ever charged
    const struct payment *record = &turn.record;
    effects_reply(effects, payment_view_shape(),
                  &(struct payment_view){
                      .state = record->parked ? BYTES("parked") : record->state,
                      .authorized = record->authorized,
                      .captured = record->captured,
                      .refunded = record->refunded,
                      .attempts = record->attempts,
                  });
    return STATUS_ok;
}

static enum status payment_confirm(const struct given *given, struct effects *effects)
{
    const struct payment_confirm *body = given->body;
    struct payment_turn turn;
    if (given->late)
        return STATUS_too_late;
    if (!payment_load(&turn, given, effects))
        return STATUS_not_found;
    if (!state_is(&turn, "action_required"))
        return answer_state(&turn);
    turn.record.state = BYTES("authorizing");
    turn.record.open = (struct operation){
        .kind = BYTES("authorize"),
        .attempt = turn.record.attempts,
        .first_sent_at = given->at,
        .tries = 1,
        .retry_at = given->at + retry_after(1),
        .confirm = body->outcome,
        .has_confirm = true,
    };
    turn.record.has_open = true;
    operation_send(&turn);
    payment_save(&turn);
    return answer_state(&turn);
}

static enum status payment_resolve(const struct given *given, struct effects *effects)
{
    const struct payment_resolve *body = given->body;
    struct payment_turn turn;
    if (given->late)
        return STATUS_too_late;
    if (!payment_load(&turn, given, effects) || !turn.record.parked) {
        effects_refuse(effects, NULL, "no parked payment of this name exists", NULL, NULL);
        return STATUS_not_found;
    }
    bool succeeded = bytes_equal(body->outcome, BYTES("succeeded"));
    turn.record.resolved_reason = body->reason;
    turn.record.has_resolved_reason = true;
    payment_unpark(&turn);
    if (succeeded) {
        operation_ended(&turn, BYTES("succeeded"));
    } else if (state_is(&turn, "authorizing") || state_is(&turn, "capturing")) {
        operation_ended(&turn, BYTES("declined"));
    } else { // the money must still go back: a new attempt has a new key
        bool refund = state_is(&turn, "refunding");
        turn.record.attempts++;
        operation_open(&turn, refund ? BYTES("refund") : BYTES("void"), refund ? "refunding" : "voiding");
    }
    payment_save(&turn);
    return answer_state(&turn);
}

static const handler handlers[MESSAGE_NUMBER_MAX + 1] = {
    [MESSAGE_payment_charge] = payment_charge,   [MESSAGE_payment_want] = payment_want,
    [MESSAGE_payment_get] = payment_get,         [MESSAGE_payment_confirm] = payment_confirm,
    [MESSAGE_payment_resolve] = payment_resolve, [MESSAGE_payment_outcome] = payment_outcome,
    [MESSAGE_payment_wake] = payment_wake,
};

// ---- what the runtime asks of an errand (P4)

static struct errand errand_read(struct bytes open, struct arena *arena)
{
    struct errand errand;
    CHECK(record_decode(errand_shape(), open, &errand, arena), "open payment");
    return errand;
}

static void errand_weigh(struct bytes open, struct weight *weight, struct arena *arena)
{
    weight->parked += errand_read(open, arena).parked;
}

static int64_t errand_born_at(struct bytes open, struct arena *arena)
{
    return errand_read(open, arena).since;
}

const struct kind kind_payment = {
    .id = KIND_PAYMENT,
    .handlers = handlers,
    .resume = MESSAGE_payment_wake,
    .weigh = errand_weigh,
    .born_at = errand_born_at,
};
