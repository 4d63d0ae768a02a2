// SPDX-License-Identifier: Apache-2.0
#include "cli/rename.h"

#include "codec/cursor.h"
#include "codec/ids.h"

bool rename_touches(const struct field *field)
{
    static const char *const names[] = {"sku", "cart_id", "order_id", "reservation_id"};
    for (size_t i = 0; i < sizeof names / sizeof *names && field->type == FIELD_ID; i++) {
        if (strcmp(field->name, names[i]) == 0)
            return true;
    }
    return false;
}

static const struct field *field_of(const struct shape *shape, struct bytes name)
{
    for (uint16_t i = 0; i < shape->count; i++) {
        if (bytes_equal(name, bytes_of(shape->fields[i].name, shape->fields[i].name_size)))
            return &shape->fields[i];
    }
    return NULL;
}

static void text_rename(struct bytes value, struct bytes prefix, struct buffer *out)
{
    struct cursor cursor = cursor_over(value);
    struct bytes text;
    uint8_t joined[4 * KEY_SIZE_MAX];
    if (!cursor_str(&cursor, &text) || prefix.size + text.size > sizeof joined) {
        pack_raw(out, value);
        return;
    }
    memcpy(joined, prefix.at, prefix.size);
    memcpy(joined + prefix.size, text.at, text.size);
    pack_str(out, bytes_of(joined, prefix.size + text.size));
}

static void list_rename(const struct shape *shape, struct bytes value, struct bytes prefix, struct buffer *out)
{
    struct cursor cursor = cursor_over(value);
    struct bytes item;
    uint32_t count;
    if (!cursor_array(&cursor, &count)) {
        pack_raw(out, value);
        return;
    }
    pack_array(out, count);
    while (count-- && cursor_skip(&cursor, &item))
        rename_body(shape, item, prefix, out);
}

static void value_rename(const struct field *field, struct bytes value, struct bytes prefix, struct buffer *out)
{
    if (field && field->type == FIELD_LIST)
        list_rename(field->shape(), value, prefix, out);
    else if (field && field->type == FIELD_NEST)
        rename_body(field->shape(), value, prefix, out);
    else if (field && rename_touches(field))
        text_rename(value, prefix, out);
    else
        pack_raw(out, value);
}

void rename_body(const struct shape *shape, struct bytes body, struct bytes prefix, struct buffer *out)
{
    struct cursor cursor = cursor_over(body);
    struct bytes name, value;
    uint32_t count;
    if (!cursor_map(&cursor, &count)) {
        pack_raw(out, body);
        return;
    }
    pack_map(out, count);
    while (count-- && cursor_str(&cursor, &name) && cursor_skip(&cursor, &value)) {
        pack_str(out, name);
        value_rename(field_of(shape, name), value, prefix, out);
    }
}
