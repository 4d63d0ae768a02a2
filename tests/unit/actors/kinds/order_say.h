// SPDX-License-Identifier: Apache-2.0
// What is said to one order on a table (table.h), for the tests of orders.
#pragma once

#include "actors/kinds/order.h"

#include "tests/unit/actors/kinds/table.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define GBP(pence) ((struct money){pence, "GBP"})
#define MINUTE INT64_C(60000000)

// ---- what is said to an order

static inline struct order_line line(const char *sku, int64_t quantity, int64_t pence)
{
    return (struct order_line){
        .sku = bytes_text(sku), .quantity = quantity, .unit_price = GBP(pence), .has_unit_price = pence >= 0};
}

static inline struct order_place order_of(struct order_line *lines, uint32_t count)
{
    return (struct order_place){.user_id = BYTES("u1"),
                                .payment_method = BYTES("pm_card_visa"),
                                .lines = lines,
                                .lines_count = count,
                                .has_lines = true};
}

static inline enum status place(struct table *table, const struct order_place *body)
{
    table_as_client(table);
    return table_run(table, MESSAGE_order_place, body);
}

static inline enum status place_one(struct table *table)
{
    struct order_line lines[] = {line("mug", 2, 500)};
    struct order_place body = order_of(lines, 1);
    return place(table, &body);
}

static inline enum status answer(struct table *table, enum message_type re, const char *key, const char *status,
                                 const struct shape *shape, const void *facts)
{
    const struct message_def *def = message_by_number(re);
    struct buffer body;
    buffer_init(&body);
    body_encode(shape ? shape : empty_shape(), facts ? facts : &(struct empty){}, &body);
    table_as(table, def->kind, key);
    enum status result = table_run(table, MESSAGE_order_answer,
                                   &(struct answer){.re = bytes_text(def->name),
                                                    .key = bytes_text(key),
                                                    .status = bytes_text(status),
                                                    .body = buffer_bytes(&body)});
    buffer_deinit(&body);
    return result;
}

static inline enum status acknowledged(struct table *table, enum message_type re, const char *key)
{
    return answer(table, re, key, "ok", NULL, NULL);
}

static inline enum status priced(struct table *table, const char *sku, struct money price, bool active)
{
    return answer(table, MESSAGE_catalog_price, sku, "ok", catalog_price_reply_shape(),
                  &(struct catalog_price_reply){.price = price, .active = active});
}

static inline enum status short_of(struct table *table, const char *sku, int64_t available)
{
    struct shortage shortage = {.sku = bytes_text(sku), .requested = 1, .available = available};
    return answer(table, MESSAGE_inventory_reserve, sku, "insufficient_stock", order_shortages_shape(),
                  &(struct order_shortages){.shortages = &shortage, .shortages_count = 1, .has_shortages = true});
}

static inline enum status note(struct table *table, const char *state)
{
    table_as(table, KIND_PAYMENT, "O1");
    return table_run(table, MESSAGE_order_payment, &(struct payment_note){.state = bytes_text(state)});
}

static inline enum status wake(struct table *table)
{
    table_as_runtime(table);
    return table_run(table, MESSAGE_order_wake, &(struct wake){.at = table->at});
}

static inline enum status cancel(struct table *table, const char *reason)
{
    table_as_client(table);
    return table_run(table, MESSAGE_order_cancel,
                     &(struct order_cancel){.reason = bytes_text(reason ? reason : ""), .has_reason = reason});
}

static inline enum status ship(struct table *table, const char *tracking)
{
    table_as_client(table);
    return table_run(table, MESSAGE_order_ship,
                     &(struct order_ship){.tracking = bytes_text(tracking ? tracking : ""), .has_tracking = tracking});
}

static inline enum status say(struct table *table, enum message_type message)
{
    table_as_client(table);
    return table_run(table, message, NULL);
}

static inline struct order record_of(struct table *table)
{
    struct order order = {0};
    if (!table_read(table, PLACE_OPEN, "", order_shape(), &order))
        CHECK(table_read(table, PLACE_HEAD, "", order_shape(), &order));
    return order;
}

#define expect_order(table, step_, status_)                                                                            \
    do {                                                                                                               \
        struct order is_ = record_of(table);                                                                           \
        cr_expect(bytes_equal(is_.step, BYTES(step_)), "step %.*s", BYTES_FORMAT(is_.step));                           \
        cr_expect(bytes_equal(is_.status, BYTES(status_)), "status %.*s", BYTES_FORMAT(is_.status));                   \
    } while (0)

// A one-line order that is charged.
static inline void until_paying(struct table *table)
{
    table_init(table, &kind_order, "O1");
    cr_assert_eq(place_one(table), STATUS_ok);
    cr_assert_eq(acknowledged(table, MESSAGE_inventory_reserve, "mug"), STATUS_ok);
}

static inline void until_confirmed(struct table *table)
{
    until_paying(table);
    note(table, "authorized");
    note(table, "captured");
    acknowledged(table, MESSAGE_inventory_commit, "mug");
    expect_order(table, "settled", "confirmed");
}

static inline void say_claim(struct table *table, const char *status)
{
    static struct cart_line cart_lines[1] = {{BYTES("mug"), .quantity = 2, .added_at = 1}};
    struct cart_snapshot cart = {.lines = cart_lines, .lines_count = 1, .version = 1};
    bool ok = strcmp(status, "ok") == 0;
    answer(table, MESSAGE_cart_claim, "C1", status, ok ? cart_snapshot_shape() : cart_claim_shape(),
           ok ? (const void *)&cart : &(struct cart_claim){.order_id = BYTES("O2")});
}
