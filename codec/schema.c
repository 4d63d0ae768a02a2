// SPDX-License-Identifier: Apache-2.0
// Decoding: walks a shape's table and fills its struct from msgpack. Body and record are one walk; they differ in how a
// struct, money and absence are laid out (`stored`). Encoding is schema_encode.c, bounds are schema_rules.c.
#include "codec/schema.h"

#include "codec/check.h"
#include "codec/ids.h"
#include "codec/schema_rules.h"

#include <inttypes.h>

enum { NAME_SHOWN_MAX = 64 };

// ---- refusing

// Where a reader is: "lines", then [3], then "sku". On the stack of the functions that descend.
struct place {
    const struct place *outer;
    const char *name; // NULL: `index` of the list around
    uint32_t index;
};

struct reader {
    struct cursor cursor;
    struct arena *arena;
    struct refusal *refusal; // NULL: nobody asks why
    bool refused;            // the innermost reason stands
    bool lenient, stored;
};

static const char *place_path(struct arena *arena, const struct place *place)
{
    if (!place)
        return "body";
    if (!place->name)
        return arena_format(arena, "%s[%" PRIu32 "]", place_path(arena, place->outer), place->index);
    if (!place->outer)
        return place->name;
    return arena_format(arena, "%s.%s", place_path(arena, place->outer), place->name);
}

static bool refuse(struct reader *reader, const struct place *place, const char *reason)
{
    reader->refusal->field = place_path(reader->arena, place);
    reader->refusal->message = arena_format(reader->arena, "%s %s", reader->refusal->field, reason);
    reader->refused = true;
    return false;
}

static const char *field_rule(const struct field *field, struct arena *arena)
{
    switch ((enum field_type)field->type) {
    case FIELD_ID:
        return arena_format(arena, "must be a string of 1 to %" PRId64 " bytes of UTF-8 without control characters",
                            field->max);
    case FIELD_TEXT:
        return arena_format(arena, "must be a string of %" PRId64 " to %" PRId64 " bytes of UTF-8", field->min,
                            field->max);
    case FIELD_CHOICE:
        return arena_format(arena, "must be one of %s", field->choices);
    case FIELD_INT:
        if (field->max == INT64_MAX)
            return arena_format(arena, "must be an integer, at least %" PRId64, field->min);
        return arena_format(arena, "must be an integer from %" PRId64 " to %" PRId64, field->min, field->max);
    case FIELD_BOOL:
        return "must be true or false";
    case FIELD_MONEY:
        return "must be {amount, currency}: an integer of minor units, 0 or more, and a currency of ISO 4217";
    case FIELD_MAP:
        return arena_format(arena,
                            "must be a map of at most %d strings, no name twice, names and values of at most %d "
                            "bytes of UTF-8",
                            MAP_ENTRIES_MAX, MAP_TEXT_MAX);
    case FIELD_LIST:
        return arena_format(arena, "must be a list of %" PRId64 " to %" PRId64 " entries", field->min, field->max);
    case FIELD_NEST:
        return "must be a map of named fields";
    case FIELD_RAW:
        return arena_format(arena, "must be one msgpack value of at most %" PRId64 " bytes", field->max);
    case FIELD_BITS:
        return arena_format(arena, "must be binary data of at most %" PRId64 " bytes", field->max);
    }
    return "is of no known type";
}

static bool refuse_value(struct reader *reader, const struct field *field, const struct place *place)
{
    if (!reader->refusal || reader->refused)
        return false;
    return refuse(reader, place, field_rule(field, reader->arena));
}

static bool refuse_unknown(struct reader *reader, struct bytes name, const struct place *outer)
{
    if (!key_valid(name, NAME_SHOWN_MAX))
        return refuse(reader, outer, "has a field whose name is not known here");
    struct place place = {.outer = outer, .name = arena_format(reader->arena, "%.*s", BYTES_FORMAT(name))};
    return refuse(reader, &place, "is not known here");
}

// ---- reading

static bool read_shape(struct reader *reader, const struct shape *shape, void *self, const struct place *place);

static bool read_money_named(struct cursor *cursor, struct money *money, struct bytes *currency)
{
    bool amount = false;
    uint32_t count;
    if (!cursor_map(cursor, &count) || count != 2)
        return false;
    for (; count; count--) {
        struct bytes name;
        if (!cursor_str(cursor, &name))
            return false;
        if (!amount && bytes_equal(name, BYTES("amount")))
            amount = cursor_int(cursor, &money->amount);
        else if (currency->at || !bytes_equal(name, BYTES("currency")) || !cursor_str(cursor, currency))
            return false;
    }
    return amount; // and of the two the other is the currency
}

static bool read_money(struct reader *reader, struct money *money)
{
    struct bytes currency = {0};
    uint32_t count;
    bool whole = reader->stored
                     ? cursor_array(&reader->cursor, &count) && count == 2 &&
                           cursor_int(&reader->cursor, &money->amount) && cursor_str(&reader->cursor, &currency)
                     : read_money_named(&reader->cursor, money, &currency);
    if (!whole || (currency.size != CURRENCY_SIZE && !(reader->stored && !currency.size)))
        return false;
    memcpy(money->currency, currency.at, currency.size);
    return true;
}

static bool read_choice(struct reader *reader, const struct field *field, struct bytes *choice)
{
    if (!cursor_str(&reader->cursor, choice))
        return false;
    // The table's own text: it outlives the input.
    choice->at = (const uint8_t *)choice_in(field->choices, *choice);
    return choice->at != NULL;
}

static bool read_map(struct reader *reader, const struct field *field, void *self)
{
    uint32_t count;
    if (!cursor_map(&reader->cursor, &count) || count > (uint64_t)field->max)
        return false;
    struct pair *pairs = count ? arena_alloc(reader->arena, count * sizeof *pairs) : NULL;
    for (uint32_t i = 0; i < count; i++) {
        struct pair *pair = &pairs[i];
        if (!cursor_str(&reader->cursor, &pair->name) || !cursor_str(&reader->cursor, &pair->value))
            return false;
        if (!pair_legal(pair) || pair_named(pairs, i, pair->name))
            return false;
    }
    *(struct pair **)member_of(field, self) = pairs;
    *count_of(field, self) = count;
    return true;
}

static bool read_list(struct reader *reader, const struct field *field, void *self, const struct place *place)
{
    const struct shape *shape = field->shape();
    uint32_t count;
    // Bounded by the schema and (cursor_array) by the bytes that are left, before anything is allocated.
    if (!cursor_array(&reader->cursor, &count) || count > (uint64_t)field->max)
        return false;
    uint8_t *entries = count ? arena_alloc(reader->arena, count * shape->size) : NULL;
    for (uint32_t i = 0; i < count; i++) {
        struct place entry = {.outer = place, .index = i};
        if (!read_shape(reader, shape, entries + i * shape->size, &entry))
            return false;
    }
    *(void **)member_of(field, self) = entries;
    *count_of(field, self) = count;
    return true;
}

static inline bool read_int(struct reader *reader, const struct field *field, int64_t *value)
{
    return cursor_int(&reader->cursor, value) && int_legal(field, *value);
}

static bool read_value(struct reader *reader, const struct field *field, void *self, const struct place *place)
{
    void *member = member_of(field, self);
    switch ((enum field_type)field->type) {
    case FIELD_ID:
    case FIELD_TEXT:
        return cursor_str(&reader->cursor, member);
    case FIELD_CHOICE:
        return read_choice(reader, field, member);
    case FIELD_INT:
        return read_int(reader, field, member);
    case FIELD_BOOL:
        return cursor_bool(&reader->cursor, member);
    case FIELD_MONEY:
        return read_money(reader, member);
    case FIELD_MAP:
        return read_map(reader, field, self);
    case FIELD_LIST:
        return read_list(reader, field, self, place);
    case FIELD_NEST:
        return read_shape(reader, field->shape(), member, place);
    case FIELD_RAW:
        return cursor_skip(&reader->cursor, member);
    case FIELD_BITS:
        return cursor_bin(&reader->cursor, member);
    }
    return false;
}

static bool read_other(struct reader *reader, const struct field *field, void *self, const struct place *place)
{
    // A choice is legal by having been found.
    return read_value(reader, field, self, place) &&
           (field->type == FIELD_CHOICE || value_legal(field, self, reader->stored));
}

static inline bool read_field(struct reader *reader, const struct field *field, void *self, const struct place *place)
{
    // Most fields are ints; they skip the two switches.
    bool legal = field->type == FIELD_INT ? read_int(reader, field, member_of(field, self))
                                          : read_other(reader, field, self, place);
    *has_of(field, self) = true;
    return legal || refuse_value(reader, field, place);
}

static inline bool field_named(const struct field *field, struct bytes name)
{
    return field->name_size == name.size && memcmp(field->name, name.at, name.size) == 0;
}

// `expected`: where the search begins, since most senders keep the schema's order. -1: none.
static int field_find(const struct shape *shape, struct bytes name, int expected)
{
    for (int i = 0; i < shape->count; i++) {
        int index = expected + i < shape->count ? expected + i : expected + i - shape->count;
        if (field_named(&shape->fields[index], name))
            return index;
    }
    return -1;
}

static bool nothing_missing(struct reader *reader, const struct shape *shape, uint64_t seen, const struct place *outer)
{
    for (uint16_t i = 0; i < shape->count; i++) {
        if (shape->fields[i].need == FIELD_REQUIRED && !(seen >> i & 1)) {
            struct place place = {.outer = outer, .name = shape->fields[i].name};
            return refuse(reader, &place, "is missing");
        }
    }
    return true;
}

static bool read_named(struct reader *reader, const struct shape *shape, void *self, const struct place *outer)
{
    uint64_t seen = 0;
    uint32_t count;
    int expected = 0;
    if (!cursor_map(&reader->cursor, &count))
        return refuse(reader, outer, "must be a map of named fields");
    for (; count; count--) {
        struct bytes name;
        if (!cursor_str(&reader->cursor, &name))
            return refuse(reader, outer, "has a field whose name is not a string");
        int index = field_find(shape, name, expected);
        if (index < 0) {
            if (!reader->lenient || !cursor_skip(&reader->cursor, NULL))
                return refuse_unknown(reader, name, outer);
            continue;
        }
        const struct field *field = &shape->fields[index];
        struct place place = {.outer = outer, .name = field->name};
        if (seen >> index & 1)
            return refuse(reader, &place, "is given twice");
        seen |= UINT64_C(1) << index;
        expected = index + 1;
        if (!read_field(reader, field, self, &place))
            return false;
    }
    return nothing_missing(reader, shape, seen, outer);
}

static bool read_placed(struct reader *reader, const struct shape *shape, void *self, uint32_t count)
{
    if (count > shape->count)
        return false; // a newer souk wrote it
    for (uint16_t i = 0; i < shape->count; i++) {
        const struct field *field = &shape->fields[i];
        if (i >= count || cursor_nil(&reader->cursor)) {
            if (field->need == FIELD_REQUIRED)
                return false;
        } else if (!read_field(reader, field, self, NULL)) {
            return false;
        }
    }
    return true;
}

static bool read_shape(struct reader *reader, const struct shape *shape, void *self, const struct place *place)
{
    uint32_t count;
    CHECK(shape->count <= SHAPE_FIELDS_MAX, "%s", shape->name);
    if (shape->size)
        memset(self, 0, shape->size);
    if (!reader->stored)
        return read_named(reader, shape, self, place);
    return cursor_array(&reader->cursor, &count) && read_placed(reader, shape, self, count);
}

static bool body_read(struct reader *reader, const struct shape *shape, void *out)
{
    *reader->refusal = (struct refusal){0};
    if (!read_shape(reader, shape, out, NULL))
        return false;
    return !cursor_left(&reader->cursor) || refuse(reader, NULL, "has bytes behind its end");
}

bool body_decode(const struct shape *shape, struct bytes body, void *out, struct arena *arena, struct refusal *refusal)
{
    struct reader reader = {.cursor = cursor_over(body), .arena = arena, .refusal = refusal};
    return body_read(&reader, shape, out);
}

bool body_decode_lenient(const struct shape *shape, struct bytes body, void *out, struct arena *arena,
                         struct refusal *refusal)
{
    struct reader reader = {.cursor = cursor_over(body), .arena = arena, .refusal = refusal, .lenient = true};
    return body_read(&reader, shape, out);
}

// The head of a record: version, how many values follow, the first of them.
static bool record_open(struct cursor *cursor, uint32_t *count, int64_t *forget_at)
{
    if (!cursor_left(cursor) || *cursor->at != RECORD_VERSION)
        return false;
    cursor->at++;
    return cursor_array(cursor, count) && *count && cursor_int(cursor, forget_at) && *forget_at >= 0;
}

bool record_decode(const struct shape *shape, struct bytes record, void *out, struct arena *arena)
{
    struct reader reader = {.cursor = cursor_over(record), .arena = arena, .stored = true};
    uint32_t count;
    int64_t forget_at;
    if (!record_open(&reader.cursor, &count, &forget_at))
        return false;
    if (shape->size)
        memset(out, 0, shape->size);
    return read_placed(&reader, shape, out, count - 1) && !cursor_left(&reader.cursor);
}

int64_t record_forget_at(struct bytes record)
{
    struct cursor cursor = cursor_over(record);
    uint32_t count;
    int64_t forget_at;
    return record_open(&cursor, &count, &forget_at) ? forget_at : -1;
}
