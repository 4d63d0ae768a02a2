// SPDX-License-Identifier: Apache-2.0
// How a row of the log is laid out. Numbers are little endian; a size is 7 bits a byte, lowest first, the top bit says
// that more follow; "text" is a size and that many bytes.
//
//   row      version (1 byte) · type (1 byte) · turn or epoch
//   turn     at (8) · digest (8) · chain (8) · messages (size) · events (size) · message … · event …
//   message  origin (1) · PEER only: kind (1), key (text) · digest (8) · request (text)
//   event    message (size) · type (size) · key (text) · data (text)
//   epoch    at (8) · number (8) · previous chain (8) · build (text) · kinds (size) · owners of each (size) …
//            · settings (text: a record) · quarantine (text) · checkpoint (text)
//
// A newer souk adds fields at the end of an epoch or makes a new version; old ones decode for ever.
#include "store/log.h"

#include "codec/check.h"
#include "store/keys.h"

#include <endian.h>
#include <stdlib.h>

enum { LOG_VERSION = 1, SIZE_SIZE_MAX = 5, MESSAGE_SIZE_MIN = 10, EVENT_SIZE_MIN = 4, TURN_HEAD_SIZE_MAX = 36 };

// ---- who owns what ----

uint16_t owner_of(const struct owner_map *map, enum kind_id kind, uint16_t slot)
{
    uint32_t count = map->count[kind];
    CHECK(count >= 1 && slot < SLOT_COUNT, "%s: %u actors, slot %u", kind_name(kind), count, slot);
    // The largest i with i·1024/n, rounded down, ≤ slot.
    return (uint16_t)(((slot + 1u) * count - 1) / SLOT_COUNT);
}

void owner_range(const struct owner_map *map, struct actor_id actor, uint32_t *from, uint32_t *to)
{
    uint32_t count = map->count[actor.kind];
    bool owns = actor.index < count;
    *from = owns ? actor.index * (uint32_t)SLOT_COUNT / count : 0;
    *to = owns ? (actor.index + 1u) * SLOT_COUNT / count : 0;
}

// ---- writing ----

// Writing into room that was reserved before.
static uint8_t *write_u64(uint8_t *at, uint64_t value)
{
    uint64_t little = htole64(value);
    memcpy(at, &little, sizeof little);
    return at + sizeof little;
}

static uint8_t *write_size(uint8_t *at, uint32_t size)
{
    for (; size >= 0x80; size >>= 7)
        *at++ = (uint8_t)(size | 0x80);
    *at++ = (uint8_t)size;
    return at;
}

static uint8_t *write_text(uint8_t *at, struct bytes text)
{
    CHECK(text.size <= UINT32_MAX, "%zu", text.size);
    at = write_size(at, (uint32_t)text.size);
    if (text.size)
        memcpy(at, text.at, text.size);
    return at + text.size;
}

static size_t message_size_max(const struct log_message *message)
{
    return 2 + 8 + 2 * SIZE_SIZE_MAX + message->sender.key.size + message->request.size;
}

static uint8_t *write_message(uint8_t *at, const struct log_message *message)
{
    *at++ = (uint8_t)message->origin;
    if (message->origin == LOG_PEER) {
        *at++ = (uint8_t)message->sender.kind;
        at = write_text(at, message->sender.key);
    }
    at = write_u64(at, message->digest);
    return write_text(at, message->request);
}

static uint8_t *write_event(uint8_t *at, const struct log_event *event)
{
    at = write_size(at, event->message);
    at = write_size(at, event->type);
    at = write_text(at, event->key);
    return write_text(at, event->data);
}

static size_t turn_size_max(const struct log_turn *turn)
{
    size_t size = TURN_HEAD_SIZE_MAX;
    for (uint32_t i = 0; i < turn->messages_count; i++)
        size += message_size_max(&turn->messages[i]);
    for (uint32_t i = 0; i < turn->events_count; i++)
        size += 4 * SIZE_SIZE_MAX + turn->events[i].key.size + turn->events[i].data.size;
    return size;
}

void log_turn_encode(const struct log_turn *turn, struct buffer *out)
{
    uint8_t *start = buffer_reserve(out, turn_size_max(turn)), *at = start;
    *at++ = LOG_VERSION;
    *at++ = LOG_ROW_TURN;
    at = write_u64(at, (uint64_t)turn->at);
    at = write_u64(at, turn->digest);
    at = write_u64(at, turn->chain);
    at = write_size(at, turn->messages_count);
    at = write_size(at, turn->events_count);
    for (uint32_t i = 0; i < turn->messages_count; i++)
        at = write_message(at, &turn->messages[i]);
    for (uint32_t i = 0; i < turn->events_count; i++) {
        CHECK(turn->events[i].message < turn->messages_count, "%u", turn->events[i].message);
        at = write_event(at, &turn->events[i]);
    }
    out->size += (size_t)(at - start);
}

static void append_text(struct buffer *out, struct bytes text)
{
    uint8_t *at = buffer_reserve(out, SIZE_SIZE_MAX + text.size);
    out->size += (size_t)(write_text(at, text) - at);
}

static void append_owners(struct buffer *out, const struct owner_map *owners)
{
    uint8_t *start = buffer_reserve(out, (KIND_COUNT + 1) * SIZE_SIZE_MAX), *at = write_size(start, KIND_COUNT);
    for (int i = 0; i < KIND_COUNT; i++)
        at = write_size(at, owners->count[i]);
    out->size += (size_t)(at - start);
}

void log_epoch_encode(const struct log_epoch *epoch, struct buffer *out)
{
    struct buffer settings = {0};
    uint8_t *start = buffer_reserve(out, TURN_HEAD_SIZE_MAX), *at = start;
    *at++ = LOG_VERSION;
    *at++ = LOG_ROW_EPOCH;
    at = write_u64(at, (uint64_t)epoch->at);
    at = write_u64(at, epoch->number);
    at = write_u64(at, epoch->previous_chain);
    out->size += (size_t)(at - start);
    append_text(out, epoch->build);
    append_owners(out, &epoch->owners);
    record_encode(settings_shape(), &epoch->settings, 0, &settings);
    append_text(out, buffer_bytes(&settings));
    append_text(out, epoch->quarantine);
    append_text(out, epoch->checkpoint);
    buffer_deinit(&settings);
}

// ---- reading ----

// Once something is wrong, everything read is zero and `wrong` stays.
struct reading {
    const uint8_t *at, *end;
    bool wrong;
};

static size_t left(const struct reading *reading)
{
    return (size_t)(reading->end - reading->at);
}

static const uint8_t *read_raw(struct reading *reading, size_t size)
{
    if (reading->wrong || left(reading) < size) {
        reading->wrong = true;
        return NULL;
    }
    reading->at += size;
    return reading->at - size;
}

static uint8_t read_u8(struct reading *reading)
{
    const uint8_t *at = read_raw(reading, 1);
    return at ? *at : 0;
}

static uint64_t read_u64(struct reading *reading)
{
    uint64_t little = 0;
    const uint8_t *at = read_raw(reading, sizeof little);
    if (at)
        memcpy(&little, at, sizeof little);
    return le64toh(little);
}

static uint32_t read_size(struct reading *reading)
{
    uint64_t size = 0;
    for (int i = 0; i < SIZE_SIZE_MAX; i++) {
        uint8_t byte = read_u8(reading);
        size |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            // One encoding for each number: no zero byte behind others.
            reading->wrong |= size > UINT32_MAX || (i && !byte);
            return reading->wrong ? 0 : (uint32_t)size;
        }
    }
    reading->wrong = true;
    return 0;
}

static struct bytes read_text(struct reading *reading)
{
    uint32_t size = read_size(reading);
    const uint8_t *at = read_raw(reading, size);
    return bytes_of(at, at ? size : 0);
}

// How many of at least `size_min` bytes follow; no more than there can be.
static uint32_t read_count(struct reading *reading, size_t size_min)
{
    uint32_t count = read_size(reading);
    if (count > left(reading) / size_min)
        reading->wrong = true;
    return reading->wrong ? 0 : count;
}

static void read_message(struct reading *reading, struct log_message *message)
{
    message->origin = read_u8(reading);
    if (message->origin == LOG_PEER) {
        message->sender.kind = read_u8(reading);
        message->sender.key = read_text(reading);
        reading->wrong |= message->sender.kind >= KIND_COUNT;
    }
    message->digest = read_u64(reading);
    message->request = read_text(reading);
    reading->wrong |= message->origin < LOG_CLIENT || message->origin > LOG_RUNTIME;
}

static void read_event(struct reading *reading, struct log_event *event, uint32_t messages_count)
{
    event->message = read_size(reading);
    event->type = read_size(reading);
    event->key = read_text(reading);
    event->data = read_text(reading);
    reading->wrong |= event->message >= messages_count;
}

static void read_turn(struct reading *reading, struct log_turn *turn, struct arena *arena)
{
    turn->at = (int64_t)read_u64(reading);
    turn->digest = read_u64(reading);
    turn->chain = read_u64(reading);
    turn->messages_count = read_count(reading, MESSAGE_SIZE_MIN);
    turn->events_count = read_count(reading, EVENT_SIZE_MIN);
    if (reading->wrong)
        return;
    turn->messages = arena_alloc(arena, turn->messages_count * sizeof *turn->messages);
    turn->events = arena_alloc(arena, turn->events_count * sizeof *turn->events);
    for (uint32_t i = 0; i < turn->messages_count; i++)
        read_message(reading, &turn->messages[i]);
    for (uint32_t i = 0; i < turn->events_count; i++)
        read_event(reading, &turn->events[i], turn->messages_count);
}

static void read_owners(struct reading *reading, struct owner_map *owners)
{
    uint32_t kinds = read_count(reading, 1);
    for (uint32_t i = 0; i < kinds; i++) {
        uint32_t count = read_size(reading);
        if (i >= KIND_COUNT || count > ACTORS_MAX)
            reading->wrong = true;
        else
            owners->count[i] = (uint16_t)count;
    }
}

static void read_epoch(struct reading *reading, struct log_epoch *epoch, struct arena *arena)
{
    epoch->at = (int64_t)read_u64(reading);
    epoch->number = read_u64(reading);
    epoch->previous_chain = read_u64(reading);
    epoch->build = read_text(reading);
    read_owners(reading, &epoch->owners);
    struct bytes settings = read_text(reading);
    epoch->quarantine = read_text(reading);
    epoch->checkpoint = read_text(reading);
    if (!reading->wrong)
        reading->wrong = !record_decode(settings_shape(), settings, &epoch->settings, arena);
}

bool log_row_decode(uint64_t seq, struct bytes value, struct log_row *row, struct arena *arena)
{
    struct reading reading = {value.at, value.size ? value.at + value.size : value.at, false};
    *row = (struct log_row){.seq = seq, .size = value.size};
    reading.wrong = read_u8(&reading) != LOG_VERSION;
    row->type = read_u8(&reading);
    if (row->type == LOG_ROW_TURN)
        read_turn(&reading, &row->turn, arena);
    else if (row->type == LOG_ROW_EPOCH)
        read_epoch(&reading, &row->epoch, arena);
    else
        return false;
    return !reading.wrong && !left(&reading);
}

// ---- the chain, the tail, the stream ----

uint64_t log_chain(uint64_t previous, uint64_t digest)
{
    uint8_t both[16];
    write_u64(write_u64(both, previous), digest);
    return hash_of(bytes_of(both, sizeof both));
}

// Of what may be in write-ahead logs, twice (store/tuning.c bounds it to 32 MiB).
enum { RECENT_SIZE = 64 * 1024 * 1024 };

// The rows before `seq` follow on one another, from 1 on; the scan stands behind that row.
static enum fault check_recent(struct store_scan *scan, uint64_t seq)
{
    struct bytes key, value;
    enum fault fault = FAULT_NONE;
    for (uint64_t size = 0, before; seq > 1 && size < RECENT_SIZE; seq = before) {
        if (!store_scan_next(scan, &key, &value, &fault))
            return fault ? fault : FAULT_CORRUPTION;
        if (!keys_read_seq(key, &before) || before + 1 != seq)
            return FAULT_CORRUPTION;
        size += value.size;
    }
    return fault;
}

enum fault log_tail(struct store *store, struct log_row *row, struct arena *arena)
{
    struct bytes key, value;
    enum fault fault = FAULT_NONE;
    uint64_t seq;
    *row = (struct log_row){0};
    struct store_scan *scan = store_scan_open(store, FAMILY_LOG, BYTES(""), BYTES(""), true);
    if (store_scan_next(scan, &key, &value, &fault)) {
        if (!keys_read_seq(key, &seq) || !seq || !log_row_decode(seq, arena_copy(arena, value), row, arena))
            fault = FAULT_CORRUPTION;
        else
            fault = check_recent(scan, seq);
    }
    store_scan_close(&scan);
    return fault;
}

struct log_reader {
    struct store_scan *scan;
    uint64_t next; // seq
    struct arena arena;
};

struct log_reader *log_reader_open(struct store *store, uint64_t from, uint64_t to)
{
    struct log_reader *reader = calloc(1, sizeof *reader);
    CHECK(reader, "out of memory");
    struct buffer first = {0}, behind = {0};
    reader->next = from ? from : 1;
    arena_init(&reader->arena);
    keys_seq(&first, reader->next);
    if (to < UINT64_MAX)
        keys_seq(&behind, to + 1);
    reader->scan = store_scan_open(store, FAMILY_LOG, buffer_bytes(&first), buffer_bytes(&behind), false);
    buffer_deinit(&first);
    buffer_deinit(&behind);
    return reader;
}

bool log_reader_next(struct log_reader *reader, struct log_row *row, enum fault *fault)
{
    struct bytes key, value;
    uint64_t seq;
    if (!store_scan_next(reader->scan, &key, &value, fault))
        return false;
    arena_reset(&reader->arena);
    if (!keys_read_seq(key, &seq) || seq != reader->next || !log_row_decode(seq, value, row, &reader->arena)) {
        *fault = FAULT_CORRUPTION;
        return false;
    }
    reader->next++;
    return true;
}

void log_reader_close(struct log_reader **reader)
{
    if (!*reader)
        return;
    store_scan_close(&(*reader)->scan);
    arena_deinit(&(*reader)->arena);
    free(*reader);
    *reader = NULL;
}
