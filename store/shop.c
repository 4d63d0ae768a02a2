// SPDX-License-Identifier: Apache-2.0
// How a reshape goes (R1–R4 in shop.h):
//
//   mark ──▶ make ──▶ move ──▶ map ──▶ sweep ──▶ unmark        mark, map and unmark are synced writes of one row in
//   meta
//
//   mark   "unswept": from here on databases may hold rows that are not theirs
//   make   the databases that `wanted` names exist, their directory entries are durable
//   move   for each range whose owner changes: its place is emptied, its rows are copied, durable
//   map    the new owner map: the only commit point. Before it the old map holds and all copies are garbage; behind it
//          the new one, and what stayed in the old places is garbage
//   sweep  every database loses what lies outside its range
//   unmark nothing to sweep: a start that finds equal maps and no mark opens no database at all
//
// A crash anywhere leaves the mark, and the next start sweeps (or moves again) before anybody serves.
#include "store/shop.h"

#include "codec/check.h"
#include "codec/planted.h"
#include "store/backend.h"
#include "store/epochs.h"
#include "store/keys.h"
#include "store/shelf.h"
#include "store/tuning.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RECORD_VERSION_SHOP = 1, PATH_SIZE_MAX = 3900, META_MEMORY = TUNING_MEMORY_MIN };

struct shop {
    const struct shelf *shelf;
    char *path;
    bool read_only;
    struct store *meta;
    struct shop_record record;
    bool unswept;
};

// Whose rows belong to slots. The log and META stay (R4).
static const enum family slotted[] = {FAMILY_HEAD, FAMILY_OPEN, FAMILY_CHILD, FAMILY_DUE, FAMILY_REMEMBERED};
enum { SLOTTED_COUNT = sizeof slotted / sizeof *slotted };

// ---- the shop record: version (1 byte) · [epoch, written_at, unswept, [owners of each kind], [ever of each kind]]
// ----

static void write_map(struct buffer *out, const struct owner_map *map)
{
    pack_array(out, KIND_COUNT);
    for (int i = 0; i < KIND_COUNT; i++)
        pack_int(out, map->count[i]);
}

static bool read_map(struct cursor *cursor, struct owner_map *map)
{
    uint32_t count;
    int64_t value;
    if (!cursor_array(cursor, &count) || count > KIND_COUNT)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!cursor_int(cursor, &value) || value < 0 || value > ACTORS_MAX)
            return false;
        map->count[i] = (uint16_t)value;
    }
    return true;
}

static bool read_record(struct bytes value, struct shop_record *record, bool *unswept)
{
    struct cursor cursor = cursor_over(value);
    uint32_t count;
    int64_t epoch;
    if (!value.size || *cursor.at++ != RECORD_VERSION_SHOP)
        return false;
    if (!cursor_array(&cursor, &count) || count != 5 || !cursor_int(&cursor, &epoch) || epoch < 0 ||
        !cursor_int(&cursor, &record->written_at) || !cursor_bool(&cursor, unswept) ||
        !read_map(&cursor, &record->owners) || !read_map(&cursor, &record->ever))
        return false;
    record->epoch = (uint64_t)epoch;
    return cursor_left(&cursor) == 0;
}

// Synced. What the shop says it is changes only when that is durable.
static enum fault record_commit(struct shop *shop, const struct shop_record *record, bool unswept,
                                struct fault_text *text)
{
    uint8_t version = RECORD_VERSION_SHOP;
    struct buffer value = {0};
    buffer_append(&value, &version, 1);
    pack_array(&value, 5);
    pack_int(&value, (int64_t)record->epoch);
    pack_int(&value, record->written_at);
    pack_bool(&value, unswept);
    write_map(&value, &record->owners);
    write_map(&value, &record->ever);
    store_put(shop->meta, FAMILY_META, BYTES("epoch"), buffer_bytes(&value));
    buffer_deinit(&value);
    enum fault fault = store_commit(shop->meta, text);
    if (!fault) {
        shop->record = *record;
        shop->unswept = unswept;
    }
    return fault;
}

static enum fault record_load(struct shop *shop, struct fault_text *text)
{
    struct arena arena;
    struct bytes value;
    arena_init(&arena);
    struct store_key key = {FAMILY_META, BYTES("epoch")};
    enum fault fault = store_get(shop->meta, 1, &key, &value, &arena);
    if (!fault)
        fault = epochs_read(shop->meta, "served", &shop->record.served);
    if (fault || (value.at && !read_record(value, &shop->record, &shop->unswept)))
        fault = store_fault(fault ? fault : FAULT_CORRUPTION, text,
                            "%s/meta: the record of the shop cannot be read; restore this directory from a copy",
                            shop->path);
    arena_deinit(&arena);
    return fault;
}

static bool database_exists(const struct shop *shop, struct actor_id actor)
{
    return shop->shelf->has(shop->shelf, shop_database(shop, actor).text);
}

// ---- opening ----

static enum fault meta_open(struct shop *shop, bool create, struct fault_text *text)
{
    char path[PATH_SIZE_MAX + 8];
    snprintf(path, sizeof path, "%s/meta", shop->path);
    const struct store_options options = {
        .path = path, .memory_bytes = META_MEMORY, .sync = true, .create = create, .read_only = shop->read_only};
    enum fault fault = shop->shelf->open(shop->shelf, &options, &shop->meta, text);
    if (fault == FAULT_LOCKED)
        store_fault(fault, text, "%s: a node or a tool has this shop open; stop it first", shop->path);
    if (fault == FAULT_MISSING)
        store_fault(fault, text, "%s: no shop here; check the path, or restore it from a copy", shop->path);
    return fault;
}

static enum fault shop_start(struct shop *shop, bool create, struct fault_text *text)
{
    enum fault fault = create ? shop->shelf->make(shop->shelf, shop->path, text) : FAULT_NONE;
    if (!fault)
        fault = meta_open(shop, create, text);
    if (!fault && create)
        fault = shop->shelf->sync(shop->shelf, shop->path, text);
    return fault ? fault : record_load(shop, text);
}

enum fault shop_open_on(const struct shelf *shelf, const char *path, bool create, bool read_only, struct shop **shop,
                        struct fault_text *text)
{
    if (strlen(path) > PATH_SIZE_MAX || !*path)
        return store_fault(FAULT_USAGE, text, "store.path: 1 to %d bytes", PATH_SIZE_MAX);
    struct shop *opened = calloc(1, sizeof *opened);
    CHECK(opened, "out of memory");
    opened->shelf = shelf;
    opened->path = strdup(path);
    CHECK(opened->path, "out of memory");
    opened->read_only = read_only;
    enum fault fault = shop_start(opened, create && !read_only, text);
    if (fault)
        shop_close(&opened);
    else
        *shop = opened;
    return fault;
}

enum fault shop_open(const char *path, bool create, bool read_only, struct shop **shop, struct fault_text *text)
{
    return shop_open_on(&shelf_disk, path, create, read_only, shop, text);
}

void shop_close(struct shop **shop)
{
    if (!*shop)
        return;
    if ((*shop)->meta)
        (*shop)->shelf->close((*shop)->shelf, &(*shop)->meta);
    free((*shop)->path);
    free(*shop);
    *shop = NULL;
}

const struct shop_record *shop_record(const struct shop *shop)
{
    return &shop->record;
}

const char *shop_path(const struct shop *shop)
{
    return shop->path;
}

struct store *shop_meta(struct shop *shop)
{
    return shop->meta;
}

struct shop_database_path shop_database(const struct shop *shop, struct actor_id actor)
{
    struct shop_database_path path;
    snprintf(path.text, sizeof path.text, "%s/%s-%u", shop->path, kind_name(actor.kind), actor.index);
    return path;
}

enum fault shop_begin_epoch(struct shop *shop, uint64_t epoch, int64_t at, struct fault_text *text)
{
    struct shop_record record = shop->record;
    record.epoch = epoch;
    record.written_at = at;
    return record_commit(shop, &record, shop->unswept, text);
}

enum fault shop_serve_epoch(struct shop *shop, struct fault_text *text)
{
    epochs_write(shop->meta, "served", shop->record.epoch);
    enum fault fault = store_commit(shop->meta, text);
    if (!fault)
        shop->record.served = shop->record.epoch;
    return fault;
}

enum fault shop_checkpoint(struct shop *shop, const char *path, struct fault_text *text)
{
    char target[PATH_SIZE_MAX + 8];
    if ((size_t)snprintf(target, sizeof target, "%s/meta", path) >= sizeof target)
        return store_fault(FAULT_USAGE, text, "%.100s…: this path is too long", path);
    return store_checkpoint(shop->meta, target, text);
}

// ---- planning ----

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

void shop_plan(const struct owner_map *from, const struct owner_map *to,
               void (*move)(void *context, struct actor_id source, struct actor_id target, uint32_t slot_from,
                            uint32_t slot_to),
               void *context)
{
    uint32_t target_from, target_to, source_to;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (uint16_t i = 0; from->count[kind] && i < to->count[kind]; i++) {
            struct actor_id target = {kind, i};
            owner_range(to, target, &target_from, &target_to);
            for (uint32_t slot = target_from; slot < target_to; slot = smaller(source_to, target_to)) {
                uint32_t source_from;
                struct actor_id source = {kind, owner_of(from, kind, (uint16_t)slot)};
                owner_range(from, source, &source_from, &source_to);
                if (source.index != i)
                    move(context, source, target, slot, smaller(source_to, target_to));
            }
        }
}

// ---- reshaping ----

struct reshape {
    struct shop *shop;
    const struct owner_map *wanted;
    uint64_t memory_bytes; // of all databases together
    bool sync;
    bool all; // kinds that do not change as well: there may be garbage
    void (*progress)(const char *line);
    struct fault_text *text;
    struct store *databases[KIND_COUNT][ACTORS_MAX];
    enum fault fault; // the first
};

static void report(const struct reshape *reshape, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void report(const struct reshape *reshape, const char *format, ...)
{
    char line[256];
    va_list args;
    if (!reshape->progress)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    reshape->progress(line);
}

static bool changes(const struct reshape *reshape, int kind)
{
    return reshape->shop->record.owners.count[kind] != reshape->wanted->count[kind];
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool any_row(struct store *store, enum family family, struct bytes from, struct bytes to, enum fault *fault)
{
    struct bytes key, value;
    struct store_scan *scan = store_scan_open(store, family, from, to, false);
    bool any = store_scan_next(scan, &key, &value, fault);
    store_scan_close(&scan);
    return any;
}

// Rows of slots [from, to) and of one family, in the two keys.
struct range {
    struct buffer from, to;
};

static struct range range_of(uint32_t from, uint32_t to)
{
    struct range range = {{0}, {0}};
    keys_slot(&range.from, from);
    keys_slot(&range.to, to);
    return range;
}

static void range_deinit(struct range *range)
{
    buffer_deinit(&range->from);
    buffer_deinit(&range->to);
}

// One look where there is nothing to empty.
static enum fault slots_clear(const struct reshape *reshape, struct actor_id actor, uint32_t from, uint32_t to)
{
    struct store *store = reshape->databases[actor.kind][actor.index];
    struct range range = range_of(from, to);
    struct bytes first = buffer_bytes(&range.from), behind = buffer_bytes(&range.to);
    enum fault fault = FAULT_NONE;
    bool any = false;
    for (int i = 0; i < SLOTTED_COUNT && !fault; i++)
        if (any_row(store, slotted[i], first, behind, &fault)) {
            fault = store_clear(store, slotted[i], first, behind, reshape->text);
            any = true;
        } else if (fault) {
            store_fault(fault, reshape->text, "%s: a row of %s cannot be read; restore it from a copy",
                        shop_database(reshape->shop, actor).text, family_name(slotted[i]));
        }
    range_deinit(&range);
    if (any && !fault)
        report(reshape, "%s: removed what slots %u–%u had left here", actor_id_name(actor).text, from, to - 1);
    return fault;
}

static enum fault slots_copy(const struct reshape *reshape, struct actor_id source, struct actor_id target,
                             uint32_t from, uint32_t to)
{
    struct range range = range_of(from, to);
    enum fault fault = FAULT_NONE;
    for (int i = 0; i < SLOTTED_COUNT - PLANTED(replies_stay_behind) && !fault; i++)
        fault = store_copy(reshape->databases[target.kind][target.index], reshape->databases[source.kind][source.index],
                           slotted[i], buffer_bytes(&range.from), buffer_bytes(&range.to), reshape->text);
    range_deinit(&range);
    return fault;
}

static void move_slots(void *context, struct actor_id source, struct actor_id target, uint32_t from, uint32_t to)
{
    struct reshape *reshape = context;
    if (!reshape->fault)
        reshape->fault = slots_clear(reshape, target, from, to);
    if (!reshape->fault)
        reshape->fault = slots_copy(reshape, source, target, from, to);
    if (!reshape->fault)
        report(reshape, "%s → %s: slots %u–%u copied", actor_id_name(source).text, actor_id_name(target).text, from,
               to - 1);
}

// A database beyond those that the shop knows was left by a reshape that did not finish, and never served. If it holds
// a log, the shop's record is not the one that belongs to this directory.
static enum fault check_unserved(const struct reshape *reshape, struct actor_id actor)
{
    enum fault fault = FAULT_NONE;
    struct shop_database_path path = shop_database(reshape->shop, actor);
    if (any_row(reshape->databases[actor.kind][actor.index], FAMILY_LOG, BYTES(""), BYTES(""), &fault))
        return store_fault(FAULT_CORRUPTION, reshape->text,
                           "%s: this database has served, but DIR/meta does not know it; restore the whole directory "
                           "from one copy",
                           path.text);
    return fault ? store_fault(fault, reshape->text, "%s: its log cannot be read; restore it from a copy", path.text)
                 : fault;
}

static enum fault database_open(struct reshape *reshape, struct actor_id actor, uint64_t memory_bytes)
{
    struct shop_database_path path = shop_database(reshape->shop, actor);
    const struct store_options options = {.path = path.text,
                                          .memory_bytes = memory_bytes,
                                          .sync = reshape->sync,
                                          .create = actor.index >= reshape->shop->record.ever.count[actor.kind]};
    struct store **store = &reshape->databases[actor.kind][actor.index];
    const struct shop_record *record = &reshape->shop->record;
    enum fault fault = reshape->shop->shelf->open(reshape->shop->shelf, &options, store, reshape->text);
    if (fault)
        return fault;
    if (!options.create)
        return epochs_match(*store, path.text, record->served, record->epoch, reshape->text);
    fault = check_unserved(reshape, actor);
    epochs_note(*store, record->epoch);
    return fault ? fault : store_commit(*store, reshape->text);
}

// Those that are wanted, and those that exist for whatever reason.
static bool takes_part(const struct reshape *reshape, struct actor_id actor)
{
    if (!reshape->all && !changes(reshape, actor.kind))
        return false;
    return actor.index < reshape->wanted->count[actor.kind] || database_exists(reshape->shop, actor);
}

static enum fault databases_open(struct reshape *reshape)
{
    struct actor_id actors[KIND_COUNT * ACTORS_MAX];
    size_t count = 0;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (uint16_t i = 0; i < ACTORS_MAX; i++)
            if (takes_part(reshape, (struct actor_id){kind, i}))
                actors[count++] = (struct actor_id){kind, i};
    enum fault fault = FAULT_NONE;
    for (size_t i = 0; i < count && !fault; i++)
        fault = database_open(reshape, actors[i], reshape->memory_bytes / count);
    return fault ? fault : reshape->shop->shelf->sync(reshape->shop->shelf, reshape->shop->path, reshape->text);
}

static void databases_close(struct reshape *reshape)
{
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int i = 0; i < ACTORS_MAX; i++)
            if (reshape->databases[kind][i])
                reshape->shop->shelf->close(reshape->shop->shelf, &reshape->databases[kind][i]);
}

// The commit point.
static enum fault map_commit(struct reshape *reshape)
{
    struct shop_record record = reshape->shop->record;
    record.owners = *reshape->wanted;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        if (record.ever.count[kind] < record.owners.count[kind])
            record.ever.count[kind] = record.owners.count[kind];
    record.written_at = now_us();
    return record_commit(reshape->shop, &record, true, reshape->text);
}

static enum fault database_sweep(struct reshape *reshape, struct actor_id actor)
{
    uint32_t from, to;
    owner_range(&reshape->shop->record.owners, actor, &from, &to);
    enum fault fault = from ? slots_clear(reshape, actor, 0, from) : FAULT_NONE;
    return fault || to == SLOT_COUNT ? fault : slots_clear(reshape, actor, to, SLOT_COUNT);
}

static enum fault sweep(struct reshape *reshape)
{
    enum fault fault = FAULT_NONE;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (uint16_t i = 0; i < ACTORS_MAX && !fault; i++)
            if (reshape->databases[kind][i])
                fault = database_sweep(reshape, (struct actor_id){kind, i});
    return fault ? fault : record_commit(reshape->shop, &reshape->shop->record, false, reshape->text);
}

static enum fault reshape_run(struct reshape *reshape, bool moves)
{
    struct shop *shop = reshape->shop;
    enum fault fault = shop->unswept ? FAULT_NONE : record_commit(shop, &shop->record, true, reshape->text);
    if (!fault)
        fault = databases_open(reshape);
    if (!fault && moves) {
        shop_plan(&shop->record.owners, reshape->wanted, move_slots, reshape);
        fault = reshape->fault ? reshape->fault : map_commit(reshape);
    }
    return fault ? fault : sweep(reshape);
}

// What the map names has to be there before anything is made anew.
static enum fault check_complete(const struct shop *shop, struct fault_text *text)
{
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (uint16_t i = 0; i < shop->record.ever.count[kind]; i++)
            if (!database_exists(shop, (struct actor_id){kind, i}))
                return store_fault(FAULT_MISSING, text,
                                   "%s: this database is missing, and souk does not start with part of a shop; restore "
                                   "the whole directory from one copy",
                                   shop_database(shop, (struct actor_id){kind, i}).text);
    return FAULT_NONE;
}

enum fault shop_reshape(struct shop *shop, const struct owner_map *wanted, uint64_t memory_bytes, bool sync,
                        void (*progress)(const char *line), struct fault_text *text)
{
    struct reshape reshape = {.shop = shop,
                              .wanted = wanted,
                              .memory_bytes = memory_bytes,
                              .sync = sync,
                              .all = shop->unswept,
                              .progress = progress,
                              .text = text};
    bool moves = false;
    CHECK(!shop->read_only, "%s", shop->path);
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        CHECK(wanted->count[kind] >= 1 && wanted->count[kind] <= ACTORS_MAX, "%s: %u", kind_name(kind),
              wanted->count[kind]);
        moves |= changes(&reshape, kind);
    }
    enum fault fault = check_complete(shop, text);
    if (fault || (!moves && (!shop->unswept || PLANTED(not_swept))))
        return fault;
    fault = reshape_run(&reshape, moves);
    databases_close(&reshape);
    return fault;
}
