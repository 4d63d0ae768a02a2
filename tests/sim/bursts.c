// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/bursts.h"

#include "codec/check.h"
#include "tests/sim/people.h"

#include <stdio.h>

#define SECOND_US INT64_C(1000000)

enum { HOLDS_MAX = 400, PIECES_US = 10 * 1000000 /* to end them all takes no longer */ };

// ---- drawing

static void burst_draw(struct run *run, struct burst *burst, uint32_t in_one_turn)
{
    struct chance *chance = &run->bursts.chance;
    int64_t pieces = PIECES_US / BURSTS_MAX / run->mood.turn_us, most = pieces * in_one_turn;
    most = most < 2 ? 2 : most < HOLDS_MAX ? most : HOLDS_MAX;
    *burst = (struct burst){.holds = (uint32_t)chance_range(chance, 2, most),
                            .asks = (uint32_t)chance_range(chance, 1, 6),
                            .ttl_us = 1000 * chance_spread(chance, 100, 60000)};
    person_sku(burst->sku, (int)chance_spread(chance, 0, run->mood.skus - 1));
}

void bursts_draw(struct run *run, struct world_options *options)
{
    struct bursts *bursts = &run->bursts;
    bursts->chance = (struct chance){run->seed * UINT64_C(0x9fb21c651e98df25) + 1};
    if (!chance_permille(&bursts->chance, 200))
        return;
    options->holds_due_max = (uint32_t)chance_spread(&bursts->chance, 1, 200);
    bursts->count = (uint32_t)chance_range(&bursts->chance, 1, BURSTS_MAX);
    for (uint32_t i = 0; i < bursts->count; i++)
        burst_draw(run, &bursts->at[i], options->holds_due_max);
}

void bursts_open(struct run *run)
{
    for (uint32_t i = 0; i < run->bursts.count; i++)
        run_burst(run, i, chance_below(&run->bursts.chance, run->mood.busy_us));
}

// ---- asking

struct bundle {
    struct run *run;
    const char *sku;
    struct buffer requests;
    uint32_t count;
};

static void add(struct bundle *bundle, enum message_type type, const void *body)
{
    struct run *run = bundle->run;
    const struct message_def *def = message_by_number(type);
    struct buffer encoded = {0}, request = {0};
    char id[16];
    snprintf(id, sizeof id, "b%u", ++run->bursts.ids);
    body_encode(def->body(), body, &encoded);
    request_write(&request, bytes_text(id), def->name, bytes_text(bundle->sku), buffer_bytes(&encoded), 0);
    auditor_sent(&run->auditor, buffer_bytes(&request));
    buffer_append(&bundle->requests, request.at, request.size);
    bundle->count++;
    buffer_deinit(&encoded);
    buffer_deinit(&request);
}

static void send(struct bundle *bundle)
{
    struct buffer frame = {0};
    bundle_head_write(&frame, bundle->count);
    buffer_append(&frame, bundle->requests.at, bundle->requests.size);
    run_arrive(bundle->run, "burst", buffer_bytes(&frame));
    buffer_deinit(&frame);
    buffer_deinit(&bundle->requests);
}

static void hold_many(struct run *run, uint32_t number)
{
    const struct burst *burst = &run->bursts.at[number];
    struct bundle bundle = {.run = run, .sku = burst->sku};
    add(&bundle, MESSAGE_inventory_receive, &(struct inventory_receive){.quantity = burst->holds});
    for (uint32_t i = 0; i < burst->holds; i++) {
        char name[32];
        int size = snprintf(name, sizeof name, "burst-%u-%u", number, i);
        add(&bundle, MESSAGE_inventory_reserve,
            &(struct inventory_reserve){.reservation_id = bytes_of(name, (size_t)size),
                                        .quantity = 1,
                                        .ttl_ms = burst->ttl_us / 1000,
                                        .has_ttl_ms = true});
    }
    send(&bundle);
}

// Holds as many as are there and as some of the burst's leave, looks, lets one of them go, or wants it for longer.
static void want(struct run *run, uint32_t number)
{
    struct chance *chance = &run->bursts.chance;
    const struct burst *burst = &run->bursts.at[number];
    struct bundle bundle = {.run = run, .sku = burst->sku};
    char name[32], own[32];
    struct bytes one = bytes_of(
        name, (size_t)snprintf(name, sizeof name, "burst-%u-%d", number, (int)chance_below(chance, burst->holds)));
    int size = snprintf(own, sizeof own, "want-%u", run->bursts.ids);
    for (int64_t i = chance_range(chance, 1, 3); i > 0; i--)
        if (chance_permille(chance, 400))
            add(&bundle, MESSAGE_inventory_reserve,
                &(struct inventory_reserve){.reservation_id = bytes_of(own, (size_t)size),
                                            .quantity = chance_range(chance, 1, burst->holds)});
        else if (chance_permille(chance, 400))
            add(&bundle, MESSAGE_inventory_get, "");
        else if (chance_permille(chance, 500))
            add(&bundle, MESSAGE_inventory_extend, &(struct inventory_extend){.reservation_id = one, .ttl_ms = 1000});
        else
            add(&bundle, MESSAGE_inventory_release, &(struct reservation_ref){.reservation_id = one});
    send(&bundle);
}

// Within the next few points, where nothing else is to happen already.
static void crash_soon(struct run *run)
{
    struct world *world = run->world;
    if (run->calm || !world->up || world->crash_at || world->write_fails_at ||
        !chance_permille(&run->bursts.chance, run->mood.crashes ? 300 : 0))
        return;
    world->crash_at = world->points + 1 + (uint64_t)chance_below(&run->bursts.chance, 12);
}

void bursts_happen(struct run *run, uint32_t number)
{
    struct burst *burst = &run->bursts.at[number];
    struct chance *chance = &run->bursts.chance;
    if (run->calm)
        return;
    if (!burst->sent) {
        burst->sent = true;
        run->auditor.coverage.bursts++;
        hold_many(run, number);
        run_burst(run, number, burst->ttl_us + chance_range(chance, 0, run->mood.pipe_us + run->mood.turn_us));
    } else if (burst->asks-- > 0) {
        want(run, number);
        crash_soon(run);
        run_burst(run, number, chance_range(chance, 0, 2 * run->mood.turn_us));
    }
}
