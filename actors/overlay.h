// SPDX-License-Identifier: Apache-2.0
// The rows one turn touches: what was loaded, seen together with what earlier messages of the same turn changed.
// A row that is forgotten at the turn's time (forget_at ≤ at) counts as absent. Owned by the actor's thread; empty
// between turns.
//
//   O1  a row is read from the store at most once a turn
//   O2  only dirty rows are written, each once, with its last value
#pragma once

#include "actors/cache.h"
#include "store/store.h"

struct overlay_row {
    struct bytes key;
    struct bytes value; // at NULL: absent
    uint64_t hash;
    uint32_t next_dirty; // of the same entity (CHILD, DUE); 0: none
    uint8_t family;
    bool wanted; // to be fetched
    bool dirty;
    bool cached; // in the cache's younger generation as it is here
};

struct overlay {
    struct store *store;
    struct cache *cache; // NULL: none
    struct arena *arena;
    int64_t at;
    struct overlay_row *rows; // [0] unused
    uint32_t count, capacity;
    uint32_t *table; // row numbers by hash, open addressing
    uint32_t table_size;
    uint32_t wanted;
    enum fault fault; // of a read; the turn then ends the process
};

void overlay_init(struct overlay *overlay, struct store *store, struct cache *cache, struct arena *arena);
void overlay_deinit(struct overlay *overlay);
// Empties it for a turn at this time.
void overlay_begin(struct overlay *overlay, int64_t at);

// Notes a row for the turn's one multi-get.
void overlay_want(struct overlay *overlay, enum family family, struct bytes key);
void overlay_fetch(struct overlay *overlay);
// The row as this turn sees it; at NULL: absent. Reads the store if it was not fetched.
struct bytes overlay_get(struct overlay *overlay, enum family family, struct bytes key);
// Has this turn put the row? The store is not asked.
bool overlay_written(const struct overlay *overlay, enum family family, struct bytes key);
void overlay_put(struct overlay *overlay, enum family family, struct bytes key, struct bytes value);
void overlay_delete(struct overlay *overlay, enum family family, struct bytes key);

struct overlay_found {
    struct bytes key, value;
};
// Which rows a scan finds: from ≤ key < to, all keys begin with `entity`; it ends with the row that brings the sum of
// their weights to `max`, and reads one row more.
struct overlay_range {
    struct bytes entity, from, to;
    uint32_t max;
    uint32_t (*weigh)(struct bytes value); // NULL: a row weighs 1
};
// Ascending. `behind` (may be NULL) becomes the key of the first row after them; at NULL: none.
uint32_t overlay_scan(struct overlay *overlay, enum family family, const struct overlay_range *range,
                      struct overlay_found **found, struct bytes *behind);

// Puts and deletes the dirty rows into the store's batch, in the order of their keys; returns how many.
uint32_t overlay_flush(struct overlay *overlay);
// The batch is committed: what this turn saw goes into the cache.
void overlay_committed(struct overlay *overlay);
