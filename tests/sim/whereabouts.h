// SPDX-License-Identifier: Apache-2.0
// Where rows are: each at its slot's owner, once, and all of them, whoever owns what now. One thread.
#pragma once

#include "tests/sim/finding.h"
#include "tests/sim/world.h"

struct whereabouts {
    uint64_t rows, sum; // at their owners, by content
};

// Right after a start, or while the process is down: then what a reshape that did not finish left behind is no finding.
struct whereabouts whereabouts_take(struct world *world, struct finding *finding);
