// SPDX-License-Identifier: Apache-2.0
// A binary heap by time whose items know their place, found by name through uthash. Equal times are taken by name, so
// that a run does not depend on the order of insertion.
#include "actors/timers.h"

#include "codec/check.h"

#include <stdlib.h>
#include <uthash.h>

struct timer {
    int64_t at;
    uint32_t place;
    UT_hash_handle hh;
    uint8_t size;
    uint8_t name[];
};

struct timers {
    struct timer *by_name;
    struct timer **heap;
    uint32_t count, capacity;
    struct timer *taken;
};

struct timers *timers_new(void)
{
    struct timers *timers = calloc(1, sizeof *timers);
    CHECK(timers);
    timers->capacity = 64;
    timers->heap = calloc(timers->capacity, sizeof(struct timer *));
    CHECK(timers->heap);
    return timers;
}

void timers_free(struct timers **timers)
{
    struct timers *it = *timers;
    if (!it)
        return;
    HASH_CLEAR(hh, it->by_name);
    for (uint32_t i = 0; i < it->count; i++)
        free(it->heap[i]);
    free(it->taken);
    free(it->heap);
    free(it);
    *timers = NULL;
}

static bool before(const struct timer *a, const struct timer *b)
{
    if (a->at != b->at)
        return a->at < b->at;
    return bytes_compare(bytes_of(a->name, a->size), bytes_of(b->name, b->size)) < 0;
}

static void place(struct timers *timers, struct timer *timer, uint32_t at)
{
    timers->heap[at] = timer;
    timer->place = at;
}

static void sift_up(struct timers *timers, struct timer *timer)
{
    uint32_t at = timer->place;
    while (at > 0 && before(timer, timers->heap[(at - 1) / 2])) {
        place(timers, timers->heap[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    place(timers, timer, at);
}

static void sift_down(struct timers *timers, struct timer *timer)
{
    uint32_t at = timer->place;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= timers->count)
            break;
        if (child + 1 < timers->count && before(timers->heap[child + 1], timers->heap[child]))
            child++;
        if (!before(timers->heap[child], timer))
            break;
        place(timers, timers->heap[child], at);
        at = child;
    }
    place(timers, timer, at);
}

static void take_out(struct timers *timers, struct timer *timer)
{
    struct timer *last = timers->heap[--timers->count];
    if (last != timer) {
        place(timers, last, timer->place);
        sift_up(timers, last);
        sift_down(timers, last);
    }
    HASH_DELETE(hh, timers->by_name, timer);
}

static struct timer *add(struct timers *timers, struct bytes name)
{
    CHECK(name.size <= UINT8_MAX);
    struct timer *timer = calloc(1, sizeof *timer + name.size);
    CHECK(timer);
    timer->size = (uint8_t)name.size;
    memcpy(timer->name, name.at, name.size);
    HASH_ADD_KEYPTR(hh, timers->by_name, timer->name, timer->size, timer);
    if (timers->count == timers->capacity) {
        timers->capacity *= 2;
        timers->heap = realloc(timers->heap, timers->capacity * sizeof *timers->heap);
        CHECK(timers->heap);
    }
    place(timers, timer, timers->count++);
    return timer;
}

void timers_set(struct timers *timers, struct bytes name, int64_t at)
{
    struct timer *timer = NULL;
    HASH_FIND(hh, timers->by_name, name.at, name.size, timer);
    if (at == 0) {
        if (timer) {
            take_out(timers, timer);
            free(timer);
        }
        return;
    }
    if (!timer)
        timer = add(timers, name);
    timer->at = at;
    sift_up(timers, timer);
    sift_down(timers, timer);
}

int64_t timers_next(const struct timers *timers)
{
    return timers->count ? timers->heap[0]->at : INT64_MAX;
}

bool timers_take(struct timers *timers, int64_t now, struct bytes *name, int64_t *at)
{
    if (timers->count == 0 || timers->heap[0]->at > now)
        return false;
    free(timers->taken);
    timers->taken = timers->heap[0];
    take_out(timers, timers->taken);
    *name = bytes_of(timers->taken->name, timers->taken->size);
    *at = timers->taken->at;
    return true;
}

uint32_t timers_count(const struct timers *timers)
{
    return timers->count;
}
