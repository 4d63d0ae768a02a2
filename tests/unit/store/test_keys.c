// SPDX-License-Identifier: Apache-2.0
#include "store/keys.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

static struct buffer a, b, c;

static void fini(void)
{
    buffer_deinit(&a);
    buffer_deinit(&b);
    buffer_deinit(&c);
}

TestSuite(keys, .fini = fini, .timeout = 60);

static struct bytes entity(struct buffer *out, const char *key)
{
    buffer_clear(out);
    keys_entity(out, bytes_text(key));
    return buffer_bytes(out);
}

static struct bytes slot(struct buffer *out, uint32_t number)
{
    buffer_clear(out);
    keys_slot(out, number);
    return buffer_bytes(out);
}

Test(keys, an_entity_lies_within_its_slot)
{
    for (int i = 0; i < 5000; i++) {
        char key[32];
        snprintf(key, sizeof key, "sku-%d", i);
        struct bytes row = entity(&a, key);
        uint16_t number = slot_of(bytes_text(key));
        cr_assert_geq(bytes_compare(row, slot(&b, number)), 0);
        cr_assert_lt(bytes_compare(row, slot(&b, number + 1u)), 0);
    }
}

Test(keys, entities_are_contiguous_even_if_one_key_begins_with_another)
{
    // Whatever is appended to E of "a" stays before or behind everything of "a…": E carries the key's size.
    static const char *const names[] = {"a", "aa", "aaa", "ab", "b", "a1", "a11"};
    static const char *const rests[] = {"", "a", "\x01", "\xff\xff", "zzzz"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t j = 0; j < sizeof names / sizeof *names; j++)
            for (size_t k = 0; i != j && k < sizeof rests / sizeof *rests; k++) {
                buffer_clear(&a);
                keys_child(&a, bytes_text(names[i]), bytes_text(rests[k]));
                struct bytes from = entity(&b, names[j]);
                buffer_clear(&c);
                keys_after(&c, from);
                bool inside =
                    bytes_compare(buffer_bytes(&a), from) >= 0 && bytes_compare(buffer_bytes(&a), buffer_bytes(&c)) < 0;
                cr_assert_not(inside, "%s + rest %zu lies within %s", names[i], k, names[j]);
            }
}

Test(keys, children_of_an_entity_lie_between_it_and_what_is_behind)
{
    struct bytes from = entity(&a, "84077");
    buffer_clear(&b);
    keys_after(&b, from);
    static const char *const children[] = {"", "c", "o1", "\xff\xff\xff"};
    for (size_t i = 0; i < sizeof children / sizeof *children; i++) {
        buffer_clear(&c);
        keys_child(&c, BYTES("84077"), bytes_text(children[i]));
        cr_assert_geq(bytes_compare(buffer_bytes(&c), from), 0);
        cr_assert_lt(bytes_compare(buffer_bytes(&c), buffer_bytes(&b)), 0);
    }
}

Test(keys, due_rows_sort_by_deadline_then_by_epoch_and_row)
{
    static const struct {
        int64_t due_at;
        uint64_t epoch, row;
    } ascending[] = {{0, 0, 0}, {1, 5, 9},   {255, 1, 1},           {256, 0, 0},
                     {256, 0, 1}, {256, 1, 0}, {1700000000000000, 3, 1}, {INT64_MAX, UINT64_MAX, UINT64_MAX}};
    for (size_t i = 0; i + 1 < sizeof ascending / sizeof *ascending; i++) {
        buffer_clear(&a);
        buffer_clear(&b);
        keys_due(&a, BYTES("x"), ascending[i].due_at, ascending[i].epoch, ascending[i].row);
        keys_due(&b, BYTES("x"), ascending[i + 1].due_at, ascending[i + 1].epoch, ascending[i + 1].row);
        cr_assert_lt(bytes_compare(buffer_bytes(&a), buffer_bytes(&b)), 0, "%zu", i);
    }
}

Test(keys, what_was_written_is_read)
{
    uint16_t number;
    struct bytes key, rest;
    keys_child(&a, BYTES("cart-1"), BYTES("child"));
    cr_assert(keys_read_entity(buffer_bytes(&a), &number, &key, &rest));
    cr_assert_eq(number, slot_of(BYTES("cart-1")));
    cr_assert(bytes_equal(key, BYTES("cart-1")));
    cr_assert(bytes_equal(rest, BYTES("child")));

    uint64_t seq;
    keys_seq(&b, 0x0102030405060708);
    cr_assert(keys_read_seq(buffer_bytes(&b), &seq));
    cr_assert_eq(seq, 0x0102030405060708);
    cr_assert_eq(b.at[0], 1, "big endian");
}

Test(keys, what_is_no_entity_is_refused)
{
    uint16_t number;
    struct bytes key, rest;
    uint64_t seq;
    struct bytes row = entity(&a, "cart-1");
    for (size_t size = 0; size < row.size; size++)
        cr_assert_not(keys_read_entity(bytes_of(row.at, size), &number, &key, &rest), "cut to %zu", size);
    a.at[0] ^= 1;
    cr_assert_not(keys_read_entity(row, &number, &key, &rest), "another slot");
    cr_assert_not(keys_read_entity(BYTES("\x00\x00\x00"), &number, &key, &rest), "no key");
    cr_assert_not(keys_read_seq(BYTES("1234567"), &seq));
    cr_assert_not(keys_read_seq(BYTES("123456789"), &seq));
}

Test(keys, after_skips_bytes_that_cannot_grow)
{
    keys_after(&a, BYTES("a\xff\xff"));
    cr_assert(bytes_equal(buffer_bytes(&a), BYTES("b")));
    buffer_clear(&a);
    keys_after(&a, BYTES("\x03\xff\x01"));
    cr_assert(bytes_equal(buffer_bytes(&a), BYTES("\x03\xff\x02")));
}

Test(keys, slots_ascend_and_the_last_one_has_an_end)
{
    for (uint32_t number = 0; number < SLOT_COUNT; number++)
        cr_assert_lt(bytes_compare(slot(&a, number), slot(&b, number + 1)), 0);
}

Test(keys, nothing_longer_than_the_longest_key_is_written)
{
    char key[KEY_SIZE_MAX + 1] = {0};
    memset(key, 'x', KEY_SIZE_MAX);
    cr_assert_eq(entity(&a, key).size, ENTITY_KEY_SIZE_MAX);
}
