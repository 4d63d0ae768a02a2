// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/actors/kinds/table.h"

#include <criterion/criterion.h>

static const struct money price = {1250, "GBP"};
static struct pair colours[] = {{{(const uint8_t *)"colour", 6}, {(const uint8_t *)"red", 3}}};

static struct table table;

static void setup(void)
{
    table_init(&table, &kind_catalog, "mug");
}

static void teardown(void)
{
    table_deinit(&table);
}

TestSuite(catalog, .init = setup, .fini = teardown);

static enum status put(const char *title, int64_t expected_version)
{
    struct catalog_put body = {.title = bytes_text(title),
                               .price = price,
                               .expected_version = expected_version,
                               .has_expected_version = expected_version >= 0};
    return table_run(&table, MESSAGE_catalog_put, &body);
}

Test(catalog, a_put_makes_a_product_that_is_sold)
{
    cr_expect_eq(put("Mug", -1), STATUS_ok);
    cr_expect_str_eq(table_effects(&table), "put head; event product_changed {version: 1, active: true}");
    cr_expect_str_eq(table_reply(&table), "{version: 1}");
    cr_expect_eq(table_run(&table, MESSAGE_catalog_get, NULL), STATUS_ok);
    cr_expect_str_eq(table_reply(&table), "{title: Mug, price: {amount: 1250, currency: GBP}, active: true, "
                                          "version: 1, updated_at: 1700000000000000}");
}

Test(catalog, a_put_replaces_the_whole_record)
{
    struct catalog_put all = {.title = BYTES("Mug"),
                              .price = price,
                              .description = BYTES("For tea.\nOr not."),
                              .has_description = true,
                              .category = BYTES("kitchen"),
                              .has_category = true,
                              .brand = BYTES("Acme"),
                              .has_brand = true,
                              .attributes = colours,
                              .attributes_count = 1,
                              .has_attributes = true,
                              .seller = BYTES("s-1"),
                              .has_seller = true,
                              .active = false,
                              .has_active = true};
    cr_expect_eq(table_run(&table, MESSAGE_catalog_put, &all), STATUS_ok);
    cr_expect_str_eq(table_effects(&table), "put head; event product_changed {version: 1, active: false}");
    table_run(&table, MESSAGE_catalog_get, NULL);
    cr_expect_str_eq(table_reply(&table),
                     "{title: Mug, price: {amount: 1250, currency: GBP}, description: For tea.\nOr not., "
                     "category: kitchen, brand: Acme, attributes: {colour: red}, seller: s-1, active: false, "
                     "version: 1, updated_at: 1700000000000000}");
    table.at += 5;
    cr_expect_eq(put("Cup", -1), STATUS_ok);
    table_run(&table, MESSAGE_catalog_get, NULL);
    cr_expect_str_eq(table_reply(&table), "{title: Cup, price: {amount: 1250, currency: GBP}, active: true, "
                                          "version: 2, updated_at: 1700000000000005}");
}

Test(catalog, expected_version)
{
    static const struct {
        int64_t expected;
        enum status status;
        const char *reply;
    } lines[] = {
        {1, STATUS_version_mismatch, "{message: the record is at `version`, version: 0}"},
        {0, STATUS_ok, "{version: 1}"},
        {0, STATUS_version_mismatch, "{message: the record is at `version`, version: 1}"},
        {1, STATUS_ok, "{version: 2}"},
        {1, STATUS_version_mismatch, "{message: the record is at `version`, version: 2}"},
        {-1, STATUS_ok, "{version: 3}"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        cr_expect_eq(put("Mug", lines[i].expected), lines[i].status, "line %zu", i);
        cr_expect_str_eq(table_reply(&table), lines[i].reply, "line %zu: %s", i, table_reply(&table));
    }
}

Test(catalog, a_late_put_never_takes_effect)
{
    table.late = true;
    cr_expect_eq(put("Mug", -1), STATUS_too_late);
    cr_expect_str_eq(table_effects(&table), "");
}

Test(catalog, what_never_existed_is_not_found)
{
    cr_expect_eq(table_run(&table, MESSAGE_catalog_get, NULL), STATUS_not_found);
    table_as(&table, KIND_ORDER, "A");
    cr_expect_eq(table_run(&table, MESSAGE_catalog_price, NULL), STATUS_not_found);
}

Test(catalog, orders_are_told_the_price_and_whether_it_is_sold)
{
    struct catalog_put body = {.title = BYTES("Mug"), .price = price, .active = false, .has_active = true};
    table_run(&table, MESSAGE_catalog_put, &body);
    table_as(&table, KIND_ORDER, "A");
    cr_expect_eq(table_run(&table, MESSAGE_catalog_price, NULL), STATUS_ok);
    cr_expect_str_eq(table_reply(&table), "{price: {amount: 1250, currency: GBP}, active: false}");
    cr_expect_str_eq(table_effects(&table), "");
}
