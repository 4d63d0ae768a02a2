// SPDX-License-Identifier: Apache-2.0
// A whole shop on a table: every kind's handlers, and the messages between their entities, in memory and in virtual
// time. Stands in for the runtime where several kinds act together (table.h: where one does). Between two entities
// messages are FIFO; between pairs the order is the seed's choice (0: as they were sent). Nothing is lost, except all
// that is under way, by shop_restart.
#pragma once

#include "tests/unit/actors/kinds/table.h"

enum { SHOP_ENTITIES_MAX = 32, SHOP_QUEUE_MAX = 512 };

struct shop_letter {
    struct entity to, from;
    enum sender sender;
    enum message_type message;
    struct bytes body; // msgpack
};

struct shop {
    struct table tables[SHOP_ENTITIES_MAX];
    uint32_t tables_count;
    struct shop_letter queue[SHOP_QUEUE_MAX];
    uint32_t queue_count;
    struct arena arena; // letters
    int64_t at;
    uint64_t seed;
    uint32_t delivered; // letters so far
    uint32_t writes[KIND_COUNT];
    uint32_t reasks;
    uint32_t events[EVENT_NUMBER_MAX + 1];
};

static inline void shop_init(struct shop *shop, uint64_t seed)
{
    memset(shop, 0, sizeof *shop);
    shop->at = TABLE_AT;
    shop->seed = seed;
    arena_init(&shop->arena);
}

static inline void shop_deinit(struct shop *shop)
{
    for (uint32_t i = 0; i < shop->tables_count; i++)
        table_deinit(&shop->tables[i]);
    arena_deinit(&shop->arena);
}

static inline struct table *shop_find(struct shop *shop, enum kind_id kind, struct bytes key)
{
    for (uint32_t i = 0; i < shop->tables_count; i++) {
        if (shop->tables[i].kind->id == kind && bytes_equal(shop->tables[i].key, key))
            return &shop->tables[i];
    }
    CHECK(shop->tables_count < SHOP_ENTITIES_MAX);
    struct table *table = &shop->tables[shop->tables_count++];
    const char *name = (const char *)arena_format(&shop->arena, "%.*s", BYTES_FORMAT(key));
    table_init(table, kind_of(kind), name);
    return table;
}

static inline struct table *shop_table(struct shop *shop, enum kind_id kind, const char *key)
{
    return shop_find(shop, kind, bytes_text(key));
}

// ---- messages

static inline void shop_post(struct shop *shop, struct shop_letter letter)
{
    CHECK(shop->queue_count < SHOP_QUEUE_MAX);
    letter.to.key = arena_copy(&shop->arena, letter.to.key);
    letter.from.key = arena_copy(&shop->arena, letter.from.key);
    letter.body = arena_copy(&shop->arena, letter.body);
    shop->queue[shop->queue_count++] = letter;
}

static inline struct bytes shop_encode(struct shop *shop, const struct shape *shape, const void *body)
{
    struct buffer out;
    buffer_init(&out);
    body_encode(shape, body, &out);
    struct bytes bytes = arena_copy(&shop->arena, buffer_bytes(&out));
    buffer_deinit(&out);
    return bytes;
}

static inline void shop_answer(struct shop *shop, const struct shop_letter *letter, struct table *table,
                               enum status status)
{
    const struct message_def *def = message_by_number(letter->message);
    if (letter->sender != SENDER_PEER || def->reply == no_answer_shape)
        return;
    struct bytes body = table->effects.reply;
    if (!body.size)
        body = BYTES("\x80"); // {}
    struct answer answer = {
        .re = bytes_text(def->name), .key = table->key, .status = bytes_text(status_name(status)), .body = body};
    shop_post(shop, (struct shop_letter){.to = letter->from,
                                         .from = letter->to,
                                         .sender = SENDER_PEER,
                                         .message = MESSAGE_order_answer,
                                         .body = shop_encode(shop, answer_shape(), &answer)});
}

static inline void shop_effects(struct shop *shop, struct table *table)
{
    struct entity self = {table->kind->id, table->key};
    for (uint32_t i = 0; i < table->effects.count; i++) {
        const struct effect *effect = &table->effects.list[i];
        struct shop_letter letter = {.from = self, .sender = SENDER_PEER, .body = effect->value};
        switch (effect->type) {
        case EFFECT_SEND:
            letter.to = effect->target;
            letter.message = (enum message_type)effect->message;
            shop_post(shop, letter);
            break;
        case EFFECT_PROVIDER:
            letter.to = (struct entity){KIND_SANDBOX, table->key};
            letter.message = MESSAGE_sandbox_operate;
            shop_post(shop, letter);
            break;
        case EFFECT_EVENT:
            shop->events[effect->message]++;
            break;
        case EFFECT_REASK:
            shop->reasks++;
            break;
        case EFFECT_PUT:
        case EFFECT_DELETE:
            shop->writes[table->kind->id]++;
            break;
        case EFFECT_WAKE:
        case EFFECT_DUE:
            break;
        }
    }
}

static inline enum status shop_deliver(struct shop *shop, const struct shop_letter *letter)
{
    const struct message_def *def = message_by_number(letter->message);
    struct table *table = shop_find(shop, letter->to.kind, letter->to.key);
    struct refusal refusal = {0};
    void *body = arena_alloc(&shop->arena, def->body()->size + 1);
    CHECK(body_decode(def->body(), letter->body, body, &shop->arena, &refusal), "%s: %s", def->name, refusal.message);
    table->sender = letter->sender;
    table->from = letter->from;
    table->at = ++shop->at;
    enum status status = table_run(table, letter->message, body);
    if (status == STATUS_ok || table->effects.kept)
        shop_effects(shop, table);
    shop_answer(shop, letter, table, status);
    return status;
}

// A client's request, at once.
static inline enum status shop_call(struct shop *shop, enum message_type message, const char *key, const void *body)
{
    const struct message_def *def = message_by_number(message);
    struct shop_letter letter = {.to = {def->kind, bytes_text(key)},
                                 .sender = SENDER_CLIENT,
                                 .message = message,
                                 .body = shop_encode(shop, def->body(), body ? body : &(struct empty){})};
    return shop_deliver(shop, &letter);
}

// ---- time

static inline enum message_type shop_wake_message(enum kind_id kind)
{
    return kind == KIND_ORDER ? MESSAGE_order_wake : kind == KIND_PAYMENT ? MESSAGE_payment_wake : MESSAGE_sandbox_wake;
}

// Posts the wake messages that are due.
static inline bool shop_wake_due(struct shop *shop)
{
    bool any = false;
    for (uint32_t i = 0; i < shop->tables_count; i++) {
        struct table *table = &shop->tables[i];
        if (!table->wake_at || table->wake_at > shop->at)
            continue;
        struct wake body = {.at = table->wake_at};
        table->wake_at = 0;
        shop_post(shop, (struct shop_letter){.to = {table->kind->id, table->key},
                                             .sender = SENDER_RUNTIME,
                                             .message = shop_wake_message(table->kind->id),
                                             .body = shop_encode(shop, wake_shape(), &body)});
        any = true;
    }
    return any;
}

// Nothing is under way: on to the next timer before `until`. false: there is none.
static inline bool shop_sleep(struct shop *shop, int64_t until)
{
    int64_t next = 0;
    for (uint32_t i = 0; i < shop->tables_count; i++) {
        int64_t at = shop->tables[i].wake_at;
        if (at && (!next || at < next))
            next = at;
    }
    if (!next || next > until)
        return false;
    shop->at = shop->at > next ? shop->at : next;
    return shop_wake_due(shop);
}

// ---- delivery

static inline bool shop_same_pair(const struct shop_letter *a, const struct shop_letter *b)
{
    return a->sender == b->sender && a->to.kind == b->to.kind && a->from.kind == b->from.kind &&
           bytes_equal(a->to.key, b->to.key) && bytes_equal(a->from.key, b->from.key);
}

static inline uint64_t shop_random(struct shop *shop)
{
    shop->seed ^= shop->seed << 13;
    shop->seed ^= shop->seed >> 7;
    shop->seed ^= shop->seed << 17;
    return shop->seed;
}

static inline uint32_t shop_choose(struct shop *shop)
{
    uint32_t choice = shop->seed ? (uint32_t)(shop_random(shop) % shop->queue_count) : 0;
    for (uint32_t i = 0; i < choice; i++) {
        if (shop_same_pair(&shop->queue[i], &shop->queue[choice]))
            return i;
    }
    return choice;
}

static inline struct shop_letter shop_take(struct shop *shop)
{
    uint32_t choice = shop_choose(shop);
    struct shop_letter letter = shop->queue[choice];
    shop->queue_count--;
    memmove(&shop->queue[choice], &shop->queue[choice + 1], (shop->queue_count - choice) * sizeof *shop->queue);
    return letter;
}

// ---- a crash: everything under way is lost, every open record is resumed

static inline void shop_restart(struct shop *shop)
{
    shop->queue_count = 0;
    for (uint32_t i = 0; i < shop->tables_count; i++) {
        struct table *table = &shop->tables[i];
        table->wake_at = 0;
        struct bytes open = table_load(table, PLACE_OPEN, (struct bytes){0});
        if (!open.size)
            continue;
        table->wake_at = table->kind->wake_at ? table->kind->wake_at(open, &table->texts) : 0;
        shop_post(shop, (struct shop_letter){.to = {table->kind->id, table->key},
                                             .sender = SENDER_RUNTIME,
                                             .message = table->kind->resume,
                                             .body = shop_encode(shop, wake_shape(), &(struct wake){0})});
    }
}
