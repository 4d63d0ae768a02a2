// SPDX-License-Identifier: Apache-2.0
// The whole on-disk schema.
//
//   DIR/meta              one RocksDB: the shop
//     META  "epoch"             shop record (store/shop.h): number, owner map
//           "quarantine/KIND/KEY"  an entity that nobody decides about (store/quarantine.h)
//           "clock"             a step of the clock that an operator has not accepted, or has (store/clock_note.h)
//   DIR/last-words        what a process was deciding when it died (store/last_words.h)
//   DIR/KIND-N            one RocksDB for each actor there ever was, column families = enum family:
//     META  "version"     one byte: KEYS_VERSION. An unknown one refuses to open
//           "seen"        the last epoch begun here (8 bytes, big endian); in DIR/meta "served": see store/epochs.h
//     HEAD, OPEN, CHILD, DUE, REMEMBERED    E · rest, where E = slot (2 bytes, big endian) · size (1 byte) · key bytes,
//                         so a slot is one contiguous range and an entity within it another:
//       HEAD, OPEN        E
//       CHILD             E · child id
//       DUE               E · earliest deadline · epoch · row (8 bytes each, big endian): row is the log sequence number
//                         of its turn, plus 2^48 for each row of this turn and deadline before it. (Rows of builds before
//                         that have no epoch; who reads looks at the deadline only.)
//       REMEMBERED        E · request_id
//     LOG   seq           (8 bytes, big endian): one turn or one epoch record (store/log.h)
//
// Values of HEAD … REMEMBERED are records (codec/schema.h, shapes in codec/record.def). Any thread.
#pragma once

#include "codec/ids.h"
#include "codec/pack.h"

enum { KEYS_VERSION = 1, ENTITY_KEY_SIZE_MAX = 3 + KEY_SIZE_MAX };

// Each appends.
void keys_entity(struct buffer *out, struct bytes key);
void keys_child(struct buffer *out, struct bytes key, struct bytes child);
void keys_due(struct buffer *out, struct bytes key, int64_t due_at, uint64_t epoch, uint64_t row);
void keys_seq(struct buffer *out, uint64_t seq);
// First key of a slot; slot SLOT_COUNT is behind the last.
void keys_slot(struct buffer *out, uint32_t slot);
// The first key behind everything that begins with `prefix` (never all 0xff in our keys).
void keys_after(struct buffer *out, struct bytes prefix);

// false: not such a key.
bool keys_read_entity(struct bytes row, uint16_t *slot, struct bytes *key, struct bytes *rest);
bool keys_read_seq(struct bytes row, uint64_t *seq);
