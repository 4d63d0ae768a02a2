// SPDX-License-Identifier: Apache-2.0
// A shop's databases as tools read them: the owner map and one store for each actor. Filled by directory.h from disk,
// by replay and tests by hand. One thread.
#pragma once

#include "codec/fault.h"
#include "store/log.h"

struct databases {
    struct owner_map owners;                  // in force: whose slots count where (store/shop.h, R1)
    struct owner_map ever;                    // databases there are: their logs count for ever (R4)
    struct store *of[KIND_COUNT][ACTORS_MAX]; // NULL: not opened
};

// The first thing that went wrong while reading; everything later ends early.
struct trouble {
    enum fault fault;
    struct fault_text text;
};
// Keeps the first.
void trouble_note(struct trouble *trouble, enum fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// The rows of one family of one kind, over all its actors, only slots that the owner map gives them: ascending by
// entity, so that tables of kinds with the same keys can be merged.
struct table {
    const struct databases *databases;
    struct trouble *trouble;
    enum kind_id kind;
    enum family family;
    uint16_t next_actor;
    struct store_scan *scan;
    // The row it stands on; lives until table_next. `entity` (E of store/keys.h) is empty behind the last row.
    struct bytes entity, key, rest, value;
    uint16_t slot;
};

// Stands on the first row.
void table_open(struct table *table, const struct databases *databases, enum kind_id kind, enum family family,
                struct trouble *trouble);
void table_next(struct table *table);
void table_close(struct table *table);
static inline bool table_ended(const struct table *table)
{
    return table->entity.size == 0;
}
// Notes a row that does not decode as what it should be.
void table_corrupt(const struct table *table);
