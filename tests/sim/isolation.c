// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/isolation.h"

#include "codec/check.h"
#include "store/quarantine.h"

void isolation_init(struct isolation *isolation, struct world *world, struct finding *finding)
{
    *isolation = (struct isolation){.world = world, .finding = finding};
    arena_init(&isolation->arena);
}

void isolation_deinit(struct isolation *isolation)
{
    for (int i = 0; i < isolation->count; i++)
        buffer_deinit(&isolation->list[i].rows);
    arena_deinit(&isolation->arena);
}

bool isolation_has(const struct isolation *isolation, enum kind_id kind, struct bytes key)
{
    for (int i = 0; i < isolation->count; i++)
        if (isolation->list[i].entity.kind == kind && bytes_equal(isolation->list[i].entity.key, key))
            return true;
    return false;
}

// ---- coming and going

static void family_write(struct store *store, enum family family, struct bytes entity, struct buffer *out)
{
    struct buffer behind = {0};
    struct bytes key, value;
    enum fault fault = FAULT_NONE;
    keys_after(&behind, entity);
    struct store_scan *scan = store_scan_open(store, family, entity, buffer_bytes(&behind), false);
    while (store_scan_next(scan, &key, &value, &fault)) {
        pack_int(out, family);
        pack_bin(out, key);
        pack_bin(out, value);
    }
    CHECK(fault == FAULT_NONE);
    store_scan_close(&scan);
    buffer_deinit(&behind);
}

// What is stored of it, also what may be forgotten by now.
static void rows_write(struct world *world, struct entity entity, struct buffer *out)
{
    struct world_actor *owner = &world->actors[world_owner(world, entity.kind, entity.key)];
    struct buffer key = {0};
    CHECK(!world->up);
    atomic_store(owner->horizon, 0);
    keys_entity(&key, entity.key);
    for (int family = FAMILY_HEAD; family <= FAMILY_REMEMBERED; family++)
        family_write(owner->store, (enum family)family, buffer_bytes(&key), out);
    buffer_deinit(&key);
}

// As the next epoch's record says it.
static void name_all(struct isolation *isolation)
{
    struct quarantined rows[ISOLATED_MAX] = {0};
    struct quarantine all = {.list = rows, .count = (uint32_t)isolation->count};
    for (int i = 0; i < isolation->count; i++) {
        rows[i].kind = bytes_text(kind_name(isolation->list[i].entity.kind));
        rows[i].key = isolation->list[i].entity.key;
    }
    buffer_clear(&isolation->world->quarantine);
    quarantine_pack(&all, &isolation->world->quarantine);
}

void isolation_put(struct isolation *isolation, enum kind_id kind, struct bytes key)
{
    CHECK(isolation->count < ISOLATED_MAX && !isolation_has(isolation, kind, key), "%.*s", BYTES_FORMAT(key));
    struct isolated *one = &isolation->list[isolation->count++];
    *one = (struct isolated){.entity = {kind, arena_copy(&isolation->arena, key)}};
    rows_write(isolation->world, one->entity, &one->rows);
    name_all(isolation);
}

void isolation_lift(struct isolation *isolation, int n)
{
    struct isolated *one = &isolation->list[n];
    struct buffer rows = {0};
    rows_write(isolation->world, one->entity, &rows);
    if (!bytes_equal(buffer_bytes(&rows), buffer_bytes(&one->rows)))
        finding_note(isolation->finding, 12, one->entity.kind, one->entity.key, NULL,
                     "what is stored of it changed while it was in quarantine");
    buffer_deinit(&rows);
    buffer_deinit(&one->rows);
    *one = isolation->list[--isolation->count];
    name_all(isolation);
}

// ---- meanwhile

void isolation_decided(struct isolation *isolation, const struct world_decision *decision)
{
    struct entity sender = decision->in.sender;
    if (isolation_has(isolation, decision->def->kind, decision->request.key))
        finding_note(isolation->finding, 12, decision->def->kind, decision->request.key, NULL,
                     "%s is decided, though this is in quarantine", decision->def->name);
    if (decision->in.origin == LOG_PEER && isolation_has(isolation, sender.kind, sender.key))
        finding_note(isolation->finding, 12, sender.kind, sender.key, NULL, "it says %s, though it is in quarantine",
                     decision->def->name);
}

// The broker answers some requests before anybody looks whom they are about.
static bool is_brokers(enum status status)
{
    return status == STATUS_busy || status == STATUS_forbidden || status == STATUS_invalid;
}

void isolation_replied(struct isolation *isolation, enum kind_id kind, struct bytes key, enum status status)
{
    bool there = isolation_has(isolation, kind, key);
    if (there != (status == STATUS_quarantined) && !(there && is_brokers(status)))
        finding_note(isolation->finding, 14, kind, key, NULL, "answered %s, and it is %s quarantine", status_name(status),
                     there ? "in" : "not in");
}

// ---- who waits

static bool waits_for_it(const struct isolation *isolation, const struct model_order *order)
{
    static const enum kind_id of_order[] = {KIND_ORDER, KIND_PAYMENT, KIND_SANDBOX};
    for (size_t i = 0; i < sizeof of_order / sizeof *of_order; i++)
        if (isolation_has(isolation, of_order[i], bytes_text(order->id)))
            return true;
    for (uint32_t i = 0; i < order->items.count; i++)
        if (isolation_has(isolation, KIND_INVENTORY, bytes_text(order->items.at[i].sku)) ||
            isolation_has(isolation, KIND_CATALOG, bytes_text(order->items.at[i].sku)))
            return true;
    return order->cart_id && isolation_has(isolation, KIND_CART, bytes_text(order->cart_id));
}

void isolation_rest(struct isolation *isolation, const struct model *model)
{
    struct arena arena;
    struct order record;
    arena_init(&arena);
    for (const struct model_order *order = model->orders; order; order = order->hh.next)
        if (!waits_for_it(isolation, order) && world_record(isolation->world, KIND_ORDER, FAMILY_OPEN, bytes_text(order->id),
                                                            BYTES(""), order_shape(), &record, &arena))
            finding_note(isolation->finding, 15, KIND_ORDER, bytes_text(order->id), NULL,
                         "it waits for nobody in quarantine, and is open: step %.*s, status %.*s",
                         BYTES_FORMAT(record.step), BYTES_FORMAT(record.status));
    arena_deinit(&arena);
}
