// SPDX-License-Identifier: Apache-2.0
#include "broker/outgoing.h"

#include "codec/check.h"
#include "codec/envelope.h"
#include "codec/ids.h"

void outgoing_init(struct outgoing *outgoing, struct front *front)
{
    *outgoing = (struct outgoing){.front = front};
    for (int i = 0; i < GROUPS; i++)
        buffer_init(&outgoing->groups[i].replies);
    buffer_init(&outgoing->head);
}

void outgoing_deinit(struct outgoing *outgoing)
{
    for (int i = 0; i < GROUPS; i++)
        buffer_deinit(&outgoing->groups[i].replies);
    buffer_deinit(&outgoing->head);
}

static void send_bundle(struct outgoing *outgoing, struct bytes route, uint32_t count, struct bytes replies)
{
    buffer_clear(&outgoing->head);
    bundle_head_write(&outgoing->head, count);
    front_send(outgoing->front, 0, route, buffer_bytes(&outgoing->head), replies, count);
}

static void group_send(struct outgoing *outgoing, size_t place)
{
    struct group *group = &outgoing->groups[place];
    if (group->count)
        send_bundle(outgoing, bytes_of(group->route, group->route_size), group->count, buffer_bytes(&group->replies));
    group->count = 0;
    buffer_clear(&group->replies);
    outgoing->open &= ~(UINT64_C(1) << place);
}

static bool group_fits(const struct group *group, struct bytes route, struct bytes reply)
{
    return bytes_equal(route, bytes_of(group->route, group->route_size)) && group->count < BUNDLE_MAX &&
           group->replies.size + reply.size <= GROUP_SIZE_MAX;
}

static void group_reply(struct outgoing *outgoing, struct bytes route, struct bytes reply)
{
    size_t place = hash_of(route) % GROUPS;
    struct group *group = &outgoing->groups[place];
    if (!group_fits(group, route, reply))
        group_send(outgoing, place);
    if (reply.size > GROUP_SIZE_MAX) {
        send_bundle(outgoing, route, 1, reply);
        return;
    }
    if (!group->count) {
        CHECK(route.size <= sizeof group->route, "%zu", route.size);
        memcpy(group->route, route.at, route.size);
        group->route_size = (uint8_t)route.size;
        outgoing->open |= UINT64_C(1) << place;
    }
    buffer_append(&group->replies, reply.at, reply.size);
    group->count++;
}

void outgoing_reply(struct outgoing *outgoing, uint8_t flags, struct bytes route, struct bytes reply)
{
    if (flags & PARCEL_BUNDLED)
        group_reply(outgoing, route, reply);
    else
        front_send(outgoing->front, flags, route, reply, bytes_of(NULL, 0), 1);
}

void outgoing_flush(struct outgoing *outgoing)
{
    while (outgoing->open)
        group_send(outgoing, (size_t)__builtin_ctzll(outgoing->open));
}
