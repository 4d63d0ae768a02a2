// SPDX-License-Identifier: Apache-2.0
// What a turn wants to leave: one growing frame of parcels for each actor and one for the broker. Nothing is sent from
// here before the turn is durable; the owner delivers the frames and clears them, which gives the memory of rare large
// ones back. Owned by the actor's thread.
#pragma once

#include "codec/envelope.h"
#include "codec/parcel.h"
#include "codec/room.h"
#include "store/log.h"

struct outbox {
    struct buffer broker;
    struct buffer provider; // to the connector
    struct buffer peers[KIND_COUNT][ACTORS_MAX];
    struct actor_id dirty[KIND_COUNT * ACTORS_MAX]; // peers with something in their frame
    uint32_t dirty_count;
    uint64_t parcels; // since the last clear
    size_t size;      // likewise: bytes in all frames
    struct buffer scratch;
    struct room *room; // replies take from it; may be NULL
};

void outbox_init(struct outbox *outbox);
void outbox_deinit(struct outbox *outbox);
void outbox_clear(struct outbox *outbox);

void outbox_reply(struct outbox *outbox, struct bytes route, uint8_t flags, struct bytes id, enum status status,
                  struct bytes body);
void outbox_credit(struct outbox *outbox, const struct parcel_credit *credit);
void outbox_event(struct outbox *outbox, struct actor_id actor, struct bytes position);
// An operation at a provider outside (provider/connector.h).
void outbox_provider(struct outbox *outbox, struct entity sender, struct bytes operation);
// A request or note from one entity to another.
void outbox_request(struct outbox *outbox, struct actor_id to, struct entity sender, const char *type,
                    struct bytes key, struct bytes body);
