// SPDX-License-Identifier: Apache-2.0
// Stories about people who change their mind, ask again, or are ahead of things, and about a disk that hangs.
#include "tests/sim/cast.h"
#include "tests/sim/stories.h"

// ---- cancelled before anything is paid

static void cancel_early(struct story *story)
{
    list(story, "mug", 1299, true);
    receive(story, "mug", 10);
    take(story, "ann", "basket", "mug", 2, 1299);
    story_pass(story, SECOND);
    story_note(story, "While the cart is asked for its lines.");
    story_stall(story, KIND_CART, true);
    check_out(story, "ann", "O-1", "basket", "pm_card_visa");
    story_until_order(story, "O-1", "claiming");
    const struct said *first = cancel(story, "ann", "O-1");
    story_pass(story, SECOND);
    story_stall(story, KIND_CART, false);
    story_pass(story, SECOND);
    story_note(story, "While the catalog is asked for a price. Nothing is held, so nobody is waited for.");
    story_stall(story, KIND_CATALOG, true);
    buy(story, "ann", "O-2", "mug", 1, -1, "pm_card_visa");
    story_until_order(story, "O-2", "pricing");
    const struct said *second = cancel(story, "ann", "O-2");
    story_pass(story, SECOND);
    story_stall(story, KIND_CATALOG, false);
    story_pass(story, SECOND);
    story_note(story, "While stock is asked to hold the goods.");
    story_stall(story, KIND_INVENTORY, true);
    check_out(story, "ann", "O-3", "basket", "pm_card_visa");
    story_until_order(story, "O-3", "holding");
    const struct said *third = cancel(story, "ann", "O-3");
    story_pass(story, SECOND);
    story_stall(story, KIND_INVENTORY, false);
    story_pass(story, SECOND);
    story_expect_answer(story, first, "ok");
    story_expect_answer(story, second, "ok");
    story_expect_answer(story, third, "ok");
    story_expect_order(story, "O-1", "cancelled");
    story_expect_order(story, "O-2", "cancelled");
    story_expect_order(story, "O-3", "cancelled");
    story_expect_stock(story, "mug", 10, 0, 0);
}

const struct story_def story_cancel_early = {
    .name = "cancel-early",
    .title = "Cancelled before anything is paid",
    .shows =
        "A cancel is a wish, acknowledged at once. The open step's answer is waited for, since what it did must be "
        "given back: a claimed cart, a held mug.",
    .tell = cancel_early,
};

// ---- cancelled while the provider thinks

static void cancel_while_paying(struct story *story)
{
    receive(story, "mug", 10);
    story_pass(story, SECOND);
    buy(story, "ann", "O-1", "mug", 1, 1299, "pm_sandbox_late");
    story_pass(story, SECOND);
    story_expect_order(story, "O-1", "inventory_reserved");
    story_note(story, "This provider takes two seconds to answer. After one Ann cancels.");
    const struct said *said = cancel(story, "ann", "O-1");
    story_pass(story, 10 * SECOND);
    story_expect_answer(story, said, "ok");
    story_expect_order(story, "O-1", "cancelled");
    story_note(story,
               "Bob's card is declined, but before his payment hears of it he cancels. He asked for nothing else.");
    buy(story, "bob", "O-2", "mug", 1, 1299, "pm_card_chargeDeclined");
    story_until_payment(story, "O-2", "authorizing");
    story_stall(story, KIND_PAYMENT, true);
    story_pass(story, SECOND / 10);
    cancel(story, "bob", "O-2");
    story_until_order(story, "O-2", "voiding");
    story_pass(story, SECOND / 10);
    story_stall(story, KIND_PAYMENT, false);
    story_pass(story, SECOND);
    story_expect_order(story, "O-2", "cancelled");
    story_expect_stock(story, "mug", 10, 0, 0);
    story_expect_money(story, "O-1", 0, 0);
    story_expect_money(story, "O-2", 0, 0);
}

const struct story_def story_cancel_while_paying = {
    .name = "cancel-while-paying",
    .title = "Cancelled before the capture is on its way",
    .shows =
        "The payment is told to void. It has an authorization open, waits for that, and voids what came of it; the "
        "capture is never sent.",
    .tell = cancel_while_paying,
};

// ---- cancel against capture

static void cancel_against_capture(struct story *story)
{
    receive(story, "mug", 10);
    take(story, "ann", "basket", "mug", 2, 1299);
    story_pass(story, SECOND);
    check_out(story, "ann", "O-1", "basket", "pm_card_visa");
    story_until_payment(story, "O-1", "capturing");
    story_note(story, "The capture is on its way when Ann cancels.");
    const struct said *said = cancel(story, "ann", "O-1");
    story_until_order(story, "O-1", "voiding");
    story_pass(story, SECOND);
    story_expect_answer(story, said, "ok");
    story_expect_order(story, "O-1", "cancelled");
    story_expect_stock(story, "mug", 10, 0, 0);
    story_note(story, "Bob's cancel and the provider's answer meet at his payment, which has been busy.");
    buy(story, "bob", "O-2", "mug", 1, 1299, "pm_card_visa");
    story_until_payment(story, "O-2", "capturing");
    story_stall(story, KIND_PAYMENT, true);
    story_pass(story, SECOND / 10);
    cancel(story, "bob", "O-2");
    story_pass(story, SECOND / 10);
    story_stall(story, KIND_PAYMENT, false);
    story_pass(story, SECOND);
    story_expect_order(story, "O-2", "cancelled");
    story_note(story, "Cleo's meets nobody: it is her deadline that meets the answer. She is confirmed after all.");
    buy(story, "cleo", "O-3", "mug", 1, 1299, "pm_card_visa");
    story_until_payment(story, "O-3", "capturing");
    story_stall(story, KIND_PAYMENT, true);
    story_pass(story, 16 * MINUTE);
    story_stall(story, KIND_PAYMENT, false);
    story_pass(story, SECOND);
    story_expect_order(story, "O-3", "confirmed");
    story_expect_stock(story, "mug", 9, 0, 1);
    story_expect_money(story, "O-1", 2598, 2598);
    story_expect_money(story, "O-2", 1299, 1299);
    story_expect_money(story, "O-3", 1299, 0);
}

const struct story_def story_cancel_against_capture = {
    .name = "cancel-against-capture",
    .title = "Cancel against capture",
    .shows =
        "The capture was sent before the cancel came: it cannot be called back. Its answer decides: it succeeded, so "
        "the money is refunded, and the goods, never committed, are released with the cart.",
    .tell = cancel_against_capture,
};

// ---- cancelled after the capture

// So slow that it is asked twice.
static const struct said *cancel_while_slow(struct story *story, const char *who, const char *order_id,
                                            enum kind_id slow)
{
    take(story, who, who, "mug", 1, 1299);
    story_pass(story, SECOND);
    check_out(story, who, order_id, who, "pm_card_visa");
    story_until_order(story, order_id, "committing");
    story_stall(story, slow, true);
    const struct said *said = cancel(story, who, order_id);
    story_pass(story, 61 * SECOND);
    story_stall(story, slow, false);
    story_pass(story, SECOND);
    return said;
}

static void cancel_after_capture(struct story *story)
{
    receive(story, "mug", 10);
    story_pass(story, SECOND);
    story_note(story, "Ann's order is confirmed and stock writes its mug off, slowly, when she cancels.");
    const struct said *first = cancel_while_slow(story, "ann", "O-1", KIND_INVENTORY);
    story_note(story, "With Dora's it is the cart that is slow.");
    const struct said *fourth = cancel_while_slow(story, "dora", "O-4", KIND_CART);
    buy(story, "bob", "O-2", "mug", 1, 1299, "pm_card_visa");
    buy(story, "cleo", "O-3", "mug", 1, 1299, "pm_card_visa");
    story_pass(story, SECOND);
    story_note(story, "Bob's order is settled when he cancels.");
    const struct said *second = cancel(story, "bob", "O-2");
    story_pass(story, SECOND);
    story_note(story, "Cleo's parcel has left.");
    ship(story, "O-3");
    story_pass(story, SECOND);
    const struct said *third = cancel(story, "cleo", "O-3");
    story_pass(story, SECOND);
    story_expect_answer(story, first, "ok");
    story_expect_answer(story, second, "ok");
    story_expect_answer(story, third, "already_shipped");
    story_expect_answer(story, fourth, "ok");
    story_expect_order(story, "O-4", "cancelled");
    story_expect_order(story, "O-1", "cancelled");
    story_expect_order(story, "O-2", "cancelled");
    story_expect_order(story, "O-3", "shipped");
    story_expect_stock(story, "mug", 9, 0, 4);
    story_expect_money(story, "O-4", 1299, 1299);
    story_expect_money(story, "O-1", 1299, 1299);
    story_expect_money(story, "O-2", 1299, 1299);
    story_expect_money(story, "O-3", 1299, 0);
}

const struct story_def story_cancel_after_capture = {
    .name = "cancel-after-capture",
    .title = "Cancelled after the capture",
    .shows =
        "What was committed is restocked and what was captured is refunded, each once. Once it was shipped an order "
        "cannot be cancelled any more.",
    .tell = cancel_after_capture,
};

// ---- a disk that hangs

// Every answer that these orders need comes after two minutes and more, and therefore three times.
static void hang_a_while(struct story *story)
{
    static const enum kind_id kinds[] = {KIND_CART, KIND_CATALOG, KIND_INVENTORY, KIND_CART};
    static const char *const steps[] = {"claiming", "pricing", "holding", "releasing"};
    story_note(story,
               "Each actor in turn hangs for two minutes and more. Dora's and Fay's orders go well; Emil's is short "
               "of tea.");
    take(story, "dora", "bag", "mug", 1, -1);
    take(story, "emil", "sack", "mug", 1, -1);
    take(story, "emil", "sack", "tea", 2, 499);
    take(story, "fay", "pouch", "mug", 1, 1299);
    receive(story, "tea", 1);
    story_pass(story, SECOND);
    story_stall(story, KIND_CART, true);
    check_out(story, "fay", "O-6", "pouch", "cod");
    check_out(story, "dora", "O-4", "bag", "pm_card_visa");
    check_out(story, "emil", "O-5", "sack", "pm_card_visa");
    for (int i = 0; i < 4; i++) {
        story_until_order(story, "O-5", steps[i]);
        story_stall(story, kinds[i], true);
        story_pass(story, 2 * MINUTE + 30 * SECOND);
        if (i < 3)
            story_stall(story, kinds[i + 1], true);
        story_stall(story, kinds[i], false);
    }
    story_pass(story, SECOND);
    story_expect_order(story, "O-4", "confirmed");
    story_expect_order(story, "O-5", "out_of_stock");
}

static void disk_hangs(struct story *story)
{
    list(story, "mug", 1299, true);
    receive(story, "mug", 10);
    take(story, "ann", "basket", "mug", 2, 1299);
    story_pass(story, SECOND);
    hang_a_while(story);
    story_note(story, "Stock, carts and catalog do not answer for a quarter of an hour and more.");
    story_stall(story, KIND_INVENTORY, true);
    story_stall(story, KIND_CART, true);
    story_stall(story, KIND_CATALOG, true);
    check_out(story, "ann", "O-1", "basket", "pm_card_visa");
    buy(story, "bob", "O-2", "mug", 1, -1, "pm_card_visa");
    buy(story, "cleo", "O-3", "mug", 1, 1299, "pm_card_visa");
    story_pass(story, 16 * MINUTE);
    story_expect_order(story, "O-1", "created");
    story_expect_order(story, "O-2", "reservation_expired");
    story_expect_order(story, "O-3", "created");
    story_note(story, "Then they do.");
    story_stall(story, KIND_INVENTORY, false);
    story_stall(story, KIND_CART, false);
    story_stall(story, KIND_CATALOG, false);
    story_pass(story, SECOND);
    story_expect_order(story, "O-1", "reservation_expired");
    story_expect_order(story, "O-3", "reservation_expired");
    story_expect_order(story, "O-6", "confirmed");
    story_expect_stock(story, "mug", 8, 0, 2);
    story_expect_money(story, "O-4", 1299, 0);
}

const struct story_def story_disk_hangs = {
    .name = "disk-hangs",
    .title = "A disk that hangs",
    .shows = "Between actors nothing is lost while the process lives, so an answer that does not come for a minute is "
             "asked for again and counted: an operator should look. The deadline does not forget what the open step "
             "may have done: its answer is waited for, and given back.",
    .tell = disk_hangs,
};

// ---- impatient people

static void nudge(struct story *story, const char *order_id)
{
    ship(story, order_id);
    deliver(story, order_id);
    story_pass(story, SECOND);
}

// At every step of an order that goes well.
static void hurry_along(struct story *story)
{
    story_stall(story, KIND_CART, true);
    check_out(story, "ann", "O-1", "basket", "pm_card_visa");
    story_until_order(story, "O-1", "claiming");
    check_out(story, "ann", "O-1", "basket", "pm_card_visa");
    nudge(story, "O-1");
    story_stall(story, KIND_CATALOG, true);
    story_stall(story, KIND_CART, false);
    story_until_order(story, "O-1", "pricing");
    check_out(story, "ann", "O-1", "basket", "pm_card_visa");
    nudge(story, "O-1");
    story_stall(story, KIND_INVENTORY, true);
    story_stall(story, KIND_CATALOG, false);
    story_until_order(story, "O-1", "holding");
    check_out(story, "ann", "O-1", "basket", "pm_card_visa");
    nudge(story, "O-1");
    story_stall(story, KIND_SANDBOX, true);
    story_stall(story, KIND_INVENTORY, false);
    story_until_order(story, "O-1", "paying");
    check_out(story, "ann", "O-1", "basket", "pm_card_visa");
    nudge(story, "O-1");
    story_stall(story, KIND_INVENTORY, true);
    story_stall(story, KIND_SANDBOX, false);
    story_until_order(story, "O-1", "committing");
    check_out(story, "ann", "O-1", "basket", "pm_card_visa");
    story_note(story,
               "Confirmed is confirmed: it is shipped and delivered before stock has written the goods off. Stock "
               "takes more than a minute.");
    nudge(story, "O-1");
    story_pass(story, MINUTE);
    story_stall(story, KIND_INVENTORY, false);
    story_pass(story, SECOND);
    nudge(story, "O-1");
    story_expect_order(story, "O-1", "delivered");
}

// At every step of an order that is cancelled before its capture,
static void hurry_back(struct story *story)
{
    story_note(story, "Bob cancels, and cancels again, while the provider thinks.");
    story_stall(story, KIND_SANDBOX, true);
    buy(story, "bob", "O-2", "mug", 1, 1299, "pm_card_visa");
    story_until_order(story, "O-2", "paying");
    cancel(story, "bob", "O-2");
    story_until_order(story, "O-2", "voiding");
    buy(story, "bob", "O-2", "mug", 1, 1299, "pm_card_visa");
    cancel(story, "bob", "O-2");
    nudge(story, "O-2");
    story_stall(story, KIND_INVENTORY, true);
    story_stall(story, KIND_SANDBOX, false);
    story_until_order(story, "O-2", "releasing");
    buy(story, "bob", "O-2", "mug", 1, 1299, "pm_card_visa");
    cancel(story, "bob", "O-2");
    nudge(story, "O-2");
    story_pass(story, MINUTE);
    story_stall(story, KIND_INVENTORY, false);
    story_pass(story, SECOND);
    cancel(story, "bob", "O-2");
    nudge(story, "O-2");
}

// during it, and after it.
static void hurry_far_back(struct story *story)
{
    story_note(story, "Cleo, while the money is being captured.");
    buy(story, "cleo", "O-3", "mug", 1, 1299, "pm_card_visa");
    story_until_payment(story, "O-3", "capturing");
    cancel(story, "cleo", "O-3");
    story_stall(story, KIND_INVENTORY, true);
    story_until_order(story, "O-3", "refunding");
    buy(story, "cleo", "O-3", "mug", 1, 1299, "pm_card_visa");
    cancel(story, "cleo", "O-3");
    nudge(story, "O-3");
    story_pass(story, MINUTE);
    story_stall(story, KIND_INVENTORY, false);
    story_pass(story, SECOND);

    story_note(story, "Dora, when everything is done.");
    buy(story, "dora", "O-4", "mug", 1, 1299, "pm_card_visa");
    story_until_order(story, "O-4", "settled");
    story_stall(story, KIND_INVENTORY, true);
    cancel(story, "dora", "O-4");
    story_until_order(story, "O-4", "restocking");
    buy(story, "dora", "O-4", "mug", 1, 1299, "pm_card_visa");
    cancel(story, "dora", "O-4");
    nudge(story, "O-4");
    story_pass(story, MINUTE);
    story_stall(story, KIND_INVENTORY, false);
    story_pass(story, SECOND);
}

static void impatient(struct story *story)
{
    list(story, "mug", 1299, true);
    receive(story, "mug", 10);
    take(story, "ann", "basket", "mug", 2, -1);
    story_pass(story, SECOND);
    const struct said *nobody = cancel(story, "ann", "O-1");
    nudge(story, "O-1");
    hurry_along(story);
    hurry_back(story);
    hurry_far_back(story);
    story_expect_answer(story, nobody, "not_found");
    story_expect_order(story, "O-2", "cancelled");
    story_expect_order(story, "O-3", "cancelled");
    story_expect_order(story, "O-4", "cancelled");
    story_expect_stock(story, "mug", 8, 0, 3);
    story_expect_money(story, "O-1", 2598, 0);
    story_expect_money(story, "O-2", 0, 0);
    story_expect_money(story, "O-3", 1299, 1299);
    story_expect_money(story, "O-4", 1299, 1299);
}

const struct story_def story_impatient = {
    .name = "impatient",
    .title = "Impatient people",
    .shows = "Everything is said at every step, by everybody: placed again, shipped, delivered, cancelled again. Each "
             "message has its answer at each step, and none does anything twice.",
    .tell = impatient,
};
