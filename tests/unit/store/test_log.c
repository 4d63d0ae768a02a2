// SPDX-License-Identifier: Apache-2.0
#include "store/keys.h"
#include "store/log.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

static struct buffer out;
static struct arena arena;
static struct store *store;

static void init(void)
{
    struct fault_text text;
    struct store_options options = {0};
    store_memory_open(&options, &store, &text);
}

static void fini(void)
{
    buffer_deinit(&out);
    arena_deinit(&arena);
    store_close(&store);
}

TestSuite(log, .init = init, .fini = fini, .timeout = 60);

static struct log_message messages[] = {
    {LOG_CLIENT, {0}, {(const uint8_t *)"\x95\x01\xa1x", 4}, 1},
    {LOG_PEER, {KIND_ORDER, {(const uint8_t *)"order-1", 7}}, {(const uint8_t *)"peer", 4}, UINT64_MAX},
    {LOG_RUNTIME, {0}, {(const uint8_t *)"", 0}, 0},
};
static struct log_event events[] = {
    {0, 12, {(const uint8_t *)"84077", 5}, {(const uint8_t *)"\x80", 1}},
    {2, 1, {(const uint8_t *)"order-1", 7}, {(const uint8_t *)"\x81\xa1x\x01", 4}},
};

static struct log_turn turn_of(uint64_t digest, uint64_t chain)
{
    return (struct log_turn){.at = 1700000000000000,
                             .messages = messages,
                             .messages_count = 3,
                             .events = events,
                             .events_count = 2,
                             .digest = digest,
                             .chain = chain};
}

static struct log_epoch epoch_of(uint64_t number)
{
    return (struct log_epoch){
        .at = 17,
        .number = number,
        .build = BYTES("v1-abc"),
        .owners = {{1, 2, 1, 2, 1, 64}},
        .settings = {.remember_hours = 24,
                     .has_remember_hours = true,
                     .reservation_ttl_ms = 900000,
                     .has_reservation_ttl_ms = true,
                     .cart_ttl_days = 30,
                     .has_cart_ttl_days = true,
                     .cart_lines_max = 500,
                     .has_cart_lines_max = true,
                     .order_lines_max = 2000,
                     .has_order_lines_max = true,
                     .order_deadline_ms = 900000,
                     .has_order_deadline_ms = true,
                     .lines_in_flight_max = 1000,
                     .has_lines_in_flight_max = true,
                     .waiting_max = 1000,
                     .has_waiting_max = true,
                     .provider_key_hours = 20,
                     .has_provider_key_hours = true,
                     .provider = BYTES("sandbox"),
                     .has_provider = true},
        .previous_chain = 0xfeedface,
        .quarantine = BYTES("\x90"),
    };
}

static void append_turn(uint64_t seq)
{
    struct buffer key = {0};
    struct log_turn turn = turn_of(seq, seq * 3);
    struct fault_text text;
    buffer_clear(&out);
    log_turn_encode(&turn, &out);
    keys_seq(&key, seq);
    store_put(store, FAMILY_LOG, buffer_bytes(&key), buffer_bytes(&out));
    store_commit(store, &text);
    buffer_deinit(&key);
}

Test(log, a_turn_is_read_as_it_was_written)
{
    struct log_row row;
    struct log_turn turn = turn_of(0x1234, 0x8877665544332211);
    log_turn_encode(&turn, &out);
    cr_assert(log_row_decode(9, buffer_bytes(&out), &row, &arena));
    cr_assert_eq(row.type, LOG_ROW_TURN);
    cr_assert_eq(row.seq, 9);
    cr_assert_eq(row.turn.at, turn.at);
    cr_assert_eq(row.turn.digest, turn.digest);
    cr_assert_eq(row.turn.chain, turn.chain);
    cr_assert_eq(row.turn.messages_count, 3);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(row.turn.messages[i].origin, messages[i].origin);
        cr_assert_eq(row.turn.messages[i].digest, messages[i].digest);
        cr_assert(bytes_equal(row.turn.messages[i].request, messages[i].request));
    }
    cr_assert_eq(row.turn.messages[1].sender.kind, KIND_ORDER);
    cr_assert(bytes_equal(row.turn.messages[1].sender.key, BYTES("order-1")));
    cr_assert_eq(row.turn.events_count, 2);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(row.turn.events[i].message, events[i].message);
        cr_assert_eq(row.turn.events[i].type, events[i].type);
        cr_assert(bytes_equal(row.turn.events[i].key, events[i].key));
        cr_assert(bytes_equal(row.turn.events[i].data, events[i].data));
    }
}

Test(log, an_epoch_is_read_as_it_was_written)
{
    struct log_row row;
    struct log_epoch epoch = epoch_of(42);
    log_epoch_encode(&epoch, &out);
    cr_assert(log_row_decode(1, buffer_bytes(&out), &row, &arena));
    cr_assert_eq(row.type, LOG_ROW_EPOCH);
    cr_assert_eq(row.epoch.number, 42);
    cr_assert_eq(row.epoch.at, 17);
    cr_assert_eq(row.epoch.previous_chain, 0xfeedface);
    cr_assert_eq(memcmp(&row.epoch.owners, &epoch.owners, sizeof epoch.owners), 0);
    cr_assert(bytes_equal(row.epoch.build, BYTES("v1-abc")));
    cr_assert(bytes_equal(row.epoch.settings.provider, BYTES("sandbox")));
    cr_assert_eq(row.epoch.settings.order_lines_max, 2000);
    cr_assert(bytes_equal(row.epoch.quarantine, BYTES("\x90")));
    cr_assert_eq(row.epoch.checkpoint.size, 0);
}

Test(log, a_long_request_takes_few_bytes_more)
{
    static uint8_t request[100000];
    struct log_message message = {LOG_CLIENT, {0}, bytes_of(request, sizeof request), 7};
    struct log_turn turn = {.messages = &message, .messages_count = 1};
    struct log_row row;
    log_turn_encode(&turn, &out);
    cr_assert_leq(out.size, sizeof request + 48);
    cr_assert(log_row_decode(1, buffer_bytes(&out), &row, &arena));
    cr_assert_eq(row.turn.messages[0].request.size, sizeof request);
}

static void expect_refused_when_cut(void)
{
    struct log_row row;
    for (size_t size = 0; size < out.size; size++) {
        uint8_t *copy = malloc(size + 1); // exactly as long, so that a sanitizer sees a read behind the end
        memcpy(copy, out.at, size);
        cr_assert_not(log_row_decode(1, bytes_of(copy, size), &row, &arena), "cut to %zu of %zu", size, out.size);
        free(copy);
    }
    buffer_append(&out, "x", 1);
    cr_assert_not(log_row_decode(1, buffer_bytes(&out), &row, &arena), "something behind");
}

Test(log, a_turn_that_was_cut_is_corrupt)
{
    struct log_turn turn = turn_of(1, 2);
    log_turn_encode(&turn, &out);
    expect_refused_when_cut();
}

Test(log, an_epoch_that_was_cut_is_corrupt)
{
    struct log_epoch epoch = epoch_of(1);
    log_epoch_encode(&epoch, &out);
    expect_refused_when_cut();
}

Test(log, flipped_bytes_are_refused_or_read_but_never_reach_beyond)
{
    struct log_row row;
    struct log_turn turn = turn_of(1, 2);
    log_turn_encode(&turn, &out);
    for (size_t i = 0; i < out.size; i++)
        for (int bit = 0; bit < 8; bit++) {
            out.at[i] ^= (uint8_t)(1 << bit);
            if (log_row_decode(1, buffer_bytes(&out), &row, &arena) && row.type == LOG_ROW_TURN)
                cr_assert_leq(row.turn.messages_count, out.size);
            out.at[i] ^= (uint8_t)(1 << bit);
            arena_reset(&arena);
        }
}

// Version, type and three numbers of eight bytes stand before the sizes.
Test(log, a_size_that_is_spelled_longer_than_it_is_is_corrupt)
{
    struct log_turn turn = {.at = 1};
    struct log_row row;
    buffer_clear(&out);
    log_turn_encode(&turn, &out);
    cr_assert_eq(out.size, 28);
    cr_expect(log_row_decode(1, buffer_bytes(&out), &row, &arena));
    out.at[26] = 0x80;
    out.at[27] = 0;
    buffer_append(&out, "", 1);
    cr_expect_not(log_row_decode(1, buffer_bytes(&out), &row, &arena));
}

Test(log, an_unknown_version_or_type_is_corrupt)
{
    struct log_row row;
    struct log_turn turn = turn_of(1, 2);
    log_turn_encode(&turn, &out);
    out.at[0]++;
    cr_assert_not(log_row_decode(1, buffer_bytes(&out), &row, &arena));
    out.at[0]--;
    out.at[1] = 3;
    cr_assert_not(log_row_decode(1, buffer_bytes(&out), &row, &arena));
}

Test(log, the_chain_depends_on_what_was_before_and_on_the_digest)
{
    uint64_t chain = log_chain(1, 2);
    cr_assert_eq(chain, log_chain(1, 2));
    cr_assert_neq(chain, log_chain(2, 1));
    cr_assert_neq(chain, log_chain(1, 3));
    cr_assert_neq(log_chain(0, 0), 0);
}

Test(log, the_tail_of_an_empty_log_is_seq_0)
{
    struct log_row row = {.seq = 5};
    cr_assert_eq(log_tail(store, &row, &arena), FAULT_NONE);
    cr_assert_eq(row.seq, 0);
}

Test(log, the_tail_is_the_last_row)
{
    struct log_row row;
    for (uint64_t seq = 1; seq <= 300; seq++)
        append_turn(seq);
    cr_assert_eq(log_tail(store, &row, &arena), FAULT_NONE);
    cr_assert_eq(row.seq, 300);
    cr_assert_eq(row.turn.chain, 900);
    cr_assert(bytes_equal(row.turn.messages[0].request, messages[0].request), "it lives in the arena");
}

Test(log, a_hole_before_the_tail_is_corruption)
{
    struct log_row row;
    append_turn(1);
    append_turn(2);
    append_turn(4);
    append_turn(5);
    cr_assert_eq(log_tail(store, &row, &arena), FAULT_CORRUPTION);
}

Test(log, a_log_that_does_not_begin_at_1_is_corruption)
{
    struct log_row row;
    append_turn(2);
    append_turn(3);
    cr_assert_eq(log_tail(store, &row, &arena), FAULT_CORRUPTION);
}

static uint64_t read_range(uint64_t from, uint64_t to, enum fault *fault)
{
    struct log_row row;
    uint64_t count = 0;
    struct log_reader *reader = log_reader_open(store, from, to);
    while (log_reader_next(reader, &row, fault)) {
        cr_assert_eq(row.seq, (from ? from : 1) + count);
        cr_assert_eq(row.turn.digest, row.seq);
        count++;
    }
    log_reader_close(&reader);
    cr_assert_null(reader);
    return count;
}

Test(log, a_range_of_rows_is_streamed_in_order)
{
    enum fault fault;
    for (uint64_t seq = 1; seq <= 300; seq++)
        append_turn(seq);
    static const struct {
        uint64_t from, to, count;
    } table[] = {{0, UINT64_MAX, 300}, {1, 300, 300}, {255, 257, 3}, {300, 1000, 1}, {301, UINT64_MAX, 0}, {5, 4, 0}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        cr_assert_eq(read_range(table[i].from, table[i].to, &fault), table[i].count, "%zu", i);
        cr_assert_eq(fault, FAULT_NONE, "%zu", i);
    }
}

Test(log, a_hole_is_corruption)
{
    enum fault fault;
    append_turn(1);
    append_turn(2);
    append_turn(4);
    cr_assert_eq(read_range(1, UINT64_MAX, &fault), 2);
    cr_assert_eq(fault, FAULT_CORRUPTION);
    cr_assert_eq(read_range(3, UINT64_MAX, &fault), 0);
    cr_assert_eq(fault, FAULT_CORRUPTION, "the first row asked for is missing");
    cr_assert_eq(read_range(1, 2, &fault), 2);
    cr_assert_eq(fault, FAULT_NONE, "the hole lies behind");
}

Test(log, a_row_that_does_not_decode_is_corruption)
{
    enum fault fault;
    struct fault_text text;
    struct log_row row;
    append_turn(1);
    struct buffer key = {0};
    keys_seq(&key, 2);
    store_put(store, FAMILY_LOG, buffer_bytes(&key), BYTES("nonsense"));
    store_commit(store, &text);
    buffer_deinit(&key);
    cr_assert_eq(read_range(1, UINT64_MAX, &fault), 1);
    cr_assert_eq(fault, FAULT_CORRUPTION);
    cr_assert_eq(log_tail(store, &row, &arena), FAULT_CORRUPTION);
}

Test(log, every_slot_has_exactly_the_owner_whose_range_holds_it)
{
    for (uint16_t count = 1; count <= ACTORS_MAX; count++) {
        struct owner_map map = {.count[KIND_CART] = count};
        uint32_t expected = 0, from, to;
        for (uint16_t i = 0; i < count; i++) {
            owner_range(&map, (struct actor_id){KIND_CART, i}, &from, &to);
            cr_assert_eq(from, expected);
            cr_assert_eq(from, i * 1024u / count);
            for (uint32_t slot = from; slot < to; slot++)
                cr_assert_eq(owner_of(&map, KIND_CART, (uint16_t)slot), i);
            expected = to;
        }
        cr_assert_eq(expected, SLOT_COUNT);
        owner_range(&map, (struct actor_id){KIND_CART, count}, &from, &to);
        cr_assert_eq(from, to, "an actor beyond owns nothing");
    }
}
