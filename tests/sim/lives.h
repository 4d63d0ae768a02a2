// SPDX-License-Identifier: Apache-2.0
// What is otherwise in the next life of the process: how many actors there are of each kind, who is in quarantine. Drawn from a generator of its own, so a seed
// without any of it is the same run as before. One thread.
#pragma once

#include "tests/sim/chance.h"
#include "tests/sim/whereabouts.h"

struct run;

struct lives {
    struct chance chance;
    int reshapes;    // ‰ of starts that want other numbers of actors
    int fails;       // ‰ of starts amid which a write fails
    struct owner_map owners; // before the start under way
    struct whereabouts before;
    int isolates;    // ‰ of starts at which somebody comes into quarantine
    bool lifts_all;  // the next start
    int64_t rest_us; // how long somebody stayed there after the faults had stopped
};

void lives_draw(struct run *run);
// The process is down and about to start.
void lives_change(struct run *run);
// It has tried to.
void lives_changed(struct run *run);
// The faults stop. How long until lives_lift has to be called; 0: not at all.
int64_t lives_calm(struct run *run);
// All quarantines end: the process does, and the next life has none.
void lives_lift(struct run *run);
