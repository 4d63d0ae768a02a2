// SPDX-License-Identifier: Apache-2.0
// Stories about goods: prices, holds, carts, stock.
#include "tests/sim/cast.h"
#include "tests/sim/stories.h"

// ---- one order

static void one_order(struct story *story)
{
    receive(story, "mug", 10);
    take(story, "ann", "basket", "mug", 2, 1299);
    story_pass(story, SECOND);
    story_note(story, "Ann checks out.");
    const struct said *placed = check_out(story, "ann", "O-1", "basket", "pm_card_visa");
    story_pass(story, SECOND);
    story_expect_answer(story, placed, "ok");
    story_expect_order(story, "O-1", "confirmed");
    story_note(story, "The parcel leaves and arrives.");
    ship(story, "O-1");
    story_pass(story, HOUR);
    const struct said *delivered = deliver(story, "O-1");
    story_pass(story, SECOND);
    story_expect_answer(story, delivered, "ok");
    story_expect_order(story, "O-1", "delivered");
    story_expect_stock(story, "mug", 8, 0, 2);
    story_expect_money(story, "O-1", 2598, 0);
}

const struct story_def story_one_order = {
    .name = "one-order",
    .title = "One order",
    .shows =
        "A cart of two mugs is bought, paid, shipped and delivered. Each step is one message to one actor, decided "
        "alone and made durable before anything of it leaves. From order.place to the last answer the order takes "
        "13 synced turns in a row; the shopper is answered when the money is captured.",
    .tell = one_order,
};

// ---- the catalog's prices

static void catalog_prices(struct story *story)
{
    list(story, "mug", 1299, true);
    list(story, "lid", 250, false);
    receive(story, "mug", 10);
    take(story, "ann", "basket", "mug", 1, -1);
    story_pass(story, SECOND);
    story_note(story, "Nobody agreed a price, so the order asks the catalog, and keeps what it hears.");
    check_out(story, "ann", "O-1", "basket", "pm_card_visa");
    story_pass(story, SECOND);
    story_note(story, "Bob expects an older price. Nothing is held.");
    struct order_line line = {.sku = BYTES("mug"), .quantity = 1};
    const struct said *changed = story_say(story, "bob", MESSAGE_order_place, "O-2",
                                           &(struct order_place){.user_id = BYTES("bob"),
                                                                 .payment_method = BYTES("pm_card_visa"),
                                                                 .lines = &line,
                                                                 .lines_count = 1,
                                                                 .has_lines = true,
                                                                 .expected_total = GBP(1199),
                                                                 .has_expected_total = true});
    story_pass(story, SECOND);
    story_note(story, "A lid is not for sale, a spoon is not known.");
    const struct said *inactive = buy(story, "bob", "O-3", "lid", 1, -1, "pm_card_visa");
    const struct said *unknown = buy(story, "bob", "O-4", "spoon", 1, -1, "pm_card_visa");
    story_pass(story, SECOND);
    story_expect_order(story, "O-1", "confirmed");
    story_expect_answer(story, changed, "price_changed");
    story_expect_answer(story, inactive, "rejected");
    story_expect_answer(story, unknown, "rejected");
    story_expect_stock(story, "mug", 9, 0, 1);
    story_expect_money(story, "O-1", 1299, 0);
    story_expect_money(story, "O-2", 0, 0);
}

const struct story_def story_catalog_prices = {
    .name = "catalog-prices",
    .title = "The catalog's prices",
    .shows = "Lines without an agreed price are priced by the catalog before anything is held. A total other than the "
             "expected one, a product that is not sold and one that nobody knows are refused by name, for ever under "
             "that order id.",
    .tell = catalog_prices,
};

// ---- the last unit

static void last_unit(struct story *story)
{
    receive(story, "mug", 1);
    story_pass(story, SECOND);
    story_note(story, "Both check out at once.");
    const struct said *first = buy(story, "ann", "O-1", "mug", 1, 1299, "pm_card_visa");
    const struct said *second = buy(story, "bob", "O-2", "mug", 1, 1299, "pm_card_visa");
    story_pass(story, SECOND);
    bool ann = strcmp(first->status, "ok") == 0;
    story_expect_answer(story, ann ? second : first, "insufficient_stock");
    story_expect_answer(story, ann ? first : second, "ok");
    story_expect_order(story, ann ? "O-1" : "O-2", "confirmed");
    story_expect_order(story, ann ? "O-2" : "O-1", "out_of_stock");
    story_expect_money(story, ann ? "O-1" : "O-2", 1299, 0);
    story_expect_money(story, ann ? "O-2" : "O-1", 0, 0);
    story_expect_stock(story, "mug", 0, 0, 1);
}

const struct story_def story_last_unit = {
    .name = "last-unit",
    .title = "Two buyers of the last unit",
    .shows =
        "Ann and Bob want the one mug that is left. The stock actor decides one message after the other, so one of "
        "them gets it; the other is refused before any money moves, with the shortage as the reason.",
    .tell = last_unit,
};

// ---- one line is short

static void short_line(struct story *story)
{
    receive(story, "mug", 10);
    receive(story, "tea", 1);
    take(story, "ann", "basket", "mug", 2, 1299);
    take(story, "ann", "basket", "tea", 3, 499);
    story_pass(story, SECOND);
    story_note(story, "There are mugs enough, but too little tea.");
    const struct said *placed = check_out(story, "ann", "O-1", "basket", "pm_card_visa");
    story_pass(story, SECOND);
    story_expect_answer(story, placed, "insufficient_stock");
    story_expect_order(story, "O-1", "out_of_stock");
    story_expect_stock(story, "mug", 10, 0, 0);
    story_expect_stock(story, "tea", 1, 0, 0);
    story_note(story, "The cart is free again; less tea is bought with the next order id.");
    struct cart_change less = {.sku = BYTES("tea"), .quantity = 1, .price = GBP(499), .has_price = true};
    story_say(story, "ann", MESSAGE_cart_set, "basket", &less);
    story_pass(story, SECOND);
    const struct said *again = check_out(story, "ann", "O-2", "basket", "pm_card_visa");
    story_pass(story, SECOND);
    story_expect_answer(story, again, "ok");
    story_expect_order(story, "O-2", "confirmed");
    story_expect_stock(story, "mug", 8, 0, 2);
    story_expect_stock(story, "tea", 0, 0, 1);
    story_expect_money(story, "O-2", 2 * 1299 + 499, 0);
}

const struct story_def story_short_line = {
    .name = "short-line",
    .title = "One line is short",
    .shows = "All lines of an order are held at once or none. What was held is released and the cart is given back "
             "before the shopper hears of the refusal, so whoever sees it may count on the goods being there.",
    .tell = short_line,
};

// ---- a cart checked out twice

static void cart_twice(struct story *story)
{
    receive(story, "mug", 10);
    take(story, "ann", "basket", "mug", 2, 1299);
    story_pass(story, SECOND);
    story_note(story, "Ann's telephone and her laptop check out the same cart, each with an order id of its own; the "
                      "laptop also says its own twice. Meanwhile the card needs her word, so the cart stays claimed.");
    const struct said *laptop = check_out(story, "ann", "O-1", "basket", "pm_sandbox_action_required");
    story_until_order(story, "O-1", "holding");
    const struct said *telephone = check_out(story, "ann", "O-2", "basket", "pm_sandbox_action_required");
    const struct said *again = check_out(story, "ann", "O-1", "basket", "pm_sandbox_action_required");
    story_pass(story, SECOND);
    story_expect_answer(story, laptop, "ok");
    story_expect_answer(story, again, "ok");
    story_expect_answer(story, telephone, "cart_claimed");
    story_expect_order(story, "O-1", "payment_action_required");
    story_note(story, "What Ann puts into the claimed cart is not part of the order, and stays.");
    take(story, "ann", "basket", "tea", 1, 499);
    confirm(story, "ann", "O-1", "succeeded");
    story_pass(story, SECOND);
    story_expect_order(story, "O-1", "confirmed");
    story_expect_order(story, "O-2", "rejected");
    const struct said *left = story_say(story, "ann", MESSAGE_cart_get, "basket", NULL);
    story_say(story, "ann", MESSAGE_cart_remove, "basket", &(struct cart_remove){.sku = BYTES("tea")});
    story_pass(story, SECOND);
    story_note(story, "With nothing in it the cart cannot be bought.");
    const struct said *empty = check_out(story, "ann", "O-3", "basket", "pm_card_visa");
    story_pass(story, SECOND);
    story_expect_answer(story, left, "ok");
    story_expect_answer(story, empty, "rejected");
    story_expect_stock(story, "mug", 8, 0, 2);
    story_expect_money(story, "O-1", 2598, 0);
    story_expect_money(story, "O-2", 0, 0);
}

const struct story_def story_cart_twice = {
    .name = "cart-twice",
    .title = "A cart checked out twice",
    .shows =
        "The first order claims the cart; another order of it is refused and told which order has it; the same order "
        "said again is the same order. So refreshing, two tabs and two clients all meet in one order.",
    .tell = cart_twice,
};

// ---- cash on delivery

static void cash_on_delivery(struct story *story)
{
    receive(story, "mug", 10);
    story_pass(story, SECOND);
    const struct said *placed = buy(story, "ann", "O-1", "mug", 1, 1299, "cod");
    story_pass(story, SECOND);
    const struct said *early = deliver(story, "O-1");
    ship(story, "O-1");
    story_pass(story, SECOND);
    deliver(story, "O-1");
    story_pass(story, SECOND);
    story_expect_answer(story, placed, "ok");
    story_expect(story, early->status[0], "delivered early: no answer");
    story_expect_order(story, "O-1", "delivered");
    story_expect_stock(story, "mug", 9, 0, 1);
    story_expect_money(story, "O-1", 0, 0);
}

const struct story_def story_cash_on_delivery = {
    .name = "cash-on-delivery",
    .title = "Cash on delivery",
    .shows =
        "No provider is asked: the order is confirmed as soon as everything is held. It cannot be delivered before "
        "it was shipped.",
    .tell = cash_on_delivery,
};

// ---- a reservation expires

static void reservation_expires(struct story *story)
{
    receive(story, "mug", 3);
    story_pass(story, SECOND);
    story_note(story, "The till holds all three for a minute, then extends it for another.");
    hold(story, "till", "mug", "R-1", 3, 60000);
    story_pass(story, 30 * SECOND);
    const struct said *extended =
        story_say(story, "till", MESSAGE_inventory_extend, "mug",
                  &(struct inventory_extend){.reservation_id = BYTES("R-1"), .ttl_ms = 60000});
    story_pass(story, 59 * SECOND);
    const struct said *refused = buy(story, "ann", "O-1", "mug", 1, 1299, "pm_card_visa");
    story_pass(story, SECOND / 2);
    story_note(story, "The minute is over. The hold ends when the next message meets the mug, not a moment later.");
    story_pass(story, SECOND);
    const struct said *bought = buy(story, "bob", "O-2", "mug", 3, 1299, "pm_card_visa");
    story_pass(story, SECOND);
    const struct said *late = end_hold(story, "till", MESSAGE_inventory_commit, "mug", "R-1");
    story_pass(story, SECOND);
    story_expect_answer(story, extended, "ok");
    story_expect_answer(story, refused, "insufficient_stock");
    story_expect_answer(story, bought, "ok");
    story_expect_answer(story, late, "reservation_expired");
    story_expect_order(story, "O-2", "confirmed");
    story_expect_stock(story, "mug", 0, 0, 3);
}

const struct story_def story_reservation_expires = {
    .name = "reservation-expires",
    .title = "A reservation expires",
    .shows =
        "A client's hold ends by its deadline, exactly: before a message meets the SKU, what is due has ended, as a "
        "logged message of its own. Ann comes a second too early; Bob gets the goods; who comes back later is told "
        "that the reservation expired.",
    .tell = reservation_expires,
};

// ---- stock corrected below what is reserved

static void stock_corrected(struct story *story)
{
    receive(story, "mug", 5);
    story_pass(story, SECOND);
    story_note(story, "Ann's order holds four mugs while her bank asks her.");
    buy(story, "ann", "O-1", "mug", 4, 1299, "pm_sandbox_action_required");
    story_pass(story, SECOND);
    story_note(story, "A count finds only two on the shelf.");
    const struct said *refused = count(story, "mug", 2, false);
    story_pass(story, SECOND);
    story_expect_answer(story, refused, "below_reserved");
    story_note(story, "The correction is insisted on: what was promised stays promised, nothing new is held.");
    const struct said *counted = count(story, "mug", 2, true);
    story_pass(story, SECOND);
    const struct said *stopped = buy(story, "bob", "O-2", "mug", 1, 1299, "pm_card_visa");
    story_pass(story, SECOND);
    story_note(story, "Ann confirms: two of her mugs are there, two are short.");
    confirm(story, "ann", "O-1", "succeeded");
    story_pass(story, SECOND);
    story_expect_answer(story, counted, "ok");
    story_expect_answer(story, stopped, "insufficient_stock");
    story_expect_order(story, "O-1", "confirmed");
    story_expect_stock(story, "mug", 0, 0, 4);
    story_note(story, "The next delivery pays what is short first.");
    receive(story, "mug", 10);
    story_pass(story, SECOND);
    const struct said *bought = buy(story, "bob", "O-3", "mug", 8, 1299, "pm_card_visa");
    story_pass(story, SECOND);
    story_expect_answer(story, bought, "ok");
    story_expect_stock(story, "mug", 0, 0, 12);
    story_expect_money(story, "O-1", 4 * 1299, 0);
}

const struct story_def story_stock_corrected = {
    .name = "stock-corrected",
    .title = "Stock corrected below what is reserved",
    .shows = "Fewer goods are found than are promised. The correction is refused unless it stops the sale; then holds "
             "stay good, a commit still succeeds, on hand never goes below zero, and `short` remembers what is owed.",
    .tell = stock_corrected,
};
