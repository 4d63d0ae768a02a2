// SPDX-License-Identifier: Apache-2.0
// The seam to msgpack-c: its packing template is instantiated over a growing buffer, so that each value is written by
// inlined code and not through a callback. Also the buffer itself: capacity doubles, never shrinks.
#include "codec/pack.h"

#include "codec/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <msgpack/pack_define.h>
#include <msgpack/timestamp.h>

enum { BUFFER_CAPACITY_FIRST = 256 };

void buffer_init(struct buffer *buffer)
{
    *buffer = (struct buffer){0};
}

void buffer_deinit(struct buffer *buffer)
{
    free(buffer->at);
    *buffer = (struct buffer){0};
}

static void buffer_grow(struct buffer *buffer, size_t size)
{
    CHECK(size <= SIZE_MAX / 4 && buffer->size <= SIZE_MAX / 4, "%zu", size);
    size_t capacity = buffer->capacity ? buffer->capacity : BUFFER_CAPACITY_FIRST;
    while (capacity - buffer->size < size)
        capacity *= 2;
    uint8_t *at = realloc(buffer->at, capacity);
    CHECK(at, "out of memory for %zu bytes", capacity);
    buffer->at = at;
    buffer->capacity = capacity;
}

static inline uint8_t *reserve(struct buffer *buffer, size_t size)
{
    if (__builtin_expect(buffer->capacity - buffer->size < size, 0))
        buffer_grow(buffer, size);
    return buffer->at + buffer->size;
}

static inline int append(struct buffer *buffer, const void *at, size_t size)
{
    if (size)
        memcpy(reserve(buffer, size), at, size);
    buffer->size += size;
    return 0;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t size)
{
    // At least one byte, so that the start is never NULL.
    return reserve(buffer, size ? size : 1);
}

void buffer_append(struct buffer *buffer, const void *at, size_t size)
{
    append(buffer, at, size);
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(length >= 0, "%s", format);
    vsnprintf((char *)reserve(buffer, (size_t)length + 1), (size_t)length + 1, format, again);
    va_end(again);
    buffer->size += (size_t)length;
}

// The template calls its own functions by these names; msgpack/pack.h, which has the callback ones, is not included.
#define msgpack_pack_inline_func(name) static inline int msgpack_pack##name
#define msgpack_pack_inline_func_cint(name) static inline int msgpack_pack##name
#define msgpack_pack_inline_func_fixint(name) static inline int msgpack_pack_fix##name
#define msgpack_pack_user struct buffer *
#define msgpack_pack_append_buffer(user, bytes, size) return append(user, bytes, size)
#include <msgpack/pack_template.h>

void pack_nil(struct buffer *out)
{
    msgpack_pack_nil(out);
}

void pack_bool(struct buffer *out, bool value)
{
    if (value)
        msgpack_pack_true(out);
    else
        msgpack_pack_false(out);
}

void pack_int(struct buffer *out, int64_t value)
{
    msgpack_pack_int64(out, value);
}

void pack_str(struct buffer *out, struct bytes text)
{
    CHECK(text.size <= UINT32_MAX, "%zu", text.size);
    msgpack_pack_str(out, text.size);
    append(out, text.at, text.size);
}

void pack_bin(struct buffer *out, struct bytes raw)
{
    CHECK(raw.size <= UINT32_MAX, "%zu", raw.size);
    msgpack_pack_bin(out, raw.size);
    append(out, raw.at, raw.size);
}

void pack_array(struct buffer *out, uint32_t count)
{
    msgpack_pack_array(out, count);
}

void pack_map(struct buffer *out, uint32_t count)
{
    msgpack_pack_map(out, count);
}
