// SPDX-License-Identifier: Apache-2.0
// How store.memory_mb is divided: a little for `meta` and for each retired actor, which only reads its log; the rest evenly
// over those that serve, an eighth of it for rows touched lately, the other for their database. No database can do with
// less than TUNING_MEMORY_MIN, so a small figure is exceeded by many actors. Pure; any thread.
#pragma once

#include "store/log.h"

struct memory_share {
    uint64_t rows, database; // of a serving actor
    uint64_t retired;        // database of a retired one
};

// `owners`: who serves; `ever`: all databases.
struct memory_share memory_share(uint64_t memory_bytes, const struct owner_map *owners, const struct owner_map *ever);
// What all of them may come to take together.
uint64_t memory_taken(uint64_t memory_bytes, const struct owner_map *owners, const struct owner_map *ever);
