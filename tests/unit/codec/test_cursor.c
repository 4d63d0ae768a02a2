// SPDX-License-Identifier: Apache-2.0
// The cursor against msgpack-c (oracle.h); and by hand, the edges.
#include "codec/cursor.h"
#include "codec/pack.h"
#include "tests/unit/codec/oracle.h"
#include "tests/unit/codec/sample.h"

#include <criterion/criterion.h>

static struct cursor over(const char *bytes, size_t size)
{
    return cursor_over(bytes_of(bytes, size));
}

#define OVER(literal) over(literal, sizeof(literal) - 1)

Test(cursor, every_width_of_an_integer_is_read)
{
    static const struct {
        const char *bytes;
        size_t size;
        int64_t value;
    } table[] = {
        {"\x00", 1, 0},
        {"\x7f", 1, 127},
        {"\xe0", 1, -32},
        {"\xff", 1, -1},
        {"\xcc\xff", 2, 255},
        {"\xcd\xff\xff", 3, 65535},
        {"\xce\xff\xff\xff\xff", 5, UINT32_MAX},
        {"\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", 9, INT64_MAX},
        {"\xcf\0\0\0\0\0\0\0\x01", 9, 1},
        {"\xd0\x80", 2, INT8_MIN},
        {"\xd1\x80\x00", 3, INT16_MIN},
        {"\xd2\x80\x00\x00\x00", 5, INT32_MIN},
        {"\xd3\x80\0\0\0\0\0\0\0", 9, INT64_MIN},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct cursor cursor = over(table[i].bytes, table[i].size);
        int64_t value;
        cr_assert_eq(cursor_peek(&cursor), CURSOR_INT);
        cr_assert(cursor_int(&cursor, &value), "row %zu", i);
        cr_assert_eq(value, table[i].value, "row %zu", i);
        cr_assert_eq(cursor_left(&cursor), 0);
    }
}

Test(cursor, an_integer_beyond_int64_is_stepped_over_but_not_read)
{
    struct cursor cursor = OVER("\xcf\x80\0\0\0\0\0\0\0");
    int64_t value;
    cr_assert_eq(cursor_peek(&cursor), CURSOR_OTHER);
    cr_assert_not(cursor_int(&cursor, &value));
    cr_assert(cursor_skip(&cursor, NULL));
    cr_assert_eq(cursor_left(&cursor), 0);
}

Test(cursor, stays_where_it_was_when_it_refuses)
{
    struct cursor cursor = OVER("\xa3"
                                "ab");
    const uint8_t *at = cursor.at;
    struct bytes text;
    int64_t number;
    uint32_t count;
    bool truth;
    cr_assert_not(cursor_str(&cursor, &text));
    cr_assert_not(cursor_bin(&cursor, &text));
    cr_assert_not(cursor_int(&cursor, &number));
    cr_assert_not(cursor_array(&cursor, &count));
    cr_assert_not(cursor_map(&cursor, &count));
    cr_assert_not(cursor_bool(&cursor, &truth));
    cr_assert_not(cursor_nil(&cursor));
    cr_assert_not(cursor_skip(&cursor, NULL));
    cr_assert_eq(cursor.at, at);
}

Test(cursor, a_count_is_at_most_the_bytes_that_are_left)
{
    uint32_t count;
    struct cursor huge = OVER("\xdd\xff\xff\xff\xff\x01");
    cr_assert_not(cursor_array(&huge, &count));
    struct cursor map = OVER("\x82\x01\x02\x03");
    cr_assert_not(cursor_map(&map, &count));
    struct cursor array = OVER("\x92\x01\x02");
    cr_assert(cursor_array(&array, &count));
    cr_assert_eq(count, 2);
}

Test(cursor, eight_levels_are_stepped_over_and_nine_are_not)
{
    struct cursor eight = OVER("\x91\x91\x91\x91\x91\x91\x91\x91\x01"),
                  nine = OVER("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01");
    struct bytes value;
    cr_assert(cursor_skip(&eight, &value));
    cr_assert_eq(value.size, 9);
    cr_assert_not(cursor_skip(&nine, NULL));
}

Test(cursor, an_empty_input_is_the_end)
{
    struct cursor cursor = cursor_over((struct bytes){0});
    cr_assert_eq(cursor_peek(&cursor), CURSOR_END);
    cr_assert_not(cursor_skip(&cursor, NULL));
}

// ---- against msgpack-c

enum { INPUT_MAX = 400 };

static void random_value(struct sample *sample, msgpack_packer *out, int depth)
{
    uint64_t number = sample_next(sample) >> sample_below(sample, 64);
    size_t size = sample_below(sample, 8) ? sample_below(sample, 12) : sample_below(sample, INPUT_MAX);
    static const char zeros[INPUT_MAX];
    switch (sample_below(sample, depth > 0 ? 11 : 8)) {
    case 0:
        msgpack_pack_nil(out);
        return;
    case 1:
        sample_below(sample, 2) ? msgpack_pack_true(out) : msgpack_pack_false(out);
        return;
    case 2:
        msgpack_pack_uint64(out, number);
        return;
    case 3:
        msgpack_pack_int64(out, (int64_t)(0 - number));
        return;
    case 4:
        msgpack_pack_double(out, 1.5);
        return;
    case 5:
        msgpack_pack_str_with_body(out, zeros, size);
        return;
    case 6:
        msgpack_pack_bin_with_body(out, zeros, size);
        return;
    case 7:
        msgpack_pack_ext_with_body(out, zeros, size, 5);
        return;
    case 8:
        msgpack_pack_map(out, size % 5);
        for (size_t i = 0; i < size % 5 * 2; i++)
            random_value(sample, out, depth - 1);
        return;
    default:
        msgpack_pack_array(out, size % 20);
        for (size_t i = 0; i < size % 20; i++)
            random_value(sample, out, depth - 1);
    }
}

static void agree(struct bytes bytes)
{
    struct bytes input = sample_tight(bytes);
    oracle_agree(input);
    free((void *)input.at);
}

Test(cursor, agrees_with_msgpack_c_on_values_cut_and_mutated, .timeout = 60)
{
    struct sample sample = {.seed = 1};
    msgpack_sbuffer text;
    msgpack_packer packer;
    msgpack_sbuffer_init(&text);
    msgpack_packer_init(&packer, &text, msgpack_sbuffer_write);
    for (int round = 0; round < 4000; round++) {
        msgpack_sbuffer_clear(&text);
        random_value(&sample, &packer, (int)sample_below(&sample, 11));
        size_t size = text.size < 4096 ? text.size : 4096;
        agree(bytes_of(text.data, text.size));
        for (int i = 0; i < 20; i++) {
            agree(bytes_of(text.data, sample_below(&sample, size + 1)));
            text.data[sample_below(&sample, size)] = (char)sample_next(&sample);
            agree(bytes_of(text.data, size));
        }
    }
    msgpack_sbuffer_destroy(&text);
}

Test(cursor, agrees_with_msgpack_c_on_noise, .timeout = 60)
{
    struct sample sample = {.seed = 2};
    for (int round = 0; round < 100000; round++) {
        uint8_t noise[24];
        size_t size = sample_below(&sample, sizeof noise + 1);
        for (size_t i = 0; i < size; i++)
            noise[i] = (uint8_t)sample_next(&sample);
        agree(bytes_of(noise, size));
    }
}

Test(cursor, reads_back_what_was_packed_in_the_shortest_form)
{
    struct sample sample = {.seed = 3};
    struct buffer out;
    msgpack_sbuffer expected;
    msgpack_packer packer;
    buffer_init(&out);
    msgpack_sbuffer_init(&expected);
    msgpack_packer_init(&packer, &expected, msgpack_sbuffer_write);
    for (int round = 0; round < 20000; round++) {
        int64_t number = (int64_t)sample_next(&sample) >> sample_below(&sample, 64), read;
        buffer_clear(&out);
        msgpack_sbuffer_clear(&expected);
        pack_int(&out, number);
        msgpack_pack_int64(&packer, number);
        cr_assert(bytes_equal(buffer_bytes(&out), bytes_of(expected.data, expected.size)));
        struct cursor cursor = cursor_over(buffer_bytes(&out));
        cr_assert(cursor_int(&cursor, &read) && read == number && !cursor_left(&cursor));
    }
    buffer_deinit(&out);
    msgpack_sbuffer_destroy(&expected);
}

Test(cursor, reads_back_strings_and_binaries_of_every_width)
{
    static const size_t sizes[] = {0, 1, 31, 32, 255, 256, 65535, 65536};
    static uint8_t payload[65536];
    struct buffer out;
    buffer_init(&out);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct bytes text, raw;
        buffer_clear(&out);
        pack_str(&out, bytes_of(payload, sizes[i]));
        pack_bin(&out, bytes_of(payload, sizes[i]));
        struct cursor cursor = cursor_over(buffer_bytes(&out));
        cr_assert(cursor_str(&cursor, &text) && text.size == sizes[i]);
        cr_assert(cursor_bin(&cursor, &raw) && raw.size == sizes[i]);
        cr_assert_eq(cursor_left(&cursor), 0);
    }
    buffer_deinit(&out);
}
