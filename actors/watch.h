// SPDX-License-Identifier: Apache-2.0
// What a node keeps an eye on while it serves: the room on its disk, and its clock. Looks four times a second on a thread
// of its own, so that no message costs a system call; says in the operator's log when something begins and when it ends.
#pragma once

#include "actors/clock.h"

#include <stdbool.h>
#include <stdint.h>

struct watch_options {
    const char *path;       // the shop's directory
    int64_t free_min_bytes; // with less than that, nothing new is taken; with a sixteenth more it is taken again
    struct node_clock *clock;
    // The clock's note is another one: it has to outlive this process. Returns when it does; not two at a time.
    void (*keep)(void *context, const struct clock_note *note);
    void *context;
    void (*log)(const char *line);
};

struct watch;

// Has looked once when it returns.
struct watch *watch_start(const struct watch_options *options);
void watch_stop(struct watch **watch);

// Looks at once. Any thread.
void watch_look(struct watch *watch);
// The operator believes the wall clock. Kept when it returns. Any thread.
struct clock_reading watch_accept_clock(struct watch *watch);

// An enum status: what NEW commands get, STATUS_ok if they are taken. Any thread.
const _Atomic int *watch_closed(const struct watch *watch);
struct watch_view {
    int64_t free_bytes;
    bool storage_full;
    int64_t clock_step; // µs
};
// Any thread.
struct watch_view watch_view(const struct watch *watch);
