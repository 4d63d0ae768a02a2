// SPDX-License-Identifier: Apache-2.0
// A run of `souk bench`: what was asked for, what came out, and how it is told. One thread.
#pragma once

#include "cli/bench_host.h"
#include "cli/bench_load.h"
#include "codec/arena.h"
#include "codec/message.h"

enum bench_kind { BENCH_RESERVE, BENCH_CHECKOUT };

struct bench_options {
    enum bench_kind kind;
    const char *endpoint, *sync_directory;
    uint32_t skus, lines, clients, window, bundle;
    int64_t rate, seconds;
    bool json;
};

struct bench {
    struct bench_options options;
    char run[BENCH_RUN_SIZE + 1];
    struct arena arena;
    struct status_view before, after; // souk.status around the measured phase
    struct bench_host host_before, host_after;
    struct histogram sync; // of this disk
    struct bench_result result;
};

// All actors together: what the node did between `before` and `after`.
struct bench_work {
    int64_t messages, commits, puts, deletes, bytes;
    bool known; // the node tells
};
struct bench_work bench_work_of(const struct bench *bench);
void bench_print_table(const struct bench *bench);
void bench_print_json(const struct bench *bench);
