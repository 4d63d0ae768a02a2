// SPDX-License-Identifier: Apache-2.0
// Legal values for any shape, made from its table: what the tests of the codec send through it. Seeded: the same seed
// gives the same values.
#pragma once

#include "codec/record.h"

#include <stdlib.h>

struct sample {
    uint64_t seed;
    struct arena *arena;
    enum { SAMPLE_LEAST, SAMPLE_RANDOM, SAMPLE_MOST } level; // optional fields: none, some, all
};

enum { SAMPLE_TEXT_MAX = 200, SAMPLE_LIST_MAX = 3 };

static inline uint64_t sample_next(struct sample *sample)
{
    uint64_t value = sample->seed += 0x9e3779b97f4a7c15;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
}

static inline uint64_t sample_below(struct sample *sample, uint64_t limit)
{
    return sample_next(sample) % limit;
}

static inline int64_t sample_between(struct sample *sample, int64_t low, int64_t high)
{
    uint64_t range = (uint64_t)high - (uint64_t)low;
    switch (sample_below(sample, 4)) {
    case 0:
        return low;
    case 1:
        return high;
    default: // of any magnitude
        return (int64_t)((uint64_t)low +
                         (sample_next(sample) >> sample_below(sample, 64)) % (range == UINT64_MAX ? range : range + 1));
    }
}

static inline struct bytes sample_text(struct sample *sample, size_t low, size_t high)
{
    static const char *const letters[] = {"a", "Z", "7", "-", " ", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x9b\x92"};
    if (high > SAMPLE_TEXT_MAX)
        high = SAMPLE_TEXT_MAX;
    size_t size = (size_t)sample_between(sample, (int64_t)low, (int64_t)high);
    uint8_t *text = arena_alloc(sample->arena, size + 1);
    for (size_t at = 0; at < size;) {
        const char *letter = letters[sample_below(sample, sizeof letters / sizeof *letters)];
        if (at + strlen(letter) > size)
            letter = "x";
        memcpy(text + at, letter, strlen(letter));
        at += strlen(letter);
    }
    return bytes_of(text, size);
}

static inline struct bytes sample_choice(struct sample *sample, const char *choices)
{
    size_t count = 1;
    for (const char *at = choices; *at; at++)
        count += *at == '|';
    size_t wanted = sample_below(sample, count);
    for (; wanted; wanted--)
        choices = strchr(choices, '|') + 1;
    return bytes_of(choices, strcspn(choices, "|"));
}

static inline struct money sample_money(struct sample *sample)
{
    static const char codes[][4] = {"GBP", "JPY", "KWD", "CLF", "EUR"};
    struct money money = {.amount = sample_between(sample, 0, INT64_MAX)};
    memcpy(money.currency, codes[sample_below(sample, sizeof codes / sizeof *codes)], sizeof money.currency);
    return money;
}

static inline struct pair *sample_pairs(struct sample *sample, uint32_t count)
{
    struct pair *pairs = arena_alloc(sample->arena, count * sizeof *pairs);
    for (uint32_t i = 0; i < count; i++) {
        pairs[i].name = bytes_text(arena_format(sample->arena, "name %u", i));
        pairs[i].value = sample_text(sample, 0, MAP_TEXT_MAX);
    }
    return pairs;
}

static inline struct bytes sample_raw(struct sample *sample)
{
    struct buffer out;
    buffer_init(&out);
    pack_map(&out, 1);
    pack_str(&out, sample_text(sample, 0, 9));
    pack_int(&out, (int64_t)sample_next(sample));
    struct bytes raw = arena_copy(sample->arena, buffer_bytes(&out));
    buffer_deinit(&out);
    return raw;
}

static inline void *sample_of(struct sample *sample, const struct shape *shape, uint32_t count);

static inline void sample_field(struct sample *sample, const struct field *field, uint8_t *self)
{
    void *member = self + field->offset;
    uint32_t *count = (void *)(self + field->offset_count);
    switch ((enum field_type)field->type) {
    case FIELD_ID:
    case FIELD_TEXT:
        *(struct bytes *)member = sample_text(sample, (size_t)field->min, (size_t)field->max);
        return;
    case FIELD_CHOICE:
        *(struct bytes *)member = sample_choice(sample, field->choices);
        return;
    case FIELD_INT:
        *(int64_t *)member = sample_between(sample, field->min, field->max);
        return;
    case FIELD_BOOL:
        *(bool *)member = sample_below(sample, 2);
        return;
    case FIELD_MONEY:
        *(struct money *)member = sample_money(sample);
        return;
    case FIELD_MAP:
        *count = (uint32_t)sample_below(sample, SAMPLE_LIST_MAX + 1);
        *(struct pair **)member = sample_pairs(sample, *count);
        return;
    case FIELD_LIST:
        *count = (uint32_t)sample_between(sample, field->min, SAMPLE_LIST_MAX);
        *(void **)member = sample_of(sample, field->shape(), *count);
        return;
    case FIELD_NEST:
        memcpy(member, sample_of(sample, field->shape(), 1), field->shape()->size);
        return;
    case FIELD_RAW:
        *(struct bytes *)member = sample_raw(sample);
        return;
    case FIELD_BITS:
        *(struct bytes *)member = sample_text(sample, 0, (size_t)field->max);
        return;
    }
}

// `count` structs of the shape, one behind the other.
static inline void *sample_of(struct sample *sample, const struct shape *shape, uint32_t count)
{
    uint8_t *all = arena_alloc(sample->arena, count * shape->size + 1);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *self = all + i * shape->size;
        for (uint16_t f = 0; f < shape->count; f++) {
            const struct field *field = &shape->fields[f];
            bool has = field->need == FIELD_REQUIRED || sample->level == SAMPLE_MOST ||
                       (sample->level == SAMPLE_RANDOM && sample_below(sample, 2));
            if (has)
                sample_field(sample, field, self);
            *(bool *)(self + field->offset_has) = has;
        }
    }
    return all;
}

// Every shape there is.
typedef const struct shape *sample_shape(void);
#include "codec/shape_none.h"
#undef SHAPE
#define SHAPE(of) of##_shape,
// clang-format off
static sample_shape *const sample_bodies[] = {
#include "codec/message.def"
};
static sample_shape *const sample_records[] = {
#include "codec/record.def"
};
// clang-format on
#include "codec/shape_done.h"
enum {
    SAMPLE_BODIES = sizeof sample_bodies / sizeof *sample_bodies,
    SAMPLE_RECORDS = sizeof sample_records / sizeof *sample_records,
};

// A copy without a byte to spare behind it, so that a sanitizer sees a read beyond its end. Free it.
static inline struct bytes sample_tight(struct bytes bytes)
{
    uint8_t *copy = malloc(bytes.size ? bytes.size : 1);
    if (bytes.size)
        memcpy(copy, bytes.at, bytes.size);
    return bytes_of(copy, bytes.size);
}
