// SPDX-License-Identifier: Apache-2.0
#include "actors/cache.h"

#include "codec/check.h"

#include <stdlib.h>

enum { TABLE_SIZE_MIN = 1024, ROW_SIZE_MAX = 64 * 1024 };

struct row {
    struct bytes key, value;
    uint64_t hash;
    uint8_t family;
};

struct generation {
    struct arena arena; // keys and values
    struct row *rows;   // [0] unused
    uint32_t *table;    // row numbers by hash, open addressing
    uint32_t count, table_size;
};

struct cache {
    struct generation young, old;
    size_t bytes_max; // of one generation
};

static void generation_init(struct generation *generation)
{
    arena_init(&generation->arena);
    generation->count = 0;
    generation->table_size = TABLE_SIZE_MIN;
    generation->table = calloc(generation->table_size, sizeof *generation->table);
    generation->rows = calloc(generation->table_size / 2 + 2, sizeof *generation->rows);
    CHECK(generation->table && generation->rows);
}

static void generation_deinit(struct generation *generation)
{
    arena_deinit(&generation->arena);
    free(generation->table);
    free(generation->rows);
}

static uint32_t find(const struct generation *generation, uint8_t family, struct bytes key, uint64_t hash)
{
    uint32_t mask = generation->table_size - 1;
    for (uint32_t place = (uint32_t)hash & mask; generation->table[place]; place = (place + 1) & mask) {
        const struct row *row = &generation->rows[generation->table[place]];
        if (row->hash == hash && row->family == family && bytes_equal(row->key, key))
            return generation->table[place];
    }
    return 0;
}

static void insert(struct generation *generation, uint32_t row)
{
    uint32_t mask = generation->table_size - 1, place = (uint32_t)generation->rows[row].hash & mask;
    while (generation->table[place])
        place = (place + 1) & mask;
    generation->table[place] = row;
}

static void grow(struct generation *generation)
{
    if (generation->count < generation->table_size / 2)
        return;
    generation->table_size *= 2;
    free(generation->table);
    generation->table = calloc(generation->table_size, sizeof *generation->table);
    generation->rows = realloc(generation->rows, (generation->table_size / 2 + 2) * sizeof *generation->rows);
    CHECK(generation->table && generation->rows);
    for (uint32_t row = 1; row <= generation->count; row++)
        insert(generation, row);
}

static size_t generation_size(const struct generation *generation)
{
    return generation->arena.total + generation->count * (sizeof(struct row) + 2 * sizeof(uint32_t));
}

struct cache *cache_new(size_t bytes_max)
{
    struct cache *cache = calloc(1, sizeof *cache);
    CHECK(cache);
    cache->bytes_max = bytes_max / 2;
    generation_init(&cache->young);
    generation_init(&cache->old);
    return cache;
}

void cache_free(struct cache **cache)
{
    if (!*cache)
        return;
    generation_deinit(&(*cache)->young);
    generation_deinit(&(*cache)->old);
    free(*cache);
    *cache = NULL;
}

enum cache_age cache_find(const struct cache *cache, enum family family, struct bytes key, uint64_t hash,
                          struct bytes *value)
{
    uint32_t row = find(&cache->young, (uint8_t)family, key, hash);
    if (row) {
        *value = cache->young.rows[row].value;
        return CACHE_YOUNG;
    }
    row = find(&cache->old, (uint8_t)family, key, hash);
    if (!row)
        return CACHE_NONE;
    *value = cache->old.rows[row].value;
    return CACHE_OLD;
}

// A row too large to keep must not leave an older value of its own behind: it is kept as "not here".
static void forget(struct generation *generation, uint8_t family, struct bytes key, uint64_t hash)
{
    uint32_t row = find(generation, family, key, hash);
    if (row)
        generation->rows[row].family = UINT8_MAX;
}

void cache_keep(struct cache *cache, enum family family, struct bytes key, uint64_t hash, struct bytes value)
{
    struct generation *young = &cache->young;
    if (value.size > ROW_SIZE_MAX) {
        forget(young, (uint8_t)family, key, hash);
        forget(&cache->old, (uint8_t)family, key, hash);
        return;
    }
    uint32_t row = find(young, (uint8_t)family, key, hash);
    if (!row) {
        grow(young);
        row = ++young->count;
        young->rows[row] =
            (struct row){.key = arena_copy(&young->arena, key), .hash = hash, .family = (uint8_t)family};
        insert(young, row);
    }
    young->rows[row].value = value.at ? arena_copy(&young->arena, value) : (struct bytes){0};
}

void cache_turn(struct cache *cache)
{
    if (generation_size(&cache->young) < cache->bytes_max)
        return;
    generation_deinit(&cache->old);
    cache->old = cache->young;
    generation_init(&cache->young);
}
