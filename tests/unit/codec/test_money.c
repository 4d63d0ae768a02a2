// SPDX-License-Identifier: Apache-2.0
#include "codec/money.h"

#include <criterion/criterion.h>

static struct money money(int64_t amount, const char *code)
{
    struct money made = {.amount = amount};
    memcpy(made.currency, code, 3);
    return made;
}

// ISO 4217's minor units: two, but for these.
Test(money, a_currency_has_its_number_of_decimals)
{
    static const char *const other[] = {
        [0] = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        [3] = "BHD IQD JOD KWD LYD OMR TND",
        [4] = "CLF UYW",
    };
    int found = 0, expected = 0;
    for (int code = 0; code < 26 * 26 * 26; code++) {
        char text[4] = {(char)('A' + code / 676), (char)('A' + code / 26 % 26), (char)('A' + code % 26), 0};
        int digits = -1, is = 2;
        if (!currency_known(bytes_text(text), &digits))
            continue;
        for (int i = 0; i < 5; i++)
            is = other[i] && strstr(other[i], text) ? i : is;
        cr_expect_eq(digits, is, "%s: %d", text, digits);
        found += digits != 2;
    }
    for (int i = 0; i < 5; i++)
        expected += other[i] ? (int)(strlen(other[i]) + 1) / 4 : 0;
    cr_expect_eq(found, expected, "each of them is known");
}

Test(money, what_is_not_an_active_currency_is_unknown)
{
    static const char *const codes[] = {"", "GB", "GBPX", "gbp", "XXX", "XAU", "HRK", "DEM", "AAA", "ZZZ", "\0\0\0"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        cr_assert_not(currency_known(bytes_text(codes[i]), NULL), "%s", codes[i]);
    cr_assert_not(currency_known(BYTES("\0\0\0"), NULL));
}

Test(money, the_currencies_are_found_and_counted)
{
    int found = 0;
    for (char a = 'A'; a <= 'Z'; a++)
        for (char b = 'A'; b <= 'Z'; b++)
            for (char c = 'A'; c <= 'Z'; c++)
                found += currency_known(bytes_of((char[]){a, b, c}, 3), NULL);
    // Every entry of the table is reachable, so it is sorted and has no code twice.
    cr_assert_eq(found, 166);
}

Test(money, a_sum_of_two_currencies_is_refused)
{
    struct money sum = money(5, "GBP");
    cr_assert_not(money_add(&sum, money(5, "EUR")));
    cr_assert_eq(sum.amount, 5);
    cr_assert(money_add(&sum, money(7, "GBP")));
    cr_assert_eq(sum.amount, 12);
}

Test(money, an_overflow_is_refused_and_changes_nothing)
{
    struct money sum = money(INT64_MAX, "GBP"), product = money(1, "EUR");
    cr_assert_not(money_add(&sum, money(1, "GBP")));
    cr_assert_eq(sum.amount, INT64_MAX);
    cr_assert_not(money_times(money(INT64_MAX / 2 + 1, "GBP"), 2, &product));
    cr_assert_eq(product.amount, 1);
    cr_assert(money_times(money(1299, "GBP"), 3, &product));
    cr_assert_eq(product.amount, 3897);
    cr_assert(money_same_currency(product, sum));
}

Test(money, is_read_as_people_write_it)
{
    static const struct {
        const char *text;
        int64_t amount;
        const char *shown;
    } table[] = {
        {"12.99GBP", 1299, "12.99 GBP"},
        {"12.9GBP", 1290, "12.90 GBP"},
        {"12GBP", 1200, "12.00 GBP"},
        {"0GBP", 0, "0.00 GBP"},
        {"0.05EUR", 5, "0.05 EUR"},
        {"500JPY", 500, "500 JPY"},
        {"1.234KWD", 1234, "1.234 KWD"},
        {"0.0001CLF", 1, "0.0001 CLF"},
        {"9223372036854775807JPY", INT64_MAX, "9223372036854775807 JPY"},
        {"92233720368547758.07GBP", INT64_MAX, "92233720368547758.07 GBP"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct money read;
        cr_assert(money_parse(bytes_text(table[i].text), &read), "%s", table[i].text);
        cr_assert_eq(read.amount, table[i].amount, "%s", table[i].text);
        cr_assert_str_eq(money_format(read).text, table[i].shown);
    }
}

Test(money, what_cannot_be_exact_is_not_read)
{
    static const char *const texts[] = {"",
                                        "GBP",
                                        "12.999GBP",
                                        "12.GBP",
                                        ".5GBP",
                                        "-1GBP",
                                        "+1GBP",
                                        "1 GBP",
                                        "1,00GBP",
                                        "1.5JPY",
                                        "1gbp",
                                        "1",
                                        "1.2.3GBP",
                                        "0x10GBP",
                                        "1e3GBP",
                                        "12.99XXX",
                                        "1.GBPGBP",
                                        "92233720368547758.08GBP",
                                        "9223372036854775808JPY",
                                        "99999999999999999999JPY",
                                        "92233720368547759GBP"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct money read;
        cr_assert_not(money_parse(bytes_text(texts[i]), &read), "%s", texts[i]);
    }
    struct money read;
    cr_assert_not(money_parse((struct bytes){0}, &read));
}

Test(money, is_shown_whatever_it_is)
{
    cr_assert_str_eq(money_format(money(-5, "GBP")).text, "-0.05 GBP");
    cr_assert_str_eq(money_format(money(INT64_MIN, "GBP")).text, "-92233720368547758.08 GBP");
    cr_assert_str_eq(money_format((struct money){0}).text, "0");
}
