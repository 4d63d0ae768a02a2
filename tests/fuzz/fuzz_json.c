// SPDX-License-Identifier: Apache-2.0
// JSON. The first byte chooses: 0 a JSON text, 1 msgpack, from 2 FIELD=VALUE of a body. What is read means the same
// after it was written and read again; what is written can be read.
#include "fuzz.h"

#include "codec/json.h"

#include <string.h>

enum { TEXT, PACKED, FIELD };

static struct arena arena;

static void write_and_read(struct bytes value, struct buffer *again)
{
    struct buffer text = {0};
    const char *why = NULL;
    CHECK(json_write(value, &text), "what JSON said cannot be written");
    CHECK(json_read(buffer_bytes(&text), again, &arena, &why), "%s: %.*s", why, BYTES_FORMAT(buffer_bytes(&text)));
    buffer_deinit(&text);
}

static void take_text(struct bytes text)
{
    struct buffer value = {0}, again = {0};
    const char *why = NULL;
    if (json_read(text, &value, &arena, &why)) {
        write_and_read(buffer_bytes(&value), &again);
        CHECK(bytes_equal(buffer_bytes(&value), buffer_bytes(&again)), "%zu bytes", value.size);
    } else {
        CHECK(why && why[0] && !value.size, "refused without a reason");
    }
    buffer_deinit(&value);
    buffer_deinit(&again);
}

// What has no JSON form because a name stands twice: jansson refuses it when it is read.
static void take_packed(struct bytes value)
{
    struct buffer text = {0}, canonical = {0}, again = {0};
    const char *why = NULL;
    if (json_write(value, &text) && json_read(buffer_bytes(&text), &canonical, &arena, &why)) {
        write_and_read(buffer_bytes(&canonical), &again);
        CHECK(bytes_equal(buffer_bytes(&canonical), buffer_bytes(&again)), "%.*s", BYTES_FORMAT(buffer_bytes(&text)));
    } else {
        CHECK(!text.size || strstr(why, "duplicate"), "%s: %.*s", why, BYTES_FORMAT(buffer_bytes(&text)));
    }
    buffer_deinit(&text);
    buffer_deinit(&canonical);
    buffer_deinit(&again);
}

static void take_field(const struct shape *shape, struct bytes argument)
{
    struct buffer out = {0};
    const char *why = NULL;
    char *text = arena_alloc(&arena, argument.size + 1);
    if (argument.size)
        memcpy(text, argument.at, argument.size);
    struct cursor cursor;
    struct bytes name;
    if (json_field_read(shape, text, &out, &arena, &why)) {
        cursor = cursor_over(buffer_bytes(&out));
        CHECK(cursor_str(&cursor, &name) && cursor_skip(&cursor, NULL) && !cursor_left(&cursor), "%s", text);
    } else {
        CHECK(why && why[0] && !out.size, "%s", text);
    }
    buffer_deinit(&out);
}

void fuzz_one(struct bytes input)
{
    uint8_t choice = fuzz_choice(&input);
    if (choice == TEXT)
        take_text(input);
    else if (choice == PACKED)
        take_packed(input);
    else
        take_field(sample_bodies[(choice - FIELD) % SAMPLE_BODIES](), input);
    arena_reset(&arena);
}

static void seed_fields(uint8_t index)
{
    static const char *const values[] = {"x", "-17", "true", "12.99GBP", "{\"a\":\"b\"}", "[{\"sku\":\"x\"}]", "0aff"};
    const struct shape *shape = sample_bodies[index]();
    for (uint16_t i = 0; i < shape->count; i++) {
        const char *value = values[i % (sizeof values / sizeof *values)];
        fuzz_seed_chosen((uint8_t)(FIELD + index),
                         bytes_text(arena_format(&arena, "%s=%s", shape->fields[i].name, value)));
    }
}

void fuzz_seeds(void)
{
    struct buffer body = {0}, text = {0};
    for (uint8_t i = 0; i < SAMPLE_BODIES; i++) {
        struct sample sample = {.seed = i, .arena = &arena, .level = SAMPLE_MOST};
        const struct shape *shape = sample_bodies[i]();
        buffer_clear(&body);
        buffer_clear(&text);
        body_encode(shape, sample_of(&sample, shape, 1), &body);
        fuzz_seed_chosen(PACKED, buffer_bytes(&body));
        if (json_write(buffer_bytes(&body), &text))
            fuzz_seed_chosen(TEXT, buffer_bytes(&text));
        seed_fields(i);
    }
    fuzz_seed_chosen(TEXT, BYTES("{\"$bin\":\"00ff\",\"b\":[null,true,-1,\"\\u00e9\\n\"]}"));
    fuzz_seed_chosen(TEXT, BYTES("[{\"$bin\":\"00ff\"},1.5]"));
    buffer_deinit(&body);
    buffer_deinit(&text);
}
