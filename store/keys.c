// SPDX-License-Identifier: Apache-2.0
#include "store/keys.h"

#include "codec/check.h"

#include <endian.h>

enum { SLOT_SIZE = 2, ENTITY_HEAD_SIZE = SLOT_SIZE + 1 };

static void append_u16(struct buffer *out, uint16_t value)
{
    uint16_t big = htobe16(value);
    buffer_append(out, &big, sizeof big);
}

static void append_u64(struct buffer *out, uint64_t value)
{
    uint64_t big = htobe64(value);
    buffer_append(out, &big, sizeof big);
}

void keys_entity(struct buffer *out, struct bytes key)
{
    CHECK(key.size >= 1 && key.size <= KEY_SIZE_MAX, "size %zu", key.size);
    uint8_t size = (uint8_t)key.size;
    append_u16(out, slot_of(key));
    buffer_append(out, &size, 1);
    buffer_append(out, key.at, key.size);
}

void keys_child(struct buffer *out, struct bytes key, struct bytes child)
{
    keys_entity(out, key);
    buffer_append(out, child.at, child.size);
}

void keys_due(struct buffer *out, struct bytes key, int64_t due_at, uint64_t epoch, uint64_t row)
{
    // Times are not negative, so their big-endian bytes sort as they do.
    CHECK(due_at >= 0, "due %lld", (long long)due_at);
    keys_entity(out, key);
    append_u64(out, (uint64_t)due_at);
    append_u64(out, epoch);
    append_u64(out, row);
}

void keys_seq(struct buffer *out, uint64_t seq)
{
    append_u64(out, seq);
}

void keys_slot(struct buffer *out, uint32_t slot)
{
    CHECK(slot <= SLOT_COUNT, "slot %u", slot);
    append_u16(out, (uint16_t)slot);
}

void keys_after(struct buffer *out, struct bytes prefix)
{
    while (prefix.size && prefix.at[prefix.size - 1] == 0xff)
        prefix.size--;
    CHECK(prefix.size > 0, "nothing is behind it");
    buffer_append(out, prefix.at, prefix.size);
    out->at[out->size - 1]++;
}

bool keys_read_entity(struct bytes row, uint16_t *slot, struct bytes *key, struct bytes *rest)
{
    if (row.size < ENTITY_HEAD_SIZE)
        return false;
    uint16_t big;
    memcpy(&big, row.at, sizeof big);
    size_t size = row.at[SLOT_SIZE];
    struct bytes name = bytes_of(row.at + ENTITY_HEAD_SIZE, size);
    if (size < 1 || size > KEY_SIZE_MAX || size > row.size - ENTITY_HEAD_SIZE || be16toh(big) != slot_of(name))
        return false;
    *slot = be16toh(big);
    *key = name;
    *rest = bytes_of(name.at + size, row.size - ENTITY_HEAD_SIZE - size);
    return true;
}

bool keys_read_seq(struct bytes row, uint64_t *seq)
{
    uint64_t big;
    if (row.size != sizeof big)
        return false;
    memcpy(&big, row.at, sizeof big);
    *seq = be64toh(big);
    return true;
}
