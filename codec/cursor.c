// SPDX-License-Identifier: Apache-2.0
// The reader of everything that comes from outside. Only `head_read` knows the msgpack format; the others ask it for
// the next value's head and take what they expect. Invariants: 1. no byte at or beyond `end` is read; 2. a cursor moves
// only when its function returns true; 3. nothing recurses, so no input can exhaust the stack.
#include "codec/cursor.h"

#include <endian.h>

// One value without what it contains.
struct head {
    enum cursor_type type;
    int64_t number; // BOOL, INT
    uint64_t size;  // STR, BIN, OTHER: bytes behind the head; ARRAY: values behind it; MAP: pairs
    const uint8_t *behind;
};

static inline uint64_t big_endian(const uint8_t *at, size_t width)
{
    uint64_t eight;
    uint32_t four;
    switch (width) {
    case 1:
        return at[0];
    case 2:
        return (uint64_t)at[0] << 8 | at[1];
    case 4:
        memcpy(&four, at, sizeof four);
        return be32toh(four);
    default:
        memcpy(&eight, at, sizeof eight);
        return be64toh(eight);
    }
}

static inline int64_t big_endian_signed(const uint8_t *at, size_t width)
{
    unsigned spare = (unsigned)(64 - 8 * width);
    return (int64_t)(big_endian(at, width) << spare) >> spare;
}

static inline bool head_is(struct head *head, enum cursor_type type, uint64_t size, const uint8_t *behind)
{
    head->type = type;
    head->size = size;
    head->behind = behind;
    return true;
}

static inline bool head_number(struct head *head, enum cursor_type type, int64_t number, const uint8_t *behind)
{
    head->number = number;
    return head_is(head, type, 0, behind);
}

// A head whose size or number takes `width` bytes behind the tag, `extra` more before the payload (ext's type).
#define WIDE(width, extra)                                                                                             \
    if (left <= (width) + (extra))                                                                                     \
        return false;                                                                                                  \
    behind += (width) + (extra)

static inline bool head_read_tagged(const uint8_t *at, size_t left, struct head *head)
{
    const uint8_t *behind = at + 1;
    switch (*at) {
    case 0xc0:
        return head_is(head, CURSOR_NIL, 0, behind);
    case 0xc2:
    case 0xc3:
        return head_number(head, CURSOR_BOOL, *at & 1, behind);
    case 0xc4:
    case 0xc5:
    case 0xc6: {
        size_t width = (size_t)1 << (*at - 0xc4);
        WIDE(width, 0);
        return head_is(head, CURSOR_BIN, big_endian(at + 1, width), behind);
    }
    case 0xc7:
    case 0xc8:
    case 0xc9: { // ext
        size_t width = (size_t)1 << (*at - 0xc7);
        WIDE(width, 1);
        return head_is(head, CURSOR_OTHER, big_endian(at + 1, width), behind);
    }
    case 0xca: // float
        return head_is(head, CURSOR_OTHER, 4, behind);
    case 0xcb:
        return head_is(head, CURSOR_OTHER, 8, behind);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf: {
        size_t width = (size_t)1 << (*at - 0xcc);
        WIDE(width, 0);
        uint64_t number = big_endian(at + 1, width);
        return number > INT64_MAX ? head_is(head, CURSOR_OTHER, 0, behind)
                                  : head_number(head, CURSOR_INT, (int64_t)number, behind);
    }
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3: {
        size_t width = (size_t)1 << (*at - 0xd0);
        WIDE(width, 0);
        return head_number(head, CURSOR_INT, big_endian_signed(at + 1, width), behind);
    }
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8: // fixext: a type, then 1, 2, 4, 8 or 16 bytes
        return head_is(head, CURSOR_OTHER, 1 + ((uint64_t)1 << (*at - 0xd4)), behind);
    case 0xd9:
    case 0xda:
    case 0xdb: {
        size_t width = (size_t)1 << (*at - 0xd9);
        WIDE(width, 0);
        return head_is(head, CURSOR_STR, big_endian(at + 1, width), behind);
    }
    case 0xdc:
    case 0xdd: {
        size_t width = (size_t)2 << (*at - 0xdc);
        WIDE(width, 0);
        return head_is(head, CURSOR_ARRAY, big_endian(at + 1, width), behind);
    }
    case 0xde:
    case 0xdf: {
        size_t width = (size_t)2 << (*at - 0xde);
        WIDE(width, 0);
        return head_is(head, CURSOR_MAP, big_endian(at + 1, width), behind);
    }
    default: // 0xc1 is never used
        return false;
    }
}

#undef WIDE

// false: not a whole head, or more behind it than there are bytes left. A value takes at least one byte, so an array's
// count is bounded by them as well.
static inline bool head_read(const struct cursor *cursor, struct head *head)
{
    size_t left = cursor_left(cursor);
    if (!left)
        return false;
    const uint8_t *at = cursor->at;
    uint8_t tag = *at;
    if (tag <= 0x7f || tag >= 0xe0)
        return head_number(head, CURSOR_INT, (int8_t)tag, at + 1);
    if (tag >= 0xa0 && tag <= 0xbf)
        head_is(head, CURSOR_STR, tag & 0x1f, at + 1);
    else if (tag <= 0x8f)
        head_is(head, CURSOR_MAP, tag & 0x0f, at + 1);
    else if (tag <= 0x9f)
        head_is(head, CURSOR_ARRAY, tag & 0x0f, at + 1);
    else if (!head_read_tagged(at, left, head))
        return false;
    uint64_t needed = head->type == CURSOR_MAP ? head->size * 2 : head->size;
    return needed <= (size_t)(cursor->end - head->behind);
}

enum cursor_type cursor_peek(const struct cursor *cursor)
{
    struct head head;
    if (!cursor_left(cursor))
        return CURSOR_END;
    return head_read(cursor, &head) ? head.type : CURSOR_OTHER;
}

bool cursor_nil(struct cursor *cursor)
{
    if (!cursor_left(cursor) || *cursor->at != 0xc0)
        return false;
    cursor->at++;
    return true;
}

bool cursor_bool(struct cursor *cursor, bool *value)
{
    if (!cursor_left(cursor) || (*cursor->at & 0xfe) != 0xc2)
        return false;
    *value = *cursor->at++ & 1;
    return true;
}

bool cursor_int(struct cursor *cursor, int64_t *value)
{
    struct head head;
    if (!head_read(cursor, &head) || head.type != CURSOR_INT)
        return false;
    *value = head.number;
    cursor->at = head.behind;
    return true;
}

static inline bool cursor_bytes(struct cursor *cursor, enum cursor_type type, struct bytes *bytes)
{
    struct head head;
    if (!head_read(cursor, &head) || head.type != type)
        return false;
    *bytes = bytes_of(head.behind, head.size);
    cursor->at = head.behind + head.size;
    return true;
}

bool cursor_str(struct cursor *cursor, struct bytes *text)
{
    return cursor_bytes(cursor, CURSOR_STR, text);
}

bool cursor_bin(struct cursor *cursor, struct bytes *raw)
{
    return cursor_bytes(cursor, CURSOR_BIN, raw);
}

static inline bool cursor_open(struct cursor *cursor, enum cursor_type type, uint32_t *count)
{
    struct head head;
    if (!head_read(cursor, &head) || head.type != type)
        return false;
    *count = (uint32_t)head.size;
    cursor->at = head.behind;
    return true;
}

bool cursor_array(struct cursor *cursor, uint32_t *count)
{
    return cursor_open(cursor, CURSOR_ARRAY, count);
}

bool cursor_map(struct cursor *cursor, uint32_t *count)
{
    return cursor_open(cursor, CURSOR_MAP, count);
}

bool cursor_skip(struct cursor *cursor, struct bytes *value)
{
    struct cursor walk = *cursor;
    uint64_t open[CURSOR_DEPTH_MAX]; // values still to come in each open array or map
    int depth = 0;
    for (;;) {
        struct head head;
        if (!head_read(&walk, &head))
            return false;
        walk.at = head.behind;
        if (head.type == CURSOR_ARRAY || head.type == CURSOR_MAP) {
            if (depth == CURSOR_DEPTH_MAX)
                return false;
            open[depth++] = head.type == CURSOR_MAP ? head.size * 2 : head.size;
        } else {
            walk.at += head.size;
        }
        while (depth && !open[depth - 1])
            depth--;
        if (!depth)
            break;
        open[depth - 1]--;
    }
    if (value)
        *value = bytes_of(cursor->at, (size_t)(walk.at - cursor->at));
    cursor->at = walk.at;
    return true;
}
