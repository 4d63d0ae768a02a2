// SPDX-License-Identifier: Apache-2.0
// One checkout in a shop (shop.h), from order.place until nothing moves, with something happening before its n-th
// message; and what must be true at the end, whatever happened.
#pragma once

#include "tests/unit/actors/kinds/shop.h"

enum happening {
    HAPPENS_NOTHING,
    HAPPENS_CANCEL,
    HAPPENS_TWICE,       // the message comes again at once
    HAPPENS_LATER_TWICE, // and when everything is over: what notes and answers can do
    HAPPENS_RESTART,
    HAPPENS_DEADLINE,
    HAPPENS_PLACE, // the client sends its order again
    HAPPENS_SHIP,
    HAPPENS_LOSS,     // the message is lost: must not happen, and must be seen
    HAPPENS_ANYTHING, // of the above but the loss, again and again
};

enum basket {
    BASKET_LINE,
    BASKET_LINES,
    BASKET_UNPRICED,
    BASKET_CART,
    BASKET_CART_LINE,
    BASKET_SHORT,
    BASKET_UNKNOWN,
    BASKET_COUNT
};

struct checkout {
    const char *method;
    enum basket basket;
    const char *shopper; // what they answer when asked: "succeeded", "failed", NULL: nothing
    uint64_t seed;
    enum happening happening;
    uint32_t before; // which message
    // what came of it
    struct shop shop;
    enum status cancelled, shipped, placed; // what was answered
    bool happened, jumped;
    uint32_t letters;
    struct shop_letter later;
};

#define ORDER_ID "O1"
#define GBP(pence) ((struct money){pence, "GBP"})

static inline bool checkout_from_cart(const struct checkout *run)
{
    return run->basket == BASKET_CART || run->basket == BASKET_CART_LINE;
}

static inline void checkout_stock(struct checkout *run)
{
    struct shop *shop = &run->shop;
    shop_call(shop, MESSAGE_inventory_receive, "mug", &(struct inventory_receive){.quantity = 10});
    shop_call(shop, MESSAGE_inventory_receive, "tea", &(struct inventory_receive){.quantity = 10});
    struct catalog_put product = {.title = BYTES("x"), .price = GBP(250)};
    shop_call(shop, MESSAGE_catalog_put, "mug", &product);
    shop_call(shop, MESSAGE_catalog_put, "tea", &product);
    if (!checkout_from_cart(run))
        return;
    struct cart_add priced = {.sku = BYTES("mug"), .quantity = 2, .price = GBP(500), .has_price = true};
    shop_call(shop, MESSAGE_cart_add, "C1", &priced);
    if (run->basket == BASKET_CART_LINE)
        return;
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
        .has_cart_id = checkout_from_cart(run),
        .lines = lines,
        .lines_count = run->basket == BASKET_LINE ? 1 : 3,
        .has_lines = !checkout_from_cart(run),
    };
    return shop_call(&run->shop, MESSAGE_order_place, ORDER_ID, &place);
}

static inline bool checkout_order(struct checkout *run, struct order *order)
{
    struct table *table = shop_table(&run->shop, KIND_ORDER, ORDER_ID);
    return table_read(table, PLACE_OPEN, "", order_shape(), order) ||
           table_read(table, PLACE_HEAD, "", order_shape(), order);
}

static inline void checkout_jump(struct checkout *run)
{
    struct order order;
    run->jumped = true;
    if (checkout_order(run, &order) && run->shop.at < order.deadline_at)
        run->shop.at = order.deadline_at;
    shop_wake_due(&run->shop);
}

static inline bool checkout_may_come_late(const struct shop_letter *letter)
{
    return letter->to.kind == KIND_ORDER || letter->to.kind == KIND_PAYMENT || letter->to.kind == KIND_SANDBOX;
}

static inline void checkout_cancel(struct checkout *run)
{
    enum status status = shop_call(&run->shop, MESSAGE_order_cancel, ORDER_ID, &(struct order_cancel){.has_reason = 0});
    if (run->cancelled != STATUS_ok)
        run->cancelled = status;
}

// false: the message itself does not arrive.
static inline bool checkout_happens(struct checkout *run, enum happening happening, const struct shop_letter *next)
{
    switch (happening) {
    case HAPPENS_NOTHING:
    case HAPPENS_ANYTHING:
        break;
    case HAPPENS_CANCEL:
        checkout_cancel(run);
        break;
    case HAPPENS_TWICE:
        shop_deliver(&run->shop, next);
        break;
    case HAPPENS_LATER_TWICE:
        if (checkout_may_come_late(next))
            run->later = *next;
        break;
    case HAPPENS_RESTART:
        shop_restart(&run->shop);
        return false;
    case HAPPENS_DEADLINE:
        checkout_jump(run);
        break;
    case HAPPENS_PLACE:
        run->placed = checkout_place(run);
        break;
    case HAPPENS_SHIP:
        run->shipped = shop_call(&run->shop, MESSAGE_order_ship, ORDER_ID, &(struct order_ship){.has_carrier = 0});
        break;
    case HAPPENS_LOSS:
        return false;
    }
    return true;
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

static inline enum happening checkout_next_happening(struct checkout *run)
{
    if (run->happening == HAPPENS_ANYTHING)
        return shop_random(&run->shop) % 4 ? HAPPENS_NOTHING
                                           : (enum happening)(shop_random(&run->shop) % (HAPPENS_SHIP + 1));
    if (run->happened || run->letters != run->before)
        return HAPPENS_NOTHING;
    run->happened = true;
    return run->happening;
}

static inline void checkout_deliver(struct checkout *run)
{
    struct shop_letter letter = shop_take(&run->shop);
    enum happening happening = checkout_next_happening(run);
    run->letters++;
    if (checkout_happens(run, happening, &letter))
        shop_deliver(&run->shop, &letter);
}

// What is left when nothing is under way; false: nothing.
static inline bool checkout_goes_on(struct checkout *run, int64_t until)
{
    if (checkout_shopper(run) || shop_sleep(&run->shop, until))
        return true;
    if (!run->later.message)
        return false;
    shop_deliver(&run->shop, &run->later);
    run->later.message = MESSAGE_NONE;
    return true;
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
        else if (!checkout_goes_on(run, until))
            return;
    }
    CHECK(false, "it never comes to rest");
}

// ---- what must be true at the end

struct books {
    int64_t captured, refunded, captures, refunds;
};

static inline struct books checkout_book(struct checkout *run)
{
    struct books books = {0};
    struct ledger ledger = {0};
    table_read(shop_table(&run->shop, KIND_SANDBOX, ORDER_ID), PLACE_HEAD, "", ledger_shape(), &ledger);
    for (uint32_t i = 0; i < ledger.entries_count; i++) {
        struct ledger_entry entry = ledger.entries[i];
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

static inline int64_t checkout_quantity(const struct checkout *run, const char *sku)
{
    bool mug = strcmp(sku, "mug") == 0;
    if (run->basket == BASKET_LINE || checkout_from_cart(run))
        return mug ? 2 : run->basket == BASKET_CART;
    return mug ? 3 : 1;
}

static inline const char *checkout_goods_fault(struct checkout *run, bool kept)
{
    for (int i = 0; i < 2; i++) {
        const char *sku = i ? "tea" : "mug";
        struct stock stock;
        CHECK(table_read(shop_table(&run->shop, KIND_INVENTORY, sku), PLACE_HEAD, "", stock_shape(), &stock));
        int64_t quantity = checkout_quantity(run, sku);
        if (stock.reserved)
            return "goods are still held";
        if (stock.committed_orders != 0 && stock.committed_orders != quantity)
            return "sold more or less than ordered";
        if (kept && (stock.committed_orders != quantity || stock.restocked))
            return "kept, but not all is sold";
        if (!kept && stock.committed_orders != stock.restocked)
            return "not kept, but goods are gone";
    }
    return NULL;
}

static inline const char *checkout_money_fault(struct checkout *run, const struct order *order, bool kept)
{
    struct books books = checkout_book(run);
    struct payment payment;
    bool provider = strcmp(run->method, "cod") != 0;
    if (books.captures > 1)
        return "captured twice";
    if (books.refunds > 1)
        return "refunded twice";
    if (books.captured - books.refunded != (kept && provider ? order->total.amount : 0))
        return "the provider has too much or too little";
    if (!table_read(shop_table(&run->shop, KIND_PAYMENT, ORDER_ID), PLACE_HEAD, "", payment_shape(), &payment))
        return NULL;
    if (payment.has_open)
        return "the payment is still at work";
    if (payment.captured.amount != books.captured || payment.refunded.amount != books.refunded)
        return "the two books differ";
    return NULL;
}

static inline bool checkout_kept(const struct order *order)
{
    return bytes_equal(order->status, BYTES("confirmed")) || bytes_equal(order->status, BYTES("shipped"));
}

// What is wrong; NULL: nothing.
static inline const char *checkout_fault(struct checkout *run)
{
    struct order order;
    struct cart cart;
    struct table *table = shop_table(&run->shop, KIND_ORDER, ORDER_ID);
    if (table_count(table, PLACE_OPEN))
        return "not settled";
    if (!table_read(table, PLACE_HEAD, "", order_shape(), &order))
        return "no order";
    bool kept = checkout_kept(&order);
    const char *fault = checkout_money_fault(run, &order, kept);
    if (fault)
        return fault;
    if ((fault = checkout_goods_fault(run, kept)))
        return fault;
    if (table_read(shop_table(&run->shop, KIND_CART, "C1"), PLACE_HEAD, "", cart_shape(), &cart) && cart.has_claim)
        return "the cart is still claimed";
    if (run->shop.reasks && !run->jumped)
        return "something had to be asked again";
    return NULL;
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
