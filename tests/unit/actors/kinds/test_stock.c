// SPDX-License-Identifier: Apache-2.0
// Tables of given → message → status → effects for each handler, in order of precedence; then the stories of other
// shops (FAILURES.md). Random sequences are in test_stock_model.c.
#include "actors/kinds/holds.h"

#include "tests/unit/actors/kinds/table.h"

#include <criterion/criterion.h>
#include <signal.h>

#define COUNT_OF(lines) (sizeof(lines) / sizeof *(lines))

static const struct stock ten = {.on_hand = 10, .received = 10, .version = 3};
static const struct stock two_held = {.on_hand = 10, .reserved = 2, .received = 10, .version = 3};

// The hold R1 of two pieces, made at TABLE_AT for 900 s, as it is when it ended later.
static void put_hold(struct table *table, const char *child, const char *state)
{
    bool order = child[0] == 'o', held = strcmp(state, "held") == 0;
    struct hold hold = {.state = bytes_text(state),
                        .quantity = 2,
                        .expires_at = order ? 0 : TABLE_AT + 900000000,
                        .first_expires_at = order ? 0 : TABLE_AT + 900000000,
                        .has_first_expires_at = !order,
                        .first_available = 8,
                        .ended_available = 5,
                        .has_ended_available = !held};
    table_put(table, PLACE_CHILD, child, hold_shape(), &hold, 0);
}

// What a message meets. `mine` is the sender's own hold of that name, `orders` says that an order has one too.
struct scene {
    const struct stock *stock; // NULL: unknown SKU
    const char *mine;          // its state; NULL: none
    bool orders, late;
};

static void arrange(struct table *table, const struct scene *scene, bool by_order)
{
    table_init(table, &kind_inventory, "mug");
    table->late = scene->late;
    if (by_order)
        table_as(table, KIND_ORDER, "R1");
    if (scene->stock)
        table_put(table, PLACE_HEAD, "", stock_shape(), scene->stock, 0);
    if (scene->mine)
        put_hold(table, by_order ? "oR1" : "cR1", scene->mine);
    if (scene->orders)
        put_hold(table, "oR1", "held");
}

struct answer_line {
    enum status status;
    const char *reply, *effects, *head; // head "": absent; NULL: not looked at
};

static void expect(struct table *table, const char *fact, enum status is, const struct answer_line *want)
{
    const char *head = table_row(table, PLACE_HEAD, "", stock_shape());
    cr_expect_eq(is, want->status, "%s: %s", fact, status_name(is));
    cr_expect_str_eq(table_reply(table), want->reply, "%s: %s", fact, table_reply(table));
    cr_expect_str_eq(table_effects(table), want->effects, "%s: %s", fact, table_effects(table));
    if (want->head)
        cr_expect_str_eq(head, want->head, "%s: %s", fact, head);
}

// ---- receive and adjust

#define LEVEL(on_hand, reserved, received, adjusted, short, version, stop)                                             \
    "{on_hand: " #on_hand ", reserved: " #reserved ", received: " #received ", restocked: 0, adjusted: " #adjusted     \
    ", committed: 0, committed_orders: 0, short: " #short ", version: " #version ", next_due: 0, stop_sale: " #stop    \
                                                          "}"

Test(stock, receive)
{
    static const struct stock full = {.on_hand = COUNTER_MAX, .received = COUNTER_MAX, .version = 1};
    static const struct {
        const char *fact;
        struct scene scene;
        int64_t quantity;
        struct answer_line want;
    } lines[] = {
        {"too late", {&ten, .late = true}, 5, {STATUS_too_late, "", "", LEVEL(10, 0, 10, 0, 0, 3, false)}},
        {"beyond counting",
         {&full},
         1,
         {STATUS_invalid, "{field: quantity, message: this SKU cannot count that many}", ""}},
        {"first",
         {NULL},
         5,
         {STATUS_ok, "{on_hand: 5, available: 5, version: 1}",
          "put head; event stock_changed {on_hand: 5, available: 5}", LEVEL(5, 0, 5, 0, 0, 1, false)}},
        {"more",
         {&two_held},
         5,
         {STATUS_ok, "{on_hand: 15, available: 13, version: 4}",
          "put head; event stock_changed {on_hand: 15, available: 13}", LEVEL(15, 2, 15, 0, 0, 4, false)}},
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct table table;
        arrange(&table, &lines[i].scene, false);
        struct inventory_receive body = {.quantity = lines[i].quantity};
        expect(&table, lines[i].fact, table_run(&table, MESSAGE_inventory_receive, &body), &lines[i].want);
        table_deinit(&table);
    }
}

#define DELTA(change) .delta = (change), .has_delta = true
#define ON_HAND(count) .on_hand = (count), .has_on_hand = true
#define EXPECTED(version) .expected_version = (version), .has_expected_version = true
#define STOP .stop_sale = true, .has_stop_sale = true
#define BECAUSE .reason = BYTES("count")
#define EITHER "{field: delta, message: give exactly one of `delta` and `on_hand`}"
#define BELOW_ZERO "{field: delta, message: on hand would fall below 0 or pass what a SKU can count}"
#define PUT(on_hand, available) "put head; event stock_changed {on_hand: " #on_hand ", available: " #available "}"
#define SAID(on_hand, available, version) "{on_hand: " #on_hand ", available: " #available ", version: " #version "}"

Test(stock, adjust)
{
    static const struct stock stopped = {
        .on_hand = 1, .reserved = 2, .received = 10, .adjusted = -9, .version = 3, .stop_sale = true};
    static const struct stock promised = {.on_hand = 1, .reserved = 9, .received = 1, .version = 3, .stop_sale = true};
    static const struct {
        const char *fact;
        struct scene scene;
        struct inventory_adjust body;
        struct answer_line want;
    } lines[] = {
        {"too late", {&ten, .late = true}, {DELTA(1), BECAUSE}, {STATUS_too_late, "", ""}},
        {"neither", {&ten}, {BECAUSE}, {STATUS_invalid, EITHER, ""}},
        {"both", {&ten}, {DELTA(1), ON_HAND(1), BECAUSE}, {STATUS_invalid, EITHER, ""}},
        {"unknown, down", {NULL}, {DELTA(-1), BECAUSE}, {STATUS_not_found, "", "", ""}},
        {"other version",
         {&ten},
         {DELTA(1), EXPECTED(2), BECAUSE},
         {STATUS_version_mismatch, "{message: the record is at `version`, version: 3}", ""}},
        {"must not exist",
         {&ten},
         {DELTA(1), EXPECTED(0), BECAUSE},
         {STATUS_version_mismatch, "{message: the record is at `version`, version: 3}", ""}},
        {"should exist",
         {NULL},
         {ON_HAND(4), EXPECTED(1), BECAUSE},
         {STATUS_version_mismatch, "{message: the record is at `version`, version: 0}", ""}},
        {"below zero", {&ten}, {DELTA(-11), BECAUSE}, {STATUS_invalid, BELOW_ZERO, ""}},
        {"below zero, stopped", {&ten}, {DELTA(-11), STOP, BECAUSE}, {STATUS_invalid, BELOW_ZERO, ""}},
        {"below reserved",
         {&two_held},
         {ON_HAND(1), BECAUSE},
         {STATUS_below_reserved, "{message: on hand would fall below `reserved`, by `short`; stop_sale means to, reserved: 2, short: 1}", "",
          LEVEL(10, 2, 10, 0, 0, 3, false)}},
        {"below reserved by delta",
         {&two_held},
         {DELTA(-10), BECAUSE},
         {STATUS_below_reserved, "{message: on hand would fall below `reserved`, by `short`; stop_sale means to, reserved: 2, short: 2}", ""}},
        {"below reserved, stop refused",
         {&two_held},
         {ON_HAND(1), .has_stop_sale = true, BECAUSE},
         {STATUS_below_reserved, "{message: on hand would fall below `reserved`, by `short`; stop_sale means to, reserved: 2, short: 1}", ""}},
        {"stopped by it",
         {&two_held},
         {ON_HAND(1), STOP, BECAUSE},
         {STATUS_ok, SAID(1, 0, 4), PUT(1, 0), LEVEL(1, 2, 10, -9, 0, 4, true)}},
        {"a stop without need stops nothing",
         {&two_held},
         {ON_HAND(3), STOP, BECAUSE},
         {STATUS_ok, SAID(3, 1, 4), PUT(3, 1), LEVEL(3, 2, 10, -7, 0, 4, false)}},
        {"better is never refused",
         {&promised},
         {DELTA(3), BECAUSE},
         {STATUS_ok, SAID(4, 0, 4), PUT(4, 0), LEVEL(4, 9, 1, 3, 0, 4, true)}},
        {"the stop ends",
         {&stopped},
         {DELTA(1), BECAUSE},
         {STATUS_ok, SAID(2, 0, 4), PUT(2, 0), LEVEL(2, 2, 10, -8, 0, 4, false)}},
        {"down to reserved",
         {&two_held},
         {ON_HAND(2), EXPECTED(3), BECAUSE},
         {STATUS_ok, SAID(2, 0, 4), PUT(2, 0), LEVEL(2, 2, 10, -8, 0, 4, false)}},
        {"created by a count",
         {NULL},
         {ON_HAND(4), EXPECTED(0), BECAUSE},
         {STATUS_ok, SAID(4, 4, 1), PUT(4, 4), LEVEL(4, 0, 0, 4, 0, 1, false)}},
        {"created by a delta",
         {NULL},
         {DELTA(4), BECAUSE},
         {STATUS_ok, SAID(4, 4, 1), PUT(4, 4), LEVEL(4, 0, 0, 4, 0, 1, false)}},
        {"created empty",
         {NULL},
         {DELTA(0), BECAUSE},
         {STATUS_ok, SAID(0, 0, 1), PUT(0, 0), LEVEL(0, 0, 0, 0, 0, 1, false)}},
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct table table;
        arrange(&table, &lines[i].scene, false);
        expect(&table, lines[i].fact, table_run(&table, MESSAGE_inventory_adjust, &lines[i].body), &lines[i].want);
        table_deinit(&table);
    }
}

// Ten were committed, seven of them were there: three are owed.
Test(stock, what_is_owed_is_paid_before_anything_is_sold)
{
    static const struct stock owing = {.received = 7, .committed = 10, .short_ = 3, .version = 3};
    static const struct {
        const char *fact;
        int64_t received;
        struct inventory_adjust body;
        int64_t on_hand, short_;
    } lines[] = {
        {"receive", 5, {0}, 2, 0},
        {"receive too few", 2, {0}, 0, 1},
        {"delta", 0, {DELTA(5), BECAUSE}, 2, 0},
        {"a count of five", 0, {ON_HAND(5), BECAUSE}, 2, 0},
        {"a count of two", 0, {ON_HAND(2), BECAUSE}, 0, 1},
        {"a count of nothing pays nothing", 0, {ON_HAND(0), BECAUSE}, 0, 3},
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct table table;
        struct stock stock;
        arrange(&table, &(struct scene){&owing}, false);
        if (lines[i].received)
            table_run(&table, MESSAGE_inventory_receive, &(struct inventory_receive){.quantity = lines[i].received});
        else
            table_run(&table, MESSAGE_inventory_adjust, &lines[i].body);
        cr_assert(table_read(&table, PLACE_HEAD, "", stock_shape(), &stock));
        cr_expect_eq(stock.on_hand, lines[i].on_hand, "%s: %" PRId64, lines[i].fact, stock.on_hand);
        cr_expect_eq(stock.short_, lines[i].short_, "%s: %" PRId64, lines[i].fact, stock.short_);
        table_deinit(&table);
    }
}

// ---- reserve

#define RESERVE(count) .reservation_id = BYTES("R1"), .quantity = (count)
#define TTL(ms) .ttl_ms = (ms), .has_ttl_ms = true
#define SHORTAGE(requested, available)                                                                                 \
    "{message: not enough is available; `shortages` lists it, shortages: [{sku: mug, requested: " #requested           \
    ", available: " #available "}]}"
#define FIRST "{expires_at: 1700000900000000, available: 8}"
#define OTHER(name)                                                                                                    \
    "{field: " #name ", message: this reservation_id was used with other content; `field` names what differs}"
#define RESERVED(reserved, next_due)                                                                                   \
    "{on_hand: 10, reserved: " #reserved ", received: 10, restocked: 0, adjusted: 0, committed: 0, "                   \
    "committed_orders: 0, short: 0, version: 3, next_due: " #next_due ", stop_sale: false}"

Test(stock, reserve_by_a_client)
{
    static const struct stock due_soon = {.on_hand = 10, .received = 10, .version = 3, .next_due = TABLE_AT + 5};
    static const struct stock due_later = {
        .on_hand = 10, .received = 10, .version = 3, .next_due = TABLE_AT + 1000000000};
    static const struct {
        const char *fact;
        struct scene scene;
        struct inventory_reserve body;
        struct answer_line want;
    } lines[] = {
        {"again, held", {&two_held, "held"}, {RESERVE(2)}, {STATUS_ok, FIRST, ""}},
        {"again, late", {&two_held, "held", .late = true}, {RESERVE(2)}, {STATUS_ok, FIRST, ""}},
        {"again, committed", {&ten, "committed"}, {RESERVE(2)}, {STATUS_ok, FIRST, ""}},
        {"again, released", {&ten, "released"}, {RESERVE(2)}, {STATUS_ok, FIRST, ""}},
        {"again, expired", {&ten, "expired"}, {RESERVE(2)}, {STATUS_ok, FIRST, ""}},
        {"other quantity", {&two_held, "held"}, {RESERVE(3)}, {STATUS_reservation_exists, OTHER(quantity), ""}},
        {"other ttl", {&two_held, "held"}, {RESERVE(2), TTL(900000)}, {STATUS_reservation_exists, OTHER(ttl_ms), ""}},
        {"both differ", {&ten, "expired"}, {RESERVE(3), TTL(5)}, {STATUS_reservation_exists, OTHER(quantity), ""}},
        {"unknown SKU", {NULL}, {RESERVE(1)}, {STATUS_not_found, "", "", ""}},
        {"unknown SKU, late", {NULL, .late = true}, {RESERVE(1)}, {STATUS_too_late, "", "", ""}},
        {"too late", {&ten, .late = true}, {RESERVE(1)}, {STATUS_too_late, "", "", RESERVED(0, 0)}},
        {"not enough", {&two_held}, {RESERVE(9)}, {STATUS_insufficient_stock, SHORTAGE(9, 8), "", RESERVED(2, 0)}},
        {"all there is",
         {&two_held},
         {RESERVE(8)},
         {STATUS_ok, "{expires_at: 1700000900000000, available: 0}",
          "due cR1 1700000900000000; put head; put child cR1", RESERVED(10, 1700000900000000)}},
        {"for as long as asked",
         {&ten},
         {RESERVE(2), TTL(1)},
         {STATUS_ok, "{expires_at: 1700000000001000, available: 8}",
          "due cR1 1700000000001000; put head; put child cR1", RESERVED(2, 1700000000001000)}},
        {"an earlier deadline stands",
         {&due_soon},
         {RESERVE(2)},
         {STATUS_ok, FIRST, "due cR1 1700000900000000; put head; put child cR1", RESERVED(2, 1700000000000005)}},
        {"a later deadline is overtaken",
         {&due_later},
         {RESERVE(2)},
         {STATUS_ok, FIRST, "due cR1 1700000900000000; put head; put child cR1", RESERVED(2, 1700000900000000)}},
        {"an order's hold of that name is another",
         {&two_held, .orders = true},
         {RESERVE(1)},
         {STATUS_ok, "{expires_at: 1700000900000000, available: 7}",
          "due cR1 1700000900000000; put head; put child cR1"}},
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct table table;
        arrange(&table, &lines[i].scene, false);
        expect(&table, lines[i].fact, table_run(&table, MESSAGE_inventory_reserve, &lines[i].body), &lines[i].want);
        table_deinit(&table);
    }
}

Test(stock, reserve_by_an_order)
{
    static const struct {
        const char *fact;
        struct scene scene;
        struct inventory_reserve body;
        struct answer_line want;
    } lines[] = {
        {"again", {&two_held, "held"}, {RESERVE(2)}, {STATUS_ok, "{available: 8}", ""}},
        {"after it came back", {&ten, "restocked"}, {RESERVE(2)}, {STATUS_ok, "{available: 8}", ""}},
        {"unknown SKU", {NULL}, {RESERVE(1)}, {STATUS_not_found, "", "", ""}},
        {"not enough", {&two_held}, {RESERVE(9)}, {STATUS_insufficient_stock, SHORTAGE(9, 8), ""}},
        {"held without a deadline",
         {&ten},
         {RESERVE(2)},
         {STATUS_ok, "{available: 8}", "put head; put child oR1", RESERVED(2, 0)}},
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct table table;
        arrange(&table, &lines[i].scene, true);
        expect(&table, lines[i].fact, table_run(&table, MESSAGE_inventory_reserve, &lines[i].body), &lines[i].want);
        table_deinit(&table);
    }
}

Test(stock, an_order_speaks_for_itself_only, .signal = SIGABRT)
{
    struct table table;
    arrange(&table, &(struct scene){&ten}, true);
    table_run(&table, MESSAGE_inventory_reserve,
              &(struct inventory_reserve){.reservation_id = BYTES("R2"), .quantity = 1});
}

// ---- commit, release, extend

#define STATE(state, available) "{state: " #state ", available: " #available "}"
#define ENDED(reserved, on_hand, committed, orders)                                                                    \
    "{on_hand: " #on_hand ", reserved: " #reserved ", received: 10, restocked: 0, adjusted: 0, committed: " #committed \
    ", committed_orders: " #orders ", short: 0, version: 3, next_due: 0, stop_sale: false}"

struct end_line {
    const char *fact;
    struct scene scene;
    struct answer_line want;
};

static void expect_ends(enum message_type type, bool by_order, const struct end_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct table table;
        arrange(&table, &lines[i].scene, by_order);
        struct reservation_ref body = {.reservation_id = BYTES("R1")};
        expect(&table, lines[i].fact, table_run(&table, type, &body), &lines[i].want);
        table_deinit(&table);
    }
}

Test(stock, commit_by_a_client)
{
    static const struct end_line lines[] = {
        {"again", {&ten, "committed"}, {STATUS_ok, STATE(committed, 5), ""}},
        {"again, late", {&ten, "committed", .late = true}, {STATUS_ok, STATE(committed, 5), ""}},
        {"of a released one", {&ten, "released"}, {STATUS_reservation_released, "", ""}},
        {"of an expired one", {&ten, "expired"}, {STATUS_reservation_expired, "", ""}},
        {"of a released one, late", {&ten, "released", .late = true}, {STATUS_reservation_released, "", ""}},
        {"of an order's", {&two_held, .orders = true}, {STATUS_not_owner, "", ""}},
        {"of an order's, late", {&two_held, .orders = true, .late = true}, {STATUS_not_owner, "", ""}},
        {"of none, late", {&ten, .late = true}, {STATUS_too_late, "", ""}},
        {"of none", {&ten}, {STATUS_reservation_not_found, "", ""}},
        {"of an unknown SKU", {NULL}, {STATUS_not_found, "", "", ""}},
        {"too late", {&two_held, "held", .late = true}, {STATUS_too_late, "", "", ENDED(2, 10, 0, 0)}},
        {"of a live one",
         {&two_held, "held"},
         {STATUS_ok, STATE(committed, 8), "put head; put child cR1; event stock_changed {on_hand: 8, available: 8}",
          ENDED(0, 8, 2, 0)}},
        {"its own, beside an order's",
         {&two_held, "held", .orders = true},
         {STATUS_ok, STATE(committed, 8), "put head; put child cR1; event stock_changed {on_hand: 8, available: 8}"}},
    };
    expect_ends(MESSAGE_inventory_commit, false, lines, COUNT_OF(lines));
}

Test(stock, release_by_a_client)
{
    static const struct end_line lines[] = {
        {"again", {&ten, "released"}, {STATUS_ok, STATE(released, 5), ""}},
        {"of a committed one", {&ten, "committed"}, {STATUS_reservation_committed, "", ""}},
        {"of an expired one", {&ten, "expired"}, {STATUS_reservation_expired, "", ""}},
        {"of an order's", {&two_held, .orders = true}, {STATUS_not_owner, "", ""}},
        {"of none", {&ten}, {STATUS_reservation_not_found, "", ""}},
        {"of an unknown SKU", {NULL}, {STATUS_not_found, "", "", ""}},
        {"too late", {&two_held, "held", .late = true}, {STATUS_too_late, "", "", ENDED(2, 10, 0, 0)}},
        {"of a live one",
         {&two_held, "held"},
         {STATUS_ok, STATE(released, 10), "put head; put child cR1", ENDED(0, 10, 0, 0)}},
    };
    expect_ends(MESSAGE_inventory_release, false, lines, COUNT_OF(lines));
}

Test(stock, commit_by_an_order)
{
    static const struct end_line lines[] = {
        {"again", {&ten, NULL}, {STATUS_ok, STATE(committed, 10), ""}},
        {"after it came back", {&ten, "restocked"}, {STATUS_ok, STATE(committed, 10), ""}},
        {"of a live one",
         {&two_held, "held"},
         {STATUS_ok, STATE(committed, 8), "put head; delete child oR1; event stock_changed {on_hand: 8, available: 8}",
          ENDED(0, 8, 2, 2)}},
    };
    expect_ends(MESSAGE_inventory_commit, true, lines, COUNT_OF(lines));
}

Test(stock, release_by_an_order)
{
    static const struct end_line lines[] = {
        {"again", {&ten, NULL}, {STATUS_ok, STATE(released, 10), ""}},
        {"unknown SKU", {NULL, NULL}, {STATUS_ok, STATE(released, 0), ""}},
        {"of a live one",
         {&two_held, "held"},
         {STATUS_ok, STATE(released, 10), "put head; delete child oR1", ENDED(0, 10, 0, 0)}},
    };
    expect_ends(MESSAGE_inventory_release, true, lines, COUNT_OF(lines));
}

Test(stock, extend)
{
    static const struct stock due = {
        .on_hand = 10, .reserved = 2, .received = 10, .version = 3, .next_due = TABLE_AT + 900000000};
    static const struct {
        const char *fact;
        struct scene scene;
        int64_t ttl_ms;
        struct answer_line want;
    } lines[] = {
        {"of a committed one", {&ten, "committed"}, 1, {STATUS_reservation_committed, "", ""}},
        {"of a released one", {&ten, "released"}, 1, {STATUS_reservation_released, "", ""}},
        {"of an expired one", {&ten, "expired"}, 1, {STATUS_reservation_expired, "", ""}},
        {"of an order's", {&two_held, .orders = true}, 1, {STATUS_not_owner, "", ""}},
        {"of none", {&ten}, 1, {STATUS_reservation_not_found, "", ""}},
        {"of none, late", {&ten, .late = true}, 1, {STATUS_too_late, "", ""}},
        {"of an unknown SKU", {NULL}, 1, {STATUS_not_found, "", "", ""}},
        {"too late", {&due, "held", .late = true}, 1, {STATUS_too_late, "", ""}},
        {"longer",
         {&due, "held"},
         2000000,
         {STATUS_ok, "{state: held, available: 8, expires_at: 1700002000000000}",
          "due cR1 1700002000000000; put child cR1", RESERVED(2, 1700000900000000)}},
        {"shorter",
         {&due, "held"},
         5,
         {STATUS_ok, "{state: held, available: 8, expires_at: 1700000000005000}",
          "due cR1 1700000000005000; put child cR1; put head", RESERVED(2, 1700000000005000)}},
    };
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct table table;
        arrange(&table, &lines[i].scene, false);
        struct inventory_extend body = {.reservation_id = BYTES("R1"), .ttl_ms = lines[i].ttl_ms};
        expect(&table, lines[i].fact, table_run(&table, MESSAGE_inventory_extend, &body), &lines[i].want);
        table_deinit(&table);
    }
}

static enum status reserve(struct table *table, const char *id, int64_t quantity)
{
    struct inventory_reserve body = {.reservation_id = bytes_text(id), .quantity = quantity};
    return table_meet(table, MESSAGE_inventory_reserve, &body);
}

static enum status finish(struct table *table, enum message_type type, const char *id)
{
    return table_meet(table, type, &(struct reservation_ref){.reservation_id = bytes_text(id)});
}

static enum status commit(struct table *table, const char *id)
{
    return finish(table, MESSAGE_inventory_commit, id);
}

static enum status release(struct table *table, const char *id)
{
    return finish(table, MESSAGE_inventory_release, id);
}

static enum status extend(struct table *table, const char *id, int64_t ttl_ms)
{
    return table_meet(table, MESSAGE_inventory_extend,
                      &(struct inventory_extend){.reservation_id = bytes_text(id), .ttl_ms = ttl_ms});
}

static enum status receive(struct table *table, int64_t quantity)
{
    table_as_client(table);
    return table_meet(table, MESSAGE_inventory_receive, &(struct inventory_receive){.quantity = quantity});
}

static struct stock stock_now(struct table *table)
{
    struct stock stock;
    cr_assert(table_read(table, PLACE_HEAD, "", stock_shape(), &stock));
    return stock;
}

static void shelf(struct table *table, int64_t quantity)
{
    table_init(table, &kind_inventory, "mug");
    receive(table, quantity);
}

Test(stock, an_end_answers_as_the_first_time)
{
    struct table table;
    shelf(&table, 10);
    reserve(&table, "R1", 3);
    const char *reserved = table_reply(&table);
    commit(&table, "R1");
    const char *committed = table_reply(&table);
    reserve(&table, "R2", 4);
    receive(&table, 100);
    cr_expect_eq(commit(&table, "R1"), STATUS_ok);
    cr_expect_str_eq(table_reply(&table), committed);
    cr_expect_eq(reserve(&table, "R1", 3), STATUS_ok);
    cr_expect_str_eq(table_reply(&table), reserved);
    release(&table, "R2");
    const char *released = table_reply(&table);
    receive(&table, 100);
    cr_expect_eq(release(&table, "R2"), STATUS_ok);
    cr_expect_str_eq(table_reply(&table), released);
    table_deinit(&table);
}

Test(stock, an_extended_hold_outlives_its_first_deadline)
{
    struct table table;
    shelf(&table, 1);
    reserve(&table, "R1", 1);
    table.at += 800000000;
    cr_expect_eq(extend(&table, "R1", 900000), STATUS_ok);
    table.at += 200000000; // the first deadline has passed
    cr_expect_eq(reserve(&table, "R2", 1), STATUS_insufficient_stock);
    cr_expect_eq(extend(&table, "R1", 1), STATUS_ok, "and may be cut short");
    table.at += 1000;
    cr_expect_eq(reserve(&table, "R2", 1), STATUS_ok);
    cr_expect_eq(extend(&table, "R1", 900000), STATUS_reservation_expired);
    table_deinit(&table);
}

Test(stock, an_ended_hold_is_forgotten_after_a_day)
{
    struct table table;
    shelf(&table, 5);
    reserve(&table, "R1", 1);
    release(&table, "R1");
    table.at += 24 * 3600 * INT64_C(1000000) - 1;
    cr_expect_eq(commit(&table, "R1"), STATUS_reservation_released);
    table.at += 1;
    cr_expect_eq(commit(&table, "R1"), STATUS_reservation_not_found);
    cr_expect_eq(reserve(&table, "R1", 2), STATUS_ok, "the name is free again");
    table_deinit(&table);
}

Test(stock, an_orders_hold_never_expires)
{
    struct table table;
    shelf(&table, 1);
    table_as(&table, KIND_ORDER, "A");
    cr_expect_eq(reserve(&table, "A", 1), STATUS_ok);
    table.at += INT64_C(365) * 24 * 3600 * 1000000;
    table_as_client(&table);
    cr_expect_eq(reserve(&table, "R1", 1), STATUS_insufficient_stock);
    table_as(&table, KIND_ORDER, "A");
    cr_expect_eq(commit(&table, "A"), STATUS_ok);
    cr_expect_eq(stock_now(&table).committed_orders, 1);
    table_deinit(&table);
}

// ---- restock

Test(stock, goods_of_a_cancelled_order_come_back_once)
{
    struct table table;
    shelf(&table, 10);
    table_as(&table, KIND_ORDER, "A");
    reserve(&table, "A", 4);
    commit(&table, "A");
    struct inventory_restock body = {.reservation_id = BYTES("A"), .quantity = 4};
    cr_expect_eq(table_meet(&table, MESSAGE_inventory_restock, &body), STATUS_ok);
    cr_expect_str_eq(table_effects(&table), "put head; put child oA; event stock_changed {on_hand: 10, available: 10}");
    for (int again = 0; again < 3; again++) {
        table.at += 48 * 3600 * INT64_C(1000000); // it is known for ever
        cr_expect_eq(table_meet(&table, MESSAGE_inventory_restock, &body), STATUS_ok);
        cr_expect_str_eq(table_effects(&table), "");
    }
    cr_expect_eq(stock_now(&table).on_hand, 10);
    cr_expect_eq(stock_now(&table).restocked, 4);
    cr_expect_eq(stock_now(&table).committed_orders, 4);
    table_deinit(&table);
}

Test(stock, clients_do_not_restock, .signal = SIGABRT)
{
    struct table table;
    shelf(&table, 10);
    table_run(&table, MESSAGE_inventory_restock,
              &(struct inventory_restock){.reservation_id = BYTES("A"), .quantity = 4});
}

Test(stock, only_the_runtime_lets_holds_expire, .signal = SIGABRT)
{
    struct table table;
    shelf(&table, 10);
    table_run(&table, MESSAGE_inventory_expire, &(struct inventory_expire){.until = TABLE_AT});
}

// ---- reading

Test(stock, get)
{
    static const struct stock all = {.on_hand = 4,
                                     .reserved = 3,
                                     .received = 20,
                                     .restocked = 2,
                                     .adjusted = -5,
                                     .committed = 13,
                                     .committed_orders = 12,
                                     .version = 9};
    struct table table;
    arrange(&table, &(struct scene){&all}, false);
    cr_expect_eq(table_run(&table, MESSAGE_inventory_get, NULL), STATUS_ok);
    cr_expect_str_eq(table_reply(&table),
                     "{on_hand: 4, reserved: 3, available: 1, received: 20, restocked: 2, adjusted: -5, committed: 13, "
                     "committed_orders: 12, short: 0, version: 9}");
    cr_expect_str_eq(table_effects(&table), "");
    table_deinit(&table);
    arrange(&table, &(struct scene){NULL}, false);
    cr_expect_eq(table_run(&table, MESSAGE_inventory_get, NULL), STATUS_not_found);
    table_deinit(&table);
}

Test(stock, holds_lists_the_live_ones_page_by_page)
{
    struct table table;
    shelf(&table, 100);
    cr_expect_eq(table_run(&table, MESSAGE_inventory_holds, NULL), STATUS_ok);
    cr_expect_str_eq(table_reply(&table), "{holds: []}");
    reserve(&table, "R1", 1);
    reserve(&table, "R2", 2);
    reserve(&table, "R3", 3);
    release(&table, "R1");
    commit(&table, "R3");
    table_as(&table, KIND_ORDER, "A");
    reserve(&table, "A", 4);
    table_as_client(&table);

    cr_expect_eq(table_run(&table, MESSAGE_inventory_holds, NULL), STATUS_ok);
    cr_expect_str_eq(table_reply(&table),
                     "{holds: [{reservation_id: R2, quantity: 2, owner: client, expires_at: 1700000900000000}, "
                     "{reservation_id: A, quantity: 4, owner: order/A}]}");
    table.page_rows = 1;
    static const char *const pages[][2] = {
        {"", "{holds: [], next: cR1}"},
        {"cR1", "{holds: [{reservation_id: R2, quantity: 2, owner: client, expires_at: 1700000900000000}], next: cR2}"},
        {"cR2", "{holds: [], next: cR3}"},
        {"cR3", "{holds: [{reservation_id: A, quantity: 4, owner: order/A}]}"},
    };
    for (size_t i = 0; i < COUNT_OF(pages); i++) {
        struct inventory_holds body = {.after = bytes_text(pages[i][0]), .has_after = i > 0};
        cr_expect_eq(table_run(&table, MESSAGE_inventory_holds, &body), STATUS_ok);
        cr_expect_str_eq(table_reply(&table), pages[i][1], "page %zu: %s", i, table_reply(&table));
    }
    table_deinit(&table);
}

Test(stock, holds_of_an_unknown_sku_are_not_found)
{
    struct table table;
    table_init(&table, &kind_inventory, "mug");
    cr_expect_eq(table_run(&table, MESSAGE_inventory_holds, NULL), STATUS_not_found);
    table_deinit(&table);
}

// ---- budget (DESIGN §6)

Test(stock, a_hold_costs_two_puts_whatever_the_sku_has_seen)
{
    struct table table;
    shelf(&table, 1000000);
    for (int i = 0; i < 300; i++) {
        const char *id = arena_format(&table.texts, "R%d", i);
        table_as_client(&table);
        cr_assert_eq(reserve(&table, id, 1), STATUS_ok);
        cr_assert_eq(table_writes(&table), 2);
        cr_assert_eq(table.effects.count, 3, "and one deadline");
        if (i % 3 == 0)
            cr_assert(release(&table, id) == STATUS_ok && table_writes(&table) == 2);
        table_as(&table, KIND_ORDER, id);
        cr_assert_eq(reserve(&table, id, 1), STATUS_ok);
        cr_assert_eq(table_writes(&table), 2);
        cr_assert_eq(table.effects.count, 2, "and no deadline");
        cr_assert_eq(i % 2 ? commit(&table, id) : release(&table, id), STATUS_ok);
        cr_assert_eq(table_writes(&table), 2);
    }
    table_deinit(&table);
}

Test(stock, a_message_needs_what_it_takes)
{
    struct inventory_reserve body = {.quantity = 7};
    cr_expect_eq(kind_inventory.due_need(message_by_number(MESSAGE_inventory_reserve), &body), 7);
    cr_expect_eq(kind_inventory.due_need(message_by_number(MESSAGE_inventory_get), &(struct empty){}), 0);
    cr_expect_eq(kind_inventory.due_need(message_by_number(MESSAGE_inventory_commit), &body), 0);
}

// ---- what went wrong in other shops

// FAILURES 2: `reserved` went negative and nothing could repair it (medusa #12401).
Test(stock, reserved_never_goes_negative)
{
    struct table table;
    shelf(&table, 10);
    reserve(&table, "R1", 3);
    reserve(&table, "R2", 3);
    cr_expect_eq(release(&table, "R1"), STATUS_ok);
    cr_expect_eq(release(&table, "R1"), STATUS_ok);
    cr_expect_eq(stock_now(&table).reserved, 3, "released twice");
    cr_expect_eq(commit(&table, "R2"), STATUS_ok);
    cr_expect_eq(release(&table, "R2"), STATUS_reservation_committed);
    cr_expect_eq(commit(&table, "R2"), STATUS_ok);
    cr_expect_eq(stock_now(&table).reserved, 0, "committed twice, and released after");
    cr_expect_eq(stock_now(&table).on_hand, 7);
    table_as(&table, KIND_ORDER, "A");
    reserve(&table, "A", 2);
    cr_expect_eq(commit(&table, "A"), STATUS_ok);
    cr_expect_eq(commit(&table, "A"), STATUS_ok);
    cr_expect_eq(release(&table, "A"), STATUS_ok);
    cr_expect_eq(stock_now(&table).reserved, 0);
    cr_expect_eq(stock_now(&table).committed, 5);
    table_deinit(&table);
}

// FAILURES 3: stock sold out between cart and pay still sells (vendure #1738, #3508).
Test(stock, a_person_may_set_on_hand_below_reserved_while_orders_are_in_flight)
{
    struct table table;
    shelf(&table, 5);
    table_as(&table, KIND_ORDER, "A");
    reserve(&table, "A", 3);
    table_as_client(&table);
    struct inventory_adjust adjust = {ON_HAND(1), BECAUSE};
    cr_expect_eq(table_meet(&table, MESSAGE_inventory_adjust, &adjust), STATUS_below_reserved);
    adjust.stop_sale = adjust.has_stop_sale = true;
    cr_expect_eq(table_meet(&table, MESSAGE_inventory_adjust, &adjust), STATUS_ok);
    cr_expect_eq(reserve(&table, "R1", 1), STATUS_insufficient_stock, "nothing new is held");
    table_as(&table, KIND_ORDER, "A");
    cr_expect_eq(commit(&table, "A"), STATUS_ok, "what was promised is kept");
    cr_expect_eq(stock_now(&table).on_hand, 0);
    cr_expect_eq(stock_now(&table).short_, 2);
    receive(&table, 2);
    cr_expect_eq(reserve(&table, "R1", 1), STATUS_insufficient_stock, "what is owed is paid first");
    receive(&table, 1);
    cr_expect_eq(reserve(&table, "R1", 1), STATUS_ok);
    table_deinit(&table);
}

// FAILURES 9: an expired reservation takes minutes to come back.
Test(stock, an_expired_hold_never_blocks_a_buyer)
{
    struct table table;
    shelf(&table, 1);
    reserve(&table, "R1", 1);
    table.at += 900000000 - 1;
    cr_expect_eq(reserve(&table, "R2", 1), STATUS_insufficient_stock);
    table.at += 1;
    cr_expect_eq(reserve(&table, "R2", 1), STATUS_ok, "at the very microsecond");
    cr_expect_eq(commit(&table, "R1"), STATUS_reservation_expired);
    cr_expect_eq(release(&table, "R1"), STATUS_reservation_expired);
    table_deinit(&table);
}

Test(stock, a_buyer_ends_no_more_holds_than_needed)
{
    struct table table;
    shelf(&table, 10);
    for (int i = 0; i < 10; i++) {
        table.at++;
        reserve(&table, arena_format(&table.texts, "R%d", i), 1);
    }
    table.at += 900000000;
    cr_expect_eq(reserve(&table, "S", 3), STATUS_ok);
    cr_expect_eq(stock_now(&table).reserved, 10, "three of ten ended");
    cr_expect_eq(commit(&table, "R3"), STATUS_reservation_expired, "but whoever is due is never committed");
    cr_expect_eq(stock_now(&table).reserved, 3);
    table_deinit(&table);
}
