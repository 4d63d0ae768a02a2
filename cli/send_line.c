// SPDX-License-Identifier: Apache-2.0
#include "cli/send_line.h"

#include "cli/rename.h"
#include "codec/cursor.h"
#include "codec/json.h"

enum { WAIT_MS_DEFAULT = 2000 }; // of order.place, docs/protocol.md

// The values of a line, as msgpack; .size 0: absent.
struct parts {
    struct bytes id, type, key, body, meta;
};

static struct bytes *part_of(struct parts *parts, struct bytes name)
{
    if (bytes_equal(name, BYTES("id")))
        return &parts->id;
    if (bytes_equal(name, BYTES("type")))
        return &parts->type;
    if (bytes_equal(name, BYTES("key")))
        return &parts->key;
    if (bytes_equal(name, BYTES("body")))
        return &parts->body;
    if (bytes_equal(name, BYTES("meta")))
        return &parts->meta;
    return NULL;
}

static bool take_apart(struct bytes value, struct parts *parts, struct arena *arena, const char **why)
{
    struct cursor cursor = cursor_over(value);
    struct bytes name;
    uint32_t count;
    *parts = (struct parts){0};
    if (!cursor_map(&cursor, &count)) {
        *why = "a line is an object: {\"id\":…,\"type\":…,\"key\":…,\"body\":{…}}";
        return false;
    }
    while (count-- && cursor_str(&cursor, &name)) {
        struct bytes *part = part_of(parts, name);
        if (!part) {
            *why = arena_format(arena, "there is no field %.*s; a line has id, type, key, body and may have meta",
                                BYTES_FORMAT(name));
            return false;
        }
        cursor_skip(&cursor, part);
    }
    const char *missing = !parts->id.size     ? "id"
                          : !parts->type.size ? "type"
                          : !parts->key.size  ? "key"
                          : !parts->body.size ? "body"
                                              : NULL;
    if (missing)
        *why = arena_format(arena, "%s is missing", missing);
    return !missing;
}

static void text_write(struct bytes value, struct bytes prefix, struct arena *arena, struct buffer *out)
{
    struct cursor cursor = cursor_over(value);
    struct bytes text;
    if (!prefix.size || !cursor_str(&cursor, &text)) {
        pack_raw(out, value);
        return;
    }
    uint8_t *joined = arena_alloc(arena, prefix.size + text.size);
    memcpy(joined, prefix.at, prefix.size);
    if (text.size)
        memcpy(joined + prefix.size, text.at, text.size);
    pack_str(out, bytes_of(joined, prefix.size + text.size));
}

// Without retry_until.
static void meta_write(struct bytes meta, struct buffer *out)
{
    struct cursor cursor = cursor_over(meta), walk;
    struct bytes name, value;
    uint32_t count, kept = 0;
    if (!cursor_map(&cursor, &count)) {
        pack_raw(out, meta);
        return;
    }
    walk = cursor;
    for (uint32_t i = 0; i < count && cursor_str(&walk, &name) && cursor_skip(&walk, &value); i++)
        kept += !bytes_equal(name, BYTES("retry_until"));
    pack_map(out, kept);
    while (count-- && cursor_str(&cursor, &name) && cursor_skip(&cursor, &value)) {
        if (bytes_equal(name, BYTES("retry_until")))
            continue;
        pack_str(out, name);
        pack_raw(out, value);
    }
}

// What type says, if it says anything known.
static const struct message_def *def_of(struct bytes type)
{
    struct cursor cursor = cursor_over(type);
    struct bytes name;
    return cursor_str(&cursor, &name) ? message_by_name(name) : NULL;
}

// events.read and souk.status are not addressed to an entity.
static bool key_names_entity(const struct message_def *def)
{
    return def && def->kind < KIND_COUNT;
}

static void request_assemble(const struct parts *parts, struct bytes prefix, struct arena *arena, struct buffer *out)
{
    const struct message_def *def = def_of(parts->type);
    pack_array(out, parts->meta.size ? 6 : 5);
    pack_int(out, 1);
    text_write(parts->id, prefix, arena, out);
    pack_raw(out, parts->type);
    text_write(parts->key, key_names_entity(def) ? prefix : bytes_of(NULL, 0), arena, out);
    if (prefix.size && def)
        rename_body(def->body(), parts->body, prefix, out);
    else
        pack_raw(out, parts->body);
    if (!parts->meta.size)
        return;
    if (prefix.size)
        meta_write(parts->meta, out);
    else
        pack_raw(out, parts->meta);
}

bool send_line_read(struct bytes line, struct bytes prefix, struct arena *arena, struct buffer *encoded,
                    struct send_line *out, const char **why)
{
    struct parts parts;
    struct envelope_refusal refusal;
    struct buffer *value = encoded; // first the line's value, then, copied away, the request
    buffer_clear(value);
    if (!json_read(line, value, arena, why))
        return false;
    struct bytes copy = arena_copy(arena, buffer_bytes(value));
    if (!take_apart(copy, &parts, arena, why))
        return false;
    buffer_clear(encoded);
    request_assemble(&parts, prefix, arena, encoded);
    struct cursor cursor = cursor_over(buffer_bytes(encoded));
    if (!request_read(&cursor, &out->request, &refusal)) {
        const char *message = refusal.message, *head = "request_"; // what a request calls request_id is id in a line
        if (strncmp(message, head, strlen(head)) == 0)
            message += strlen(head);
        *why = arena_format(arena, "%s%s", prefix.size ? "with the prefix, " : "", message);
        return false;
    }
    out->def = message_by_name(out->request.type);
    if (!out->def) {
        *why =
            arena_format(arena, "there is no type %.*s; `souk messages` lists them", BYTES_FORMAT(out->request.type));
        return false;
    }
    if (encoded->size > SEND_LINE_MAX) {
        *why = "a request is at most 512 KiB";
        return false;
    }
    out->wait_ms = body_wait_ms(out->def, out->request.body);
    return true;
}

int64_t body_number(struct bytes body, const char *name, int64_t missing)
{
    struct cursor cursor = cursor_over(body);
    struct bytes field;
    uint32_t count;
    int64_t value;
    if (!cursor_map(&cursor, &count))
        return missing;
    while (count-- && cursor_str(&cursor, &field)) {
        if (bytes_equal(field, bytes_text(name)))
            return cursor_int(&cursor, &value) ? value : missing;
        if (!cursor_skip(&cursor, NULL))
            break;
    }
    return missing;
}

int64_t body_wait_ms(const struct message_def *def, struct bytes body)
{
    if (def->type != MESSAGE_order_place)
        return 0;
    int64_t wait_ms = body_number(body, "wait_ms", WAIT_MS_DEFAULT);
    return wait_ms < 0 || wait_ms > WAIT_MS_MAX ? 0 : wait_ms;
}
