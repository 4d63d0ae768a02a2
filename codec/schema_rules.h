// SPDX-License-Identifier: Apache-2.0
// The engine's own: where a field lies in its struct and what it may hold. Decoding must pass `value_legal`, encoding
// is CHECKed against it, so neither side can know a rule that the other does not. `stored`: in a record. Any thread.
#pragma once

#include "codec/schema.h"

enum { CURRENCY_SIZE = 3 };

static inline void *member_of(const struct field *field, void *self)
{
    return (uint8_t *)self + field->offset;
}

static inline const void *member_in(const struct field *field, const void *self)
{
    return (const uint8_t *)self + field->offset;
}

static inline bool *has_of(const struct field *field, void *self)
{
    return (bool *)((uint8_t *)self + field->offset_has);
}

static inline uint32_t *count_of(const struct field *field, void *self)
{
    return (uint32_t *)((uint8_t *)self + field->offset_count);
}

static inline uint32_t count_in(const struct field *field, const void *self)
{
    return *(const uint32_t *)((const uint8_t *)self + field->offset_count);
}

// What a struct says is there. Required fields are, whatever their flag says.
static inline bool present(const struct field *field, const void *self)
{
    return field->need == FIELD_REQUIRED || *(const bool *)((const uint8_t *)self + field->offset_has);
}

static inline bool int_legal(const struct field *field, int64_t value)
{
    return value >= field->min && value <= field->max;
}

// What the field holds in `self` (for maps and lists: their count) is within its bounds.
bool value_legal(const struct field *field, const void *self, bool stored);
// The choice's own text in "a|b|c", or NULL.
const char *choice_in(const char *choices, struct bytes text);
bool pair_legal(const struct pair *pair);
// One of `count` pairs has this name.
bool pair_named(const struct pair *pairs, uint32_t count, struct bytes name);
