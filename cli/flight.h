// SPDX-License-Identifier: Apache-2.0
// What `souk send` has on its way: requests that wait for their answer, found by id. Owned by one thread.
//
//   F1  no two have the same id: a reply belongs to one line
//   F2  a request is kept as it was encoded first, so every copy that is sent is the same
#pragma once

#include "codec/envelope.h"

struct flight_request {
    struct buffer encoded;
    struct bytes id, type, key, body; // of `encoded`
    const struct message_def *def;
    uint64_t line;
    int64_t wait_ms;     // the node may take this long on purpose
    int64_t due_at;      // when it was to be sent first; µs of clock_steady, like all here
    int64_t first_at;    // when it was its turn
    int64_t sent_at;     // last; 0: not yet
    int64_t next_at;     // when it is to be sent (again)
    uint32_t sent_count; // since the connection was last found alive
    uint32_t next;       // in its bucket, + 1
    uint32_t place;      // in `order`
};

struct flight {
    struct flight_request *requests;
    uint32_t *order; // places of requests: first those in use (`count`), then the free ones
    uint32_t *buckets;
    uint32_t count, max, mask;
    size_t size; // bytes of all encoded
};

void flight_init(struct flight *flight, uint32_t max);
void flight_deinit(struct flight *flight);
// NULL: none with this id.
struct flight_request *flight_find(const struct flight *flight, struct bytes id);
// A free one, not found by id before flight_add; one at a time. count < max.
struct flight_request *flight_take(struct flight *flight);
// After id, type, key and body are set.
void flight_add(struct flight *flight, struct flight_request *request);
// Its buffer is kept for the next.
void flight_remove(struct flight *flight, struct flight_request *request);
// index < count; the order changes with every removal.
static inline struct flight_request *flight_at(const struct flight *flight, uint32_t index)
{
    return &flight->requests[flight->order[index]];
}
