// SPDX-License-Identifier: Apache-2.0
// One timer for a name, taken when due: earliest first, equal times by name.
#include "actors/timers.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct timers *timers;

static void open_timers(void)
{
    timers = timers_new();
}

static void close_timers(void)
{
    timers_free(&timers);
    cr_expect_null(timers);
}

TestSuite(timers, .init = open_timers, .fini = close_timers, .timeout = 120);

static void set(const char *name, int64_t at)
{
    timers_set(timers, bytes_text(name), at);
}

// "name@at", "" if none is due.
static const char *take(int64_t now)
{
    static char text[300];
    struct bytes name;
    int64_t at;
    text[0] = 0;
    if (timers_take(timers, now, &name, &at))
        snprintf(text, sizeof text, "%.*s@%lld", BYTES_FORMAT(name), (long long)at);
    return text;
}

Test(timers, none_is_never_due)
{
    cr_expect_eq(timers_next(timers), INT64_MAX);
    cr_expect_str_eq(take(INT64_MAX), "");
    set("nobody", 0);
    cr_expect_eq(timers_count(timers), 0);
}

Test(timers, are_taken_in_the_order_of_their_times_and_not_before)
{
    set("c", 30);
    set("a", 10);
    set("b", 20);
    cr_expect_eq(timers_next(timers), 10);
    cr_expect_str_eq(take(9), "");
    cr_expect_str_eq(take(10), "a@10");
    cr_expect_str_eq(take(10), "");
    cr_expect_str_eq(take(99), "b@20");
    cr_expect_str_eq(take(99), "c@30");
    cr_expect_eq(timers_count(timers), 0);
}

Test(timers, equal_times_are_taken_by_name_however_they_were_set)
{
    set("b", 10);
    set("c", 10);
    set("ab", 10);
    set("a", 10);
    cr_expect_str_eq(take(10), "a@10");
    cr_expect_str_eq(take(10), "ab@10");
    cr_expect_str_eq(take(10), "b@10");
    cr_expect_str_eq(take(10), "c@10");
}

Test(timers, setting_a_name_again_moves_its_one_timer)
{
    set("a", 10);
    set("b", 20);
    set("a", 30);
    cr_expect_eq(timers_count(timers), 2);
    cr_expect_eq(timers_next(timers), 20);
    set("a", 5);
    cr_expect_str_eq(take(5), "a@5");
    cr_expect_str_eq(take(99), "b@20");
    cr_expect_str_eq(take(99), "");
}

Test(timers, zero_cancels)
{
    set("a", 10);
    set("b", 20);
    set("a", 0);
    cr_expect_eq(timers_count(timers), 1);
    cr_expect_str_eq(take(99), "b@20");
    set("b", 30);
    cr_expect_str_eq(take(99), "b@30", "what was taken may be set again");
}

Test(timers, a_name_is_copied_and_lives_until_the_next_is_taken)
{
    char name[] = "mug";
    struct bytes taken;
    int64_t at;
    set(name, 10);
    name[0] = 'x';
    cr_assert(timers_take(timers, 10, &taken, &at));
    set("mug", 20);
    set("other", 30);
    cr_expect(bytes_equal(taken, BYTES("mug")));
}

Test(timers, do_what_a_plain_model_does)
{
    enum { NAMES = 300, STEPS = 60000 };
    static int64_t model[NAMES]; // 0: not set
    uint64_t seed = 5;
    int64_t now = 1;
    uint32_t taken = 0;
    for (uint32_t step = 0; step < STEPS; step++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint32_t random = (uint32_t)(seed >> 33), which = random % NAMES;
        struct bytes name;
        int64_t at = 0, least = INT64_MAX;
        char text[16];
        snprintf(text, sizeof text, "%05u", which); // so that names order as numbers
        if (step % 3) {
            model[which] = random % 7 ? now + (random >> 8) % 200 : 0;
            timers_set(timers, bytes_text(text), model[which]);
        }
        uint32_t first = 0;
        for (uint32_t i = 0; i < NAMES; i++)
            if (model[i] && model[i] < least) {
                least = model[i];
                first = i;
            }
        cr_assert_eq(timers_next(timers), least);
        now += random % 3;
        if (!timers_take(timers, now, &name, &at)) {
            cr_assert(least > now);
            continue;
        }
        snprintf(text, sizeof text, "%05u", first);
        cr_assert(at == least && at <= now && bytes_equal(name, bytes_text(text)), "step %u", step);
        model[first] = 0;
        taken++;
    }
    cr_expect(taken > STEPS / 10, "%u", taken);
}
