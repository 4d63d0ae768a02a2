// SPDX-License-Identifier: Apache-2.0
// Encoding: the walk of schema.c the other way. A record ends at its last present field, so a field added later does
// not change the bytes of records without it: what a newer souk writes then is what this one wrote (replay compares).
#include "codec/schema.h"

#include "codec/check.h"
#include "codec/schema_rules.h"

#include <inttypes.h>

struct writer {
    struct buffer *out;
    bool stored;
};

static void write_shape(const struct writer *writer, const struct shape *shape, const void *self);

static void write_money(const struct writer *writer, const struct money *money)
{
    struct bytes currency = bytes_of(money->currency, strnlen(money->currency, CURRENCY_SIZE));
    if (writer->stored) {
        pack_array(writer->out, 2);
    } else {
        pack_map(writer->out, 2);
        pack_str(writer->out, BYTES("amount"));
    }
    pack_int(writer->out, money->amount);
    if (!writer->stored)
        pack_str(writer->out, BYTES("currency"));
    pack_str(writer->out, currency);
}

static void write_map(const struct writer *writer, const struct pair *pairs, uint32_t count)
{
    pack_map(writer->out, count);
    for (uint32_t i = 0; i < count; i++) {
        CHECK(pair_legal(&pairs[i]) && !pair_named(pairs, i, pairs[i].name), "%.*s", BYTES_FORMAT(pairs[i].name));
        pack_str(writer->out, pairs[i].name);
        pack_str(writer->out, pairs[i].value);
    }
}

static void write_list(const struct writer *writer, const struct shape *shape, const uint8_t *entries, uint32_t count)
{
    pack_array(writer->out, count);
    for (uint32_t i = 0; i < count; i++)
        write_shape(writer, shape, entries + i * shape->size);
}

static void write_value(const struct writer *writer, const struct field *field, const void *self)
{
    const void *member = member_in(field, self);
    switch ((enum field_type)field->type) {
    case FIELD_ID:
    case FIELD_TEXT:
    case FIELD_CHOICE:
        pack_str(writer->out, *(const struct bytes *)member);
        return;
    case FIELD_INT:
        pack_int(writer->out, *(const int64_t *)member);
        return;
    case FIELD_BOOL:
        pack_bool(writer->out, *(const bool *)member);
        return;
    case FIELD_MONEY:
        write_money(writer, member);
        return;
    case FIELD_MAP:
        write_map(writer, *(struct pair *const *)member, count_in(field, self));
        return;
    case FIELD_LIST:
        write_list(writer, field->shape(), *(const uint8_t *const *)member, count_in(field, self));
        return;
    case FIELD_NEST:
        write_shape(writer, field->shape(), member);
        return;
    case FIELD_RAW:
        pack_raw(writer->out, *(const struct bytes *)member);
        return;
    case FIELD_BITS:
        pack_bin(writer->out, *(const struct bytes *)member);
        return;
    }
}

static void write_field(const struct writer *writer, const struct shape *shape, const struct field *field,
                        const void *self)
{
    CHECK(value_legal(field, self, writer->stored), "%s.%s", shape->name, field->name);
    write_value(writer, field, self);
}

static void write_named(const struct writer *writer, const struct shape *shape, const void *self)
{
    uint32_t count = 0;
    for (uint16_t i = 0; i < shape->count; i++)
        count += present(&shape->fields[i], self);
    pack_map(writer->out, count);
    for (uint16_t i = 0; i < shape->count; i++) {
        const struct field *field = &shape->fields[i];
        if (!present(field, self))
            continue;
        pack_str(writer->out, bytes_of(field->name, field->name_size));
        write_field(writer, shape, field, self);
    }
}

// How many fields there are up to the last present one.
static uint16_t placed_count(const struct shape *shape, const void *self)
{
    uint16_t count = shape->count;
    while (count && !present(&shape->fields[count - 1], self))
        count--;
    return count;
}

static void write_placed(const struct writer *writer, const struct shape *shape, const void *self, uint16_t count)
{
    for (uint16_t i = 0; i < count; i++) {
        const struct field *field = &shape->fields[i];
        if (present(field, self))
            write_field(writer, shape, field, self);
        else
            pack_nil(writer->out);
    }
}

static void write_shape(const struct writer *writer, const struct shape *shape, const void *self)
{
    if (!writer->stored) {
        write_named(writer, shape, self);
        return;
    }
    uint16_t count = placed_count(shape, self);
    pack_array(writer->out, count);
    write_placed(writer, shape, self, count);
}

void body_encode(const struct shape *shape, const void *in, struct buffer *out)
{
    write_named(&(struct writer){.out = out}, shape, in);
}

void record_encode(const struct shape *shape, const void *in, int64_t forget_at, struct buffer *out)
{
    uint16_t count = placed_count(shape, in);
    CHECK(forget_at >= 0, "%" PRId64, forget_at);
    buffer_append(out, &(uint8_t){RECORD_VERSION}, 1);
    pack_array(out, 1u + count);
    pack_int(out, forget_at);
    write_placed(&(struct writer){.out = out, .stored = true}, shape, in, count);
}
