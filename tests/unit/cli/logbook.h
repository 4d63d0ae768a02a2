// SPDX-License-Identifier: Apache-2.0
// Real logs for the tests of replay and export: stock actors over databases in memory decide real messages.
#pragma once

#include "stage.h"

#include "actors/shard.h"
#include "codec/envelope.h"

struct logbook {
    struct stage stage;
    struct shard *shards[ACTORS_MAX]; // inventory
    struct settings settings;
    struct arena arena;
    uint64_t epoch;
    int64_t now;
    uint32_t requests;
};

static inline void logbook_close_shards(struct logbook *book)
{
    for (int i = 0; i < ACTORS_MAX; i++)
        shard_close(&book->shards[i]);
}

// A start of the process: every inventory actor opens and begins an epoch.
static inline void logbook_start(struct logbook *book)
{
    logbook_close_shards(book);
    book->epoch++;
    for (uint16_t i = 0; i < book->stage.databases.ever.count[KIND_INVENTORY]; i++) {
        struct shard_options options = {.kind = kind_of(KIND_INVENTORY),
                                        .actor = {KIND_INVENTORY, i},
                                        .store = book->stage.databases.of[KIND_INVENTORY][i],
                                        .settings = &book->settings,
                                        .owners = &book->stage.databases.owners};
        struct log_epoch epoch = {.at = ++book->now,
                                  .number = book->epoch,
                                  .build = BYTES("test"),
                                  .owners = book->stage.databases.owners,
                                  .settings = book->settings,
                                  .quarantine = BYTES("\x90")};
        CHECK(log_tail(options.store, &options.tail, &book->arena) == FAULT_NONE);
        CHECK(shard_open(&options, &book->shards[i]) == FAULT_NONE);
        CHECK(shard_begin_epoch(book->shards[i], &epoch, NULL) == FAULT_NONE);
    }
}

static inline void logbook_init(struct logbook *book)
{
    *book = (struct logbook){.now = 1000};
    stage_init(&book->stage);
    arena_init(&book->arena);
    book->settings = (struct settings){.remember_hours = 1,
                                       .reservation_ttl_ms = 1000,
                                       .cart_ttl_days = 1,
                                       .cart_lines_max = 10,
                                       .order_lines_max = 10,
                                       .order_deadline_ms = 1000,
                                       .lines_in_flight_max = 10,
                                       .waiting_max = 10,
                                       .provider_key_hours = 1,
                                       .provider = BYTES("sandbox")};
    logbook_start(book);
}

static inline void logbook_deinit(struct logbook *book)
{
    logbook_close_shards(book);
    arena_deinit(&book->arena);
    stage_deinit(&book->stage);
}

static inline struct incoming logbook_request(struct logbook *book, const char *type, const char *key,
                                              const struct shape *shape, const void *body)
{
    struct buffer encoded = {0}, request = {0};
    body_encode(shape, body, &encoded);
    struct bytes id = bytes_text(arena_format(&book->arena, "id-%u", ++book->requests));
    request_write(&request, id, type, bytes_text(key), buffer_bytes(&encoded), 0);
    struct incoming in = {.origin = LOG_CLIENT, .request = arena_copy(&book->arena, buffer_bytes(&request))};
    buffer_deinit(&encoded);
    buffer_deinit(&request);
    return in;
}

static inline void logbook_turn(struct logbook *book, const char *key, const struct incoming *messages, uint32_t count)
{
    uint16_t owner = owner_of(&book->stage.databases.owners, KIND_INVENTORY, slot_of(bytes_text(key)));
    uint32_t consumed = 0;
    book->now += 10000;
    CHECK(shard_turn(book->shards[owner], book->now, messages, count, &consumed, NULL) == FAULT_NONE);
    CHECK(consumed == count);
}

static inline void logbook_receive(struct logbook *book, const char *sku, int64_t quantity)
{
    struct inventory_receive body = {.quantity = quantity};
    struct incoming in = logbook_request(book, "inventory.receive", sku, inventory_receive_shape(), &body);
    logbook_turn(book, sku, &in, 1);
}

// One turn with two messages: a hold of 2 and a hold of 1, both with this time to live.
static inline void logbook_reserve(struct logbook *book, const char *sku, const char *id, int64_t ttl_ms)
{
    struct inventory_reserve body = {
        .reservation_id = bytes_text(id), .quantity = 2, .ttl_ms = ttl_ms, .has_ttl_ms = true};
    struct inventory_reserve other = body;
    other.reservation_id = bytes_text(arena_format(&book->arena, "%s-too", id));
    other.quantity = 1;
    struct incoming in[] = {logbook_request(book, "inventory.reserve", sku, inventory_reserve_shape(), &body),
                            logbook_request(book, "inventory.reserve", sku, inventory_reserve_shape(), &other)};
    logbook_turn(book, sku, in, 2);
}

// Some of everything: holds that expire, ends by clients, repeats, refusals.
static inline void logbook_write(struct logbook *book, const char *sku)
{
    logbook_receive(book, sku, 100);
    logbook_reserve(book, sku, arena_format(&book->arena, "%u", book->requests), 1);
    logbook_reserve(book, sku, arena_format(&book->arena, "%u", book->requests), 60000);
    logbook_receive(book, sku, 5);
    book->now += 100000;
    logbook_receive(book, sku, 1);
}

// Changes a logged row: digests and chains behind it are made to fit, so that the log by itself is sound.
static inline void logbook_forge(struct logbook *book, uint16_t actor, uint64_t seq,
                                 void (*change)(struct log_turn *turn))
{
    struct store *store = book->stage.databases.of[KIND_INVENTORY][actor];
    struct log_reader *reader = log_reader_open(store, 1, UINT64_MAX);
    struct log_row row;
    struct buffer key = {0}, value = {0};
    enum fault fault;
    uint64_t chain = 0;
    while (log_reader_next(reader, &row, &fault)) {
        buffer_clear(&key);
        buffer_clear(&value);
        keys_seq(&key, row.seq);
        if (row.type == LOG_ROW_EPOCH) {
            row.epoch.previous_chain = chain;
            log_epoch_encode(&row.epoch, &value);
        } else {
            if (row.seq == seq)
                change(&row.turn);
            row.turn.digest = 0;
            for (uint32_t i = 0; i < row.turn.messages_count; i++)
                row.turn.digest = log_chain(row.turn.digest, row.turn.messages[i].digest);
            chain = row.turn.chain = log_chain(chain, row.turn.digest);
            log_turn_encode(&row.turn, &value);
        }
        store_put(store, FAMILY_LOG, buffer_bytes(&key), buffer_bytes(&value));
    }
    log_reader_close(&reader);
    CHECK(fault == FAULT_NONE && store_commit(store, NULL) == FAULT_NONE);
    buffer_deinit(&key);
    buffer_deinit(&value);
}
