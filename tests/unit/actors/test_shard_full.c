// SPDX-License-Identifier: Apache-2.0
// A turn ends when it has done as much as a turn may, whatever few bytes asked for it; the rest opens the next one.
#include "tests/unit/actors/till.h"

enum { LINES = 2000, ASKED = 100, TURN_SIZE = 4 << 20, TURN_MEMORY = 16 << 20 };

static struct till till;

static void open_orders(void)
{
    till_open(&till, KIND_ORDER);
}

static void open_inventory(void)
{
    till_open(&till, KIND_INVENTORY);
}

static void close_till(void)
{
    till_close(&till);
}

TestSuite(shard_full, .init = open_orders, .fini = close_till, .timeout = 120);
TestSuite(shard_full_log, .init = open_inventory, .fini = close_till, .timeout = 120);

static const char *id_of(int number)
{
    return arena_format(&till.texts, "r%d", number);
}

static void place_long(const char *id, const char *order, int64_t wait_ms)
{
    struct order_line *lines = arena_alloc(&till.texts, LINES * sizeof *lines);
    for (int i = 0; i < LINES; i++)
        lines[i] = (struct order_line){bytes_text(arena_format(&till.texts, "%0100d", i)),
                                       .quantity = 1,
                                       .unit_price = {1, "EUR"},
                                       .has_unit_price = true};
    struct order_place body = {.user_id = BYTES("u"),
                               .payment_method = BYTES("cod"),
                               .lines = lines,
                               .lines_count = LINES,
                               .has_lines = true,
                               .wait_ms = wait_ms,
                               .has_wait_ms = true};
    till_client(&till, id, MESSAGE_order_place, order, &body);
    till.queue[till.count - 1].request = arena_copy(&till.texts, till.queue[till.count - 1].request);
}

static uint32_t replies(void)
{
    struct cursor frame = cursor_over(buffer_bytes(&till.outbox.broker));
    struct parcel parcel;
    uint32_t count = 0;
    while (parcel_next(&frame, &parcel))
        count += parcel.origin == PARCEL_REPLY;
    return count;
}

// Turns until nothing is left; how many replies they gave. No turn is large.
static uint32_t replies_of_all_turns(void)
{
    uint32_t count = 0;
    for (int turns = 0; turns < ASKED && (till.count || shard_next(till.shard) <= till.at); turns++) {
        cr_assert_eq(till_turn(&till), FAULT_NONE);
        cr_assert(till.outbox.size < 3 * TURN_SIZE, "%zu", till.outbox.size);
        cr_assert(till.shard->arena.total < 3 * TURN_MEMORY, "%zu", till.shard->arena.total);
        count += replies();
        till.at++;
    }
    return count;
}

Test(shard_full, large_replies_end_a_turn_and_none_is_lost)
{
    place_long("p", "long", 0);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    for (int i = 0; i < ASKED; i++)
        till_client(&till, id_of(i), MESSAGE_order_get, "long", NULL);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_assert(till.consumed > 0 && till.consumed < ASKED / 2, "%u", till.consumed);
    cr_expect_eq(replies(), till.consumed);
    uint32_t first = till.consumed;
    cr_expect_eq(replies_of_all_turns(), ASKED - first);
}

Test(shard_full, those_who_wait_for_a_long_order_are_answered_in_several_turns)
{
    enum { WAITING = 90 };
    for (int i = 0; i < WAITING; i++)
        place_long(id_of(i), "long", 30000);
    while (till.count)
        cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_assert_eq(waiters_count(till.shard->waiters), WAITING);
    till_client(&till, "c", MESSAGE_order_cancel, "long", &(struct order_cancel){.reason = BYTES("no"), .has_reason = true});
    for (int i = 0; i < LINES; i++)
        till_peer(&till, KIND_INVENTORY, "x", MESSAGE_order_answer, "long",
                  &(struct answer){.re = BYTES("inventory.reserve"),
                                   .key = bytes_text(arena_format(&till.texts, "%0100d", i)),
                                   .status = BYTES("insufficient_stock"),
                                   .body = bytes_of("\x80", 1)});
    cr_expect_eq(replies_of_all_turns(), WAITING + 1);
    cr_expect_eq(waiters_count(till.shard->waiters), 0);
}

Test(shard_full, who_is_dismissed_is_answered_in_pieces)
{
    enum { WAITING = 90 };
    for (int i = 0; i < WAITING; i++)
        place_long(id_of(i), "long", 30000);
    while (till.count)
        cr_assert_eq(till_turn(&till), FAULT_NONE);
    uint32_t count = 0, pieces = 1;
    outbox_clear(&till.outbox);
    for (; shard_dismiss(till.shard); pieces++) {
        cr_assert(till.outbox.size < 3 * TURN_SIZE, "%zu", till.outbox.size);
        count += replies();
        outbox_clear(&till.outbox);
    }
    cr_expect_eq(count + replies(), WAITING);
    cr_expect_gt(pieces, 1);
}

Test(shard_full, a_refusal_behind_the_end_of_a_turn_is_told_once)
{
    place_long("p", "long", 0);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    for (int i = 0; i < 100; i++)
        till_client(&till, id_of(i), MESSAGE_order_get, "long", NULL);
    till_add(&till, LOG_CLIENT, arena_copy(&till.texts, bytes_of("\x95\x01\xa1x\xa9order.get\xa1O\x81\xa1y\x01", 19)));
    cr_expect_eq(replies_of_all_turns(), 101);
}

Test(shard_full, memory_of_a_large_turn_is_given_back)
{
    place_long("p", "long", 0);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    for (int i = 0; i < 10; i++)
        till_client(&till, id_of(i), MESSAGE_order_get, "long", NULL);
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_assert_gt(till.outbox.broker.capacity, 1 << 20);
    outbox_clear(&till.outbox);
    cr_expect_leq(till.outbox.broker.capacity, 1 << 20);
}

Test(shard_full_log, reading_events_ends_a_turn)
{
    enum { EVENTS = 4000, READS = 50, PER_TURN = 500 };
    for (int i = 0; i < EVENTS; i++) {
        till_client(&till, "e", MESSAGE_inventory_receive, arena_format(&till.texts, "%0100d", i),
                    &(struct inventory_receive){.quantity = 1});
        if (i % PER_TURN == PER_TURN - 1)
            cr_assert_eq(till_turn(&till), FAULT_NONE);
    }
    for (int i = 0; i < READS; i++)
        till_client(&till, id_of(i), MESSAGE_events_read, "inventory/0",
                    &(struct events_read){.limit = 1000, .has_limit = true});
    cr_assert_eq(till_turn(&till), FAULT_NONE);
    cr_assert(till.consumed > 0 && till.consumed < READS / 2, "%u", till.consumed);
    uint32_t first = replies();
    cr_expect_eq(replies_of_all_turns(), READS - first);
}
