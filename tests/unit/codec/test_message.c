// SPDX-License-Identifier: Apache-2.0
// Every shape of message.def and record.def through the codec with generated values: there and back, cut at each byte,
// mutated. And what must hold of the vocabulary as a whole.
#include "codec/envelope.h"
#include "tests/unit/codec/sample.h"

#include <criterion/criterion.h>

static struct arena arena;
static struct buffer out;

static void setup(void)
{
    arena_init(&arena);
    buffer_init(&out);
}

static void teardown(void)
{
    arena_deinit(&arena);
    buffer_deinit(&out);
}

TestSuite(message, .init = setup, .fini = teardown);

// ---- the vocabulary

Test(message, numbers_and_names_are_unique)
{
    bool seen[MESSAGE_NUMBER_MAX + 1] = {false};
    size_t count = 0;
    for (const struct message_def *def; (def = message_at(count)); count++) {
        cr_assert(def->type > MESSAGE_NONE && def->type <= MESSAGE_NUMBER_MAX, "%s", def->name);
        cr_assert_not(seen[def->type], "%s", def->name);
        seen[def->type] = true;
        cr_assert_eq(message_by_number(def->type), def);
        cr_assert_eq(message_by_name(bytes_text(def->name)), def, "%s is not the only one of its name", def->name);
    }
    cr_assert_gt(count, 40);
}

Test(message, an_unknown_name_or_number_is_none)
{
    static const char *const names[] = {
        "",  "inventory",         "inventory.",        "inventory.reserv", "inventory.reserve ",
        ".", "Inventory.reserve", "inventory.reserved"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_assert_null(message_by_name(bytes_text(names[i])), "%s", names[i]);
    cr_assert_null(message_by_name((struct bytes){0}));
    cr_assert_null(message_by_number(0));
    cr_assert_null(message_by_number(1));
    cr_assert_null(message_by_number(UINT32_MAX));
}

Test(message, a_name_is_its_kind_and_a_verb)
{
    const struct message_def *def;
    for (size_t i = 0; (def = message_at(i)); i++) {
        const char *dot = strchr(def->name, '.');
        enum kind_id kind = KIND_COUNT;
        cr_assert(dot);
        kind_of_name(bytes_of(def->name, (size_t)(dot - def->name)), &kind);
        cr_assert_eq(kind, def->kind, "%s", def->name);
        cr_assert(def->kind != KIND_COUNT || def->effect == EFFECT_READ, "%s", def->name);
    }
}

Test(message, what_names_a_child_is_a_required_id_of_the_body)
{
    const struct message_def *def;
    for (size_t i = 0; (def = message_at(i)); i++) {
        cr_assert_eq(def->loads == LOADS_CHILD, def->loads_field != NULL, "%s", def->name);
        bool found = !def->loads_field;
        for (uint16_t f = 0; f < def->body()->count && !found; f++) {
            const struct field *field = &def->body()->fields[f];
            found =
                strcmp(field->name, def->loads_field) == 0 && field->type == FIELD_ID && field->need == FIELD_REQUIRED;
        }
        cr_assert(found, "%s", def->name);
    }
    cr_assert_str_eq(message_by_number(MESSAGE_inventory_reserve)->loads_field, "reservation_id");
}

Test(message, a_read_is_never_remembered)
{
    const struct message_def *def;
    for (size_t i = 0; (def = message_at(i)); i++)
        cr_assert(def->effect != EFFECT_READ || def->once == ONCE_ANY, "%s", def->name);
}

Test(message, events_are_numbered)
{
    int count = 0;
    for (uint32_t number = 0; number <= EVENT_NUMBER_MAX + 10; number++) {
        const struct event_def *def = event_by_number(number);
        cr_assert(!def || (uint32_t)def->type == number);
        count += def != NULL;
    }
    cr_assert_eq(count, 13);
    cr_assert_str_eq(event_by_number(EVENT_stock_changed)->name, "stock_changed");
    cr_assert_eq(event_by_number(EVENT_stock_changed)->data(), stock_event_shape());
}

Test(message, statuses_are_found_by_their_names)
{
    for (int i = 0; i < STATUS_COUNT; i++) {
        enum status status;
        cr_assert(status_name((enum status)i)[0] && status_sentence((enum status)i)[0]);
        cr_assert(status_of_name(bytes_text(status_name((enum status)i)), &status) && (int)status == i);
    }
    enum status status;
    cr_assert_not(status_of_name(BYTES("fine"), &status));
    cr_assert(status_transient(STATUS_busy) && !status_transient(STATUS_ok) && !status_transient(STATUS_invalid));
}

// ---- the shapes' tables

static void table_is_sound(const struct shape *shape)
{
    cr_assert_leq(shape->count, SHAPE_FIELDS_MAX);
    for (uint16_t i = 0; i < shape->count; i++) {
        const struct field *field = &shape->fields[i];
        cr_assert_eq(strlen(field->name), field->name_size, "%s.%s", shape->name, field->name);
        cr_assert_leq(field->min, field->max, "%s.%s", shape->name, field->name);
        cr_assert_lt(field->offset_has, shape->size, "%s.%s", shape->name, field->name);
        cr_assert_eq(field->type == FIELD_CHOICE, field->choices != NULL, "%s.%s", shape->name, field->name);
        cr_assert_eq(field->type == FIELD_LIST || field->type == FIELD_NEST, field->shape != NULL);
        for (uint16_t other = 0; other < i; other++)
            cr_assert_str_neq(field->name, shape->fields[other].name, "%s", shape->name);
    }
}

Test(message, every_table_is_sound)
{
    for (size_t i = 0; i < SAMPLE_BODIES; i++)
        table_is_sound(sample_bodies[i]());
    for (size_t i = 0; i < SAMPLE_RECORDS; i++)
        table_is_sound(sample_records[i]());
}

// ---- there and back

// Decodes into memory of exactly the shape's size, from bytes with nothing behind them, and writes it again.
static bool body_again(const struct shape *shape, struct bytes body, struct buffer *again)
{
    struct refusal refusal = {0};
    struct bytes tight = sample_tight(body);
    void *self = malloc(shape->size + !shape->size);
    bool legal = body_decode(shape, tight, self, &arena, &refusal);
    buffer_clear(again);
    if (legal)
        body_encode(shape, self, again);
    else
        cr_assert(refusal.field && refusal.message && refusal.field[0], "%s", shape->name);
    free(self);
    free((void *)tight.at);
    return legal;
}

static bool record_again(const struct shape *shape, struct bytes record, struct buffer *again)
{
    struct bytes tight = sample_tight(record);
    void *self = malloc(shape->size + !shape->size);
    bool legal = record_decode(shape, tight, self, &arena);
    buffer_clear(again);
    if (legal)
        record_encode(shape, self, record_forget_at(tight), again);
    free(self);
    free((void *)tight.at);
    return legal;
}

struct layout {
    bool (*again)(const struct shape *shape, struct bytes bytes, struct buffer *again);
    void (*encode)(const struct shape *shape, const void *self);
};

static void encode_body(const struct shape *shape, const void *self)
{
    body_encode(shape, self, &out);
}

static void encode_record(const struct shape *shape, const void *self)
{
    record_encode(shape, self, 77, &out);
}

static const struct layout as_body = {body_again, encode_body}, as_record = {record_again, encode_record};

static void comes_back(const struct layout *layout, const struct shape *shape, struct buffer *again)
{
    for (int round = 0; round < 60; round++) {
        struct sample sample = {.seed = (uint64_t)round, .arena = &arena, .level = round % 3};
        buffer_clear(&out);
        layout->encode(shape, sample_of(&sample, shape, 1));
        cr_assert(layout->again(shape, buffer_bytes(&out), again), "%s", shape->name);
        cr_assert(bytes_equal(buffer_bytes(&out), buffer_bytes(again)), "%s", shape->name);
        arena_reset(&arena);
    }
}

// One seed, twice: a fingerprint depends on nothing but the values.
static void prints_alike(const struct shape *shape)
{
    struct refusal refusal;
    struct sample sample = {.seed = 9, .arena = &arena, .level = SAMPLE_MOST};
    void *self = sample_of(&sample, shape, 1), *read = arena_alloc(&arena, shape->size + 1);
    buffer_clear(&out);
    body_encode(shape, self, &out);
    cr_assert(body_decode(shape, buffer_bytes(&out), read, &arena, &refusal));
    struct bytes was = fingerprint_of(shape, self, &arena), is = fingerprint_of(shape, read, &arena);
    cr_assert(bytes_equal(was, is), "%s", shape->name);
    cr_assert_null(fingerprint_difference(shape, was, is));
    arena_reset(&arena);
}

// For bodies, what the lenient reader takes is what the strict one takes, if it knows every field.
static void each_shape(void (*check)(const struct layout *layout, const struct shape *shape, struct buffer *again))
{
    struct buffer again;
    buffer_init(&again);
    for (size_t i = 0; i < SAMPLE_BODIES; i++) {
        check(&as_body, sample_bodies[i](), &again);
        check(&as_record, sample_bodies[i](), &again);
    }
    for (size_t i = 0; i < SAMPLE_RECORDS; i++)
        check(&as_record, sample_records[i](), &again);
    buffer_deinit(&again);
}

Test(message, every_shape_comes_back_as_it_was, .timeout = 120)
{
    each_shape(comes_back);
}

Test(message, every_shape_has_one_fingerprint)
{
    for (size_t i = 0; i < SAMPLE_BODIES; i++)
        prints_alike(sample_bodies[i]());
}

static void cut_is_refused(const struct layout *layout, const struct shape *shape, struct buffer *again)
{
    for (int level = SAMPLE_LEAST; level <= SAMPLE_MOST; level++) {
        struct sample sample = {.seed = 5, .arena = &arena, .level = level};
        buffer_clear(&out);
        layout->encode(shape, sample_of(&sample, shape, 1));
        for (size_t size = 0; size < out.size; size++) {
            cr_assert_not(layout->again(shape, bytes_of(out.at, size), again), "%s of %zu bytes, cut at %zu",
                          shape->name, out.size, size);
            arena_reset(&arena);
        }
    }
}

Test(message, every_shape_cut_at_any_byte_is_refused, .timeout = 120)
{
    each_shape(cut_is_refused);
}

// What a mutation leaves legal must be within bounds (encoding CHECKs them) and then mean itself.
static void mutation_is_refused_or_legal(const struct layout *layout, const struct shape *shape, struct buffer *again)
{
    struct buffer third;
    buffer_init(&third);
    struct sample sample = {.seed = 7, .arena = &arena, .level = SAMPLE_RANDOM};
    for (int round = 0; round < 400; round++) {
        buffer_clear(&out);
        layout->encode(shape, sample_of(&sample, shape, 1));
        for (uint64_t i = sample_below(&sample, 3) + 1; i; i--)
            out.at[sample_below(&sample, out.size)] = (uint8_t)sample_next(&sample);
        if (layout->again(shape, buffer_bytes(&out), again)) {
            cr_assert(layout->again(shape, buffer_bytes(again), &third), "%s", shape->name);
            cr_assert(bytes_equal(buffer_bytes(again), buffer_bytes(&third)), "%s", shape->name);
        }
        arena_reset(&arena);
    }
    buffer_deinit(&third);
}

Test(message, every_shape_mutated_is_refused_or_legal, .timeout = 120)
{
    each_shape(mutation_is_refused_or_legal);
}

// ---- how long a body can be

enum width { SHORTEST, WIDEST };

static uint64_t text_size(uint64_t size, enum width width)
{
    if (width == WIDEST)
        return 5 + size;
    return size + (size < 32 ? 1 : size < 256 ? 2 : size < 65536 ? 3 : 5);
}

// Of an array or a map.
static uint64_t head_size(uint64_t count, enum width width)
{
    if (width == WIDEST)
        return 5;
    return count < 16 ? 1 : count < 65536 ? 3 : 5;
}

static uint64_t int_size(const struct field *field, enum width width)
{
    struct buffer number;
    buffer_init(&number);
    pack_int(&number, field->min);
    uint64_t low = number.size;
    buffer_clear(&number);
    pack_int(&number, field->max);
    uint64_t size = width == WIDEST ? 9 : low > number.size ? low : number.size;
    buffer_deinit(&number);
    return size;
}

static uint64_t money_size(enum width width)
{
    return head_size(2, width) + text_size(6, width) + 9 + text_size(8, width) + text_size(3, width);
}

static uint64_t longest_body(const struct shape *shape, enum width width);

static uint64_t longest_value(const struct field *field, enum width width)
{
    uint64_t max = (uint64_t)field->max;
    switch ((enum field_type)field->type) {
    case FIELD_ID:
    case FIELD_TEXT:
    case FIELD_BITS:
        return text_size(max, width);
    case FIELD_CHOICE:
        return text_size(strlen(field->choices), width);
    case FIELD_INT:
        return int_size(field, width);
    case FIELD_BOOL:
        return 1;
    case FIELD_MONEY:
        return money_size(width);
    case FIELD_MAP:
        return head_size(max, width) + max * 2 * text_size(MAP_TEXT_MAX, width);
    case FIELD_LIST:
        return head_size(max, width) + max * longest_body(field->shape(), width);
    case FIELD_NEST:
        return longest_body(field->shape(), width);
    case FIELD_RAW:
        return max;
    }
    return 0;
}

static uint64_t longest_body(const struct shape *shape, enum width width)
{
    uint64_t size = head_size(shape->count, width);
    for (uint16_t i = 0; i < shape->count; i++)
        size += text_size(shape->fields[i].name_size, width) + longest_value(&shape->fields[i], width);
    return size;
}

// [1, request_id, type, key, body, {retry_until, traceparent}]
static uint64_t longest_request(const struct message_def *def, enum width width)
{
    uint64_t meta =
        head_size(2, width) + text_size(11, width) + 9 + text_size(11, width) + text_size(TRACEPARENT_MAX, width);
    return head_size(6, width) + (width == WIDEST ? 9 : 1) + text_size(REQUEST_ID_SIZE_MAX, width) +
           text_size(strlen(def->name), width) + text_size(KEY_SIZE_MAX, width) + longest_body(def->body(), width) +
           meta;
}

Test(message, every_legal_request_of_a_client_fits_a_frame)
{
    const struct message_def *def;
    for (size_t i = 0; (def = message_at(i)); i++) {
        if (def->audience == AUDIENCE_PUBLIC)
            cr_assert_leq(longest_request(def, WIDEST), FRAME_SIZE_MAX, "%s", def->name);
    }
    def = message_by_number(MESSAGE_order_place);
    cr_log_info("longest order.place: %llu bytes in the shortest forms, %llu in the widest",
                (unsigned long long)longest_request(def, SHORTEST), (unsigned long long)longest_request(def, WIDEST));
}

// The computed length is not a guess: an order of that length, made and sent through.
Test(message, the_longest_order_is_as_long_as_computed_and_is_accepted, .timeout = 60)
{
    char sku[KEY_SIZE_MAX], text[MAP_TEXT_MAX];
    memset(sku, 's', sizeof sku);
    memset(text, 't', sizeof text);
    struct order_line *lines = arena_alloc(&arena, ORDER_LINES_MAX * sizeof *lines);
    for (int i = 0; i < ORDER_LINES_MAX; i++)
        lines[i] = (struct order_line){.sku = bytes_of(sku, sizeof sku),
                                       .quantity = QUANTITY_MAX,
                                       .unit_price = {INT64_MAX, "GBP"},
                                       .has_unit_price = true};
    struct pair *address = arena_alloc(&arena, MAP_ENTRIES_MAX * sizeof *address);
    for (int i = 0; i < MAP_ENTRIES_MAX; i++) {
        text[0] = (char)('0' + i);
        address[i].name = address[i].value = arena_copy(&arena, bytes_of(text, sizeof text));
    }
    struct bytes id = bytes_of(sku, sizeof sku);
    struct order_place place = {.user_id = id,
                                .payment_method = id,
                                .cart_id = id,
                                .has_cart_id = true,
                                .lines = lines,
                                .lines_count = ORDER_LINES_MAX,
                                .has_lines = true,
                                .address = address,
                                .address_count = MAP_ENTRIES_MAX,
                                .has_address = true,
                                .expected_total = {INT64_MAX, "GBP"},
                                .has_expected_total = true,
                                .wait_ms = WAIT_MS_MAX,
                                .has_wait_ms = true};
    struct order_place read;
    struct refusal refusal;
    body_encode(order_place_shape(), &place, &out);
    cr_assert_eq(out.size, longest_body(order_place_shape(), SHORTEST), "%zu", out.size);
    cr_assert(body_decode(order_place_shape(), buffer_bytes(&out), &read, &arena, &refusal), "%s", refusal.message);
}
