// SPDX-License-Identifier: Apache-2.0
// Many holds of one SKU that end at the same instant, in a fifth of the seeds: a bundle of them, then, about when they
// are due, people who want something of that SKU, while a turn may end only a few; and sometimes a crash amid that. All
// drawn from a stream of its own, so that seeds without bursts run as they would.
#pragma once

#include "tests/sim/chance.h"
#include "tests/sim/world.h"

struct run;

enum { BURSTS_MAX = 4 };
struct burst {
    char sku[16];
    uint32_t holds, asks; // asks: how often somebody comes when they are due
    int64_t ttl_us;
    bool sent;
};
struct bursts {
    struct chance chance;
    struct burst at[BURSTS_MAX];
    uint32_t count, ids;
};

// Whether there are any, and how many holds a turn may end then.
void bursts_draw(struct run *run, struct world_options *options);
void bursts_open(struct run *run);
void bursts_happen(struct run *run, uint32_t number);
