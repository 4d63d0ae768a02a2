// SPDX-License-Identifier: Apache-2.0
// Brings together what is stored under one order id: seven streams in the order of entities, merged.
#include "cli/audit_case.h"
#include "cli/cli.h"

#include <inttypes.h>

enum { ORDER_HEAD, ORDER_OPEN, ORDER_CONTENT, PAYMENT_HEAD, SANDBOX_HEAD, TABLES };

struct streams {
    struct audit *audit;
    struct table tables[TABLES];
    struct sorted holds, claims;
};

static void streams_open(struct streams *streams, struct audit *audit)
{
    static const struct {
        enum kind_id kind;
        enum family family;
    } of[TABLES] = {
        [ORDER_HEAD] = {KIND_ORDER, FAMILY_HEAD},       [ORDER_OPEN] = {KIND_ORDER, FAMILY_OPEN},
        [ORDER_CONTENT] = {KIND_ORDER, FAMILY_CHILD},   [PAYMENT_HEAD] = {KIND_PAYMENT, FAMILY_HEAD},
        [SANDBOX_HEAD] = {KIND_SANDBOX, FAMILY_HEAD},
    };
    *streams = (struct streams){.audit = audit};
    for (int i = 0; i < TABLES; i++)
        table_open(&streams->tables[i], audit->databases, of[i].kind, of[i].family, audit->trouble);
    sorted_open(&streams->holds, audit->holds);
    sorted_open(&streams->claims, audit->claims);
}

static void streams_close(struct streams *streams)
{
    for (int i = 0; i < TABLES; i++)
        table_close(&streams->tables[i]);
}

static void least(struct bytes candidate, struct bytes *entity)
{
    if (candidate.size && (!entity->size || bytes_compare(candidate, *entity) < 0))
        *entity = candidate;
}

// The first entity that any stream stands on; empty: all have ended.
static struct bytes streams_entity(const struct streams *streams)
{
    struct bytes entity = {0};
    for (int i = 0; i < TABLES; i++)
        least(streams->tables[i].entity, &entity);
    if (!streams->holds.ended)
        least(streams->holds.key, &entity);
    if (!streams->claims.ended)
        least(streams->claims.key, &entity);
    return entity;
}

static bool decode(struct streams *streams, int table, const struct shape *shape, void *out)
{
    struct table *it = &streams->tables[table];
    struct arena *arena = &streams->audit->arena;
    if (record_decode(shape, arena_copy(arena, it->value), out, arena)) // the row is gone once the table moves
        return true;
    table_corrupt(it);
    return false;
}

static bool stands(const struct streams *streams, int table, struct bytes entity)
{
    return bytes_equal(streams->tables[table].entity, entity);
}

static bool gather_order(struct streams *streams, struct order_case *it, struct bytes entity)
{
    bool open = stands(streams, ORDER_OPEN, entity), head = stands(streams, ORDER_HEAD, entity);
    struct verdict *verdict = streams->audit->verdict;
    it->known = open || head;
    it->settled = head && !open;
    if (open && head)
        VIOLATION_1(streams->audit, 5, KIND_ORDER, it->key, "stored as open and as settled");
    if (it->known && !decode(streams, open ? ORDER_OPEN : ORDER_HEAD, order_shape(), &it->record))
        return false;
    verdict->orders += it->known;
    verdict->open_orders += open;
    bool content = stands(streams, ORDER_CONTENT, entity);
    if (content && !decode(streams, ORDER_CONTENT, order_content_shape(), &it->content))
        return false;
    if (it->record.has_content) // while claiming it has no row of its own
        it->content = it->record.content;
    if (content != (it->known && !it->record.has_content))
        VIOLATION_1(streams->audit, 9, KIND_ORDER, it->key, "%s",
                    content ? "what was asked for is there, the order is not" : "what was asked for is not there");
    case_index_items(it);
    if (open)
        table_next(&streams->tables[ORDER_OPEN]);
    if (head)
        table_next(&streams->tables[ORDER_HEAD]);
    while (stands(streams, ORDER_CONTENT, entity))
        table_next(&streams->tables[ORDER_CONTENT]);
    return true;
}

static bool gather_money(struct streams *streams, struct order_case *it, struct bytes entity)
{
    it->has_payment = stands(streams, PAYMENT_HEAD, entity);
    if (it->has_payment) {
        if (!decode(streams, PAYMENT_HEAD, payment_shape(), &it->payment))
            return false;
        table_next(&streams->tables[PAYMENT_HEAD]);
    }
    if (stands(streams, SANDBOX_HEAD, entity)) {
        struct ledger book;
        if (!decode(streams, SANDBOX_HEAD, ledger_shape(), &book))
            return false;
        case_ledger(it, &book);
        table_next(&streams->tables[SANDBOX_HEAD]);
    }
    return true;
}

static void judge(struct streams *streams, struct order_case *it, struct bytes entity)
{
    if (it->known)
        case_record(it);
    for (; sorted_at(&streams->holds, entity); sorted_next(&streams->holds)) {
        struct hold_note note;
        hold_note_read(streams->holds.value, &note);
        case_hold(it, &note);
    }
    for (; sorted_at(&streams->claims, entity); sorted_next(&streams->claims))
        case_claim(it, streams->claims.value);
    case_goods(it);
    case_money(it);
}

void audit_orders(struct audit *audit)
{
    struct streams streams;
    streams_open(&streams, audit);
    for (;;) {
        struct bytes entity = streams_entity(&streams), rest;
        uint16_t slot;
        if (!entity.size || audit->trouble->fault)
            break;
        arena_reset(&audit->arena);
        entity = arena_copy(&audit->arena, entity);
        struct order_case it = {.audit = audit};
        keys_read_entity(entity, &slot, &it.key, &rest);
        if (!gather_order(&streams, &it, entity) || !gather_money(&streams, &it, entity))
            break;
        judge(&streams, &it, entity);
        progress("orders  %4d%%  %" PRIu64, slot * 100 / SLOT_COUNT, audit->verdict->orders);
    }
    streams_close(&streams);
}
