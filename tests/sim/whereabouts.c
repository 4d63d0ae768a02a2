// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/whereabouts.h"

#include "codec/check.h"

static uint64_t mix(uint64_t hash, struct bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ bytes.at[i]) * UINT64_C(0x100000001b3);
    return (hash ^ bytes.size) * UINT64_C(0x9e3779b97f4a7c15);
}

static void family_take(struct world *world, const struct world_actor *actor, enum family family,
                        struct whereabouts *all, struct finding *finding)
{
    struct store_scan *scan = store_scan_open(actor->store, family, (struct bytes){0}, (struct bytes){0}, false);
    struct bytes row, value, key, rest;
    uint16_t slot;
    enum fault fault = FAULT_NONE;
    while (store_scan_next(scan, &row, &value, &fault)) {
        CHECK(keys_read_entity(row, &slot, &key, &rest));
        bool owned = slot == slot_of(key) && world_owner(world, actor->id.kind, key) == actor->number;
        if (!owned && world->up)
            finding_note(finding, 12, actor->id.kind, key, NULL, "stored at %s, which does not own it",
                         actor_id_name(actor->id).text);
        if (!owned)
            continue;
        all->rows++;
        all->sum += mix(mix((uint64_t)actor->id.kind << 8 | family, row), value);
    }
    CHECK(fault == FAULT_NONE);
    store_scan_close(&scan);
}

struct whereabouts whereabouts_take(struct world *world, struct finding *finding)
{
    struct whereabouts all = {0};
    for (uint16_t i = 0; i < world->actors_count; i++) {
        int64_t horizon = atomic_exchange(world->actors[i].horizon, 0);
        for (int family = FAMILY_HEAD; family <= FAMILY_REMEMBERED; family++)
            family_take(world, &world->actors[i], (enum family)family, &all, finding);
        atomic_store(world->actors[i].horizon, horizon);
    }
    return all;
}
