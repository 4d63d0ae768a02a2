// SPDX-License-Identifier: Apache-2.0
// Shapes: what the .def files describe, as tables. One engine turns a shape's struct into bytes and back, in two
// layouts:
//   body    a msgpack map of named fields: what travels (requests, replies, events). Strict when decoded.
//   record  [forget_at, field, field, …] after one version byte: what is stored. Absent = nil; missing at the end =
//           absent, so a record only ever grows at its end and old ones decode for ever.
// Decoded strings and lists borrow from the input and the arena. Any thread.
#pragma once

#include "codec/arena.h"
#include "codec/cursor.h"
#include "codec/money.h"
#include "codec/pack.h"

enum field_type {
    FIELD_ID,     // struct bytes: 1–max bytes, key_valid
    FIELD_TEXT,   // struct bytes: min–max bytes, text_valid
    FIELD_CHOICE, // struct bytes: one of `choices` ("a|b|c")
    FIELD_INT,    // int64_t: min–max
    FIELD_BOOL,   // bool
    FIELD_MONEY,  // struct money: amount ≥ 0, known currency; {amount, currency}
    FIELD_MAP,    // struct pair *, count: str → str, ≤ 64 entries of ≤ 256 bytes, no key twice
    FIELD_LIST,   // struct SHAPE *, count: min–max of them
    FIELD_NEST,   // struct SHAPE
    FIELD_RAW,    // struct bytes: one msgpack value of any type, ≤ max bytes
    FIELD_BITS,   // struct bytes: bin, ≤ max bytes
};

enum { FIELD_OPTIONAL = 0, FIELD_REQUIRED = 1, FIELD_SILENT = 2 /* optional and not content: wait_ms */ };
enum { MAP_ENTRIES_MAX = 64, MAP_TEXT_MAX = 256, SHAPE_FIELDS_MAX = 48 };

struct pair {
    struct bytes name, value;
};

struct shape;

struct field {
    const char *name;
    uint8_t name_size; // bytes
    uint8_t type, need; // enum field_type; FIELD_OPTIONAL …
    uint16_t offset;       // of the member
    uint16_t offset_has;   // of its `has_` flag
    uint16_t offset_count; // of its `_count` (MAP, LIST)
    int64_t min, max;
    const struct shape *(*shape)(void); // LIST, NEST
    const char *choices;                // CHOICE
};

struct shape {
    const char *name;
    size_t size; // of the struct
    const struct field *fields;
    uint16_t count;
};

// Why an input was refused: `field` ("lines[3].sku") and a sentence. Both live in the arena.
struct refusal {
    const char *field;
    const char *message;
};

// Decodes a body: exactly the named fields, each at most once, within bounds, nothing behind.
// On false `refusal` says why and `out` is undefined. `out` must be `shape->size` large.
bool body_decode(const struct shape *shape, struct bytes body, void *out, struct arena *arena,
                 struct refusal *refusal);
// As body_decode, but ignores fields it does not know: for replies read by clients and newer answers.
bool body_decode_lenient(const struct shape *shape, struct bytes body, void *out, struct arena *arena,
                         struct refusal *refusal);
// Appends the map. CHECKs bounds of what it is given.
void body_encode(const struct shape *shape, const void *in, struct buffer *out);

enum { RECORD_VERSION = 1 };
// Appends version byte, forget_at (µs; 0 = never: from then on the row counts as absent and may be dropped any time)
// and the fields.
void record_encode(const struct shape *shape, const void *in, int64_t forget_at, struct buffer *out);
// false: unknown version or not a record of this shape (corruption).
bool record_decode(const struct shape *shape, struct bytes record, void *out, struct arena *arena);
// Cheap: reads only the head of the record. -1: not a record.
int64_t record_forget_at(struct bytes record);

// What a request asks for, apart from its id: one 32-bit hash for each field in schema order (0 = absent), silent
// fields left out. Two requests are the same when their fingerprints are.
struct bytes fingerprint_of(const struct shape *shape, const void *in, struct arena *arena);
// The name of the first field that differs, NULL if none.
const char *fingerprint_difference(const struct shape *shape, struct bytes was, struct bytes is);
