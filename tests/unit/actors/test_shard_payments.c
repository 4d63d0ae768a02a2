// SPDX-License-Identifier: Apache-2.0
// A shard of payments over a crash: what is open there and no order asks for any more goes on.
#include "tests/unit/actors/till.h"

#define HOUR INT64_C(3600000000)

static struct till till;

static void begin(void)
{
    till_open(&till, KIND_PAYMENT);
}

static void end(void)
{
    till_close(&till);
}

TestSuite(shard_payments, .init = begin, .fini = end);

static void turn(void)
{
    cr_assert_eq(till_turn(&till), FAULT_NONE, "%s", till.text.line);
    cr_assert_eq(till.count, 0);
}

static void outcome(const char *operation, const char *what)
{
    struct provider_outcome body = {.operation = bytes_text(operation), .attempt = 1, .outcome = bytes_text(what)};
    till_peer(&till, KIND_SANDBOX, "O1", MESSAGE_payment_outcome, "O1", &body);
    turn();
}

static void wake(void)
{
    till_runtime(&till, till_request(&till, "-", MESSAGE_payment_wake, "O1", &(struct wake){.at = till.at}, 0));
    turn();
}

// The provider forgot the key, an operator gave the authorization up, the order is told so and ends; then it turns out
// that the shopper had authorized.
static void given_up_and_authorized_after_all(void)
{
    till_peer(&till, KIND_ORDER, "O1", MESSAGE_payment_charge, "O1",
              &(struct payment_charge){.amount = {1000, "GBP"}, .method = BYTES("pm_card_visa")});
    turn();
    till.at += 20 * HOUR;
    wake();
    outcome("authorize", "unknown");
    struct payment_resolve body = {.outcome = BYTES("failed"), .reason = BYTES("asked them by phone")};
    cr_assert_str_eq(till_say(&till, "r", MESSAGE_payment_resolve, "O1", &body), "ok");
    outcome("authorize", "succeeded");
    cr_assert_str_eq(till_sent(&till, KIND_SANDBOX), "sandbox.operate O1");
}

static uint32_t resume(void)
{
    struct buffer requests;
    enum fault fault;
    buffer_init(&requests);
    uint32_t count = shard_resume(till.shard, &requests, NULL, &fault);
    cr_assert_eq(fault, FAULT_NONE);
    struct cursor cursor = cursor_over(buffer_bytes(&requests));
    struct bytes request;
    while (cursor_left(&cursor) > 0 && cursor_skip(&cursor, &request))
        till_runtime(&till, request);
    buffer_deinit(&requests);
    return count;
}

// What falls due until then, in one turn.
static uint32_t fire_until(int64_t until)
{
    struct buffer requests;
    size_t ends[16], from = 0;
    buffer_init(&requests);
    uint32_t count = shard_timers(till.shard, until, 16, &requests, ends);
    for (uint32_t i = 0; i < count; from = ends[i++])
        till_runtime(&till, bytes_of(requests.at + from, ends[i] - from));
    buffer_deinit(&requests);
    till.at = until;
    turn();
    return count;
}

Test(shard_payments, a_void_that_no_order_asks_for_is_finished_after_a_crash)
{
    given_up_and_authorized_after_all();
    till_crash(&till);
    cr_expect_eq(resume(), 1);
    turn();
    cr_expect_eq(fire_until(till.at + 500000), 1);
    cr_expect_str_eq(till_sent(&till, KIND_SANDBOX), "sandbox.operate O1", "the void is sent again");
    outcome("void", "succeeded");
    cr_expect_eq(till_rows(till.store, FAMILY_OPEN), 0);
    till_crash(&till);
    cr_expect_eq(resume(), 0);
    cr_expect_eq(shard_next(till.shard), INT64_MAX);
}

Test(shard_payments, a_parked_void_is_still_seen_after_a_crash)
{
    given_up_and_authorized_after_all();
    outcome("void", "declined");
    cr_expect_eq(till.shard->weight.parked, 1);
    till_crash(&till);
    cr_expect_eq(till.shard->weight.parked, 1);
    cr_expect_eq(resume(), 1);
    turn();
    cr_expect_eq(shard_next(till.shard), INT64_MAX, "it waits for a person");
}

Test(shard_payments, what_an_order_asks_for_leaves_no_row)
{
    till_peer(&till, KIND_ORDER, "O1", MESSAGE_payment_charge, "O1",
              &(struct payment_charge){.amount = {1000, "GBP"}, .method = BYTES("pm_card_visa")});
    turn();
    cr_expect_eq(till_rows(till.store, FAMILY_OPEN), 0);
    till_crash(&till);
    cr_expect_eq(resume(), 0);
}
