// SPDX-License-Identifier: Apache-2.0
// Which edges of actors/kinds/order_steps.def the stories take, and why they take no others. One thread.
#pragma once

#include "tests/sim/coverage.h"

// A table, step by event: taken by a quiet story, only after a crash, or not. Then what is not taken, with its reason;
// false: an edge that is not taken has no reason, or a reason has no edge.
bool edges_tell(const struct coverage *quiet, const struct coverage *crashed, struct buffer *out);
