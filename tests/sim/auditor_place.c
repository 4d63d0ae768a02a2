// SPDX-License-Identifier: Apache-2.0
// What order.place is answered, and when: with the order at rest; or, when wait_ms is over, as it then stands; or at
// once, when as many wait as may. Read from what leaves an actor's turn, beside the orders as they are seen to be
// (seen.h).
#include "tests/sim/auditor.h"

#include "codec/check.h"

#include <inttypes.h>

// One request that an actor took and has not answered.
struct awaited {
    struct awaited *next;
    struct bytes key, id;
    uint16_t actor;
    int64_t until;
    bool at_once;            // in the turn that took it, as the order stood then:
    enum order_status stood; // and
    enum status status;
};

// Of one turn (DESIGN §3, "a turn's work is bounded"): whom it has no room for, the next one answers.
enum { TURN_BYTES_MAX = 8 << 20, TURN_MEMORY_MAX = 32 << 20 };

static void wrong(struct auditor *auditor, int invariant, const struct awaited *awaited, const char *what)
{
    finding_note(&auditor->finding, invariant, KIND_ORDER, awaited->key, NULL, "order.place (%.*s) %s",
                 BYTES_FORMAT(awaited->id), what);
}

static struct seen_order *seen_of(struct auditor *auditor, struct bytes key)
{
    return seen_order(&auditor->orders, key, &auditor->arena);
}

// ---- a turn takes requests

static uint32_t waiting_at(const struct auditor *auditor, uint16_t actor)
{
    uint32_t count = 0;
    for (const struct awaited *it = auditor->awaited; it; it = it->next)
        count += it->actor == actor && !it->at_once;
    return count;
}

static int64_t wait_us(struct auditor *auditor, const struct world_decision *decision)
{
    struct order_place body;
    struct refusal refusal;
    CHECK(body_decode(order_place_shape(), decision->request.body, &body, &auditor->arena, &refusal));
    return (body.has_wait_ms ? body.wait_ms : 2000) * 1000;
}

void auditor_place_decided(struct auditor *auditor, const struct world_decision *decision)
{
    if (decision->def->type != MESSAGE_order_place || decision->in.origin != LOG_CLIENT ||
        !auditor_is_view(decision->status))
        return;
    const struct world *world = auditor->world;
    const struct seen_order *order = seen_of(auditor, decision->request.key);
    struct awaited *awaited = arena_alloc(&auditor->arena, sizeof *awaited);
    int64_t wait = wait_us(auditor, decision);
    *awaited = (struct awaited){.next = auditor->awaited,
                                .key = bytes_text(order->id),
                                .id = arena_copy(&auditor->arena, decision->request.id),
                                .actor = (uint16_t)(world->lanes.first[KIND_ORDER] + decision->actor.index),
                                .until = decision->at + wait,
                                .stood = order->status,
                                .status = seen_answer(order)};
    awaited->at_once = seen_rests(order) || !wait || waiting_at(auditor, awaited->actor) >= world->options.waiters_max;
    auditor->awaited = awaited;
}

// ---- a turn answers

// Those to be answered at once come first, then who waits the shortest; NULL: nobody waits for this.
static struct awaited *take(struct auditor *auditor, uint16_t actor, struct bytes id)
{
    struct awaited **best = NULL;
    for (struct awaited **it = &auditor->awaited; *it; it = &(*it)->next) {
        if ((*it)->actor != actor || !bytes_equal((*it)->id, id))
            continue;
        bool sooner = !best || (*it)->at_once > (*best)->at_once ||
                      ((*it)->at_once == (*best)->at_once && (*it)->until <= (*best)->until);
        best = sooner ? it : best;
    }
    struct awaited *taken = best ? *best : NULL;
    if (taken)
        *best = taken->next;
    return taken;
}

static void judge_view(struct auditor *auditor, const struct awaited *awaited, const struct reply *reply)
{
    struct order_placed view;
    struct refusal refusal;
    enum status status;
    bool read = body_decode_lenient(order_placed_shape(), reply->body, &view, &auditor->arena, &refusal);
    if (!status_of_name(reply->status, &status) || status != awaited->status)
        wrong(auditor, 8, awaited, "is answered under another name than its order's status has");
    else if (!read || order_status_of(view.status) != awaited->stood)
        wrong(auditor, 8, awaited, "is answered with another status than its order has");
}

static void judge_answer(struct auditor *auditor, struct awaited *awaited, const struct reply *reply, int64_t at)
{
    const struct seen_order *order = seen_of(auditor, awaited->key);
    const struct model_order *modelled = model_order(&auditor->model, awaited->key);
    if (!awaited->at_once) {
        awaited->stood = order->status;
        awaited->status = seen_answer(order);
        *(seen_rests(order) ? &auditor->coverage.rested : &auditor->coverage.waited_out) += 1;
    }
    if (!awaited->at_once && !seen_rests(order) && at < awaited->until)
        wrong(auditor, 8, awaited, "is answered before its order rests, and before wait_ms is over");
    judge_view(auditor, awaited, reply);
    if (awaited->status != STATUS_ok && modelled && !modelled->refused)
        model_gave_back(&auditor->model, modelled);
}

static void read_replies(struct auditor *auditor, const struct world_actor *actor)
{
    struct cursor frame = cursor_over(buffer_bytes(&actor->core.outbox.broker));
    struct reply reply;
    enum status status;
    while (auditor_next_reply(&frame, &reply)) {
        const struct auditor_request *asked = auditor_request_of(auditor, reply.id);
        if (!asked || asked->def->type != MESSAGE_order_place || !status_of_name(reply.status, &status) ||
            !auditor_is_view(status))
            continue;
        struct awaited *awaited = take(auditor, actor->number, reply.id);
        if (awaited)
            judge_answer(auditor, awaited, &reply, actor->core.shard->at);
        else
            wrong(auditor, 14, &(struct awaited){.key = asked->key, .id = reply.id}, "is answered, and nobody waits for it");
    }
}

static bool full(const struct world_actor *actor)
{
    return actor->core.outbox.size >= TURN_BYTES_MAX || actor->core.shard->arena.total >= TURN_MEMORY_MAX;
}

static void judge_left(struct auditor *auditor, const struct awaited *awaited, const struct world_actor *actor)
{
    if (awaited->at_once)
        wrong(auditor, 14, awaited, "is to be answered at once, and is not");
    else if (full(actor))
        return;
    else if (seen_rests(seen_of(auditor, awaited->key)))
        wrong(auditor, 14, awaited, "is not answered although its order rests");
    else if (actor->core.shard->at >= awaited->until)
        wrong(auditor, 14, awaited, "is not answered although wait_ms is over");
}

void auditor_place_turned(struct auditor *auditor, const struct world_actor *actor)
{
    int64_t now = auditor->world->clock;
    if (actor->id.kind == KIND_ORDER)
        read_replies(auditor, actor);
    for (const struct awaited *it = auditor->awaited; it; it = it->next) {
        if (it->actor == actor->number)
            judge_left(auditor, it, actor);
        else if (!auditor->clock_jumped && now > it->until + auditor->turn_us)
            wrong(auditor, 14, it, "has waited longer than wait_ms and a turn");
    }
}
