// SPDX-License-Identifier: Apache-2.0
// An entity in quarantine: clients are told, nobody else hears anything, nothing is written or logged about it; and the
// next epoch without it goes on where it stood.
#include "tests/unit/actors/till.h"

static struct till till;
static struct buffer names;

static void close_till(void)
{
    till_close(&till);
    buffer_deinit(&names);
}

TestSuite(shard_quarantine, .fini = close_till, .timeout = 60);

// The next start has this one entity in quarantine; key NULL: none.
static void restart_with(const char *kind, const char *key)
{
    buffer_clear(&names);
    pack_array(&names, key != NULL);
    if (key) {
        pack_array(&names, 2);
        pack_text(&names, kind);
        pack_text(&names, key);
    }
    till.options.quarantine = buffer_bytes(&names);
    till_crash(&till);
}

static void place(const char *order)
{
    struct order_line line = {BYTES("mug"), .quantity = 1, .unit_price = {500, "EUR"}, .has_unit_price = true};
    struct order_place body = {
        .user_id = BYTES("u"), .payment_method = BYTES("cod"), .lines = &line, .lines_count = 1, .has_lines = true};
    till_client(&till, order, MESSAGE_order_place, order, &body);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
}

static void answer(const char *order)
{
    static const uint8_t empty[] = {0x80};
    till_peer(&till, KIND_INVENTORY, "mug", MESSAGE_order_answer, order,
              &(struct answer){.re = BYTES("inventory.reserve"),
                               .key = BYTES("mug"),
                               .status = BYTES("ok"),
                               .body = bytes_of(empty, sizeof empty)});
    cr_assert_eq(till_turn(&till), FAULT_NONE);
}

static uint32_t resumed(void)
{
    struct buffer out;
    enum fault fault;
    buffer_init(&out);
    uint32_t count = shard_resume(till.shard, &out, NULL, &fault);
    buffer_deinit(&out);
    cr_assert_eq(fault, FAULT_NONE);
    return count;
}

Test(shard_quarantine, clients_are_told_which_entity_and_how_to_lift_it)
{
    till_open(&till, KIND_INVENTORY);
    till_receive(&till, "mug", 5);
    restart_with("inventory", "mug");
    cr_expect_str_eq(till_say(&till, "get", MESSAGE_inventory_get, "mug", NULL), "quarantined");
    cr_expect_str_eq(till_receive(&till, "mug", 5), "quarantined");
    const char *body = till_text(&till, till_body(&till, "receive-2"));
    cr_expect(strstr(body, "inventory/mug"), "%s", body);
    cr_expect(strstr(body, "souk quarantine clear inventory mug"), "%s", body);
    cr_expect_str_eq(till_receive(&till, "tea", 5), "ok", "everything else serves");
}

Test(shard_quarantine, the_same_key_of_another_kind_serves)
{
    till_open(&till, KIND_INVENTORY);
    restart_with("catalog", "mug");
    cr_expect_str_eq(till_receive(&till, "mug", 5), "ok");
}

Test(shard_quarantine, peers_get_no_answer_and_nothing_is_written)
{
    till_open(&till, KIND_INVENTORY);
    till_receive(&till, "mug", 5);
    restart_with("inventory", "mug");
    uint64_t rows = till.shard->seq, state = till_state(till.store, FAMILY_HEAD, FAMILY_LOG);
    till_peer(&till, KIND_ORDER, "o", MESSAGE_inventory_reserve, "mug",
              &(struct inventory_reserve){.reservation_id = BYTES("o"), .quantity = 1});
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_expect_str_eq(till_sent(&till, KIND_ORDER), "");
    cr_expect_eq(till.shard->seq, rows);
    cr_expect_eq(till_state(till.store, FAMILY_HEAD, FAMILY_LOG), state);
}

Test(shard_quarantine, what_is_due_on_it_does_not_end)
{
    till_open(&till, KIND_INVENTORY);
    till_receive(&till, "mug", 5);
    till_reserve(&till, "r", "mug", 1, 1000);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    restart_with("inventory", "mug");
    till.at += 3600 * INT64_C(1000000);
    cr_expect_str_eq(till_say(&till, "get", MESSAGE_inventory_get, "mug", NULL), "quarantined");
    restart_with(NULL, NULL);
    cr_expect_eq(till_stock(&till, "mug").reserved, 0, "it ends when it is looked at again");
}

Test(shard_quarantine, an_open_order_is_neither_resumed_nor_weighed_until_it_is_cleared)
{
    till_open(&till, KIND_ORDER);
    place("O");
    place("P");
    restart_with("order", "O");
    cr_expect_eq(till.shard->weight.orders, 1);
    cr_expect_eq(resumed(), 1);
    till.at += 3600 * INT64_C(1000000);
    struct buffer out;
    size_t ends[8];
    buffer_init(&out);
    cr_expect_eq(shard_timers(till.shard, till.at, 8, &out, ends), 1, "P's deadline only");
    buffer_deinit(&out);
    answer("O");
    cr_expect_str_eq(till_say(&till, "get", MESSAGE_order_get, "O", NULL), "quarantined");
    restart_with(NULL, NULL);
    cr_expect_eq(till.shard->weight.orders, 2);
    cr_expect_eq(resumed(), 2, "its open step is asked again");
    till_client(&till, "look", MESSAGE_order_get, "O", NULL);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_expect_str_eq(till_status(&till, "look"), "ok");
}

Test(shard_quarantine, asking_again_for_what_waits_is_no_bug_while_something_is_in_quarantine)
{
    till_open(&till, KIND_ORDER);
    place("O");
    restart_with("inventory", "mug");
    till_add(&till, LOG_RUNTIME, till_request(&till, "-", MESSAGE_order_wake, "O", &(struct wake){.at = 1}, 0));
    till.at += 61 * INT64_C(1000000);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_expect_str_eq(till_sent(&till, KIND_INVENTORY), "inventory.reserve mug");
    cr_expect_eq(till.shard->reasks, 0);
}
