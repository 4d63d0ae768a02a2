// SPDX-License-Identifier: Apache-2.0
// JSON for people and tools. Reading is jansson's work, since a person's typing errors need line and column; writing
// goes straight from msgpack to text. Whatever is refused leaves `out` as it was.
#include "codec/json.h"

#include "codec/check.h"
#include "codec/cursor.h"
#include "codec/ids.h"
#include "codec/money.h"

#include <inttypes.h>

#include <jansson.h>

static const char hex_digits[] = "0123456789abcdef";

static void put(struct buffer *out, const char *text)
{
    buffer_append(out, text, strlen(text));
}

// A map with this name only would read as binary data.
static bool bin_like(struct bytes name)
{
    size_t dollars = 0;
    while (dollars < name.size && name.at[dollars] == '$')
        dollars++;
    return dollars && bytes_equal(bytes_of(name.at + dollars, name.size - dollars), BYTES("bin"));
}

// ---- writing

// The short escape of a character, 0: none.
static char escape_of(uint8_t character)
{
    switch (character) {
    case '"':
    case '\\':
        return (char)character;
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

static void escape_write(uint8_t character, struct buffer *out)
{
    char letter = escape_of(character);
    if (letter)
        buffer_append(out, (char[]){'\\', letter}, 2);
    else
        buffer_append(out, (char[]){'\\', 'u', '0', '0', hex_digits[character >> 4], hex_digits[character & 15]}, 6);
}

void json_write_text(struct bytes text, struct buffer *out)
{
    size_t written = 0;
    put(out, "\"");
    for (size_t i = 0; i < text.size; i++) {
        uint8_t character = text.at[i];
        if (character >= 0x20 && character != '"' && character != '\\' && character != 0x7f)
            continue;
        buffer_append(out, text.at + written, i - written);
        escape_write(character, out);
        written = i + 1;
    }
    buffer_append(out, text.at + written, text.size - written);
    put(out, "\"");
}

static bool text_write(struct cursor *cursor, struct buffer *out)
{
    struct bytes text;
    // A NUL is legal UTF-8 and has an escape, but no JSON of ours reads it back.
    if (!cursor_str(cursor, &text) || !text_valid(text))
        return false;
    json_write_text(text, out);
    return true;
}

static bool bin_write(struct cursor *cursor, struct buffer *out)
{
    struct bytes raw;
    if (!cursor_bin(cursor, &raw))
        return false;
    put(out, "{\"$bin\":\"");
    for (size_t i = 0; i < raw.size; i++)
        buffer_append(out, (char[]){hex_digits[raw.at[i] >> 4], hex_digits[raw.at[i] & 15]}, 2);
    put(out, "\"}");
    return true;
}

static bool value_write(struct cursor *cursor, int depth, struct buffer *out);

static bool array_write(struct cursor *cursor, int depth, struct buffer *out)
{
    uint32_t count;
    if (!cursor_array(cursor, &count))
        return false;
    put(out, "[");
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            put(out, ",");
        if (!value_write(cursor, depth, out))
            return false;
    }
    put(out, "]");
    return true;
}

static bool name_write(struct cursor *cursor, bool only, struct buffer *out)
{
    struct cursor walk = *cursor;
    struct bytes name;
    if (!only || !cursor_str(&walk, &name) || !bin_like(name))
        return text_write(cursor, out);
    *cursor = walk;
    buffer_printf(out, "\"$%.*s\"", BYTES_FORMAT(name));
    return true;
}

static bool map_write(struct cursor *cursor, int depth, struct buffer *out)
{
    uint32_t count;
    if (!cursor_map(cursor, &count))
        return false;
    put(out, "{");
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            put(out, ",");
        if (!name_write(cursor, count == 1, out))
            return false;
        put(out, ":");
        if (!value_write(cursor, depth, out))
            return false;
    }
    put(out, "}");
    return true;
}

static bool scalar_write(struct cursor *cursor, struct buffer *out)
{
    int64_t number;
    bool truth;
    if (cursor_int(cursor, &number))
        buffer_printf(out, "%" PRId64, number);
    else if (cursor_bool(cursor, &truth))
        put(out, truth ? "true" : "false");
    else if (cursor_nil(cursor))
        put(out, "null");
    else
        return false;
    return true;
}

static bool value_write(struct cursor *cursor, int depth, struct buffer *out)
{
    switch (cursor_peek(cursor)) {
    case CURSOR_STR:
        return text_write(cursor, out);
    case CURSOR_BIN:
        return bin_write(cursor, out);
    case CURSOR_ARRAY:
        return depth < CURSOR_DEPTH_MAX && array_write(cursor, depth + 1, out);
    case CURSOR_MAP:
        return depth < CURSOR_DEPTH_MAX && map_write(cursor, depth + 1, out);
    case CURSOR_NIL:
    case CURSOR_BOOL:
    case CURSOR_INT:
        return scalar_write(cursor, out);
    case CURSOR_OTHER:
    case CURSOR_END:
        return false;
    }
    return false;
}

bool json_write(struct bytes value, struct buffer *out)
{
    struct cursor cursor = cursor_over(value);
    size_t size = out->size;
    if (value_write(&cursor, 0, out) && !cursor_left(&cursor))
        return true;
    out->size = size;
    return false;
}

// ---- reading

static int hex_value(char digit)
{
    const char *at = digit ? strchr(hex_digits, digit | 0x20) : NULL;
    return at ? (int)(at - hex_digits) : -1;
}

static bool hex_read(const char *text, size_t size, struct buffer *out, struct arena *arena)
{
    uint8_t *raw = arena_alloc(arena, size / 2 + 1);
    if (size % 2)
        return false;
    for (size_t i = 0; i < size / 2; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        raw[i] = (uint8_t)(high << 4 | low);
    }
    pack_bin(out, bytes_of(raw, size / 2));
    return true;
}

// Only a refusal needs it: jansson does not say where a value stood. `text` is known to be JSON, so a number with a
// point or an exponent is a real.
static size_t real_find(struct bytes text)
{
    bool quoted = false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t character = text.at[i];
        if (quoted && character == '\\')
            i++;
        else if (character == '"')
            quoted = !quoted;
        else if (!quoted &&
                 (character == '.' || ((character | 0x20) == 'e' && text.at[i - 1] >= '0' && text.at[i - 1] <= '9')))
            return i;
    }
    return 0;
}

struct json_reader {
    struct bytes text;
    struct buffer *out;
    struct arena *arena;
    const char **why;
};

static bool refuse_real(struct json_reader *reader)
{
    size_t at = real_find(reader->text), line = 1, column = 1;
    for (size_t i = 0; i < at; i++) {
        column = reader->text.at[i] == '\n' ? 1 : column + 1;
        line += reader->text.at[i] == '\n';
    }
    *reader->why = arena_format(
        reader->arena, "line %zu, column %zu: only whole numbers are allowed (money is in minor units)", line, column);
    return false;
}

static bool value_read(struct json_reader *reader, json_t *value, int depth);

static bool deeper(struct json_reader *reader, int *depth)
{
    if ((*depth)++ < CURSOR_DEPTH_MAX)
        return true;
    *reader->why = arena_format(reader->arena, "nested more than %d deep", CURSOR_DEPTH_MAX);
    return false;
}

static bool object_read(struct json_reader *reader, json_t *object, int depth)
{
    const json_t *bin = json_object_get(object, "$bin");
    if (bin && json_object_size(object) == 1) {
        if (json_is_string(bin) &&
            hex_read(json_string_value(bin), json_string_length(bin), reader->out, reader->arena))
            return true;
        *reader->why = "{\"$bin\": …} needs a string of pairs of hexadecimal digits";
        return false;
    }
    if (!deeper(reader, &depth)) // binary data is no level
        return false;
    size_t count = json_object_size(object);
    pack_map(reader->out, (uint32_t)count);
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const char *name = json_object_iter_key(at);
        pack_text(reader->out, name + (count == 1 && bin_like(bytes_text(name))));
        if (!value_read(reader, json_object_iter_value(at), depth))
            return false;
    }
    return true;
}

static bool array_read(struct json_reader *reader, json_t *array, int depth)
{
    size_t count = json_array_size(array);
    if (!deeper(reader, &depth))
        return false;
    pack_array(reader->out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        if (!value_read(reader, json_array_get(array, i), depth))
            return false;
    }
    return true;
}

static bool value_read(struct json_reader *reader, json_t *value, int depth)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return object_read(reader, value, depth);
    case JSON_ARRAY:
        return array_read(reader, value, depth);
    case JSON_STRING:
        pack_str(reader->out, bytes_of(json_string_value(value), json_string_length(value)));
        return true;
    case JSON_INTEGER:
        pack_int(reader->out, json_integer_value(value));
        return true;
    case JSON_REAL:
        return refuse_real(reader);
    case JSON_TRUE:
    case JSON_FALSE:
        pack_bool(reader->out, json_is_true(value));
        return true;
    case JSON_NULL:
        pack_nil(reader->out);
        return true;
    }
    return false;
}

bool json_read(struct bytes text, struct buffer *out, struct arena *arena, const char **why)
{
    struct json_reader reader = {.text = text, .out = out, .arena = arena, .why = why};
    json_error_t error;
    size_t size = out->size;
    json_t *value = json_loadb((const char *)text.at, text.size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!value) {
        *why = arena_format(arena, "line %d, column %d: %s", error.line, error.column, error.text);
        return false;
    }
    bool legal = value_read(&reader, value, 0);
    json_decref(value);
    if (!legal)
        out->size = size;
    return legal;
}

// ---- FIELD=VALUE

static const struct field *field_find(const struct shape *shape, struct bytes name)
{
    for (uint16_t i = 0; i < shape->count; i++) {
        if (bytes_equal(name, bytes_of(shape->fields[i].name, shape->fields[i].name_size)))
            return &shape->fields[i];
    }
    return NULL;
}

static const char *field_names(const struct shape *shape, struct arena *arena)
{
    const char *names = shape->count ? shape->fields[0].name : "none";
    for (uint16_t i = 1; i < shape->count; i++)
        names = arena_format(arena, "%s, %s", names, shape->fields[i].name);
    return names;
}

static bool int_read(struct bytes text, struct buffer *out)
{
    int64_t number = 0;
    bool negative = text.size && text.at[0] == '-';
    if (text.size == negative)
        return false;
    for (size_t i = negative; i < text.size; i++) {
        int digit = text.at[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, negative ? -digit : digit, &number))
            return false;
    }
    pack_int(out, number);
    return true;
}

static bool bool_read(struct bytes text, struct buffer *out)
{
    bool truth = bytes_equal(text, BYTES("true"));
    if (!truth && !bytes_equal(text, BYTES("false")))
        return false;
    pack_bool(out, truth);
    return true;
}

static bool money_read(struct bytes text, struct buffer *out)
{
    struct money money;
    if (!money_parse(text, &money))
        return false;
    pack_map(out, 2);
    pack_text(out, "amount");
    pack_int(out, money.amount);
    pack_text(out, "currency");
    pack_text(out, money.currency);
    return true;
}

static bool str_read(struct bytes text, struct buffer *out)
{
    if (!text_valid(text))
        return false;
    pack_str(out, text);
    return true;
}

static const char *type_wanted(const struct field *field)
{
    switch ((enum field_type)field->type) {
    case FIELD_ID:
    case FIELD_TEXT:
    case FIELD_CHOICE:
        return "text in UTF-8";
    case FIELD_INT:
        return "a whole number";
    case FIELD_BOOL:
        return "true or false";
    case FIELD_MONEY:
        return "money such as 12.99GBP";
    case FIELD_BITS:
        return "pairs of hexadecimal digits";
    case FIELD_MAP:
    case FIELD_LIST:
    case FIELD_NEST:
    case FIELD_RAW:
        return "JSON";
    }
    return "";
}

static bool typed_read(const struct field *field, struct bytes text, struct buffer *out, struct arena *arena,
                       const char **why)
{
    bool braced = text.size && (text.at[0] == '{' || text.at[0] == '[');
    switch ((enum field_type)field->type) {
    case FIELD_ID:
    case FIELD_TEXT:
    case FIELD_CHOICE:
        return str_read(text, out);
    case FIELD_INT:
        return int_read(text, out);
    case FIELD_BOOL:
        return bool_read(text, out);
    case FIELD_MONEY:
        return braced ? json_read(text, out, arena, why) : money_read(text, out);
    case FIELD_BITS:
        return hex_read((const char *)text.at, text.size, out, arena);
    case FIELD_MAP:
    case FIELD_LIST:
    case FIELD_NEST:
    case FIELD_RAW:
        return json_read(text, out, arena, why);
    }
    return false;
}

bool json_field_read(const struct shape *shape, const char *argument, struct buffer *out, struct arena *arena,
                     const char **why)
{
    size_t size = out->size, name_size = strcspn(argument, "=");
    struct bytes name = bytes_of(argument, name_size);
    const struct field *field = field_find(shape, name);
    *why = NULL;
    if (!argument[name_size]) {
        *why = arena_format(arena, "%s: expected FIELD=VALUE", argument);
        return false;
    }
    if (!field) {
        *why = arena_format(arena, "there is no field %.*s; the fields are: %s", BYTES_FORMAT(name),
                            field_names(shape, arena));
        return false;
    }
    pack_str(out, name);
    if (typed_read(field, bytes_text(argument + name_size + 1), out, arena, why))
        return true;
    *why = *why ? arena_format(arena, "%s: %s", field->name, *why)
                : arena_format(arena, "%s must be %s", field->name, type_wanted(field));
    out->size = size;
    return false;
}
