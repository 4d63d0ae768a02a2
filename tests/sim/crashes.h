// SPDX-License-Identifier: Apache-2.0
// Stories with crashes in them. What does not hold is told with the command that shows it. One thread.
#pragma once

#include "tests/sim/story.h"

// Sanitizers make everything slow: then only some points are tried, and nobody counts them.
#ifdef __SANITIZE_ADDRESS__
#define CRASHES_STRIDE 13
#else
#define CRASHES_STRIDE 1
#endif

struct crashes {
    struct coverage *coverage; // of all runs; NULL: nobody asks
    struct buffer broken;
    uint32_t failures;
};
enum { CRASHES_FAILURES_MAX = 3 }; // then no more is tried

// The story holds with these crashes, and all of them came.
bool crashes_survived(struct crashes *crashes, const struct story_def *def, const struct story_options *options);

struct crash_counts {
    uint64_t points, commits; // that were hit, and the story holds
    uint64_t second, starts;  // after a first crash
};
// A crash at each point (every `stride`-th), then each commit failing.
struct crash_counts crashes_everywhere(struct crashes *crashes, const struct story_def *def,
                                       struct story_options options, uint64_t stride);
// After each first crash a second one at each point of the recovery, or of its start (every `stride`-th).
struct crash_counts crashes_twice(struct crashes *crashes, const struct story_def *def, struct story_options options,
                                  uint64_t stride);
