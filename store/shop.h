// SPDX-License-Identifier: Apache-2.0
// The shop's directory: DIR/meta with the epoch and the owner map, DIR/KIND-N for each actor. One synced write of the
// shop record is the only commit point of a reshape. Used by one thread, before and after actors run, and by tools.
//
//   R1  a slot's rows count only in the database that the owner map names; elsewhere they are garbage
//   R2  a reshape copies first (emptied, copied, flushed) and commits the map last; a crash before that changes nothing
//   R3  garbage is removed before serving
//   R4  a log stays in the database that wrote it; a database that owns nothing any more keeps its log
#pragma once

#include "store/log.h"

struct shop_record {
    uint64_t epoch;           // the last one begun; 0: never served
    uint64_t served;          // the last one that all databases had seen (store/epochs.h)
    struct owner_map owners;  // in force
    struct owner_map ever;    // databases there are: KIND-0 … KIND-(n-1)
    int64_t written_at;
};

struct shop;
struct shelf;

// Opens DIR/meta, creating DIR when `create`. Holds the lock on the shop until closed. FAULT_LOCKED: a node runs here.
enum fault shop_open(const char *path, bool create, bool read_only, struct shop **shop, struct fault_text *text);
// The same, where its databases stand elsewhere than on a disk. The caller keeps the shelf.
enum fault shop_open_on(const struct shelf *shelf, const char *path, bool create, bool read_only, struct shop **shop,
                        struct fault_text *text);
void shop_close(struct shop **shop);
const struct shop_record *shop_record(const struct shop *shop);
const char *shop_path(const struct shop *shop);
// DIR/meta, for the other files of this room that keep rows there.
struct store *shop_meta(struct shop *shop);
// DIR/KIND-N, into `out`.
struct shop_database_path { char text[4096]; };
struct shop_database_path shop_database(const struct shop *shop, struct actor_id actor);

// Makes the databases fit `wanted`: moves slots whose owner changes (R2), commits, removes garbage (R3). Does nothing
// but R3 when the maps are equal. `progress` (may be NULL) is called with a line for the operator's log.
enum fault shop_reshape(struct shop *shop, const struct owner_map *wanted, uint64_t memory_bytes, bool sync,
                        void (*progress)(const char *line), struct fault_text *text);
// Synced: the next epoch begins with this number.
enum fault shop_begin_epoch(struct shop *shop, uint64_t epoch, int64_t at, struct fault_text *text);

// Synced: every database has seen the epoch that was begun; it may be served.
enum fault shop_serve_epoch(struct shop *shop, struct fault_text *text);

// Hard-link checkpoint of DIR/meta into path/meta (the actors make those of their own databases). Any thread, once at
// a time.
enum fault shop_checkpoint(struct shop *shop, const char *path, struct fault_text *text);

// What a reshape would do, for `souk topology check`: one call for each range that moves.
void shop_plan(const struct owner_map *from, const struct owner_map *to,
               void (*move)(void *context, struct actor_id source, struct actor_id target, uint32_t slot_from, uint32_t slot_to),
               void *context);
