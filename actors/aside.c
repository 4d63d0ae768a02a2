// SPDX-License-Identifier: Apache-2.0
#include "actors/aside.h"

#include "codec/check.h"

#include <stdlib.h>
#include <uthash.h>

// How many wait for one entity.
struct entity_count {
    uint32_t count;
    UT_hash_handle hh;
    size_t key_size;
    uint8_t key[];
};

struct entry {
    struct incoming in;
    struct entity_count *of; // NULL: the request cannot be read, and is for nobody
    struct entry *next;
    uint8_t bytes[];
};

struct aside {
    struct entry *first, *last;
    struct entity_count *entities;
    uint32_t count;
};

struct aside *aside_new(void)
{
    struct aside *aside = calloc(1, sizeof *aside);
    CHECK(aside, "out of memory");
    return aside;
}

void aside_free(struct aside **aside)
{
    if (!*aside)
        return;
    aside_drop(*aside, (*aside)->count);
    free(*aside);
    *aside = NULL;
}

static bool read_key(struct bytes request, struct bytes *key)
{
    struct cursor cursor = cursor_over(request);
    struct request read;
    struct envelope_refusal refusal;
    if (!request_read(&cursor, &read, &refusal))
        return false;
    *key = read.key;
    return true;
}

static struct entity_count *find(const struct aside *aside, struct bytes key)
{
    struct entity_count *it = NULL;
    HASH_FIND(hh, aside->entities, key.at, key.size, it);
    return it;
}

static struct entity_count *count_one(struct aside *aside, struct bytes request)
{
    struct bytes key;
    if (!read_key(request, &key))
        return NULL;
    struct entity_count *it = find(aside, key);
    if (!it) {
        it = calloc(1, sizeof *it + key.size);
        CHECK(it, "out of memory");
        it->key_size = key.size;
        memcpy(it->key, key.at, key.size);
        HASH_ADD_KEYPTR(hh, aside->entities, it->key, it->key_size, it);
    }
    it->count++;
    return it;
}

static struct bytes keep(uint8_t **to, struct bytes bytes)
{
    uint8_t *at = *to;
    if (bytes.size)
        memcpy(at, bytes.at, bytes.size);
    *to += bytes.size;
    return bytes_of(at, bytes.size);
}

static void append(struct aside *aside, struct entry *entry)
{
    entry->next = NULL;
    *(aside->last ? &aside->last->next : &aside->first) = entry;
    aside->last = entry;
}

void aside_add(struct aside *aside, const struct incoming *in)
{
    struct entry *entry = calloc(1, sizeof *entry + in->route.size + in->sender.key.size + in->request.size);
    CHECK(entry, "out of memory");
    uint8_t *to = entry->bytes;
    entry->in = *in;
    entry->in.route = keep(&to, in->route);
    entry->in.sender.key = keep(&to, in->sender.key);
    entry->in.request = keep(&to, in->request);
    entry->of = count_one(aside, entry->in.request);
    append(aside, entry);
    aside->count++;
}

bool aside_holds_up(const struct aside *aside, struct bytes request)
{
    struct bytes key;
    return aside->count && read_key(request, &key) && find(aside, key);
}

uint32_t aside_first(const struct aside *aside, uint32_t max, struct incoming list[])
{
    uint32_t count = 0;
    for (const struct entry *entry = aside->first; entry && count < max; entry = entry->next)
        list[count++] = entry->in;
    return count;
}

static void forget_one(struct aside *aside, struct entity_count *of)
{
    if (!of || --of->count)
        return;
    HASH_DELETE(hh, aside->entities, of);
    free(of);
}

void aside_drop(struct aside *aside, uint32_t count)
{
    CHECK(count <= aside->count, "%u of %u", count, aside->count);
    aside->count -= count;
    while (count--) {
        struct entry *entry = aside->first;
        aside->first = entry->next;
        if (!aside->first)
            aside->last = NULL;
        forget_one(aside, entry->of);
        free(entry);
    }
}

void aside_rotate(struct aside *aside)
{
    struct aside others = {0}, same = {0};
    struct entity_count *of = aside->first ? aside->first->of : NULL;
    for (struct entry *entry = aside->first, *next; entry; entry = next) {
        next = entry->next;
        append(entry->of == of ? &same : &others, entry);
    }
    if (!others.first)
        others = same;
    else if (same.first) {
        others.last->next = same.first;
        others.last = same.last;
    }
    aside->first = others.first;
    aside->last = others.last;
}

uint32_t aside_count(const struct aside *aside)
{
    return aside->count;
}
