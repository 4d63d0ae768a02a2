// SPDX-License-Identifier: Apache-2.0
// From nothing to holding: what order.place refuses, records, prices and asks for.
#include "tests/unit/actors/kinds/order_say.h"

// ---- place

Test(order, place_holds_everything_at_once)
{
    struct table table;
    struct order_line lines[] = {line("mug", 2, 500), line("tea", 1, 250), line("mug", 1, 450)};
    struct order_place body = order_of(lines, 3);
    table_init(&table, &kind_order, "O1");
    cr_expect_eq(place(&table, &body), STATUS_ok);
    cr_expect_str_eq(table_effects(&table),
                     "send inventory.reserve mug {reservation_id: O1, quantity: 3}; "
                     "send inventory.reserve tea {reservation_id: O1, quantity: 1}; "
                     "wake 1700000060000000; put open; put child; "
                     "event order_created {status: created, total: {amount: 1700, currency: GBP}}; wait");
    expect_order(&table, "holding", "created");
    table_deinit(&table);
}

// FAILURES 18: lines do not sum to the total. Minor units only, for currencies of 0, 2 and 3 decimals.
Test(order, the_total_is_the_sum_of_its_lines_in_minor_units)
{
    static const struct {
        const char *currency;
        int64_t price[2], quantity[2], total;
    } of[] = {
        {"JPY", {1200, 7}, {3, 1}, 3607},
        {"GBP", {1999, 1}, {3, 7}, 6004},
        {"KWD", {12345, 5}, {2, 3}, 24705},
        {"GBP", {0, 0}, {1, 1}, 0},
    };
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        struct table table;
        struct order_line lines[] = {line("mug", of[i].quantity[0], of[i].price[0]),
                                     line("tea", of[i].quantity[1], of[i].price[1])};
        for (int j = 0; j < 2; j++)
            memcpy(lines[j].unit_price.currency, of[i].currency, 4);
        struct order_place body = order_of(lines, 2);
        table_init(&table, &kind_order, "O1");
        cr_expect_eq(place(&table, &body), STATUS_ok);
        struct order order = record_of(&table);
        cr_expect_eq(order.total.amount, of[i].total, "%" PRId64, order.total.amount);
        cr_expect_str_eq(order.total.currency, of[i].currency);
        cr_expect_eq(order.amounts_count, 1);
        cr_expect_eq(order.amounts[0].amount.amount, of[i].total);
        table_deinit(&table);
    }
}

Test(order, place_refuses_in_this_order_and_leaves_nothing)
{
    struct table table;
    struct order_line lines[] = {line("mug", 2, 500), line("tea", 1, 250)};
    struct order_place body = order_of(lines, 2), wrong;
    table_init(&table, &kind_order, "O1");

    wrong = body;
    wrong.cart_id = BYTES("C1");
    wrong.has_cart_id = true;
    cr_expect_eq(place(&table, &wrong), STATUS_invalid);
    wrong.has_cart_id = wrong.has_lines = false;
    table.late = true;
    cr_expect_eq(place(&table, &wrong), STATUS_invalid);
    cr_expect_str_eq(table_reply(&table), "{field: lines, message: exactly one of cart_id and lines must be given}");
    cr_expect_eq(place(&table, &body), STATUS_too_late);
    table.late = false;
    table.settings.order_lines_max = 1;
    table.open = (struct weight){.orders = 1, .lines = table.settings.lines_in_flight_max};
    cr_expect_eq(place(&table, &body), STATUS_invalid);
    table.settings.order_lines_max = 2;
    cr_expect_eq(place(&table, &body), STATUS_busy);
    cr_expect_str_eq(table_reply(&table), "{message: as many lines are under way as order.lines_in_flight_max allows, "
                                             "retry_after_ms: 250}");
    table.open = (struct weight){.orders = 1, .waiting = table.settings.waiting_max};
    cr_expect_eq(place(&table, &body), STATUS_busy);
    cr_expect_eq(table_count(&table, PLACE_OPEN) + table_count(&table, PLACE_HEAD), 0);
    table_deinit(&table);
}

Test(order, admission_counts_lines_and_lets_a_large_one_in_alone)
{
    struct table table;
    struct order_line lines[] = {line("mug", 2, 500), line("tea", 1, 250), line("mug", 1, 500)};
    struct order_place body = order_of(lines, 3);
    table_init(&table, &kind_order, "O1");
    table.settings.lines_in_flight_max = 3;
    table.open = (struct weight){.orders = 1, .lines = 2};
    cr_expect_eq(place(&table, &body), STATUS_busy); // two SKUs
    table.open = (struct weight){.orders = 1, .lines = 1};
    cr_expect_eq(place(&table, &body), STATUS_ok);
    table_deinit(&table);

    table_init(&table, &kind_order, "O1");
    table.settings.lines_in_flight_max = 1;
    cr_expect_eq(place(&table, &body), STATUS_ok);
    struct weight weight = {0};
    kind_order.weigh(table_load(&table, PLACE_OPEN, (struct bytes){0}), &weight, &table.texts);
    cr_expect_eq(weight.orders, 1);
    cr_expect_eq(weight.lines, 2);
    cr_expect_eq(weight.waiting, 0);
    cr_expect_eq(weight.to_wait, 1);
    table_deinit(&table);
}

// Who waits for a shopper may wait for hours, and has no line unanswered: it does not keep a large order out.
Test(order, a_large_order_goes_alone_although_others_wait_for_their_shoppers)
{
    struct table table;
    struct order_line lines[] = {line("mug", 2, 500), line("tea", 1, 250)};
    struct order_place body = order_of(lines, 2);
    table_init(&table, &kind_order, "O1");
    table.settings.lines_in_flight_max = 1;
    table.open = (struct weight){.orders = 4, .lines = 1, .waiting = 3};
    cr_expect_eq(place(&table, &body), STATUS_busy);
    table.open = (struct weight){.orders = 3, .lines = 0, .waiting = 3};
    cr_expect_eq(place(&table, &body), STATUS_ok);
    table_deinit(&table);
}

Test(order, a_cart_weighs_all_it_may_have_until_its_lines_are_known)
{
    struct table table;
    struct weight weight = {0};
    struct order_place body = order_of(NULL, 0);
    body.has_lines = false;
    body.cart_id = BYTES("C1");
    body.has_cart_id = true;
    table_init(&table, &kind_order, "O1");
    table.settings.lines_in_flight_max = 600;
    table.open = (struct weight){.orders = 1, .lines = 101};
    cr_expect_eq(place(&table, &body), STATUS_busy);
    table.open.lines = 100;
    cr_expect_eq(place(&table, &body), STATUS_ok);
    kind_order.weigh(table_load(&table, PLACE_OPEN, (struct bytes){0}), &weight, &table.texts);
    cr_expect_eq(weight.lines, 500);
    say_claim(&table, "ok");
    weight = (struct weight){0};
    kind_order.weigh(table_load(&table, PLACE_OPEN, (struct bytes){0}), &weight, &table.texts);
    cr_expect_eq(weight.lines, 1);
    table_deinit(&table);
}

Test(order, a_refusal_for_what_was_asked_is_recorded_for_ever)
{
    enum { METHOD, CURRENCY, SUM, PRODUCT, MANY, EXPECTED, CASES };
    static const char *const replies[CASES] = {
        [METHOD] = "{status: rejected, stage: rejected, lines: [{sku: mug, quantity: 2, unit_price: {amount: 500, "
                   "currency: GBP}}, {sku: tea, quantity: 1, unit_price: {amount: 250, currency: GBP}}], message: the "
                   "order cannot be taken; `reason` says why, reason: payment_method}",
        [CURRENCY] = "reason: currency}",
        [SUM] = "reason: overflow}",
        [PRODUCT] = "reason: overflow}",
        [MANY] = "reason: overflow}",
        [EXPECTED] = "total: {amount: 1250, currency: GBP}",
    };
    for (int i = 0; i < CASES; i++) {
        struct table table;
        struct order_line lines[] = {line("mug", 2, 500), line("tea", 1, 250), line("cup", 1, 100)};
        struct order_place body = order_of(lines, i == MANY ? 3 : 2);
        if (i == METHOD)
            body.payment_method = BYTES("shells");
        if (i == CURRENCY)
            memcpy(lines[1].unit_price.currency, "EUR", 4);
        if (i == SUM)
            lines[1].unit_price.amount = INT64_MAX;
        if (i == PRODUCT)
            lines[0].unit_price.amount = INT64_MAX;
        if (i == MANY)
            lines[1] = line("mug", QUANTITY_MAX, 0);
        body.expected_total = GBP(1200);
        body.has_expected_total = i == EXPECTED;
        enum status want = i == EXPECTED ? STATUS_price_changed : STATUS_rejected;
        table_init(&table, &kind_order, "O1");
        cr_expect_eq(place(&table, &body), want, "case %d", i);
        cr_expect(strstr(table_effects(&table), "put head; put child; keep"), "%s", table_effects(&table));
        cr_expect(strstr(table_effects(&table), "event order_failed {status: rejected"), "%s", table_effects(&table));
        cr_expect_null(strstr(table_effects(&table), "send"));
        const char *first = table_reply(&table);
        cr_expect(strstr(first, replies[i]), "%s", first);
        cr_expect_eq(place(&table, &body), want, "case %d", i); // again
        cr_expect_str_eq(table_reply(&table), first);
        cr_expect_str_eq(table_effects(&table), "");
        cr_expect_eq(cancel(&table, NULL), want);
        cr_expect_str_eq(table_reply(&table), first);
        table_deinit(&table);
    }
}

Test(order, price_changed_names_both_sums)
{
    struct table table;
    struct order_line lines[] = {line("mug", 2, 500)};
    struct order_place body = order_of(lines, 1);
    body.expected_total = GBP(999);
    body.has_expected_total = true;
    table_init(&table, &kind_order, "O1");
    cr_expect_eq(place(&table, &body), STATUS_price_changed);
    cr_expect(strstr(table_reply(&table), "total: {amount: 1000, currency: GBP}"));
    cr_expect(strstr(table_reply(&table), "expected: {amount: 999, currency: GBP}"));
    table_deinit(&table);
}

Test(order, as_much_of_another_currency_is_not_as_expected)
{
    struct table table;
    struct order_line lines[] = {line("mug", 2, 500)};
    struct order_place body = order_of(lines, 1);
    body.expected_total = (struct money){1000, "EUR"};
    body.has_expected_total = true;
    table_init(&table, &kind_order, "O1");
    cr_expect_eq(place(&table, &body), STATUS_price_changed);
    cr_expect(strstr(table_reply(&table), "expected: {amount: 1000, currency: EUR}"));
    table_deinit(&table);
}

Test(order, a_total_that_is_as_expected_is_held)
{
    struct table table;
    struct order_line lines[] = {line("mug", 2, 500)};
    struct order_place body = order_of(lines, 1);
    body.expected_total = GBP(1000);
    body.has_expected_total = true;
    table_init(&table, &kind_order, "O1");
    cr_expect_eq(place(&table, &body), STATUS_ok);
    expect_order(&table, "holding", "created");
    table_deinit(&table);
}

// FAILURES 13: after a crash the idempotency key answers "conflict". The same order sent again is met where it stands.
Test(order, the_same_order_again_waits_or_gets_the_same_answer_also_when_late)
{
    struct table table;
    table_init(&table, &kind_order, "O1");
    cr_expect_eq(place_one(&table), STATUS_ok);
    table.late = true;
    cr_expect_eq(place_one(&table), STATUS_ok);
    cr_expect_str_eq(table_effects(&table), "wait");
    acknowledged(&table, MESSAGE_inventory_reserve, "mug");
    note(&table, "captured");
    cr_expect_eq(place_one(&table), STATUS_ok);
    const char *first = table_reply(&table);
    cr_expect_str_eq(first, "{status: confirmed, stage: paid, total: {amount: 1000, currency: GBP}, lines: [{sku: mug, "
                            "quantity: 2, unit_price: {amount: 500, currency: GBP}}]}");
    table.at += MINUTE;
    acknowledged(&table, MESSAGE_inventory_commit, "mug");
    cr_expect_eq(place_one(&table), STATUS_ok);
    cr_expect_str_eq(table_reply(&table), first);
    table_deinit(&table);
}

Test(order, another_order_under_the_same_id_is_order_exists)
{
    struct table table;
    struct order_line lines[] = {line("mug", 2, 500)};
    struct order_place body = order_of(lines, 1);
    table_init(&table, &kind_order, "O1");
    cr_expect_eq(place(&table, &body), STATUS_ok);
    body.wait_ms = 5;
    body.has_wait_ms = true;
    cr_expect_eq(place(&table, &body), STATUS_ok); // how long one waits is not what one asks for
    lines[0].quantity = 3;
    cr_expect_eq(place(&table, &body), STATUS_order_exists);
    cr_expect(strstr(table_reply(&table), "field: lines"));
    body = order_of(lines, 1);
    body.user_id = BYTES("u2");
    lines[0].quantity = 2;
    cr_expect_eq(place(&table, &body), STATUS_order_exists);
    cr_expect(strstr(table_reply(&table), "field: user_id"));
    table_deinit(&table);
}

// ---- prices

static void place_unpriced(struct table *table)
{
    struct order_line lines[] = {line("mug", 2, -1), line("tea", 1, 250), line("cup", 1, -1)};
    struct order_place body = order_of(lines, 3);
    table_init(table, &kind_order, "O1");
    cr_expect_eq(place(table, &body), STATUS_ok);
    expect_order(table, "pricing", "created");
}

Test(order, what_has_no_price_is_priced_by_the_catalog)
{
    struct table table;
    place_unpriced(&table);
    cr_expect(strstr(table_effects(&table), "send catalog.price mug {}; send catalog.price cup {}; wake"));
    cr_expect_eq(priced(&table, "cup", GBP(100), true), STATUS_ok);
    cr_expect_str_eq(table_effects(&table), "put open");
    cr_expect_eq(priced(&table, "cup", GBP(700), true), STATUS_ok);
    cr_expect_str_eq(table_effects(&table), "");
    cr_expect_eq(priced(&table, "moon", GBP(700), true), STATUS_ok); // not in it
    cr_expect_str_eq(table_effects(&table), "");
    cr_expect_eq(priced(&table, "mug", GBP(300), true), STATUS_ok);
    cr_expect(strstr(table_effects(&table), "put open; put child"));
    expect_order(&table, "holding", "created");
    cr_expect_eq(record_of(&table).total.amount, 950);
    cr_expect_not(record_of(&table).has_prices);
    table_deinit(&table);
}

Test(order, what_cannot_be_priced_is_rejected_by_sku)
{
    enum { UNKNOWN, INACTIVE, CURRENCY, CASES };
    static const char *const reasons[CASES] = {"unknown_sku", "inactive_sku", "currency"};
    for (int i = 0; i < CASES; i++) {
        struct table table;
        place_unpriced(&table);
        if (i == UNKNOWN)
            answer(&table, MESSAGE_catalog_price, "cup", "not_found", NULL, NULL);
        else
            priced(&table, "cup", i == CURRENCY ? (struct money){100, "EUR"} : GBP(100), i != INACTIVE);
        expect_order(&table, "settled", "rejected");
        cr_expect(bytes_equal(record_of(&table).reason, bytes_text(reasons[i])));
        struct order_line lines[] = {line("mug", 2, -1), line("tea", 1, 250), line("cup", 1, -1)};
        struct order_place body = order_of(lines, 3);
        cr_expect_eq(place(&table, &body), STATUS_rejected);
        cr_expect(strstr(table_reply(&table), "sku: cup}"), "%s", table_reply(&table));
        cr_expect_eq(priced(&table, "mug", GBP(300), true), STATUS_ok); // late
        cr_expect_str_eq(table_effects(&table), "");
        table_deinit(&table);
    }
}

// ---- carts

static void place_cart(struct table *table)
{
    struct order_place body = order_of(NULL, 0);
    body.has_lines = false;
    body.cart_id = BYTES("C1");
    body.has_cart_id = true;
    table_as_client(table);
    cr_expect_eq(table_run(table, MESSAGE_order_place, &body), STATUS_ok);
}

Test(order, a_carts_lines_become_the_orders_and_cost_one_more_put)
{
    struct table table;
    table_init(&table, &kind_order, "O1");
    place_cart(&table);
    cr_expect(strstr(table_effects(&table), "send cart.claim C1 {order_id: O1}; wake"));
    cr_expect_eq(table_writes(&table), 1);
    say(&table, MESSAGE_order_get);
    cr_expect(strstr(table_reply(&table), "lines: []"), "%s", table_reply(&table));
    say_claim(&table, "ok");
    expect_order(&table, "pricing", "created");
    cr_expect_eq(table_writes(&table), 2);
    table_deinit(&table);
}

Test(order, a_cart_that_another_order_has_is_named)
{
    struct table table;
    table_init(&table, &kind_order, "O1");
    place_cart(&table);
    say_claim(&table, "cart_claimed");
    expect_order(&table, "settled", "rejected");
    cr_expect_null(strstr(table_effects(&table), "unclaim"));
    cr_expect_eq(cancel(&table, NULL), STATUS_cart_claimed);
    cr_expect(strstr(table_reply(&table), "order_id: O2"), "%s", table_reply(&table));
    table_deinit(&table);
}

Test(order, an_empty_cart_is_rejected)
{
    struct table table;
    table_init(&table, &kind_order, "O1");
    place_cart(&table);
    answer(&table, MESSAGE_cart_claim, "C1", "ok", cart_snapshot_shape(), &(struct cart_snapshot){.version = 0});
    expect_order(&table, "releasing", "created");
    acknowledged(&table, MESSAGE_cart_unclaim, "C1");
    expect_order(&table, "settled", "rejected");
    cr_expect(bytes_equal(record_of(&table).reason, BYTES("cart_empty")));
    table_deinit(&table);
}

Test(order, a_cart_longer_than_an_order_may_be_is_rejected)
{
    struct table table;
    struct cart_line lines[] = {{BYTES("mug"), .quantity = 2}, {BYTES("tea"), .quantity = 1}};
    struct cart_snapshot cart = {.version = 1, .lines = lines, .lines_count = 2};
    table_init(&table, &kind_order, "O1");
    table.settings.order_lines_max = 1;
    place_cart(&table);
    answer(&table, MESSAGE_cart_claim, "C1", "ok", cart_snapshot_shape(), &cart);
    acknowledged(&table, MESSAGE_cart_unclaim, "C1");
    expect_order(&table, "settled", "rejected");
    cr_expect(bytes_equal(record_of(&table).reason, BYTES("overflow")));
    table_deinit(&table);
}

// What each line costs fits, and their sum does not.
Test(order, catalog_prices_that_do_not_sum_up_are_rejected)
{
    struct table table;
    struct order_line lines[] = {line("mug", 1, 0), line("tea", 1, 0)};
    lines[0].has_unit_price = lines[1].has_unit_price = false;
    struct order_place body = order_of(lines, 2);
    struct catalog_price_reply price = {.price = GBP(INT64_MAX - 1), .active = true};
    table_init(&table, &kind_order, "O1");
    cr_expect_eq(place(&table, &body), STATUS_ok);
    answer(&table, MESSAGE_catalog_price, "mug", "ok", catalog_price_reply_shape(), &price);
    answer(&table, MESSAGE_catalog_price, "tea", "ok", catalog_price_reply_shape(), &price);
    expect_order(&table, "settled", "rejected");
    cr_expect(bytes_equal(record_of(&table).reason, BYTES("overflow")));
    table_deinit(&table);
}

// ---- items

Test(order, finds_an_item_in_the_stored_content_as_the_decoder_does)
{
    struct order_line lines[] = {line("mug", 2, 500), line("tea", 1, 250), line("mug", 70000, 450)};
    struct order_content content = {
        .user_id = BYTES("u"), .payment_method = BYTES("cod"), .lines = lines, .lines_count = 3};
    struct arena arena;
    struct buffer record;
    uint32_t index;
    int64_t quantity;
    arena_init(&arena);
    buffer_init(&record);
    cr_expect(order_items_make(&content, &arena));
    record_encode(order_content_shape(), &content, 0, &record);
    for (uint32_t i = 0; i < content.items_count; i++) {
        cr_assert(order_item_find(buffer_bytes(&record), content.items[i].sku, &index, &quantity));
        cr_expect_eq(index, i);
        cr_expect_eq(quantity, content.items[i].quantity);
    }
    cr_expect_not(order_item_find(buffer_bytes(&record), BYTES("moon"), &index, &quantity));
    cr_expect_not(order_item_find((struct bytes){0}, BYTES("mug"), &index, &quantity));
    buffer_deinit(&record);
    arena_deinit(&arena);
}
