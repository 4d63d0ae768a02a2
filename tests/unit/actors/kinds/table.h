// SPDX-License-Identifier: Apache-2.0
// One entity on a table: its rows, who speaks to it, and what its kind decides. Stands in for the runtime: loads what
// message.def says a message loads, hands it to the pure handler, and applies the effects to the rows unless it was
// a refusal. So a test is a line of `given → message → status → effects`, and a story is several of them.
//
//     struct table table;
//     table_init(&table, &kind_inventory, "mug");
//     table_put(&table, PLACE_HEAD, "", stock_shape(), &(struct stock){.on_hand = 5, …}, 0);
//     cr_expect_eq(table_run(&table, MESSAGE_inventory_reserve, &(struct inventory_reserve){…}), STATUS_ok);
//     cr_expect_str_eq(table_effects(&table), "put head; put child cR1; due cR1 1000");
//     cr_expect_str_eq(table_reply(&table), "{expires_at: 1000, available: 4}");
//     table_deinit(&table);
//
// Texts live until table_deinit; `table.effects` and what was decoded from it until the next run.
#pragma once

#include "actors/kinds/kind.h"
#include "codec/check.h"

#include <inttypes.h>
#include <stdlib.h>

#define TABLE_AT INT64_C(1700000000000000) // a Tuesday in 2023, µs

struct table_row {
    enum place place;
    struct bytes id; // of the child; of a due row: what follows the entity in its key
    struct bytes value;
};

struct table {
    const struct kind *kind;
    struct bytes key;
    struct settings settings; // those of the topology file in DESIGN §10
    int64_t at;               // the turn's time: tests move it
    bool late;                // retry_until has passed
    enum sender sender;
    struct entity from;
    struct weight open;     // what the actor's open orders weigh
    uint32_t page_rows;     // PAGE: how many children are loaded; tests set it
    uint32_t due_rows_max;  // DUE: how many due rows are loaded at most
    int64_t wake_at;        // this entity's timer as the last wake effect left it; 0: none
    struct table_row *rows; // ascending by place and id
    uint32_t rows_count, rows_capacity;
    struct given given; // of the last run
    struct effects effects;
    struct arena arena; // of the last run
    struct arena texts;
};

static inline void table_init(struct table *table, const struct kind *kind, const char *key)
{
    *table = (struct table){.kind = kind, .at = TABLE_AT, .page_rows = 100, .due_rows_max = UINT32_MAX};
    table->settings = (struct settings){
        .remember_hours = 24,
        .reservation_ttl_ms = 900000,
        .cart_ttl_days = 30,
        .cart_lines_max = 500,
        .order_lines_max = 2000,
        .order_deadline_ms = 900000,
        .lines_in_flight_max = 100000,
        .waiting_max = 100000,
        .provider_key_hours = 20,
        .provider = BYTES("sandbox"),
    };
    arena_init(&table->arena);
    arena_init(&table->texts);
    effects_init(&table->effects, &table->arena);
    table->key = arena_copy(&table->texts, bytes_text(key));
}

static inline void table_deinit(struct table *table)
{
    for (uint32_t i = 0; i < table->rows_count; i++) {
        free((void *)table->rows[i].id.at);
        free((void *)table->rows[i].value.at);
    }
    free(table->rows);
    effects_deinit(&table->effects);
    arena_deinit(&table->arena);
    arena_deinit(&table->texts);
}

// ---- who speaks

static inline void table_as_client(struct table *table)
{
    table->sender = SENDER_CLIENT;
    table->from = (struct entity){0};
}

static inline void table_as(struct table *table, enum kind_id kind, const char *key)
{
    table->sender = SENDER_PEER;
    table->from = (struct entity){kind, arena_copy(&table->texts, bytes_text(key))};
}

static inline void table_as_runtime(struct table *table)
{
    table->sender = SENDER_RUNTIME;
    table->from = (struct entity){0};
}

// ---- rows

// Of the row, or of the one that would follow it.
static inline uint32_t table_index(const struct table *table, enum place place, struct bytes id, bool *found)
{
    uint32_t low = 0, high = table->rows_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct table_row *row = &table->rows[middle];
        if (row->place < place || (row->place == place && bytes_compare(row->id, id) < 0))
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < table->rows_count && table->rows[low].place == place && bytes_equal(table->rows[low].id, id);
    return low;
}

static inline struct bytes table_copy(struct bytes bytes)
{
    uint8_t *at = malloc(bytes.size ? bytes.size : 1);
    CHECK(at, "out of memory");
    if (bytes.size)
        memcpy(at, bytes.at, bytes.size);
    return bytes_of(at, bytes.size);
}

static inline void table_put_row(struct table *table, enum place place, struct bytes id, struct bytes value)
{
    bool found;
    uint32_t index = table_index(table, place, id, &found);
    if (found) {
        free((void *)table->rows[index].value.at);
        table->rows[index].value = table_copy(value);
        return;
    }
    if (table->rows_count == table->rows_capacity) {
        table->rows_capacity = table->rows_capacity ? table->rows_capacity * 2 : 16;
        table->rows = realloc(table->rows, table->rows_capacity * sizeof *table->rows);
        CHECK(table->rows, "out of memory");
    }
    memmove(table->rows + index + 1, table->rows + index, (table->rows_count - index) * sizeof *table->rows);
    table->rows[index] = (struct table_row){place, table_copy(id), table_copy(value)};
    table->rows_count++;
}

static inline void table_delete_row(struct table *table, enum place place, struct bytes id)
{
    bool found;
    uint32_t index = table_index(table, place, id, &found);
    if (!found)
        return;
    free((void *)table->rows[index].id.at);
    free((void *)table->rows[index].value.at);
    table->rows_count--;
    memmove(table->rows + index, table->rows + index + 1, (table->rows_count - index) * sizeof *table->rows);
}

// What a message finds: nothing once the row's forget_at has come.
static inline struct bytes table_load(const struct table *table, enum place place, struct bytes id)
{
    bool found;
    uint32_t index = table_index(table, place, id, &found);
    if (!found)
        return (struct bytes){0};
    int64_t forget_at = record_forget_at(table->rows[index].value);
    CHECK(forget_at >= 0, "%" PRId64, forget_at);
    return forget_at && forget_at <= table->at ? (struct bytes){0} : table->rows[index].value;
}

static inline void table_put(struct table *table, enum place place, const char *id, const struct shape *shape,
                             const void *record, int64_t forget_at)
{
    struct buffer value;
    buffer_init(&value);
    record_encode(shape, record, forget_at, &value);
    table_put_row(table, place, bytes_text(id), buffer_bytes(&value));
    buffer_deinit(&value);
}

// The row as it stands now; false: absent. What `out` points to lives until table_deinit.
static inline bool table_read(struct table *table, enum place place, const char *id, const struct shape *shape,
                              void *out)
{
    struct bytes value = arena_copy(&table->texts, table_load(table, place, bytes_text(id)));
    if (!value.size)
        return false;
    CHECK(record_decode(shape, value, out, &table->texts), "%s", shape->name);
    return true;
}

static inline uint32_t table_count(const struct table *table, enum place place)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < table->rows_count; i++)
        count += table->rows[i].place == place;
    return count;
}

// ---- due rows: earliest deadline and what tells rows of one deadline apart, 8 bytes, big endian

static inline void table_due_id(uint8_t id[16], int64_t earliest, int64_t at)
{
    for (int i = 0; i < 8; i++) {
        id[i] = (uint8_t)((uint64_t)earliest >> (56 - 8 * i));
        id[8 + i] = (uint8_t)((uint64_t)at >> (56 - 8 * i));
    }
}

static inline int64_t table_due_at(struct bytes id)
{
    uint64_t at = 0;
    for (int i = 0; i < 8; i++)
        at = at << 8 | id.at[i];
    return (int64_t)at;
}

// What the runtime writes for the deadlines of one turn.
static inline void table_put_due(struct table *table, const struct due_hold *holds, uint32_t count)
{
    if (!count)
        return;
    int64_t earliest = holds[0].at;
    for (uint32_t i = 1; i < count; i++)
        earliest = holds[i].at < earliest ? holds[i].at : earliest;
    uint8_t id[16];
    table_due_id(id, earliest, table->at);
    struct due row = {.holds_count = 0};
    struct bytes before = table_load(table, PLACE_DUE, bytes_of(id, sizeof id));
    if (before.size)
        CHECK(record_decode(due_shape(), before, &row, &table->arena), "due row");
    struct due_hold *all = arena_alloc(&table->arena, (row.holds_count + count) * sizeof *all);
    if (row.holds_count)
        memcpy(all, row.holds, row.holds_count * sizeof *all);
    memcpy(all + row.holds_count, holds, count * sizeof *all);
    row = (struct due){.holds = all, .holds_count = row.holds_count + count};
    struct buffer value;
    buffer_init(&value);
    record_encode(due_shape(), &row, 0, &value);
    table_put_row(table, PLACE_DUE, bytes_of(id, sizeof id), buffer_bytes(&value));
    buffer_deinit(&value);
}

// ---- load

static inline struct bytes table_field(const struct shape *shape, const void *body, const char *name)
{
    for (uint16_t i = 0; i < shape->count; i++)
        if (strcmp(shape->fields[i].name, name) == 0)
            return *(const struct bytes *)((const char *)body + shape->fields[i].offset);
    return (struct bytes){0};
}

static inline struct bytes table_child_id(struct table *table, char owner, struct bytes name)
{
    uint8_t *id = arena_alloc(&table->arena, 1 + name.size);
    id[0] = (uint8_t)owner;
    memcpy(id + 1, name.at, name.size);
    return bytes_of(id, 1 + name.size);
}

// Once, however many due rows name it.
static inline void table_add_child(struct table *table, struct given *given, struct bytes id)
{
    for (uint32_t i = 0; i < given->children_count; i++)
        if (bytes_equal(given->children[i].id, id))
            return;
    struct bytes value = arena_copy(&table->arena, table_load(table, PLACE_CHILD, id));
    given->children[given->children_count++] = (struct child){arena_copy(&table->arena, id), value};
}

static inline void table_load_named(struct table *table, struct given *given)
{
    struct bytes name = table_field(given->def->body(), given->body, given->def->loads_field);
    table_add_child(table, given, table_child_id(table, given->sender == SENDER_CLIENT ? 'c' : 'o', name));
    if (given->sender == SENDER_CLIENT)
        table_add_child(table, given, table_child_id(table, 'o', name));
}

static inline void table_load_many(struct table *table, struct given *given, struct bytes after, uint32_t max)
{
    for (uint32_t i = 0; i < table->rows_count; i++) {
        const struct table_row *row = &table->rows[i];
        if (row->place != PLACE_CHILD || bytes_compare(row->id, after) <= 0)
            continue;
        if (given->children_count == max) {
            given->page_more = true;
            return;
        }
        if (table_load(table, PLACE_CHILD, row->id).size)
            table_add_child(table, given, row->id);
    }
}

static inline void table_load_due(struct table *table, struct given *given)
{
    int64_t until = ((const struct inventory_expire *)given->body)->until;
    for (uint32_t i = 0; i < table->rows_count; i++) {
        const struct table_row *row = &table->rows[i];
        if (row->place != PLACE_DUE)
            continue;
        if (table_due_at(row->id) > until || given->due_count == table->due_rows_max) {
            given->due_next = table_due_at(row->id);
            return;
        }
        given->due[given->due_count++] =
            (struct child){arena_copy(&table->arena, row->id), arena_copy(&table->arena, row->value)};
        struct due due;
        CHECK(record_decode(due_shape(), given->due[given->due_count - 1].value, &due, &table->arena), "due row");
        for (uint32_t j = 0; j < due.holds_count; j++)
            if (table_load(table, PLACE_CHILD, due.holds[j].child).size)
                table_add_child(table, given, due.holds[j].child);
    }
}

static inline void table_load_given(struct table *table, struct given *given)
{
    given->children = arena_alloc(&table->arena, (table->rows_count + 2) * sizeof *given->children);
    given->due = arena_alloc(&table->arena, (table->rows_count + 1) * sizeof *given->due);
    given->head = arena_copy(&table->arena, table_load(table, PLACE_HEAD, (struct bytes){0}));
    given->record_open = arena_copy(&table->arena, table_load(table, PLACE_OPEN, (struct bytes){0}));
    switch (given->def->loads) {
    case LOADS_HEAD:
        break;
    case LOADS_CHILD:
        table_load_named(table, given);
        break;
    case LOADS_CONTENT:
        table_add_child(table, given, (struct bytes){0});
        break;
    case LOADS_PAGE:
        table_load_many(table, given, table_field(given->def->body(), given->body, "after"), table->page_rows);
        break;
    case LOADS_DUE:
        table_load_due(table, given);
        break;
    }
}

// ---- run

static inline void table_apply(struct table *table)
{
    uint32_t due_count = 0;
    struct due_hold *due = arena_alloc(&table->arena, (table->effects.count + 1) * sizeof *due);
    for (uint32_t i = 0; i < table->effects.count; i++) {
        const struct effect *effect = &table->effects.list[i];
        switch (effect->type) {
        case EFFECT_PUT:
            table_put_row(table, effect->place, effect->child, effect->value);
            break;
        case EFFECT_DELETE:
            table_delete_row(table, effect->place, effect->child);
            break;
        case EFFECT_WAKE:
            table->wake_at = effect->at;
            break;
        case EFFECT_DUE:
            due[due_count++] = (struct due_hold){.at = effect->at, .child = effect->child};
            break;
        case EFFECT_SEND:
        case EFFECT_EVENT:
        case EFFECT_PROVIDER:
        case EFFECT_REASK:
            break;
        }
    }
    table_put_due(table, due, due_count);
}

// The body goes through encoder and strict decoder, so a test cannot send what no client could. NULL: {}.
static inline enum status table_run(struct table *table, enum message_type type, const void *body)
{
    const struct message_def *def = message_by_number(type);
    CHECK(def && def->kind == table->kind->id && table->kind->handlers[type], "message %d", type);
    arena_reset(&table->arena);
    effects_reset(&table->effects);
    struct buffer encoded;
    buffer_init(&encoded);
    const void *nothing = arena_alloc(&table->arena, def->body()->size + 1);
    body_encode(def->body(), body ? body : nothing, &encoded);
    struct bytes frame = arena_copy(&table->arena, buffer_bytes(&encoded));
    buffer_deinit(&encoded);
    void *decoded = arena_alloc(&table->arena, def->body()->size + 1);
    struct refusal refusal = {0};
    CHECK(body_decode(def->body(), frame, decoded, &table->arena, &refusal), "%s: %s", refusal.field, refusal.message);

    table->given = (struct given){.at = table->at,
                                  .settings = &table->settings,
                                  .def = def,
                                  .body = decoded,
                                  .key = table->key,
                                  .sender = table->sender,
                                  .from = table->from,
                                  .late = table->late,
                                  .open = table->open,
                                  .arena = &table->arena};
    table_load_given(table, &table->given);
    enum status status = table->kind->handlers[type](&table->given, &table->effects);
    if (status == STATUS_ok || table->effects.kept)
        table_apply(table);
    return status;
}

// Did the last message change a row besides the head?
static inline bool table_moved(const struct table *table)
{
    for (uint32_t i = 0; i < table->effects.count; i++)
        if (table->effects.list[i].type != EFFECT_PUT || table->effects.list[i].place != PLACE_HEAD)
            return true;
    return false;
}

static inline int64_t table_next_due(struct table *table)
{
    struct bytes head = table_load(table, PLACE_HEAD, (struct bytes){0});
    return table->kind->due_at && head.size ? table->kind->due_at(head, &table->texts) : 0;
}

// As the runtime lets a message meet an entity: whatever is due ends first (DESIGN §3.6).
static inline enum status table_meet(struct table *table, enum message_type type, const void *body)
{
    enum sender sender = table->sender;
    struct entity from = table->from;
    int64_t need = table->kind->due_need ? table->kind->due_need(message_by_number(type), body) : 0;
    bool moved = true;
    table_as_runtime(table);
    for (int64_t due = table_next_due(table); moved && due && due <= table->at; due = table_next_due(table)) {
        table_run(table, MESSAGE_inventory_expire, &(struct inventory_expire){.until = table->at, .need = need});
        moved = table_moved(table);
    }
    table->sender = sender;
    table->from = from;
    return table_run(table, type, body);
}

// ---- what was decided, as text

static inline void table_print(struct buffer *out, struct cursor *cursor)
{
    int64_t number;
    bool flag;
    uint32_t count;
    struct bytes text;
    if (cursor_nil(cursor)) {
        buffer_printf(out, "nil");
    } else if (cursor_bool(cursor, &flag)) {
        buffer_printf(out, flag ? "true" : "false");
    } else if (cursor_int(cursor, &number)) {
        buffer_printf(out, "%" PRId64, number);
    } else if (cursor_str(cursor, &text)) {
        buffer_printf(out, "%.*s", BYTES_FORMAT(text));
    } else if (cursor_bin(cursor, &text)) {
        buffer_printf(out, "<%zu bytes>", text.size);
    } else if (cursor_array(cursor, &count)) {
        buffer_printf(out, "[");
        for (uint32_t i = 0; i < count; i++) {
            buffer_printf(out, i ? ", " : "");
            table_print(out, cursor);
        }
        buffer_printf(out, "]");
    } else if (cursor_map(cursor, &count)) {
        buffer_printf(out, "{");
        for (uint32_t i = 0; i < count; i++) {
            buffer_printf(out, i ? ", " : "");
            table_print(out, cursor);
            buffer_printf(out, ": ");
            table_print(out, cursor);
        }
        buffer_printf(out, "}");
    } else {
        CHECK(cursor_skip(cursor, NULL), "not msgpack");
        buffer_printf(out, "?");
    }
}

static inline void table_print_value(struct buffer *out, struct bytes value)
{
    struct cursor cursor = cursor_over(value);
    table_print(out, &cursor);
    CHECK(cursor_left(&cursor) == 0, "bytes behind the value");
}

static inline const char *table_text(struct table *table, struct buffer *buffer)
{
    buffer_append(buffer, "", 1);
    const char *text = (const char *)arena_copy(&table->texts, buffer_bytes(buffer)).at;
    buffer_deinit(buffer);
    return text;
}

// "{available: 3, version: 7}"; "" when the handler left the body to the runtime.
static inline const char *table_reply(struct table *table)
{
    struct buffer out;
    buffer_init(&out);
    if (table->effects.reply.size)
        table_print_value(&out, table->effects.reply);
    return table_text(table, &out);
}

// The row as it stands now, by field: "{on_hand: 5, …}"; "" when absent.
static inline const char *table_row(struct table *table, enum place place, const char *id, const struct shape *shape)
{
    struct buffer out, body;
    buffer_init(&out);
    buffer_init(&body);
    void *record = arena_alloc(&table->texts, shape->size);
    if (table_read(table, place, id, shape, record)) {
        body_encode(shape, record, &body);
        table_print_value(&out, buffer_bytes(&body));
    }
    buffer_deinit(&body);
    return table_text(table, &out);
}

static inline void table_print_effect(struct buffer *out, const struct effect *effect)
{
    static const char *const places[] = {"head", "open", "child", "due"};
    switch (effect->type) {
    case EFFECT_PUT:
    case EFFECT_DELETE:
        buffer_printf(out, "%s %s", effect->type == EFFECT_PUT ? "put" : "delete", places[effect->place]);
        if (effect->place == PLACE_CHILD && effect->child.size)
            buffer_printf(out, " %.*s", BYTES_FORMAT(effect->child));
        if (effect->place == PLACE_DUE)
            buffer_printf(out, " %" PRId64, table_due_at(effect->child));
        break;
    case EFFECT_SEND:
        buffer_printf(out, "send %s %.*s ", message_by_number(effect->message)->name, BYTES_FORMAT(effect->target.key));
        table_print_value(out, effect->value);
        break;
    case EFFECT_EVENT:
        buffer_printf(out, "event %s ", event_by_number(effect->message)->name);
        table_print_value(out, effect->value);
        break;
    case EFFECT_WAKE:
        buffer_printf(out, "wake %" PRId64, effect->at);
        break;
    case EFFECT_PROVIDER:
        buffer_printf(out, "provider ");
        table_print_value(out, effect->value);
        break;
    case EFFECT_DUE:
        buffer_printf(out, "due %.*s %" PRId64, BYTES_FORMAT(effect->child), effect->at);
        break;
    case EFFECT_REASK:
        buffer_printf(out, "reask");
        break;
    }
}

// In order: "put head; put child cR1; send catalog.price mug {}; event stock_changed {…}; wait". Records are not
// shown: see table_row.
static inline const char *table_effects(struct table *table)
{
    struct buffer out;
    buffer_init(&out);
    for (uint32_t i = 0; i < table->effects.count; i++) {
        buffer_printf(&out, i ? "; " : "");
        table_print_effect(&out, &table->effects.list[i]);
    }
    if (table->effects.kept)
        buffer_printf(&out, out.size ? "; keep" : "keep");
    if (table->effects.wait)
        buffer_printf(&out, out.size ? "; wait" : "wait");
    return table_text(table, &out);
}

// How many records the last message put and deleted (DESIGN §6: the budget).
static inline uint32_t table_writes(const struct table *table)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < table->effects.count; i++)
        count += table->effects.list[i].type == EFFECT_PUT || table->effects.list[i].type == EFFECT_DELETE;
    return count;
}
