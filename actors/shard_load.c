// SPDX-License-Identifier: Apache-2.0
// Before the decision: read the message strictly, plan what it touches for the turn's one multi-get, and hand the
// handler what was loaded. Actor's thread.
#include "actors/shard.h"

#include "codec/check.h"
#include "codec/planted.h"

enum { RETRY_UNTIL_SLACK_US = 60 * 1000000 }; // clocks differ

struct bytes shard_key(struct shard *shard, struct bytes entity, struct bytes rest)
{
    uint8_t *key = arena_alloc(&shard->arena, entity.size + rest.size);
    memcpy(key, entity.at, entity.size);
    if (rest.size)
        memcpy(key + entity.size, rest.at, rest.size);
    return bytes_of(key, entity.size + rest.size);
}

static struct bytes entity_key(struct shard *shard, struct bytes key)
{
    buffer_clear(&shard->key);
    keys_entity(&shard->key, key);
    return arena_copy(&shard->arena, buffer_bytes(&shard->key));
}

// The body stands in the scratch.
static void refuse_with(struct shard *shard, struct decision *decision, enum status status)
{
    decision->def = NULL;
    decision->refused = status;
    decision->refusal = arena_copy(&shard->arena, buffer_bytes(&shard->scratch));
}

static void refuse(struct shard *shard, struct decision *decision, enum status status, const char *field,
                   const char *message)
{
    buffer_clear(&shard->scratch);
    refusal_body_write(&shard->scratch, field, message);
    refuse_with(shard, decision, status);
}

// The value of the ID field that names a message's child.
static struct bytes child_field(const struct decision *decision)
{
    const struct shape *shape = decision->def->body();
    for (uint16_t i = 0; i < shape->count; i++)
        if (strcmp(shape->fields[i].name, decision->def->loads_field) == 0)
            return *(const struct bytes *)((const char *)decision->body + shape->fields[i].offset);
    CHECK(false, "%s has no field %s", decision->def->name, decision->def->loads_field);
}

// "c" + name for a client, "o" + name for an order.
static struct bytes child_row(struct shard *shard, const struct decision *decision, char owner)
{
    struct bytes name = child_field(decision);
    uint8_t *rest = arena_alloc(&shard->arena, name.size + 1);
    rest[0] = (uint8_t)owner;
    memcpy(rest + 1, name.at, name.size);
    return shard_key(shard, decision->entity, bytes_of(rest, name.size + 1));
}

int64_t shard_remembers_until(const struct shard *shard)
{
    return shard->overlay.at + shard->options.settings->remember_hours * INT64_C(3600000000);
}

// A reply cannot be remembered as long as that, so a repeat would take effect a second time.
static bool asks_too_long(const struct shard *shard, const struct decision *decision)
{
    return decision->in->origin == LOG_CLIENT && decision->def->effect != EFFECT_READ &&
           decision->request.retry_until > shard_remembers_until(shard) + RETRY_UNTIL_SLACK_US;
}

static void plan(struct shard *shard, struct decision *decision)
{
    const struct message_def *def = decision->def;
    overlay_want(&shard->overlay, FAMILY_HEAD, decision->entity);
    if (shard->kind->moves)
        overlay_want(&shard->overlay, FAMILY_OPEN, decision->entity);
    if (def->loads == LOADS_CONTENT)
        overlay_want(&shard->overlay, FAMILY_CHILD, decision->entity);
    if (def->loads == LOADS_CHILD) {
        bool client = decision->in->origin == LOG_CLIENT;
        overlay_want(&shard->overlay, FAMILY_CHILD, child_row(shard, decision, client ? 'c' : 'o'));
        if (client && def->type != MESSAGE_inventory_reserve)
            overlay_want(&shard->overlay, FAMILY_CHILD, child_row(shard, decision, 'o'));
    }
    if (def->once == ONCE_BY_REQUEST) {
        CHECK(decision->in->origin == LOG_CLIENT, "%s", def->name); // nobody else chooses ids
        decision->remembered = shard_key(shard, decision->entity, decision->request.id);
        overlay_want(&shard->overlay, FAMILY_REMEMBERED, decision->remembered);
        decision->fingerprint = fingerprint_of(def->body(), decision->body, &shard->arena);
    }
}

// Clients are told; whoever else asks waits until it is cleared.
static void refuse_confined(struct shard *shard, struct decision *decision, enum kind_id kind)
{
    const char *kind_text = kind_name(kind);
    struct bytes key = decision->request.key;
    if (decision->in->origin != LOG_CLIENT)
        return;
    buffer_clear(&shard->scratch);
    pack_map(&shard->scratch, 2);
    pack_text(&shard->scratch, "message");
    pack_text(&shard->scratch,
              arena_format(&shard->arena,
                           "%s/%.*s is in quarantine: a decision about it ended the process; see `souk quarantine list` "
                           "and, once a build can decide it, `souk quarantine clear %s %.*s` on the stopped node",
                           kind_text, BYTES_FORMAT(key), kind_text, BYTES_FORMAT(key)));
    pack_text(&shard->scratch, "entity");
    pack_text(&shard->scratch, arena_format(&shard->arena, "%s/%.*s", kind_text, BYTES_FORMAT(key)));
    refuse_with(shard, decision, STATUS_quarantined);
}

void decision_read(struct shard *shard, const struct incoming *in, struct decision *decision)
{
    *decision = (struct decision){.in = in};
    struct cursor cursor = cursor_over(in->request);
    struct envelope_refusal refusal;
    if (!request_read(&cursor, &decision->request, &refusal)) {
        CHECK(in->origin == LOG_CLIENT, "%s: %s", refusal.field ? refusal.field : "", refusal.message);
        decision->request.id = refusal.id;
        refuse(shard, decision, refusal.status, refusal.field, refusal.message);
        return;
    }
    const struct message_def *def = message_by_name(decision->request.type);
    if (!def || (def->audience == AUDIENCE_PEER && in->origin == LOG_CLIENT) ||
        (def->kind != shard->kind->id && def->type != MESSAGE_events_read)) {
        CHECK(in->origin == LOG_CLIENT, "%.*s", BYTES_FORMAT(decision->request.type));
        refuse(shard, decision, def && def->audience == AUDIENCE_PEER ? STATUS_forbidden : STATUS_invalid, "type",
               "this message is not for this actor");
        return;
    }
    if (def->kind == shard->kind->id && confined_has(shard->confined, decision->request.key) &&
        !(PLANTED(quarantine_hears_peers) && in->origin == LOG_PEER)) {
        refuse_confined(shard, decision, def->kind);
        return;
    }
    decision->def = def;
    shard_deciding(decision);
    const struct shape *shape = def->body();
    decision->body = arena_alloc(&shard->arena, shape->size + 1);
    struct refusal why;
    if (!body_decode(shape, decision->request.body, decision->body, &shard->arena, &why)) {
        CHECK(in->origin == LOG_CLIENT, "%s: %s: %s", def->name, why.field, why.message);
        refuse(shard, decision, STATUS_invalid, why.field, why.message);
        return;
    }
    if (asks_too_long(shard, decision)) {
        refuse(shard, decision, STATUS_invalid, "meta.retry_until", "this is further ahead than replies are remembered");
        return;
    }
    decision->entity = entity_key(shard, decision->request.key);
    if (def->type != MESSAGE_events_read)
        plan(shard, decision);
}

static struct child *children_one(struct shard *shard, const struct decision *decision, struct bytes row, uint32_t of)
{
    struct child *children = arena_alloc(&shard->arena, of * sizeof *children);
    children[0] = (struct child){bytes_of(row.at + decision->entity.size, row.size - decision->entity.size),
                                 overlay_get(&shard->overlay, FAMILY_CHILD, row)};
    return children;
}

static void load_child(struct shard *shard, const struct decision *decision, struct given *given)
{
    bool client = decision->in->origin == LOG_CLIENT;
    bool both = client && decision->def->type != MESSAGE_inventory_reserve;
    given->children = children_one(shard, decision, child_row(shard, decision, client ? 'c' : 'o'), 2);
    given->children_count = both ? 2 : 1;
    if (both)
        given->children[1] = children_one(shard, decision, child_row(shard, decision, 'o'), 1)[0];
}

static struct child *children_of(struct shard *shard, struct bytes entity, const struct overlay_found *found,
                                 uint32_t count)
{
    struct child *children = arena_alloc(&shard->arena, (count + 1) * sizeof *children);
    for (uint32_t i = 0; i < count; i++)
        children[i] = (struct child){bytes_of(found[i].key.at + entity.size, found[i].key.size - entity.size),
                                     found[i].value};
    return children;
}

static struct bytes after_key(struct shard *shard, struct bytes key)
{
    buffer_clear(&shard->key);
    keys_after(&shard->key, key);
    return arena_copy(&shard->arena, buffer_bytes(&shard->key));
}

static void load_range(struct shard *shard, const struct decision *decision, struct given *given, struct bytes from,
                       uint32_t max)
{
    struct overlay_found *found;
    struct bytes behind;
    const struct overlay_range range = {decision->entity, from, after_key(shard, decision->entity), max, NULL};
    uint32_t count = overlay_scan(&shard->overlay, FAMILY_CHILD, &range, &found, &behind);
    given->page_more = behind.at != NULL;
    given->children = children_of(shard, decision->entity, found, count);
    given->children_count = count;
}

static void load_page(struct shard *shard, const struct decision *decision, struct given *given)
{
    const struct inventory_holds *body = decision->body;
    CHECK(decision->def->type == MESSAGE_inventory_holds);
    struct bytes from = decision->entity;
    if (body->has_after) { // the first key behind it
        from = shard_key(shard, decision->entity, body->after);
        from = shard_key(shard, from, bytes_of("", 1));
    }
    load_range(shard, decision, given, from, body->has_limit ? (uint32_t)body->limit : 100);
}

// How many holds a due row names, without decoding them: behind its version an array of forget_at and the list.
static uint32_t due_weigh(struct bytes row)
{
    struct cursor cursor = cursor_over(bytes_of(row.at + 1, row.size - 1));
    uint32_t fields, holds;
    int64_t forget_at;
    CHECK(cursor_array(&cursor, &fields) && cursor_int(&cursor, &forget_at) && cursor_array(&cursor, &holds),
          "%zu bytes", row.size);
    return holds;
}

static int64_t due_time(struct bytes key, struct bytes entity)
{
    uint64_t at = 0;
    for (int i = 0; i < 8; i++)
        at = at << 8 | key.at[entity.size + i];
    return (int64_t)at;
}

// The deadline of the first row that is left: `behind`, or the first one from `end` on. 0: there is none.
static int64_t due_left(struct shard *shard, const struct decision *decision, struct bytes behind, struct bytes end)
{
    struct overlay_found *next;
    const struct overlay_range range = {decision->entity, end, after_key(shard, decision->entity), 1, NULL};
    if (!behind.at && overlay_scan(&shard->overlay, FAMILY_DUE, &range, &next, NULL))
        behind = next[0].key;
    return behind.at ? due_time(behind, decision->entity) : 0;
}

static void load_named(struct shard *shard, const struct decision *decision, struct given *given)
{
    struct due *due = arena_alloc(&shard->arena, (given->due_count + 1) * sizeof *due);
    uint32_t holds = 0;
    for (uint32_t row = 0; row < given->due_count; row++) {
        CHECK(record_decode(due_shape(), given->due[row].value, &due[row], &shard->arena));
        for (uint32_t i = 0; i < due[row].holds_count; i++)
            overlay_want(&shard->overlay, FAMILY_CHILD, shard_key(shard, decision->entity, due[row].holds[i].child));
        holds += due[row].holds_count;
    }
    overlay_fetch(&shard->overlay);
    given->children = arena_alloc(&shard->arena, (holds + 1) * sizeof *given->children);
    for (uint32_t row = 0; row < given->due_count; row++)
        for (uint32_t i = 0; i < due[row].holds_count; i++)
            given->children[given->children_count++] = (struct child){
                due[row].holds[i].child,
                overlay_get(&shard->overlay, FAMILY_CHILD,
                            shard_key(shard, decision->entity, due[row].holds[i].child))};
}

// Due rows up to `until` (until the turn's share of endings is reached) and the holds they name.
static void load_due(struct shard *shard, const struct decision *decision, struct given *given)
{
    const struct inventory_expire *body = decision->body;
    struct overlay_found *rows;
    struct bytes behind;
    due_flush(shard, decision->entity);
    buffer_clear(&shard->key);
    keys_due(&shard->key, decision->request.key, body->until + 1, 0, 0);
    struct bytes end = arena_copy(&shard->arena, buffer_bytes(&shard->key));
    const struct overlay_range range = {decision->entity, decision->entity, end, HOLDS_DUE_MAX, due_weigh};
    given->due_count = overlay_scan(&shard->overlay, FAMILY_DUE, &range, &rows, &behind);
    given->due = children_of(shard, decision->entity, rows, given->due_count);
    load_named(shard, decision, given);
    given->due_next = due_left(shard, decision, behind, end);
}

static void load_children(struct shard *shard, const struct decision *decision, struct given *given)
{
    switch (decision->def->loads) {
    case LOADS_HEAD:
        return;
    case LOADS_CHILD:
        load_child(shard, decision, given);
        return;
    case LOADS_PAGE:
        load_page(shard, decision, given);
        return;
    case LOADS_DUE:
        load_due(shard, decision, given);
        return;
    case LOADS_CONTENT:
        given->children = children_one(shard, decision, decision->entity, 1);
        given->children_count = 1;
        return;
    }
}

void decision_load(struct shard *shard, const struct decision *decision, struct given *given)
{
    const struct incoming *in = decision->in;
    *given = (struct given){
        .at = shard->overlay.at,
        .settings = shard->options.settings,
        .def = decision->def,
        .body = decision->body,
        .key = decision->request.key,
        .sender = in->origin == LOG_CLIENT ? SENDER_CLIENT : in->origin == LOG_PEER ? SENDER_PEER : SENDER_RUNTIME,
        .from = in->sender,
        .late = decision->request.retry_until > 0 && decision->request.retry_until <= shard->overlay.at,
        .head = overlay_get(&shard->overlay, FAMILY_HEAD, decision->entity),
        .arena = &shard->arena,
    };
    if (!shard->options.replay)
        given->open = shard->weight;
    if (shard->kind->moves)
        given->record_open = overlay_get(&shard->overlay, FAMILY_OPEN, decision->entity);
    load_children(shard, decision, given);
}
