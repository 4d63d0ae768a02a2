// SPDX-License-Identifier: Apache-2.0
// Scripted stories over a world: say, run, advance, look.
#include "tests/sim/world.h"

#include "codec/check.h"

void world_say_from(struct world *world, const char *route, const char *id, enum message_type type, const char *key,
                    const void *body)
{
    static const char nothing[4096];
    const struct message_def *def = message_by_number(type);
    struct buffer encoded = {0}, request = {0};
    body_encode(def->body(), body ? body : nothing, &encoded);
    request_write(&request, bytes_text(id), def->name, bytes_text(key), buffer_bytes(&encoded), 0);
    world_receive(world, bytes_text(route), buffer_bytes(&request));
    buffer_deinit(&encoded);
    buffer_deinit(&request);
}

void world_say(struct world *world, const char *id, enum message_type type, const char *key, const void *body)
{
    world_say_from(world, "client", id, type, key, body);
}

static bool move_all(struct world *world)
{
    bool moved = false;
    for (uint16_t from = 0; from < WORLD_PLACES; from++)
        for (uint16_t to = 0; to < WORLD_PLACES; to++)
            while (world->pipes[from][to].count && world_move(world, from, to))
                moved = true;
    return moved;
}

static bool turn_all(struct world *world)
{
    bool turned = false;
    for (uint16_t i = 0; i < world->actors_count && world->up; i++)
        if (world_due(world, i) <= world->clock)
            turned |= world_turn(world, i, 0);
    return turned;
}

void world_run(struct world *world)
{
    enum { ROUNDS_MAX = 1000000 };
    for (uint32_t round = 0; round < ROUNDS_MAX; round++) {
        world_connector(world);
        bool moved = move_all(world);
        if (!turn_all(world) && !moved)
            return;
    }
    CHECK(false, "it never comes to rest");
}

void world_advance(struct world *world, int64_t us)
{
    int64_t until = world->clock + us;
    for (;;) {
        int64_t next = until;
        world_run(world);
        for (uint16_t i = 0; i < world->actors_count; i++)
            if (world_due(world, i) < next)
                next = world_due(world, i);
        if (next >= until)
            break;
        world->clock = next;
    }
    world->clock = until;
    world_run(world);
}

static const struct world_reply *reply_of(const struct world *world, const char *id)
{
    const struct world_reply *reply = world->replies;
    while (reply && !bytes_equal(reply->id, bytes_text(id)))
        reply = reply->next;
    return reply;
}

const char *world_status(struct world *world, const char *id)
{
    const struct world_reply *reply = reply_of(world, id);
    return reply ? arena_format(&world->texts, "%.*s", BYTES_FORMAT(reply->status)) : "";
}

struct bytes world_body(struct world *world, const char *id)
{
    const struct world_reply *reply = reply_of(world, id);
    return reply ? reply->body : (struct bytes){0};
}
