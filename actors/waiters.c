// SPDX-License-Identifier: Apache-2.0
// Waiters of one key form a list found through uthash; each has a timer named by its number.
#include "actors/waiters.h"

#include "actors/timers.h"
#include "codec/check.h"

#include <stdlib.h>
#include <uthash.h>

struct queue;

struct entry {
    uint64_t number;
    struct queue *queue;
    struct entry *previous, *next;
    UT_hash_handle hh;
    uint8_t flags, route_size, id_size;
    uint8_t text[]; // route, id
};

struct queue {
    struct entry *first, *last;
    UT_hash_handle hh;
    uint8_t key_size;
    uint8_t key[];
};

struct waiters {
    struct queue *by_key;
    struct entry *by_number;
    struct timers *timers;
    uint64_t last_number;
    uint32_t count, max;
    struct entry *taken;
    uint8_t taken_key[256];
};

struct waiters *waiters_new(uint32_t max)
{
    struct waiters *waiters = calloc(1, sizeof *waiters);
    CHECK(waiters);
    waiters->max = max;
    waiters->timers = timers_new();
    return waiters;
}

static struct bytes entry_name(const struct entry *entry)
{
    return bytes_of(&entry->number, sizeof entry->number);
}

static struct queue *queue_of(const struct waiters *waiters, struct bytes key)
{
    struct queue *queue = NULL;
    HASH_FIND(hh, waiters->by_key, key.at, key.size, queue);
    return queue;
}

static struct queue *queue_make(struct waiters *waiters, struct bytes key)
{
    struct queue *queue = queue_of(waiters, key);
    if (queue)
        return queue;
    CHECK(key.size <= UINT8_MAX);
    queue = calloc(1, sizeof *queue + key.size);
    CHECK(queue);
    queue->key_size = (uint8_t)key.size;
    memcpy(queue->key, key.at, key.size);
    HASH_ADD_KEYPTR(hh, waiters->by_key, queue->key, queue->key_size, queue);
    return queue;
}

// Out of every list; the caller has it now.
static void unlink_entry(struct waiters *waiters, struct entry *entry)
{
    struct queue *queue = entry->queue;
    *(entry->previous ? &entry->previous->next : &queue->first) = entry->next;
    *(entry->next ? &entry->next->previous : &queue->last) = entry->previous;
    HASH_DELETE(hh, waiters->by_number, entry);
    timers_set(waiters->timers, entry_name(entry), 0);
    waiters->count--;
    memcpy(waiters->taken_key, queue->key, queue->key_size);
    if (!queue->first) {
        HASH_DELETE(hh, waiters->by_key, queue);
        free(queue);
    }
}

static void give(struct waiters *waiters, struct entry *entry, struct waiter *waiter)
{
    unlink_entry(waiters, entry);
    free(waiters->taken);
    waiters->taken = entry;
    *waiter = (struct waiter){bytes_of(entry->text, entry->route_size),
                              bytes_of(entry->text + entry->route_size, entry->id_size), entry->flags};
}

void waiters_free(struct waiters **waiters)
{
    struct waiters *it = *waiters;
    if (!it)
        return;
    struct waiter waiter;
    while (it->by_number)
        give(it, it->by_number, &waiter);
    timers_free(&it->timers);
    free(it->taken);
    free(it);
    *waiters = NULL;
}

bool waiters_add(struct waiters *waiters, struct bytes key, const struct waiter *waiter, int64_t until)
{
    if (waiters->count >= waiters->max)
        return false;
    CHECK(waiter->route.size <= UINT8_MAX && waiter->id.size <= UINT8_MAX);
    struct entry *entry = calloc(1, sizeof *entry + waiter->route.size + waiter->id.size);
    CHECK(entry);
    entry->number = ++waiters->last_number;
    entry->flags = waiter->flags;
    entry->route_size = (uint8_t)waiter->route.size;
    entry->id_size = (uint8_t)waiter->id.size;
    memcpy(entry->text, waiter->route.at, waiter->route.size);
    memcpy(entry->text + waiter->route.size, waiter->id.at, waiter->id.size);
    entry->queue = queue_make(waiters, key);
    entry->previous = entry->queue->last;
    *(entry->previous ? &entry->previous->next : &entry->queue->first) = entry;
    entry->queue->last = entry;
    HASH_ADD(hh, waiters->by_number, number, sizeof entry->number, entry);
    timers_set(waiters->timers, entry_name(entry), until);
    waiters->count++;
    return true;
}

bool waiters_has(const struct waiters *waiters, struct bytes key)
{
    return waiters->count > 0 && queue_of(waiters, key) != NULL;
}

bool waiters_take(struct waiters *waiters, struct bytes key, struct waiter *waiter)
{
    struct queue *queue = queue_of(waiters, key);
    if (!queue)
        return false;
    give(waiters, queue->first, waiter);
    return true;
}

void waiters_hasten(struct waiters *waiters, struct bytes key, int64_t at)
{
    struct queue *queue = queue_of(waiters, key);
    for (struct entry *entry = queue ? queue->first : NULL; entry; entry = entry->next)
        timers_set(waiters->timers, entry_name(entry), at);
}

bool waiters_take_due(struct waiters *waiters, int64_t now, struct bytes *key, struct waiter *waiter)
{
    struct bytes name;
    int64_t at;
    if (!timers_take(waiters->timers, now, &name, &at))
        return false;
    struct entry *entry = NULL;
    HASH_FIND(hh, waiters->by_number, name.at, name.size, entry);
    CHECK(entry);
    uint8_t key_size = entry->queue->key_size;
    give(waiters, entry, waiter);
    *key = bytes_of(waiters->taken_key, key_size);
    return true;
}

int64_t waiters_next(const struct waiters *waiters)
{
    return timers_next(waiters->timers);
}

uint32_t waiters_count(const struct waiters *waiters)
{
    return waiters->count;
}
