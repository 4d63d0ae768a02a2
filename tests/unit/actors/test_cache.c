// SPDX-License-Identifier: Apache-2.0
// Two generations of rows: what is found, what replaces what, and that it never grows beyond its bound.
#include "actors/cache.h"
#include "codec/check.h"
#include "codec/ids.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

enum { SMALL = 64 * 1024, TOO_LARGE = 64 * 1024 + 1 };

static struct cache *cache;

static void open_cache(void)
{
    cache = cache_new(SMALL);
}

static void close_cache(void)
{
    cache_free(&cache);
    cr_expect_null(cache);
}

TestSuite(cache, .init = open_cache, .fini = close_cache, .timeout = 120);

static void keep(const char *key, struct bytes value)
{
    cache_keep(cache, FAMILY_HEAD, bytes_text(key), hash_of(bytes_text(key)), value);
}

static enum cache_age find(const char *key, struct bytes *value)
{
    return cache_find(cache, FAMILY_HEAD, bytes_text(key), hash_of(bytes_text(key)), value);
}

// As much as makes the younger generation full, then a turn.
static void next_generation(char tag)
{
    static uint8_t filler[SMALL / 4];
    char name[32];
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "filler-%c-%d", tag, i);
        keep(name, bytes_of(filler, sizeof filler));
    }
    cache_turn(cache);
}

static struct bytes large(void)
{
    static uint8_t value[TOO_LARGE];
    return bytes_of(value, sizeof value);
}

// ---- found

Test(cache, what_was_kept_is_found_young)
{
    struct bytes value = {0};
    keep("mug", BYTES("one"));
    cache_turn(cache);
    cr_expect_eq(find("mug", &value), CACHE_YOUNG);
    cr_expect(bytes_equal(value, BYTES("one")));
    cr_expect_eq(find("tea", &value), CACHE_NONE);
}

Test(cache, a_value_is_copied)
{
    struct bytes value = {0};
    char key[] = "mug", text[] = "one";
    keep(key, bytes_text(text));
    key[0] = 'x';
    text[0] = 'x';
    cr_expect_eq(find("mug", &value), CACHE_YOUNG);
    cr_expect(bytes_equal(value, BYTES("one")));
}

Test(cache, an_absent_row_is_known_to_be_absent)
{
    struct bytes value = BYTES("before");
    keep("mug", (struct bytes){0});
    cr_expect_eq(find("mug", &value), CACHE_YOUNG);
    cr_expect_null(value.at);
    next_generation('a');
    value = BYTES("before");
    cr_expect_eq(find("mug", &value), CACHE_OLD);
    cr_expect_null(value.at);
}

Test(cache, families_and_keys_of_one_hash_are_apart)
{
    struct bytes value = {0};
    cache_keep(cache, FAMILY_HEAD, BYTES("mug"), 7, BYTES("head"));
    cache_keep(cache, FAMILY_OPEN, BYTES("mug"), 7, BYTES("open"));
    cache_keep(cache, FAMILY_HEAD, BYTES("tea"), 7, BYTES("other"));
    cr_expect_eq(cache_find(cache, FAMILY_HEAD, BYTES("mug"), 7, &value), CACHE_YOUNG);
    cr_expect(bytes_equal(value, BYTES("head")));
    cr_expect_eq(cache_find(cache, FAMILY_OPEN, BYTES("mug"), 7, &value), CACHE_YOUNG);
    cr_expect(bytes_equal(value, BYTES("open")));
    cr_expect_eq(cache_find(cache, FAMILY_HEAD, BYTES("tea"), 7, &value), CACHE_YOUNG);
    cr_expect(bytes_equal(value, BYTES("other")));
    cr_expect_eq(cache_find(cache, FAMILY_OPEN, BYTES("tea"), 7, &value), CACHE_NONE);
}

// ---- generations

Test(cache, a_row_grows_old_and_is_dropped_unless_it_is_kept_again)
{
    struct bytes value;
    keep("mug", BYTES("one"));
    keep("tea", BYTES("two"));
    next_generation('a');
    cr_expect_eq(find("mug", &value), CACHE_OLD);
    cr_assert_eq(find("tea", &value), CACHE_OLD);
    keep("tea", value);
    next_generation('b');
    cr_expect_eq(find("mug", &value), CACHE_NONE);
    cr_expect_eq(find("tea", &value), CACHE_OLD);
    cr_expect(bytes_equal(value, BYTES("two")));
    next_generation('c');
    cr_expect_eq(find("tea", &value), CACHE_NONE);
}

Test(cache, a_turn_drops_nothing_while_there_is_room)
{
    struct bytes value;
    keep("mug", BYTES("one"));
    for (int i = 0; i < 1000; i++)
        cache_turn(cache);
    cr_expect_eq(find("mug", &value), CACHE_YOUNG);
}

// ---- replaced

Test(cache, the_last_value_counts_in_either_generation)
{
    struct bytes value;
    keep("mug", BYTES("one"));
    keep("mug", BYTES("two"));
    cr_expect_eq(find("mug", &value), CACHE_YOUNG);
    cr_expect(bytes_equal(value, BYTES("two")));
    next_generation('a');
    keep("mug", BYTES("three"));
    cr_expect_eq(find("mug", &value), CACHE_YOUNG);
    cr_expect(bytes_equal(value, BYTES("three")));
    keep("mug", (struct bytes){0});
    cr_expect_eq(find("mug", &value), CACHE_YOUNG);
    cr_expect_null(value.at);
}

Test(cache, a_row_too_large_leaves_no_older_value_behind)
{
    struct bytes value;
    keep("young", BYTES("one"));
    keep("young", large());
    cr_expect_eq(find("young", &value), CACHE_NONE);
    keep("old", BYTES("one"));
    next_generation('a');
    keep("old", large());
    cr_expect_eq(find("old", &value), CACHE_NONE);
    keep("both", BYTES("one"));
    next_generation('b');
    keep("both", BYTES("two"));
    keep("both", large());
    cr_expect_eq(find("both", &value), CACHE_NONE);
}

Test(cache, a_row_that_was_too_large_is_kept_again_when_it_fits)
{
    struct bytes value;
    keep("mug", BYTES("one"));
    keep("mug", large());
    keep("mug", bytes_of(large().at, TOO_LARGE - 1));
    cr_expect_eq(find("mug", &value), CACHE_YOUNG);
    cr_expect_eq(value.size, (size_t)(TOO_LARGE - 1));
    keep("mug", BYTES("two"));
    cr_expect_eq(find("mug", &value), CACHE_YOUNG);
    cr_expect(bytes_equal(value, BYTES("two")));
}

// ---- C2: bounded

Test(cache, stays_within_its_bound_over_many_turns)
{
    enum { ROWS = 20, TURNS = 20000, GENERATION = SMALL / 2, ROW = 200 };
    struct bytes value;
    char name[32];
    static uint8_t row[ROW];
    uint32_t found = 0;
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        for (uint32_t i = 0; i < ROWS; i++) {
            snprintf(name, sizeof name, "%u", turn * ROWS + i);
            keep(name, bytes_of(row, sizeof row));
        }
        cache_turn(cache);
    }
    for (uint32_t i = 0; i < TURNS * ROWS; i++) {
        snprintf(name, sizeof name, "%u", i);
        found += find(name, &value) != CACHE_NONE;
    }
    cr_expect(found * ROW <= 2 * (GENERATION + ROWS * 2 * ROW), "%u rows", found);
    cr_expect(found >= GENERATION / (ROW * 2), "%u rows", found);
}

Test(cache, one_row_kept_again_and_again_does_not_grow_it)
{
    struct bytes value;
    static uint8_t row[4000];
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < 100000; i++) {
        keep("mug", bytes_of(row, sizeof row));
        cache_turn(cache);
    }
    cr_expect_neq(find("mug", &value), CACHE_NONE);
    size_t after = mallinfo2().uordblks; // 0 under a sanitizer's malloc
    cr_expect(after < before + 1024 * 1024, "%zu bytes more", after - before);
}

// ---- against a model

static uint64_t random_below(uint64_t *seed, uint64_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed >> 33) % below;
}

// The store is an array; whatever the cache says must be what the array has.
static void model_run(uint64_t seed, uint64_t hashes)
{
    enum { KEYS = 3000, STEPS = 300000 };
    static uint32_t store[KEYS]; // 0: absent
    static uint8_t bytes[TOO_LARGE];
    uint32_t hits = 0;
    memset(store, 0, sizeof store);
    for (uint32_t step = 1; step <= STEPS; step++) {
        uint32_t key = (uint32_t)random_below(&seed, KEYS);
        struct bytes name = bytes_of(&key, sizeof key), value;
        uint64_t hash = hash_of(name) % hashes;
        if (cache_find(cache, FAMILY_CHILD, name, hash, &value) != CACHE_NONE) {
            uint32_t is = 0;
            hits++;
            if (value.at)
                memcpy(&is, value.at, sizeof is);
            cr_assert_eq(is, store[key], "step %u key %u", step, key);
        }
        uint64_t what = random_below(&seed, 10);
        if (what < 5)
            store[key] = what == 0 ? 0 : step;
        if (what < 7) { // a read keeps too
            size_t size = random_below(&seed, 200) == 0 ? TOO_LARGE : 4 + random_below(&seed, 60);
            memcpy(bytes, &store[key], sizeof store[key]);
            cache_keep(cache, FAMILY_CHILD, name, hash, store[key] ? bytes_of(bytes, size) : (struct bytes){0});
        }
        if (what == 9)
            cache_turn(cache);
    }
    cr_expect(hits > STEPS / 100, "%u hits", hits);
}

Test(cache, never_says_what_is_not_in_the_store)
{
    model_run(1, UINT64_MAX);
}

Test(cache, never_says_what_is_not_in_the_store_when_hashes_collide)
{
    model_run(2, 500);
}
