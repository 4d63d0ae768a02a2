// SPDX-License-Identifier: Apache-2.0
// What a backend of store.h provides: private to store/. Each slot keeps the contract of the store_ function of its
// name, with what store.c has done before: rows are counted, an empty batch or an empty get never arrives, and no row
// waits in the batch when a range is cleared, copied or checkpointed.
#pragma once

#include "store/store.h"

struct store_backend {
    void (*close)(struct store *store);
    enum fault (*get)(struct store *store, size_t count, const struct store_key keys[], struct bytes values[],
                      struct arena *arena);
    // Owns: the scan keeps its own copy of the bounds.
    struct store_scan *(*scan_open)(struct store *store, enum family family, struct bytes from, struct bytes to,
                                    bool descending);
    // *fault is FAULT_NONE when called.
    bool (*scan_next)(struct store_scan *scan, struct bytes *key, struct bytes *value, enum fault *fault);
    void (*scan_close)(struct store_scan *scan);
    void (*put)(struct store *store, enum family family, struct bytes key, struct bytes value);
    void (*delete)(struct store *store, enum family family, struct bytes key);
    enum fault (*commit)(struct store *store, struct fault_text *text);
    enum fault (*clear)(struct store *store, enum family family, struct bytes from, struct bytes to,
                        struct fault_text *text);
    // Both stores are of this backend. NULL: store.c copies row by row.
    enum fault (*copy)(struct store *store, struct store *from_store, enum family family, struct bytes from,
                       struct bytes to, struct fault_text *text);
    // NULL: FAULT_USAGE.
    enum fault (*checkpoint)(struct store *store, const char *path, struct fault_text *text);
};

// First member of what a backend allocates.
struct store {
    const struct store_backend *backend;
    struct store_counts counts;  // committed
    struct store_counts pending; // in the batch
    size_t rows;                 // in the batch
};
struct store_scan {
    struct store *store;
};

// Fills `text` (may be NULL) and returns `fault`.
enum fault store_fault(enum fault fault, struct fault_text *text, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// S4: does this family forget rows, and is this one to be forgotten? `horizon` may be NULL.
bool store_forgets(enum family family);
bool store_forgotten(const _Atomic int64_t *horizon, struct bytes value);
