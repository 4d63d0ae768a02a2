// SPDX-License-Identifier: Apache-2.0
// Tables over the databases of a kind, and the first fault of a reader. One thread.
#include "cli/databases.h"

#include "codec/check.h"
#include "store/keys.h"

#include <stdarg.h>
#include <stdio.h>

void trouble_note(struct trouble *trouble, enum fault fault, const char *format, ...)
{
    if (trouble->fault)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(trouble->text.line, sizeof trouble->text.line, format, args);
    va_end(args);
    trouble->fault = fault;
}

static void table_end(struct table *table)
{
    store_scan_close(&table->scan);
    table->entity = table->key = table->rest = table->value = (struct bytes){0};
}

void table_corrupt(const struct table *table)
{
    uint16_t actor = (uint16_t)(table->next_actor ? table->next_actor - 1 : 0);
    trouble_note(table->trouble, FAULT_CORRUPTION,
                 "%s-%u, %s of %.*s: this record does not decode; restore the directory from a copy",
                 kind_name(table->kind), actor, family_name(table->family), BYTES_FORMAT(table->key));
}

// Opens the scan over the next actor's share; false: there is none.
static bool scan_next_actor(struct table *table)
{
    store_scan_close(&table->scan);
    while (table->next_actor < table->databases->owners.count[table->kind]) {
        struct actor_id actor = {table->kind, table->next_actor++};
        struct store *store = table->databases->of[actor.kind][actor.index];
        uint32_t from, to;
        owner_range(&table->databases->owners, actor, &from, &to);
        if (!store || from == to)
            continue;
        struct buffer first = {0}, behind = {0};
        keys_slot(&first, from);
        keys_slot(&behind, to);
        table->scan = store_scan_open(store, table->family, buffer_bytes(&first), buffer_bytes(&behind), false);
        buffer_deinit(&first);
        buffer_deinit(&behind);
        return true;
    }
    return false;
}

void table_next(struct table *table)
{
    enum fault fault = FAULT_NONE;
    struct bytes row;
    while (!table->trouble->fault && (table->scan || scan_next_actor(table))) {
        if (!store_scan_next(table->scan, &row, &table->value, &fault)) {
            if (fault)
                trouble_note(table->trouble, fault, "%s-%d, family %s: it cannot be read; restore it from a copy",
                             kind_name(table->kind), table->next_actor - 1, family_name(table->family));
            store_scan_close(&table->scan);
            continue;
        }
        if (!keys_read_entity(row, &table->slot, &table->key, &table->rest)) {
            table->key = (struct bytes){0};
            table_corrupt(table);
            break;
        }
        table->entity = bytes_of(row.at, row.size - table->rest.size);
        return;
    }
    table_end(table);
}

void table_open(struct table *table, const struct databases *databases, enum kind_id kind, enum family family,
                struct trouble *trouble)
{
    *table = (struct table){.databases = databases, .trouble = trouble, .kind = kind, .family = family};
    table_next(table);
}

void table_close(struct table *table)
{
    table_end(table);
}
