// SPDX-License-Identifier: Apache-2.0
#include "actors/outbox.h"

#include "codec/check.h"

void outbox_init(struct outbox *outbox)
{
    memset(outbox, 0, sizeof *outbox);
    buffer_init(&outbox->broker);
    buffer_init(&outbox->provider);
    buffer_init(&outbox->scratch);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int index = 0; index < ACTORS_MAX; index++)
            buffer_init(&outbox->peers[kind][index]);
}

void outbox_deinit(struct outbox *outbox)
{
    buffer_deinit(&outbox->broker);
    buffer_deinit(&outbox->provider);
    buffer_deinit(&outbox->scratch);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int index = 0; index < ACTORS_MAX; index++)
            buffer_deinit(&outbox->peers[kind][index]);
}

void outbox_clear(struct outbox *outbox)
{
    buffer_clear(&outbox->broker);
    buffer_clear(&outbox->provider);
    for (uint32_t i = 0; i < outbox->dirty_count; i++)
        buffer_clear(&outbox->peers[outbox->dirty[i].kind][outbox->dirty[i].index]);
    outbox->dirty_count = 0;
    outbox->parcels = 0;
}

static void to_broker(struct outbox *outbox, enum parcel_origin origin, struct bytes route, uint8_t flags,
                      struct bytes content)
{
    parcel_write(&outbox->broker,
                 &(struct parcel){.origin = origin, .flags = flags, .route = route, .request = content});
    outbox->parcels++;
}

void outbox_reply(struct outbox *outbox, struct bytes route, uint8_t flags, struct bytes id, enum status status,
                  struct bytes body)
{
    buffer_clear(&outbox->scratch);
    reply_write(&outbox->scratch, id, status, body);
    to_broker(outbox, PARCEL_REPLY, route, flags, buffer_bytes(&outbox->scratch));
}

void outbox_credit(struct outbox *outbox, const struct parcel_credit *credit)
{
    to_broker(outbox, PARCEL_CREDIT, (struct bytes){0}, 0, bytes_of(credit, sizeof *credit));
}

void outbox_event(struct outbox *outbox, struct actor_id actor, struct bytes position)
{
    struct actor_name name = actor_id_name(actor);
    to_broker(outbox, PARCEL_EVENT, bytes_text(name.text), 0, position);
}

static void request_into(struct outbox *outbox, struct buffer *frame, struct entity sender, const char *type,
                         struct bytes key, struct bytes body)
{
    buffer_clear(&outbox->scratch);
    request_write(&outbox->scratch, REQUEST_ID_NONE, type, key, body, 0);
    parcel_write(frame, &(struct parcel){.origin = PARCEL_PEER,
                                         .route_kind = (uint8_t)sender.kind,
                                         .route = sender.key,
                                         .request = buffer_bytes(&outbox->scratch)});
    outbox->parcels++;
}

void outbox_request(struct outbox *outbox, struct actor_id to, struct entity sender, const char *type,
                    struct bytes key, struct bytes body)
{
    CHECK(to.kind < KIND_COUNT && to.index < ACTORS_MAX);
    struct buffer *frame = &outbox->peers[to.kind][to.index];
    if (frame->size == 0)
        outbox->dirty[outbox->dirty_count++] = to;
    request_into(outbox, frame, sender, type, key, body);
}

void outbox_provider(struct outbox *outbox, struct entity sender, struct bytes operation)
{
    request_into(outbox, &outbox->provider, sender, "sandbox.operate", sender.key, operation);
}
