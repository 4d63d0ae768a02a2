// SPDX-License-Identifier: Apache-2.0
// The node's time: the wall clock, as long as it can be believed. CLOCK_BOOTTIME never steps, so a wall clock that
// leaves it by more than CLOCK_STEP_MAX_US has stepped. Any thread.
//
//   K1  a step is not followed until an operator accepts it, or the wall clock comes back: time goes on by CLOCK_BOOTTIME
//   K2  time never goes backward: after an accepted step back it runs ahead of the wall clock, and at half its pace until
//       that has caught up; so timers still fire and nothing ends early
//   K3  at start the wall clock is judged by the last turns in the logs: before them it has stepped back; behind them the
//       node was down. A step that nobody has accepted outlives a restart (struct clock_note)
//
// The time of a turn is max(previous + 1 µs, this).
#pragma once

#include "codec/record.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define CLOCK_STEP_MAX_US (INT64_C(60) * 1000000)

struct node_clock {
    pthread_mutex_t lock;
    void (*read)(int64_t *wall, int64_t *boot); // the two clocks at one moment; NULL: the machine's
    int64_t offset;    // time = boot + offset + lead
    int64_t lead, lead_from; // as it was at this boot time
    int64_t step;      // 0: the wall clock is believed
    bool from_note;    // the step was known when the process started
    struct clock_note note;
};

// `clock` is zero, but for `read`.
void node_clock_init(struct node_clock *clock, const struct clock_note *note);
void node_clock_deinit(struct node_clock *clock);
// K3: a log ends with this turn. Before anything is decided. Returns the time.
int64_t node_clock_meet(struct node_clock *clock, int64_t last_at);
int64_t node_clock_now(struct node_clock *clock);

struct clock_reading {
    int64_t wall, now;
    int64_t step; // 0: the wall clock is believed
};
struct clock_reading node_clock_read(struct node_clock *clock);
// From now on the wall clock is believed as it is. Returns how it stands then.
struct clock_reading node_clock_accept(struct node_clock *clock);
// What is to be kept now.
struct clock_note node_clock_note(struct node_clock *clock);
