// SPDX-License-Identifier: Apache-2.0
#include "store/quarantine.h"

#include "codec/check.h"
#include "store/backend.h"
#include "store/last_words.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>

static const char prefix[] = "quarantine/";

// ---- rows

static void row_key(struct buffer *out, struct bytes kind, struct bytes key)
{
    buffer_clear(out);
    buffer_printf(out, "%s%.*s/", prefix, BYTES_FORMAT(kind));
    buffer_append(out, key.at, key.size);
}

static void row_put(struct shop *shop, const struct quarantined *row)
{
    struct buffer key = {0}, value = {0};
    row_key(&key, row->kind, row->key);
    record_encode(quarantined_shape(), row, 0, &value);
    store_put(shop_meta(shop), FAMILY_META, buffer_bytes(&key), buffer_bytes(&value));
    buffer_deinit(&key);
    buffer_deinit(&value);
}

// ---- last words

// What a dying process noted is text for people: only what surely can be shown is kept of it.
static struct bytes plain(struct bytes text, struct arena *arena)
{
    uint8_t *copy = arena_alloc(arena, text.size + 1);
    for (size_t i = 0; i < text.size; i++)
        copy[i] = text.at[i] >= ' ' && text.at[i] < 0x7f ? text.at[i] : '?';
    return text.size ? bytes_of(copy, text.size) : BYTES("unknown");
}

static struct bytes origin_name(uint8_t origin)
{
    return origin == LOG_CLIENT ? BYTES("client") : origin == LOG_PEER ? BYTES("peer") : BYTES("runtime");
}

static void words_put(struct shop *shop, const struct last_words *words, struct bytes message)
{
    struct arena arena;
    arena_init(&arena);
    uint64_t hash = htole64(words->hash);
    struct quarantined row = {
        .kind = bytes_text(kind_name(words->kind)),
        .key = bytes_of(words->key, words->key_size),
        .type = plain(bytes_of(words->type, words->type_size), &arena),
        .at = words->at,
        .death = plain(bytes_of(words->death, words->death_size), &arena),
        .origin = origin_name(words->origin),
        .has_sender_kind = words->origin == LOG_PEER,
        .sender_kind = bytes_text(kind_name(words->sender_kind)),
        .has_sender = words->origin == LOG_PEER,
        .sender = bytes_of(words->sender, words->sender_size),
        .size = (int64_t)words->size,
        .hash = bytes_of(&hash, sizeof hash),
        .has_message = words->stored > 0 && message.size == words->stored,
        .message = message,
    };
    row_put(shop, &row);
    arena_deinit(&arena);
}

enum fault quarantine_take_last_words(struct shop *shop, bool *taken, struct fault_text *text)
{
    struct last_words words;
    struct buffer message = {0};
    enum fault fault = FAULT_NONE;
    *taken = last_words_read(shop_path(shop), &words, &message) &&
             key_valid(bytes_of(words.key, words.key_size), KEY_SIZE_MAX);
    if (*taken) {
        words_put(shop, &words, buffer_bytes(&message));
        fault = store_commit(shop_meta(shop), text);
    }
    if (*taken && !fault)
        fault = last_words_clear(shop_path(shop), text);
    buffer_deinit(&message);
    return fault;
}

// ---- the list

static struct quarantined *list_add(struct quarantine *quarantine, uint32_t *capacity)
{
    if (quarantine->count == *capacity) {
        *capacity = *capacity * 2 + 8;
        struct quarantined *more = arena_alloc(&quarantine->arena, *capacity * sizeof *more);
        if (quarantine->count)
            memcpy(more, quarantine->list, quarantine->count * sizeof *more);
        quarantine->list = more;
    }
    return &quarantine->list[quarantine->count++];
}

enum fault quarantine_load(struct shop *shop, struct quarantine *quarantine, struct fault_text *text)
{
    struct bytes key, value;
    enum fault fault = FAULT_NONE;
    uint32_t capacity = 0;
    *quarantine = (struct quarantine){0};
    arena_init(&quarantine->arena);
    struct store_scan *scan =
        store_scan_open(shop_meta(shop), FAMILY_META, bytes_text(prefix), BYTES("quarantine0"), false);
    while (store_scan_next(scan, &key, &value, &fault)) {
        struct quarantined *row = list_add(quarantine, &capacity);
        if (!record_decode(quarantined_shape(), arena_copy(&quarantine->arena, value), row, &quarantine->arena))
            fault = FAULT_CORRUPTION;
        if (fault)
            break;
    }
    store_scan_close(&scan);
    return fault ? store_fault(fault, text, "%s/meta: the quarantine cannot be read; restore this directory from a copy",
                               shop_path(shop))
                 : FAULT_NONE;
}

void quarantine_deinit(struct quarantine *quarantine)
{
    arena_deinit(&quarantine->arena);
    *quarantine = (struct quarantine){0};
}

const struct quarantined *quarantine_find(const struct quarantine *quarantine, struct entity entity)
{
    for (uint32_t i = 0; i < quarantine->count; i++)
        if (bytes_equal(quarantine->list[i].key, entity.key) &&
            bytes_equal(quarantine->list[i].kind, bytes_text(kind_name(entity.kind))))
            return &quarantine->list[i];
    return NULL;
}

void quarantine_pack(const struct quarantine *quarantine, struct buffer *out)
{
    pack_array(out, quarantine->count);
    for (uint32_t i = 0; i < quarantine->count; i++) {
        pack_array(out, 2);
        pack_str(out, quarantine->list[i].kind);
        pack_str(out, quarantine->list[i].key);
    }
}

// ---- Q3

static int latest_first(const void *a, const void *b)
{
    const struct quarantined *const *left = a, *const *right = b;
    return ((*left)->at < (*right)->at) - ((*left)->at > (*right)->at);
}

// The first of QUARANTINE_DEATHS_MAX + 1 that died within the span, latest first; NULL: there are none.
static const struct quarantined **too_many(const struct quarantined **unseen, uint32_t count)
{
    qsort(unseen, count, sizeof *unseen, latest_first);
    for (uint32_t i = 0; i + QUARANTINE_DEATHS_MAX < count; i++)
        if (unseen[i]->at - unseen[i + QUARANTINE_DEATHS_MAX]->at <= QUARANTINE_SPAN_US)
            return &unseen[i];
    return NULL;
}

enum fault quarantine_admits(const struct quarantine *quarantine, const char *path, struct fault_text *text)
{
    const struct quarantined *unseen[QUARANTINE_MAX], **loop;
    uint32_t count = 0;
    char names[256] = "";
    if (quarantine->count > QUARANTINE_MAX)
        return store_fault(FAULT_USAGE, text, "%.150s: more than %d entities are in quarantine; look at `souk quarantine list` "
                           "and clear what this build can decide", path, (int)QUARANTINE_MAX);
    for (uint32_t i = 0; i < quarantine->count; i++)
        if (!quarantine->list[i].seen)
            unseen[count++] = &quarantine->list[i];
    if (!(loop = too_many(unseen, count)))
        return FAULT_NONE;
    for (int i = 0; i <= QUARANTINE_DEATHS_MAX; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%.*s/%.*s", i ? ", " : "", BYTES_FORMAT(loop[i]->kind),
                 loop[i]->key.size > 40 ? 40 : (int)loop[i]->key.size, (const char *)loop[i]->key.at);
    }
    return store_fault(FAULT_USAGE, text,
                       "staying down: more than %d decisions ended the process within 10 minutes (%s). See `souk "
                       "quarantine list`, find out why with `souk replay --message`, then `souk quarantine accept` "
                       "starts without them",
                       (int)QUARANTINE_DEATHS_MAX, names);
}

// ---- an operator's word

enum fault quarantine_clear(struct shop *shop, struct entity entity, struct fault_text *text)
{
    struct buffer key = {0};
    row_key(&key, bytes_text(kind_name(entity.kind)), entity.key);
    store_delete(shop_meta(shop), FAMILY_META, buffer_bytes(&key));
    buffer_deinit(&key);
    return store_commit(shop_meta(shop), text);
}

enum fault quarantine_accept(struct shop *shop, struct fault_text *text)
{
    struct quarantine quarantine;
    enum fault fault = quarantine_load(shop, &quarantine, text);
    for (uint32_t i = 0; i < quarantine.count && !fault; i++) {
        quarantine.list[i].seen = true;
        row_put(shop, &quarantine.list[i]);
    }
    if (!fault)
        fault = store_commit(shop_meta(shop), text);
    quarantine_deinit(&quarantine);
    return fault;
}
