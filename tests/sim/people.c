// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/people.h"

#include "codec/check.h"

#include <stdio.h>

#define CHANCE(permille) chance_permille(&shopper->run->people, permille)

void person_sku(char sku[static 16], int index)
{
    snprintf(sku, 16, "sku-%d", index);
}

// Low numbers are hot.
static void some_sku(struct run *run, struct chance *chance, char sku[static 16])
{
    int64_t index = chance_permille(chance, 500) ? chance_spread(chance, 0, run->mood.skus - 1)
                                                 : chance_below(chance, run->mood.skus);
    person_sku(sku, chance_permille(chance, 5) ? 9999 : (int)index);
}

static void some_cart(struct shopper *shopper)
{
    snprintf(shopper->cart, sizeof shopper->cart, "cart-%d",
             (int)chance_below(&shopper->run->people, shopper->run->mood.carts));
}

// Euros, or now and then pounds, which do not go together; sometimes nothing.
static struct money price(struct chance *chance)
{
    bool pounds = chance_permille(chance, 10);
    struct money price = {.amount = chance_permille(chance, 20) ? 0 : chance_range(chance, 1, 100000)};
    memcpy(price.currency, pounds ? "GBP" : "EUR", sizeof price.currency);
    return price;
}

struct catalog_put person_product(struct run *run)
{
    bool inactive = chance_permille(&run->people, 30);
    return (struct catalog_put){
        .title = BYTES("a thing"), .price = price(&run->people), .active = !inactive, .has_active = inactive};
}

// ---- orders

static void new_order(struct shopper *shopper)
{
    struct run *run = shopper->run;
    CHECK(run->orders_count < RUN_ORDERS_MAX);
    snprintf(shopper->order, sizeof shopper->order, "O-%u", run->orders_count);
    memcpy(run->orders[run->orders_count++], shopper->order, sizeof shopper->order);
    shopper->seed = chance_next(&run->people);
}

static struct bytes some_method(struct chance *chance)
{
    static const char *const methods[] = {"pm_card_visa",           "pm_card_visa",
                                          "pm_card_visa",           "pm_card_chargeDeclined",
                                          "pm_sandbox_late",        "pm_sandbox_timeout_then_success",
                                          "pm_sandbox_twice",       "pm_sandbox_flaky",
                                          "pm_sandbox_action_required", "cod"};
    if (chance_permille(chance, 10))
        return BYTES("pm_of_the_moon");
    return bytes_text(methods[chance_below(chance, sizeof methods / sizeof *methods)]);
}

// The same order every time it is asked: all comes from its seed. `other`: with another content under its id.
static void place(struct shopper *shopper, bool from_cart, bool other)
{
    static struct order_line lines[ORDER_LINES_MAX];
    static char skus[ORDER_LINES_MAX][16];
    struct chance chance = {shopper->seed};
    struct order_place body = {.user_id = BYTES("u"), .payment_method = some_method(&chance)};
    bool agreed = chance_permille(&chance, 600);
    body.lines_count = (uint32_t)chance_range(&chance, 1, shopper->run->mood.lines_max);
    for (uint32_t i = 0; i < body.lines_count; i++) {
        some_sku(shopper->run, &chance, skus[i]);
        lines[i] = (struct order_line){.sku = bytes_text(skus[i]),
                                       .quantity = chance_permille(&chance, 700) ? 1 : chance_range(&chance, 1, 5),
                                       .unit_price = price(&chance),
                                       .has_unit_price = agreed ? !chance_permille(&chance, 30)
                                                                : chance_permille(&chance, 100)};
    }
    body.lines = lines;
    body.has_lines = !from_cart;
    body.cart_id = bytes_text(shopper->cart);
    body.has_cart_id = from_cart;
    if (chance_permille(&chance, 30)) {
        body.expected_total = price(&chance);
        body.has_expected_total = true;
    }
    if (other)
        body.user_id = BYTES("somebody else");
    if (CHANCE(500)) { // silent: not part of the content
        body.wait_ms = chance_spread(&shopper->run->people, 0, 10000);
        body.has_wait_ms = true;
    }
    if (from_cart)
        body.lines_count = 0;
    shopper_ask(shopper, MESSAGE_order_place, shopper->order, &body);
}

static bool view_is(const struct shopper *shopper, const char *status)
{
    return strcmp(shopper->view, status) == 0;
}

// After an order was placed: look, refresh, change their mind, act if asked to. Nothing: content.
static void follow(struct shopper *shopper, bool from_cart)
{
    if (view_is(shopper, "payment_action_required") && CHANCE(600)) {
        struct payment_confirm confirm = {.outcome = CHANCE(700) ? BYTES("succeeded") : BYTES("failed")};
        shopper_ask(shopper, MESSAGE_payment_confirm, shopper->order, &confirm);
    } else if (CHANCE(250)) {
        place(shopper, from_cart, false); // refreshed: the same order under a new request id
    } else if (CHANCE(150)) {
        struct order_cancel cancel = {.reason = CHANCE(500) ? BYTES("too dear") : BYTES("changed my mind")};
        cancel.has_reason = CHANCE(600);
        shopper_ask(shopper, MESSAGE_order_cancel, shopper->order, &cancel);
    } else if (CHANCE(150)) {
        shopper_ask(shopper, MESSAGE_order_get, shopper->order, NULL);
    } else if (CHANCE(50)) {
        place(shopper, from_cart, true);
    }
}

static void buyer(struct shopper *shopper)
{
    if (shopper->step == 0 || (shopper->last == STATUS_insufficient_stock && CHANCE(300))) {
        new_order(shopper);
        place(shopper, false, false);
    } else if (shopper->step < 8) {
        follow(shopper, false);
    }
}

// Cannot wait: places, and cancels before the answer can be there.
static void waverer(struct shopper *shopper)
{
    struct order_cancel cancel = {0};
    if (shopper->step == 0) {
        new_order(shopper);
        place(shopper, false, false);
        shopper_ask(shopper, MESSAGE_order_cancel, shopper->order, &cancel);
    } else if (shopper->step == 1 && CHANCE(500)) {
        shopper_ask(shopper, MESSAGE_order_cancel, shopper->order, &cancel);
    }
}

// ---- carts

static void change_cart(struct shopper *shopper)
{
    struct run *run = shopper->run;
    char sku[16];
    some_sku(run, &run->people, sku);
    struct cart_add add = {.sku = bytes_text(sku), .quantity = chance_range(&run->people, 1, 3)};
    add.price = price(&run->people);
    add.has_price = CHANCE(600);
    struct cart_change set = {.sku = add.sku, .quantity = chance_range(&run->people, 0, 3)};
    set.expected_version = chance_range(&run->people, 0, 4);
    set.has_expected_version = CHANCE(100);
    if (CHANCE(650))
        shopper_ask(shopper, MESSAGE_cart_add, shopper->cart, &add);
    else if (CHANCE(500))
        shopper_ask(shopper, MESSAGE_cart_set, shopper->cart, &set);
    else if (CHANCE(500))
        shopper_ask(shopper, MESSAGE_cart_remove, shopper->cart, &(struct cart_remove){.sku = add.sku});
    else if (CHANCE(150))
        shopper_ask(shopper, MESSAGE_cart_clear, shopper->cart, NULL);
    else
        shopper_ask(shopper, MESSAGE_cart_get, shopper->cart, NULL);
}

static void fill_cart(struct shopper *shopper, int lines)
{
    for (int i = 0; i < lines && i < QUESTIONS_MAX; i++)
        change_cart(shopper);
}

static void cart_buyer(struct shopper *shopper)
{
    struct run *run = shopper->run;
    if (shopper->step == 0) {
        some_cart(shopper);
        shopper->lines = (int)chance_range(&run->people, 0, run->mood.lines_max);
        shopper->tabs = (int)chance_range(&run->people, 1, 3);
        new_order(shopper);
    }
    if (shopper->lines > 0) {
        int some = CHANCE(500) ? 1 : shopper->lines;
        fill_cart(shopper, some);
        shopper->lines -= some < QUESTIONS_MAX ? some : QUESTIONS_MAX;
    } else if (shopper->tabs > 0) { // each tab makes an order of its own; most have one
        shopper->tabs -= CHANCE(800) ? 3 : 1;
        if (shopper->step && CHANCE(300))
            new_order(shopper);
        place(shopper, true, false);
        if (CHANCE(200))
            change_cart(shopper);
    } else if (shopper->step < 30) {
        follow(shopper, true);
    }
}

// ---- holds

static void holder(struct shopper *shopper)
{
    struct run *run = shopper->run;
    struct reservation_ref ref = {.reservation_id = bytes_text(shopper->hold)};
    if (shopper->step == 0) {
        some_sku(run, &run->people, shopper->sku);
        snprintf(shopper->hold, sizeof shopper->hold, "h-%d", (int)chance_below(&run->people, 200));
        if (CHANCE(30) && run->orders_count) // a name that an order has, too
            memcpy(shopper->hold, run->orders[chance_below(&run->people, run->orders_count)], sizeof shopper->hold);
        struct inventory_reserve reserve = {.reservation_id = bytes_text(shopper->hold),
                                            .quantity = chance_range(&run->people, 1, 3),
                                            .ttl_ms = chance_spread(&run->people, 1, 600000)};
        reserve.has_ttl_ms = CHANCE(700);
        shopper_ask(shopper, MESSAGE_inventory_reserve, shopper->sku, &reserve);
    } else if (shopper->step > 4 || CHANCE(150)) {
        return;
    } else if (CHANCE(200)) {
        struct inventory_extend extend = {ref.reservation_id, .ttl_ms = chance_spread(&run->people, 1, 600000)};
        shopper_ask(shopper, MESSAGE_inventory_extend, shopper->sku, &extend);
    } else {
        shopper_ask(shopper, CHANCE(500) ? MESSAGE_inventory_commit : MESSAGE_inventory_release, shopper->sku, &ref);
    }
}

// ---- operators

static void adjust(struct shopper *shopper)
{
    struct chance *chance = &shopper->run->people;
    struct inventory_adjust body = {.reason = BYTES("counted")};
    bool absolute = CHANCE(400);
    body.has_on_hand = absolute;
    body.has_delta = !absolute;
    body.on_hand = absolute ? chance_range(chance, 0, 6) : 0;
    body.delta = absolute ? 0 : chance_range(chance, -4, 4);
    body.stop_sale = body.has_stop_sale = CHANCE(300);
    body.has_expected_version = CHANCE(100);
    body.expected_version = body.has_expected_version ? chance_range(chance, 0, 5) : 0;
    shopper_ask(shopper, MESSAGE_inventory_adjust, shopper->sku, &body);
}

static void stock_keeper(struct shopper *shopper)
{
    struct run *run = shopper->run;
    struct inventory_receive receive = {.quantity = chance_range(&run->people, 1, 5)};
    struct catalog_put put = person_product(run);
    put.has_expected_version = CHANCE(100);
    put.expected_version = put.has_expected_version ? chance_range(&run->people, 0, 3) : 0;
    some_sku(run, &run->people, shopper->sku);
    if (shopper->step > 3)
        return;
    if (CHANCE(350))
        shopper_ask(shopper, MESSAGE_inventory_receive, shopper->sku, &receive);
    else if (CHANCE(500))
        adjust(shopper);
    else if (CHANCE(400))
        shopper_ask(shopper, MESSAGE_catalog_put, shopper->sku, &put);
    else if (CHANCE(500))
        shopper_ask(shopper, MESSAGE_inventory_get, shopper->sku, NULL);
    else
        shopper_ask(shopper, MESSAGE_inventory_holds, shopper->sku, &(struct inventory_holds){.limit = 5, .has_limit = true});
}

// Uses a request id for two things.
static void mistaken(struct shopper *shopper)
{
    struct inventory_receive receive = {.quantity = shopper->step + 1};
    struct cart_add add = {.sku = BYTES("sku-0"), .quantity = shopper->step + 1};
    bool goods = shopper->index % 2;
    if (shopper->step == 0) {
        some_sku(shopper->run, &shopper->run->people, shopper->sku);
        some_cart(shopper);
    }
    if (shopper->step == 0 && goods)
        shopper_ask(shopper, MESSAGE_inventory_receive, shopper->sku, &receive);
    else if (shopper->step == 0)
        shopper_ask(shopper, MESSAGE_cart_add, shopper->cart, &add);
    else if (shopper->step == 1 && shopper->last == STATUS_ok && goods)
        shopper_mistakes(shopper, MESSAGE_inventory_receive, shopper->sku, &receive);
    else if (shopper->step == 1 && shopper->last == STATUS_ok)
        shopper_mistakes(shopper, MESSAGE_cart_add, shopper->cart, &add);
}

static void shipper(struct shopper *shopper)
{
    struct run *run = shopper->run;
    struct order_ship ship = {.carrier = CHANCE(900) ? BYTES("post") : BYTES("crow"), .has_carrier = true};
    if (shopper->step > 5 || !run->orders_count)
        return;
    if (shopper->step == 0 || CHANCE(200))
        memcpy(shopper->order, run->orders[chance_below(&run->people, run->orders_count)], sizeof shopper->order);
    if (CHANCE(450))
        shopper_ask(shopper, MESSAGE_order_ship, shopper->order, &ship);
    else if (CHANCE(450))
        shopper_ask(shopper, MESSAGE_order_deliver, shopper->order, NULL);
    else if (CHANCE(350))
        shopper_ask(shopper, MESSAGE_order_cancel, shopper->order, &(struct order_cancel){.has_reason = false});
    else if (CHANCE(500))
        shopper_ask(shopper, MESSAGE_payment_get, shopper->order, NULL);
    else
        shopper_ask(shopper, MESSAGE_order_get, shopper->order, NULL);
}

static void reader(struct shopper *shopper)
{
    char sku[16];
    some_sku(shopper->run, &shopper->run->people, sku);
    if (shopper->step > 2)
        return;
    if (CHANCE(250))
        shopper_ask(shopper, MESSAGE_events_read, CHANCE(500) ? "order/0" : "inventory/7", NULL);
    else if (CHANCE(250))
        shopper_ask(shopper, MESSAGE_souk_status, "shop", NULL);
    else if (CHANCE(250))
        shopper_ask(shopper, MESSAGE_order_get, "O-nowhere", NULL);
    else if (CHANCE(250)) // not for clients
        shopper_ask(shopper, MESSAGE_cart_settle, "cart-0", &(struct cart_claim){.order_id = BYTES("O-0")});
    else
        shopper_ask(shopper, MESSAGE_catalog_get, sku, NULL);
}

person person_draw(struct run *run)
{
    static const person people[] = {buyer,  buyer,   buyer,        buyer,   buyer,  cart_buyer, cart_buyer, cart_buyer,
                                    holder, waverer, stock_keeper, shipper, reader, mistaken,   buyer};
    return people[chance_below(&run->people, sizeof people / sizeof *people)];
}
