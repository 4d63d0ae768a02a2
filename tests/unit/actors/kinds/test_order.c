// SPDX-License-Identifier: Apache-2.0
// One order on a table: every cell of order_steps.def, then each step's decisions. How it acts with the others:
// test_checkout.c.
#include "actors/kinds/order.h"

#include "tests/unit/actors/kinds/table.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define GBP(pence) ((struct money){pence, "GBP"})
#define MINUTE INT64_C(60000000)

// ---- what is said to an order

static struct order_line line(const char *sku, int64_t quantity, int64_t pence)
{
    return (struct order_line){
        .sku = bytes_text(sku), .quantity = quantity, .unit_price = GBP(pence), .has_unit_price = pence >= 0};
}

static struct order_place order_of(struct order_line *lines, uint32_t count)
{
    return (struct order_place){.user_id = BYTES("u1"),
                                .payment_method = BYTES("pm_card_visa"),
                                .lines = lines,
                                .lines_count = count,
                                .has_lines = true};
}

static enum status place(struct table *table, const struct order_place *body)
{
    table_as_client(table);
    return table_run(table, MESSAGE_order_place, body);
}

static enum status place_one(struct table *table)
{
    struct order_line lines[] = {line("mug", 2, 500)};
    struct order_place body = order_of(lines, 1);
    return place(table, &body);
}

static enum status answer(struct table *table, enum message_type re, const char *key, const char *status,
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

static enum status acknowledged(struct table *table, enum message_type re, const char *key)
{
    return answer(table, re, key, "ok", NULL, NULL);
}

static enum status priced(struct table *table, const char *sku, struct money price, bool active)
{
    return answer(table, MESSAGE_catalog_price, sku, "ok", catalog_price_reply_shape(),
                  &(struct catalog_price_reply){.price = price, .active = active});
}

static enum status short_of(struct table *table, const char *sku, int64_t available)
{
    struct shortage shortage = {.sku = bytes_text(sku), .requested = 1, .available = available};
    return answer(table, MESSAGE_inventory_reserve, sku, "insufficient_stock", order_shortages_shape(),
                  &(struct order_shortages){.shortages = &shortage, .shortages_count = 1, .has_shortages = true});
}

static enum status note(struct table *table, const char *state)
{
    table_as(table, KIND_PAYMENT, "O1");
    return table_run(table, MESSAGE_order_payment, &(struct payment_note){.state = bytes_text(state)});
}

static enum status wake(struct table *table)
{
    table_as_runtime(table);
    return table_run(table, MESSAGE_order_wake, &(struct wake){.at = table->at});
}

static enum status cancel(struct table *table, const char *reason)
{
    table_as_client(table);
    return table_run(table, MESSAGE_order_cancel,
                     &(struct order_cancel){.reason = bytes_text(reason ? reason : ""), .has_reason = reason});
}

static enum status ship(struct table *table, const char *tracking)
{
    table_as_client(table);
    return table_run(table, MESSAGE_order_ship,
                     &(struct order_ship){.tracking = bytes_text(tracking ? tracking : ""), .has_tracking = tracking});
}

static enum status say(struct table *table, enum message_type message)
{
    table_as_client(table);
    return table_run(table, message, NULL);
}

static struct order record_of(struct table *table)
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
static void until_paying(struct table *table)
{
    table_init(table, &kind_order, "O1");
    cr_assert_eq(place_one(table), STATUS_ok);
    cr_assert_eq(acknowledged(table, MESSAGE_inventory_reserve, "mug"), STATUS_ok);
}

static void until_confirmed(struct table *table)
{
    until_paying(table);
    note(table, "authorized");
    note(table, "captured");
    acknowledged(table, MESSAGE_inventory_commit, "mug");
    expect_order(table, "settled", "confirmed");
}

// ---- every cell

// A record that stands in this step: two items, from a cart.
static void put_step(struct table *table, enum order_step step, int64_t deadline_at)
{
    static const struct {
        const char *status, *payment, *ending;
        uint8_t waiting, held;
        bool cancel, cart_waiting, cart_held;
    } of[ORDER_STEP_COUNT] = {
        [ORDER_STEP_claiming] = {"created", "none", NULL, 0, 0, false, true, false},
        [ORDER_STEP_pricing] = {"created", "none", NULL, 3, 0, false, false, true},
        [ORDER_STEP_holding] = {"created", "none", NULL, 2, 1, false, false, true},
        [ORDER_STEP_paying] = {"inventory_reserved", "pending", NULL, 0, 3, false, false, true},
        [ORDER_STEP_voiding] = {"inventory_reserved", "pending", "reservation_expired", 0, 3, false, false, true},
        [ORDER_STEP_committing] = {"confirmed", "captured", NULL, 3, 3, false, true, true},
        [ORDER_STEP_refunding] = {"cancelling", "captured", "cancelled", 3, 3, true, true, true},
        [ORDER_STEP_restocking] = {"cancelling", "captured", "cancelled", 3, 0, true, false, false},
        [ORDER_STEP_releasing] = {"created", "none", "out_of_stock", 1, 1, false, true, true},
        [ORDER_STEP_settled] = {"confirmed", "captured", NULL, 0, 0, false, false, false},
    };
    if (step == ORDER_STEP_none)
        return;
    static struct order_line lines[2];
    static struct order_item items[2] = {{BYTES("mug"), .quantity = 2}, {BYTES("tea"), .quantity = 1}};
    static struct amount amounts[1] = {{BYTES("lines"), .amount = {1250, "GBP"}}};
    lines[0] = line("mug", 2, 500);
    lines[1] = line("tea", 1, step == ORDER_STEP_pricing ? -1 : 250);
    struct order_content content = {.user_id = BYTES("u1"),
                                    .payment_method = BYTES("pm_card_visa"),
                                    .cart_id = BYTES("C1"),
                                    .has_cart_id = true,
                                    .lines = lines,
                                    .lines_count = 2,
                                    .items = items,
                                    .items_count = 2};
    bool claiming = step == ORDER_STEP_claiming;
    struct order order = {.step = bytes_text(order_step_name(step)),
                          .status = bytes_text(of[step].status),
                          .payment = bytes_text(of[step].payment),
                          .ending = bytes_text(of[step].ending ? of[step].ending : ""),
                          .has_ending = of[step].ending,
                          .cancel = of[step].cancel,
                          .cart_waiting = of[step].cart_waiting,
                          .cart_held = of[step].cart_held,
                          .created_at = table->at,
                          .asked_at = table->at,
                          .deadline_at = deadline_at,
                          .lines_count = 2,
                          .waiting = bytes_of(&of[step].waiting, !claiming),
                          .held = bytes_of(&of[step].held, !claiming),
                          .total = GBP(1250),
                          .has_total = step != ORDER_STEP_pricing && !claiming,
                          .amounts = amounts,
                          .amounts_count = 1,
                          .content = content,
                          .has_content = claiming};
    table_put(table, step == ORDER_STEP_settled ? PLACE_HEAD : PLACE_OPEN, "", order_shape(), &order, 0);
    if (!claiming)
        table_put(table, PLACE_CHILD, "", order_content_shape(), &content, 0);
}

static void say_claim(struct table *table, const char *status)
{
    static struct cart_line cart_lines[1] = {{BYTES("mug"), .quantity = 2, .added_at = 1}};
    struct cart_snapshot cart = {.lines = cart_lines, .lines_count = 1, .version = 1};
    bool ok = strcmp(status, "ok") == 0;
    answer(table, MESSAGE_cart_claim, "C1", status, ok ? cart_snapshot_shape() : cart_claim_shape(),
           ok ? (const void *)&cart : &(struct cart_claim){.order_id = BYTES("O2")});
}

static void say_item(struct table *table, enum message_type re, const char *status)
{
    if (re == MESSAGE_catalog_price && strcmp(status, "ok") == 0)
        priced(table, "tea", GBP(250), true);
    else
        answer(table, re, "tea", status, NULL, NULL);
}

static void say_event(struct table *table, enum order_event_kind event, const char *status)
{
    struct order_line lines[] = {line("mug", 2, 500)};
    struct order_place body = order_of(lines, 1);
    switch (event) {
    case ORDER_EVENT_place:
        place(table, &body);
        return;
    case ORDER_EVENT_cancel:
        cancel(table, NULL);
        return;
    case ORDER_EVENT_ship:
        ship(table, NULL);
        return;
    case ORDER_EVENT_deliver:
        say(table, MESSAGE_order_deliver);
        return;
    case ORDER_EVENT_claim:
        say_claim(table, status);
        return;
    case ORDER_EVENT_price:
        say_item(table, MESSAGE_catalog_price, status);
        return;
    case ORDER_EVENT_reserve:
        say_item(table, MESSAGE_inventory_reserve, status);
        return;
    case ORDER_EVENT_release:
        say_item(table, MESSAGE_inventory_release, status);
        return;
    case ORDER_EVENT_commit:
        say_item(table, MESSAGE_inventory_commit, status);
        return;
    case ORDER_EVENT_restock:
        say_item(table, MESSAGE_inventory_restock, status);
        return;
    case ORDER_EVENT_unclaim:
        answer(table, MESSAGE_cart_unclaim, "C1", status, NULL, NULL);
        return;
    case ORDER_EVENT_cart_settle:
        answer(table, MESSAGE_cart_settle, "C1", status, NULL, NULL);
        return;
    case ORDER_EVENT_authorized:
        note(table, "authorized");
        return;
    case ORDER_EVENT_action_required:
        note(table, "action_required");
        return;
    case ORDER_EVENT_captured:
        note(table, "captured");
        return;
    case ORDER_EVENT_declined:
        note(table, "declined");
        return;
    case ORDER_EVENT_voided:
        note(table, "voided");
        return;
    case ORDER_EVENT_refunded:
        note(table, "refunded");
        return;
    case ORDER_EVENT_parked:
        note(table, "parked");
        return;
    case ORDER_EVENT_unparked:
        note(table, "unparked");
        return;
    case ORDER_EVENT_deadline:
        table->at += MINUTE / 2;
        wake(table);
        return;
    case ORDER_EVENT_overdue:
        table->at += 2 * MINUTE;
        wake(table);
        return;
    case ORDER_EVENT_resume:
        table_as_runtime(table);
        table_run(table, MESSAGE_order_resume, NULL);
        return;
    case ORDER_EVENT_COUNT:
        break;
    }
    CHECK(false);
}

// The table once more, as words.
static const char *const action_of[ORDER_EVENT_COUNT][ORDER_STEP_COUNT] = {
#define ORDER_EVENT(name, sentence, a, b, c, d, e, f, g, h, i, j, k)                                                   \
    [ORDER_EVENT_##name] = {#a, #b, #c, #d, #e, #f, #g, #h, #i, #j, #k},
#include "actors/kinds/order_steps.def"
#undef ORDER_EVENT
};
static const struct {
    const char *name, *function, *sentence;
} action_list[] = {
#define ORDER_ACTION(name, function, sentence) {#name, #function, sentence},
#include "actors/kinds/order_steps.def"
#undef ORDER_ACTION
};
static const char *const event_names[] = {
#define ORDER_EVENT(name, sentence, ...) sentence,
#include "actors/kinds/order_steps.def"
#undef ORDER_EVENT
};

static bool is_ignored(const char *action)
{
    for (size_t i = 0; i < sizeof action_list / sizeof *action_list; i++) {
        if (strcmp(action_list[i].name, action) == 0)
            return strcmp(action_list[i].function, "order_ignore") == 0;
    }
    cr_assert(false, "%s is no action", action);
    return false;
}

static void expect_invariants(struct table *table, const char *what)
{
    struct order order;
    uint32_t open = table_count(table, PLACE_OPEN), head = table_count(table, PLACE_HEAD);
    cr_expect_leq(open + head, 1, "%s: open %u, settled %u", what, open, head);
    if (!head)
        return;
    cr_assert(table_read(table, PLACE_HEAD, "", order_shape(), &order));
    cr_expect(bytes_equal(order.step, BYTES("settled")), "%s: %.*s", what, BYTES_FORMAT(order.step));
    bool waits = order.cart_waiting, holds = order.cart_held;
    for (size_t i = 0; i < order.waiting.size; i++) {
        waits = waits || order.waiting.at[i];
        holds = holds || order.held.at[i];
    }
    cr_expect(!waits && !holds && !order.has_ending, "%s", what);
    cr_expect_eq(table_count(table, PLACE_CHILD), 1, "%s", what);
    cr_expect_eq(table->wake_at, 0, "%s", what);
}

static void enter_cell(enum order_step step, enum order_event_kind event, const char *status)
{
    struct table table;
    char what[100];
    const char *action = action_of[event][step];
    snprintf(what, sizeof what, "%s while %s (%s)", event_names[event], order_step_name(step), status);
    table_init(&table, &kind_order, "O1");
    put_step(&table, step, table.at + (event == ORDER_EVENT_deadline ? MINUTE / 2 : 15 * MINUTE));
    say_event(&table, event, status);
    if (is_ignored(action))
        cr_expect_eq(table_writes(&table), 0, "%s: %s", what, table_effects(&table));
    expect_invariants(&table, what);
    say_event(&table, event, status); // and a second time
    expect_invariants(&table, what);
    table_deinit(&table);
}

// I5, and no cell that nobody thought of.
Test(order, every_step_bears_every_event)
{
    static const char *const statuses[] = {"ok", "insufficient_stock", "not_found", "cart_claimed", "busy"};
    for (int step = 0; step < ORDER_STEP_COUNT; step++) {
        for (int event = 0; event < ORDER_EVENT_COUNT; event++) {
            for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
                enter_cell((enum order_step)step, (enum order_event_kind)event, statuses[i]);
        }
    }
}

// ---- docs/order-states.md

static void print_matrix(struct buffer *out)
{
    buffer_printf(out, "| event |");
    for (int step = 0; step < ORDER_STEP_COUNT; step++)
        buffer_printf(out, " %s |", order_step_name((enum order_step)step));
    buffer_printf(out, "\n|---|");
    for (int step = 0; step < ORDER_STEP_COUNT; step++)
        buffer_printf(out, "---|");
    for (int event = 0; event < ORDER_EVENT_COUNT; event++) {
        buffer_printf(out, "\n| %s |", event_names[event]);
        for (int step = 0; step < ORDER_STEP_COUNT; step++)
            buffer_printf(out, " %s |", action_of[event][step]);
    }
    buffer_printf(out, "\n");
}

static void print_docs(struct buffer *out)
{
    buffer_printf(out, "# The states of an order\n\n"
                       "Made from `actors/kinds/order_steps.def`; the tests compare the two. To make it again: run "
                       "the unit test of orders with `SOUK_WRITE_DOCS=1`.\n\n"
                       "An order has a *status*, which the world sees, and a *step*, which says what is open. When "
                       "nothing is open it is settled; settled orders still answer every message.\n\n"
                       "## Status\n\n| status | stage | what `order.place` answers |\n|---|---|---|\n");
#define ORDER_STATUS(name, stage, envelope) buffer_printf(out, "| %s | %s | `%s` |\n", #name, #stage, #envelope);
#include "actors/kinds/order_steps.def"
#undef ORDER_STATUS
    buffer_printf(out, "\nA rejection for `cart_claimed` or `price_changed` answers that name.\n\n"
                       "## Step\n\n| step | what is open |\n|---|---|\n");
#define ORDER_STEP(name, sentence) buffer_printf(out, "| %s | %s |\n", #name, sentence);
#include "actors/kinds/order_steps.def"
#undef ORDER_STEP
    buffer_printf(out, "\n## What happens\n\n");
    print_matrix(out);
    buffer_printf(out, "\n## Actions\n\n| action | |\n|---|---|\n");
    for (size_t i = 0; i < sizeof action_list / sizeof *action_list; i++)
        buffer_printf(out, "| %s | %s |\n", action_list[i].name, action_list[i].sentence);
}

static FILE *docs_open(const char *mode)
{
    char path[4096];
    const char *here = __FILE__, *tests = strstr(here, "tests/unit/");
    cr_assert(tests);
    snprintf(path, sizeof path, "%.*sdocs/order-states.md", (int)(tests - here), here);
    return fopen(path, mode);
}

Test(order, the_docs_show_the_table)
{
    struct buffer want, is;
    buffer_init(&want);
    buffer_init(&is);
    print_docs(&want);
    if (getenv("SOUK_WRITE_DOCS")) {
        FILE *file = docs_open("w");
        cr_assert(file);
        fwrite(want.at, 1, want.size, file);
        fclose(file);
    }
    FILE *file = docs_open("r");
    cr_assert(file, "docs/order-states.md is missing");
    is.size = fread(buffer_reserve(&is, want.size + 1), 1, want.size + 1, file);
    fclose(file);
    cr_expect(bytes_equal(buffer_bytes(&is), buffer_bytes(&want)), "docs/order-states.md is not up to date");
    buffer_deinit(&want);
    buffer_deinit(&is);
}

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
    cr_expect_str_eq(table_reply(&table), "{message: too many orders are open, retry_after_ms: 250}");
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
    enum { METHOD, CURRENCY, OVERFLOW, MANY, EXPECTED, CASES };
    static const char *const replies[CASES] = {
        [METHOD] = "{status: rejected, stage: rejected, lines: [{sku: mug, quantity: 2, unit_price: {amount: 500, "
                   "currency: GBP}}, {sku: tea, quantity: 1, unit_price: {amount: 250, currency: GBP}}], message: the "
                   "order cannot be taken; `reason` says why, reason: payment_method}",
        [CURRENCY] = "reason: currency}",
        [OVERFLOW] = "reason: overflow}",
        [MANY] = "reason: overflow}",
        [EXPECTED] = "total: {amount: 1250, currency: GBP}",
    };
    for (int i = 0; i < CASES; i++) {
        struct table table;
        struct order_line lines[] = {line("mug", 2, 500), line("tea", 1, 250)};
        struct order_place body = order_of(lines, 2);
        if (i == METHOD)
            body.payment_method = BYTES("shells");
        if (i == CURRENCY)
            memcpy(lines[1].unit_price.currency, "EUR", 4);
        if (i == OVERFLOW)
            lines[1].unit_price.amount = INT64_MAX;
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

// ---- holding

static void place_three(struct table *table)
{
    struct order_line lines[] = {line("mug", 2, 500), line("tea", 1, 250), line("cup", 4, 100)};
    struct order_place body = order_of(lines, 3);
    table_init(table, &kind_order, "O1");
    cr_expect_eq(place(table, &body), STATUS_ok);
}

Test(order, a_refused_item_gives_the_others_back_and_names_the_shortages)
{
    struct table table;
    place_three(&table);
    acknowledged(&table, MESSAGE_inventory_reserve, "tea");
    cr_expect_str_eq(table_effects(&table), "put open");
    short_of(&table, "cup", 3);
    short_of(&table, "mug", 0);
    cr_expect(strstr(table_effects(&table), "send inventory.release tea {reservation_id: O1}; wake"), "%s",
              table_effects(&table));
    expect_order(&table, "releasing", "created"); // not at rest: whoever sees a refusal may count on the goods
    acknowledged(&table, MESSAGE_inventory_release, "tea");
    expect_order(&table, "settled", "out_of_stock");
    cr_expect_eq(cancel(&table, NULL), STATUS_insufficient_stock);
    cr_expect(strstr(table_reply(&table), "shortages: [{sku: cup, requested: 4, available: 3}, {sku: mug, requested: "
                                          "2, available: 0}]"),
              "%s", table_reply(&table));
    table_deinit(&table);
}

Test(order, a_sku_that_never_was_is_rejected_even_beside_a_shortage)
{
    struct table table;
    place_three(&table);
    short_of(&table, "cup", 3);
    answer(&table, MESSAGE_inventory_reserve, "tea", "not_found", NULL, NULL);
    acknowledged(&table, MESSAGE_inventory_reserve, "mug");
    acknowledged(&table, MESSAGE_inventory_release, "mug");
    expect_order(&table, "settled", "rejected");
    cr_expect(bytes_equal(record_of(&table).reason, BYTES("unknown_sku")));
    cr_expect(bytes_equal(record_of(&table).bad_sku, BYTES("tea")));
    table_deinit(&table);
}

Test(order, an_answer_counts_once)
{
    struct table table;
    place_three(&table);
    acknowledged(&table, MESSAGE_inventory_reserve, "tea");
    acknowledged(&table, MESSAGE_inventory_reserve, "tea");
    cr_expect_str_eq(table_effects(&table), "");
    acknowledged(&table, MESSAGE_inventory_reserve, "moon");
    cr_expect_str_eq(table_effects(&table), "");
    table_deinit(&table);
}

// One answer finds its item without decoding 2,000 lines.
Test(order, two_thousand_lines_are_one_record_each_way)
{
    enum { LINES = ORDER_LINES_MAX };
    static struct order_line lines[LINES];
    static char names[LINES][16];
    struct table table;
    table_init(&table, &kind_order, "O1");
    for (int i = 0; i < LINES; i++) {
        snprintf(names[i], sizeof names[i], "sku-%d", i);
        lines[i] = line(names[i], 1, i);
    }
    struct order_place body = order_of(lines, LINES);
    cr_assert_eq(place(&table, &body), STATUS_ok);
    cr_expect_eq(table_writes(&table), 2);
    for (int i = 0; i < LINES; i++) {
        cr_assert_eq(acknowledged(&table, MESSAGE_inventory_reserve, names[(i * 7) % LINES]), STATUS_ok);
        cr_assert_eq(table_writes(&table), 1);
    }
    expect_order(&table, "paying", "inventory_reserved");
    cr_expect_leq(table_load(&table, PLACE_OPEN, (struct bytes){0}).size, 1000);
    table_deinit(&table);
}

// ---- paying

// FAILURES 4: the second buyer of the last item is charged. Nothing is charged before everything is held.
Test(order, charges_once_everything_is_held)
{
    struct table table;
    place_three(&table);
    acknowledged(&table, MESSAGE_inventory_reserve, "tea");
    acknowledged(&table, MESSAGE_inventory_reserve, "cup");
    cr_expect_str_eq(table_effects(&table), "put open");
    acknowledged(&table, MESSAGE_inventory_reserve, "mug");
    cr_expect(strstr(table_effects(&table), "event inventory_reserved"));
    cr_expect(strstr(table_effects(&table),
                     "send payment.charge O1 {amount: {amount: 1650, currency: GBP}, method: pm_card_visa}; wake "
                     "1700000900000000; put open"),
              "%s", table_effects(&table));
    table_deinit(&table);
}

Test(order, cash_on_delivery_and_a_total_of_zero_ask_no_provider)
{
    for (int i = 0; i < 2; i++) {
        struct table table;
        struct order_line lines[] = {line("mug", 2, i ? 0 : 500)};
        struct order_place body = order_of(lines, 1);
        if (i == 0)
            body.payment_method = BYTES("cod");
        table_init(&table, &kind_order, "O1");
        place(&table, &body);
        acknowledged(&table, MESSAGE_inventory_reserve, "mug");
        expect_order(&table, "committing", "confirmed");
        cr_expect_null(strstr(table_effects(&table), "payment"));
        acknowledged(&table, MESSAGE_inventory_commit, "mug");
        expect_order(&table, "settled", "confirmed");
        cr_expect_eq(cancel(&table, NULL), STATUS_ok);
        cr_expect_null(strstr(table_effects(&table), "payment"));
        acknowledged(&table, MESSAGE_inventory_restock, "mug");
        expect_order(&table, "settled", "cancelled");
        table_deinit(&table);
    }
}

Test(order, is_at_rest_when_captured_though_the_commit_follows)
{
    struct table table;
    until_paying(&table);
    table_as_client(&table);
    cr_expect_eq(say(&table, MESSAGE_order_get), STATUS_ok);
    cr_expect_not(kind_order.at_rest(&table.given));
    note(&table, "authorized");
    cr_expect(strstr(table_effects(&table), "event payment_authorized"));
    note(&table, "authorized");
    cr_expect_str_eq(table_effects(&table), "");
    note(&table, "captured");
    cr_expect_str_eq(table_effects(&table),
                     "event payment_captured {status: confirmed, total: {amount: 1000, currency: GBP}}; event "
                     "order_confirmed {status: confirmed, total: {amount: 1000, currency: GBP}}; send "
                     "inventory.commit mug {reservation_id: O1}; wake 1700000060000000; put open");
    say(&table, MESSAGE_order_get);
    cr_expect(kind_order.at_rest(&table.given));
    effects_reset(&table.effects);
    cr_expect_eq(kind_order.view(&table.given, &table.effects), STATUS_ok);
    cr_expect(strstr(table_reply(&table), "{status: confirmed, stage: paid"));
    table_deinit(&table);
}

Test(order, rests_while_the_shopper_must_act_and_goes_on_afterwards)
{
    struct table table;
    until_paying(&table);
    note(&table, "action_required");
    say(&table, MESSAGE_order_get);
    cr_expect(kind_order.at_rest(&table.given));
    cr_expect(strstr(table_reply(&table), "stage: pending_payment"));
    note(&table, "action_required");
    cr_expect_str_eq(table_effects(&table), "");
    note(&table, "authorized");
    expect_order(&table, "paying", "payment_authorized");
    note(&table, "action_required"); // late
    expect_order(&table, "paying", "payment_authorized");
    table_deinit(&table);
}

// FAILURES 6: holds stayed after payment failed. The policy: they go back at once; the next try is a new order.
Test(order, a_declined_payment_gives_the_goods_back_before_it_is_answered)
{
    struct table table;
    until_paying(&table);
    note(&table, "declined");
    cr_expect(strstr(table_effects(&table), "event payment_failed"));
    cr_expect(strstr(table_effects(&table), "send inventory.release mug"));
    say(&table, MESSAGE_order_get);
    cr_expect_not(kind_order.at_rest(&table.given));
    acknowledged(&table, MESSAGE_inventory_release, "mug");
    cr_expect_str_eq(table_effects(&table),
                     "event order_failed {status: payment_failed, total: {amount: 1000, currency: GBP}}; wake 0; "
                     "delete open; put head");
    cr_expect_eq(place_one(&table), STATUS_payment_declined);
    cr_expect(strstr(table_reply(&table), "{status: payment_failed, stage: payment_failed"));
    table_deinit(&table);
}

// FAILURES 10: the loser's compensation refunded the winner's capture. Only what was captured against a wish is
// refunded.
Test(order, a_capture_after_the_deadline_confirms_and_is_not_refunded)
{
    struct table table;
    until_paying(&table);
    table.at = TABLE_AT + 15 * MINUTE;
    wake(&table);
    cr_expect(strstr(table_effects(&table), "send payment.want O1 {want: voided}; wake 0; put open"), "%s",
              table_effects(&table));
    expect_order(&table, "voiding", "inventory_reserved");
    note(&table, "captured");
    expect_order(&table, "committing", "confirmed");
    cr_expect_null(strstr(table_effects(&table), "want"));
    acknowledged(&table, MESSAGE_inventory_commit, "mug");
    note(&table, "captured"); // said again
    cr_expect_str_eq(table_effects(&table), "");
    expect_order(&table, "settled", "confirmed");
    table_deinit(&table);
}

Test(order, a_capture_that_nobody_waits_for_is_refunded)
{
    struct table table;
    until_paying(&table);
    note(&table, "declined");
    acknowledged(&table, MESSAGE_inventory_release, "mug");
    expect_order(&table, "settled", "payment_failed");
    note(&table, "captured");
    cr_expect(strstr(table_effects(&table), "send payment.want O1 {want: refunded}"), "%s", table_effects(&table));
    expect_order(&table, "refunding", "payment_failed");
    note(&table, "refunded");
    expect_order(&table, "settled", "payment_failed");
    table_deinit(&table);
}

Test(order, a_parked_payment_is_seen_and_weighed)
{
    struct table table;
    struct weight weight = {0};
    until_paying(&table);
    note(&table, "parked");
    kind_order.weigh(table_load(&table, PLACE_OPEN, (struct bytes){0}), &weight, &table.texts);
    cr_expect_eq(weight.parked, 1);
    cr_expect_eq(weight.waiting, 1);
    cr_expect_eq(weight.lines, 0);
    say(&table, MESSAGE_order_get);
    cr_expect(strstr(table_reply(&table), "payment: {method: pm_card_visa, state: parked}"));
    note(&table, "unparked");
    say(&table, MESSAGE_order_get);
    cr_expect(strstr(table_reply(&table), "state: pending}"));
    table_deinit(&table);
}

// ---- time

Test(order, the_deadline_gives_back_what_answers_later)
{
    struct table table;
    place_three(&table);
    acknowledged(&table, MESSAGE_inventory_reserve, "tea");
    table.at = TABLE_AT + 15 * MINUTE;
    wake(&table);
    cr_expect_str_eq(table_effects(&table), "wake 1700000960000000; put open");
    acknowledged(&table, MESSAGE_inventory_reserve, "mug");
    acknowledged(&table, MESSAGE_inventory_reserve, "cup");
    expect_order(&table, "releasing", "created");
    acknowledged(&table, MESSAGE_inventory_release, "mug");
    acknowledged(&table, MESSAGE_inventory_release, "tea");
    acknowledged(&table, MESSAGE_inventory_release, "cup");
    expect_order(&table, "settled", "reservation_expired");
    cr_expect_eq(cancel(&table, NULL), STATUS_reservation_expired);
    table_deinit(&table);
}

Test(order, asks_again_after_a_minute_and_counts_it)
{
    struct table table;
    place_three(&table);
    acknowledged(&table, MESSAGE_inventory_reserve, "tea");
    table.at = TABLE_AT + MINUTE - 1;
    wake(&table);
    cr_expect_str_eq(table_effects(&table), "wake 1700000060000000");
    table.at++;
    wake(&table);
    cr_expect_str_eq(table_effects(&table), "reask; send inventory.reserve mug {reservation_id: O1, quantity: 2}; send "
                                            "inventory.reserve cup {reservation_id: O1, quantity: 4}; wake "
                                            "1700000120000000; put open");
    table_deinit(&table);
}

Test(order, a_start_asks_again_and_counts_nothing)
{
    struct table table;
    place_three(&table);
    acknowledged(&table, MESSAGE_inventory_reserve, "tea");
    struct bytes open = table_load(&table, PLACE_OPEN, (struct bytes){0});
    cr_expect_eq(kind_order.wake_at(open, &table.texts), TABLE_AT + 15 * MINUTE);
    cr_expect_eq(kind_order.born_at(open, &table.texts), TABLE_AT);
    table.at = TABLE_AT + 5 * MINUTE;
    table_as_runtime(&table);
    table_run(&table, MESSAGE_order_resume, NULL);
    cr_expect_str_eq(table_effects(&table), "send inventory.reserve mug {reservation_id: O1, quantity: 2}; send "
                                            "inventory.reserve cup {reservation_id: O1, quantity: 4}; wake "
                                            "1700000360000000");
    table_deinit(&table);
}

// ---- cancel, ship, deliver

Test(order, cancel_is_a_wish_and_the_same_wish_twice_is_one)
{
    struct table table;
    until_paying(&table);
    cr_expect_eq(cancel(&table, "changed my mind"), STATUS_ok);
    cr_expect_str_eq(table_reply(&table), "{status: cancelling}");
    cr_expect(strstr(table_effects(&table), "send payment.want O1 {want: voided}"));
    cr_expect_eq(cancel(&table, "changed my mind"), STATUS_ok);
    cr_expect_str_eq(table_effects(&table), "");
    cr_expect_eq(cancel(&table, NULL), STATUS_request_mismatch);
    cr_expect(strstr(table_reply(&table), "field: reason"));
    cr_expect_eq(ship(&table, NULL), STATUS_not_confirmed);
    note(&table, "voided");
    acknowledged(&table, MESSAGE_inventory_release, "mug");
    expect_order(&table, "settled", "cancelled");
    cr_expect_eq(cancel(&table, "changed my mind"), STATUS_ok);
    cr_expect_str_eq(table_reply(&table), "{status: cancelled}");
    cr_expect_eq(place_one(&table), STATUS_cancelled);
    say(&table, MESSAGE_order_get);
    cr_expect(strstr(table_reply(&table), "stage: cancelled"));
    cr_expect(strstr(table_reply(&table), "reason: changed my mind"));
    table_deinit(&table);
}

Test(order, cancelled_but_captured_is_refunded_and_released_not_committed)
{
    struct table table;
    until_paying(&table);
    cancel(&table, NULL);
    note(&table, "captured");
    cr_expect(strstr(table_effects(&table),
                     "send inventory.release mug {reservation_id: O1}; send payment.want O1 {want: refunded}"),
              "%s", table_effects(&table));
    note(&table, "refunded");
    expect_order(&table, "refunding", "cancelling");
    acknowledged(&table, MESSAGE_inventory_release, "mug");
    expect_order(&table, "settled", "cancelled");
    table_deinit(&table);
}

Test(order, a_confirmed_order_is_taken_back_once)
{
    struct table table;
    until_confirmed(&table);
    cr_expect_eq(cancel(&table, NULL), STATUS_ok);
    cr_expect(strstr(table_effects(&table),
                     "send inventory.restock mug {reservation_id: O1, quantity: 2}; send payment.want O1 {want: "
                     "refunded}; wake 1700000060000000; delete head; put open"),
              "%s", table_effects(&table));
    cr_expect_eq(cancel(&table, NULL), STATUS_ok);
    cr_expect_str_eq(table_effects(&table), "");
    acknowledged(&table, MESSAGE_inventory_restock, "mug");
    note(&table, "refunded");
    cr_expect(strstr(table_effects(&table), "event payment_refunded"));
    cr_expect(strstr(table_effects(&table), "event order_cancelled"));
    expect_order(&table, "settled", "cancelled");
    table_deinit(&table);
}

Test(order, a_cancel_between_capture_and_commit_lets_the_commit_finish)
{
    struct table table;
    until_paying(&table);
    note(&table, "captured");
    cr_expect_eq(cancel(&table, NULL), STATUS_ok);
    expect_order(&table, "committing", "cancelling");
    acknowledged(&table, MESSAGE_inventory_commit, "mug");
    expect_order(&table, "restocking", "cancelling");
    note(&table, "refunded");
    acknowledged(&table, MESSAGE_inventory_restock, "mug");
    expect_order(&table, "settled", "cancelled");
    table_deinit(&table);
}

Test(order, ships_and_delivers_once)
{
    struct table table;
    until_confirmed(&table);
    cr_expect_eq(say(&table, MESSAGE_order_deliver), STATUS_not_shipped);
    cr_expect_eq(ship(&table, "T1"), STATUS_ok);
    cr_expect_str_eq(table_reply(&table), "{status: shipped}");
    cr_expect_eq(ship(&table, "T1"), STATUS_ok);
    cr_expect_str_eq(table_effects(&table), "");
    cr_expect_eq(ship(&table, "T2"), STATUS_request_mismatch);
    cr_expect(strstr(table_reply(&table), "field: tracking"));
    cr_expect_eq(cancel(&table, NULL), STATUS_already_shipped);
    cr_expect_eq(say(&table, MESSAGE_order_deliver), STATUS_ok);
    cr_expect_str_eq(table_reply(&table), "{status: delivered}");
    cr_expect_eq(say(&table, MESSAGE_order_deliver), STATUS_ok);
    cr_expect_str_eq(table_effects(&table), "");
    cr_expect_eq(ship(&table, "T1"), STATUS_ok);
    cr_expect_str_eq(table_reply(&table), "{status: delivered}");
    cr_expect_eq(cancel(&table, NULL), STATUS_already_shipped);
    table_deinit(&table);
}

Test(order, may_ship_while_the_commit_is_on_its_way)
{
    struct table table;
    until_paying(&table);
    note(&table, "captured");
    cr_expect_eq(ship(&table, NULL), STATUS_ok);
    acknowledged(&table, MESSAGE_inventory_commit, "mug");
    expect_order(&table, "settled", "shipped");
    table_deinit(&table);
}

Test(order, what_was_never_placed_is_not_found)
{
    static const enum message_type messages[] = {MESSAGE_order_cancel, MESSAGE_order_ship, MESSAGE_order_deliver};
    struct table table;
    table_init(&table, &kind_order, "O1");
    cr_expect_eq(say(&table, MESSAGE_order_get), STATUS_not_found);
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        table.late = false;
        cr_expect_eq(say(&table, messages[i]), STATUS_not_found);
        table.late = true;
        cr_expect_eq(say(&table, messages[i]), STATUS_too_late);
    }
    table_deinit(&table);
}

Test(order, a_late_wish_never_takes_effect_but_an_old_one_is_still_answered)
{
    struct table table;
    until_confirmed(&table);
    table.late = true;
    cr_expect_eq(ship(&table, NULL), STATUS_too_late);
    cr_expect_eq(cancel(&table, NULL), STATUS_too_late);
    table.late = false;
    cr_expect_eq(ship(&table, NULL), STATUS_ok);
    table.late = true;
    cr_expect_eq(ship(&table, NULL), STATUS_ok);
    cr_expect_eq(say(&table, MESSAGE_order_deliver), STATUS_too_late);
    expect_order(&table, "settled", "shipped");
    table_deinit(&table);
}

Test(order, get_shows_the_whole_history)
{
    struct table table;
    until_confirmed(&table);
    cr_expect_eq(say(&table, MESSAGE_order_get), STATUS_ok);
    cr_expect_str_eq(
        table_reply(&table),
        "{status: confirmed, stage: paid, lines: [{sku: mug, quantity: 2, unit_price: {amount: 500, currency: GBP}}], "
        "amounts: [{name: lines, amount: {amount: 1000, currency: GBP}}], total: {amount: 1000, currency: GBP}, "
        "payment: {method: pm_card_visa, state: captured}, history: [{status: created, at: 1700000000000000}, {status: "
        "inventory_reserved, at: 1700000000000000}, {status: payment_authorized, at: 1700000000000000}, {status: "
        "confirmed, at: 1700000000000000}], user_id: u1}");
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
