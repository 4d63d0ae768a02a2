// SPDX-License-Identifier: Apache-2.0
// The bounds of every type of field.
#include "codec/schema_rules.h"

#include "codec/ids.h"

const char *choice_in(const char *choices, struct bytes text)
{
    for (const char *at = choices;; at++) {
        const char *end = strchrnul(at, '|');
        if ((size_t)(end - at) == text.size && memcmp(at, text.at, text.size) == 0)
            return at;
        if (!*end)
            return NULL;
        at = end;
    }
}

static bool money_legal(const struct money *money, bool stored)
{
    if (stored && !money->amount && !money->currency[0])
        return true; // "no amount yet"
    return money->amount >= 0 && currency_known(bytes_of(money->currency, CURRENCY_SIZE), NULL);
}

static bool size_legal(const struct field *field, const void *member)
{
    size_t size = ((const struct bytes *)member)->size;
    return size >= (size_t)field->min && size <= (size_t)field->max;
}

bool value_legal(const struct field *field, const void *self, bool stored)
{
    const void *member = member_in(field, self);
    switch ((enum field_type)field->type) {
    case FIELD_ID:
        return key_valid(*(const struct bytes *)member, (size_t)field->max);
    case FIELD_TEXT:
        return size_legal(field, member) && text_valid(*(const struct bytes *)member);
    case FIELD_CHOICE:
        return choice_in(field->choices, *(const struct bytes *)member) != NULL;
    case FIELD_INT:
        return int_legal(field, *(const int64_t *)member);
    case FIELD_MONEY:
        return money_legal(member, stored);
    case FIELD_MAP:
    case FIELD_LIST:
        return count_in(field, self) >= (uint64_t)field->min && count_in(field, self) <= (uint64_t)field->max;
    case FIELD_RAW:
        return ((const struct bytes *)member)->size && size_legal(field, member);
    case FIELD_BITS:
        return size_legal(field, member);
    case FIELD_BOOL:
    case FIELD_NEST:
        return true;
    }
    return false;
}

bool pair_legal(const struct pair *pair)
{
    return key_valid(pair->name, MAP_TEXT_MAX) && pair->value.size <= MAP_TEXT_MAX && text_valid(pair->value);
}

bool pair_named(const struct pair *pairs, uint32_t count, struct bytes name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (bytes_equal(pairs[i].name, name))
            return true;
    }
    return false;
}
