// SPDX-License-Identifier: Apache-2.0
// Stock and carts, and at the end stock against what orders committed: I1, I2, and the half of I3 that a SKU knows by
// itself.
#include "cli/audit_pass.h"
#include "cli/cli.h"

#include <inttypes.h>

// What the holds of one SKU sum up to.
struct holds_sum {
    int64_t reserved, restocked;
    int64_t committed_clients; // as far as they are remembered
    int64_t next_due;          // of clients' live holds; 0: none
};

// What is stored may be anything: a sum that passes the end stays there.
static int64_t plus(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static bool state_is(const struct hold *hold, const char *state)
{
    return bytes_equal(hold->state, bytes_text(state));
}

static void sum_client(struct audit *audit, const struct table *child, const struct hold *hold, struct holds_sum *sum)
{
    if (state_is(hold, "committed"))
        sum->committed_clients = plus(sum->committed_clients, hold->quantity);
    if (!state_is(hold, "held"))
        return;
    audit->verdict->holds++;
    sum->reserved = plus(sum->reserved, hold->quantity);
    if (!hold->expires_at)
        VIOLATION_1(audit, 3, KIND_INVENTORY, child->key, "the client's hold %.*s has no deadline: nothing ends it",
                    BYTES_FORMAT(child->rest));
    if (hold->expires_at && (!sum->next_due || hold->expires_at < sum->next_due))
        sum->next_due = hold->expires_at;
}

static void sum_order(struct audit *audit, const struct table *child, const struct hold *hold, struct holds_sum *sum)
{
    struct hold_note note = {
        .state = HOLD_NOTE_ENDED, .expires = hold->expires_at != 0, .quantity = hold->quantity, .sku = child->key};
    if (state_is(hold, "held")) {
        audit->verdict->holds++;
        note.state = HOLD_NOTE_HELD;
        sum->reserved = plus(sum->reserved, hold->quantity);
    } else if (state_is(hold, "restocked")) {
        note.state = HOLD_NOTE_RESTOCKED;
        sum->restocked = plus(sum->restocked, hold->quantity);
    }
    buffer_clear(&audit->value);
    hold_note_write(&audit->value, &note);
    audit_add(audit, audit->holds, bytes_of(child->rest.at + 1, child->rest.size - 1), buffer_bytes(&audit->value));
}

static void sum_child(struct audit *audit, const struct table *child, struct holds_sum *sum)
{
    struct hold hold;
    bool client = child->rest.size > 1 && child->rest.at[0] == 'c',
         order = child->rest.size > 1 && child->rest.at[0] == 'o';
    if ((!client && !order) || !record_decode(hold_shape(), child->value, &hold, &audit->arena)) {
        table_corrupt(child);
        return;
    }
    if (client)
        sum_client(audit, child, &hold, sum);
    else
        sum_order(audit, child, &hold, sum);
}

static void judge_reserved(struct audit *audit, struct bytes sku, const struct stock *stock,
                           const struct holds_sum *sum)
{
    if (stock->reserved != sum->reserved)
        VIOLATION_1(audit, 1, KIND_INVENTORY, sku, "reserved is %" PRId64 ", its live holds sum up to %" PRId64,
                    stock->reserved, sum->reserved);
    if (stock->on_hand < stock->reserved && !stock->stop_sale)
        VIOLATION_1(audit, 1, KIND_INVENTORY, sku,
                    "%" PRId64 " on hand, but %" PRId64 " reserved, and sale is not stopped", stock->on_hand,
                    stock->reserved);
    if (sum->next_due && (!stock->next_due || stock->next_due > sum->next_due))
        VIOLATION_1(audit, 3, KIND_INVENTORY, sku,
                    "a client's hold is due at %" PRId64 ", but the SKU expects none before %" PRId64
                    ": it would not end",
                    sum->next_due, stock->next_due);
}

static void judge_stock(struct audit *audit, struct bytes sku, const struct stock *stock, const struct holds_sum *sum)
{
    if (stock->on_hand < 0 || stock->reserved < 0 || stock->short_ < 0 || stock->committed < 0 || stock->restocked < 0)
        VIOLATION_1(audit, 2, KIND_INVENTORY, sku, "a number is negative");
    __int128 came = (__int128)stock->received + stock->restocked + stock->adjusted;
    if ((__int128)stock->on_hand - stock->short_ != came - stock->committed)
        VIOLATION_1(audit, 2, KIND_INVENTORY, sku,
                    "on_hand %" PRId64 " − short %" PRId64 " is not received %" PRId64 " + restocked %" PRId64
                    " + adjusted %" PRId64 " − committed %" PRId64,
                    stock->on_hand, stock->short_, stock->received, stock->restocked, stock->adjusted,
                    stock->committed);
    if (stock->restocked != sum->restocked)
        VIOLATION_1(audit, 2, KIND_INVENTORY, sku,
                    "restocked is %" PRId64 ", what orders gave back sums up to %" PRId64, stock->restocked,
                    sum->restocked);
    if (sum->committed_clients > stock->committed - stock->committed_orders)
        VIOLATION_1(audit, 2, KIND_INVENTORY, sku,
                    "clients committed %" PRId64 " that are remembered, more than committed %" PRId64
                    " − committed_orders %" PRId64,
                    sum->committed_clients, stock->committed, stock->committed_orders);
}

static void say_progress(const struct table *table, const char *what, uint64_t count)
{
    progress("%-7s %4d%%  %" PRIu64, what, table->slot * 100 / SLOT_COUNT, count);
}

void audit_stock(struct audit *audit)
{
    struct table head, child;
    table_open(&head, audit->databases, KIND_INVENTORY, FAMILY_HEAD, audit->trouble);
    table_open(&child, audit->databases, KIND_INVENTORY, FAMILY_CHILD, audit->trouble);
    while (!table_ended(&head)) {
        struct stock stock;
        struct holds_sum sum = {0};
        arena_reset(&audit->arena);
        if (!record_decode(stock_shape(), head.value, &stock, &audit->arena))
            table_corrupt(&head);
        for (; !table_ended(&child) && bytes_compare(child.entity, head.entity) < 0; table_next(&child))
            VIOLATION_1(audit, 1, KIND_INVENTORY, child.key, "the hold %.*s is of a SKU without stock",
                        BYTES_FORMAT(child.rest));
        for (; !table_ended(&child) && bytes_equal(child.entity, head.entity); table_next(&child))
            sum_child(audit, &child, &sum);
        if (audit->trouble->fault)
            break;
        audit->verdict->skus++;
        judge_reserved(audit, head.key, &stock, &sum);
        judge_stock(audit, head.key, &stock, &sum);
        say_progress(&head, "stock", audit->verdict->skus);
        table_next(&head);
    }
    for (; !table_ended(&child); table_next(&child))
        VIOLATION_1(audit, 1, KIND_INVENTORY, child.key, "the hold %.*s is of a SKU without stock",
                    BYTES_FORMAT(child.rest));
    table_close(&head);
    table_close(&child);
}

void audit_carts(struct audit *audit)
{
    struct table head;
    table_open(&head, audit->databases, KIND_CART, FAMILY_HEAD, audit->trouble);
    for (; !table_ended(&head); table_next(&head)) {
        struct cart cart;
        arena_reset(&audit->arena);
        if (!record_decode(cart_shape(), head.value, &cart, &audit->arena)) {
            table_corrupt(&head);
            break;
        }
        audit->verdict->carts++;
        if (cart.has_claim)
            audit_add(audit, audit->claims, cart.claim.order_id, head.key);
        say_progress(&head, "carts", audit->verdict->carts);
    }
    table_close(&head);
}

// ---- sales

// Units that orders committed of the entity the sorter stands on; goes behind it.
static int64_t take_units(struct sorted *sales)
{
    uint8_t entity[ENTITY_KEY_SIZE_MAX];
    int64_t sum = 0, units;
    memcpy(entity, sales->key.at, sales->key.size);
    struct bytes key = bytes_of(entity, sales->key.size);
    for (; sorted_at(sales, key); sorted_next(sales)) {
        memcpy(&units, sales->value.at, sizeof units);
        sum = plus(sum, units);
    }
    return sum;
}

static void sales_without_stock(struct audit *audit, struct sorted *sales)
{
    struct bytes key, rest;
    uint16_t slot;
    arena_reset(&audit->arena);
    keys_read_entity(sales->key, &slot, &key, &rest);
    key = arena_copy(&audit->arena, key);
    VIOLATION_1(audit, 2, KIND_INVENTORY, key, "orders committed %" PRId64 " of a SKU without stock",
                take_units(sales));
}

void audit_sales(struct audit *audit)
{
    struct table head;
    struct sorted sales;
    uint64_t count = 0;
    table_open(&head, audit->databases, KIND_INVENTORY, FAMILY_HEAD, audit->trouble);
    sorted_open(&sales, audit->sales);
    for (; !table_ended(&head); table_next(&head)) {
        struct stock stock;
        arena_reset(&audit->arena);
        if (!record_decode(stock_shape(), head.value, &stock, &audit->arena)) {
            table_corrupt(&head);
            break;
        }
        while (!sales.ended && bytes_compare(sales.key, head.entity) < 0)
            sales_without_stock(audit, &sales);
        int64_t units = sorted_at(&sales, head.entity) ? take_units(&sales) : 0;
        if (units != stock.committed_orders)
            VIOLATION_1(audit, 2, KIND_INVENTORY, head.key,
                        "committed_orders is %" PRId64 ", the orders that committed it sum up to %" PRId64,
                        stock.committed_orders, units);
        say_progress(&head, "sales", ++count);
    }
    while (!sales.ended && !audit->trouble->fault)
        sales_without_stock(audit, &sales);
    table_close(&head);
}
