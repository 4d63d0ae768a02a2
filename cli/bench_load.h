// SPDX-License-Identifier: Apache-2.0
// The loader of `souk bench`: one thread that keeps requests on their way over a few connections and takes the time of
// their answers. It shares the machine with the node, so it is lean: packed requests (bench_frame.h), no allocation of
// its own for a command, replies looked into no further than their status, all that is there taken at once.
//
//   B1  at most `window` commands are on their way; each has a slot, whose number is in its id
//   B2  with a rate, a command's time begins when it was due, whether or not it could be sent then
//   B3  busy is sent again, under the same id, after retry_after_ms; its time goes on
#pragma once

#include "cli/bench_frame.h"
#include "cli/histogram.h"
#include "cli/tally.h"

enum { BENCH_WINDOW_MAX = 65536, BENCH_CLIENTS_MAX = 256, BENCH_SKUS_MAX = 10000000 };

struct bench_load_options {
    const char *endpoint;
    uint32_t clients, window, bundle, skus;
    const char *run; // BENCH_RUN_SIZE characters
};

struct bench_phase {
    const struct bench_frame *frame;
    char name;         // in the ids
    bool each_sku;     // command i is about SKU i; else about one of them by chance
    uint64_t limit;    // commands; 0: as many as there is time for
    int64_t rate;      // each second; 0: as fast as they are answered
    int64_t time_us;   // 0: until `limit`
    const char *label; // for the progress line
};

struct bench_result {
    uint64_t answered;   // all
    uint64_t ok_in_time; // `ok`, before time was over
    int64_t us;          // until time was over, or all was answered
    int64_t cpu_us;      // this process, until then
    uint64_t resent;     // after busy
    uint32_t unanswered;
    struct tally statuses;
    struct histogram latency; // of all that were answered
};

struct bench_load;

// NULL: the endpoint is malformed.
struct bench_load *bench_load_new(const struct bench_load_options *options);
void bench_load_free(struct bench_load **load);
// `result` is cleared first. Ends also when nothing has been answered for 10 s: then something is `unanswered`.
void bench_load_run(struct bench_load *load, const struct bench_phase *phase, struct bench_result *result);
