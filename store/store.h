// SPDX-License-Identifier: Apache-2.0
// What survives: one contract, two backends (rocks.c, memory.c). A store is one database: families of rows, each
// ordered by key bytes. One thread at a time uses a store (its actor; or a tool).
//
//   S1  rows put and deleted since the last commit become durable and visible together, or not at all
//   S2  after a failed commit nothing is known: the process must end and reopen
//   S3  reads see what is committed, never what is only put
//   S4  a row whose record says forget_at ≤ the store's horizon may vanish any time (families HEAD, CHILD, REMEMBERED);
//       nobody may tell an absent row from a forgotten one
#pragma once

#include "codec/arena.h"
#include "codec/fault.h"

#include <stdatomic.h>

enum family {
    FAMILY_HEAD,       // one record for each entity
    FAMILY_OPEN,       // orders under way, instead of HEAD; payments that nobody else would ask for again
    FAMILY_CHILD,      // records below an entity
    FAMILY_DUE,        // deadlines of holds
    FAMILY_REMEMBERED, // replies by request_id
    FAMILY_LOG,        // by sequence number, ascending
    FAMILY_META,       // about this database
    FAMILY_COUNT
};
const char *family_name(enum family family);

struct store_options {
    const char *path;               // directory of this database (rocks); ignored by memory
    uint64_t memory_bytes;          // block cache and write buffers of this database together; 0: a small default
    uint32_t files;                 // kept open by this database; 0: as many as are of use
    bool sync;                      // commits are synced
    bool create;                    // make it if missing; otherwise FAULT_MISSING
    bool read_only;                 // no lock is taken, nothing is written
    const _Atomic int64_t *horizon; // rows with 0 < forget_at ≤ *horizon may be dropped; NULL: none are
};

struct store;

// FAULT_LOCKED, _MISSING, _CORRUPTION, _VERSION, _IO; `text` then says what and what to do. An unknown on-disk version
// (keys.h) refuses to open. A recovered tail is made durable before this returns (DESIGN §8).
enum fault store_rocks_open(const struct store_options *options, struct store **store, struct fault_text *text);
// Never fails. For replay, tests and the simulator.
enum fault store_memory_open(const struct store_options *options, struct store **store, struct fault_text *text);
void store_close(struct store **store);

struct store_key {
    enum family family;
    struct bytes key;
};

// values[i].at is NULL for an absent row; values live in the arena. One call for a whole turn is much cheaper than
// many; duplicates among the keys are allowed.
enum fault store_get(struct store *store, size_t count, const struct store_key keys[], struct bytes values[],
                     struct arena *arena);

// Rows with from ≤ key < to, ascending (or descending from the end). An empty `to` means no upper bound.
struct store_scan;
struct store_scan *store_scan_open(struct store *store, enum family family, struct bytes from, struct bytes to,
                                   bool descending);
// false: no more rows, or a fault (*fault set). key and value live until the next call.
bool store_scan_next(struct store_scan *scan, struct bytes *key, struct bytes *value, enum fault *fault);
void store_scan_close(struct store_scan **scan);

// Collect one batch. The bytes are copied.
void store_put(struct store *store, enum family family, struct bytes key, struct bytes value);
void store_delete(struct store *store, enum family family, struct bytes key);
// S1. Empties the batch. Without rows it does nothing. FAULT_IO: S2. Memory: keeps rows as they were if told to fail.
enum fault store_commit(struct store *store, struct fault_text *text);

// For reshape and tools; each durable when it returns.
enum fault store_clear(struct store *store, enum family family, struct bytes from, struct bytes to,
                       struct fault_text *text);
// Copies rows from ≤ key < to of `from_store` into `store`, whose range must be empty (SST export and ingest).
enum fault store_copy(struct store *store, struct store *from_store, enum family family, struct bytes from,
                      struct bytes to, struct fault_text *text);
// Hard-link checkpoint into a new directory on the same disk (memory: FAULT_USAGE).
enum fault store_checkpoint(struct store *store, const char *path, struct fault_text *text);

// What was written since it was opened; a record put counts one, the log's row is not a record.
struct store_counts {
    uint64_t commits;
    uint64_t puts;    // of records: all families but LOG and META
    uint64_t deletes; // same
    uint64_t bytes;   // keys and values of all families
};
struct store_counts store_counts(const struct store *store);

// Makes the n-th commit or clear from now fail (memory only; 0: none).
void store_memory_fail(struct store *store, unsigned nth);
