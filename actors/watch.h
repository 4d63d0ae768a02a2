// SPDX-License-Identifier: Apache-2.0
// What a node keeps an eye on while it serves: the room on its disk. Looks four times a second on a thread of its own,
// so that no message costs a system call; says in the operator's log when something begins and when it ends.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct watch_options {
    const char *path;       // the shop's directory
    int64_t free_min_bytes; // with less than that, nothing new is taken; with a sixteenth more it is taken again
    void (*log)(const char *line);
};

struct watch;

// Has looked once when it returns.
struct watch *watch_start(const struct watch_options *options);
void watch_stop(struct watch **watch);

// An enum status: what NEW commands get, STATUS_ok if they are taken. Any thread.
const _Atomic int *watch_closed(const struct watch *watch);
struct watch_view {
    int64_t free_bytes;
    bool storage_full;
};
// Any thread.
struct watch_view watch_view(const struct watch *watch);
