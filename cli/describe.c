// SPDX-License-Identifier: Apache-2.0
// Senders, bodies, records and effects as text. One thread.
#include "cli/describe.h"

#include "cli/cli.h"
#include "codec/check.h"
#include "codec/envelope.h"
#include "codec/json.h"

#include <inttypes.h>

static void put(struct buffer *out, const char *text)
{
    buffer_append(out, text, strlen(text));
}

void describe_sender(const struct log_message *message, struct buffer *out)
{
    switch (message->origin) {
    case LOG_CLIENT:
        put(out, "client");
        return;
    case LOG_RUNTIME:
        put(out, "runtime");
        return;
    case LOG_PEER:
        buffer_printf(out, "%s/%.*s", kind_name(message->sender.kind), BYTES_FORMAT(message->sender.key));
        return;
    }
    CHECK(false, "origin %d", (int)message->origin);
}

void describe_body(struct bytes body, struct buffer *out)
{
    size_t size = out->size;
    if (json_write(body, out))
        return;
    out->size = size;
    buffer_printf(out, "\"%zu bytes\"", body.size);
}

void describe_body_short(struct bytes body, struct buffer *out)
{
    size_t start = out->size;
    describe_body(body, out);
    if (out->size - start <= SHORT_BODY_MAX)
        return;
    size_t end = start + SHORT_BODY_MAX;
    while (end > start && (out->at[end] & 0xc0) == 0x80) // not within a character
        end--;
    out->size = end;
    put(out, "…");
}

// ---- records

static void write_struct(const struct shape *shape, const void *self, struct buffer *out);

static void write_money(const struct money *money, struct buffer *out)
{
    buffer_printf(out, "{\"amount\":%" PRId64 ",\"currency\":\"%s\"}", money->amount, money->currency);
}

static void write_map(const struct pair *pairs, uint32_t count, struct buffer *out)
{
    put(out, "{");
    for (uint32_t i = 0; i < count; i++) {
        put(out, i ? "," : "");
        json_write_text(pairs[i].name, out);
        put(out, ":");
        json_write_text(pairs[i].value, out);
    }
    put(out, "}");
}

static void write_list(const struct shape *shape, const uint8_t *entries, uint32_t count, struct buffer *out)
{
    put(out, "[");
    for (uint32_t i = 0; i < count; i++) {
        put(out, i ? "," : "");
        write_struct(shape, entries + i * shape->size, out);
    }
    put(out, "]");
}

static void write_bits(struct bytes bits, struct buffer *out)
{
    struct buffer value = {0};
    pack_bin(&value, bits);
    json_write(buffer_bytes(&value), out);
    buffer_deinit(&value);
}

static void write_field(const struct field *field, const void *self, struct buffer *out)
{
    const void *member = (const uint8_t *)self + field->offset;
    uint32_t count = 0;
    if (field->offset_count)
        memcpy(&count, (const uint8_t *)self + field->offset_count, sizeof count);
    switch ((enum field_type)field->type) {
    case FIELD_ID:
    case FIELD_TEXT:
    case FIELD_CHOICE:
        json_write_text(*(const struct bytes *)member, out);
        return;
    case FIELD_INT:
        buffer_printf(out, "%" PRId64, *(const int64_t *)member);
        return;
    case FIELD_BOOL:
        put(out, *(const bool *)member ? "true" : "false");
        return;
    case FIELD_MONEY:
        write_money(member, out);
        return;
    case FIELD_MAP:
        write_map(*(struct pair *const *)member, count, out);
        return;
    case FIELD_LIST:
        write_list(field->shape(), *(const uint8_t *const *)member, count, out);
        return;
    case FIELD_NEST:
        write_struct(field->shape(), member, out);
        return;
    case FIELD_RAW:
        describe_body(*(const struct bytes *)member, out);
        return;
    case FIELD_BITS:
        write_bits(*(const struct bytes *)member, out);
        return;
    }
}

static void write_struct(const struct shape *shape, const void *self, struct buffer *out)
{
    bool first = true;
    put(out, "{");
    for (uint16_t i = 0; i < shape->count; i++) {
        const struct field *field = &shape->fields[i];
        if (field->need != FIELD_REQUIRED && !*(const bool *)((const uint8_t *)self + field->offset_has))
            continue;
        buffer_printf(out, "%s\"%s\":", first ? "" : ",", field->name);
        write_field(field, self, out);
        first = false;
    }
    put(out, "}");
}

const struct shape *record_shape(enum kind_id kind, enum place place)
{
    if (place == PLACE_DUE)
        return due_shape();
    switch (kind) {
    case KIND_CATALOG:
        return product_shape();
    case KIND_INVENTORY:
        return place == PLACE_CHILD ? hold_shape() : stock_shape();
    case KIND_CART:
        return cart_shape();
    case KIND_ORDER:
        return place == PLACE_CHILD ? order_content_shape() : order_shape();
    case KIND_PAYMENT:
        return place == PLACE_OPEN ? errand_shape() : payment_shape();
    case KIND_SANDBOX:
        return ledger_shape();
    case KIND_COUNT:
        break;
    }
    CHECK(false, "kind %d", (int)kind);
    return NULL;
}

void describe_record(enum kind_id kind, enum place place, struct bytes value, struct arena *arena, struct buffer *out)
{
    const struct shape *shape = record_shape(kind, place);
    void *record = arena_alloc(arena, shape->size);
    if (record_decode(shape, value, record, arena))
        write_struct(shape, record, out);
    else
        buffer_printf(out, "\"%zu bytes\"", value.size);
}

// ---- effects

static const char *place_name(enum place place)
{
    static const char *const names[] = {
        [PLACE_HEAD] = "head", [PLACE_OPEN] = "open", [PLACE_CHILD] = "child", [PLACE_DUE] = "due"};
    return names[place];
}

// Child ids are text but for those of due rows.
static void write_child(const struct effect *effect, struct buffer *out)
{
    if (!effect->child.size)
        return;
    put(out, ",\"child\":");
    if (effect->place != PLACE_DUE && text_valid(effect->child))
        json_write_text(effect->child, out);
    else
        write_bits(effect->child, out);
}

void describe_effect(enum kind_id kind, const struct effect *effect, struct arena *arena, struct buffer *out)
{
    switch (effect->type) {
    case EFFECT_PUT:
        buffer_printf(out, "{\"put\":\"%s\"", place_name(effect->place));
        write_child(effect, out);
        put(out, ",\"record\":");
        describe_record(kind, effect->place, effect->value, arena, out);
        break;
    case EFFECT_DELETE:
        buffer_printf(out, "{\"delete\":\"%s\"", place_name(effect->place));
        write_child(effect, out);
        break;
    case EFFECT_SEND:
        buffer_printf(out, "{\"send\":\"%s\",\"key\":", message_by_number(effect->message)->name);
        json_write_text(effect->target.key, out);
        put(out, ",\"body\":");
        describe_body(effect->value, out);
        break;
    case EFFECT_EVENT:
        buffer_printf(out, "{\"event\":\"%s\",\"data\":", event_by_number(effect->message)->name);
        describe_body(effect->value, out);
        break;
    case EFFECT_WAKE:
        buffer_printf(out, "{\"wake\":%" PRId64, effect->at);
        break;
    case EFFECT_PROVIDER:
        put(out, "{\"provider\":");
        describe_body(effect->value, out);
        break;
    case EFFECT_DUE:
        buffer_printf(out, "{\"due\":%" PRId64, effect->at);
        write_child(effect, out);
        break;
    case EFFECT_REASK:
        put(out, "{\"reask\":true");
        break;
    }
    put(out, "}");
}
