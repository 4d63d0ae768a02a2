// SPDX-License-Identifier: Apache-2.0
// Every cell of order_steps.def, and the page that is made from it.
#include "tests/unit/actors/kinds/order_say.h"

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
                       "the unit test `order_steps` with `SOUK_WRITE_DOCS=1`.\n\n"
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
