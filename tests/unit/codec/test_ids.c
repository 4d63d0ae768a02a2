// SPDX-License-Identifier: Apache-2.0
#include "codec/ids.h"

#include <criterion/criterion.h>

Test(ids, a_key_is_utf8_without_control_characters)
{
    static const struct {
        const char *key;
        bool valid;
    } table[] = {
        {"SKU-1", true},
        {" ", true},
        {"caf\xc3\xa9", true},
        {"\xe2\x82\xac", true},
        {"\xf0\x9f\x9b\x92", true},
        {"\xf4\x8f\xbf\xbf", true}, // U+10FFFF
        {"\xed\x9f\xbf", true},     // U+D7FF
        {"\xc2\xa0", true},         // U+00A0
        {"", false},
        {"tab\t", false},
        {"a longer line with a break\n", false},
        {"\x7f", false},
        {"12345678\x7f", false},
        {"1234567\x7f", false},
        {"1234567\x1f", false},
        {"\xc2\x80", false}, // C1
        {"\xc2\x9f", false},
        {"\xc0\xaf", false}, // overlong
        {"\xc1\xbf", false},
        {"\xe0\x80\xaf", false},
        {"\xe0\x9f\xbf", false},
        {"\xf0\x80\x80\xaf", false},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xed\xa0\x80", false}, // surrogates
        {"\xed\xbf\xbf", false},
        {"\xf4\x90\x80\x80", false}, // beyond U+10FFFF
        {"\xf5\x80\x80\x80", false},
        {"\xff", false},
        {"\x80", false},
        {"\xc3", false}, // cut off
        {"\xe2\x82", false},
        {"\xf0\x9f\x9b", false},
        {"\xc3(", false},
        {"\xe2(\xac", false},
        {"12345678\xe2\x82", false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        cr_assert_eq(key_valid(bytes_text(table[i].key), KEY_SIZE_MAX), table[i].valid, "row %zu", i);
    cr_assert_not(key_valid(BYTES("a\0b"), KEY_SIZE_MAX));
    cr_assert_not(key_valid(BYTES("1234567\0"), KEY_SIZE_MAX));
}

Test(ids, a_control_character_is_found_at_every_place)
{
    for (size_t size = 1; size <= 24; size++) {
        for (size_t at = 0; at < size; at++) {
            uint8_t key[24];
            memset(key, '~', sizeof key);
            cr_assert(key_valid(bytes_of(key, size), KEY_SIZE_MAX));
            for (int c = 0; c < 0x20; c++) {
                key[at] = (uint8_t)c;
                cr_assert_not(key_valid(bytes_of(key, size), KEY_SIZE_MAX));
                cr_assert_eq(text_valid(bytes_of(key, size)), c != 0);
            }
        }
    }
}

Test(ids, every_code_point_is_judged_once_and_rightly)
{
    for (uint32_t point = 1; point <= 0x110000; point++) {
        uint8_t text[4];
        size_t size;
        if (point < 0x80) {
            text[0] = (uint8_t)point, size = 1;
        } else if (point < 0x800) {
            text[0] = (uint8_t)(0xc0 | point >> 6), size = 2;
        } else if (point < 0x10000) {
            text[0] = (uint8_t)(0xe0 | point >> 12), size = 3;
        } else {
            text[0] = (uint8_t)(0xf0 | point >> 18), size = 4;
        }
        for (size_t i = 1; i < size; i++)
            text[i] = (uint8_t)(0x80 | (point >> 6 * (size - 1 - i) & 0x3f));
        bool surrogate = point >= 0xd800 && point <= 0xdfff, control = point < 0x20 || (point >= 0x7f && point < 0xa0);
        bool legal = !surrogate && point <= 0x10ffff;
        cr_assert_eq(text_valid(bytes_of(text, size)), legal, "U+%04X", point);
        cr_assert_eq(key_valid(bytes_of(text, size), 4), legal && !control, "U+%04X", point);
    }
}

Test(ids, a_key_has_a_longest_length)
{
    uint8_t key[KEY_SIZE_MAX + 1];
    memset(key, 'k', sizeof key);
    cr_assert(key_valid(bytes_of(key, KEY_SIZE_MAX), KEY_SIZE_MAX));
    cr_assert_not(key_valid(bytes_of(key, KEY_SIZE_MAX + 1), KEY_SIZE_MAX));
}

Test(ids, a_text_may_have_lines_and_be_empty_but_has_no_nul)
{
    cr_assert(text_valid(BYTES("")));
    cr_assert(text_valid(BYTES("two\nlines\tand a tab")));
    cr_assert_not(text_valid(BYTES("a\0b")));
    cr_assert_not(text_valid(BYTES("a longer text with a\0b")));
}

// Where a key lives must never change: these are on disk.
Test(ids, a_slot_is_xxh3_modulo_1024)
{
    cr_assert_eq(hash_of(BYTES("")), 0x2d06800538d394c2);
    cr_assert_eq(slot_of(BYTES("")), 0x2d06800538d394c2 % SLOT_COUNT);
    cr_assert_eq(hash_of(BYTES("sku-1")), 0xde7c83fa11a4bfb7);
    cr_assert_eq(slot_of(BYTES("sku-1")), 951);
    cr_assert_eq(slot_of(BYTES("0192f3a7-6b1c-7d3e-9a2b-1c2d3e4f5a6b")), 928);
}

Test(ids, slots_are_used_evenly)
{
    unsigned used[SLOT_COUNT] = {0};
    for (uint32_t i = 0; i < 100 * SLOT_COUNT; i++)
        used[slot_of(bytes_of(&i, sizeof i))]++;
    for (int i = 0; i < SLOT_COUNT; i++)
        cr_assert(used[i] > 40 && used[i] < 180, "slot %d: %u keys", i, used[i]);
}

Test(ids, a_kind_has_one_name)
{
    for (int i = 0; i < KIND_COUNT; i++) {
        enum kind_id kind;
        cr_assert(kind_of_name(bytes_text(kind_name((enum kind_id)i)), &kind));
        cr_assert_eq((int)kind, i);
    }
    enum kind_id kind;
    cr_assert_not(kind_of_name(BYTES("events"), &kind));
    cr_assert_not(kind_of_name(BYTES(""), &kind));
    cr_assert_not(kind_of_name((struct bytes){0}, &kind));
}

Test(ids, an_actor_is_named_by_kind_and_index)
{
    struct actor_id actor;
    cr_assert(actor_id_parse(BYTES("inventory/0"), &actor));
    cr_assert_eq(actor.kind, KIND_INVENTORY);
    cr_assert_eq(actor.index, 0);
    cr_assert_str_eq(actor_id_name(actor).text, "inventory/0");
    cr_assert(actor_id_parse(BYTES("order/1023"), &actor));
    cr_assert_str_eq(actor_id_name(actor).text, "order/1023");
    static const char *const wrong[] = {"",           "order",       "order/",   "order/01", "order/-1",
                                        "order/1024", "order/x",     "order/1/", "orders/1", "/1",
                                        "order/ 1",   "order/99999", "order//1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert_not(actor_id_parse(bytes_text(wrong[i]), &actor), "%s", wrong[i]);
}
