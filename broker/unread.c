// SPDX-License-Identifier: Apache-2.0
#include "broker/unread.h"

#include "codec/check.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <uthash.h>

enum { CONNECTION_SHARE = 8, HARD_FACTOR = 2, TIDY_MIN = 1024 };

struct waiting { // of one connection
    _Atomic uint64_t size;
    UT_hash_handle hh;
    size_t route_size;
    uint8_t route[];
};

struct unread {
    struct room *room;
    _Atomic uint64_t size;
    uint64_t size_max;
    uint32_t tidy_at; // so many connections, mostly with nothing waiting any more
    struct waiting *by_route;
};

struct content {
    struct unread *unread;
    struct waiting *waiting;
    uint64_t cost;
    uint32_t place; // in the room
    uint8_t at[];
};

struct unread *unread_new(uint64_t size_max, struct room *room)
{
    struct unread *unread = calloc(1, sizeof *unread);
    CHECK(unread, "out of memory");
    unread->room = room;
    unread->size_max = size_max > UNREAD_MIN ? size_max : UNREAD_MIN;
    unread->tidy_at = TIDY_MIN;
    return unread;
}

static void forget(struct unread *unread, bool all)
{
    struct waiting *it, *next;
    HASH_ITER(hh, unread->by_route, it, next)
    {
        if (!all && atomic_load_explicit(&it->size, memory_order_acquire))
            continue;
        HASH_DELETE(hh, unread->by_route, it);
        free(it);
    }
}

void unread_free(struct unread **unread)
{
    if (!*unread)
        return;
    CHECK(atomic_load(&(*unread)->size) == 0, "%llu bytes", (unsigned long long)(*unread)->size);
    forget(*unread, true);
    free(*unread);
    *unread = NULL;
}

// Any thread. The connection's count goes last: at 0 it may be forgotten.
static void taken(void *data, void *hint)
{
    struct content *content = hint;
    struct waiting *waiting = content->waiting;
    uint64_t cost = content->cost;
    atomic_fetch_sub_explicit(&content->unread->size, cost, memory_order_relaxed);
    room_give(content->unread->room, content->place, cost);
    free(content);
    atomic_fetch_sub_explicit(&waiting->size, cost, memory_order_release);
}

static struct waiting *waiting_of(struct unread *unread, struct bytes route)
{
    struct waiting *it = NULL;
    HASH_FIND(hh, unread->by_route, route.at, route.size, it);
    if (it)
        return it;
    if (HASH_COUNT(unread->by_route) >= unread->tidy_at) {
        forget(unread, false);
        unread->tidy_at = 2 * HASH_COUNT(unread->by_route) + TIDY_MIN;
    }
    it = calloc(1, sizeof *it + route.size);
    CHECK(it, "out of memory");
    it->route_size = route.size;
    memcpy(it->route, route.at, route.size);
    HASH_ADD_KEYPTR(hh, unread->by_route, it->route, it->route_size, it);
    return it;
}

static bool fits(const struct unread *unread, const struct waiting *waiting, uint64_t cost)
{
    uint64_t all = atomic_load_explicit(&unread->size, memory_order_relaxed) + cost;
    uint64_t own = atomic_load_explicit(&waiting->size, memory_order_acquire);
    if (own == 0)
        return all <= HARD_FACTOR * unread->size_max;
    return all <= unread->size_max && own + cost <= unread->size_max / CONNECTION_SHARE;
}

bool unread_frame(struct unread *unread, struct bytes route, size_t size, zmq_msg_t *frame)
{
    struct waiting *waiting = waiting_of(unread, route);
    uint64_t cost = size + UNREAD_FRAME_COST;
    if (!fits(unread, waiting, cost))
        return false;
    struct content *content = malloc(sizeof *content + size);
    CHECK(content, "%zu bytes", size);
    *content = (struct content){unread, waiting, cost, room_place(unread->room, route)};
    room_take(unread->room, content->place, cost);
    atomic_fetch_add_explicit(&unread->size, cost, memory_order_relaxed);
    atomic_fetch_add_explicit(&waiting->size, cost, memory_order_relaxed);
    CHECK(zmq_msg_init_data(frame, content->at, size, taken, content) == 0, "%zu bytes", size);
    return true;
}

uint32_t unread_connections(const struct unread *unread)
{
    return HASH_COUNT(unread->by_route);
}
