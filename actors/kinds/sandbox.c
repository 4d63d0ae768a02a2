// SPDX-License-Identifier: Apache-2.0
// The sandbox kind: a payment provider with a book of its own, so that two books can be compared. One record for each
// order, because it is at most SANDBOX_OPERATIONS_MAX entries and read whole; one entry in it for each provider key. It does one thing for a key, however often the key comes, and answers with what
// became of it; it refuses what makes no sense by its own book, whatever the payment believes. How it answers depends
// on the method (payment_methods.h), so every way a provider can be slow, silent or double can be had on purpose.
// Pure; any thread, one message at a time.
#include "actors/kinds/kind.h"
#include "actors/kinds/payment_methods.h"
#include "codec/check.h"

enum { LATE_MS = 2000, FLAKY_FAILURES = 2 };

struct sandbox_turn {
    const struct given *given;
    struct effects *effects;
    struct ledger book; // with room for one entry more
};

static void sandbox_load(struct sandbox_turn *turn, const struct given *given, struct effects *effects)
{
    *turn = (struct sandbox_turn){.given = given, .effects = effects};
    struct ledger *book = &turn->book;
    if (given->head.at)
        CHECK(record_decode(ledger_shape(), given->head, book, given->arena), "%.*s", BYTES_FORMAT(given->key));
    struct ledger_entry *entries = arena_alloc(given->arena, (book->entries_count + 1) * sizeof *entries);
    if (book->entries_count)
        memcpy(entries, book->entries, book->entries_count * sizeof *entries);
    book->entries = entries;
}

static struct ledger_entry *entry_of(struct sandbox_turn *turn, struct bytes provider_key)
{
    for (uint32_t i = 0; i < turn->book.entries_count; i++) {
        if (bytes_equal(turn->book.entries[i].provider_key, provider_key))
            return &turn->book.entries[i];
    }
    return NULL;
}

static void book_save(struct sandbox_turn *turn)
{
    effects_put(turn->effects, PLACE_HEAD, (struct bytes){0}, ledger_shape(), &turn->book, 0);
}

static bool outcome_is(const struct ledger_entry *entry, const char *outcome)
{
    return bytes_equal(entry->outcome, bytes_text(outcome));
}

static void answer(struct sandbox_turn *turn, struct bytes operation, int64_t attempt, struct bytes outcome)
{
    effects_send(turn->effects, MESSAGE_payment_outcome, turn->given->key,
                 &(struct provider_outcome){.operation = operation, .attempt = attempt, .outcome = outcome});
}

static void answer_entry(struct sandbox_turn *turn, const struct ledger_entry *entry)
{
    answer(turn, entry->operation, entry->attempt, entry->outcome);
}

// ---- the book decides

static bool done(const struct ledger_entry *entry, const char *operation, const char *outcome)
{
    return bytes_equal(entry->operation, bytes_text(operation)) && outcome_is(entry, outcome);
}

static int64_t booked(const struct sandbox_turn *turn, const char *operation)
{
    int64_t amount = 0;
    for (uint32_t i = 0; i < turn->book.entries_count; i++) {
        if (done(&turn->book.entries[i], operation, "succeeded"))
            amount += turn->book.entries[i].amount.amount;
    }
    return amount;
}

static bool is_booked(const struct sandbox_turn *turn, const char *operation, const char *outcome)
{
    for (uint32_t i = 0; i < turn->book.entries_count; i++) {
        if (done(&turn->book.entries[i], operation, outcome))
            return true;
    }
    return false;
}

static bool makes_sense(const struct sandbox_turn *turn, const struct ledger_entry *entry)
{
    bool captured = is_booked(turn, "capture", "succeeded"), voided = is_booked(turn, "void", "succeeded");
    if (bytes_equal(entry->operation, BYTES("authorize")))
        return !voided && !is_booked(turn, "authorize", "succeeded");
    if (bytes_equal(entry->operation, BYTES("capture")))
        return !captured && !voided && entry->amount.amount <= booked(turn, "authorize");
    if (bytes_equal(entry->operation, BYTES("void")))
        return !captured &&
               (is_booked(turn, "authorize", "succeeded") || is_booked(turn, "authorize", "action_required"));
    return entry->amount.amount <= booked(turn, "capture") - booked(turn, "refund");
}

static struct bytes decide(const struct sandbox_turn *turn, const struct ledger_entry *entry)
{
    enum payment_method method = payment_method_of(entry->method);
    bool authorize = bytes_equal(entry->operation, BYTES("authorize"));
    if (!makes_sense(turn, entry) || (authorize && method == METHOD_CARD_DECLINED))
        return BYTES("declined");
    return authorize && method == METHOD_ACTION_REQUIRED ? BYTES("action_required") : BYTES("succeeded");
}

// ---- answering, each method in its way

static void arm(struct sandbox_turn *turn)
{
    int64_t at = 0;
    for (uint32_t i = 0; i < turn->book.entries_count; i++) {
        const struct ledger_entry *entry = &turn->book.entries[i];
        if (entry->has_answer_at && (!at || entry->answer_at < at))
            at = entry->answer_at;
    }
    effects_wake(turn->effects, at);
}

// A key that came for the first time.
static void operate_first(struct sandbox_turn *turn, const struct provider_operation *body)
{
    struct ledger_entry *entry = &turn->book.entries[turn->book.entries_count];
    *entry = (struct ledger_entry){
        .provider_key = body->provider_key,
        .operation = body->operation,
        .attempt = body->attempt,
        .amount = body->amount,
        .method = body->method,
        .seen = 1,
        .first_at = turn->given->at,
    };
    enum payment_method method = payment_method_of(body->method);
    entry->outcome = method == METHOD_FLAKY ? BYTES("pending") : decide(turn, entry);
    entry->has_answer_at = method == METHOD_LATE;
    entry->answer_at = turn->given->at + LATE_MS * INT64_C(1000);
    turn->book.entries_count++;
    book_save(turn);
    if (method == METHOD_FLAKY) {
        answer(turn, entry->operation, entry->attempt, BYTES("failed"));
    } else if (method == METHOD_LATE) {
        arm(turn);
    } else if (method != METHOD_TIMEOUT_THEN_SUCCESS) {
        answer_entry(turn, entry);
        if (method == METHOD_TWICE)
            answer_entry(turn, entry);
    }
}

// A key that came before: the same outcome, and nothing is done twice.
static void operate_again(struct sandbox_turn *turn, const struct provider_operation *body, struct ledger_entry *entry)
{
    entry->seen++;
    if (outcome_is(entry, "pending") && entry->seen > FLAKY_FAILURES)
        entry->outcome = decide(turn, entry);
    bool waits = entry->has_answer_at && entry->answer_at > turn->given->at;
    entry->has_answer_at = waits;
    book_save(turn);
    if (outcome_is(entry, "pending")) {
        answer(turn, entry->operation, entry->attempt, BYTES("failed"));
    } else if (waits) {
        arm(turn);
    } else {
        answer_entry(turn, entry);
        if (payment_method_of(entry->method) == METHOD_TWICE)
            answer_entry(turn, entry);
    }
}

static void query(struct sandbox_turn *turn, const struct provider_operation *body, const struct ledger_entry *entry)
{
    if (entry && !outcome_is(entry, "pending"))
        answer_entry(turn, entry);
    else // never booked: a provider does not know what failed
        answer(turn, body->operation, body->attempt, BYTES("unknown"));
}

// The shopper acted on an authorization that asked for it. `entry` may be NULL: nothing asked.
static void confirm(struct sandbox_turn *turn, const struct provider_operation *body, struct ledger_entry *entry)
{
    if (!entry) {
        answer(turn, BYTES("authorize"), body->attempt, BYTES("unknown"));
        return;
    }
    if (outcome_is(entry, "action_required")) {
        bool agreed = bytes_equal(body->operation, BYTES("confirm_succeeded"));
        bool voided = is_booked(turn, "void", "succeeded");
        entry->outcome = agreed && !voided ? BYTES("succeeded") : BYTES("declined");
    }
    entry->seen++;
    book_save(turn);
    answer_entry(turn, entry);
}

static bool is_confirm(struct bytes operation)
{
    return bytes_equal(operation, BYTES("confirm_succeeded")) || bytes_equal(operation, BYTES("confirm_failed"));
}

static enum status sandbox_operate(const struct given *given, struct effects *effects)
{
    const struct provider_operation *body = given->body;
    struct sandbox_turn turn;
    sandbox_load(&turn, given, effects);
    struct ledger_entry *entry = entry_of(&turn, body->provider_key);
    if (body->query)
        query(&turn, body, entry);
    else if (is_confirm(body->operation))
        confirm(&turn, body, entry);
    else if (entry)
        operate_again(&turn, body, entry);
    else if (turn.book.entries_count >= SANDBOX_OPERATIONS_MAX)
        answer(&turn, body->operation, body->attempt, BYTES("failed"));
    else
        operate_first(&turn, body);
    return STATUS_ok;
}

// Answers that took their time.
static enum status sandbox_wake(const struct given *given, struct effects *effects)
{
    struct sandbox_turn turn;
    sandbox_load(&turn, given, effects);
    bool any = false;
    for (uint32_t i = 0; i < turn.book.entries_count; i++) {
        struct ledger_entry *entry = &turn.book.entries[i];
        if (!entry->has_answer_at || entry->answer_at > given->at)
            continue;
        answer_entry(&turn, entry);
        entry->has_answer_at = false;
        any = true;
    }
    if (any)
        book_save(&turn);
    arm(&turn);
    return STATUS_ok;
}

static const handler handlers[MESSAGE_NUMBER_MAX + 1] = {
    [MESSAGE_sandbox_operate] = sandbox_operate,
    [MESSAGE_sandbox_wake] = sandbox_wake,
};

const struct kind kind_sandbox = {
    .id = KIND_SANDBOX,
    .handlers = handlers,
};
