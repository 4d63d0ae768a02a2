// SPDX-License-Identifier: Apache-2.0
// Everything random of a seed: splitmix64. Streams forked from one seed do not disturb each other.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

static inline uint64_t chance_next(struct chance *chance)
{
    uint64_t z = (chance->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline struct chance chance_fork(struct chance *chance)
{
    return (struct chance){chance_next(chance)};
}

// 0 … below − 1
static inline int64_t chance_below(struct chance *chance, int64_t below)
{
    return below > 0 ? (int64_t)(chance_next(chance) % (uint64_t)below) : 0;
}

// from … to, both possible
static inline int64_t chance_range(struct chance *chance, int64_t from, int64_t to)
{
    return from + chance_below(chance, to - from + 1);
}

static inline bool chance_permille(struct chance *chance, int permille)
{
    return chance_below(chance, 1000) < permille;
}

// Small numbers often, large ones sometimes: every power of two of the range is as likely.
static inline int64_t chance_spread(struct chance *chance, int64_t from, int64_t to)
{
    int bits = 0;
    while (bits < 62 && (INT64_C(1) << bits) <= to - from)
        bits++;
    int64_t most = (INT64_C(1) << chance_range(chance, 0, bits)) - 1;
    return from + chance_below(chance, (most < to - from ? most : to - from) + 1);
}
