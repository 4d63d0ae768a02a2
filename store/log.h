// SPDX-License-Identifier: Apache-2.0
// The log: what an actor was told, turn by turn. Rows of FAMILY_LOG by seq, ascending without a hole from 1; never
// changed, written in the same batch as what the turn decided. Owned by one thread.
//
//   turn   {seq, at, messages[], events[], digest, chain}     chain = hash(previous row's chain, digest)
//   epoch  {seq, at, number, build, owner map, settings, previous chain, quarantine[], checkpoint?}
//
// A message keeps how it came and its request as it was on the wire. Its digest hashes all it decided: writes, sends,
// reply, events; a turn's digest hashes those of its messages.
#pragma once

#include "codec/ids.h"
#include "codec/parcel.h"
#include "codec/record.h"
#include "store/store.h"

enum log_origin {
    LOG_CLIENT = 1, // from outside
    LOG_PEER = 2,   // from an entity
    LOG_RUNTIME = 3 // made by the runtime: expire, wake, resume
};

struct log_message {
    enum log_origin origin;
    struct entity sender; // PEER
    struct bytes request; // [1, id, type, key, body(, meta)]
    uint64_t digest;
};
struct log_event {
    uint32_t message; // index of the one that caused it
    uint32_t type;    // enum event_type
    struct bytes key; // entity
    struct bytes data; // msgpack map
};
struct log_turn {
    int64_t at;
    struct log_message *messages;
    uint32_t messages_count;
    struct log_event *events;
    uint32_t events_count;
    uint64_t digest;
    uint64_t chain;
};

enum { ACTORS_MAX = 64 }; // of one kind
// Who owns what: actor i of n owns slots [i·1024/n, (i+1)·1024/n). `count` 0: the kind has never run.
struct owner_map {
    uint16_t count[KIND_COUNT];
};
uint16_t owner_of(const struct owner_map *map, enum kind_id kind, uint16_t slot);
void owner_range(const struct owner_map *map, struct actor_id actor, uint32_t *from, uint32_t *to); // [from, to); empty: from = to

struct log_epoch {
    int64_t at;
    uint64_t number;
    struct bytes build;
    struct owner_map owners;
    struct settings settings;
    uint64_t previous_chain; // of the row before, 0 for the first
    struct bytes quarantine; // msgpack array of [kind, key]; empty array for now
    struct bytes checkpoint; // empty: none
};

enum log_row_type { LOG_ROW_TURN = 1, LOG_ROW_EPOCH = 2 };
struct log_row {
    enum log_row_type type;
    uint64_t seq;
    size_t size; // of its value
    struct log_turn turn;
    struct log_epoch epoch;
};

// Append the row's value to `out`.
void log_turn_encode(const struct log_turn *turn, struct buffer *out);
void log_epoch_encode(const struct log_epoch *epoch, struct buffer *out);
// false: corrupt. Borrows from `value` and the arena.
bool log_row_decode(uint64_t seq, struct bytes value, struct log_row *row, struct arena *arena);

uint64_t log_chain(uint64_t previous, uint64_t digest);

// The last row, for opening an actor: seq 0 if the log is empty. FAULT_CORRUPTION also when one of the rows before it is
// missing, as far back as anything was not in table files when the process ended: a lost or shortened write-ahead log
// in the middle leaves such a hole, and RocksDB does not mind.
enum fault log_tail(struct store *store, struct log_row *row, struct arena *arena);
// Streams rows with from ≤ seq ≤ to.
struct log_reader;
struct log_reader *log_reader_open(struct store *store, uint64_t from, uint64_t to);
// false at the end or on a fault (also when seq has a hole or a row does not decode: FAULT_CORRUPTION). The row lives
// until the next call.
bool log_reader_next(struct log_reader *reader, struct log_row *row, enum fault *fault);
void log_reader_close(struct log_reader **reader);
