// SPDX-License-Identifier: Apache-2.0
// One shard over the memory store, and its owner: queues messages, runs turns, looks at what would be delivered and at
// what is stored. Client requests are written as bodies of their shape; what came back is compared as text.
//
//     struct till till;
//     till_open(&till, KIND_INVENTORY);
//     till_client(&till, "r1", MESSAGE_inventory_receive, "mug", &(struct inventory_receive){.quantity = 5});
//     till_turn(&till);
//     cr_expect_str_eq(till_status(&till, "r1"), "ok");
//     cr_expect_str_eq(till_log(&till, 1), "inventory.receive");
//     till_close(&till);
#pragma once

#include "actors/shard.h"
#include "codec/check.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define TILL_AT INT64_C(1700000000000000)
enum { TILL_MAX = 8192 };

struct till {
    struct store *store;
    struct shard *shard;
    struct outbox outbox;
    struct settings settings;
    struct owner_map owners;
    struct shard_options options;
    struct arena texts;
    struct incoming queue[TILL_MAX];
    uint32_t count, consumed, receives;
    int64_t at; // of the next turn
    _Atomic int64_t horizon;
    struct fault_text text;
};

static inline void till_start(struct till *till)
{
    struct arena arena;
    arena_init(&arena);
    CHECK(log_tail(till->store, &till->options.tail, &arena) == FAULT_NONE, "tail");
    CHECK(shard_open(&till->options, &till->shard) == FAULT_NONE, "open");
    arena_deinit(&arena);
}

static inline void till_open(struct till *till, enum kind_id kind)
{
    memset(till, 0, sizeof *till);
    till->at = TILL_AT;
    till->owners = (struct owner_map){{1, 1, 1, 1, 1, 1}};
    till->settings = (struct settings){
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
    arena_init(&till->texts);
    outbox_init(&till->outbox);
    store_memory_open(&(struct store_options){.horizon = &till->horizon}, &till->store, &till->text);
    till->options = (struct shard_options){.kind = kind_of(kind),
                                           .actor = {kind, 0},
                                           .store = till->store,
                                           .settings = &till->settings,
                                           .owners = &till->owners,
                                           .outbox = &till->outbox,
                                           .waiters_max = 100,
                                           .cache_bytes = 1 << 20,
                                           .horizon = &till->horizon};
    till_start(till);
}

static inline void till_close(struct till *till)
{
    shard_close(&till->shard);
    store_close(&till->store);
    outbox_deinit(&till->outbox);
    arena_deinit(&till->texts);
}

// As after kill -9: only the store stays.
static inline void till_crash(struct till *till)
{
    till->options.epoch = till->shard->epoch; // it goes on
    shard_close(&till->shard);
    outbox_clear(&till->outbox);
    till->count = 0;
    till_start(till);
}

// ---- in

static inline struct bytes till_request(struct till *till, const char *id, enum message_type type, const char *key,
                                        const void *body, int64_t retry_until)
{
    static const char nothing[8192];
    const struct message_def *def = message_by_number(type);
    struct buffer encoded, request;
    buffer_init(&encoded);
    buffer_init(&request);
    body_encode(def->body(), body ? body : nothing, &encoded);
    request_write(&request, bytes_text(id), def->name, bytes_text(key), buffer_bytes(&encoded), retry_until);
    struct bytes copy = arena_copy(&till->texts, buffer_bytes(&request));
    buffer_deinit(&encoded);
    buffer_deinit(&request);
    return copy;
}

static inline struct incoming *till_add(struct till *till, enum log_origin origin, struct bytes request)
{
    CHECK(till->count < TILL_MAX, "%u", till->count);
    struct incoming *in = &till->queue[till->count++];
    *in = (struct incoming){.origin = origin, .request = request};
    if (origin == LOG_CLIENT)
        in->route = BYTES("client");
    return in;
}

static inline void till_client(struct till *till, const char *id, enum message_type type, const char *key,
                               const void *body)
{
    till_add(till, LOG_CLIENT, till_request(till, id, type, key, body, 0));
}

static inline void till_client_until(struct till *till, const char *id, enum message_type type, const char *key,
                                     const void *body, int64_t retry_until)
{
    till_add(till, LOG_CLIENT, till_request(till, id, type, key, body, retry_until));
}

static inline void till_peer(struct till *till, enum kind_id kind, const char *sender, enum message_type type,
                             const char *key, const void *body)
{
    struct incoming *in = till_add(till, LOG_PEER, till_request(till, "-", type, key, body, 0));
    in->sender = (struct entity){kind, arena_copy(&till->texts, bytes_text(sender))};
}

static inline void till_runtime(struct till *till, struct bytes request)
{
    till_add(till, LOG_RUNTIME, arena_copy(&till->texts, request));
}

// ---- the turn

// What was to be delivered before is gone; what the turn leaves undecided stays first in the queue.
static inline enum fault till_turn(struct till *till)
{
    outbox_clear(&till->outbox);
    till->at = shard_time(till->shard, till->at);
    enum fault fault = shard_turn(till->shard, till->at, till->queue, till->count, &till->consumed, &till->text);
    if (fault)
        return fault;
    till->count -= till->consumed;
    memmove(till->queue, till->queue + till->consumed, till->count * sizeof *till->queue);
    return FAULT_NONE;
}

// One client message in a turn of its own; its status.
static inline const char *till_say(struct till *till, const char *id, enum message_type type, const char *key,
                                   const void *body);

// ---- out

static inline const char *till_text(struct till *till, struct bytes bytes)
{
    return arena_format(&till->texts, "%.*s", BYTES_FORMAT(bytes));
}

// The n-th answer to this request; false: there is none.
static inline bool till_reply(struct till *till, const char *id, uint32_t nth, struct reply *reply)
{
    struct cursor frame = cursor_over(buffer_bytes(&till->outbox.broker));
    struct parcel parcel;
    while (parcel_next(&frame, &parcel)) {
        struct cursor cursor = cursor_over(parcel.request);
        if (parcel.origin != PARCEL_REPLY || !reply_read(&cursor, reply) || !bytes_equal(reply->id, bytes_text(id)))
            continue;
        if (nth-- == 0)
            return true;
    }
    return false;
}

// "" if there is no answer.
static inline const char *till_status(struct till *till, const char *id)
{
    struct reply reply;
    return till_reply(till, id, 0, &reply) ? till_text(till, reply.status) : "";
}

static inline struct bytes till_body(struct till *till, const char *id)
{
    struct reply reply;
    return till_reply(till, id, 0, &reply) ? arena_copy(&till->texts, reply.body) : (struct bytes){0};
}

static inline void till_decode(struct till *till, const char *id, const struct shape *shape, void *out)
{
    struct refusal refusal = {0};
    cr_assert(body_decode(shape, till_body(till, id), out, &till->texts, &refusal), "%s: %s", id,
              refusal.message ? refusal.message : "");
}

// Of a refusal's body; "" if it names none.
static inline const char *till_field(struct till *till, const char *id)
{
    struct bytes body = till_body(till, id), name, value;
    struct cursor cursor = cursor_over(body);
    uint32_t count;
    if (!cursor_map(&cursor, &count))
        return "";
    while (count-- && cursor_str(&cursor, &name))
        if (bytes_equal(name, BYTES("field")))
            return cursor_str(&cursor, &value) ? till_text(till, value) : "";
        else if (!cursor_skip(&cursor, NULL))
            break;
    return "";
}

static inline const char *till_say(struct till *till, const char *id, enum message_type type, const char *key,
                                   const void *body)
{
    till_client(till, id, type, key, body);
    cr_assert_eq(till_turn(till), FAULT_NONE);
    return till_status(till, id);
}

// What goes to actor 0 of a kind: "type key; type key".
static inline const char *till_sent(struct till *till, enum kind_id kind)
{
    struct buffer text;
    struct cursor frame = cursor_over(buffer_bytes(&till->outbox.peers[kind][0]));
    struct parcel parcel;
    buffer_init(&text);
    while (parcel_next(&frame, &parcel)) {
        struct request request;
        struct envelope_refusal why;
        struct cursor cursor = cursor_over(parcel.request);
        CHECK(request_read(&cursor, &request, &why), "%s", why.message);
        buffer_printf(&text, "%s%.*s %.*s", text.size ? "; " : "", BYTES_FORMAT(request.type),
                      BYTES_FORMAT(request.key));
    }
    const char *copy = till_text(till, buffer_bytes(&text));
    buffer_deinit(&text);
    return copy;
}

// ---- what is stored

// The logged messages from this row on: "type type | type"; "epoch N" for an epoch's row.
static inline const char *till_log(struct till *till, uint64_t from)
{
    struct buffer text;
    struct log_row row;
    enum fault fault = FAULT_NONE;
    struct log_reader *reader = log_reader_open(till->store, from, UINT64_MAX);
    buffer_init(&text);
    for (const char *bar = ""; log_reader_next(reader, &row, &fault); bar = " | ") {
        buffer_printf(&text, "%s", bar);
        if (row.type == LOG_ROW_EPOCH)
            buffer_printf(&text, "epoch %d", (int)row.epoch.number);
        for (uint32_t i = 0; row.type == LOG_ROW_TURN && i < row.turn.messages_count; i++) {
            struct request request;
            struct envelope_refusal why;
            struct cursor cursor = cursor_over(row.turn.messages[i].request);
            CHECK(request_read(&cursor, &request, &why), "%s", why.message);
            buffer_printf(&text, "%s%.*s", i ? " " : "", BYTES_FORMAT(request.type));
        }
    }
    CHECK(fault == FAULT_NONE, "%d", fault);
    log_reader_close(&reader);
    const char *copy = till_text(till, buffer_bytes(&text));
    buffer_deinit(&text);
    return copy;
}

static inline uint32_t till_rows(struct store *store, enum family family)
{
    struct store_scan *scan = store_scan_open(store, family, (struct bytes){0}, (struct bytes){0}, false);
    struct bytes key, value;
    enum fault fault = FAULT_NONE;
    uint32_t count = 0;
    while (store_scan_next(scan, &key, &value, &fault))
        count++;
    store_scan_close(&scan);
    return count;
}

// A hash over every row of the families from … to.
static inline uint64_t till_state(struct store *store, enum family from, enum family to)
{
    struct buffer all;
    buffer_init(&all);
    for (int family = (int)from; family <= (int)to; family++) {
        struct store_scan *scan =
            store_scan_open(store, (enum family)family, (struct bytes){0}, (struct bytes){0}, false);
        struct bytes key, value;
        enum fault fault = FAULT_NONE;
        while (store_scan_next(scan, &key, &value, &fault)) {
            pack_int(&all, family);
            pack_bin(&all, key);
            pack_bin(&all, value);
        }
        store_scan_close(&scan);
    }
    uint64_t hash = hash_of(buffer_bytes(&all));
    buffer_deinit(&all);
    return hash;
}

// ---- what tests often say

static inline const char *till_receive(struct till *till, const char *sku, int64_t quantity)
{
    return till_say(till, arena_format(&till->texts, "receive-%u", ++till->receives), MESSAGE_inventory_receive, sku,
                    &(struct inventory_receive){.quantity = quantity});
}

static inline void till_reserve(struct till *till, const char *id, const char *sku, int64_t quantity, int64_t ttl_ms)
{
    struct inventory_reserve body = {
        .reservation_id = bytes_text(id), .quantity = quantity, .ttl_ms = ttl_ms, .has_ttl_ms = ttl_ms != 0};
    till_client(till, id, MESSAGE_inventory_reserve, sku, &body);
}

static inline struct stock_view till_stock(struct till *till, const char *sku)
{
    struct stock_view view = {0};
    till_client(till, "look", MESSAGE_inventory_get, sku, NULL);
    cr_assert_eq(till_turn(till), FAULT_NONE);
    cr_assert_str_eq(till_status(till, "look"), "ok");
    till_decode(till, "look", stock_view_shape(), &view);
    return view;
}
