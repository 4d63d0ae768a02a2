// SPDX-License-Identifier: Apache-2.0
// Stories about money: declines, shoppers who must act, providers that are slow, silent, double or forgetful.
#include "tests/sim/cast.h"
#include "tests/sim/stories.h"

// ---- decline

static void decline(struct story *story)
{
    receive(story, "mug", 10);
    take(story, "ann", "basket", "mug", 2, 1299);
    story_pass(story, SECOND);
    story_note(story, "Ann's card is refused.");
    const struct said *placed = check_out(story, "ann", "O-1", "basket", "pm_card_chargeDeclined");
    story_pass(story, SECOND);
    story_expect_answer(story, placed, "payment_declined");
    story_expect_order(story, "O-1", "payment_failed");
    story_expect_stock(story, "mug", 10, 0, 0);
    story_expect_money(story, "O-1", 0, 0);
    story_note(story, "She tries again with another card: a new order, of the same cart.");
    const struct said *again = check_out(story, "ann", "O-2", "basket", "pm_card_visa");
    story_pass(story, SECOND);
    story_expect_answer(story, again, "ok");
    story_expect_order(story, "O-2", "confirmed");
    story_expect_stock(story, "mug", 8, 0, 2);
    story_expect_money(story, "O-2", 2598, 0);
}

const struct story_def story_decline = {
    .name = "decline",
    .title = "A declined card",
    .shows =
        "The provider refuses to authorize. Goods and cart are given back before the shopper hears of it; the order "
        "keeps its id and its refusal, and the next try is a new order.",
    .tell = decline,
};

// ---- a declined capture

static void capture_refused(struct story *story)
{
    receive(story, "mug", 10);
    story_pass(story, SECOND);
    const struct said *placed = buy(story, "ann", "O-1", "mug", 1, 1299, "pm_card_visa");
    story_until_payment(story, "O-1", "capturing");
    story_note(story, "Authorized, but the provider refuses to capture.");
    story->provider.options.permille[PROVIDER_DECLINED] = 1000;
    story_until_payment(story, "O-1", "voiding");
    story->provider.options.permille[PROVIDER_DECLINED] = 0;
    story_pass(story, SECOND);
    story_expect_answer(story, placed, "payment_declined");
    story_expect_order(story, "O-1", "payment_failed");
    story_expect_stock(story, "mug", 10, 0, 0);
    story_expect_money(story, "O-1", 0, 0);
}

const struct story_def story_capture_refused = {
    .name = "capture-refused",
    .title = "A declined capture",
    .shows =
        "What was authorized is voided before the order hears of the failure, so no shopper's limit stays used up.",
    .tell = capture_refused,
    .outside = true,
};

// ---- the shopper must act

static void shopper_acts(struct story *story)
{
    receive(story, "mug", 10);
    story_pass(story, SECOND);
    story_note(story,
               "Both banks want to ask. Each order is at rest until its shopper has acted, and holds its goods.");
    const struct said *placed = buy(story, "ann", "O-1", "mug", 1, 1299, "pm_sandbox_action_required");
    buy(story, "bob", "O-2", "mug", 1, 1299, "pm_sandbox_action_required");
    story_pass(story, SECOND);
    story_expect_answer(story, placed, "ok");
    story_expect_order(story, "O-1", "payment_action_required");
    story_expect_stock(story, "mug", 10, 2, 0);
    story_note(story, "Ann agrees.");
    confirm(story, "ann", "O-1", "succeeded");
    story_pass(story, SECOND);
    story_note(story, "Bob refuses.");
    confirm(story, "bob", "O-2", "failed");
    story_pass(story, SECOND);
    story_expect_order(story, "O-1", "confirmed");
    story_expect_order(story, "O-2", "payment_failed");
    story_expect_stock(story, "mug", 9, 0, 1);
    story_expect_money(story, "O-1", 1299, 0);
    story_expect_money(story, "O-2", 0, 0);
}

const struct story_def story_shopper_acts = {
    .name = "shopper-acts",
    .title = "The shopper must act, and does",
    .shows = "The authorization asks for the shopper. The order answers payment_action_required and waits; what the "
             "shopper does then is said to the provider under the authorization's own key.",
    .tell = shopper_acts,
};

static void shopper_is_gone(struct story *story)
{
    receive(story, "mug", 10);
    story_pass(story, SECOND);
    buy(story, "ann", "O-1", "mug", 1, 1299, "pm_sandbox_action_required");
    story_pass(story, 14 * MINUTE);
    story_expect_order(story, "O-1", "payment_action_required");
    story_note(story, "A quarter of an hour is over, and Ann never came back.");
    story_pass(story, 2 * MINUTE);
    story_expect_order(story, "O-1", "reservation_expired");
    story_note(story, "Then she does, too late.");
    const struct said *late = confirm(story, "ann", "O-1", "succeeded");
    const struct said *again = buy(story, "ann", "O-1", "mug", 1, 1299, "pm_sandbox_action_required");
    story_pass(story, SECOND);
    story_expect_answer(story, late, "ok");
    story_expect_answer(story, again, "reservation_expired");
    story_expect_stock(story, "mug", 10, 0, 0);
    story_expect_money(story, "O-1", 0, 0);
}

const struct story_def story_shopper_is_gone = {
    .name = "shopper-is-gone",
    .title = "The shopper must act, and does not",
    .shows =
        "At the order's deadline the payment is told to void; what it did before decides. Nothing was captured, so "
        "the goods are released and the order ends as reservation_expired. A late confirmation finds it void.",
    .tell = shopper_is_gone,
};

// ---- killed between the capture and its answer

static void killed(struct story *story)
{
    receive(story, "mug", 10);
    story_pass(story, SECOND);
    const struct said *placed = buy(story, "ann", "O-1", "mug", 1, 1299, "pm_card_visa");
    story_until_captured(story, "O-1");
    story_note(story, "The provider has captured. Before its answer is heard, the process is killed.");
    story_kill(story);
    story_pass(story, SECOND);
    story_expect_answer(story, placed, "ok");
    story_expect_order(story, "O-1", "confirmed");
    story_expect_stock(story, "mug", 9, 0, 1);
    story_expect_money(story, "O-1", 1299, 0);
}

const struct story_def story_killed = {
    .name = "killed",
    .title = "Killed between the capture and its answer",
    .shows =
        "Every frame between actors is lost. At the start the open order asks its open step again; the payment "
        "repeats its open operation under the same key; the provider answers from its book. Ann's client sends its "
        "request again, under its own id, and is answered once.",
    .tell = killed,
};

// ---- a provider that stammers

static void provider_stammers(struct story *story)
{
    receive(story, "mug", 10);
    story_pass(story, SECOND);
    story_note(story, "Every answer comes twice.");
    buy(story, "ann", "O-1", "mug", 1, 1299, "pm_sandbox_twice");
    story_pass(story, SECOND);
    story_note(story, "The first answer to each operation is lost; the same key, half a second later, is answered.");
    buy(story, "bob", "O-2", "mug", 1, 1299, "pm_sandbox_timeout_then_success");
    story_pass(story, 5 * SECOND);
    story_note(story, "The provider fails twice and does nothing, then succeeds.");
    buy(story, "cleo", "O-3", "mug", 1, 1299, "pm_sandbox_flaky");
    story_pass(story, 10 * SECOND);
    story_expect_order(story, "O-1", "confirmed");
    story_expect_order(story, "O-2", "confirmed");
    story_expect_order(story, "O-3", "confirmed");
    story_expect_stock(story, "mug", 7, 0, 3);
    story_expect_money(story, "O-1", 1299, 0);
    story_expect_money(story, "O-2", 1299, 0);
    story_expect_money(story, "O-3", 1299, 0);
}

const struct story_def story_provider_stammers = {
    .name = "provider-stammers",
    .title = "A provider that stammers",
    .shows = "Answers come twice, get lost, or say `failed`. One key means one thing: silence and failure are asked "
             "again under the same key, a second answer decides nothing, and each order is charged once.",
    .tell = provider_stammers,
};

// ---- success after the order gave up

static void late_success(struct story *story)
{
    receive(story, "mug", 10);
    story_pass(story, SECOND);
    story_note(story, "The provider authorizes, but no answer of it arrives.");
    story->provider.options.permille[PROVIDER_ANSWER_LOST] = 1000;
    const struct said *placed = buy(story, "ann", "O-1", "mug", 1, 1299, "pm_card_visa");
    story_pass(story, 14 * MINUTE);
    story_expect_answer(story, placed, "ok");
    story_expect_order(story, "O-1", "inventory_reserved");
    story_note(story, "At its deadline the order gives up. What the payment did is not known, so the goods stay held.");
    story_pass(story, 3 * MINUTE);
    story_expect_stock(story, "mug", 10, 1, 0);
    story_note(story, "Now the success is heard: it is voided, and then the goods are released.");
    story->provider.options.permille[PROVIDER_ANSWER_LOST] = 0;
    story_pass(story, 2 * MINUTE);
    story_expect_order(story, "O-1", "reservation_expired");
    story_expect_stock(story, "mug", 10, 0, 0);
    story_expect_money(story, "O-1", 0, 0);
    struct provider_sums sums = provider_sim_sums(&story->provider, BYTES("O-1"));
    story_expect(story, sums.authorizations == 1 && sums.voids == 1, "%d authorizations, %d voids", sums.authorizations,
                 sums.voids);
}

const struct story_def story_late_success = {
    .name = "late-success",
    .title = "Success after the order gave up",
    .shows =
        "A timeout is not a refusal. The order's deadline makes the payment want to void, but nothing is given back "
        "until the provider has said what became of the authorization; then it is voided under a key of its own.",
    .tell = late_success,
    .outside = true,
};

// ---- a silent provider

static void provider_silent(struct story *story)
{
    receive(story, "mug", 10);
    story_pass(story, SECOND);
    const struct said *placed = buy(story, "ann", "O-1", "mug", 1, 1299, "pm_card_visa");
    story_until_payment(story, "O-1", "capturing");
    story_note(story, "Authorized. From here on the provider is not reached for three hours.");
    story->provider.away_until = story->provider.now + 3 * HOUR;
    story_pass(story, 14 * MINUTE);
    story_expect_answer(story, placed, "ok");
    story_expect_order(story, "O-1", "payment_authorized");
    story_note(story, "The deadline passes, but the capture was sent: that cannot be taken back, only waited for.");
    story_pass(story, 3 * HOUR);
    story_expect_order(story, "O-1", "confirmed");
    story_expect_stock(story, "mug", 9, 0, 1);
    story_expect_money(story, "O-1", 1299, 0);
}

const struct story_def story_provider_silent = {
    .name = "provider-silent",
    .title = "A provider silent for hours",
    .shows =
        "The capture is the pivot: once it was sent, neither a deadline nor a clock gives up goods that someone may "
        "have paid for. It is repeated under one key, less and less often, until the provider answers; the order "
        "is confirmed after all.",
    .tell = provider_silent,
    .outside = true,
};

// ---- a key the provider has forgotten

// The office asks the provider by telephone.
static void office_asks(struct story *story, const char *order_id, const char *operation)
{
    struct provider_sums sums = provider_sim_sums(&story->provider, bytes_text(order_id));
    bool done = *operation == 'c'   ? sums.captures
                : *operation == 'r' ? sums.refunds
                : *operation == 'v' ? sums.voids
                                    : sums.authorizations;
    resolve(story, order_id, done ? "succeeded" : "failed");
}

static void key_forgotten(struct story *story)
{
    receive(story, "mug", 10);
    story_pass(story, SECOND);
    story_note(story, "Ann's money is captured, but the answer is lost.");
    buy(story, "ann", "O-1", "mug", 1, 1299, "pm_card_visa");
    story_until_payment(story, "O-1", "capturing");
    story->provider.options.permille[PROVIDER_ANSWER_LOST] = 1000;
    story_pass(story, SECOND);
    story_note(story,
               "Then the provider is away; Bob's order never reaches it. And the shop is off, for thirty hours.");
    story->provider.away_until = story->provider.now + MINUTE;
    story->provider.options.permille[PROVIDER_ANSWER_LOST] = 0;
    buy(story, "bob", "O-2", "mug", 1, 1299, "pm_card_visa");
    story_pass(story, 5 * SECOND);
    story_be_off(story, 30 * HOUR);
    story_pass(story, SECOND);
    story_expect_order(story, "O-1", "payment_authorized");
    story_expect_order(story, "O-2", "inventory_reserved");
    story_expect_stock(story, "mug", 10, 2, 0);
    story_note(story,
               "The provider does not know these keys (any more), so both payments are parked. The office asks it "
               "by telephone, and resolves them.");
    office_asks(story, "O-1", "capture");
    office_asks(story, "O-2", "authorize");
    story_pass(story, SECOND);
    story_expect_order(story, "O-1", "confirmed");
    story_expect_order(story, "O-2", "payment_failed");
    story_expect_stock(story, "mug", 9, 0, 1);
    story_expect_money(story, "O-1", 1299, 0);
    story_expect_money(story, "O-2", 0, 0);
}

const struct story_def story_key_forgotten = {
    .name = "key-forgotten",
    .title = "A key the provider has forgotten",
    .shows = "Providers know a key for about a day. An operation older than 20 hours is only asked about, never sent "
             "again: it might be done twice. If the provider cannot say, the payment is parked until an operator "
             "resolves it. This shop's orders have two days.",
    .tell = key_forgotten,
    .outside = true,
    .deadline_ms = 48 * 3600 * 1000,
};

// ---- money that does not want to go back

static void refund_refused(struct story *story)
{
    receive(story, "mug", 10);
    story_pass(story, SECOND);
    buy(story, "ann", "O-1", "mug", 1, 1299, "pm_card_visa");
    buy(story, "cleo", "O-3", "mug", 1, 1299, "pm_sandbox_action_required");
    story_pass(story, SECOND);
    buy(story, "bob", "O-2", "mug", 1, 1299, "pm_card_visa");
    story_until_payment(story, "O-2", "capturing");
    story_note(story,
               "All three cancel: Ann after she was confirmed, Bob while the money is being captured, Cleo before. "
               "The provider captures, but refuses to refund or void.");
    cancel(story, "bob", "O-2");
    story_until_payment(story, "O-2", "refunding");
    story->provider.options.permille[PROVIDER_DECLINED] = 1000;
    cancel(story, "ann", "O-1");
    cancel(story, "cleo", "O-3");
    story_pass(story, 5 * MINUTE);
    story_expect_order(story, "O-1", "cancelling");
    story_expect_order(story, "O-2", "cancelling");
    story_expect_order(story, "O-3", "cancelling");
    story_note(story, "The office clears it up with the provider. Each operation is tried anew, under a new key.");
    story->provider.options.permille[PROVIDER_DECLINED] = 0;
    office_asks(story, "O-1", "refund");
    office_asks(story, "O-2", "refund");
    office_asks(story, "O-3", "void");
    story_pass(story, MINUTE);
    story_expect_order(story, "O-1", "cancelled");
    story_expect_order(story, "O-2", "cancelled");
    story_expect_order(story, "O-3", "cancelled");
    story_expect_stock(story, "mug", 10, 0, 1);
    story_expect_money(story, "O-1", 1299, 1299);
    story_expect_money(story, "O-2", 1299, 1299);
    story_expect_money(story, "O-3", 0, 0);
}

const struct story_def story_refund_refused = {
    .name = "refund-refused",
    .title = "Money that does not want to go back",
    .shows = "A refund or void that is declined parks the payment; its order stays open as cancelling, visible to the "
             "operator, who resolves it.",
    .tell = refund_refused,
    .outside = true,
};
