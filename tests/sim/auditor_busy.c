// SPDX-License-Identifier: Apache-2.0
// Is `busy` answered only where a bound is reached? The broker's is counted here once more, by the frames that go to an
// actor and the credit that comes back; the order's from the orders as they are seen to be (seen.h). That is all there
// is in this world: how many bytes a connection may be promised, and a node that ends or reshapes, are the node's.
#include "tests/sim/auditor.h"

#include "codec/check.h"

#include <inttypes.h>

static uint64_t clients_in(struct bytes frame)
{
    struct cursor cursor = cursor_over(frame);
    struct parcel parcel;
    uint64_t count = 0;
    while (parcel_next(&cursor, &parcel))
        count += parcel.origin == PARCEL_CLIENT;
    return count;
}

// ---- the broker

void auditor_frame_sent(struct auditor *auditor, uint16_t from, uint16_t to)
{
    if (from == WORLD_BROKER)
        auditor->in_flight[to] += clients_in(queue_bytes(auditor->world->pipes[from][to].last));
}

void auditor_frame_arrived(struct auditor *auditor, uint16_t from, uint16_t to, const struct parcel *parcel)
{
    struct parcel_credit credit;
    struct cursor cursor = cursor_over(parcel->request);
    struct reply reply;
    if (to != WORLD_BROKER)
        return;
    if (parcel->origin == PARCEL_CREDIT) {
        memcpy(&credit, parcel->request.at, sizeof credit);
        auditor->in_flight[from] -= credit.commands;
    }
    if (parcel->origin == PARCEL_REPLY && reply_read(&cursor, &reply) && bytes_equal(reply.status, BYTES("busy")))
        auditor->busy_passed_on++;
}

static uint16_t asked_actor(const struct world *world, const struct message_def *def, struct bytes key)
{
    struct actor_id actor;
    if (def->kind < KIND_COUNT)
        return world_owner(world, def->kind, key);
    CHECK(actor_id_parse(key, &actor), "%.*s", BYTES_FORMAT(key));
    return (uint16_t)(world->lanes.first[actor.kind] + actor.index);
}

// It leaves the broker: what an actor said is judged already.
void auditor_busy_replied(struct auditor *auditor, const struct message_def *def, struct bytes key)
{
    const struct world *world = auditor->world;
    if (auditor->busy_passed_on) {
        auditor->busy_passed_on--;
        return;
    }
    if (world->intake->refusing)
        return;
    uint16_t number = asked_actor(world, def, key);
    const struct lane *lane = &world->lanes.at[number];
    uint64_t most = world->options.commands_in_flight_max ? world->options.commands_in_flight_max : UINT32_MAX;
    uint64_t count = auditor->in_flight[number] + clients_in(buffer_bytes(&lane->frame));
    auditor->coverage.busy_credit++;
    if (count < most)
        finding_note(&auditor->finding, 13, def->kind, key, NULL,
                     "the broker is busy with %" PRIu64 " commands of %" PRIu64 " for this actor", count, most);
}

// ---- an order

static int64_t distinct(const struct order_place *body)
{
    int64_t count = 0;
    for (uint32_t i = 0; i < body->lines_count; i++) {
        uint32_t j = 0;
        while (j < i && !bytes_equal(body->lines[j].sku, body->lines[i].sku))
            j++;
        count += j == i;
    }
    return count;
}

void auditor_busy_decided(struct auditor *auditor, const struct world_decision *decision)
{
    const struct settings *settings = &auditor->world->options.settings;
    struct order_place body;
    struct refusal refusal;
    if (decision->status != STATUS_busy)
        return;
    if (decision->def->type != MESSAGE_order_place || decision->logged) {
        finding_note(&auditor->finding, 13, decision->def->kind, decision->request.key, NULL,
                     "%s is answered busy, and must not be", decision->def->name);
        return;
    }
    CHECK(body_decode(order_place_shape(), decision->request.body, &body, &auditor->arena, &refusal));
    struct seen_weight open = seen_weigh(auditor->orders, auditor->world, decision->actor);
    int64_t mine = body.has_cart_id ? settings->cart_lines_max : distinct(&body);
    bool lines = open.lines > 0 && open.lines + mine > settings->lines_in_flight_max;
    bool orders = open.waiting + open.to_wait >= settings->waiting_max;
    auditor->coverage.busy_lines += lines;
    auditor->coverage.busy_waiting += orders;
    if (!lines && !orders)
        finding_note(&auditor->finding, 13, KIND_ORDER, decision->request.key, NULL,
                     "busy with %" PRId64 " lines and %" PRId64 " more, of %" PRId64 ", and %" PRId64
                     " orders that wait or may come to, of %" PRId64,
                     open.lines, mine, settings->lines_in_flight_max, open.waiting + open.to_wait,
                     settings->waiting_max);
}

// What leaves an actor as busy was decided so in this turn.
void auditor_busy_turned(struct auditor *auditor, const struct world_actor *actor)
{
    struct cursor frame = cursor_over(buffer_bytes(&actor->core.outbox.broker));
    const struct world *world = auditor->world;
    struct reply reply;
    while (auditor_next_reply(&frame, &reply)) {
        if (!bytes_equal(reply.status, BYTES("busy")))
            continue;
        uint32_t i = 0;
        while (i < world->decisions_count &&
               (world->decisions[i].status != STATUS_busy || !bytes_equal(world->decisions[i].request.id, reply.id)))
            i++;
        if (i == world->decisions_count)
            finding_note(&auditor->finding, 13, actor->id.kind, reply.id, NULL, "busy, and no bound is reached");
    }
}
