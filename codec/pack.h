// SPDX-License-Identifier: Apache-2.0
// What goes out: a growing buffer and msgpack packed into it (pack.c is the seam to msgpack-c).
// Owned by one thread. Out of memory aborts.
#pragma once

#include "codec/bytes.h"

struct buffer {
    uint8_t *at;
    size_t size;
    size_t capacity;
};

void buffer_init(struct buffer *buffer);
void buffer_deinit(struct buffer *buffer);
static inline void buffer_clear(struct buffer *buffer) { buffer->size = 0; }
// Room for `size` more bytes behind the end; returns where they start. The caller then adds to `size`.
uint8_t *buffer_reserve(struct buffer *buffer, size_t size);
void buffer_append(struct buffer *buffer, const void *at, size_t size);
void buffer_printf(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline struct bytes buffer_bytes(const struct buffer *buffer)
{
    return (struct bytes){buffer->at, buffer->size};
}

void pack_nil(struct buffer *out);
void pack_bool(struct buffer *out, bool value);
void pack_int(struct buffer *out, int64_t value); // the shortest form
void pack_str(struct buffer *out, struct bytes text);
void pack_bin(struct buffer *out, struct bytes raw);
void pack_array(struct buffer *out, uint32_t count);
void pack_map(struct buffer *out, uint32_t count);
static inline void pack_text(struct buffer *out, const char *text) { pack_str(out, bytes_text(text)); }
// One already encoded msgpack value.
static inline void pack_raw(struct buffer *out, struct bytes value) { buffer_append(out, value.at, value.size); }
