// SPDX-License-Identifier: Apache-2.0
// What both backends share: dispatch, counting, and copying row by row where a backend cannot do better.
#include "store/backend.h"

#include "codec/check.h"
#include "codec/schema.h"

#include <stdarg.h>
#include <stdio.h>

// A copy row by row commits when this many bytes wait.
enum { COPY_BATCH_SIZE = 4 * 1024 * 1024 };

const char *family_name(enum family family)
{
    static const char *const names[FAMILY_COUNT] = {
        [FAMILY_HEAD] = "head",
        [FAMILY_OPEN] = "open",
        [FAMILY_CHILD] = "child",
        [FAMILY_DUE] = "due",
        [FAMILY_REMEMBERED] = "remembered",
        [FAMILY_LOG] = "log",
        [FAMILY_META] = "meta",
    };
    CHECK(family < FAMILY_COUNT, "family %d", (int)family);
    return names[family];
}

enum fault store_fault(enum fault fault, struct fault_text *text, const char *format, ...)
{
    if (text) {
        va_list args;
        va_start(args, format);
        vsnprintf(text->line, sizeof text->line, format, args);
        va_end(args);
    }
    return fault;
}

bool store_forgets(enum family family)
{
    return family == FAMILY_HEAD || family == FAMILY_CHILD || family == FAMILY_REMEMBERED;
}

bool store_forgotten(const _Atomic int64_t *horizon, struct bytes value)
{
    if (!horizon)
        return false;
    int64_t forget_at = record_forget_at(value);
    return forget_at > 0 && forget_at <= atomic_load_explicit(horizon, memory_order_relaxed);
}

void store_close(struct store **store)
{
    if (*store)
        (*store)->backend->close(*store);
    *store = NULL;
}

enum fault store_get(struct store *store, size_t count, const struct store_key keys[], struct bytes values[],
                     struct arena *arena)
{
    return count ? store->backend->get(store, count, keys, values, arena) : FAULT_NONE;
}

struct store_scan *store_scan_open(struct store *store, enum family family, struct bytes from, struct bytes to,
                                   bool descending)
{
    return store->backend->scan_open(store, family, from, to, descending);
}

bool store_scan_next(struct store_scan *scan, struct bytes *key, struct bytes *value, enum fault *fault)
{
    *fault = FAULT_NONE;
    return scan->store->backend->scan_next(scan, key, value, fault);
}

void store_scan_close(struct store_scan **scan)
{
    if (*scan)
        (*scan)->store->backend->scan_close(*scan);
    *scan = NULL;
}

static bool counts_as_record(enum family family)
{
    return family != FAMILY_LOG && family != FAMILY_META;
}

void store_put(struct store *store, enum family family, struct bytes key, struct bytes value)
{
    store->rows++;
    store->pending.puts += counts_as_record(family);
    store->pending.bytes += key.size + value.size;
    store->backend->put(store, family, key, value);
}

void store_delete(struct store *store, enum family family, struct bytes key)
{
    store->rows++;
    store->pending.deletes += counts_as_record(family);
    store->pending.bytes += key.size;
    store->backend->delete (store, family, key);
}

enum fault store_commit(struct store *store, struct fault_text *text)
{
    if (!store->rows)
        return FAULT_NONE;
    enum fault fault = store->backend->commit(store, text);
    if (!fault) {
        store->counts.commits++;
        store->counts.puts += store->pending.puts;
        store->counts.deletes += store->pending.deletes;
        store->counts.bytes += store->pending.bytes;
    }
    store->pending = (struct store_counts){0};
    store->rows = 0;
    return fault;
}

struct store_counts store_counts(const struct store *store)
{
    return store->counts;
}

enum fault store_clear(struct store *store, enum family family, struct bytes from, struct bytes to,
                       struct fault_text *text)
{
    CHECK(!store->rows, "%zu rows wait for a commit", store->rows);
    return store->backend->clear(store, family, from, to, text);
}

static enum fault copy_rows(struct store *store, struct store_scan *scan, enum family family, struct fault_text *text)
{
    struct bytes key, value;
    enum fault fault;
    while (store_scan_next(scan, &key, &value, &fault)) {
        store_put(store, family, key, value);
        if (store->pending.bytes >= COPY_BATCH_SIZE && (fault = store_commit(store, text)))
            return fault;
    }
    if (fault)
        return store_fault(fault, text, "a row of %s cannot be read while copying", family_name(family));
    return store_commit(store, text);
}

enum fault store_copy(struct store *store, struct store *from_store, enum family family, struct bytes from,
                      struct bytes to, struct fault_text *text)
{
    CHECK(store != from_store && !store->rows, "%zu rows wait for a commit", store->rows);
    if (store->backend == from_store->backend && store->backend->copy)
        return store->backend->copy(store, from_store, family, from, to, text);
    struct store_scan *scan = store_scan_open(from_store, family, from, to, false);
    enum fault fault = copy_rows(store, scan, family, text);
    store_scan_close(&scan);
    return fault;
}

enum fault store_checkpoint(struct store *store, const char *path, struct fault_text *text)
{
    CHECK(!store->rows, "%zu rows wait for a commit", store->rows);
    if (!store->backend->checkpoint)
        return store_fault(FAULT_USAGE, text, "%s: a store in memory has no checkpoint", path);
    return store->backend->checkpoint(store, path, text);
}
