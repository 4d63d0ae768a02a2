// SPDX-License-Identifier: Apache-2.0
// The machine under the process: room on its disk, and a wall clock that steps. Time is the production clock's
// (actors/clock.h), which reads this machine; what closes the shop is judged by actors/watch_judge.h.
// One machine at a time; one thread.
#pragma once

#include "actors/clock.h"
#include "codec/status.h"

#define MACHINE_FREE_MIN  INT64_C(1000) // store.free_min_mb
#define MACHINE_FREE_MUCH INT64_C(1000000)

struct machine {
    struct node_clock clock; // of the process
    struct clock_note kept;  // outlives it
    int64_t now;             // µs since the beginning: never steps
    int64_t off;             // µs that the wall clock is off
    int64_t free_bytes;      // on the disk
    bool full;               // at the last look
    bool running;            // `clock` is a process's
};

void machine_init(struct machine *machine);
void machine_deinit(struct machine *machine);
// A process begins whose log ends with this turn; 0: it is empty.
void machine_start(struct machine *machine, int64_t last_at);
int64_t machine_time(struct machine *machine); // the process's
// What the wall clock is doubted by; 0: it is believed.
int64_t machine_step(struct machine *machine);
// The watch looks: what NEW commands get from now on.
enum status machine_look(struct machine *machine);
void machine_accept(struct machine *machine);
