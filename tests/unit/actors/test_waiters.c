// SPDX-License-Identifier: Apache-2.0
// Who waits for which entity: first come, first answered; bounded; each until its time.
#include "actors/waiters.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct waiters *waiters;

static void open_waiters(void)
{
    waiters = waiters_new(1000);
}

static void close_waiters(void)
{
    waiters_free(&waiters);
    cr_expect_null(waiters);
}

TestSuite(waiters, .init = open_waiters, .fini = close_waiters, .timeout = 120);

static bool add(const char *key, const char *id, int64_t until)
{
    struct waiter waiter = {BYTES("route"), bytes_text(id), 3};
    return waiters_add(waiters, bytes_text(key), &waiter, until);
}

// The id of who was taken; "" if nobody.
static const char *take(const char *key)
{
    static char text[64];
    struct waiter waiter;
    text[0] = 0;
    if (waiters_take(waiters, bytes_text(key), &waiter))
        snprintf(text, sizeof text, "%.*s", BYTES_FORMAT(waiter.id));
    return text;
}

static const char *take_due(int64_t now)
{
    static char text[128];
    struct waiter waiter;
    struct bytes key;
    text[0] = 0;
    if (waiters_take_due(waiters, now, &key, &waiter))
        snprintf(text, sizeof text, "%.*s:%.*s", BYTES_FORMAT(key), BYTES_FORMAT(waiter.id));
    return text;
}

Test(waiters, who_came_first_is_taken_first)
{
    add("O1", "a", 300);
    add("O2", "x", 50);
    add("O1", "b", 100);
    add("O1", "c", 200);
    cr_expect_str_eq(take("O1"), "a");
    cr_expect_str_eq(take("O1"), "b");
    cr_expect_str_eq(take("O1"), "c");
    cr_expect_str_eq(take("O1"), "");
    cr_expect_str_eq(take("O2"), "x");
    cr_expect_eq(waiters_count(waiters), 0);
}

Test(waiters, all_of_a_waiter_is_kept)
{
    char route[] = "route-1", id[] = "id-1";
    struct waiter waiter = {bytes_text(route), bytes_text(id), 5};
    cr_assert(waiters_add(waiters, BYTES("O1"), &waiter, 10));
    route[0] = id[0] = 'x';
    cr_assert(waiters_take(waiters, BYTES("O1"), &waiter));
    cr_expect(bytes_equal(waiter.route, BYTES("route-1")));
    cr_expect(bytes_equal(waiter.id, BYTES("id-1")));
    cr_expect_eq(waiter.flags, 5);
}

Test(waiters, one_knows_whether_somebody_waits)
{
    cr_expect_not(waiters_has(waiters, BYTES("O1")));
    add("O1", "a", 10);
    cr_expect(waiters_has(waiters, BYTES("O1")));
    cr_expect_not(waiters_has(waiters, BYTES("O")));
    take("O1");
    cr_expect_not(waiters_has(waiters, BYTES("O1")));
}

Test(waiters, no_more_wait_than_may)
{
    waiters_free(&waiters);
    waiters = waiters_new(2);
    cr_expect(add("O1", "a", 10));
    cr_expect(add("O2", "b", 10));
    cr_expect_not(add("O1", "c", 10));
    cr_expect_not(add("O3", "c", 10));
    cr_expect_not(waiters_has(waiters, BYTES("O3")));
    cr_expect_eq(waiters_count(waiters), 2);
    take("O2");
    cr_expect(add("O3", "c", 10));
}

Test(waiters, whose_time_is_up_is_taken_from_wherever_it_stands)
{
    add("O1", "a", 300);
    add("O1", "b", 100);
    add("O1", "c", 200);
    add("O2", "d", 150);
    cr_expect_eq(waiters_next(waiters), 100);
    cr_expect_str_eq(take_due(99), "");
    cr_expect_str_eq(take_due(100), "O1:b", "from the middle");
    cr_expect_str_eq(take_due(149), "");
    cr_expect_str_eq(take_due(200), "O2:d");
    cr_expect_str_eq(take_due(200), "O1:c", "from the end");
    add("O1", "e", 400);
    cr_expect_str_eq(take("O1"), "a");
    cr_expect_str_eq(take("O1"), "e");
    cr_expect_eq(waiters_next(waiters), INT64_MAX);
}

Test(waiters, who_was_answered_is_not_due_any_more)
{
    add("O1", "a", 100);
    add("O1", "b", 200);
    take("O1");
    cr_expect_eq(waiters_next(waiters), 200);
    cr_expect_str_eq(take_due(INT64_MAX), "O1:b");
    cr_expect_str_eq(take_due(INT64_MAX), "");
}

Test(waiters, the_last_of_a_key_is_taken_while_due_with_its_key)
{
    add("O1", "a", 100);
    add("O2", "b", 101);
    cr_expect_str_eq(take_due(1000), "O1:a");
    cr_expect_str_eq(take_due(1000), "O2:b");
    cr_expect_not(waiters_has(waiters, BYTES("O1")));
    cr_expect(add("O1", "a", 100), "and may come again");
}

Test(waiters, many_come_and_go)
{
    char key[16], id[16];
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 1000; i++) {
            snprintf(key, sizeof key, "O%d", i % 37);
            snprintf(id, sizeof id, "%d", i);
            cr_assert(add(key, id, 1000 + (i * 7919) % 1000));
        }
        cr_assert_not(add("O1", "more", 5));
        for (int i = 0; i < 37; i++) { // the first of each
            snprintf(key, sizeof key, "O%d", i);
            snprintf(id, sizeof id, "%d", i);
            cr_assert_str_eq(take(key), id);
        }
        int64_t last = 0;
        for (int64_t next; (next = waiters_next(waiters)) != INT64_MAX; last = next) {
            cr_assert(next >= last);
            cr_assert_str_neq(take_due(next), "");
        }
        cr_assert_eq(waiters_count(waiters), 0);
    }
}

Test(waiters, who_still_waits_at_the_end_is_freed)
{
    add("O1", "a", 100);
    add("O1", "b", 100);
    add("O2", "c", 100);
}
