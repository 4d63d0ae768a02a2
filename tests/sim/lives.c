// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/lives.h"

#include "tests/sim/run.h"

#include <inttypes.h>

#define HOUR_US INT64_C(3600000000)

void lives_draw(struct run *run)
{
    struct lives *lives = &run->lives;
    lives->chance.state = run->seed * UINT64_C(0x9fb21c651e98df25) + 7;
    lives->reshapes = chance_permille(&lives->chance, 300) ? (int)chance_range(&lives->chance, 200, 1000) : 0;
    lives->fails = lives->reshapes && chance_permille(&lives->chance, 700) ? (int)chance_range(&lives->chance, 200, 900) : 0;
    lives->isolates = chance_permille(&lives->chance, 300) ? (int)chance_range(&lives->chance, 200, 900) : 0;
}

// ---- who

static bool is_open(const struct run *run, const char *id)
{
    struct arena arena;
    struct order record;
    arena_init(&arena);
    bool open = world_record(run->world, KIND_ORDER, FAMILY_OPEN, bytes_text(id), BYTES(""), order_shape(), &record, &arena);
    arena_deinit(&arena);
    return open;
}

// Any order; one that is under way if there is one.
static const struct model_order *some_order(struct run *run)
{
    const struct model_order *order = NULL, *any = NULL;
    uint32_t from = (uint32_t)chance_below(&run->lives.chance, run->orders_count);
    for (uint32_t i = 0; i < run->orders_count; i++) {
        const char *id = run->orders[(from + i) % run->orders_count];
        order = model_order(&run->auditor.model, bytes_text(id));
        if (order && is_open(run, id))
            return order;
        any = order ? order : any;
    }
    return any;
}

// Somebody of this kind whom the order has to do with; an empty key: nobody.
static const char *somebody(struct run *run, enum kind_id kind, const struct model_order *order)
{
    switch (kind) {
    case KIND_ORDER:
    case KIND_PAYMENT:
        return order->id;
    case KIND_SANDBOX:
        return run->outside ? "" : order->id;
    case KIND_CART:
        return order->cart_id ? order->cart_id : "";
    case KIND_CATALOG:
    case KIND_INVENTORY:
        return order->items.count
                   ? order->items.at[chance_below(&run->lives.chance, order->items.count)].sku
                   : "";
    case KIND_COUNT:
        break;
    }
    return "";
}

static void isolate(struct run *run)
{
    static const enum kind_id kinds[] = {KIND_ORDER, KIND_ORDER, KIND_PAYMENT, KIND_PAYMENT,   KIND_INVENTORY,
                                         KIND_INVENTORY, KIND_CART, KIND_SANDBOX, KIND_CATALOG};
    struct isolation *isolation = &run->auditor.isolation;
    enum kind_id kind = kinds[chance_below(&run->lives.chance, sizeof kinds / sizeof *kinds)];
    const struct model_order *order = run->orders_count ? some_order(run) : NULL;
    struct bytes key = bytes_text(order ? somebody(run, kind, order) : "");
    if (!key.size || isolation->count == ISOLATED_MAX || isolation_has(isolation, kind, key))
        return;
    isolation_put(isolation, kind, key);
    run->auditor.coverage.isolated[kind]++;
    trace_line(&run->auditor.trace, run->world->clock, "──── %s/%.*s is in quarantine", kind_name(kind), BYTES_FORMAT(key));
}

static void lift(struct run *run, int n)
{
    struct isolation *isolation = &run->auditor.isolation;
    struct entity entity = isolation->list[n].entity;
    isolation_lift(isolation, n);
    run->auditor.coverage.lifted++;
    trace_line(&run->auditor.trace, run->world->clock, "──── %s/%.*s is in quarantine no more", kind_name(entity.kind),
               BYTES_FORMAT(entity.key));
}

// ---- how many

// After a start that failed the same is wanted again, or something else.
static void reshape(struct run *run)
{
    struct lives *lives = &run->lives;
    struct world *world = run->world;
    if (chance_permille(&lives->chance, lives->reshapes))
        for (int kind = 0; kind < KIND_COUNT; kind++)
            if (chance_permille(&lives->chance, 500))
                world->wanted.count[kind] = (uint16_t)chance_range(&lives->chance, 1, WORLD_ACTORS_MAX);
    if (!chance_permille(&lives->chance, lives->fails))
        return;
    world->shelf.fails_open = (int)chance_range(&lives->chance, 0, 1) ? 1 : (int)chance_range(&lives->chance, 2, 16);
    world->shelf.fails_nth = (unsigned)chance_range(&lives->chance, 1, 4);
}

static bool same_map(const struct owner_map *a, const struct owner_map *b)
{
    return memcmp(a->count, b->count, sizeof a->count) == 0;
}

void lives_changed(struct run *run)
{
    struct lives *lives = &run->lives;
    struct world *world = run->world;
    if (!lives->reshapes)
        return;
    bool moved = !same_map(&world->owners, &lives->owners);
    bool wanted = !same_map(&world->wanted, &lives->owners);
    struct whereabouts after = whereabouts_take(world, &run->auditor.finding);
    if (after.rows != lives->before.rows || after.sum != lives->before.sum)
        finding_note(&run->auditor.finding, 12, KIND_COUNT, BYTES("-"), NULL,
                     "the shop had %" PRIu64 " rows at their owners before its start, and has %" PRIu64 " after it%s",
                     lives->before.rows, after.rows, after.rows == lives->before.rows ? ", others" : "");
    struct coverage *coverage = &run->auditor.coverage;
    if (world->up)
        coverage->reshapes[RESHAPE_DONE] += moved;
    else
        coverage->reshapes[moved ? RESHAPE_DIED_COMMITTED : wanted ? RESHAPE_DIED_MOVING : RESHAPE_DIED_SWEEPING]++;
    for (int kind = 0; kind < KIND_COUNT && moved; kind++)
        if (world->owners.count[kind] != lives->owners.count[kind])
            trace_line(&run->auditor.trace, world->clock, "──── %s: %u actors, then %u", kind_name((enum kind_id)kind),
                       lives->owners.count[kind], world->owners.count[kind]);
}

// ---- between two lives

void lives_change(struct run *run)
{
    struct lives *lives = &run->lives;
    struct isolation *isolation = &run->auditor.isolation;
    lives->owners = run->world->owners;
    if (lives->reshapes) {
        lives->before = whereabouts_take(run->world, &run->auditor.finding);
        if (!run->calm)
            reshape(run);
    }
    for (int i = isolation->count; i-- > 0;)
        if (lives->lifts_all || (!run->calm && chance_permille(&lives->chance, 300)))
            lift(run, i);
    while (!run->calm && lives->isolates && chance_permille(&lives->chance, lives->isolates)) {
        isolate(run);
        if (chance_permille(&lives->chance, 500))
            break;
    }
}

// ---- the end

int64_t lives_calm(struct run *run)
{
    struct lives *lives = &run->lives;
    if (!run->auditor.isolation.count)
        return 0;
    bool rests = chance_permille(&lives->chance, 700);
    lives->rest_us = rests ? run->world->options.settings.order_deadline_ms * 1000 + run->jumped_back + run->mood.think_us +
                                 3 * HOUR_US
                           : 1000000;
    return lives->rest_us;
}

void lives_lift(struct run *run)
{
    if (run->lives.rest_us > HOUR_US) {
        isolation_rest(&run->auditor.isolation, &run->auditor.model);
        run->auditor.coverage.rests_isolated++;
    }
    run->lives.lifts_all = true;
    world_crash(run->world);
}
