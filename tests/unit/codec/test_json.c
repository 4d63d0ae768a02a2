// SPDX-License-Identifier: Apache-2.0
#include "codec/json.h"
#include "tests/unit/codec/sample.h"

#include <criterion/criterion.h>

static struct arena arena;
static struct buffer packed, text;

static void setup(void)
{
    arena_init(&arena);
    buffer_init(&packed);
    buffer_init(&text);
}

static void teardown(void)
{
    arena_deinit(&arena);
    buffer_deinit(&packed);
    buffer_deinit(&text);
}

TestSuite(json, .init = setup, .fini = teardown);

static const char *shown(struct bytes value)
{
    buffer_clear(&text);
    cr_assert(json_write(value, &text));
    return arena_format(&arena, "%.*s", BYTES_FORMAT(buffer_bytes(&text)));
}

static void read_ok(const char *json)
{
    const char *why = NULL;
    buffer_clear(&packed);
    cr_assert(json_read(bytes_text(json), &packed, &arena, &why), "%s: %s", json, why);
}

static void read_refused(struct bytes json, const char *reason)
{
    const char *why = NULL;
    pack_nil(&packed);
    size_t size = packed.size;
    cr_assert_not(json_read(json, &packed, &arena, &why), "%.*s", BYTES_FORMAT(json));
    cr_assert(why && strstr(why, reason), "%.*s: %s", BYTES_FORMAT(json), why);
    cr_assert_eq(packed.size, size);
}

Test(json, compact_text_comes_back_as_it_was)
{
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "\"\"",
        "[]",
        "{}",
        "[1,[2,[3]],\"x\"]",
        "{\"z\":1,\"a\":{\"y\":[],\"b\":null}}", // in the order given
        "{\"$bin\":\"00ff7f\"}",
        "{\"$bin\":\"\"}",
        "{\"$bin\":\"00\",\"b\":1}", // an ordinary map that happens to have such a field
        "\"\\\"\\\\\\n\\r\\t\\u0001\\u001f\\u007f\xc3\xa9\xf0\x9f\x9b\x92\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        read_ok(texts[i]);
        cr_assert_str_eq(shown(buffer_bytes(&packed)), texts[i]);
    }
}

Test(json, a_map_that_looks_like_binary_data_stays_a_map)
{
    static const struct {
        struct bytes packed;
        const char *text;
    } pairs[] = {
        {BYTES("\x81\xa4$bin\xa2" "00"), "{\"$$bin\":\"00\"}"},
        {BYTES("\x81\xa5$$bin\x01"), "{\"$$$bin\":1}"},
        {BYTES("\x81\xa4$bit\x01"), "{\"$bit\":1}"},
        {BYTES("\x81\xa3" "bin\x01"), "{\"bin\":1}"},
        {BYTES("\x82\xa4$bin\x01\xa5$$bin\x02"), "{\"$bin\":1,\"$$bin\":2}"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        cr_assert_str_eq(shown(pairs[i].packed), pairs[i].text);
        read_ok(pairs[i].text);
        cr_assert(bytes_equal(buffer_bytes(&packed), pairs[i].packed), "%s", pairs[i].text);
    }
}

Test(json, a_slash_and_an_escaped_letter_are_read)
{
    read_ok(" { \"a\\/b\" : \"\\u00e9\" } ");
    cr_assert_str_eq(shown(buffer_bytes(&packed)), "{\"a/b\":\"\xc3\xa9\"}");
}

Test(json, a_real_is_refused_with_its_place)
{
    read_refused(BYTES("1.5"), "line 1, column 2: only whole numbers");
    read_refused(BYTES("1.0"), "only whole numbers");
    read_refused(BYTES("{\"a e1.5\": \"\\\"1.5\",\n \"b\": 1e3}"), "line 2, column 8: only whole numbers");
    read_refused(BYTES("[true, false, 2E5]"), "line 1, column 16");
    read_refused(BYTES("9223372036854775808"), "line 1");
}

Test(json, a_field_twice_is_refused)
{
    read_refused(BYTES("{\"a\":1,\"a\":2}"), "duplicate");
}

Test(json, a_nul_is_refused)
{
    read_refused(BYTES("\"a\\u0000b\""), "line 1");
    read_refused(BYTES("{\"a\\u0000b\":1}"), "line 1");
    read_refused(BYTES("\"a\0b\""), "line 1");
}

Test(json, what_is_no_json_is_refused_with_line_and_column)
{
    read_refused(BYTES(""), "line 1");
    read_refused(BYTES("{\"a\":\n 1,}"), "line 2, column");
    read_refused(BYTES("[1] 2"), "line 1, column 5");
    read_refused(BYTES("{'a':1}"), "line 1");
    read_refused(BYTES("\"\xff\""), "line 1");
    read_refused(BYTES("{\"$bin\":\"0\"}"), "hexadecimal");
    read_refused(BYTES("{\"$bin\":\"zz\"}"), "hexadecimal");
    read_refused(BYTES("{\"$bin\":5}"), "hexadecimal");
}

Test(json, nesting_is_bounded)
{
    read_ok("[[[[[[[[1]]]]]]]]");
    cr_assert_str_eq(shown(buffer_bytes(&packed)), "[[[[[[[[1]]]]]]]]");
    read_refused(BYTES("[[[[[[[[[]]]]]]]]]"), "deep");
    read_refused(BYTES("[[[[[[[[{}]]]]]]]]"), "deep");
    read_ok("[[[[[[[[{\"$bin\":\"00\"}]]]]]]]]"); // binary data is no level
    cr_assert_str_eq(shown(buffer_bytes(&packed)), "[[[[[[[[{\"$bin\":\"00\"}]]]]]]]]");
}

static void write_refused(struct bytes value)
{
    buffer_clear(&text);
    buffer_append(&text, "x", 1);
    cr_assert_not(json_write(value, &text));
    cr_assert_eq(text.size, 1);
}

Test(json, what_json_cannot_say_is_not_written)
{
    write_refused(BYTES(""));
    write_refused(BYTES("\xca\0\0\0\0"));                         // float
    write_refused(BYTES("\x91\xcb\0\0\0\0\0\0\0\0"));             // in a list
    write_refused(BYTES("\xd4\x01\x02"));                         // ext
    write_refused(BYTES("\xcf\xff\xff\xff\xff\xff\xff\xff\xff")); // beyond int64
    write_refused(BYTES("\x81\x01\x02"));                         // a name that is no string
    write_refused(BYTES("\xa1\xff"));                             // not UTF-8
    write_refused(BYTES("\xa1\0"));
    write_refused(BYTES("\xa2x"));    // cut off
    write_refused(BYTES("\xc0\xc0")); // two values
    write_refused(BYTES("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01"));
}

Test(json, every_message_has_a_json_form, .timeout = 60)
{
    const struct message_def *def;
    struct buffer again;
    buffer_init(&again);
    for (size_t i = 0; (def = message_at(i)); i++) {
        for (int level = SAMPLE_LEAST; level <= SAMPLE_MOST; level++) {
            const char *why = NULL;
            struct sample sample = {.seed = i, .arena = &arena, .level = level};
            buffer_clear(&packed);
            buffer_clear(&text);
            buffer_clear(&again);
            body_encode(def->body(), sample_of(&sample, def->body(), 1), &packed);
            cr_assert(json_write(buffer_bytes(&packed), &text), "%s", def->name);
            cr_assert(json_read(buffer_bytes(&text), &again, &arena, &why), "%s: %s", def->name, why);
            cr_assert(bytes_equal(buffer_bytes(&packed), buffer_bytes(&again)), "%s", def->name);
        }
    }
    buffer_deinit(&again);
}

// ---- FIELD=VALUE

static const char *field_shown(const struct shape *shape, const char *argument)
{
    const char *why = NULL;
    buffer_clear(&packed);
    pack_map(&packed, 1);
    cr_assert(json_field_read(shape, argument, &packed, &arena, &why), "%s: %s", argument, why);
    return shown(buffer_bytes(&packed));
}

Test(json, a_field_is_read_by_the_shape)
{
    cr_assert_str_eq(field_shown(cart_add_shape(), "sku=84077"), "{\"sku\":\"84077\"}");
    cr_assert_str_eq(field_shown(cart_add_shape(), "sku=a=b"), "{\"sku\":\"a=b\"}");
    cr_assert_str_eq(field_shown(cart_add_shape(), "sku={x}"), "{\"sku\":\"{x}\"}");
    cr_assert_str_eq(field_shown(cart_add_shape(), "quantity=3"), "{\"quantity\":3}");
    cr_assert_str_eq(field_shown(inventory_adjust_shape(), "delta=-3"), "{\"delta\":-3}");
    cr_assert_str_eq(field_shown(inventory_adjust_shape(), "delta=-9223372036854775808"),
                     "{\"delta\":-9223372036854775808}");
    cr_assert_str_eq(field_shown(catalog_put_shape(), "active=true"), "{\"active\":true}");
    cr_assert_str_eq(field_shown(catalog_put_shape(), "price=12.99GBP"),
                     "{\"price\":{\"amount\":1299,\"currency\":\"GBP\"}}");
    cr_assert_str_eq(field_shown(catalog_put_shape(), "price={\"amount\":5,\"currency\":\"JPY\"}"),
                     "{\"price\":{\"amount\":5,\"currency\":\"JPY\"}}");
    cr_assert_str_eq(field_shown(catalog_put_shape(), "attributes={\"colour\": \"red\"}"),
                     "{\"attributes\":{\"colour\":\"red\"}}");
    cr_assert_str_eq(field_shown(order_place_shape(), "lines=[{\"sku\":\"s\",\"quantity\":1}]"),
                     "{\"lines\":[{\"sku\":\"s\",\"quantity\":1}]}");
    cr_assert_str_eq(field_shown(order_content_shape(), "fingerprint=00ff"), "{\"fingerprint\":{\"$bin\":\"00ff\"}}");
    cr_assert_str_eq(field_shown(order_cancel_shape(), "reason="), "{\"reason\":\"\"}");
}

Test(json, a_wrong_field_says_what_it_should_be)
{
    static const struct {
        const char *argument, *reason;
    } table[] = {
        {"colour=red", "there is no field colour; the fields are: title, price"},
        {"title", "expected FIELD=VALUE"},
        {"", "expected FIELD=VALUE"},
        {"=x", "there is no field"},
        {"expected_version=x", "expected_version must be a whole number"},
        {"expected_version=", "whole number"},
        {"expected_version=-", "whole number"},
        {"expected_version=1.5", "whole number"},
        {"expected_version=9223372036854775808", "whole number"},
        {"active=yes", "active must be true or false"},
        {"price=12.99", "price must be money such as 12.99GBP"},
        {"price=12.999GBP", "money"},
        {"price={", "price: line 1"},
        {"attributes=red", "attributes: line 1"},
        {"title=\xff", "title must be text"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *why = NULL;
        buffer_clear(&packed);
        cr_assert_not(json_field_read(catalog_put_shape(), table[i].argument, &packed, &arena, &why));
        cr_assert(why && strstr(why, table[i].reason), "%s: %s", table[i].argument, why);
        cr_assert_eq(packed.size, 0);
    }
}
