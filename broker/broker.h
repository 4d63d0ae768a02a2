// SPDX-License-Identifier: Apache-2.0
// The thread in front: a ROUTER for clients, an inbox for what actors send back. Reads only envelopes, finds the actor
// from kind and slot, never blocks, never decides. Knows no kind but by name.
//
//   B1  per drain each actor gets at most one frame of parcels; replies are taken before requests
//   B2  what an actor has in flight is counted in commands and bytes until it gives credit back; no credit → busy
//   B3  a reply its client cannot take now is dropped and counted; the client sends again
//   B4  every frame is answered, or dropped with a counted reason
#pragma once

#include "codec/fault.h"
#include "codec/ids.h"
#include "codec/pack.h"

#include <stdint.h>

struct broker;

struct broker_options {
    void *context; // zmq
    const char *const *listen; // endpoints; ":*" picks a port
    uint32_t listen_count;
    uint32_t descriptors_max; // the first descriptor that no connection may have (accepting.h); 0: any
    const char *events;  // PUB endpoint or NULL
    const char *control; // "ipc://…" for operators (PARCEL_OPERATOR, the only place where souk.snapshot, .clock and .clock_accept are taken); NULL: none
    int64_t commands_in_flight_max; // whole broker; a serving actor's share is max(1024, max / those), a retired one's 1024
    struct room *room; // where whoever decides has counted the replies it sends here; may be NULL
    int64_t bytes_in_flight_max;    // likewise, at least 1 MiB; also what replies that nobody reads may take (unread.h)
    // Which actor owns a slot, and how many databases a kind has (events.read reaches retired ones too).
    uint16_t (*owner)(void *owner_context, enum kind_id kind, uint16_t slot);
    void *owner_context;
    uint16_t actors[KIND_COUNT]; // KIND-0 … KIND-(n-1): inboxes at inproc://KIND/N, bound before broker_start
    uint16_t serving[KIND_COUNT]; // of these, the first that own slots; the others have retired
    // Fills the status_view body; `dropped` is a msgpack map {reason: n}. Called in the broker's thread.
    void (*status)(void *status_context, struct bytes dropped, struct buffer *body);
    void *status_context;
    // An operator's request came (souk.snapshot and the like); the answer comes later as a PARCEL_REPLY with this route and flags.
    void (*control_request)(void *control_context, struct bytes route, uint8_t flags, struct bytes request);
    void *control_context;
};

// The thread, and its endpoints bound, before anything else of a node exists: an occupied address is found while
// nothing has changed. Looks at context, listen, descriptors_max, events, room and bytes_in_flight_max only. Who connects
// waits for broker_start.
enum fault broker_bind(const struct broker_options *options, struct broker **broker, struct fault_text *text);
// Binds "inproc://broker" (PULL, frames of PARCEL_REPLY, _CREDIT, _EVENT) and `control`, then serves. A fault leaves the
// broker bound; stop it.
enum fault broker_start(struct broker *broker, const struct broker_options *options, struct fault_text *text);
// The endpoints as bound, real ports in place of ":*"; index < listen_count.
const char *broker_endpoint(const struct broker *broker, uint32_t index);
// From now on every request is answered `busy`; replies still go out.
void broker_refuse(struct broker *broker);
// Delivers what is in the inbox, waits for lingering replies (at most 2 s), joins the thread. May follow broker_bind.
void broker_stop(struct broker **broker);
