// SPDX-License-Identifier: Apache-2.0
// One checkout in a shop (shop.h), from order.place until nothing moves, with something happening before its n-th
// message; and what must be true at the end, whatever happened.
#pragma once

#include "tests/unit/actors/kinds/shop.h"

#include <criterion/criterion.h>

enum happening { HAPPENS_NOTHING, HAPPENS_CANCEL, HAPPENS_TWICE, HAPPENS_RESTART, HAPPENS_DEADLINE };

enum basket { BASKET_LINE, BASKET_LINES, BASKET_UNPRICED, BASKET_CART, BASKET_SHORT, BASKET_UNKNOWN, BASKET_COUNT };

struct checkout {
    const char *method;
    enum basket basket;
    const char *shopper; // what they answer when asked: "succeeded", "failed", NULL: nothing
    uint64_t seed;
    enum happening happening;
    uint32_t before; // which message
    // what came of it
    struct shop shop;
    enum status cancelled; // what cancel answered
    bool happened;
    uint32_t letters;
};

#define ORDER_ID "O1"
#define GBP(pence) ((struct money){pence, "GBP"})

static inline void checkout_stock(struct checkout *run)
{
    struct shop *shop = &run->shop;
    shop_call(shop, MESSAGE_inventory_receive, "mug", &(struct inventory_receive){.quantity = 10});
    shop_call(shop, MESSAGE_inventory_receive, "tea", &(struct inventory_receive){.quantity = 10});
    struct catalog_put product = {.title = BYTES("x"), .price = GBP(250)};
    shop_call(shop, MESSAGE_catalog_put, "mug", &product);
    shop_call(shop, MESSAGE_catalog_put, "tea", &product);
    if (run->basket != BASKET_CART)
        return;
    struct cart_add priced = {.sku = BYTES("mug"), .quantity = 2, .price = GBP(500), .has_price = true};
    shop_call(shop, MESSAGE_cart_add, "C1", &priced);
    shop_call(shop, MESSAGE_cart_add, "C1", &(struct cart_add){.sku = BYTES("tea"), .quantity = 1});
}

static inline enum status checkout_place(struct checkout *run)
{
    static struct order_line lines[3];
    lines[0] = (struct order_line){BYTES("mug"), .quantity = 2, .unit_price = GBP(500), .has_unit_price = true};
    lines[1] = (struct order_line){BYTES("tea"), .quantity = 1, .unit_price = GBP(250), .has_unit_price = true};
    lines[2] = (struct order_line){BYTES("mug"), .quantity = 1, .unit_price = GBP(450), .has_unit_price = true};
    if (run->basket == BASKET_UNPRICED)
        lines[1].has_unit_price = lines[2].has_unit_price = false;
    if (run->basket == BASKET_SHORT)
        lines[1].quantity = 11;
    if (run->basket == BASKET_UNKNOWN)
        lines[1].sku = BYTES("moon");
    struct order_place place = {
        .user_id = BYTES("u1"),
        .payment_method = bytes_text(run->method),
        .cart_id = BYTES("C1"),
        .has_cart_id = run->basket == BASKET_CART,
        .lines = lines,
        .lines_count = run->basket == BASKET_LINE ? 1 : 3,
        .has_lines = run->basket != BASKET_CART,
    };
    return shop_call(&run->shop, MESSAGE_order_place, ORDER_ID, &place);
}

static inline bool checkout_order(struct checkout *run, struct order *order)
{
    struct table *table = shop_table(&run->shop, KIND_ORDER, ORDER_ID);
    return table_read(table, PLACE_OPEN, "", order_shape(), order) ||
           table_read(table, PLACE_HEAD, "", order_shape(), order);
}

static inline void checkout_happens(struct checkout *run, const struct shop_letter *next)
{
    struct order order;
    run->happened = true;
    switch (run->happening) {
    case HAPPENS_NOTHING:
        break;
    case HAPPENS_CANCEL:
        run->cancelled = shop_call(&run->shop, MESSAGE_order_cancel, ORDER_ID, &(struct order_cancel){.has_reason = 0});
        break;
    case HAPPENS_TWICE:
        shop_deliver(&run->shop, next);
        break;
    case HAPPENS_RESTART:
        shop_restart(&run->shop);
        break;
    case HAPPENS_DEADLINE:
        if (checkout_order(run, &order) && run->shop.at < order.deadline_at)
            run->shop.at = order.deadline_at;
        shop_wake_due(&run->shop);
        break;
    }
}

// The shopper acts if asked to.
static inline bool checkout_shopper(struct checkout *run)
{
    struct payment payment;
    struct table *table = shop_table(&run->shop, KIND_PAYMENT, ORDER_ID);
    if (!run->shopper || !table_read(table, PLACE_HEAD, "", payment_shape(), &payment) ||
        !bytes_equal(payment.state, BYTES("action_required")))
        return false;
    shop_call(&run->shop, MESSAGE_payment_confirm, ORDER_ID,
              &(struct payment_confirm){.outcome = bytes_text(run->shopper)});
    return true;
}

static inline void checkout_deliver(struct checkout *run)
{
    struct shop_letter letter = shop_take(&run->shop);
    bool due = !run->happened && run->letters == run->before;
    run->letters++;
    if (due)
        checkout_happens(run, &letter);
    if (!due || run->happening != HAPPENS_RESTART)
        shop_deliver(&run->shop, &letter);
}

// Until nothing moves any more: no message, no shopper, no timer within a day.
static inline void checkout_run(struct checkout *run)
{
    shop_init(&run->shop, run->seed);
    checkout_stock(run);
    memset(run->shop.writes, 0, sizeof run->shop.writes);
    checkout_place(run);
    int64_t until = run->shop.at + INT64_C(24) * 3600 * 1000000;
    for (uint32_t turns = 0; turns < 2000; turns++) {
        if (run->shop.queue_count)
            checkout_deliver(run);
        else if (!checkout_shopper(run) && !shop_sleep(&run->shop, until))
            return;
    }
    cr_assert(false, "it never comes to rest");
}

// ---- what must be true at the end

struct books {
    int64_t authorized, captured, refunded, captures, refunds;
};

static inline struct books checkout_book(struct checkout *run)
{
    struct books books = {0};
    struct table *table = shop_table(&run->shop, KIND_SANDBOX, ORDER_ID);
    for (uint32_t i = 0; i < table->rows_count; i++) {
        struct ledger_entry entry;
        CHECK(record_decode(ledger_entry_shape(), table->rows[i].value, &entry, &table->texts));
        if (!bytes_equal(entry.outcome, BYTES("succeeded")))
            continue;
        bool capture = bytes_equal(entry.operation, BYTES("capture"));
        bool refund = bytes_equal(entry.operation, BYTES("refund"));
        books.captured += capture ? entry.amount.amount : 0;
        books.refunded += refund ? entry.amount.amount : 0;
        books.captures += capture;
        books.refunds += refund;
    }
    return books;
}

static inline void checkout_check_stock(struct checkout *run, const char *sku, int64_t sold, int64_t back,
                                        const char *what)
{
    struct stock stock;
    struct table *table = shop_table(&run->shop, KIND_INVENTORY, sku);
    cr_assert(table_read(table, PLACE_HEAD, "", stock_shape(), &stock));
    cr_expect_eq(stock.reserved, 0, "%s: %s: %" PRId64 " still held", what, sku, stock.reserved);
    cr_expect_eq(stock.committed_orders, sold, "%s: %s: %" PRId64 " sold", what, sku, stock.committed_orders);
    cr_expect_eq(stock.restocked, back, "%s: %s: %" PRId64 " back", what, sku, stock.restocked);
}

static inline int64_t checkout_quantity(const struct checkout *run, const char *sku)
{
    bool mug = strcmp(sku, "mug") == 0;
    if (run->basket == BASKET_LINE || run->basket == BASKET_CART)
        return mug ? 2 : run->basket == BASKET_CART;
    return mug ? 3 : 1;
}

static inline void checkout_check_goods(struct checkout *run, bool kept, const char *what)
{
    for (int i = 0; i < 2; i++) {
        const char *sku = i ? "tea" : "mug";
        struct stock stock;
        cr_assert(table_read(shop_table(&run->shop, KIND_INVENTORY, sku), PLACE_HEAD, "", stock_shape(), &stock));
        int64_t quantity = checkout_quantity(run, sku);
        int64_t sold = kept || stock.committed_orders ? quantity : 0;
        checkout_check_stock(run, sku, sold, kept ? 0 : sold, what);
    }
}

static inline void checkout_check_cart(struct checkout *run, const char *what)
{
    struct cart cart;
    if (run->basket == BASKET_CART &&
        table_read(shop_table(&run->shop, KIND_CART, "C1"), PLACE_HEAD, "", cart_shape(), &cart))
        cr_expect_not(cart.has_claim, "%s: the cart is still claimed", what);
}

static inline void checkout_check_money(struct checkout *run, const struct order *order, bool kept, const char *what)
{
    struct books books = checkout_book(run);
    struct payment payment;
    bool provider = strcmp(run->method, "cod") != 0;
    cr_expect_leq(books.captures, 1, "%s: captured %" PRId64 " times", what, books.captures);
    cr_expect_leq(books.refunds, 1, "%s: refunded %" PRId64 " times", what, books.refunds);
    cr_expect_eq(books.captured - books.refunded, kept && provider ? order->total.amount : 0,
                 "%s: %" PRId64 " captured, %" PRId64 " refunded", what, books.captured, books.refunded);
    if (!table_read(shop_table(&run->shop, KIND_PAYMENT, ORDER_ID), PLACE_HEAD, "", payment_shape(), &payment))
        return;
    cr_expect_not(payment.has_open, "%s: the payment is %.*s", what, BYTES_FORMAT(payment.state));
    cr_expect_eq(payment.captured.amount, books.captured, "%s: two books", what);
    cr_expect_eq(payment.refunded.amount, books.refunded, "%s: two books", what);
}

// false: there is no order at all.
static inline bool checkout_check(struct checkout *run, const char *what)
{
    struct order order;
    struct table *table = shop_table(&run->shop, KIND_ORDER, ORDER_ID);
    cr_expect_eq(table_count(table, PLACE_OPEN), 0, "%s: not settled", what);
    if (!table_read(table, PLACE_HEAD, "", order_shape(), &order))
        return false;
    bool kept = bytes_equal(order.status, BYTES("confirmed"));
    checkout_check_money(run, &order, kept, what);
    checkout_check_goods(run, kept, what);
    checkout_check_cart(run, what);
    if (run->happening != HAPPENS_DEADLINE) // a jump of 15 minutes over messages under way
        cr_expect_eq(run->shop.reasks, 0, "%s: %u asked again", what, run->shop.reasks);
    return true;
}

// The end as one line, to be compared: what clients and both books show, without times.
static inline const char *checkout_end(struct checkout *run)
{
    struct order order = {0};
    struct stock mug, tea;
    struct cart cart = {0};
    struct shop *shop = &run->shop;
    struct books books = checkout_book(run);
    checkout_order(run, &order);
    table_read(shop_table(shop, KIND_INVENTORY, "mug"), PLACE_HEAD, "", stock_shape(), &mug);
    table_read(shop_table(shop, KIND_INVENTORY, "tea"), PLACE_HEAD, "", stock_shape(), &tea);
    table_read(shop_table(shop, KIND_CART, "C1"), PLACE_HEAD, "", cart_shape(), &cart);
    shop_call(shop, MESSAGE_order_get, ORDER_ID, NULL);
    return arena_format(&shop->arena,
                        "%.*s %.*s total %" PRId64 " payment %.*s captured %" PRId64 " refunded %" PRId64
                        " mug %" PRId64 " of %" PRId64 " tea %" PRId64 " of %" PRId64 " cart %u lines v%" PRId64,
                        BYTES_FORMAT(order.step), BYTES_FORMAT(order.status), order.total.amount,
                        BYTES_FORMAT(order.payment), books.captured, books.refunded, mug.committed, mug.on_hand,
                        tea.committed, tea.on_hand, cart.lines_count, cart.version);
}
