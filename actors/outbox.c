// SPDX-License-Identifier: Apache-2.0
#include "actors/outbox.h"

#include "codec/check.h"

enum { FRAME_KEPT_MAX = 1024 * 1024 };

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

static void frame_clear(struct buffer *frame)
{
    if (frame->capacity > FRAME_KEPT_MAX)
        buffer_deinit(frame);
    buffer_clear(frame);
}

void outbox_clear(struct outbox *outbox)
{
    frame_clear(&outbox->broker);
    frame_clear(&outbox->provider);
    frame_clear(&outbox->scratch);
    for (uint32_t i = 0; i < outbox->dirty_count; i++)
        frame_clear(&outbox->peers[outbox->dirty[i].kind][outbox->dirty[i].index]);
    outbox->dirty_count = 0;
    outbox->parcels = outbox->size = 0;
}

static void put(struct outbox *outbox, struct buffer *frame, const struct parcel *parcel)
{
    size_t before = frame->size;
    parcel_write(frame, parcel);
    outbox->size += frame->size - before;
    outbox->parcels++;
}

static void to_broker(struct outbox *outbox, enum parcel_origin origin, struct bytes route, uint8_t flags,
                      struct bytes content)
{
    put(outbox, &outbox->broker, &(struct parcel){.origin = origin, .flags = flags, .route = route, .request = content});
}

void outbox_reply(struct outbox *outbox, struct bytes route, uint8_t flags, struct bytes id, enum status status,
                  struct bytes body)
{
    buffer_clear(&outbox->scratch);
    reply_write(&outbox->scratch, id, status, body);
    room_take(outbox->room, room_place(outbox->room, route), outbox->scratch.size);
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
    put(outbox, frame,
        &(struct parcel){.origin = PARCEL_PEER,
                         .route_kind = (uint8_t)sender.kind,
                         .route = sender.key,
                         .request = buffer_bytes(&outbox->scratch)});
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
