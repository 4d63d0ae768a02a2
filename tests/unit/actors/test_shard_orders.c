// SPDX-License-Identifier: Apache-2.0
// What an order needs of its shard besides decisions: clients who wait, timers, and going on after a crash.
#include "tests/unit/actors/till.h"

static struct till till;

static void open_orders(void)
{
    till_open(&till, KIND_ORDER);
}

static void close_till(void)
{
    till_close(&till);
}

TestSuite(shard_orders, .init = open_orders, .fini = close_till, .timeout = 120);

static void place(const char *id, const char *order, int64_t wait_ms)
{
    struct order_line line = {BYTES("mug"), .quantity = 2, .unit_price = {500, "EUR"}, .has_unit_price = true};
    struct order_place body = {.user_id = BYTES("u"),
                               .payment_method = BYTES("cod"),
                               .lines = &line,
                               .lines_count = 1,
                               .has_lines = true,
                               .wait_ms = wait_ms,
                               .has_wait_ms = wait_ms >= 0};
    till_client(&till, id, MESSAGE_order_place, order, &body);
}

// What stock answers about "mug".
static void answer(const char *order, const char *re, const char *status)
{
    static const uint8_t empty[] = {0x80};
    struct answer body = {
        .re = bytes_text(re), .key = BYTES("mug"), .status = bytes_text(status), .body = bytes_of(empty, sizeof empty)};
    till_peer(&till, KIND_INVENTORY, "mug", MESSAGE_order_answer, order, &body);
}

static const char *view_status(const char *id)
{
    struct order_placed view;
    till_decode(&till, id, order_placed_shape(), &view);
    return till_text(&till, view.status);
}

static void turn(void)
{
    cr_assert_eq(till_turn(&till), FAULT_NONE);
}

static void turn_at(int64_t at)
{
    till.at = at;
    turn();
}

// Requests one behind the other become messages of the runtime.
static void take_runtime(const struct buffer *requests)
{
    struct cursor cursor = cursor_over(buffer_bytes(requests));
    struct bytes request;
    while (cursor_skip(&cursor, &request))
        till_runtime(&till, request);
}

static uint32_t resume(void)
{
    struct buffer out;
    enum fault fault = FAULT_NONE;
    buffer_init(&out);
    uint32_t count = shard_resume(till.shard, &out, NULL, &fault);
    cr_assert_eq(fault, FAULT_NONE);
    take_runtime(&out);
    buffer_deinit(&out);
    return count;
}

static uint32_t fire(int64_t now, uint32_t max)
{
    struct buffer out;
    size_t ends[16];
    buffer_init(&out);
    uint32_t count = shard_timers(till.shard, now, max, &out, ends);
    if (count)
        cr_expect_eq(ends[count - 1], out.size);
    take_runtime(&out);
    buffer_deinit(&out);
    return count;
}

// ---- admission

Test(shard_orders, who_may_come_to_wait_counts_before_it_does)
{
    enum { MAX = 4, PLACED = 12 };
    int admitted = 0;
    till.settings.waiting_max = MAX;
    for (int i = 0; i < PLACED; i++)
        place(arena_format(&till.texts, "p%d", i), arena_format(&till.texts, "O%d", i), 0);
    turn();
    for (int i = 0; i < PLACED; i++)
        admitted += strcmp(till_status(&till, arena_format(&till.texts, "p%d", i)), "busy") != 0;
    cr_expect_eq(admitted, MAX);
    cr_expect_eq(till.shard->weight.to_wait, MAX);
    answer("O0", "inventory.reserve", "insufficient_stock");
    turn();
    cr_expect_eq(till.shard->weight.to_wait, MAX - 1, "it has ended");
    place("again", "O9", 0);
    turn();
    cr_expect_str_eq(till_status(&till, "again"), "ok");
}

// ---- waiters

Test(shard_orders, who_places_an_order_is_answered_when_it_comes_to_rest)
{
    place("p", "O1", -1);
    turn();
    cr_expect_str_eq(till_status(&till, "p"), "");
    cr_expect_str_eq(till_sent(&till, KIND_INVENTORY), "inventory.reserve mug");
    answer("O1", "inventory.reserve", "insufficient_stock");
    turn();
    cr_expect_str_eq(till_status(&till, "p"), "insufficient_stock");
    cr_expect_str_eq(view_status("p"), "out_of_stock");
    cr_expect_eq(waiters_count(till.shard->waiters), 0);
}

Test(shard_orders, a_sale_is_answered_when_it_is_confirmed)
{
    place("p", "O1", -1);
    turn();
    answer("O1", "inventory.reserve", "ok");
    turn();
    cr_expect_str_eq(till_status(&till, "p"), "ok");
    cr_expect_str_eq(view_status("p"), "confirmed");
    cr_expect_str_eq(till_sent(&till, KIND_INVENTORY), "inventory.commit mug");
    answer("O1", "inventory.commit", "ok");
    turn();
    cr_expect_str_eq(till_status(&till, "p"), "", "each is answered once");
    cr_expect_eq(till_rows(till.store, FAMILY_OPEN), 0);
}

Test(shard_orders, who_waits_longer_than_asked_gets_the_view_as_it_stands)
{
    place("p", "O1", 300);
    turn();
    cr_expect_eq(shard_next(till.shard), TILL_AT + 300000);
    turn_at(TILL_AT + 299999);
    cr_expect_str_eq(till_status(&till, "p"), "");
    turn_at(TILL_AT + 300000);
    cr_expect_str_eq(till_status(&till, "p"), "ok");
    cr_expect_str_eq(view_status("p"), "created");
    answer("O1", "inventory.reserve", "insufficient_stock");
    turn();
    cr_expect_str_eq(till_status(&till, "p"), "");
}

Test(shard_orders, two_seconds_is_how_long_one_waits_who_does_not_say)
{
    place("p", "O1", -1);
    turn();
    cr_expect_eq(shard_next(till.shard), TILL_AT + 2000000);
}

Test(shard_orders, who_does_not_want_to_wait_is_answered_in_the_same_turn)
{
    place("p", "O1", 0);
    turn();
    cr_expect_str_eq(view_status("p"), "created");
    cr_expect_eq(waiters_count(till.shard->waiters), 0);
}

Test(shard_orders, all_who_wait_for_one_order_are_answered_alike)
{
    place("p", "O1", -1);
    turn();
    place("q", "O1", -1);
    place("other", "O2", -1);
    turn();
    answer("O1", "inventory.reserve", "insufficient_stock");
    turn();
    cr_expect_str_eq(view_status("p"), "out_of_stock");
    cr_expect(bytes_equal(till_body(&till, "p"), till_body(&till, "q")));
    cr_expect_str_eq(till_status(&till, "other"), "");
    place("late", "O1", -1);
    turn();
    cr_expect(till_body(&till, "late").size > 0, "at rest already: answered at once");
    cr_expect_str_eq(till_log(&till, 3), "order.answer");
}

Test(shard_orders, an_order_refused_at_once_is_answered_at_once_and_recorded)
{
    struct order_line line = {BYTES("mug"), .quantity = 2, .unit_price = {500, "EUR"}, .has_unit_price = true};
    struct order_place body = {
        .user_id = BYTES("u"), .payment_method = BYTES("bananas"), .lines = &line, .lines_count = 1, .has_lines = true};
    cr_expect_str_eq(till_say(&till, "p", MESSAGE_order_place, "O1", &body), "rejected");
    cr_expect_str_eq(till_log(&till, 1), "order.place");
    cr_expect_eq(till_rows(till.store, FAMILY_HEAD), 1);
}

Test(shard_orders, when_as_many_wait_as_may_the_next_is_answered_at_once)
{
    till.options.waiters_max = 1;
    till_crash(&till);
    place("p", "O1", -1);
    place("q", "O2", -1);
    turn();
    cr_expect_str_eq(till_status(&till, "p"), "");
    cr_expect_str_eq(view_status("q"), "created");
}

Test(shard_orders, at_the_end_everybody_is_answered_with_the_view_as_it_stands)
{
    place("p", "O1", -1);
    place("q", "O2", 60000);
    turn();
    outbox_clear(&till.outbox);
    shard_dismiss(till.shard);
    cr_expect_str_eq(view_status("p"), "created");
    cr_expect_str_eq(view_status("q"), "created");
    cr_expect_eq(waiters_count(till.shard->waiters), 0);
    cr_expect_eq(till_rows(till.store, FAMILY_LOG), 1, "and nothing was written");
}

Test(shard_orders, nobody_is_told_anything_of_a_turn_that_failed)
{
    place("p", "O1", -1);
    store_memory_fail(till.store, 1);
    cr_assert_eq(till_turn(&till), FAULT_IO);
    cr_expect_eq(till.shard->seq, 0);
    cr_expect_eq(till.shard->at, 0, "the turn did not happen");
    cr_expect_eq(till_rows(till.store, FAMILY_OPEN), 0);
}

// ---- timers

Test(shard_orders, an_order_wakes_at_its_deadline)
{
    place("p", "O1", -1);
    turn();
    answer("O1", "inventory.reserve", "ok");
    place("q", "O2", -1);
    turn();
    int64_t deadline = till.at + till.settings.order_deadline_ms * 1000;
    cr_expect_eq(fire(TILL_AT + 1000, 16), 0);
    uint32_t fired = fire(deadline, 16);
    cr_expect_geq(fired, 1);
    turn_at(deadline);
    cr_expect_eq(till.shard->reasks > 0, true, "stock never answered about O2: the safety timer fired");
}

// Nothing is held yet, so the message of the runtime that ends the order also settles it.
Test(shard_orders, who_waits_for_an_order_that_its_deadline_settles_is_answered_in_that_turn)
{
    struct order_line line = {BYTES("mug"), .quantity = 2};
    struct order_place body = {.user_id = BYTES("u"), .payment_method = BYTES("cod"), .lines = &line, .lines_count = 1,
                               .has_lines = true, .wait_ms = 60000, .has_wait_ms = true};
    struct buffer requests = {0};
    size_t ends[1];
    till.settings.order_deadline_ms = 1000;
    till_client(&till, "r", MESSAGE_order_place, "o", &body);
    turn();
    cr_expect_str_eq(till_status(&till, "r"), "");
    int64_t deadline = till.shard->at + 1000000;
    cr_assert_eq(shard_timers(till.shard, deadline, 1, &requests, ends), 1);
    take_runtime(&requests);
    turn_at(deadline);
    cr_expect_str_eq(view_status("r"), "reservation_expired");
    buffer_deinit(&requests);
}

Test(shard_orders, at_most_so_many_timers_are_taken_at_once)
{
    for (int i = 0; i < 10; i++)
        place(arena_format(&till.texts, "p%d", i), arena_format(&till.texts, "O%d", i), 0);
    turn();
    cr_expect_eq(timers_count(till.shard->timers), 10);
    cr_expect_eq(fire(INT64_MAX, 4), 4);
    cr_expect_eq(fire(INT64_MAX, 16), 6);
    cr_expect_eq(fire(INT64_MAX, 16), 0);
    cr_expect_eq(shard_next(till.shard), INT64_MAX);
}

Test(shard_orders, an_order_that_is_settled_wants_no_timer)
{
    place("p", "O1", -1);
    turn();
    answer("O1", "inventory.reserve", "insufficient_stock");
    turn();
    cr_expect_eq(timers_count(till.shard->timers), 0);
    cr_expect_eq(shard_next(till.shard), INT64_MAX);
}

// ---- after a crash

Test(shard_orders, a_new_shard_goes_on_where_the_log_ends)
{
    place("p", "O1", -1);
    turn();
    place("q", "O2", -1);
    turn();
    uint64_t seq = till.shard->seq, chain = till.shard->chain;
    int64_t at = till.shard->at;
    struct weight weight = till.shard->weight;
    till_crash(&till);
    cr_expect_eq(till.shard->seq, seq);
    cr_expect_eq(till.shard->chain, chain);
    cr_expect_eq(till.shard->at, at);
    cr_expect_eq(memcmp(&till.shard->weight, &weight, sizeof weight), 0);
    cr_expect_eq(weight.orders, 2);
    cr_expect_eq(timers_count(till.shard->timers), 2);
    place("r", "O3", -1);
    turn();
    cr_expect_eq(till.shard->seq, seq + 1);
    cr_expect_str_eq(till_log(&till, 1), "order.place | order.place | order.place");
}

Test(shard_orders, an_epochs_row_continues_the_chain)
{
    place("p", "O1", -1);
    turn();
    uint64_t chain = till.shard->chain;
    struct log_epoch epoch = {.at = 5, .number = 2, .settings = till.settings, .owners = till.owners};
    cr_assert_eq(shard_begin_epoch(till.shard, &epoch, &till.text), FAULT_NONE);
    cr_expect_eq(till.shard->at, TILL_AT + 1, "an older clock does not turn time back");
    till_crash(&till);
    cr_expect_eq(till.shard->seq, 2);
    cr_expect_eq(till.shard->chain, chain);
    cr_expect_eq(till.shard->at, TILL_AT + 1);
    cr_expect_str_eq(till_log(&till, 1), "order.place | epoch 2");
}

Test(shard_orders, an_epoch_that_cannot_be_written_has_not_begun)
{
    place("p", "O1", -1);
    turn();
    int64_t at = till.shard->at;
    struct log_epoch epoch = {.at = at + 1000, .number = 2, .settings = till.settings, .owners = till.owners};
    store_memory_fail(till.store, 1);
    cr_assert_eq(shard_begin_epoch(till.shard, &epoch, &till.text), FAULT_IO);
    cr_expect_eq(till.shard->seq, 1);
    cr_expect_eq(till.shard->at, at);
    cr_expect_str_eq(till_log(&till, 1), "order.place");
}

// A row that souk never wrote: it does not start, and says so.
Test(shard_orders, an_open_row_that_names_no_entity_is_corruption)
{
    struct shard *shard = NULL;
    store_put(till.store, FAMILY_OPEN, BYTES("?"), BYTES("?"));
    cr_assert_eq(store_commit(till.store, &till.text), FAULT_NONE);
    cr_expect_eq(shard_open(&till.options, &shard), FAULT_CORRUPTION);
    shard_close(&shard);
    shard_close(&shard);
    cr_expect_null(shard);
}

Test(shard_orders, open_orders_ask_again_oldest_first)
{
    place("p", "O2", -1);
    turn();
    place("q", "O1", -1);
    turn();
    place("r", "O3", -1);
    turn();
    answer("O3", "inventory.reserve", "insufficient_stock");
    turn();
    till_crash(&till);
    cr_expect_eq(resume(), 2, "what is settled does not resume");
    struct request request;
    struct envelope_refusal why;
    struct cursor cursor = cursor_over(till.queue[0].request);
    cr_assert(request_read(&cursor, &request, &why));
    cr_expect_str_eq(till_text(&till, request.type), "order.resume");
    cr_expect_str_eq(till_text(&till, request.key), "O2");
    turn();
    cr_expect_str_eq(till_sent(&till, KIND_INVENTORY), "inventory.reserve mug; inventory.reserve mug");
    cr_expect_eq(till.shard->reasks, 0);
    answer("O2", "inventory.reserve", "insufficient_stock");
    place("p", "O2", -1);
    turn();
    cr_expect_str_eq(till_status(&till, "p"), "insufficient_stock", "who sends again is answered");
}

Test(shard_orders, what_is_open_weighs_and_what_is_settled_does_not)
{
    place("p", "O1", -1);
    turn();
    cr_expect_eq(till.shard->weight.orders, 1);
    cr_expect_eq(till.shard->weight.lines, 1);
    answer("O1", "inventory.reserve", "insufficient_stock");
    turn();
    cr_expect_eq(till.shard->weight.orders, 0);
    cr_expect_eq(till.shard->weight.lines, 0);
}

Test(shard_orders, an_order_above_what_may_be_in_flight_is_refused_until_another_settles)
{
    till.settings.lines_in_flight_max = 1;
    place("p", "O1", -1);
    place("q", "O2", -1);
    turn();
    cr_expect_str_eq(till_status(&till, "q"), "busy");
    cr_expect_str_eq(till_log(&till, 1), "order.place");
    till_crash(&till);
    place("q", "O2", -1);
    turn();
    cr_expect_str_eq(till_status(&till, "q"), "busy", "what was open before a crash is weighed again");
    answer("O1", "inventory.reserve", "insufficient_stock");
    place("q", "O2", -1);
    turn();
    cr_expect_str_eq(till_status(&till, "q"), "");
    cr_expect_str_eq(till_log(&till, 2), "order.answer order.place");
}
