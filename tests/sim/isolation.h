// SPDX-License-Identifier: Apache-2.0
// Entities in quarantine (store/quarantine.h, actors/shard.h T6), and what must be true of them. Changed while the
// process is down only; what holds is named in the next epoch's record. One thread.
//
//   while it is there   nothing about it is decided, nobody hears from it, its clients get `quarantined`, its rows stay
//                       as they are byte by byte; what does not wait for it comes to rest
//   nobody else         gets `quarantined`
#pragma once

#include "tests/sim/model.h"

enum { ISOLATED_MAX = 4 };

struct isolated {
    struct entity entity; // the key lives in the arena
    struct buffer rows;   // as they were when it came here
};

struct isolation {
    struct world *world;
    struct finding *finding;
    struct isolated list[ISOLATED_MAX];
    int count;
    struct arena arena;
};

void isolation_init(struct isolation *isolation, struct world *world, struct finding *finding);
void isolation_deinit(struct isolation *isolation);
bool isolation_has(const struct isolation *isolation, enum kind_id kind, struct bytes key);
// Not there yet, and there is room.
void isolation_put(struct isolation *isolation, enum kind_id kind, struct bytes key);
// The n-th leaves it.
void isolation_lift(struct isolation *isolation, int n);

void isolation_decided(struct isolation *isolation, const struct world_decision *decision);
void isolation_replied(struct isolation *isolation, enum kind_id kind, struct bytes key, enum status status);
// Whatever waits for nobody in quarantine has come to rest.
void isolation_rest(struct isolation *isolation, const struct model *model);
