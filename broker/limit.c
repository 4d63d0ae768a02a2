// SPDX-License-Identifier: Apache-2.0
#include "broker/limit.h"

#include "codec/check.h"

#include <stdlib.h>
#include <uthash.h>

struct limit_count {
    uint32_t count;
    UT_hash_handle hh;
    size_t size;
    uint8_t route[];
};

static void forget(struct limit *limit)
{
    struct limit_count *it, *next;
    HASH_ITER(hh, limit->by_route, it, next)
    {
        HASH_DELETE(hh, limit->by_route, it);
        free(it);
    }
}

static struct limit_count *add(struct limit *limit, struct bytes route)
{
    struct limit_count *it = calloc(1, sizeof *it + route.size);
    CHECK(it, "out of memory");
    it->size = route.size;
    memcpy(it->route, route.at, route.size);
    HASH_ADD_KEYPTR(hh, limit->by_route, it->route, it->size, it);
    return it;
}

void limit_init(struct limit *limit)
{
    *limit = (struct limit){0};
}

void limit_deinit(struct limit *limit)
{
    forget(limit);
}

bool limit_allows(struct limit *limit, struct bytes route, int64_t now_ms)
{
    struct limit_count *it = NULL;
    int64_t window = now_ms / LIMIT_WINDOW_MS;
    if (limit->window != window)
        forget(limit);
    limit->window = window;
    HASH_FIND(hh, limit->by_route, route.at, route.size, it);
    if (!it && HASH_COUNT(limit->by_route) == LIMIT_CONNECTIONS_MAX)
        return false;
    if (!it)
        it = add(limit, route);
    return it->count < LIMIT_PER_WINDOW && ++it->count;
}
