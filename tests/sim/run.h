// SPDX-License-Identifier: Apache-2.0
// One seed: a shop, its shoppers and operators, and everything that goes wrong. All ranges come from the seed, and many
// faults are off in a given one, so that those that are on meet each other often. When the shoppers are done the faults
// stop, and within bounded time everything must come to rest. One thread; the same seed is the same run, bit by bit.
#pragma once

#include "tests/sim/agenda.h"
#include "tests/sim/auditor.h"
#include "tests/sim/lives.h"

// Drawn from the seed.
struct mood {
    // ‰ of frames between clients and broker
    int request_dropped, request_twice, request_delayed, reply_dropped, reply_twice, reply_delayed;
    int64_t latency_us, delay_us, pipe_us, turn_us; // at most
    int crashes, outages, jumps;                    // how many, over the time
    int64_t down_us, away_us;                       // at most
    bool jumps_back;
    int turn_max; // messages; 0: as many as there are
    // the shop
    int shoppers, budget, skus, carts, lines_max, hot_units;
    int scarce; // ‰ of SKUs with one to three units
    int64_t think_us, patience_us, busy_us; // busy: how long until the faults stop
    int retry_until;                        // ‰ of requests
    int gives_up;                           // ‰ of resends
};

struct run {
    uint64_t seed;
    struct mood mood;
    struct chance wire, trouble, people;
    struct lives lives;
    struct world *world;
    struct auditor auditor;
    struct provider_sim provider;
    bool outside; // the provider is one outside
    int64_t now, skew, jumped_back; // µs since the beginning; the shop's clock is that, and skew
    bool calm;
    struct agenda agenda;
    int64_t turn_at[WORLD_PLACES];
    struct shopper *shoppers;
    uint32_t ids, orders_count;
    char (*orders)[32]; // ids placed so far
};

enum { RUN_ORDERS_MAX = 4096 };

// `trace` may be NULL; its keys say whose story is told.
void run_seed(struct run *run, uint64_t seed, const struct trace *trace);
void run_deinit(struct run *run);

// ---- for shoppers

// Puts a frame of this shopper on the wire.
void run_send(struct run *run, uint32_t shopper, struct bytes frame);
void run_wake(struct run *run, uint32_t shopper, int64_t after_us);
int64_t run_clock(const struct run *run);
