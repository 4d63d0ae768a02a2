// SPDX-License-Identifier: Apache-2.0
// A shard's beginning and end, and what it wants of its own accord: open records at start, timers, the epoch's row.
#include "actors/shard.h"

#include "codec/check.h"
#include "codec/planted.h"
#include "store/epochs.h"

#include <stdlib.h>

// ---- open records

struct open_record {
    int64_t born_at;
    struct bytes key;
    int64_t lines;
};

static int open_compare(const void *a, const void *b)
{
    const struct open_record *left = a, *right = b;
    if (left->born_at != right->born_at)
        return left->born_at < right->born_at ? -1 : 1;
    return bytes_compare(left->key, right->key);
}

static void resume_write(struct shard *shard, struct bytes key, struct buffer *out)
{
    struct wake body = {.at = 0};
    buffer_clear(&shard->scratch);
    body_encode(wake_shape(), &body, &shard->scratch);
    request_write(out, REQUEST_ID_NONE, message_by_number(shard->kind->resume)->name, key, buffer_bytes(&shard->scratch), 0);
}

// An open record before any message meets it: should a look at it end the process, it is known which.
static void opening(struct decision *decision, struct incoming *in, const struct kind *kind, struct bytes key)
{
    const struct message_def *def = message_by_number(kind->resume);
    *in = (struct incoming){.origin = LOG_RUNTIME};
    *decision = (struct decision){.in = in, .request = {.type = bytes_text(def->name), .key = key}, .def = def};
    shard_deciding(decision);
}

static int64_t lines_of(const struct shard *shard, struct bytes record, struct arena *arena)
{
    struct weight weight = {0};
    shard->kind->weigh(record, &weight, arena);
    return weight.lines + weight.to_ask;
}

// Every open record, by age: weighed and its timer set (resume NULL), or its resume message written.
static enum fault open_records(struct shard *shard, struct buffer *resume, struct buffer *lines, uint32_t *count)
{
    enum fault fault = FAULT_NONE;
    if (!shard->kind->resume)
        return FAULT_NONE;
    struct arena arena;
    arena_init(&arena);
    struct store_scan *scan =
        store_scan_open(shard->options.store, FAMILY_OPEN, (struct bytes){0}, (struct bytes){0}, false);
    struct open_record *records = NULL;
    struct decision decision;
    struct incoming in;
    uint32_t capacity = 0;
    struct bytes row, value, key, rest;
    uint16_t slot;
    while (store_scan_next(scan, &row, &value, &fault)) {
        if (!keys_read_entity(row, &slot, &key, &rest)) {
            fault = FAULT_CORRUPTION;
            break;
        }
        if (confined_has(shard->confined, key))
            continue;
        if (*count == capacity) {
            capacity = capacity * 2 + 256;
            records = realloc(records, capacity * sizeof *records);
            CHECK(records);
        }
        opening(&decision, &in, shard->kind, key);
        records[(*count)++] = (struct open_record){shard->kind->born_at(value, &arena), arena_copy(&arena, key),
                                                   lines ? lines_of(shard, value, &arena) : 0};
        if (!resume) {
            shard_weigh(shard, value, 1, &arena);
            if (shard->kind->wake_at && !PLANTED(deadline_lost))
                timers_set(shard->timers, key, shard->kind->wake_at(value, &arena));
        }
        shard_deciding(NULL);
    }
    store_scan_close(&scan);
    if (*count)
        qsort(records, *count, sizeof *records, open_compare);
    for (uint32_t i = 0; resume && i < *count; i++) {
        resume_write(shard, records[i].key, resume);
        if (lines)
            buffer_append(lines, &records[i].lines, sizeof records[i].lines);
    }
    free(records);
    arena_deinit(&arena);
    return fault;
}

// ---- opening, closing

enum fault shard_open(const struct shard_options *options, struct shard **shard)
{
    struct shard *it = calloc(1, sizeof *it);
    CHECK(it);
    it->options = *options;
    it->kind = options->kind;
    arena_init(&it->arena);
    it->cache = options->cache_bytes ? cache_new(options->cache_bytes) : NULL;
    overlay_init(&it->overlay, options->store, it->cache, &it->arena);
    effects_init(&it->effects, &it->arena);
    buffer_init(&it->scratch);
    buffer_init(&it->key);
    it->confined = confined_new(it->kind->id, options->quarantine);
    it->timers = timers_new();
    it->waiters = waiters_new(options->waiters_max);
    it->epoch = options->epoch;
    it->seq = options->tail.seq;
    if (options->tail.seq && options->tail.type == LOG_ROW_TURN) {
        it->chain = options->tail.turn.chain;
        it->at = options->tail.turn.at;
    } else if (options->tail.seq) {
        it->chain = options->tail.epoch.previous_chain;
        it->at = options->tail.epoch.at;
    }
    uint32_t count = 0;
    enum fault fault = options->replay ? FAULT_NONE : open_records(it, NULL, NULL, &count);
    *shard = it;
    return fault;
}

void shard_close(struct shard **shard)
{
    struct shard *it = *shard;
    if (!it)
        return;
    confined_free(&it->confined);
    timers_free(&it->timers);
    waiters_free(&it->waiters);
    effects_deinit(&it->effects);
    overlay_deinit(&it->overlay);
    cache_free(&it->cache);
    arena_deinit(&it->arena);
    buffer_deinit(&it->scratch);
    buffer_deinit(&it->key);
    free(it);
    *shard = NULL;
}

// ---- resuming, timers

uint32_t shard_resume(struct shard *shard, struct buffer *out, struct buffer *lines, enum fault *fault)
{
    uint32_t count = 0;
    *fault = open_records(shard, out, lines, &count);
    return count;
}

static const char *wake_name(enum kind_id kind)
{
    switch (kind) {
    case KIND_ORDER:
        return "order.wake";
    case KIND_PAYMENT:
        return "payment.wake";
    case KIND_SANDBOX:
        return "sandbox.wake";
    case KIND_CATALOG:
    case KIND_INVENTORY:
    case KIND_CART:
    case KIND_COUNT:
        break;
    }
    CHECK(false, "%s has no timers", kind_name(kind));
}

uint32_t shard_timers(struct shard *shard, int64_t now, uint32_t max, struct buffer *out, size_t ends[])
{
    uint32_t count = 0;
    struct bytes key;
    struct wake body = {0};
    while (count < max && timers_take(shard->timers, now, &key, &body.at)) {
        buffer_clear(&shard->scratch);
        body_encode(wake_shape(), &body, &shard->scratch);
        request_write(out, REQUEST_ID_NONE, wake_name(shard->kind->id), key, buffer_bytes(&shard->scratch), 0);
        ends[count++] = out->size;
    }
    return count;
}

int64_t shard_next(const struct shard *shard)
{
    int64_t timer = timers_next(shard->timers), waiter = waiters_next(shard->waiters);
    return timer < waiter ? timer : waiter;
}

enum fault shard_begin_epoch(struct shard *shard, const struct log_epoch *epoch, struct fault_text *text)
{
    struct log_epoch row = *epoch;
    row.at = shard_time(shard, epoch->at);
    row.previous_chain = shard->chain;
    buffer_clear(&shard->scratch);
    buffer_clear(&shard->key);
    log_epoch_encode(&row, &shard->scratch);
    keys_seq(&shard->key, shard->seq + 1);
    store_put(shard->options.store, FAMILY_LOG, buffer_bytes(&shard->key), buffer_bytes(&shard->scratch));
    epochs_note(shard->options.store, epoch->number);
    enum fault fault = store_commit(shard->options.store, text);
    if (fault == FAULT_NONE) {
        shard->epoch = epoch->number;
        shard->seq++;
        shard->at = row.at;
    }
    return fault;
}
