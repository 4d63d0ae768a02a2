// SPDX-License-Identifier: Apache-2.0
// What closes the shop for a while: room on the disk goes away and returns, the wall clock steps until somebody accepts
// it or it comes back. Drawn from the seed in a stream of its own. In some seeds the shop is still closed when all other
// faults have stopped: then what is open must end all the same, before it opens. One thread.
#pragma once

#include "tests/sim/chance.h"
#include "tests/sim/machine.h"

struct run;

enum closing_event { CLOSING_FILL, CLOSING_EMPTY, CLOSING_STEP, CLOSING_CURE, CLOSING_LOOK, CLOSING_OPEN };

struct closing {
    struct chance chance;
    struct machine machine;
    // drawn
    int fills, steps;          // how many, over the time
    int64_t full_us, doubt_us; // at most: until there is room again, until somebody looks at the clock
    int64_t step_us;           // at most
    int accepts;               // ‰ of steps; the others come back
    bool stays;                // closed when the other faults stop
    bool opens;                // its end: nothing before CLOSING_OPEN
    bool cure_noted;
    int64_t looked_now, looked_time, looked_off; // how the clocks were
};

void closing_draw(struct closing *closing, uint64_t seed, bool clock_jumps, int64_t busy_us);
void closing_begin(struct run *run); // its events are noted
void closing_happen(struct run *run, enum closing_event event);
void closing_calm(struct run *run); // all other faults have stopped
void closing_start(struct run *run); // before a process starts
// How far the shop's time may come to lie behind the right one, at most.
int64_t closing_behind_us(const struct closing *closing);
// How much longer it may take until everything rests.
int64_t closing_rest_us(const struct run *run);
