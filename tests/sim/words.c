// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/words.h"

#include "cli/describe.h"
#include "codec/check.h"
#include "codec/record.h"

#include <inttypes.h>

static void put(struct buffer *out, const char *text)
{
    buffer_append(out, text, strlen(text));
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

void words_time(int64_t at, struct buffer *out)
{
    int64_t since = at - WORLD_STARTED_AT;
    buffer_printf(out, "+%" PRId64 ".%03" PRId64 " s", since / 1000000, since / 1000 % 1000);
}

void words_entity(enum kind_id kind, struct bytes key, struct buffer *out)
{
    static const char *const names[KIND_COUNT] = {
        [KIND_CATALOG] = "catalog", [KIND_INVENTORY] = "stock", [KIND_CART] = "cart",
        [KIND_ORDER] = "order",     [KIND_PAYMENT] = "payment", [KIND_SANDBOX] = "provider",
    };
    buffer_printf(out, "%s %.*s", names[kind], BYTES_FORMAT(key));
}

// ---- what a field is called

// "": its value says it all.
static const char *name_of(const char *field)
{
    static const char *const names[][2] = {
        {"status", ""},
        {"step", ""},
        {"state", ""},
        {"stage", ""},
        {"outcome", ""},
        {"operation", ""},
        {"kind", ""},
        {"user_id", "for"},
        {"payment_method", "by"},
        {"method", "by"},
        {"cart_id", "from cart"},
        {"order_id", "order"},
        {"reservation_id", "as"},
        {"unit_price", "at"},
        {"provider_key", "key"},
        {"entries", ""},
        {"shortages", "short of"},
        {"amount", ""},
        {"total", ""},
        {"lines", ""},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], field) == 0)
            return names[i][1];
    return field;
}

static void put_name(const char *field, struct buffer *out)
{
    const char *name = name_of(field);
    for (const char *at = name; *at; at++)
        buffer_printf(out, "%c", *at == '_' ? ' ' : *at);
    put(out, *name ? " " : "");
}

// What is said of a shape, in this order of its fields; others are left out. "?": unless it is 0. NULL: everything.
static const char *shown(const char *shape)
{
    static const char *const fields[][2] = {
        {"stock", "on_hand reserved committed? restocked? short? stop_sale"},
        {"stock_view", "on_hand reserved available short?"},
        {"stock_level", "on_hand available"},
        {"hold", "state quantity expires_at?"},
        {"order", "ending total payment parked"},
        {"order_content", "lines"},
        {"cart", "lines claim"},
        {"claim", "order_id"},
        {"cart_line", "sku quantity price"},
        {"cart_view", "lines"},
        {"cart_snapshot", "lines"},
        {"payment", "state want captured? refunded? parked"},
        {"product", "price active"},
        {"catalog_put", "title price active"},
        {"provider_operation", "operation query amount provider_key"},
        {"ledger", "entries"},
        {"ledger_entry", "provider_key outcome"},
        {"order_placed", "status stage total reason shortages order_id sku"},
        {"order_view", "status stage total"},
        {"errand", "parked"},
        {"reserve_reply", "available expires_at?"},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(fields[i][0], shape) == 0)
            return fields[i][1];
    return NULL;
}

static bool is_shown(const char *list, const char *name, bool *unless_zero)
{
    size_t size = strlen(name);
    *unless_zero = false;
    for (const char *at = list; at && (at = strstr(at, name)); at += size) {
        bool begins = at == list || at[-1] == ' ';
        if (begins && (at[size] == ' ' || at[size] == '\0' || at[size] == '?')) {
            *unless_zero = at[size] == '?';
            return true;
        }
    }
    return !list;
}

// ---- values

static void put_struct(const struct shape *shape, const void *self, struct buffer *out);

static uint32_t count_of(const struct field *field, const void *self)
{
    uint32_t count;
    memcpy(&count, (const uint8_t *)self + field->offset_count, sizeof count);
    return count;
}

static void put_int(const char *name, int64_t value, struct buffer *out)
{
    if (ends_with(name, "_at") || strcmp(name, "until") == 0 || strcmp(name, "at") == 0)
        words_time(value, out);
    else if (ends_with(name, "_ms"))
        buffer_printf(out, "%" PRId64 ".%03" PRId64 " s", value / 1000, value % 1000);
    else
        buffer_printf(out, "%" PRId64, value);
}

// "2 × mug at 12.99 GBP": a SKU, a quantity, and perhaps a price.
static void put_line(const struct shape *shape, const void *entry, struct buffer *out)
{
    const struct bytes *sku = entry;
    int64_t quantity;
    memcpy(&quantity, (const uint8_t *)entry + shape->fields[1].offset, sizeof quantity);
    buffer_printf(out, "%" PRId64 " × %.*s", quantity, BYTES_FORMAT(*sku));
    const struct field *price = &shape->fields[2];
    if (shape->count > 2 && price->type == FIELD_MONEY && *(const bool *)((const uint8_t *)entry + price->offset_has))
        buffer_printf(out, " at %s",
                      money_format(*(const struct money *)((const uint8_t *)entry + price->offset)).text);
    if (strcmp(shape->name, "shortage") == 0)
        buffer_printf(out, " (there are %" PRId64 ")", ((const struct shortage *)entry)->available);
}

static void put_list(const struct field *field, const void *self, struct buffer *out)
{
    const uint8_t *entries = *(const uint8_t *const *)((const uint8_t *)self + field->offset);
    const struct shape *shape = field->shape();
    uint32_t count = count_of(field, self);
    bool lines = shape->count > 1 && strcmp(shape->fields[0].name, "sku") == 0;
    put(out, count ? "" : "no lines");
    for (uint32_t i = 0; i < count; i++) {
        put(out, i ? " + " : "");
        if (lines)
            put_line(shape, entries + i * shape->size, out);
        else
            put_struct(shape, entries + i * shape->size, out);
    }
}

static void put_value(const struct field *field, const void *self, struct buffer *out)
{
    const void *member = (const uint8_t *)self + field->offset;
    switch ((enum field_type)field->type) {
    case FIELD_ID:
    case FIELD_TEXT:
    case FIELD_CHOICE:
        buffer_printf(out, "%.*s", BYTES_FORMAT(*(const struct bytes *)member));
        return;
    case FIELD_INT:
        put_int(field->name, *(const int64_t *)member, out);
        return;
    case FIELD_MONEY:
        buffer_printf(out, "%s", money_format(*(const struct money *)member).text);
        return;
    case FIELD_LIST:
        put_list(field, self, out);
        return;
    case FIELD_NEST:
        put_struct(field->shape(), member, out);
        return;
    case FIELD_BOOL:
    case FIELD_MAP:
    case FIELD_RAW:
    case FIELD_BITS:
        return;
    }
}

static bool is_zero(const struct field *field, const void *self)
{
    const void *member = (const uint8_t *)self + field->offset;
    int64_t number = 1;
    if (field->type == FIELD_INT || field->type == FIELD_MONEY)
        memcpy(&number, member, sizeof number); // an amount comes first
    return number == 0;
}

// Is there something to say? A truth is its name; an untruth is said of `active` only.
static bool says(const struct shape *shape, const struct field *field, const void *self)
{
    bool unless_zero;
    const void *member = (const uint8_t *)self + field->offset;
    if (!is_shown(shown(shape->name), field->name, &unless_zero) || (unless_zero && is_zero(field, self)))
        return false;
    if (field->need != FIELD_REQUIRED && !*(const bool *)((const uint8_t *)self + field->offset_has))
        return false;
    if (field->type == FIELD_BOOL)
        return *(const bool *)member || strcmp(field->name, "active") == 0;
    return field->type != FIELD_MAP && field->type != FIELD_RAW && field->type != FIELD_BITS;
}

// "cancelled, cancelled": once is enough.
static bool says_the_same(const struct field *a, const struct field *b, const void *self)
{
    bool texts = a && a->type == FIELD_TEXT && b->type == FIELD_TEXT;
    return texts && bytes_equal(*(const struct bytes *)((const uint8_t *)self + a->offset),
                                *(const struct bytes *)((const uint8_t *)self + b->offset));
}

static void put_struct(const struct shape *shape, const void *self, struct buffer *out)
{
    const struct field *last = NULL;
    for (uint16_t i = 0; i < shape->count; i++) {
        const struct field *field = &shape->fields[i];
        const bool *truth = (const void *)((const uint8_t *)self + field->offset);
        if (!says(shape, field, self) || says_the_same(last, field, self))
            continue;
        put(out, last ? ", " : "");
        last = field;
        if (field->type == FIELD_BOOL)
            put(out, *truth ? "" : "not ");
        put_name(field->name, out);
        put_value(field, self, out);
        while (out->size && out->at[out->size - 1] == ' ')
            out->size--;
    }
}

// ---- messages

// false: it is not of that shape.
static bool put_body(const struct shape *shape, struct bytes body, struct buffer *out)
{
    struct refusal refusal;
    struct arena arena;
    arena_init(&arena);
    void *self = arena_alloc(&arena, shape->size + 1);
    bool decoded = body_decode_lenient(shape, body, self, &arena, &refusal);
    if (decoded)
        put_struct(shape, self, out);
    arena_deinit(&arena);
    return decoded;
}

// An order hears what is answered; who does stands beside it.
static void put_answer(struct bytes body, struct buffer *out)
{
    struct refusal refusal;
    struct answer answer;
    struct arena arena;
    arena_init(&arena);
    CHECK(body_decode(answer_shape(), body, &answer, &arena, &refusal), "%s", refusal.message);
    const struct message_def *def = message_by_name(answer.re);
    buffer_printf(out, "%.*s ", BYTES_FORMAT(answer.re));
    words_answer(def, answer.status, answer.body, out);
    arena_deinit(&arena);
}

void words_request(const struct message_def *def, struct bytes body, struct buffer *out)
{
    if (def->type == MESSAGE_order_answer)
        put_answer(body, out);
    else
        put_body(def->body(), body, out);
}

void words_answer(const struct message_def *def, struct bytes status, struct bytes body, struct buffer *out)
{
    struct buffer facts = {0};
    bool ok = bytes_equal(status, BYTES("ok"));
    buffer_printf(out, "%.*s", BYTES_FORMAT(status));
    if (body.size && (ok || def->type == MESSAGE_order_place))
        put_body(def->reply(), body, &facts);
    else if (body.size && def->type == MESSAGE_inventory_reserve)
        put_body(order_shortages_shape(), body, &facts);
    if (facts.size)
        buffer_printf(out, ": %.*s", BYTES_FORMAT(buffer_bytes(&facts)));
    buffer_deinit(&facts);
}

// ---- records

static void put_place(enum kind_id kind, const struct effect *effect, struct buffer *out)
{
    struct bytes child = effect->child;
    if (kind == KIND_INVENTORY && effect->place == PLACE_CHILD) // "c" a client's, "o" an order's
        buffer_printf(out, "hold %.*s", (int)child.size - 1, (const char *)child.at + 1);
    else if (kind == KIND_INVENTORY && effect->place == PLACE_DUE)
        put(out, "deadline");
    else if (kind == KIND_SANDBOX)
        put(out, "book");
    else if (kind == KIND_ORDER)
        put(out, effect->place == PLACE_OPEN   ? "open order"
                 : effect->place == PLACE_HEAD ? "settled order"
                                               : "content");
    else
        put(out, effect->place == PLACE_OPEN ? "errand" : record_shape(kind, effect->place)->name);
}

void words_record(enum kind_id kind, const struct effect *effect, struct buffer *out)
{
    const struct shape *shape = record_shape(kind, effect->place);
    struct arena arena;
    put_place(kind, effect, out);
    if (effect->type == EFFECT_DELETE)
        return;
    arena_init(&arena);
    void *self = arena_alloc(&arena, shape->size + 1);
    CHECK(record_decode(shape, effect->value, self, &arena));
    struct buffer facts = {0};
    put_struct(shape, self, &facts);
    if (facts.size)
        buffer_printf(out, ": %.*s", BYTES_FORMAT(buffer_bytes(&facts)));
    buffer_deinit(&facts);
    arena_deinit(&arena);
}
