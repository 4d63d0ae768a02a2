// SPDX-License-Identifier: Apache-2.0
// T4: before a message meets an entity, what is due on it has ended, as logged messages of their own.
#include "store/backend.h"
#include "tests/unit/actors/till.h"

static struct till till;

static void open_stocked(void)
{
    till_open(&till, KIND_INVENTORY);
    till_receive(&till, "mug", 100000);
    till_receive(&till, "tea", 100000);
}

static void close_till(void)
{
    till_close(&till);
}

TestSuite(shard_due, .init = open_stocked, .fini = close_till, .timeout = 120);

static void after_ms(int64_t ms)
{
    till.at = till.shard->at + ms * 1000;
}

static void hold(const char *id, const char *sku, int64_t quantity, int64_t ttl_ms)
{
    till_reserve(&till, id, sku, quantity, ttl_ms);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_assert_str_eq(till_status(&till, id), "ok");
}

// `count` holds of one in `turns` turns.
static void hold_many(const char *sku, uint32_t count, uint32_t turns, int64_t ttl_ms)
{
    int64_t end = till.shard->at + ttl_ms * 1000;
    for (uint32_t turn = 0, i = 0; turn < turns; turn++) {
        for (; i < count * (turn + 1) / turns; i++)
            till_reserve(&till, arena_format(&till.texts, "%s%u", sku, i), sku, 1, (end - till.shard->at) / 1000);
        cr_assert_eq(till_turn(&till), FAULT_NONE);
        cr_assert_eq(till.count, 0);
    }
    cr_assert_eq(till_stock(&till, sku).reserved, count);
}

Test(shard_due, an_expiry_is_logged_before_the_command_that_met_it)
{
    hold("A", "mug", 3, 1000);
    after_ms(1000);
    till_reserve(&till, "B", "mug", 100000, 0);
    till_turn(&till);
    cr_expect_str_eq(till_status(&till, "B"), "ok");
    cr_expect_str_eq(till_log(&till, 4), "inventory.expire inventory.reserve");
}

Test(shard_due, an_expiry_is_logged_when_a_read_met_it)
{
    hold("A", "mug", 3, 1000);
    after_ms(1000);
    struct stock_view view = till_stock(&till, "mug");
    cr_expect_eq(view.reserved, 0);
    cr_expect_eq(view.available, 100000);
    cr_expect_str_eq(till_log(&till, 4), "inventory.expire");
    cr_expect_eq(till_rows(till.store, FAMILY_DUE), 0);
}

Test(shard_due, an_expiry_is_logged_when_a_refused_command_met_it)
{
    hold("A", "mug", 3, 1000);
    after_ms(1000);
    till_reserve(&till, "B", "mug", 100001, 0);
    till_turn(&till);
    cr_expect_str_eq(till_status(&till, "B"), "insufficient_stock");
    cr_expect_str_eq(till_log(&till, 4), "inventory.expire");
}

Test(shard_due, nothing_ends_before_its_time)
{
    hold("A", "mug", 3, 1000);
    till.at = till.shard->at + 999999;
    cr_expect_eq(till_stock(&till, "mug").reserved, 3);
    cr_expect_eq(till_stock(&till, "mug").reserved, 0, "one µs later");
    cr_expect_str_eq(till_log(&till, 4), "inventory.expire");
}

Test(shard_due, an_entity_does_not_end_what_is_due_on_another)
{
    hold("A", "mug", 3, 1000);
    after_ms(2000);
    cr_expect_eq(till_stock(&till, "tea").reserved, 0);
    cr_expect_str_eq(till_log(&till, 4), "");
    cr_expect_eq(till_stock(&till, "mug").reserved, 0);
}

Test(shard_due, one_expiry_serves_all_messages_of_its_turn)
{
    hold("A", "mug", 3, 1000);
    after_ms(1000);
    till_client(&till, "x", MESSAGE_inventory_get, "mug", NULL);
    till_client(&till, "y", MESSAGE_inventory_get, "mug", NULL);
    till_reserve(&till, "B", "mug", 1, 0);
    till_turn(&till);
    cr_expect_str_eq(till_log(&till, 4), "inventory.expire inventory.reserve");
}

Test(shard_due, a_reserve_ends_no_more_than_it_needs)
{
    hold("A", "mug", 40000, 1000);
    hold("B", "mug", 40000, 1000);
    hold("C", "mug", 20000, 1000);
    after_ms(5000);
    till_reserve(&till, "D", "mug", 50000, 0);
    till_turn(&till);
    cr_expect_str_eq(till_status(&till, "D"), "ok");
    struct reserve_reply reply;
    till_decode(&till, "D", reserve_reply_shape(), &reply);
    cr_expect_eq(reply.available, 30000, "oldest first: A and B ended, C not");
    cr_expect_eq(till_stock(&till, "mug").reserved, 50000, "a read ends the rest");
}

Test(shard_due, a_reserve_that_fits_ends_nothing)
{
    hold("A", "mug", 3, 1000);
    after_ms(5000);
    till_reserve(&till, "B", "mug", 5, 0);
    till_turn(&till);
    cr_expect_str_eq(till_log(&till, 4), "inventory.reserve");
}

Test(shard_due, deadlines_of_one_turn_are_one_row_for_each_entity)
{
    for (int i = 0; i < 50; i++) {
        till_reserve(&till, arena_format(&till.texts, "m%d", i), "mug", 1, 1000 + i);
        till_reserve(&till, arena_format(&till.texts, "t%d", i), "tea", 1, 1000 + i);
    }
    till_turn(&till);
    cr_expect_eq(till_rows(till.store, FAMILY_DUE), 2);
    hold("next", "mug", 1, 1000);
    cr_expect_eq(till_rows(till.store, FAMILY_DUE), 3);
    after_ms(60000);
    cr_expect_eq(till_stock(&till, "mug").reserved, 0);
    cr_expect_eq(till_stock(&till, "tea").reserved, 0);
    cr_expect_eq(till_rows(till.store, FAMILY_DUE), 0);
}

static uint32_t asked;
static const struct store_backend *asked_backend;

static enum fault count_and_get(struct store *store, size_t count, const struct store_key keys[], struct bytes values[],
                                struct arena *arena)
{
    asked++;
    return asked_backend->get(store, count, keys, values, arena);
}

Test(shard_due, a_turn_asks_the_store_once_however_many_skus_it_reserves)
{
    for (int i = 0; i < 50; i++)
        till_receive(&till, arena_format(&till.texts, "sku-%d", i), 2);
    for (int i = 0; i < 100; i++)
        till_reserve(&till, arena_format(&till.texts, "r%d", i), arena_format(&till.texts, "sku-%d", i % 50), 1, 1000);
    struct store_backend counting = *till.store->backend;
    asked_backend = till.store->backend;
    counting.get = count_and_get;
    till.store->backend = &counting;
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    till.store->backend = asked_backend;
    cr_expect_eq(asked, 1);
    cr_expect_eq(till_rows(till.store, FAMILY_DUE), 50);
}

// As after a reshape: the entity's new owner has a log of its own, which may stand where the old one's stood.
Test(shard_due, a_row_of_another_epoch_with_the_same_deadline_and_number_stays)
{
    hold("A", "mug", 3, 5000);
    after_ms(1);
    till.shard->epoch++;
    till.shard->seq--;
    hold("B", "mug", 4, 4999);
    cr_expect_eq(till_rows(till.store, FAMILY_DUE), 2);
    after_ms(60000);
    cr_expect_eq(till_stock(&till, "mug").reserved, 0);
    cr_expect_eq(till_rows(till.store, FAMILY_DUE), 0);
}

Test(shard_due, an_extended_hold_does_not_end_at_its_old_deadline)
{
    hold("A", "mug", 3, 1000);
    till_client(&till, "x", MESSAGE_inventory_extend, "mug",
                &(struct inventory_extend){.reservation_id = BYTES("A"), .ttl_ms = 9000});
    till_turn(&till);
    cr_assert_str_eq(till_status(&till, "x"), "ok");
    after_ms(1000);
    cr_expect_eq(till_stock(&till, "mug").reserved, 3);
    after_ms(8000);
    cr_expect_eq(till_stock(&till, "mug").reserved, 0);
}

Test(shard_due, a_hold_reserved_and_extended_in_one_turn_ends_at_its_new_deadline)
{
    till_reserve(&till, "A", "mug", 3, 1000);
    till_client(&till, "x", MESSAGE_inventory_extend, "mug",
                &(struct inventory_extend){.reservation_id = BYTES("A"), .ttl_ms = 9000});
    till_turn(&till);
    after_ms(8999);
    cr_expect_eq(till_stock(&till, "mug").reserved, 3);
    after_ms(1);
    cr_expect_eq(till_stock(&till, "mug").reserved, 0);
}

Test(shard_due, more_than_a_turn_may_end_opens_the_next_one)
{
    hold_many("mug", HOLDS_DUE_MAX + 10, 3, 1000);
    after_ms(2000);
    till_client(&till, "before", MESSAGE_inventory_get, "tea", NULL);
    till_client(&till, "meets", MESSAGE_inventory_get, "mug", NULL);
    till_client(&till, "behind", MESSAGE_inventory_get, "tea", NULL);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_expect_eq(till.consumed, 1);
    cr_expect_str_eq(till_status(&till, "before"), "ok");
    cr_expect_str_eq(till_status(&till, "meets"), "");
    cr_assert_eq(till.count, 2);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_expect_eq(till.consumed, 2);
    struct stock_view view;
    till_decode(&till, "meets", stock_view_shape(), &view);
    cr_expect_eq(view.reserved, 0);
    cr_expect_str_eq(till_status(&till, "behind"), "ok");
    cr_expect_eq(till_rows(till.store, FAMILY_DUE), 0);
}

Test(shard_due, exactly_as_much_as_a_turn_may_end_ends_in_it)
{
    hold_many("mug", HOLDS_DUE_MAX, 1, 1000);
    after_ms(2000);
    cr_expect_eq(till_stock(&till, "mug").reserved, 0);
    cr_expect_eq(till_rows(till.store, FAMILY_DUE), 0);
}

Test(shard_due, a_reserve_is_decided_in_the_first_turn_that_frees_enough)
{
    till_client(&till, "less", MESSAGE_inventory_adjust, "mug",
                &(struct inventory_adjust){.on_hand = HOLDS_DUE_MAX * 2, .has_on_hand = true, .reason = BYTES("x")});
    till_turn(&till);
    hold_many("mug", HOLDS_DUE_MAX * 2, 4, 1000);
    after_ms(2000);
    till_reserve(&till, "R", "mug", HOLDS_DUE_MAX + 1, 0);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_expect_eq(till.consumed, 0);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_expect_eq(till.consumed, 1);
    struct reserve_reply reply;
    till_decode(&till, "R", reserve_reply_shape(), &reply);
    cr_expect_eq(reply.available, 0, "exactly one more had to end");
}

Test(shard_due, no_hold_is_forgotten_when_there_are_more_due_rows_than_are_loaded)
{
    hold_many("mug", HOLDS_DUE_MAX + 5, HOLDS_DUE_MAX + 5, 60000);
    cr_assert_eq(till_rows(till.store, FAMILY_DUE), HOLDS_DUE_MAX + 5);
    after_ms(120000);
    till_client(&till, "look", MESSAGE_inventory_get, "mug", NULL);
    for (int turns = 0; till.count && turns < 5; turns++)
        cr_assert_eq(till_turn(&till), FAULT_NONE);
    struct stock_view view;
    till_decode(&till, "look", stock_view_shape(), &view);
    cr_expect_eq(view.reserved, 0);
    cr_expect_eq(till_rows(till.store, FAMILY_DUE), 0);
}

Test(shard_due, what_falls_due_in_the_turn_that_ends_other_holds_is_kept)
{
    hold("A", "mug", 3, 1000);
    after_ms(1000);
    till_reserve(&till, "B", "mug", 99998, 1000);
    till_reserve(&till, "C", "mug", 2, 2000);
    till_turn(&till);
    cr_expect_str_eq(till_status(&till, "B"), "ok");
    cr_expect_str_eq(till_status(&till, "C"), "ok");
    after_ms(1000);
    cr_expect_eq(till_stock(&till, "mug").reserved, 2);
    after_ms(1000);
    cr_expect_eq(till_stock(&till, "mug").reserved, 0);
}

// The read between the two reserves ends A, so the first one's deadline is a row before the second one's is noted.
Test(shard_due, two_rows_of_one_turn_and_deadline_are_both_kept)
{
    hold("A", "mug", 3, 1000);
    after_ms(1000);
    till_reserve(&till, "B", "mug", 1, 2000);
    till_client(&till, "look", MESSAGE_inventory_get, "mug", NULL);
    till_reserve(&till, "C", "mug", 1, 2000);
    till_turn(&till);
    cr_expect_str_eq(till_log(&till, 4), "inventory.reserve inventory.expire inventory.reserve");
    cr_expect_eq(till_rows(till.store, FAMILY_DUE), 2);
    after_ms(1999);
    cr_expect_eq(till_stock(&till, "mug").reserved, 2);
    after_ms(1);
    cr_expect_eq(till_stock(&till, "mug").reserved, 0);
    cr_expect_eq(till_rows(till.store, FAMILY_DUE), 0);
}

// Old deadlines are read and found to be over; more of them than a turn looks at open the next one.
Test(shard_due, who_meets_many_old_deadlines_is_answered_a_turn_later)
{
    enum { TURNS = 5, HOLDS = TURNS * HOLDS_DUE_MAX };
    hold_many("mug", HOLDS, TURNS, 1000000);
    for (uint32_t i = 0; i < HOLDS; i++) {
        till_client(&till, arena_format(&till.texts, "x%u", i), MESSAGE_inventory_extend, "mug",
                    &(struct inventory_extend){.reservation_id = bytes_text(arena_format(&till.texts, "mug%u", i)),
                                               .ttl_ms = 9000000});
        if (till.count == HOLDS_DUE_MAX)
            cr_assert_eq(till_turn(&till), FAULT_NONE);
        cr_assert_lt(till.count, HOLDS_DUE_MAX);
    }
    after_ms(1000000);
    till_client(&till, "look", MESSAGE_inventory_get, "mug", NULL);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_expect_eq(till.consumed, 0);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    struct stock_view view;
    till_decode(&till, "look", stock_view_shape(), &view);
    cr_expect_eq(view.reserved, HOLDS, "none of them ended");
}

Test(shard_due, of_the_holds_of_one_turn_the_earliest_deadline_counts_wherever_it_stands)
{
    till_reserve(&till, "late", "mug", 1, 3000);
    till_reserve(&till, "early", "mug", 2, 1000);
    till_reserve(&till, "later", "mug", 4, 4000);
    till_turn(&till);
    after_ms(1000);
    cr_expect_eq(till_stock(&till, "mug").reserved, 5);
    after_ms(2000);
    cr_expect_eq(till_stock(&till, "mug").reserved, 4);
}

Test(shard_due, deadlines_survive_a_crash)
{
    hold("A", "mug", 3, 1000);
    after_ms(1000);
    till_crash(&till);
    cr_expect_eq(till_stock(&till, "mug").reserved, 0);
}

Test(shard_due, a_turn_ends_no_more_than_its_share_over_all_entities)
{
    hold_many("mug", HOLDS_DUE_MAX - 1, 1, 1000);
    hold_many("tea", HOLDS_DUE_MAX - 1, 1, 1000);
    after_ms(2000);
    till_client(&till, "a", MESSAGE_inventory_get, "mug", NULL);
    till_client(&till, "b", MESSAGE_inventory_get, "tea", NULL);
    till_turn(&till);
    cr_expect_eq(till.consumed, 1);
}

// Rows of builds before the epoch was in their keys.
Test(shard_due, a_row_with_an_older_key_ends_like_any_other)
{
    struct bytes key, value;
    struct buffer older = {0};
    enum fault fault = FAULT_NONE;
    hold("A", "mug", 3, 1000);
    struct store_scan *scan = store_scan_open(till.store, FAMILY_DUE, BYTES(""), BYTES(""), false);
    cr_assert(store_scan_next(scan, &key, &value, &fault));
    buffer_append(&older, key.at, key.size - 16);
    buffer_append(&older, key.at + key.size - 8, 8);
    store_put(till.store, FAMILY_DUE, buffer_bytes(&older), value);
    store_delete(till.store, FAMILY_DUE, key);
    store_scan_close(&scan);
    cr_assert_eq(store_commit(till.store, &till.text), FAULT_NONE);
    hold("B", "mug", 2, 1000);
    after_ms(1000);
    cr_expect_eq(till_stock(&till, "mug").reserved, 0);
    cr_expect_eq(till_rows(till.store, FAMILY_DUE), 0);
    buffer_deinit(&older);
}
