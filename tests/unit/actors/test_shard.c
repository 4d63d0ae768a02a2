// SPDX-License-Identifier: Apache-2.0
// The turn: one batch, one log row, answers only after it; what a repeat is told; what comes malformed.
#include "tests/unit/actors/till.h"

static struct till till;

static void open_inventory(void)
{
    till_open(&till, KIND_INVENTORY);
}

static void close_till(void)
{
    till_close(&till);
}

TestSuite(shard, .init = open_inventory, .fini = close_till, .timeout = 120);

static void receive(const char *id, int64_t quantity)
{
    till_client(&till, id, MESSAGE_inventory_receive, "mug", &(struct inventory_receive){.quantity = quantity});
}

static struct bytes get(struct store *store, enum family family, struct bytes key)
{
    struct bytes value;
    struct store_key asked = {family, key};
    CHECK(store_get(store, 1, &asked, &value, &till.texts) == FAULT_NONE, "get");
    return value;
}

static struct log_turn last_turn(void)
{
    struct log_row row;
    CHECK(log_tail(till.store, &row, &till.texts) == FAULT_NONE && row.type == LOG_ROW_TURN, "tail");
    return row.turn;
}

// ---- loading

Test(shard, holds_come_page_by_page_from_behind_the_last_one_shown)
{
    static const char *const ids[] = {"R1", "R2", "R3", "R4", "R5"};
    receive("a", 50);
    for (int i = 0; i < 5; i++)
        till_reserve(&till, ids[i], "mug", 1, 0);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    struct inventory_holds body = {.limit = 2, .has_limit = true};
    struct holds_reply page;
    int seen = 0;
    for (int pages = 1; pages <= 3; pages++) {
        const char *look = arena_format(&till.texts, "look-%d", pages);
        cr_assert_str_eq(till_say(&till, look, MESSAGE_inventory_holds, "mug", &body), "ok");
        till_decode(&till, look, holds_reply_shape(), &page);
        for (uint32_t i = 0; i < page.holds_count; i++)
            cr_expect_str_eq(till_text(&till, page.holds[i].reservation_id), ids[seen++]);
        cr_expect_eq(page.has_next, pages < 3);
        body.after = page.next;
        body.has_after = true;
    }
    cr_expect_eq(seen, 5);
}

// ---- T1, T2: one batch, then answers

Test(shard, a_turn_of_many_messages_is_one_commit_and_one_log_row)
{
    receive("a", 5);
    receive("b", 7);
    till_reserve(&till, "R", "mug", 2, 0);
    uint64_t commits = store_counts(till.store).commits;
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_expect_eq(store_counts(till.store).commits, commits + 1);
    cr_expect_str_eq(till_log(&till, 1), "inventory.receive inventory.receive inventory.reserve");
    cr_expect_eq(till_rows(till.store, FAMILY_HEAD), 1);
    cr_expect_eq(till_rows(till.store, FAMILY_CHILD), 1);
    cr_expect_eq(till_rows(till.store, FAMILY_DUE), 1);
    cr_expect_eq(till_rows(till.store, FAMILY_REMEMBERED), 2);
    cr_expect_eq(store_counts(till.store).puts, 5, "each row once: %d", (int)store_counts(till.store).puts);
}

Test(shard, a_message_sees_what_the_ones_before_it_changed)
{
    struct stock_level level;
    struct reserve_reply reserved;
    receive("a", 5);
    receive("b", 7);
    till_reserve(&till, "R", "mug", 12, 0);
    till_reserve(&till, "S", "mug", 1, 0);
    till_turn(&till);
    till_decode(&till, "b", stock_level_shape(), &level);
    till_decode(&till, "R", reserve_reply_shape(), &reserved);
    cr_expect_eq(level.on_hand, 12);
    cr_expect_eq(level.version, 2);
    cr_expect_eq(reserved.available, 0);
    cr_expect_str_eq(till_status(&till, "S"), "insufficient_stock");
}

Test(shard, a_failed_commit_is_a_fault_and_leaves_the_store_as_it_was)
{
    till_receive(&till, "mug", 5);
    uint64_t before = till_state(till.store, FAMILY_HEAD, FAMILY_LOG);
    store_memory_fail(till.store, 1);
    receive("b", 7);
    till_reserve(&till, "R", "mug", 2, 0);
    cr_assert_eq(till_turn(&till), FAULT_IO);
    cr_expect_eq(till_state(till.store, FAMILY_HEAD, FAMILY_LOG), before);
    till_crash(&till);
    cr_expect_eq(till_stock(&till, "mug").on_hand, 5, "a shard opened after it sees what is committed");
    cr_expect_eq(till_stock(&till, "mug").reserved, 0);
    receive("b", 7);
    till_turn(&till);
    cr_expect_str_eq(till_status(&till, "b"), "ok", "the client sends again");
    cr_expect_eq(till_stock(&till, "mug").on_hand, 12);
}

Test(shard, answers_go_back_on_the_route_and_with_the_flags_of_their_request)
{
    struct parcel parcel;
    receive("a", 5);
    till.queue[0].route = BYTES("route-7");
    till.queue[0].flags = PARCEL_BUNDLED;
    till_turn(&till);
    struct cursor frame = cursor_over(buffer_bytes(&till.outbox.broker));
    cr_assert(parcel_next(&frame, &parcel));
    cr_expect_eq(parcel.origin, PARCEL_REPLY);
    cr_expect(bytes_equal(parcel.route, BYTES("route-7")));
    cr_expect_eq(parcel.flags, PARCEL_BUNDLED);
}

Test(shard, a_peer_is_answered_at_its_order_and_only_if_its_message_has_an_answer)
{
    till_receive(&till, "mug", 5);
    till_peer(&till, KIND_ORDER, "O1", MESSAGE_inventory_reserve, "mug",
              &(struct inventory_reserve){.reservation_id = BYTES("O1"), .quantity = 2});
    till_turn(&till);
    cr_expect_str_eq(till_sent(&till, KIND_ORDER), "order.answer O1");
    cr_expect_eq(till.outbox.broker.size, 0);
    cr_expect_eq(till_rows(till.store, FAMILY_DUE), 0, "an order's hold has no deadline");
}

// ---- T3: what is logged

Test(shard, reads_and_refusals_write_nothing)
{
    till_receive(&till, "mug", 5);
    uint64_t seq = till.shard->seq, chain = till.shard->chain;
    struct store_counts before = store_counts(till.store);
    till_client(&till, "a", MESSAGE_inventory_get, "mug", NULL);
    till_reserve(&till, "R", "mug", 6, 0);
    till_client(&till, "c", MESSAGE_inventory_release, "mug", &(struct reservation_ref){BYTES("none")});
    till_client(&till, "d", MESSAGE_inventory_holds, "mug", &(struct inventory_holds){.has_limit = false});
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_expect_str_eq(till_status(&till, "a"), "ok");
    cr_expect_str_eq(till_status(&till, "R"), "insufficient_stock");
    cr_expect_str_eq(till_status(&till, "c"), "reservation_not_found");
    cr_expect_str_eq(till_status(&till, "d"), "ok");
    cr_expect_eq(till.shard->seq, seq);
    cr_expect_eq(till.shard->chain, chain);
    cr_expect_eq(store_counts(till.store).commits, before.commits);
    cr_expect_eq(store_counts(till.store).bytes, before.bytes);
    cr_expect_eq(till.shard->turns, 2);
}

Test(shard, a_repeated_reserve_is_answered_as_the_first_time_and_not_logged_again)
{
    till_receive(&till, "mug", 5);
    till_reserve(&till, "R", "mug", 2, 0);
    till_turn(&till);
    struct bytes first = till_body(&till, "R");
    till_reserve(&till, "other", "mug", 1, 0);
    till_turn(&till);
    till_reserve(&till, "R", "mug", 2, 0);
    till_turn(&till);
    cr_expect(bytes_equal(till_body(&till, "R"), first));
    cr_expect_str_eq(till_log(&till, 2), "inventory.reserve | inventory.reserve");
}

Test(shard, a_turn_without_messages_writes_nothing_but_moves_the_time)
{
    till.at = TILL_AT + 5;
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_expect_eq(till.shard->at, TILL_AT + 5);
    cr_expect_eq(till.horizon, TILL_AT + 5);
    cr_expect_eq(till_rows(till.store, FAMILY_LOG), 0);
}

Test(shard, the_time_of_turns_always_rises)
{
    till_receive(&till, "mug", 5);
    cr_expect_eq(till.shard->at, TILL_AT);
    cr_expect_eq(shard_time(till.shard, TILL_AT - 1000), TILL_AT + 1);
    cr_expect_eq(shard_time(till.shard, TILL_AT), TILL_AT + 1);
    cr_expect_eq(shard_time(till.shard, TILL_AT + 7), TILL_AT + 7);
}

Test(shard, a_log_row_chains_to_the_one_before)
{
    till_receive(&till, "mug", 5);
    struct log_turn first = last_turn();
    till_receive(&till, "mug", 5);
    struct log_turn second = last_turn();
    cr_expect_eq(first.chain, log_chain(0, first.digest));
    cr_expect_eq(second.chain, log_chain(first.chain, second.digest));
    cr_expect_eq(second.digest, log_chain(0, second.messages[0].digest));
    cr_expect_neq(first.digest, second.digest, "another version was answered");
    cr_expect_eq(second.messages[0].origin, LOG_CLIENT);
    cr_expect_eq(second.at, till.shard->at);
    cr_expect_eq(second.events_count, 1);
}

Test(shard, a_new_event_is_hinted_with_its_position)
{
    struct parcel parcel;
    receive("a", 5);
    receive("b", 5);
    till_turn(&till);
    struct cursor frame = cursor_over(buffer_bytes(&till.outbox.broker));
    bool hinted = false;
    while (parcel_next(&frame, &parcel))
        if (parcel.origin == PARCEL_EVENT) {
            hinted = true;
            cr_expect_str_eq(till_text(&till, parcel.route), "inventory/0");
            cr_expect_str_eq(till_text(&till, parcel.request), "0000000000000001-0001");
        }
    cr_expect(hinted);
}

// ---- remembered replies

Test(shard, a_remembered_reply_comes_again_byte_for_byte)
{
    receive("a", 5);
    till_turn(&till);
    struct bytes first = till_body(&till, "a");
    till_receive(&till, "mug", 100);
    till_crash(&till);
    receive("a", 5);
    receive("a", 5);
    till_turn(&till);
    cr_expect(first.size > 0 && bytes_equal(till_body(&till, "a"), first));
    cr_expect_eq(till_rows(till.store, FAMILY_LOG), 2, "nothing new was logged");
    cr_expect_eq(till_stock(&till, "mug").received, 105);
}

Test(shard, a_repeat_within_one_turn_is_recognised_too)
{
    receive("a", 5);
    receive("a", 5);
    till_turn(&till);
    struct reply first, second;
    cr_assert(till_reply(&till, "a", 0, &first) && till_reply(&till, "a", 1, &second));
    cr_expect(bytes_equal(first.body, second.body));
    cr_expect_eq(till_stock(&till, "mug").received, 5);
}

Test(shard, the_same_id_with_other_content_is_a_mismatch_that_names_the_field)
{
    receive("a", 5);
    till_turn(&till);
    receive("a", 6);
    till_turn(&till);
    cr_expect_str_eq(till_status(&till, "a"), "request_mismatch");
    cr_expect_str_eq(till_field(&till, "a"), "quantity");
    till_client(&till, "a", MESSAGE_inventory_adjust, "mug",
                &(struct inventory_adjust){.delta = 5, .has_delta = true, .reason = BYTES("x")});
    till_turn(&till);
    cr_expect_str_eq(till_status(&till, "a"), "request_mismatch");
    cr_expect_str_eq(till_field(&till, "a"), "type");
    cr_expect_eq(till_stock(&till, "mug").on_hand, 5);
    cr_expect_eq(till_rows(till.store, FAMILY_LOG), 1);
}

Test(shard, the_same_id_on_another_entity_is_another_request)
{
    receive("a", 5);
    till_turn(&till);
    cr_expect_str_eq(till_say(&till, "a", MESSAGE_inventory_receive, "tea", &(struct inventory_receive){.quantity = 9}),
                     "ok");
    cr_expect_eq(till_stock(&till, "tea").on_hand, 9);
}

Test(shard, a_refusal_binds_nobody)
{
    struct inventory_adjust body = {.delta = -1, .has_delta = true, .reason = BYTES("lost")};
    cr_expect_str_eq(till_say(&till, "a", MESSAGE_inventory_adjust, "mug", &body), "not_found");
    till_receive(&till, "mug", 5);
    cr_expect_str_eq(till_say(&till, "a", MESSAGE_inventory_adjust, "mug", &body), "ok");
    cr_expect_eq(till_stock(&till, "mug").on_hand, 4);
}

Test(shard, what_comes_after_retry_until_is_too_late_unless_it_is_remembered)
{
    struct inventory_receive body = {.quantity = 5};
    till_client_until(&till, "a", MESSAGE_inventory_receive, "mug", &body, TILL_AT + 1000);
    till_turn(&till);
    cr_expect_str_eq(till_status(&till, "a"), "ok");
    till.at = TILL_AT + 999;
    till_client_until(&till, "a", MESSAGE_inventory_receive, "mug", &body, TILL_AT + 1000);
    till_turn(&till);
    cr_expect_str_eq(till_status(&till, "a"), "ok", "remembered");
    till.at = TILL_AT + 1001;
    till_client_until(&till, "a", MESSAGE_inventory_receive, "mug", &body, TILL_AT + 1000);
    till_client_until(&till, "b", MESSAGE_inventory_receive, "mug", &body, TILL_AT + 1000);
    till_client_until(&till, "c", MESSAGE_inventory_receive, "mug", &body, TILL_AT + 1001);
    till_client_until(&till, "d", MESSAGE_inventory_receive, "mug", &body, TILL_AT + 1002);
    till_turn(&till);
    cr_expect_str_eq(till_status(&till, "a"), "too_late");
    cr_expect_str_eq(till_status(&till, "b"), "too_late");
    cr_expect_str_eq(till_status(&till, "c"), "too_late", "at the very time nothing is remembered any more");
    cr_expect_str_eq(till_status(&till, "d"), "ok");
    cr_expect_eq(till_stock(&till, "mug").on_hand, 10);
}

// A hold is known by its own id, whose memory ends by another clock than a request's.
Test(shard, a_hold_asked_for_at_its_retry_until_is_too_late)
{
    struct inventory_reserve body = {.reservation_id = BYTES("r"), .quantity = 1};
    till_receive(&till, "mug", 5);
    till.at = TILL_AT + 1000;
    till_client_until(&till, "a", MESSAGE_inventory_reserve, "mug", &body, TILL_AT + 1000);
    till_client_until(&till, "b", MESSAGE_inventory_reserve, "mug", &body, TILL_AT + 1001);
    till_turn(&till);
    cr_expect_str_eq(till_status(&till, "a"), "too_late");
    cr_expect_str_eq(till_status(&till, "b"), "ok");
}

Test(shard, a_reply_is_remembered_for_remember_hours_at_most)
{
    const int64_t day = INT64_C(24) * 3600 * 1000000;
    struct inventory_receive body = {.quantity = 5};
    till_client(&till, "a", MESSAGE_inventory_receive, "mug", &body);
    till_turn(&till);
    till.at = TILL_AT + day - 1;
    till_client(&till, "a", MESSAGE_inventory_receive, "mug", &body);
    till_turn(&till);
    cr_expect_str_eq(till_status(&till, "a"), "ok");
    cr_expect_eq(till_rows(till.store, FAMILY_LOG), 1, "it was still remembered");
    struct buffer key;
    buffer_init(&key);
    keys_child(&key, BYTES("mug"), BYTES("a"));
    struct bytes row = get(till.store, FAMILY_REMEMBERED, buffer_bytes(&key));
    cr_expect_eq(record_forget_at(row), TILL_AT + day);
    buffer_deinit(&key);
}

// A retry_until beyond remember_hours is refused: a resend within it, but after remember_hours, could not be told.
Test(shard, a_resend_within_retry_until_never_takes_effect_twice)
{
    const int64_t day = INT64_C(24) * 3600 * 1000000;
    struct inventory_receive body = {.quantity = 5};
    till_client_until(&till, "a", MESSAGE_inventory_receive, "mug", &body, TILL_AT + 9 * day);
    till_turn(&till);
    cr_expect_str_eq(till_status(&till, "a"), "invalid");
    cr_expect_eq(till_rows(till.store, FAMILY_LOG), 0);
}

// ---- what is not understood

struct malformed {
    const char *fact, *bytes;
    size_t size;
    const char *id, *status, *field;
};
#define FRAME(literal) literal, sizeof(literal) - 1

static const struct malformed malformed[] = {
    {"not msgpack", FRAME("\xc1"), "", "invalid", NULL},
    {"a type nobody knows", FRAME("\x95\x01\xa1x\xadinventory.fly\xa3mug\x80"), "x", "invalid", "type"},
    {"another kind's type",
     FRAME("\x95\x01\xa1x\xa8"
           "cart.get\xa3mug\x80"),
     "x", "invalid", "type"},
    {"the node's type", FRAME("\x95\x01\xa1x\xabsouk.status\xa3mug\x80"), "x", "invalid", "type"},
    {"a peer's type", FRAME("\x95\x01\xa1x\xb1inventory.restock\xa3mug\x80"), "x", "forbidden", "type"},
    {"the runtime's type", FRAME("\x95\x01\xa1x\xb0inventory.expire\xa3mug\x80"), "x", "forbidden", "type"},
    {"a missing field", FRAME("\x95\x01\xa1x\xb1inventory.receive\xa3mug\x80"), "x", "invalid", "quantity"},
    {"a field too many", FRAME("\x95\x01\xa1x\xadinventory.get\xa3mug\x81\xa1z\x01"), "x", "invalid", "z"},
    {"a number out of bounds", FRAME("\x95\x01\xa1x\xb1inventory.receive\xa3mug\x81\xa8quantity\x00"), "x", "invalid",
     "quantity"},
    {"a wrong type",
     FRAME("\x95\x01\xa1x\xb1inventory.receive\xa3mug\x81\xa8quantity\xa1"
           "5"),
     "x", "invalid", "quantity"},
    {"an empty key", FRAME("\x95\x01\xa1x\xadinventory.get\xa0\x80"), "x", "invalid", "key"},
    {"another version", FRAME("\x95\x07\xa1x\xadinventory.get\xa3mug\x80"), "x", "unsupported_version", NULL},
};

Test(shard, malformed_requests_are_refused_and_do_nothing)
{
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        const struct malformed *it = &malformed[i];
        till_add(&till, LOG_CLIENT, bytes_of(it->bytes, it->size));
        receive(it->fact, 1); // what stands beside it is decided
        cr_assert_eq(till_turn(&till), FAULT_NONE);
        cr_expect_str_eq(till_status(&till, it->id), it->status, "%s: %s", it->fact, till_status(&till, it->id));
        if (it->field)
            cr_expect_str_eq(till_field(&till, it->id), it->field, "%s: %s", it->fact, till_field(&till, it->id));
        cr_expect_str_eq(till_status(&till, it->fact), "ok", "%s", it->fact);
        cr_expect_str_eq(till_log(&till, till.shard->seq), "inventory.receive", "%s", it->fact);
    }
    cr_expect_eq(till_stock(&till, "mug").on_hand, (int64_t)(sizeof malformed / sizeof *malformed));
    cr_expect_eq(till_rows(till.store, FAMILY_HEAD), 1);
}
