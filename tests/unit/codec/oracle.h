// SPDX-License-Identifier: Apache-2.0
// msgpack-c as the judge of codec/cursor.c: whatever one accepts the other does, with the same structure. What the
// cursor refuses beyond that is what cursor.h says: nesting deeper than CURSOR_DEPTH_MAX.
#pragma once

#include "codec/check.h"
#include "codec/cursor.h"

#include <msgpack.h>

// Arrays and maps around the innermost value.
static inline int oracle_depth(const msgpack_object *object)
{
    int depth = 0;
    bool map = object->type == MSGPACK_OBJECT_MAP;
    if (!map && object->type != MSGPACK_OBJECT_ARRAY)
        return 0;
    uint32_t count = map ? object->via.map.size * 2 : object->via.array.size;
    for (uint32_t i = 0; i < count; i++) {
        const msgpack_object_kv *pair = map ? &object->via.map.ptr[i / 2] : NULL;
        int inner = oracle_depth(!map ? &object->via.array.ptr[i] : i % 2 ? &pair->val : &pair->key);
        depth = inner > depth ? inner : depth;
    }
    return depth + 1;
}

static inline void oracle_compare(struct cursor *cursor, const msgpack_object *object);

static inline void oracle_compare_bytes(struct bytes bytes, const char *at, uint32_t size)
{
    CHECK(bytes.size == size && (!size || bytes.at == (const uint8_t *)at), "%zu bytes, not %u", bytes.size, size);
}

static inline void oracle_compare_int(struct cursor *cursor, int64_t number)
{
    int64_t read;
    CHECK(cursor_peek(cursor) == CURSOR_INT && cursor_int(cursor, &read) && read == number, "%lld", (long long)number);
}

static inline void oracle_compare_other(struct cursor *cursor)
{
    int64_t number;
    CHECK(cursor_peek(cursor) == CURSOR_OTHER && !cursor_int(cursor, &number), "read as an integer");
    CHECK(cursor_skip(cursor, NULL), "not stepped over");
}

static inline void oracle_compare_list(struct cursor *cursor, const msgpack_object *object)
{
    bool map = object->type == MSGPACK_OBJECT_MAP;
    uint32_t count = 0, expected = map ? object->via.map.size : object->via.array.size;
    CHECK(map ? cursor_map(cursor, &count) : cursor_array(cursor, &count), "no list of %u", expected);
    CHECK(count == expected, "%u, not %u", count, expected);
    for (uint32_t i = 0; i < count; i++) {
        oracle_compare(cursor, map ? &object->via.map.ptr[i].key : &object->via.array.ptr[i]);
        if (map)
            oracle_compare(cursor, &object->via.map.ptr[i].val);
    }
}

// The value at the cursor, which then stands behind it.
static inline void oracle_compare(struct cursor *cursor, const msgpack_object *object)
{
    struct bytes bytes = {0};
    bool truth;
    switch (object->type) {
    case MSGPACK_OBJECT_NIL:
        CHECK(cursor_peek(cursor) == CURSOR_NIL && cursor_nil(cursor), "no nil");
        return;
    case MSGPACK_OBJECT_BOOLEAN:
        CHECK(cursor_peek(cursor) == CURSOR_BOOL && cursor_bool(cursor, &truth) && truth == object->via.boolean, "bool");
        return;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        if (object->via.u64 > INT64_MAX)
            oracle_compare_other(cursor);
        else
            oracle_compare_int(cursor, (int64_t)object->via.u64);
        return;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        oracle_compare_int(cursor, object->via.i64);
        return;
    case MSGPACK_OBJECT_STR:
        CHECK(cursor_str(cursor, &bytes), "no string");
        oracle_compare_bytes(bytes, object->via.str.ptr, object->via.str.size);
        return;
    case MSGPACK_OBJECT_BIN:
        CHECK(cursor_bin(cursor, &bytes), "no binary");
        oracle_compare_bytes(bytes, object->via.bin.ptr, object->via.bin.size);
        return;
    case MSGPACK_OBJECT_ARRAY:
    case MSGPACK_OBJECT_MAP:
        oracle_compare_list(cursor, object);
        return;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
    case MSGPACK_OBJECT_EXT:
        oracle_compare_other(cursor);
        return;
    }
}

static inline bool oracle_may_allocate_all(struct bytes input)
{
    return input.size && (memchr(input.at, 0xdd, input.size) || memchr(input.at, 0xdf, input.size));
}

// msgpack-c allocates what a count asks for before it looks whether there are bytes for it: where the cursor refuses,
// it is asked only if no count of 32 bits can be in the input. true: both accept it.
static inline bool oracle_agree(struct bytes input)
{
    struct cursor cursor = cursor_over(input), walk = cursor;
    struct bytes value = {0};
    bool accepted = cursor_skip(&cursor, &value);
    if (!accepted && oracle_may_allocate_all(input))
        return false;
    msgpack_unpacked oracle;
    size_t end = 0;
    msgpack_unpacked_init(&oracle);
    bool legal = msgpack_unpack_next(&oracle, (const char *)input.at, input.size, &end) == MSGPACK_UNPACK_SUCCESS;
    if (accepted) {
        CHECK(legal && end == value.size, "msgpack-c read %zu bytes, the cursor %zu", end, value.size);
        oracle_compare(&walk, &oracle.data);
        CHECK(walk.at == cursor.at, "read %zu bytes, stepped over %zu", (size_t)(walk.at - input.at), value.size);
    } else {
        CHECK(!legal || oracle_depth(&oracle.data) > CURSOR_DEPTH_MAX, "the cursor refuses what msgpack-c reads");
    }
    msgpack_unpacked_destroy(&oracle);
    return accepted;
}
