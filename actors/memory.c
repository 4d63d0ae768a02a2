// SPDX-License-Identifier: Apache-2.0
#include "actors/memory.h"

#include "store/tuning.h"

enum { ROWS_SHARE = 8 };

static uint32_t sum(const struct owner_map *map)
{
    uint32_t count = 0;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        count += map->count[kind];
    return count;
}

// Of meta and the retired.
static uint64_t set_aside(const struct owner_map *owners, const struct owner_map *ever)
{
    return (uint64_t)(sum(ever) - sum(owners) + 1) * TUNING_MEMORY_MIN;
}

struct memory_share memory_share(uint64_t memory_bytes, const struct owner_map *owners, const struct owner_map *ever)
{
    uint64_t aside = set_aside(owners, ever);
    uint64_t each = memory_bytes > aside ? (memory_bytes - aside) / sum(owners) : 0;
    uint64_t rows = each / ROWS_SHARE, database = each - rows;
    return (struct memory_share){
        .rows = rows,
        .database = database > TUNING_MEMORY_MIN ? database : TUNING_MEMORY_MIN,
        .retired = TUNING_MEMORY_MIN,
    };
}

uint64_t memory_taken(uint64_t memory_bytes, const struct owner_map *owners, const struct owner_map *ever)
{
    struct memory_share share = memory_share(memory_bytes, owners, ever);
    return set_aside(owners, ever) + sum(owners) * (share.rows + share.database);
}
