// SPDX-License-Identifier: Apache-2.0
// What comes in: a bounded reader of msgpack. Nothing is allocated and nothing read beyond `end`; strings are borrowed
// from the input. Every function returns false at truncated, mistyped or over-deep input and then leaves the cursor
// where it was. Accepts every legal msgpack encoding of a value except floats, ext and ints outside int64.
// Format: msgpack specification, github.com/msgpack/msgpack/blob/master/spec.md. Any thread.
#pragma once

#include "codec/bytes.h"

enum { CURSOR_DEPTH_MAX = 8 };

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
};

enum cursor_type { CURSOR_NIL, CURSOR_BOOL, CURSOR_INT, CURSOR_STR, CURSOR_BIN, CURSOR_ARRAY, CURSOR_MAP, CURSOR_OTHER, CURSOR_END };

static inline struct cursor cursor_over(struct bytes bytes)
{
    return (struct cursor){bytes.at, bytes.size ? bytes.at + bytes.size : bytes.at};
}

static inline size_t cursor_left(const struct cursor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

enum cursor_type cursor_peek(const struct cursor *cursor);
bool cursor_nil(struct cursor *cursor);
bool cursor_bool(struct cursor *cursor, bool *value);
bool cursor_int(struct cursor *cursor, int64_t *value);
bool cursor_str(struct cursor *cursor, struct bytes *text);
bool cursor_bin(struct cursor *cursor, struct bytes *raw);
// The count is at most the bytes left (for a map: half of them), so a loop over it is bounded by the input.
bool cursor_array(struct cursor *cursor, uint32_t *count);
bool cursor_map(struct cursor *cursor, uint32_t *count);
// Steps over one value of any legal type (floats and ext too); depth ≤ CURSOR_DEPTH_MAX. `value` (may be NULL)
// becomes its bytes.
bool cursor_skip(struct cursor *cursor, struct bytes *value);
