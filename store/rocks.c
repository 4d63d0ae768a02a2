// SPDX-License-Identifier: Apache-2.0
// The store on disk: the only file that knows rocksdb/c.h. One RocksDB, one column family for each family (META is the
// default one). Owned by one thread; RocksDB's own threads flush and compact, and call forget() below.
//
//   D1  a commit is one WriteBatch, hence one record of the write-ahead log: whole or absent after a crash
//   D2  recovery tolerates a torn last record and nothing else. What a flipped byte makes unreadable was perhaps
//       acknowledged, so the database then refuses to open instead of losing it quietly
//   D3  what recovery read from the write-ahead log is durable when open returns: avoid_flush_during_recovery stays at
//       its default (off), so RocksDB writes it to table files and syncs those and the manifest before it hands out the
//       database. The synced write of the version behind that proves that the new write-ahead log and its directory
//       entry can be written as well, before anybody is answered
//   D4  a failed write leaves RocksDB refusing all others, and the failed batch may come back on reopening: nobody here
//       retries
#include "store/backend.h"

#include "codec/check.h"
#include "store/complaint.h"
#include "store/keys.h"
#include "store/rocks_more.h"
#include "store/trim.h"
#include "store/tuning.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rocksdb/c.h>

enum { MIB = 1024 * 1024, COPY_FILE_SIZE = 64 * MIB, COPY_READAHEAD = 2 * MIB };

// One store_get, its keys in the order of the database. Grows, never shrinks.
struct asked {
    struct store_key key;
    uint64_t head; // the key's first bytes as a number: settles most comparisons
    size_t index;  // among the caller's
};
struct lookup {
    struct asked *asked;
    const char **keys; // those of one family, each once
    size_t *sizes;
    rocksdb_pinnableslice_t **found;
    char **errors;
    size_t capacity;
};

struct rocks {
    struct store store;
    char *path;
    bool read_only;
    const _Atomic int64_t *horizon;
    rocksdb_t *db;
    rocksdb_column_family_handle_t *families[FAMILY_COUNT];
    rocksdb_options_t *options[FAMILY_COUNT];
    rocksdb_compactionfilter_t *filter; // NULL: nothing is forgotten
    rocksdb_readoptions_t *read;
    rocksdb_writeoptions_t *write, *write_synced;
    rocksdb_writebatch_t *batch;
    struct lookup lookup;
    struct trim trim; // not when read-only
};

struct rocks_scan {
    struct store_scan scan;
    rocksdb_readoptions_t *read;
    rocksdb_iterator_t *rows;
    bool descending, started;
    char bounds[]; // RocksDB keeps pointers to them
};

static const char *bytes_chars(struct bytes bytes)
{
    return bytes.at ? (const char *)bytes.at : "";
}

// ---- what went wrong ----

// Takes `error`; NULL is none.
static enum fault failed(const struct rocks *rocks, const char *doing, char *error, struct fault_text *text)
{
    if (!error)
        return FAULT_NONE;
    const char *advice;
    enum fault fault = complaint_fault(error, &advice);
    store_fault(fault, text, "%s: cannot %s: %s (%s)", rocks->path, doing, advice, error);
    rocksdb_free(error);
    return fault;
}

// ---- options ----

// S4. Called by RocksDB's threads.
static unsigned char forget(void *state, int level, const char *key, size_t key_size, const char *value,
                            size_t value_size, char **new_value, size_t *new_size, unsigned char *changed)
{
    struct rocks *rocks = state;
    return store_forgotten(rocks->horizon, bytes_of(value, value_size));
}

static void forget_destroy(void *state) {}

static const char *forget_name(void *state)
{
    return "souk.forget";
}

static void set_table(rocksdb_options_t *options, enum family family, rocksdb_cache_t *cache)
{
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(table, cache);
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(table, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(table, 1);
    // Index and filter in small parts: a whole filter of a large table would not fit a bounded cache and be read and
    // checked again by every turn.
    rocksdb_block_based_options_set_index_type(table, rocksdb_block_based_table_index_type_two_level_index_search);
    rocksdb_block_based_options_set_partition_filters(table, 1);
    rocksdb_block_based_options_set_pin_top_level_index_and_filter(table, 1);
    if (tuning_asked_by_key(family)) {
        rocksdb_block_based_options_set_filter_policy(table, rocksdb_filterpolicy_create_bloom_full(10));
        rocksdb_block_based_options_set_whole_key_filtering(table, 1);
    }
    if (family == FAMILY_LOG)
        rocksdb_block_based_options_set_block_size(table, 32 * 1024);
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
}

static rocksdb_options_t *options_new(struct rocks *rocks, enum family family, const struct tuning_share *share,
                                      rocksdb_cache_t *cache)
{
    struct buffer text = {0};
    char *error = NULL;
    rocksdb_options_t *base = rocksdb_options_create(), *options = rocksdb_options_create();
    tuning_write(&text, family, share);
    rocksdb_get_options_from_string(base, (const char *)text.at, options, &error);
    CHECK(!error, "%s", error);
    set_table(options, family, cache);
    if (rocks->filter && store_forgets(family))
        rocksdb_options_set_compaction_filter(options, rocks->filter);
    rocksdb_options_destroy(base);
    buffer_deinit(&text);
    return options;
}

static void options_make(struct rocks *rocks, const struct store_options *options)
{
    rocks_compaction_idles();
    struct tuning_share share = tuning_share(options->memory_bytes);
    share.files = tuning_files(options->files);
    rocksdb_lru_cache_options_t *whole = rocksdb_lru_cache_options_create();
    rocksdb_lru_cache_options_set_capacity(whole, share.cache);
    rocksdb_lru_cache_options_set_num_shard_bits(whole, 0); // one thread reads here
    rocksdb_cache_t *cache = rocksdb_cache_create_lru_opts(whole);
    rocksdb_lru_cache_options_destroy(whole);
    if (options->horizon && !options->read_only)
        rocks->filter = rocksdb_compactionfilter_create(rocks, forget_destroy, forget, forget_name);
    for (int i = 0; i < FAMILY_COUNT; i++)
        rocks->options[i] = options_new(rocks, i, &share, cache);
    rocksdb_cache_destroy(cache);
    rocks_no_notes(rocks->options[FAMILY_META]);
    rocks_background_rests(rocks->options[FAMILY_META]);
    rocksdb_options_set_create_if_missing(rocks->options[FAMILY_META], options->create);
    rocks->read = rocksdb_readoptions_create();
    rocks->write = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(rocks->write, options->sync);
    rocks->write_synced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(rocks->write_synced, 1);
    rocks->batch = rocksdb_writebatch_create();
}

// ---- reading ----

static void lookup_reserve(struct lookup *lookup, size_t count)
{
    if (count <= lookup->capacity)
        return;
    lookup->capacity = count * 2;
    lookup->asked = realloc(lookup->asked, lookup->capacity * sizeof *lookup->asked);
    lookup->keys = realloc(lookup->keys, lookup->capacity * sizeof *lookup->keys);
    lookup->sizes = realloc(lookup->sizes, lookup->capacity * sizeof *lookup->sizes);
    lookup->found = realloc(lookup->found, lookup->capacity * sizeof *lookup->found);
    lookup->errors = realloc(lookup->errors, lookup->capacity * sizeof *lookup->errors);
    CHECK(lookup->asked && lookup->keys && lookup->sizes && lookup->found && lookup->errors, "%zu", lookup->capacity);
}

static void lookup_deinit(struct lookup *lookup)
{
    free(lookup->asked);
    free(lookup->keys);
    free(lookup->sizes);
    free(lookup->found);
    free(lookup->errors);
}

// Takes `found` and `error`.
static enum fault value_take(rocksdb_pinnableslice_t *found, char *error, struct bytes *value, struct arena *arena)
{
    *value = (struct bytes){0};
    if (error) {
        const char *advice;
        enum fault fault = complaint_fault(error, &advice);
        rocksdb_free(error);
        return fault;
    }
    if (!found)
        return FAULT_NONE;
    size_t size;
    const char *at = rocksdb_pinnableslice_value(found, &size);
    *value = size ? arena_copy(arena, bytes_of(at, size)) : BYTES("");
    rocksdb_pinnableslice_destroy(found);
    return FAULT_NONE;
}

static enum fault get_one(struct rocks *rocks, struct store_key key, struct bytes *value, struct arena *arena)
{
    char *error = NULL;
    rocksdb_pinnableslice_t *found = rocksdb_get_pinned_cf(rocks->db, rocks->read, rocks->families[key.family],
                                                           bytes_chars(key.key), key.key.size, &error);
    return value_take(found, error, value, arena);
}

static uint64_t head_of(struct bytes key)
{
    uint64_t head = 0;
    memcpy(&head, bytes_chars(key), key.size < sizeof head ? key.size : sizeof head);
    return be64toh(head);
}

static int asked_compare(const void *left, const void *right)
{
    const struct asked *a = left, *b = right;
    if (a->key.family != b->key.family)
        return a->key.family < b->key.family ? -1 : 1;
    if (a->head != b->head)
        return a->head < b->head ? -1 : 1;
    return bytes_compare(a->key.key, b->key.key);
}

// The keys of one family from `asked` on, each once; returns how many.
static size_t keys_take(struct lookup *lookup, const struct asked *asked, size_t count)
{
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++) {
        if (i && bytes_equal(asked[i].key.key, asked[i - 1].key.key))
            continue;
        lookup->keys[distinct] = bytes_chars(asked[i].key.key);
        lookup->sizes[distinct++] = asked[i].key.key.size;
    }
    return distinct;
}

// Sorted keys walk memtable and tables once and in order; RocksDB sorts them otherwise, slower.
static enum fault get_family(struct rocks *rocks, const struct asked *asked, size_t count, struct bytes values[],
                             struct arena *arena)
{
    struct lookup *lookup = &rocks->lookup;
    size_t distinct = keys_take(lookup, asked, count);
    rocksdb_batched_multi_get_cf(rocks->db, rocks->read, rocks->families[asked->key.family], distinct, lookup->keys,
                                 lookup->sizes, lookup->found, lookup->errors, true);
    enum fault fault = FAULT_NONE;
    struct bytes value = {0};
    for (size_t i = 0, next = 0; i < count; i++) {
        if (!i || !bytes_equal(asked[i].key.key, asked[i - 1].key.key)) {
            enum fault one = value_take(lookup->found[next], lookup->errors[next], &value, arena);
            fault = fault ? fault : one;
            next++;
        }
        values[asked[i].index] = value;
    }
    return fault;
}

static enum fault rocks_get(struct store *store, size_t count, const struct store_key keys[], struct bytes values[],
                            struct arena *arena)
{
    struct rocks *rocks = (struct rocks *)store;
    if (count == 1)
        return get_one(rocks, keys[0], &values[0], arena);
    lookup_reserve(&rocks->lookup, count);
    struct asked *asked = rocks->lookup.asked;
    for (size_t i = 0; i < count; i++)
        asked[i] = (struct asked){keys[i], head_of(keys[i].key), i};
    qsort(asked, count, sizeof *asked, asked_compare);
    enum fault fault = FAULT_NONE;
    for (size_t first = 0, end; first < count && !fault; first = end) {
        for (end = first + 1; end < count && asked[end].key.family == asked[first].key.family; end++)
            ;
        fault = get_family(rocks, asked + first, end - first, values, arena);
    }
    return fault;
}

static struct rocks_scan *scan_start(struct rocks *rocks, enum family family, struct bytes from, struct bytes to,
                                     bool descending)
{
    struct rocks_scan *scan = calloc(1, sizeof *scan + from.size + to.size);
    CHECK(scan, "out of memory");
    scan->scan.store = &rocks->store;
    scan->descending = descending;
    memcpy(scan->bounds, bytes_chars(from), from.size);
    memcpy(scan->bounds + from.size, bytes_chars(to), to.size);
    scan->read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_iterate_lower_bound(scan->read, scan->bounds, from.size);
    if (to.size)
        rocksdb_readoptions_set_iterate_upper_bound(scan->read, scan->bounds + from.size, to.size);
    return scan;
}

static void scan_seek(struct rocks *rocks, struct rocks_scan *scan, enum family family)
{
    scan->rows = rocksdb_create_iterator_cf(rocks->db, scan->read, rocks->families[family]);
    if (scan->descending)
        rocksdb_iter_seek_to_last(scan->rows);
    else
        rocksdb_iter_seek_to_first(scan->rows);
}

static struct store_scan *rocks_scan_open(struct store *store, enum family family, struct bytes from, struct bytes to,
                                          bool descending)
{
    struct rocks *rocks = (struct rocks *)store;
    struct rocks_scan *scan = scan_start(rocks, family, from, to, descending);
    scan_seek(rocks, scan, family);
    return &scan->scan;
}

static bool rocks_scan_next(struct store_scan *at, struct bytes *key, struct bytes *value, enum fault *fault)
{
    struct rocks_scan *scan = (struct rocks_scan *)at;
    if (scan->started && rocksdb_iter_valid(scan->rows)) {
        if (scan->descending)
            rocksdb_iter_prev(scan->rows);
        else
            rocksdb_iter_next(scan->rows);
    }
    scan->started = true;
    if (!rocksdb_iter_valid(scan->rows)) {
        char *error = NULL;
        rocksdb_iter_get_error(scan->rows, &error);
        *fault = failed((struct rocks *)at->store, "read", error, NULL);
        return false;
    }
    key->at = (const uint8_t *)rocksdb_iter_key(scan->rows, &key->size);
    value->at = (const uint8_t *)rocksdb_iter_value(scan->rows, &value->size);
    return true;
}

static void rocks_scan_close(struct store_scan *at)
{
    struct rocks_scan *scan = (struct rocks_scan *)at;
    rocksdb_iter_destroy(scan->rows);
    rocksdb_readoptions_destroy(scan->read);
    free(scan);
}

// ---- writing ----

static void rocks_put(struct store *store, enum family family, struct bytes key, struct bytes value)
{
    struct rocks *rocks = (struct rocks *)store;
    rocksdb_writebatch_put_cf(rocks->batch, rocks->families[family], bytes_chars(key), key.size, bytes_chars(value),
                              value.size);
}

static void rocks_delete(struct store *store, enum family family, struct bytes key)
{
    struct rocks *rocks = (struct rocks *)store;
    rocksdb_writebatch_delete_cf(rocks->batch, rocks->families[family], bytes_chars(key), key.size);
}

static enum fault batch_write(struct rocks *rocks, rocksdb_writeoptions_t *how, struct fault_text *text)
{
    CHECK(!rocks->read_only, "%s", rocks->path);
    char *error = NULL;
    rocksdb_write(rocks->db, how, rocks->batch, &error);
    rocksdb_writebatch_clear(rocks->batch);
    return failed(rocks, "write, and whether this batch was written is unknown", error, text);
}

static enum fault rocks_commit(struct store *store, struct fault_text *text)
{
    struct rocks *rocks = (struct rocks *)store;
    enum fault fault = batch_write(rocks, rocks->write, text);
    if (!fault)
        trim_step(&rocks->trim, store->pending.bytes);
    return fault;
}

static enum fault flush(struct rocks *rocks, enum family family, struct fault_text *text)
{
    rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
    char *error = NULL;
    rocksdb_flushoptions_set_wait(options, 1);
    rocksdb_flush_cf(rocks->db, options, rocks->families[family], &error);
    rocksdb_flushoptions_destroy(options);
    return failed(rocks, "flush", error, text);
}

// A key just before `to`: RocksDB drops files up to and including a limit.
static void write_limit_before(struct buffer *out, struct bytes to)
{
    buffer_append(out, to.at, to.size - 1);
    if (to.at[to.size - 1] == 0)
        return;
    uint8_t lower[] = {(uint8_t)(to.at[to.size - 1] - 1), 0xff, 0xff, 0xff, 0xff};
    buffer_append(out, lower, sizeof lower);
}

// Table files that lie wholly within the range go at once, at no cost for their size. What that leaves behind (level 0,
// files across a bound, older versions below a dropped file) is covered by a range tombstone, which must come second:
// the first step would drop it with its file. The flush keeps the tombstone out of the memtable, where reads and a
// later ingest would pay for it. No compaction: one costs as much as the rows that stay, the next ordinary one does it.
static enum fault clear_range(struct rocks *rocks, enum family family, struct bytes from, struct bytes to,
                              struct fault_text *text)
{
    rocksdb_column_family_handle_t *handle = rocks->families[family];
    struct buffer limit = {0};
    char *error = NULL;
    write_limit_before(&limit, to);
    if (limit.size && bytes_compare(from, buffer_bytes(&limit)) <= 0) // NULL would be no limit
        rocksdb_delete_file_in_range_cf(rocks->db, handle, bytes_chars(from), from.size, (const char *)limit.at,
                                        limit.size, &error);
    buffer_deinit(&limit);
    enum fault fault = failed(rocks, "drop files", error, text);
    if (fault)
        return fault;
    rocksdb_writebatch_delete_range_cf(rocks->batch, handle, bytes_chars(from), from.size, bytes_chars(to), to.size);
    fault = batch_write(rocks, rocks->write_synced, text);
    return fault ? fault : flush(rocks, family, text);
}

static enum fault rocks_clear(struct store *store, enum family family, struct bytes from, struct bytes to,
                              struct fault_text *text)
{
    struct rocks *rocks = (struct rocks *)store;
    struct bytes key, value;
    enum fault fault = FAULT_NONE;
    struct buffer end = {0};
    struct store_scan *last = rocks_scan_open(store, family, from, to, true);
    bool any = rocks_scan_next(last, &key, &value, &fault);
    if (any) {
        buffer_append(&end, key.at, key.size);
        buffer_append(&end, "", 1); // the first key behind the last row
    }
    rocks_scan_close(last);
    if (any)
        fault = clear_range(rocks, family, from, to.size ? to : buffer_bytes(&end), text);
    else if (fault)
        store_fault(fault, text, "%s: a row of %s cannot be read", rocks->path, family_name(family));
    buffer_deinit(&end);
    return fault;
}

// ---- copying between databases ----

struct copying {
    struct rocks *rocks; // the target
    enum family family;
    struct store_scan *rows; // of the source
    struct bytes key, value; // the next row
    bool more;
    struct fault_text *text;
    struct buffer file; // path, NUL-terminated
};

static enum fault copying_next(struct copying *copying)
{
    enum fault fault = FAULT_NONE;
    copying->more = rocks_scan_next(copying->rows, &copying->key, &copying->value, &fault);
    if (fault)
        store_fault(fault, copying->text, "%s: a row of %s cannot be read; restore this directory from a copy",
                    ((struct rocks *)copying->rows->store)->path, family_name(copying->family));
    return fault;
}

// Rows into the file until it is full or they end.
static enum fault file_fill(struct copying *copying, rocksdb_sstfilewriter_t *writer)
{
    char *error = NULL;
    uint64_t size = 0;
    enum fault fault = FAULT_NONE;
    rocksdb_sstfilewriter_open(writer, (const char *)copying->file.at, &error);
    while (!error && !fault && copying->more && size < COPY_FILE_SIZE) {
        rocksdb_sstfilewriter_put(writer, bytes_chars(copying->key), copying->key.size, bytes_chars(copying->value),
                                  copying->value.size, &error);
        rocksdb_sstfilewriter_file_size(writer, &size);
        fault = copying_next(copying);
    }
    if (!error)
        rocksdb_sstfilewriter_finish(writer, &error);
    enum fault writing = failed(copying->rocks, "write a table file", error, copying->text);
    return writing ? writing : fault;
}

static enum fault file_ingest(struct copying *copying)
{
    struct rocks *rocks = copying->rocks;
    const char *files[] = {(const char *)copying->file.at};
    rocksdb_ingestexternalfileoptions_t *options = rocksdb_ingestexternalfileoptions_create();
    char *error = NULL;
    rocksdb_ingestexternalfileoptions_set_move_files(options, 1);
    rocksdb_ingest_external_file_cf(rocks->db, rocks->families[copying->family], files, 1, options, &error);
    rocksdb_ingestexternalfileoptions_destroy(options);
    return failed(rocks, "take in a table file", error, copying->text);
}

static enum fault file_copy(struct copying *copying)
{
    rocksdb_envoptions_t *environment = rocksdb_envoptions_create();
    rocksdb_sstfilewriter_t *writer =
        rocksdb_sstfilewriter_create(environment, copying->rocks->options[copying->family]);
    enum fault fault = file_fill(copying, writer);
    rocksdb_sstfilewriter_destroy(writer);
    rocksdb_envoptions_destroy(environment);
    return fault ? fault : file_ingest(copying);
}

static void path_incoming(struct buffer *out, const struct rocks *rocks)
{
    buffer_printf(out, "%s/incoming", rocks->path);
    buffer_append(out, "", 1);
}

// Each table file is synced and moved in before the next is begun, into an empty range. RocksDB flushes by itself what it
// overlaps in memory; the target is flushed first all the same, so that no ingested file has a number between those of
// rows that wait: RocksDB 7.8 may misorder level 0 by them (facebook/rocksdb pull request 10922).
static enum fault copy_files(struct copying *copying)
{
    enum fault fault = copying_next(copying);
    if (!fault && copying->more)
        fault = flush(copying->rocks, copying->family, copying->text);
    path_incoming(&copying->file, copying->rocks);
    while (!fault && copying->more)
        fault = file_copy(copying);
    unlink((const char *)copying->file.at); // there only if something failed
    buffer_deinit(&copying->file);
    return fault;
}

static enum fault rocks_copy(struct store *store, struct store *from_store, enum family family, struct bytes from,
                             struct bytes to, struct fault_text *text)
{
    struct rocks *source = (struct rocks *)from_store;
    struct rocks_scan *scan = scan_start(source, family, from, to, false);
    rocksdb_readoptions_set_fill_cache(scan->read, 0);
    rocksdb_readoptions_set_readahead_size(scan->read, COPY_READAHEAD);
    scan_seek(source, scan, family);
    struct copying copying = {.rocks = (struct rocks *)store, .family = family, .rows = &scan->scan, .text = text};
    enum fault fault = copy_files(&copying);
    rocks_scan_close(&scan->scan);
    return fault;
}

static enum fault rocks_checkpoint(struct store *store, const char *path, struct fault_text *text)
{
    struct rocks *rocks = (struct rocks *)store;
    char *error = NULL;
    rocksdb_checkpoint_t *checkpoint = rocksdb_checkpoint_object_create(rocks->db, &error);
    if (checkpoint) {
        rocksdb_checkpoint_create(checkpoint, path, 0, &error);
        rocksdb_checkpoint_object_destroy(checkpoint);
    }
    return failed(rocks, "make a checkpoint", error, text);
}

// ---- opening and closing ----

static void rocks_close(struct store *store)
{
    struct rocks *rocks = (struct rocks *)store;
    for (int i = 0; i < FAMILY_COUNT; i++)
        if (rocks->families[i])
            rocksdb_column_family_handle_destroy(rocks->families[i]);
    if (rocks->db)
        rocksdb_close(rocks->db);
    for (int i = 0; i < FAMILY_COUNT; i++)
        rocksdb_options_destroy(rocks->options[i]);
    if (rocks->filter)
        rocksdb_compactionfilter_destroy(rocks->filter);
    rocksdb_readoptions_destroy(rocks->read);
    rocksdb_writeoptions_destroy(rocks->write);
    rocksdb_writeoptions_destroy(rocks->write_synced);
    rocksdb_writebatch_destroy(rocks->batch);
    lookup_deinit(&rocks->lookup);
    trim_deinit(&rocks->trim);
    free(rocks->path);
    free(rocks);
}

static bool exists(const struct rocks *rocks)
{
    struct buffer current = {0};
    buffer_printf(&current, "%s/CURRENT", rocks->path);
    buffer_append(&current, "", 1);
    bool found = access((const char *)current.at, F_OK) == 0;
    buffer_deinit(&current);
    return found;
}

static enum fault database_open(struct rocks *rocks, struct fault_text *text)
{
    const char *names[FAMILY_COUNT];
    for (int i = 0; i < FAMILY_COUNT; i++)
        names[i] = i == FAMILY_META ? "default" : family_name(i);
    const rocksdb_options_t *const *options = (const rocksdb_options_t *const *)rocks->options;
    char *error = NULL;
    if (rocks->read_only)
        rocks->db = rocksdb_open_for_read_only_column_families(options[FAMILY_META], rocks->path, FAMILY_COUNT, names,
                                                               options, rocks->families, 0, &error);
    else
        rocks->db = rocksdb_open_column_families(options[FAMILY_META], rocks->path, FAMILY_COUNT, names, options,
                                                 rocks->families, &error);
    return failed(rocks, "open it", error, text);
}

static enum fault version_check(struct rocks *rocks, bool create, struct fault_text *text)
{
    struct arena arena;
    struct bytes version;
    arena_init(&arena);
    enum fault fault = get_one(rocks, (struct store_key){FAMILY_META, BYTES("version")}, &version, &arena);
    if (fault)
        store_fault(fault, text, "%s: its version cannot be read; restore this directory from a copy", rocks->path);
    else if (!version.at && !create)
        fault = store_fault(FAULT_MISSING, text, "%s: its creation was cut short; start the node again", rocks->path);
    else if (version.at && (version.size != 1 || version.at[0] != KEYS_VERSION))
        fault = store_fault(FAULT_VERSION, text, "%s: written as version %d, this souk knows %d; start a newer one",
                            rocks->path, version.size ? version.at[0] : 0, KEYS_VERSION);
    arena_deinit(&arena);
    return fault;
}

// D3.
static enum fault version_write(struct rocks *rocks, struct fault_text *text)
{
    uint8_t version = KEYS_VERSION;
    rocks_put(&rocks->store, FAMILY_META, BYTES("version"), bytes_of(&version, 1));
    return batch_write(rocks, rocks->write_synced, text);
}

static void remove_leftover(const struct rocks *rocks)
{
    struct buffer path = {0};
    path_incoming(&path, rocks);
    unlink((const char *)path.at);
    buffer_deinit(&path);
}

static enum fault rocks_start(struct rocks *rocks, bool create, struct fault_text *text)
{
    if (!exists(rocks) && !create)
        return store_fault(FAULT_MISSING, text, "%s: no database here; check the path, or restore it from a copy",
                           rocks->path);
    enum fault fault = database_open(rocks, text);
    if (!fault)
        fault = version_check(rocks, create, text);
    if (!fault && !rocks->read_only) {
        remove_leftover(rocks);
        trim_init(&rocks->trim, rocks->path);
        fault = version_write(rocks, text);
    }
    return fault;
}

enum fault store_rocks_open(const struct store_options *options, struct store **store, struct fault_text *text)
{
    static const struct store_backend backend = {
        .close = rocks_close,
        .get = rocks_get,
        .scan_open = rocks_scan_open,
        .scan_next = rocks_scan_next,
        .scan_close = rocks_scan_close,
        .put = rocks_put,
        .delete = rocks_delete,
        .commit = rocks_commit,
        .clear = rocks_clear,
        .copy = rocks_copy,
        .checkpoint = rocks_checkpoint,
    };
    struct rocks *rocks = calloc(1, sizeof *rocks);
    CHECK(rocks, "out of memory");
    rocks->store.backend = &backend;
    rocks->read_only = options->read_only;
    rocks->horizon = options->horizon;
    rocks->path = strdup(options->path);
    CHECK(rocks->path, "out of memory");
    options_make(rocks, options);
    enum fault fault = rocks_start(rocks, options->create && !options->read_only, text);
    if (fault)
        rocks_close(&rocks->store);
    else
        *store = &rocks->store;
    return fault;
}
