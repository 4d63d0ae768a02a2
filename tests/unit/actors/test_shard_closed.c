// SPDX-License-Identifier: Apache-2.0
// While nothing new is taken: which commands are turned away, and that nothing of them stays.
#include "tests/unit/actors/till.h"

static struct till till;
static _Atomic int closed;

static void close_till(void)
{
    till_close(&till);
}

TestSuite(shard_closed, .fini = close_till, .timeout = 60);

static void open_kind(enum kind_id kind)
{
    till_open(&till, kind);
    closed = STATUS_ok;
    till.options.closed = &closed;
    till_crash(&till);
}

Test(shard_closed, what_is_new_is_told_when_to_come_again_and_leaves_nothing)
{
    open_kind(KIND_INVENTORY);
    cr_expect_str_eq(till_receive(&till, "mug", 5), "ok");
    uint64_t rows = till.shard->seq, state = till_state(till.store, FAMILY_HEAD, FAMILY_LOG);
    closed = STATUS_storage_full;
    cr_expect_str_eq(till_receive(&till, "mug", 5), "storage_full");
    cr_expect(strstr(till_text(&till, till_body(&till, "receive-2")), "retry_after_ms"));
    till_reserve(&till, "r", "mug", 1, 1000);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_expect_str_eq(till_status(&till, "r"), "storage_full");
    cr_expect_eq(till.shard->seq, rows);
    cr_expect_eq(till_state(till.store, FAMILY_HEAD, FAMILY_LOG), state);
    closed = STATUS_ok;
    till_reserve(&till, "r", "mug", 1, 1000);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_expect_str_eq(till_status(&till, "r"), "ok", "the same request, later");
}

Test(shard_closed, who_is_turned_away_is_told_why)
{
    open_kind(KIND_INVENTORY);
    closed = STATUS_storage_full;
    cr_expect_str_eq(till_receive(&till, "mug", 5), "storage_full");
    cr_expect(strstr(till_text(&till, till_body(&till, "receive-1")), "store.free_min_mb"));
    closed = STATUS_clock;
    cr_expect_str_eq(till_receive(&till, "mug", 5), "clock");
    cr_expect(strstr(till_text(&till, till_body(&till, "receive-2")), "souk clock accept"));
    cr_expect(strstr(till_text(&till, till_body(&till, "receive-2")), "retry_after_ms"));
}

Test(shard_closed, what_was_answered_is_answered_again_and_refusals_keep_their_name)
{
    open_kind(KIND_INVENTORY);
    till_receive(&till, "mug", 5);
    till_reserve(&till, "r", "mug", 1, 0);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    closed = STATUS_storage_full;
    cr_expect_str_eq(till_say(&till, "receive-1", MESSAGE_inventory_receive, "mug", &(struct inventory_receive){.quantity = 5}), "ok");
    till_reserve(&till, "r", "mug", 1, 0);
    till_reserve(&till, "s", "mug", 9, 0);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_expect_str_eq(till_status(&till, "r"), "ok");
    cr_expect_str_eq(till_status(&till, "s"), "insufficient_stock");
}

Test(shard_closed, orders_and_releases_go_on)
{
    open_kind(KIND_INVENTORY);
    till_receive(&till, "mug", 5);
    till_reserve(&till, "r", "mug", 1, 0);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    closed = STATUS_storage_full;
    till_peer(&till, KIND_ORDER, "o", MESSAGE_inventory_reserve, "mug",
              &(struct inventory_reserve){.reservation_id = BYTES("o"), .quantity = 2});
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_expect_eq(till_stock(&till, "mug").reserved, 3);
    cr_expect_str_eq(till_say(&till, "release", MESSAGE_inventory_release, "mug", &(struct reservation_ref){BYTES("r")}), "ok");
    cr_expect_eq(till_stock(&till, "mug").reserved, 2);
}

Test(shard_closed, nobody_waits_for_an_order_that_was_not_taken)
{
    struct order_line line = {BYTES("mug"), .quantity = 1, .unit_price = {500, "EUR"}, .has_unit_price = true};
    struct order_place body = {
        .user_id = BYTES("u"), .payment_method = BYTES("cod"), .lines = &line, .lines_count = 1, .has_lines = true};
    open_kind(KIND_ORDER);
    closed = STATUS_storage_full;
    cr_expect_str_eq(till_say(&till, "o", MESSAGE_order_place, "O", &body), "storage_full");
    cr_expect_eq(shard_next(till.shard), INT64_MAX, "no waiter, no timer");
    cr_expect_eq(till.shard->weight.orders, 0);
    cr_expect_str_eq(till_say(&till, "get", MESSAGE_order_get, "O", NULL), "not_found");
}
