// SPDX-License-Identifier: Apache-2.0
// The node's time over two clocks that the test sets: K1–K3 of actors/clock.h.
#include "actors/clock.h"

#include <criterion/criterion.h>

#define SECOND INT64_C(1000000)
#define HOUR   (3600 * SECOND)
#define NOON   (INT64_C(1700000000) * SECOND)

static int64_t wall, boot;
static struct node_clock clock_;
static const struct clock_note nothing;

static void read_clocks(int64_t *the_wall, int64_t *the_boot)
{
    *the_wall = wall;
    *the_boot = boot;
}

// A process starts at this wall time; the last turn in its logs was then.
static int64_t start(int64_t at, const struct clock_note *note, int64_t last_at)
{
    wall = at;
    boot = 500 * SECOND;
    clock_ = (struct node_clock){.read = read_clocks};
    node_clock_init(&clock_, note);
    return node_clock_meet(&clock_, last_at);
}

static void pass(int64_t time)
{
    wall += time;
    boot += time;
}

static int64_t step_now(void)
{
    return node_clock_read(&clock_).step;
}

TestSuite(clock, .timeout = 20);

Test(clock, time_is_the_wall_clock)
{
    cr_expect_eq(start(NOON, &nothing, NOON - HOUR), NOON);
    pass(SECOND);
    cr_expect_eq(node_clock_now(&clock_), NOON + SECOND);
    wall += 40 * SECOND;
    cr_expect_eq(node_clock_now(&clock_), NOON + 41 * SECOND, "less than a minute is followed");
    wall -= 50 * SECOND;
    cr_expect_eq(node_clock_now(&clock_), NOON - 9 * SECOND, "a turn's time is behind the one before all the same");
    cr_expect_eq(step_now(), 0);
}

Test(clock, a_step_is_not_followed_until_it_is_accepted)
{
    start(NOON, &nothing, 0);
    wall += 5 * HOUR;
    cr_expect_eq(node_clock_now(&clock_), NOON);
    cr_expect_eq(step_now(), 5 * HOUR);
    pass(10 * SECOND);
    cr_expect_eq(node_clock_now(&clock_), NOON + 10 * SECOND);
    cr_expect_eq(node_clock_accept(&clock_).now, NOON + 5 * HOUR + 10 * SECOND);
    cr_expect_eq(step_now(), 0);
}

Test(clock, a_step_that_goes_away_is_over)
{
    start(NOON, &nothing, 0);
    wall -= 5 * HOUR;
    cr_expect_eq(step_now(), -5 * HOUR);
    pass(HOUR);
    wall += 5 * HOUR + SECOND;
    cr_expect_eq(node_clock_now(&clock_), NOON + HOUR + SECOND);
    cr_expect_eq(step_now(), 0);
}

Test(clock, after_an_accepted_step_back_time_goes_on_at_half_its_pace)
{
    start(NOON, &nothing, 0);
    wall -= 2 * HOUR;
    cr_expect_eq(node_clock_accept(&clock_).now, NOON);
    pass(HOUR);
    cr_expect_eq(node_clock_now(&clock_), NOON + HOUR / 2);
    pass(3 * HOUR);
    cr_expect_eq(node_clock_now(&clock_), NOON + 2 * HOUR, "the wall clock has caught up");
    pass(HOUR);
    cr_expect_eq(node_clock_now(&clock_), NOON + 3 * HOUR);
}

Test(clock, at_start_it_is_judged_by_the_last_turn)
{
    cr_expect_eq(start(NOON, &nothing, NOON + 59 * SECOND), NOON + 59 * SECOND);
    cr_expect_eq(step_now(), 0);
    cr_expect_eq(start(NOON, &nothing, NOON + HOUR), NOON + HOUR);
    cr_expect_eq(step_now(), -HOUR);
    cr_expect_eq(node_clock_meet(&clock_, NOON), NOON + HOUR, "another actor's log ends earlier");
    cr_expect_eq(node_clock_meet(&clock_, NOON + 2 * HOUR), NOON + 2 * HOUR, "or later");
    pass(SECOND);
    cr_expect_eq(node_clock_now(&clock_), NOON + 2 * HOUR + SECOND);
}

Test(clock, an_accepted_step_back_is_known_to_the_next_start)
{
    start(NOON, &nothing, 0);
    wall -= 2 * HOUR;
    node_clock_accept(&clock_);
    struct clock_note note = node_clock_note(&clock_);
    cr_expect_eq(note.lead, 2 * HOUR);
    cr_expect_eq(start(NOON - 2 * HOUR + SECOND, &note, NOON), NOON);
    cr_expect_eq(step_now(), 0);
    cr_expect_eq(start(NOON - HOUR, &note, NOON), NOON, "an hour later");
    cr_expect_eq(step_now(), 0);
    cr_expect_eq(start(NOON - 3 * HOUR, &note, NOON), NOON);
    cr_expect_eq(step_now(), -3 * HOUR, "a second step is not the one that was accepted");
}

Test(clock, a_step_forward_that_nobody_accepted_is_known_to_the_next_start)
{
    start(NOON, &nothing, 0);
    wall += 5 * HOUR;
    step_now();
    struct clock_note note = node_clock_note(&clock_);
    cr_expect_eq(note.step, 5 * HOUR);
    cr_expect_eq(start(NOON + 6 * HOUR, &note, NOON), NOON + HOUR, "an hour of downtime");
    cr_expect_eq(step_now(), 5 * HOUR);
    cr_expect_eq(node_clock_accept(&clock_).now, NOON + 6 * HOUR);
    cr_expect_eq(start(NOON + HOUR, &note, NOON), NOON + HOUR, "it was set right meanwhile");
    cr_expect_eq(step_now(), 0);
}

Test(clock, a_step_forward_while_an_accepted_step_back_is_not_caught_up_is_known_to_the_next_start)
{
    start(NOON, &nothing, 0);
    wall -= 3 * HOUR;
    node_clock_accept(&clock_);
    pass(HOUR);
    wall += 10 * HOUR;
    int64_t time = node_clock_now(&clock_);
    struct clock_note note = node_clock_note(&clock_);
    cr_expect_eq(note.step, 10 * HOUR);
    pass(HOUR);
    cr_expect_eq(start(wall, &note, time), time + HOUR / 2);
    cr_expect_eq(step_now(), 10 * HOUR);
}
