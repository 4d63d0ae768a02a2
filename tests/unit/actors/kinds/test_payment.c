// SPDX-License-Identifier: Apache-2.0
// One payment on a table: what it wants from the provider, and what it tells its order. With the provider's own book:
// test_checkout.c.
#include "tests/unit/actors/kinds/table.h"

#include <criterion/criterion.h>

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)

static enum status charge(struct table *table)
{
    table_as(table, KIND_ORDER, "O1");
    return table_run(table, MESSAGE_payment_charge,
                     &(struct payment_charge){.amount = {1000, "GBP"}, .method = BYTES("pm_card_visa")});
}

static enum status want(struct table *table, const char *what)
{
    table_as(table, KIND_ORDER, "O1");
    return table_run(table, MESSAGE_payment_want, &(struct payment_want){.want = bytes_text(what)});
}

static enum status outcome(struct table *table, const char *operation, int64_t attempt, const char *what)
{
    table_as(table, KIND_SANDBOX, "O1");
    return table_run(table, MESSAGE_payment_outcome,
                     &(struct provider_outcome){
                         .operation = bytes_text(operation), .attempt = attempt, .outcome = bytes_text(what)});
}

static enum status wake(struct table *table)
{
    table_as_runtime(table);
    return table_run(table, MESSAGE_payment_wake, &(struct wake){.at = table->at});
}

static enum status confirm(struct table *table, const char *what)
{
    table_as_client(table);
    return table_run(table, MESSAGE_payment_confirm, &(struct payment_confirm){.outcome = bytes_text(what)});
}

static enum status resolve(struct table *table, const char *what)
{
    table_as_client(table);
    return table_run(table, MESSAGE_payment_resolve,
                     &(struct payment_resolve){.outcome = bytes_text(what), .reason = BYTES("asked them by phone")});
}

static void charged(struct table *table)
{
    table_init(table, &kind_payment, "O1");
    cr_assert_eq(charge(table), STATUS_ok);
}

static void captured(struct table *table)
{
    charged(table);
    outcome(table, "authorize", 1, "succeeded");
    outcome(table, "capture", 1, "succeeded");
}

static struct payment record_of(struct table *table)
{
    struct payment payment;
    CHECK(table_read(table, PLACE_HEAD, "", payment_shape(), &payment));
    return payment;
}

#define expect_state(table, state_)                                                                                    \
    do {                                                                                                               \
        struct payment is_ = record_of(table);                                                                         \
        cr_expect(bytes_equal(is_.state, BYTES(state_)), "state %.*s", BYTES_FORMAT(is_.state));                       \
    } while (0)
#define expect_effects(table, text) cr_expect_str_eq(table_effects(table), text, "%s", table_effects(table))
#define expect_effect(table, part) cr_expect(strstr(table_effects(table), part), "%s", table_effects(table))

#define OPERATION(name) OPERATION_WITH(name, name, "1", "false")
#define OPERATION_WITH(name, kind, attempt, query)                                                                     \
    "provider {operation: " name ", provider_key: O1/" attempt "/" kind ", attempt: " attempt                          \
    ", amount: {amount: 1000, currency: GBP}, method: pm_card_visa, query: " query "}"

// ---- the straight way

Test(payment, authorizes_tells_the_order_and_captures)
{
    struct table table;
    charged(&table);
    expect_effects(&table, OPERATION("authorize") "; wake 1700000000500000; put head");
    cr_expect_eq(outcome(&table, "authorize", 1, "succeeded"), STATUS_ok);
    expect_effects(
        &table, "send order.payment O1 {state: authorized}; " OPERATION("capture") "; wake 1700000000500000; put head");
    cr_expect_eq(outcome(&table, "capture", 1, "succeeded"), STATUS_ok);
    expect_effects(&table, "wake 0; send order.payment O1 {state: captured}; put head");
    table_as_client(&table);
    cr_expect_eq(table_run(&table, MESSAGE_payment_get, NULL), STATUS_ok);
    cr_expect_str_eq(table_reply(&table),
                     "{state: captured, authorized: {amount: 1000, currency: GBP}, captured: {amount: 1000, currency: "
                     "GBP}, refunded: {amount: 0, currency: GBP}, attempts: 1}");
    table_deinit(&table);
}

// FAILURES 12: killed between the provider's success and our commit. The key is stored before it is sent.
Test(payment, the_record_names_the_operation_in_the_turn_that_sends_it)
{
    struct table table;
    charged(&table);
    struct payment payment = record_of(&table);
    cr_expect(payment.has_open);
    cr_expect(bytes_equal(payment.open.kind, BYTES("authorize")));
    cr_expect_eq(payment.open.first_sent_at, TABLE_AT);
    table.at += 5 * SECOND;
    cr_expect_eq(charge(&table), STATUS_ok); // the order was restarted
    expect_effects(&table, OPERATION("authorize") "; wake 1700000005500000");
    outcome(&table, "authorize", 1, "succeeded");
    cr_expect_eq(charge(&table), STATUS_ok);
    expect_effects(&table, "send order.payment O1 {state: authorized}; " OPERATION("capture") "; wake "
                                                                                              "1700000005500000");
    outcome(&table, "capture", 1, "succeeded");
    cr_expect_eq(charge(&table), STATUS_ok);
    expect_effects(&table, "send order.payment O1 {state: captured}");
    table_deinit(&table);
}

// FAILURES 14: a duplicate answered with an error, so the provider keeps retrying. Answered as success.
Test(payment, an_outcome_of_what_is_not_open_is_answered_and_ignored)
{
    static const struct {
        const char *operation, *outcome;
        int64_t attempt;
    } lines[] = {
        {"authorize", "succeeded", 1}, {"authorize", "declined", 1}, {"authorize", "action_required", 1},
        {"capture", "succeeded", 2},   {"void", "succeeded", 1},     {"refund", "succeeded", 1},
        {"capture", "failed", 1},      {"capture", "unknown", 1},
    };
    struct table table;
    charged(&table);
    outcome(&table, "authorize", 1, "succeeded");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        cr_expect_eq(outcome(&table, lines[i].operation, lines[i].attempt, lines[i].outcome), STATUS_ok);
        expect_effects(&table, "");
    }
    outcome(&table, "capture", 1, "succeeded");
    cr_expect_eq(outcome(&table, "capture", 1, "succeeded"), STATUS_ok);
    expect_effects(&table, "");
    table_deinit(&table);

    table_init(&table, &kind_payment, "O1");
    cr_expect_eq(outcome(&table, "capture", 1, "succeeded"), STATUS_ok);
    cr_expect_eq(table_count(&table, PLACE_HEAD), 0);
    table_deinit(&table);
}

// FAILURES 11: two orders on one payment.
Test(payment, listens_to_its_own_order_only)
{
    struct table table;
    charged(&table);
    table_as(&table, KIND_ORDER, "O2");
    cr_expect_eq(table_run(&table, MESSAGE_payment_charge,
                           &(struct payment_charge){.amount = {1000, "GBP"}, .method = BYTES("pm_card_visa")}),
                 STATUS_not_owner);
    cr_expect_eq(table_run(&table, MESSAGE_payment_want, &(struct payment_want){.want = BYTES("voided")}),
                 STATUS_not_owner);
    table_as(&table, KIND_CART, "O1");
    cr_expect_eq(table_run(&table, MESSAGE_payment_want, &(struct payment_want){.want = BYTES("voided")}),
                 STATUS_not_owner);
    table_as_client(&table);
    cr_expect_eq(table_run(&table, MESSAGE_payment_want, &(struct payment_want){.want = BYTES("voided")}),
                 STATUS_not_owner);
    table_deinit(&table);
}

Test(payment, another_charge_under_the_same_order_is_a_mismatch)
{
    static const struct payment_charge others[] = {
        {.amount = {2000, "GBP"}, .method = BYTES("pm_card_visa")},
        {.amount = {1000, "EUR"}, .method = BYTES("pm_card_visa")},
        {.amount = {1000, "GBP"}, .method = BYTES("pm_sandbox_late")},
    };
    struct table table;
    charged(&table);
    table_as(&table, KIND_ORDER, "O1");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        cr_expect_eq(table_run(&table, MESSAGE_payment_charge, &others[i]), STATUS_request_mismatch, "%zu", i);
        expect_effects(&table, "");
    }
    table_deinit(&table);
}

Test(payment, a_timer_without_a_payment_does_nothing)
{
    struct table table;
    table_init(&table, &kind_payment, "O1");
    cr_expect_eq(wake(&table), STATUS_ok);
    expect_effects(&table, "");
    table_deinit(&table);
}

// A provider's slip: only an authorization can wait for the shopper.
Test(payment, a_capture_does_not_wait_for_the_shopper)
{
    struct table table;
    charged(&table);
    outcome(&table, "authorize", 1, "succeeded");
    cr_expect_eq(outcome(&table, "capture", 1, "action_required"), STATUS_ok);
    expect_effects(&table, "");
    expect_state(&table, "capturing");
    table_deinit(&table);
}

Test(payment, a_declined_authorization_is_the_end)
{
    struct table table;
    charged(&table);
    outcome(&table, "authorize", 1, "declined");
    expect_effects(&table, "wake 0; send order.payment O1 {state: declined}; put head");
    charge(&table);
    expect_effects(&table, "send order.payment O1 {state: declined}");
    want(&table, "voided");
    expect_effects(&table, "send order.payment O1 {state: declined}");
    table_deinit(&table);
}

// ---- want

Test(payment, what_was_never_charged_is_voided_and_cannot_be_charged_later)
{
    struct table table;
    table_init(&table, &kind_payment, "O1");
    cr_expect_eq(want(&table, "voided"), STATUS_ok);
    expect_effects(&table, "send order.payment O1 {state: voided}; put head");
    cr_expect_eq(charge(&table), STATUS_ok);
    expect_effects(&table, "send order.payment O1 {state: voided}");
    table_as_client(&table);
    cr_expect_eq(table_run(&table, MESSAGE_payment_get, NULL), STATUS_not_found);
    table_deinit(&table);
}

Test(payment, obeys_a_void_until_the_capture_was_sent)
{
    struct table table;
    charged(&table);
    want(&table, "voided");
    expect_effect(&table, "put head");
    outcome(&table, "authorize", 1, "succeeded");
    expect_effects(&table, OPERATION("void") "; wake 1700000000500000; put head");
    outcome(&table, "void", 1, "succeeded");
    expect_effects(&table, "wake 0; send order.payment O1 {state: voided}; put head");
    table_deinit(&table);

    charged(&table);
    outcome(&table, "authorize", 1, "succeeded");
    want(&table, "voided"); // too late
    expect_state(&table, "capturing");
    outcome(&table, "capture", 1, "succeeded");
    expect_effect(&table, "{state: captured}");
    want(&table, "voided");
    expect_effects(&table, "send order.payment O1 {state: captured}");
    table_deinit(&table);
}

Test(payment, a_void_that_meets_a_decline_is_a_decline)
{
    struct table table;
    charged(&table);
    want(&table, "voided");
    outcome(&table, "authorize", 1, "declined");
    expect_effect(&table, "{state: declined}");
    table_deinit(&table);
}

Test(payment, refunds_what_was_captured_once)
{
    struct table table;
    captured(&table);
    want(&table, "refunded");
    expect_effects(&table, OPERATION("refund") "; wake 1700000000500000; put head");
    want(&table, "refunded");
    expect_effects(&table, OPERATION("refund") "; wake 1700000000500000");
    outcome(&table, "refund", 1, "succeeded");
    expect_effects(&table, "wake 0; send order.payment O1 {state: refunded}; put head");
    want(&table, "refunded");
    expect_effects(&table, "send order.payment O1 {state: refunded}");
    cr_expect_eq(record_of(&table).refunded.amount, 1000);
    table_deinit(&table);
}

Test(payment, a_refund_wished_during_the_capture_follows_it)
{
    struct table table;
    charged(&table);
    outcome(&table, "authorize", 1, "succeeded");
    want(&table, "refunded");
    outcome(&table, "capture", 1, "succeeded");
    expect_effect(&table, "{state: captured}");
    expect_effect(&table, OPERATION("refund"));
    table_deinit(&table);
}

Test(payment, a_refused_capture_voids_what_was_authorized)
{
    struct table table;
    charged(&table);
    outcome(&table, "authorize", 1, "succeeded");
    outcome(&table, "capture", 1, "declined");
    expect_effects(&table, OPERATION("void") "; wake 1700000000500000; put head");
    outcome(&table, "void", 1, "succeeded");
    expect_effect(&table, "{state: voided}");
    cr_expect_eq(record_of(&table).captured.amount, 0);
    table_deinit(&table);
}

// ---- the shopper

Test(payment, the_shopper_confirms_under_the_key_of_the_authorization)
{
    struct table table;
    charged(&table);
    outcome(&table, "authorize", 1, "action_required");
    expect_effects(&table, "wake 0; send order.payment O1 {state: action_required}; put head");
    charge(&table);
    expect_effects(&table, "send order.payment O1 {state: action_required}");
    cr_expect_eq(confirm(&table, "succeeded"), STATUS_ok);
    cr_expect_str_eq(table_reply(&table), "{state: authorizing}");
    expect_effects(&table,
                   OPERATION_WITH("confirm_succeeded", "authorize", "1", "false") "; wake 1700000000500000; put head");
    outcome(&table, "authorize", 1, "action_required"); // a late answer to the authorization
    expect_effects(&table, "");
    table.at += SECOND;
    wake(&table); // what the shopper did is not forgotten
    expect_effect(&table, OPERATION_WITH("confirm_succeeded", "authorize", "1", "false"));
    outcome(&table, "authorize", 1, "succeeded");
    expect_state(&table, "capturing");
    cr_expect_eq(confirm(&table, "failed"), STATUS_ok);
    cr_expect_str_eq(table_reply(&table), "{state: capturing}");
    expect_effects(&table, "");
    table_deinit(&table);
}

Test(payment, gives_up_an_authorization_that_waits_for_the_shopper)
{
    struct table table;
    charged(&table);
    outcome(&table, "authorize", 1, "action_required");
    want(&table, "voided");
    expect_effects(&table, OPERATION("void") "; wake 1700000000500000; put head");
    cr_expect_eq(confirm(&table, "succeeded"), STATUS_ok);
    cr_expect_str_eq(table_reply(&table), "{state: voiding}");
    expect_effects(&table, "");
    outcome(&table, "void", 1, "succeeded");
    expect_effect(&table, "{state: voided}");
    table_deinit(&table);
}

Test(payment, nobody_confirms_what_does_not_exist)
{
    struct table table;
    table_init(&table, &kind_payment, "O1");
    cr_expect_eq(confirm(&table, "succeeded"), STATUS_not_found);
    table.late = true;
    cr_expect_eq(confirm(&table, "succeeded"), STATUS_too_late);
    table_deinit(&table);
}

// ---- time

// FAILURES 12: a retry after a timeout is a second charge. A timeout is not a refusal: same key, later and later.
Test(payment, silence_is_met_with_the_same_key_later_and_later)
{
    static const int64_t waits_ms[] = {500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
    struct table table;
    charged(&table);
    for (size_t i = 0; i < sizeof waits_ms / sizeof *waits_ms; i++) {
        cr_expect_eq(table.wake_at, table.at + waits_ms[i] * 1000, "%zu", i);
        int64_t due = table.wake_at;
        table.at = due - 1;
        wake(&table); // set for an earlier operation
        cr_expect_eq(table_writes(&table), 0);
        cr_expect_eq(table.wake_at, due);
        table.at = due;
        wake(&table);
        expect_effect(&table, OPERATION("authorize"));
        cr_expect_eq(table_writes(&table), 1);
    }
    cr_expect_eq(record_of(&table).open.first_sent_at, TABLE_AT);
    table_deinit(&table);
}

static void aged(struct table *table)
{
    charged(table);
    outcome(table, "authorize", 1, "succeeded");
    table->at += 20 * HOUR;
    wake(table);
}

Test(payment, an_old_key_is_only_asked_about)
{
    struct table table;
    aged(&table);
    expect_effect(&table, OPERATION_WITH("capture", "capture", "1", "true"));
    outcome(&table, "capture", 1, "succeeded");
    expect_effect(&table, "{state: captured}");
    table_deinit(&table);

    charged(&table);
    table.at += 21 * HOUR; // the same after a long time without us
    charge(&table);
    expect_effect(&table, OPERATION_WITH("authorize", "authorize", "1", "true"));
    expect_effect(&table, "put head");
    table_deinit(&table);
}

Test(payment, what_the_provider_cannot_know_waits_for_an_operator)
{
    struct table table;
    aged(&table);
    outcome(&table, "capture", 1, "unknown");
    expect_effects(&table, "wake 0; send order.payment O1 {state: parked}; put head");
    outcome(&table, "capture", 1, "unknown");
    expect_effects(&table, "");
    wake(&table);
    expect_effects(&table, "");
    charge(&table);
    expect_effects(&table, "send order.payment O1 {state: authorized}; send order.payment O1 {state: parked}");
    table_as_client(&table);
    table_run(&table, MESSAGE_payment_get, NULL);
    cr_expect(strstr(table_reply(&table), "{state: parked"));
    table_deinit(&table);
}

Test(payment, a_shoppers_confirm_is_said_again_when_the_provider_still_waits_for_it)
{
    struct table table;
    charged(&table);
    outcome(&table, "authorize", 1, "action_required");
    confirm(&table, "succeeded");
    table.at += 20 * HOUR;
    wake(&table);
    expect_effect(&table, OPERATION_WITH("authorize", "authorize", "1", "true"));
    outcome(&table, "authorize", 1, "action_required");
    table.at += 60 * SECOND;
    wake(&table);
    expect_effect(&table, OPERATION_WITH("confirm_succeeded", "authorize", "1", "false"));
    table_deinit(&table);
}

Test(payment, a_shoppers_confirm_that_came_to_the_provider_after_all_is_not_said_again)
{
    struct table table;
    charged(&table);
    outcome(&table, "authorize", 1, "action_required");
    confirm(&table, "succeeded");
    table.at += 20 * HOUR;
    wake(&table);
    outcome(&table, "authorize", 1, "succeeded");
    expect_effect(&table, "send order.payment O1 {state: authorized}; " OPERATION("capture"));
    table_deinit(&table);
}

// ---- parked, and an operator's word

static void parked(struct table *table, const char *operation)
{
    charged(table);
    if (strcmp(operation, "authorize") != 0)
        outcome(table, "authorize", 1, strcmp(operation, "void") == 0 ? "action_required" : "succeeded");
    if (strcmp(operation, "void") == 0)
        want(table, "voided");
    if (strcmp(operation, "refund") == 0) {
        outcome(table, "capture", 1, "succeeded");
        want(table, "refunded");
    }
    table->at += 20 * HOUR;
    wake(table);
    outcome(table, operation, 1, "unknown");
    cr_assert(record_of(table).parked);
}

Test(payment, an_operators_word_counts_as_the_providers)
{
    static const struct {
        const char *operation, *word, *state, *effect;
    } lines[] = {
        {"authorize", "succeeded", "capturing", "{state: authorized}"},
        {"authorize", "failed", "declined", "{state: declined}"},
        {"capture", "succeeded", "captured", "{state: captured}"},
        {"capture", "failed", "voiding", OPERATION("void")},
        {"void", "succeeded", "voided", "{state: voided}"},
        {"void", "failed", "voiding", OPERATION_WITH("void", "void", "2", "false")},
        {"refund", "succeeded", "refunded", "{state: refunded}"},
        {"refund", "failed", "refunding", OPERATION_WITH("refund", "refund", "2", "false")},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct table table;
        parked(&table, lines[i].operation);
        cr_expect_eq(resolve(&table, lines[i].word), STATUS_ok);
        struct payment payment = record_of(&table);
        cr_expect(bytes_equal(payment.state, bytes_text(lines[i].state)), "%s %s: %.*s", lines[i].operation,
                  lines[i].word, BYTES_FORMAT(payment.state));
        cr_expect_not(payment.parked);
        cr_expect(bytes_equal(payment.resolved_reason, BYTES("asked them by phone")));
        expect_effect(&table, "send order.payment O1 {state: unparked}");
        expect_effect(&table, lines[i].effect);
        cr_expect_eq(resolve(&table, lines[i].word), STATUS_not_found);
        table_deinit(&table);
    }
}

Test(payment, nobody_resolves_what_does_not_exist)
{
    struct table table;
    table_init(&table, &kind_payment, "O1");
    cr_expect_eq(resolve(&table, "succeeded"), STATUS_not_found);
    table.late = true;
    cr_expect_eq(resolve(&table, "succeeded"), STATUS_too_late);
    table_deinit(&table);
}

Test(payment, the_provider_may_answer_before_the_operator_does)
{
    struct table table;
    parked(&table, "capture");
    outcome(&table, "capture", 1, "succeeded");
    expect_effects(&table, "send order.payment O1 {state: unparked}; wake 0; send order.payment O1 {state: captured}; "
                           "put head");
    table_deinit(&table);
}

Test(payment, a_parked_authorization_that_was_declined_is_the_end)
{
    struct table table;
    parked(&table, "authorize");
    outcome(&table, "authorize", 1, "declined");
    expect_effects(&table, "send order.payment O1 {state: unparked}; wake 0; send order.payment O1 {state: declined}; "
                           "put head");
    expect_state(&table, "declined");
    table_deinit(&table);
}

Test(payment, a_parked_refund_that_was_made_after_all_is_the_end)
{
    struct table table;
    parked(&table, "refund");
    outcome(&table, "refund", 1, "declined");
    expect_effects(&table, "");
    outcome(&table, "refund", 1, "succeeded");
    expect_effects(&table, "send order.payment O1 {state: unparked}; wake 0; send order.payment O1 {state: refunded}; "
                           "put head");
    table_deinit(&table);
}

Test(payment, a_refused_refund_or_void_is_parked_once)
{
    struct table table;
    captured(&table);
    want(&table, "refunded");
    outcome(&table, "refund", 1, "declined");
    expect_effects(&table, "wake 0; send order.payment O1 {state: parked}; put head");
    outcome(&table, "refund", 1, "declined");
    expect_effects(&table, "");
    resolve(&table, "failed");
    outcome(&table, "refund", 1, "declined"); // of the attempt before
    expect_effects(&table, "");
    outcome(&table, "refund", 2, "succeeded");
    expect_effect(&table, "{state: refunded}");
    table_deinit(&table);
}

Test(payment, an_authorization_that_an_operator_gave_up_is_voided_when_it_turns_up)
{
    struct table table;
    parked(&table, "authorize");
    resolve(&table, "failed");
    expect_state(&table, "declined");
    outcome(&table, "authorize", 2, "succeeded"); // never asked for
    outcome(&table, "capture", 1, "succeeded");
    outcome(&table, "authorize", 1, "declined");
    expect_state(&table, "declined");
    outcome(&table, "authorize", 1, "succeeded");
    expect_effect(&table, OPERATION("void"));
    expect_effect(&table, "put open");
    expect_state(&table, "voiding");
    outcome(&table, "void", 1, "succeeded");
    expect_effects(&table, "wake 0; send order.payment O1 {state: voided}; delete open; put head");
    outcome(&table, "authorize", 1, "succeeded");
    expect_effects(&table, "");
    table_deinit(&table);
}

Test(payment, what_its_order_asks_for_needs_no_row_of_its_own)
{
    struct table table;
    charged(&table);
    outcome(&table, "authorize", 1, "action_required");
    want(&table, "voided");
    cr_expect_not(table_load(&table, PLACE_OPEN, (struct bytes){0}).at);
    table_deinit(&table);
}

Test(payment, a_void_that_nobody_asks_for_is_parked_and_seen)
{
    struct table table;
    struct weight weight = {0};
    parked(&table, "authorize");
    resolve(&table, "failed");
    outcome(&table, "authorize", 1, "succeeded");
    kind_payment.weigh(table_load(&table, PLACE_OPEN, (struct bytes){0}), &weight, &table.texts);
    cr_expect_eq(weight.parked, 0);
    outcome(&table, "void", 1, "declined");
    kind_payment.weigh(table_load(&table, PLACE_OPEN, (struct bytes){0}), &weight, &table.texts);
    cr_expect_eq(weight.parked, 1);
    cr_expect_eq(weight.orders, 0);
    resolve(&table, "succeeded");
    cr_expect_not(table_load(&table, PLACE_OPEN, (struct bytes){0}).at);
    table_deinit(&table);
}

Test(payment, a_long_order_id_still_makes_a_key)
{
    struct table table;
    char id[KEY_SIZE_MAX + 1] = {0};
    memset(id, 'x', KEY_SIZE_MAX);
    table_init(&table, &kind_payment, id);
    table_as(&table, KIND_ORDER, id);
    cr_expect_eq(table_run(&table, MESSAGE_payment_charge,
                           &(struct payment_charge){.amount = {1000, "GBP"}, .method = BYTES("pm_card_visa")}),
                 STATUS_ok);
    expect_effect(&table, "x/1/authorize");
    table_deinit(&table);
}
