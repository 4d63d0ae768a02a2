// SPDX-License-Identifier: Apache-2.0
// Fingerprints: whether two requests ask for the same. They are stored with remembered replies, holds and orders, so
// how a value is hashed must not change. It does not depend on how the sender spelled it: width of ints, order of named
// fields and of map entries.
#include "codec/schema.h"

#include "codec/ids.h"
#include "codec/schema_rules.h"

#include <xxhash.h>

static uint64_t hash_shape(const struct shape *shape, const void *self);

static uint64_t hash_more(uint64_t hash, uint64_t value)
{
    return XXH3_64bits_withSeed(&value, sizeof value, hash);
}

static uint64_t hash_map(const struct pair *pairs, uint32_t count)
{
    uint64_t sum = count;
    for (uint32_t i = 0; i < count; i++) // a sum, because a map has no order
        sum += hash_more(hash_of(pairs[i].name), hash_of(pairs[i].value));
    return hash_more(0, sum);
}

static uint64_t hash_list(const struct shape *shape, const uint8_t *entries, uint32_t count)
{
    uint64_t hash = count;
    for (uint32_t i = 0; i < count; i++)
        hash = hash_more(hash, hash_shape(shape, entries + i * shape->size));
    return hash;
}

static uint64_t hash_value(const struct field *field, const void *self)
{
    const void *member = member_in(field, self);
    switch ((enum field_type)field->type) {
    case FIELD_ID:
    case FIELD_TEXT:
    case FIELD_CHOICE:
    case FIELD_RAW:
    case FIELD_BITS:
        return hash_of(*(const struct bytes *)member);
    case FIELD_INT:
        return hash_more(0, (uint64_t) * (const int64_t *)member);
    case FIELD_BOOL:
        return hash_more(0, *(const bool *)member);
    case FIELD_MONEY: {
        const struct money *money = member;
        return hash_more(hash_of(bytes_of(money->currency, CURRENCY_SIZE)), (uint64_t)money->amount);
    }
    case FIELD_MAP:
        return hash_map(*(struct pair *const *)member, count_in(field, self));
    case FIELD_LIST:
        return hash_list(field->shape(), *(const uint8_t *const *)member, count_in(field, self));
    case FIELD_NEST:
        return hash_shape(field->shape(), member);
    }
    return 0;
}

static uint64_t hash_shape(const struct shape *shape, const void *self)
{
    uint64_t hash = 0;
    for (uint16_t i = 0; i < shape->count; i++) {
        const struct field *field = &shape->fields[i];
        if (present(field, self))
            hash = hash_more(hash_more(hash, i), hash_value(field, self));
    }
    return hash;
}

// Absent fields at the end are left out: a field added later does not change the prints of requests without it.
struct bytes fingerprint_of(const struct shape *shape, const void *in, struct arena *arena)
{
    uint32_t *words = arena_alloc(arena, SHAPE_FIELDS_MAX * sizeof *words);
    size_t count = 0, used = 0;
    for (uint16_t i = 0; i < shape->count; i++) {
        const struct field *field = &shape->fields[i];
        if (field->need == FIELD_SILENT)
            continue;
        uint32_t hash = present(field, in) ? (uint32_t)hash_value(field, in) : 0;
        words[count++] = present(field, in) && !hash ? 1 : hash;
        if (words[count - 1])
            used = count;
    }
    return bytes_of(words, used * sizeof *words);
}

static uint32_t word_at(struct bytes words, size_t index)
{
    uint32_t word = 0;
    if ((index + 1) * sizeof word <= words.size)
        memcpy(&word, words.at + index * sizeof word, sizeof word);
    return word;
}

const char *fingerprint_difference(const struct shape *shape, struct bytes was, struct bytes is)
{
    size_t index = 0;
    for (uint16_t i = 0; i < shape->count; i++) {
        if (shape->fields[i].need == FIELD_SILENT)
            continue;
        if (word_at(was, index) != word_at(is, index))
            return shape->fields[i].name;
        index++;
    }
    return NULL;
}
