// SPDX-License-Identifier: Apache-2.0
#include "cli/flight.h"

#include "codec/check.h"
#include "codec/ids.h"

#include <stdlib.h>

enum { BUFFER_KEPT_MAX = 16 * 1024 };

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    CHECK(memory, "out of memory: %zu × %zu", count, size);
    return memory;
}

void flight_init(struct flight *flight, uint32_t max)
{
    uint32_t buckets = 16;
    while (buckets < max)
        buckets *= 2;
    *flight = (struct flight){.max = max, .mask = buckets - 1};
    flight->requests = allocate(max, sizeof *flight->requests);
    flight->order = allocate(max, sizeof *flight->order);
    flight->buckets = allocate(buckets, sizeof *flight->buckets);
    for (uint32_t i = 0; i < max; i++) {
        buffer_init(&flight->requests[i].encoded);
        flight->order[i] = i;
    }
}

void flight_deinit(struct flight *flight)
{
    for (uint32_t i = 0; i < flight->max; i++)
        buffer_deinit(&flight->requests[i].encoded);
    free(flight->requests);
    free(flight->order);
    free(flight->buckets);
    *flight = (struct flight){0};
}

// The place in the bucket's chain where the request of this id hangs, or the chain's end.
static uint32_t *link_of(const struct flight *flight, struct bytes id)
{
    uint32_t *link = &flight->buckets[hash_of(id) & flight->mask];
    while (*link && !bytes_equal(flight->requests[*link - 1].id, id))
        link = &flight->requests[*link - 1].next;
    return link;
}

struct flight_request *flight_find(const struct flight *flight, struct bytes id)
{
    uint32_t link = *link_of(flight, id);
    return link ? &flight->requests[link - 1] : NULL;
}

struct flight_request *flight_take(struct flight *flight)
{
    CHECK(flight->count < flight->max, "%u", flight->count);
    struct flight_request *request = flight_at(flight, flight->count);
    struct buffer encoded = request->encoded;
    buffer_clear(&encoded);
    *request = (struct flight_request){.encoded = encoded, .place = flight->count};
    return request;
}

void flight_add(struct flight *flight, struct flight_request *request)
{
    uint32_t *link = link_of(flight, request->id);
    CHECK(!*link, "id %.*s is on its way already", BYTES_FORMAT(request->id));
    *link = (uint32_t)(request - flight->requests) + 1;
    // It may have been taken long ago, and another free one stand where it belongs now.
    flight->order[request->place] = flight->order[flight->count];
    flight->order[flight->count] = *link - 1;
    request->place = flight->count++;
    flight->size += request->encoded.size;
}

void flight_remove(struct flight *flight, struct flight_request *request)
{
    uint32_t *link = link_of(flight, request->id);
    uint32_t last = --flight->count, freed = flight->order[request->place];
    *link = request->next;
    flight->size -= request->encoded.size;
    flight->order[request->place] = flight->order[last];
    flight->requests[flight->order[last]].place = request->place;
    flight->order[last] = freed;
    request->place = last;
    if (request->encoded.capacity > BUFFER_KEPT_MAX) {
        buffer_deinit(&request->encoded);
        buffer_init(&request->encoded);
    }
}
