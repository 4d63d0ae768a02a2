// SPDX-License-Identifier: Apache-2.0
#include "actors/watch_judge.h"

#include "actors/clock.h"

#include <criterion/criterion.h>

enum { MIN = 1600, AGAIN = 1700 };
#define HOUR (INT64_C(3600) * 1000000)

Test(watch_judge, a_full_disk_is_full_until_there_is_a_sixteenth_more)
{
    cr_expect_not(watch_judge_full(false, MIN, MIN));
    cr_expect(watch_judge_full(false, MIN - 1, MIN));
    cr_expect(watch_judge_full(true, AGAIN - 1, MIN));
    cr_expect_not(watch_judge_full(true, AGAIN, MIN));
}

Test(watch_judge, a_step_is_another_one_if_it_begins_or_ends_or_moves_by_more_than_a_minute)
{
    const struct {
        int64_t step, known;
        bool another;
    } table[] = {
        {0, 0, false},
        {3 * HOUR, 0, true},
        {0, 3 * HOUR, true},
        {-3 * HOUR, 3 * HOUR, true},
        {6 * HOUR, 3 * HOUR, true},
        {3 * HOUR, 6 * HOUR, true},
        {-6 * HOUR, -3 * HOUR, true},
        {3 * HOUR + CLOCK_STEP_MAX_US, 3 * HOUR, false},
        {3 * HOUR - CLOCK_STEP_MAX_US, 3 * HOUR, false},
        {3 * HOUR + CLOCK_STEP_MAX_US + 1, 3 * HOUR, true},
        {3 * HOUR - CLOCK_STEP_MAX_US - 1, 3 * HOUR, true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        cr_expect_eq(watch_judge_step(table[i].step, table[i].known), table[i].another, "%zu", i);
}

Test(watch_judge, little_room_comes_before_a_step)
{
    cr_expect_eq(watch_judge_closed(false, 0), STATUS_ok);
    cr_expect_eq(watch_judge_closed(false, -HOUR), STATUS_clock);
    cr_expect_eq(watch_judge_closed(true, HOUR), STATUS_storage_full);
    cr_expect_eq(watch_judge_closed(true, 0), STATUS_storage_full);
}
