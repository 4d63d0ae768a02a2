// SPDX-License-Identifier: Apache-2.0
// What the watch makes of what it sees. Pure: without disk, clock and thread, so that the simulator's machine judges as a
// node does (actors/watch.c, tests/sim/machine.c).
#pragma once

#include "codec/status.h"

#include <stdbool.h>
#include <stdint.h>

// Too little room: less than the least, and then until there is a sixteenth more.
bool watch_judge_full(bool was, int64_t free_bytes, int64_t free_min_bytes);
// The clock's step in µs is another one than was known, which may itself be in doubt: to be kept, and told. 0: no step.
bool watch_judge_step(int64_t step, int64_t known);
// What NEW commands get.
enum status watch_judge_closed(bool full, int64_t step);
