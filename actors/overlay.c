// SPDX-License-Identifier: Apache-2.0
// Rows of a turn in one array, found by an open-addressing table over XXH3 of family and key. The table holds row
// numbers; a second kind of entry (the dirty rows below an entity) is found under the hash of family and entity and
// chained by number, so that a scan merges only what belongs to its entity.
#include "actors/overlay.h"

#include "codec/check.h"
#include "codec/ids.h"
#include "codec/planted.h"
#include "codec/schema.h"

#include <stdlib.h>

enum { TABLE_SIZE_MIN = 1024 };
enum { ROW_ENTITY = 0x80 }; // family flag: this row is the head of an entity's chain, its key is the entity

void overlay_init(struct overlay *overlay, struct store *store, struct cache *cache, struct arena *arena)
{
    *overlay = (struct overlay){.store = store, .cache = cache, .arena = arena, .capacity = 256, .table_size = TABLE_SIZE_MIN};
    overlay->rows = calloc(overlay->capacity, sizeof *overlay->rows);
    overlay->table = calloc(overlay->table_size, sizeof *overlay->table);
    CHECK(overlay->rows && overlay->table);
}

void overlay_deinit(struct overlay *overlay)
{
    free(overlay->rows);
    free(overlay->table);
    *overlay = (struct overlay){0};
}

void overlay_begin(struct overlay *overlay, int64_t at)
{
    if (overlay->count > overlay->table_size / 16) {
        memset(overlay->table, 0, overlay->table_size * sizeof *overlay->table);
    } else {
        for (uint32_t row = 1; row <= overlay->count; row++) {
            uint32_t place = (uint32_t)overlay->rows[row].hash & (overlay->table_size - 1);
            while (overlay->table[place]) {
                overlay->table[place] = 0;
                place = (place + 1) & (overlay->table_size - 1);
            }
        }
    }
    overlay->count = 0;
    overlay->wanted = 0;
    overlay->at = at;
}

static uint64_t row_hash(uint8_t family, struct bytes key)
{
    return hash_of(key) * 0x9e3779b97f4a7c15ULL + family * 0xff51afd7ed558ccdULL;
}

static void table_insert(struct overlay *overlay, uint32_t row)
{
    uint32_t mask = overlay->table_size - 1, place = (uint32_t)overlay->rows[row].hash & mask;
    while (overlay->table[place])
        place = (place + 1) & mask;
    overlay->table[place] = row;
}

static void grow(struct overlay *overlay)
{
    if (overlay->count + 2 > overlay->capacity) {
        overlay->capacity *= 2;
        overlay->rows = realloc(overlay->rows, overlay->capacity * sizeof *overlay->rows);
        CHECK(overlay->rows);
    }
    if (overlay->count * 2 < overlay->table_size)
        return;
    free(overlay->table);
    overlay->table_size *= 2;
    overlay->table = calloc(overlay->table_size, sizeof *overlay->table);
    CHECK(overlay->table);
    for (uint32_t row = 1; row <= overlay->count; row++)
        table_insert(overlay, row);
}

static uint32_t row_find(const struct overlay *overlay, uint8_t family, struct bytes key, uint64_t hash)
{
    uint32_t mask = overlay->table_size - 1;
    for (uint32_t place = (uint32_t)hash & mask; overlay->table[place]; place = (place + 1) & mask) {
        const struct overlay_row *row = &overlay->rows[overlay->table[place]];
        if (row->hash == hash && row->family == family && bytes_equal(row->key, key))
            return overlay->table[place];
    }
    return 0;
}

// The row's number; a new one is absent and clean. The key is copied.
static uint32_t row_at(struct overlay *overlay, uint8_t family, struct bytes key, bool *is_new)
{
    uint64_t hash = row_hash(family, key);
    uint32_t found = row_find(overlay, family, key, hash);
    *is_new = found == 0;
    if (found)
        return found;
    grow(overlay);
    uint32_t row = ++overlay->count;
    overlay->rows[row] =
        (struct overlay_row){.key = arena_copy(overlay->arena, key), .hash = hash, .family = family};
    table_insert(overlay, row);
    return row;
}

static struct bytes unless_forgotten(const struct overlay *overlay, enum family family, struct bytes value)
{
    if (value.at && (family == FAMILY_HEAD || family == FAMILY_CHILD || family == FAMILY_REMEMBERED)) {
        int64_t forget_at = record_forget_at(value);
        if (forget_at > 0 && forget_at <= overlay->at)
            return (struct bytes){0};
    }
    return value;
}

// A row that nobody has asked for in this turn: from the cache, or to be fetched.
static void look_up(struct overlay *overlay, struct overlay_row *row)
{
    enum cache_age age = CACHE_NONE;
    if (overlay->cache)
        age = cache_find(overlay->cache, row->family, row->key, row->hash, &row->value);
    if (age == CACHE_NONE) {
        row->wanted = true;
        overlay->wanted++;
        return;
    }
    row->value = unless_forgotten(overlay, row->family, row->value);
    row->cached = age == CACHE_YOUNG;
}

void overlay_want(struct overlay *overlay, enum family family, struct bytes key)
{
    bool is_new;
    uint32_t row = row_at(overlay, (uint8_t)family, key, &is_new);
    if (is_new)
        look_up(overlay, &overlay->rows[row]);
}

void overlay_fetch(struct overlay *overlay)
{
    if (overlay->wanted == 0)
        return;
    struct store_key *keys = arena_alloc(overlay->arena, overlay->wanted * sizeof *keys);
    struct bytes *values = arena_alloc(overlay->arena, overlay->wanted * sizeof *values);
    uint32_t *rows = arena_alloc(overlay->arena, overlay->wanted * sizeof *rows);
    uint32_t count = 0;
    for (uint32_t row = 1; row <= overlay->count; row++) {
        if (!overlay->rows[row].wanted)
            continue;
        rows[count] = row;
        keys[count++] = (struct store_key){overlay->rows[row].family, overlay->rows[row].key};
    }
    enum fault fault = store_get(overlay->store, count, keys, values, overlay->arena);
    if (fault)
        overlay->fault = fault;
    for (uint32_t i = 0; i < count && !fault; i++) {
        struct overlay_row *row = &overlay->rows[rows[i]];
        row->value = unless_forgotten(overlay, row->family, values[i]);
        row->wanted = false;
    }
    overlay->wanted = 0;
}

struct bytes overlay_get(struct overlay *overlay, enum family family, struct bytes key)
{
    bool is_new;
    uint32_t row = row_at(overlay, (uint8_t)family, key, &is_new);
    if (is_new)
        look_up(overlay, &overlay->rows[row]);
    if (overlay->rows[row].wanted)
        overlay_fetch(overlay);
    return overlay->rows[row].value;
}

bool overlay_written(const struct overlay *overlay, enum family family, struct bytes key)
{
    uint32_t row = row_find(overlay, (uint8_t)family, key, row_hash((uint8_t)family, key));
    return row && overlay->rows[row].dirty && overlay->rows[row].value.at;
}

static bool scanned_family(enum family family)
{
    return family == FAMILY_CHILD || family == FAMILY_DUE;
}

// E of a row key: slot, size, key bytes (store/keys.h).
static struct bytes entity_of(struct bytes key)
{
    CHECK(key.size >= 3 && key.size >= 3u + key.at[2]);
    return bytes_of(key.at, 3u + key.at[2]);
}

static void chain(struct overlay *overlay, uint32_t row)
{
    bool is_new;
    struct overlay_row *it = &overlay->rows[row];
    uint32_t head = row_at(overlay, (uint8_t)(it->family | ROW_ENTITY), entity_of(it->key), &is_new);
    overlay->rows[row].next_dirty = overlay->rows[head].next_dirty;
    overlay->rows[head].next_dirty = row;
}

static void row_write(struct overlay *overlay, enum family family, struct bytes key, struct bytes value)
{
    bool is_new;
    uint32_t row = row_at(overlay, (uint8_t)family, key, &is_new);
    struct overlay_row *it = &overlay->rows[row];
    it->value = value;
    if (it->wanted)
        overlay->wanted--;
    it->wanted = false;
    if (!it->dirty) {
        it->dirty = true;
        if (scanned_family(family))
            chain(overlay, row);
    }
}

void overlay_put(struct overlay *overlay, enum family family, struct bytes key, struct bytes value)
{
    row_write(overlay, family, key, value);
}

void overlay_delete(struct overlay *overlay, enum family family, struct bytes key)
{
    row_write(overlay, family, key, (struct bytes){0});
}

static int found_compare(const void *a, const void *b)
{
    return bytes_compare(((const struct overlay_found *)a)->key, ((const struct overlay_found *)b)->key);
}

static bool in_range(struct bytes key, struct bytes from, struct bytes to)
{
    return bytes_compare(key, from) >= 0 && (to.size == 0 || bytes_compare(key, to) < 0);
}

struct found_list {
    struct overlay_found *at;
    uint32_t count, capacity;
};

static void found_add(struct overlay *overlay, struct found_list *list, struct bytes key, struct bytes value)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity * 2 + 8;
        struct overlay_found *more = arena_alloc(overlay->arena, capacity * sizeof *more);
        if (list->count)
            memcpy(more, list->at, list->count * sizeof *more);
        list->at = more;
        list->capacity = capacity;
    }
    list->at[list->count++] = (struct overlay_found){key, value};
}

static void scan_dirty(struct overlay *overlay, enum family family, const struct overlay_range *range,
                       struct found_list *list)
{
    uint8_t flagged = (uint8_t)((uint8_t)family | ROW_ENTITY);
    uint32_t head = row_find(overlay, flagged, range->entity, row_hash(flagged, range->entity));
    for (uint32_t row = head ? overlay->rows[head].next_dirty : 0; row; row = overlay->rows[row].next_dirty) {
        const struct overlay_row *it = &overlay->rows[row];
        if (it->value.at && in_range(it->key, range->from, range->to))
            found_add(overlay, list, it->key, it->value);
    }
}

static uint32_t weight_of(const struct overlay_range *range, struct bytes value)
{
    return range->weigh ? range->weigh(value) : 1;
}

// As many as if there were no dirty ones, and one more.
static void scan_store(struct overlay *overlay, enum family family, const struct overlay_range *range,
                       struct found_list *list)
{
    uint32_t weight = 0;
    struct bytes key, value;
    struct store_scan *scan = store_scan_open(overlay->store, family, range->from, range->to, false);
    for (bool enough = false; !enough && store_scan_next(scan, &key, &value, &overlay->fault);) {
        uint32_t row = row_find(overlay, (uint8_t)family, key, row_hash((uint8_t)family, key));
        if (row && overlay->rows[row].dirty)
            continue;
        value = unless_forgotten(overlay, family, value);
        if (!value.at)
            continue;
        enough = weight >= range->max;
        weight += weight_of(range, value);
        found_add(overlay, list, arena_copy(overlay->arena, key), arena_copy(overlay->arena, value));
    }
    store_scan_close(&scan);
}

uint32_t overlay_scan(struct overlay *overlay, enum family family, const struct overlay_range *range,
                      struct overlay_found **found, struct bytes *behind)
{
    struct found_list list = {0};
    scan_dirty(overlay, family, range, &list);
    uint32_t dirty = list.count, count = 0, weight = 0;
    scan_store(overlay, family, range, &list);
    if (dirty)
        qsort(list.at, list.count, sizeof *list.at, found_compare);
    while (count < list.count && weight < range->max)
        weight += weight_of(range, list.at[count++].value);
    if (behind)
        *behind = count < list.count ? list.at[count].key : (struct bytes){0};
    *found = list.at;
    return count;
}

static int dirty_compare(const void *a, const void *b)
{
    const struct overlay_row *left = *(struct overlay_row *const *)a, *right = *(struct overlay_row *const *)b;
    return left->family != right->family ? left->family - right->family : bytes_compare(left->key, right->key);
}

uint32_t overlay_flush(struct overlay *overlay)
{
    struct overlay_row **dirty = arena_alloc(overlay->arena, (overlay->count + 1) * sizeof *dirty);
    uint32_t count = 0;
    for (uint32_t row = 1; row <= overlay->count; row++)
        if (overlay->rows[row].dirty)
            dirty[count++] = &overlay->rows[row];
    if (count) // neighbours are cheaper to insert
        qsort(dirty, count, sizeof *dirty, dirty_compare);
    for (uint32_t i = 0; i < count; i++) {
        if (dirty[i]->value.at)
            store_put(overlay->store, dirty[i]->family, dirty[i]->key, dirty[i]->value);
        else
            store_delete(overlay->store, dirty[i]->family, dirty[i]->key);
    }
    return count;
}

void overlay_committed(struct overlay *overlay)
{
    if (!overlay->cache)
        return;
    for (uint32_t row = 1; row <= overlay->count; row++) {
        const struct overlay_row *it = &overlay->rows[row];
        bool same = it->cached && (!it->dirty || (PLANTED(stale_cache) && !it->value.at));
        if (!same && !it->wanted && it->family < FAMILY_COUNT && it->family != FAMILY_DUE)
            cache_keep(overlay->cache, it->family, it->key, it->hash, it->value);
    }
    cache_turn(overlay->cache);
}
