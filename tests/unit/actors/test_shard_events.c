// SPDX-License-Identifier: Apache-2.0
// events.read: what happened, page by page and epoch by epoch.
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

TestSuite(shard_events, .init = open_inventory, .fini = close_till, .timeout = 120);

static struct events_reply read_events(const char *after, int64_t limit)
{
    struct events_reply reply;
    struct events_read body = {.has_after = after != NULL, .limit = limit, .has_limit = limit > 0};
    if (after)
        body.after = bytes_text(after);
    cr_assert_str_eq(till_say(&till, "e", MESSAGE_events_read, "inventory/0", &body), "ok");
    till_decode(&till, "e", events_reply_shape(), &reply);
    return reply;
}

static void receive_three_in_one_turn(void)
{
    for (int i = 0; i < 3; i++)
        till_client(&till, arena_format(&till.texts, "t%d-%d", (int)till.shard->turns, i), MESSAGE_inventory_receive,
                    arena_format(&till.texts, "sku%d", i), &(struct inventory_receive){.quantity = 5});
    cr_assert_eq(till_turn(&till), FAULT_NONE);
}

static void epoch(uint64_t number)
{
    struct log_epoch row = {.at = till.at, .number = number, .settings = till.settings, .owners = till.owners};
    cr_assert_eq(shard_begin_epoch(till.shard, &row, &till.text), FAULT_NONE);
}

// All there is from here on, read in pages: "mug mug |2 tea", |n where epoch n ended.
static const char *read_all(int64_t limit)
{
    struct buffer text;
    const char *after = NULL;
    buffer_init(&text);
    for (int pages = 0; pages < 100; pages++) {
        struct events_reply reply = read_events(after, limit);
        for (uint32_t i = 0; i < reply.events_count; i++)
            buffer_printf(&text, "%.*s ", BYTES_FORMAT(reply.events[i].key));
        if (reply.has_epoch_end)
            buffer_printf(&text, "|%d ", (int)reply.epoch_end);
        after = till_text(&till, reply.next);
        if (!reply.events_count && !reply.has_epoch_end)
            break;
    }
    const char *copy = till_text(&till, buffer_bytes(&text));
    buffer_deinit(&text);
    return copy;
}

Test(shard_events, an_event_says_what_when_and_of_whom)
{
    till_receive(&till, "mug", 5);
    int64_t at = till.shard->at;
    struct events_reply reply = read_events(NULL, 0);
    cr_assert_eq(reply.events_count, 1);
    struct stock_event data;
    struct refusal refusal;
    cr_expect_str_eq(till_text(&till, reply.events[0].type), "stock_changed");
    cr_expect_str_eq(till_text(&till, reply.events[0].key), "mug");
    cr_expect_str_eq(till_text(&till, reply.events[0].position), "0000000000000001-0000");
    cr_expect_eq(reply.events[0].at, at);
    cr_assert(body_decode(stock_event_shape(), reply.events[0].data, &data, &till.texts, &refusal));
    cr_expect_eq(data.on_hand, 5);
}

Test(shard_events, an_empty_log_has_no_events_and_a_position)
{
    struct events_reply reply = read_events(NULL, 0);
    cr_expect_eq(reply.events_count, 0);
    cr_expect_not(reply.has_epoch_end);
    const char *next = till_text(&till, reply.next);
    till_receive(&till, "mug", 5);
    cr_expect_eq(read_events(next, 0).events_count, 1);
}

Test(shard_events, pages_of_any_size_tell_the_same_story)
{
    epoch(1);
    receive_three_in_one_turn();
    receive_three_in_one_turn();
    epoch(2);
    epoch(3);
    receive_three_in_one_turn();
    const char *story = "sku0 sku1 sku2 sku0 sku1 sku2 |1 |2 sku0 sku1 sku2 ";
    for (int64_t limit = 0; limit <= 9; limit++)
        cr_expect_str_eq(read_all(limit), story, "%d: %s", (int)limit, read_all(limit));
}

Test(shard_events, a_page_ends_where_an_epoch_does)
{
    epoch(1);
    receive_three_in_one_turn();
    epoch(2);
    receive_three_in_one_turn();
    struct events_reply reply = read_events(NULL, 0);
    cr_expect_eq(reply.events_count, 3);
    cr_expect_not(reply.has_epoch_end, "told when nothing is left of it");
    reply = read_events(till_text(&till, reply.next), 0);
    cr_expect_eq(reply.events_count, 0);
    cr_expect(reply.has_epoch_end && reply.epoch_end == 1);
    reply = read_events(till_text(&till, reply.next), 0);
    cr_expect_eq(reply.events_count, 3);
    cr_expect_not(reply.has_epoch_end);
}

Test(shard_events, what_is_read_again_from_an_old_position_is_the_same)
{
    receive_three_in_one_turn();
    receive_three_in_one_turn();
    struct events_reply all = read_events(NULL, 0);
    cr_assert_eq(all.events_count, 6);
    for (uint32_t i = 0; i < 6; i++) {
        struct events_reply rest = read_events(till_text(&till, all.events[i].position), 0);
        cr_expect_eq(rest.events_count, 5 - i);
        if (rest.events_count)
            cr_expect(bytes_equal(rest.events[0].position, all.events[i + 1].position));
        if (i)
            cr_expect(bytes_compare(all.events[i - 1].position, all.events[i].position) < 0);
    }
}

Test(shard_events, a_read_does_not_see_its_own_turn)
{
    till_client(&till, "a", MESSAGE_inventory_receive, "mug", &(struct inventory_receive){.quantity = 5});
    cr_expect_eq(read_events(NULL, 0).events_count, 0);
    cr_expect_eq(read_events(NULL, 0).events_count, 1);
}

Test(shard_events, a_position_that_nobody_gave_is_invalid)
{
    static const char *const positions[] = {"1",
                                            "0000000000000001-000",
                                            "0000000000000001x0000",
                                            "000000000000000g-0000",
                                            "0000000000000001-000g",
                                            "0000000000000001-00000",
                                            "-000000000000001-0000",
                                            "0x00000000000001-0000",
                                            "0000000000000001- 001",
                                            "ffffffffffffffff-ffff"};
    till_receive(&till, "mug", 5);
    for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
        struct events_read body = {.after = bytes_text(positions[i]), .has_after = true};
        cr_expect_str_eq(till_say(&till, "e", MESSAGE_events_read, "inventory/0", &body), "invalid", "%s",
                         positions[i]);
        cr_expect_str_eq(till_field(&till, "e"), "after");
    }
}

Test(shard_events, a_position_behind_the_end_finds_nothing_and_stays)
{
    till_receive(&till, "mug", 5);
    struct events_reply reply = read_events("0000000000000009-0003", 0);
    cr_expect_eq(reply.events_count, 0);
    cr_expect_str_eq(till_text(&till, reply.next), "0000000000000009-0003");
    cr_expect_eq(read_events("fffffffffffffffe-ffff", 0).events_count, 0);
}

// Turns without events, straight into the log; the shard goes on behind them.
static void log_silence(uint32_t turns)
{
    struct buffer key = {0}, row = {0};
    uint64_t seq = till.shard->seq;
    log_turn_encode(&(struct log_turn){.at = till.shard->at}, &row);
    for (uint32_t i = 1; i <= turns; i++) {
        buffer_clear(&key);
        keys_seq(&key, seq + i);
        store_put(till.store, FAMILY_LOG, buffer_bytes(&key), buffer_bytes(&row));
    }
    cr_assert_eq(store_commit(till.store, &till.text), FAULT_NONE);
    buffer_deinit(&key);
    buffer_deinit(&row);
    till_crash(&till);
    cr_assert_eq(till.shard->seq, seq + turns);
}

Test(shard_events, one_read_gets_over_a_long_silence)
{
    till_receive(&till, "mug", 5);
    log_silence(100000);
    till_receive(&till, "tea", 5);
    struct events_reply reply = read_events("0000000000000001-ffff", 0);
    cr_assert_eq(reply.events_count, 1);
    cr_expect_str_eq(till_text(&till, reply.events[0].key), "tea");
}

Test(shard_events, a_reader_gets_on_over_any_silence)
{
    till_receive(&till, "mug", 5);
    log_silence(600000);
    till_receive(&till, "tea", 5);
    const char *after = "0000000000000001-ffff";
    struct events_reply reply = read_events(after, 0);
    for (int reads = 0; !reply.events_count; reads++) {
        cr_assert_lt(reads, 10);
        cr_assert_gt(strcmp(till_text(&till, reply.next), after), 0, "%s", after);
        after = till_text(&till, reply.next);
        reply = read_events(after, 0);
    }
    cr_expect_str_eq(till_text(&till, reply.events[0].key), "tea");
}

// An order placed and cancelled with the longest reason: two events.
static void place_and_cancel(const char *key)
{
    static char reason[REASON_MAX];
    static const struct order_line line = {.sku = BYTES("mug"), .quantity = 1};
    const struct order_place order = {.user_id = BYTES("u"),
                                      .payment_method = BYTES("cod"),
                                      .lines = (struct order_line *)&line,
                                      .lines_count = 1,
                                      .has_lines = true,
                                      .wait_ms = 0,
                                      .has_wait_ms = true};
    memset(reason, 'r', sizeof reason);
    till_client(&till, "p", MESSAGE_order_place, key, &order);
    till_client(&till, "c", MESSAGE_order_cancel, key,
                &(struct order_cancel){.reason = bytes_of(reason, sizeof reason), .has_reason = true});
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_assert_str_eq(till_status(&till, "c"), "ok");
}

Test(shard_events, a_page_is_bounded_in_bytes)
{
    enum { ORDERS = 600, LIMIT = 1000 };
    till_close(&till);
    till_open(&till, KIND_ORDER);
    char key[KEY_SIZE_MAX + 1] = {0};
    memset(key, 'k', KEY_SIZE_MAX);
    for (int i = 0; i < ORDERS; i++) {
        for (int j = 0; j < 4; j++)
            key[j] = (char)('a' + (i >> (4 * j)) % 16);
        place_and_cancel(till_text(&till, bytes_text(key)));
    }
    uint32_t seen = 0;
    struct events_reply reply = read_events(NULL, LIMIT);
    cr_expect_lt(reply.events_count, LIMIT, "bytes end the page before the limit does");
    for (; reply.events_count; reply = read_events(till_text(&till, reply.next), LIMIT)) {
        seen += reply.events_count;
        cr_expect_lt(till_body(&till, "e").size, FRAME_SIZE_MAX);
    }
    cr_expect_eq(seen, 2 * ORDERS);
}
