// SPDX-License-Identifier: Apache-2.0
#include "codec/room.h"

#include "codec/check.h"
#include "codec/ids.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

enum { PLACES_BITS = 16, CONNECTION_SHARE = 16, WHOLE_SHARE = 2 };

struct room {
    uint64_t seed; // odd
    uint64_t all_max, one_max;
    _Atomic uint64_t all;
    _Atomic uint64_t one[1 << PLACES_BITS];
};

struct room *room_new(uint64_t size_max)
{
    struct room *room = calloc(1, sizeof *room);
    CHECK(room, "out of memory");
    CHECK(getrandom(&room->seed, sizeof room->seed, 0) == sizeof room->seed);
    room->seed |= 1;
    room->all_max = size_max / WHOLE_SHARE;
    room->one_max = size_max / CONNECTION_SHARE;
    return room;
}

void room_free(struct room **room)
{
    free(*room);
    *room = NULL;
}

uint32_t room_place(const struct room *room, struct bytes route)
{
    return room ? (uint32_t)((hash_of(route) * room->seed) >> (64 - PLACES_BITS)) : 0;
}

bool room_left(const struct room *room, uint32_t place)
{
    if (!room)
        return true;
    uint64_t one = atomic_load_explicit(&room->one[place], memory_order_relaxed);
    return one == 0 || (one < room->one_max && atomic_load_explicit(&room->all, memory_order_relaxed) < room->all_max);
}

void room_take(struct room *room, uint32_t place, uint64_t size)
{
    if (!room)
        return;
    atomic_fetch_add_explicit(&room->one[place], size, memory_order_relaxed);
    atomic_fetch_add_explicit(&room->all, size, memory_order_relaxed);
}

void room_give(struct room *room, uint32_t place, uint64_t size)
{
    if (!room)
        return;
    atomic_fetch_sub_explicit(&room->one[place], size, memory_order_relaxed);
    atomic_fetch_sub_explicit(&room->all, size, memory_order_relaxed);
}
