// SPDX-License-Identifier: Apache-2.0
// The store in memory: one balanced tree for each family, a batch of rows waiting beside it. Owned by one thread.
//
//   M1  rows change in commit and clear only, so a failed commit leaves them as they were
//   M2  a row is hidden from the moment it may be forgotten (store.h S4): this backend forgets as early as it can,
//   rocks.c
//       as late as it likes, so whoever can tell the difference behaves differently on the two
#include "store/backend.h"

#include "codec/check.h"
#include "codec/pack.h"

#include <glib.h>

// Key bytes, then value bytes, in one allocation. The tree's key and value are both this.
struct row {
    struct bytes key, value;
    uint8_t data[];
};

struct memory {
    struct store store;
    GTree *families[FAMILY_COUNT];
    GArray *batch; // of struct change, in order
    const _Atomic int64_t *horizon;
    unsigned fail_nth; // commits and clears until one fails; 0: none does
};

struct change {
    enum family family;
    struct row *row; // value.at NULL: delete. Owned until committed
};

// Finds its place anew by key at each step, so it survives commits in between.
struct memory_scan {
    struct store_scan scan;
    enum family family;
    bool descending, started;
    struct buffer from, to;
    struct buffer last; // key of the row handed out
};

static struct row *row_new(struct bytes key, const struct bytes *value)
{
    size_t value_size = value ? value->size : 0;
    struct row *row = g_malloc(sizeof *row + key.size + value_size);
    if (key.size)
        memcpy(row->data, key.at, key.size);
    if (value_size)
        memcpy(row->data + key.size, value->at, value_size);
    row->key = bytes_of(row->data, key.size);
    row->value = bytes_of(value ? row->data + key.size : NULL, value_size);
    return row;
}

static int row_compare(const void *a, const void *b, void *context)
{
    (void)context;
    return bytes_compare(((const struct row *)a)->key, ((const struct row *)b)->key);
}

static bool hidden(const struct memory *memory, enum family family, const struct row *row)
{
    return store_forgets(family) && store_forgotten(memory->horizon, row->value);
}

static void batch_drop(struct memory *memory)
{
    for (guint i = 0; i < memory->batch->len; i++)
        g_free(g_array_index(memory->batch, struct change, i).row);
    g_array_set_size(memory->batch, 0);
}

static void memory_close(struct store *store)
{
    struct memory *memory = (struct memory *)store;
    for (int i = 0; i < FAMILY_COUNT; i++)
        g_tree_unref(memory->families[i]);
    batch_drop(memory);
    g_array_unref(memory->batch);
    g_free(memory);
}

static enum fault memory_get(struct store *store, size_t count, const struct store_key keys[], struct bytes values[],
                             struct arena *arena)
{
    struct memory *memory = (struct memory *)store;
    for (size_t i = 0; i < count; i++) {
        struct row probe = {.key = keys[i].key};
        struct row *row = g_tree_lookup(memory->families[keys[i].family], &probe);
        if (!row || hidden(memory, keys[i].family, row))
            values[i] = (struct bytes){0};
        else
            values[i] = row->value.size ? arena_copy(arena, row->value) : BYTES("");
    }
    return FAULT_NONE;
}

static struct store_scan *memory_scan_open(struct store *store, enum family family, struct bytes from, struct bytes to,
                                           bool descending)
{
    struct memory_scan *scan = g_new0(struct memory_scan, 1);
    scan->scan.store = store;
    scan->family = family;
    scan->descending = descending;
    buffer_append(&scan->from, from.at, from.size);
    buffer_append(&scan->to, to.at, to.size);
    return &scan->scan;
}

static GTreeNode *first_node(struct memory_scan *scan, GTree *tree)
{
    struct row from = {.key = buffer_bytes(&scan->from)}, last = {.key = buffer_bytes(&scan->last)};
    return scan->started ? g_tree_upper_bound(tree, &last) : g_tree_lower_bound(tree, &from);
}

// The last node before `last`, or before `to` at the start.
static GTreeNode *last_node(struct memory_scan *scan, GTree *tree)
{
    struct row bound = {.key = buffer_bytes(scan->started ? &scan->last : &scan->to)};
    GTreeNode *behind = scan->started || bound.key.size ? g_tree_lower_bound(tree, &bound) : NULL;
    return behind ? g_tree_node_previous(behind) : g_tree_node_last(tree);
}

static bool within(const struct memory_scan *scan, struct bytes key)
{
    return bytes_compare(key, buffer_bytes(&scan->from)) >= 0 &&
           (!scan->to.size || bytes_compare(key, buffer_bytes(&scan->to)) < 0);
}

static bool memory_scan_next(struct store_scan *at, struct bytes *key, struct bytes *value, enum fault *fault)
{
    struct memory_scan *scan = (struct memory_scan *)at;
    struct memory *memory = (struct memory *)at->store;
    GTree *tree = memory->families[scan->family];
    for (;;) {
        GTreeNode *node = scan->descending ? last_node(scan, tree) : first_node(scan, tree);
        struct row *row = node ? g_tree_node_value(node) : NULL;
        if (!row || !within(scan, row->key))
            return false;
        buffer_clear(&scan->last);
        buffer_append(&scan->last, row->key.at, row->key.size);
        scan->started = true;
        if (hidden(memory, scan->family, row))
            continue;
        *key = row->key;
        *value = row->value;
        return true;
    }
}

static void memory_scan_close(struct store_scan *at)
{
    struct memory_scan *scan = (struct memory_scan *)at;
    buffer_deinit(&scan->from);
    buffer_deinit(&scan->to);
    buffer_deinit(&scan->last);
    g_free(scan);
}

static void memory_put(struct store *store, enum family family, struct bytes key, struct bytes value)
{
    struct change change = {family, row_new(key, &value)};
    g_array_append_val(((struct memory *)store)->batch, change);
}

static void memory_delete(struct store *store, enum family family, struct bytes key)
{
    struct change change = {family, row_new(key, NULL)};
    g_array_append_val(((struct memory *)store)->batch, change);
}

static void change_apply(struct memory *memory, struct change *change)
{
    GTree *tree = memory->families[change->family];
    if (change->row->value.at) {
        g_tree_replace(tree, change->row, change->row);
    } else {
        g_tree_remove(tree, change->row);
        g_free(change->row);
    }
    change->row = NULL;
}

static bool fails_now(struct memory *memory)
{
    return memory->fail_nth && --memory->fail_nth == 0;
}

static enum fault memory_commit(struct store *store, struct fault_text *text)
{
    struct memory *memory = (struct memory *)store;
    bool fails = fails_now(memory);
    for (guint i = 0; !fails && i < memory->batch->len; i++)
        change_apply(memory, &g_array_index(memory->batch, struct change, i));
    batch_drop(memory);
    return fails ? store_fault(FAULT_IO, text, "memory: this commit was told to fail") : FAULT_NONE;
}

static enum fault memory_clear(struct store *store, enum family family, struct bytes from, struct bytes to,
                               struct fault_text *text)
{
    GTree *tree = ((struct memory *)store)->families[family];
    struct row probe = {.key = from};
    GTreeNode *node;
    if (fails_now((struct memory *)store))
        return store_fault(FAULT_IO, text, "memory: this clear was told to fail");
    while ((node = g_tree_lower_bound(tree, &probe))) {
        struct row *row = g_tree_node_value(node);
        if (to.size && bytes_compare(row->key, to) >= 0)
            break;
        g_tree_remove(tree, row);
    }
    return FAULT_NONE;
}

void store_memory_fail(struct store *store, unsigned nth)
{
    CHECK(store->backend->close == memory_close, "not in memory");
    ((struct memory *)store)->fail_nth = nth;
}

enum fault store_memory_open(const struct store_options *options, struct store **store, struct fault_text *text)
{
    static const struct store_backend backend = {
        .close = memory_close,
        .get = memory_get,
        .scan_open = memory_scan_open,
        .scan_next = memory_scan_next,
        .scan_close = memory_scan_close,
        .put = memory_put,
        .delete = memory_delete,
        .commit = memory_commit,
        .clear = memory_clear,
    };
    struct memory *memory = g_new0(struct memory, 1);
    memory->store.backend = &backend;
    memory->horizon = options->horizon;
    memory->batch = g_array_new(FALSE, FALSE, sizeof(struct change));
    for (int i = 0; i < FAMILY_COUNT; i++)
        memory->families[i] = g_tree_new_full(row_compare, NULL, NULL, g_free);
    *store = &memory->store;
    return FAULT_NONE;
}
