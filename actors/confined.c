// SPDX-License-Identifier: Apache-2.0
#include "actors/confined.h"

#include "codec/check.h"
#include "codec/cursor.h"

#include <stdlib.h>
#include <uthash.h>

struct entry {
    UT_hash_handle hh;
    size_t size;
    uint8_t key[];
};

struct confined {
    struct entry *keys;
};

static void add(struct confined *confined, struct bytes key)
{
    struct entry *entry = calloc(1, sizeof *entry + key.size);
    CHECK(entry);
    entry->size = key.size;
    memcpy(entry->key, key.at, key.size);
    HASH_ADD_KEYPTR(hh, confined->keys, entry->key, entry->size, entry);
}

struct confined *confined_new(enum kind_id kind, struct bytes quarantine)
{
    struct cursor cursor = cursor_over(quarantine);
    struct bytes name, key;
    uint32_t count = 0, two;
    if (quarantine.size)
        CHECK(cursor_array(&cursor, &count), "%zu bytes", quarantine.size);
    struct confined *confined = NULL;
    for (uint32_t i = 0; i < count; i++) {
        CHECK(cursor_array(&cursor, &two) && two == 2 && cursor_str(&cursor, &name) && cursor_str(&cursor, &key), "%u", i);
        if (!confined)
            confined = calloc(1, sizeof *confined);
        CHECK(confined);
        if (bytes_equal(name, bytes_text(kind_name(kind))))
            add(confined, key);
    }
    return confined;
}

void confined_free(struct confined **confined)
{
    struct entry *entry, *next;
    if (!*confined)
        return;
    HASH_ITER(hh, (*confined)->keys, entry, next)
    {
        HASH_DELETE(hh, (*confined)->keys, entry);
        free(entry);
    }
    free(*confined);
    *confined = NULL;
}

bool confined_has(const struct confined *confined, struct bytes key)
{
    struct entry *entry = NULL;
    if (confined)
        HASH_FIND(hh, confined->keys, key.at, key.size, entry);
    return entry;
}
