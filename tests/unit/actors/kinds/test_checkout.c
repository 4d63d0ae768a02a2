// SPDX-License-Identifier: Apache-2.0
// Order, payment, sandbox, stock, cart and catalog together: whatever happens before whichever message, an order ends
// settled, and either it is captured and committed, or nothing is captured (or all refunded) and nothing is held.
#include "tests/unit/actors/kinds/checkout.h"

#include <stdio.h>

static const struct {
    const char *method, *shopper;
} ways[] = {
    {"pm_card_visa", NULL},
    {"pm_card_chargeDeclined", NULL},
    {"pm_sandbox_timeout_then_success", NULL},
    {"pm_sandbox_late", NULL},
    {"pm_sandbox_twice", NULL},
    {"pm_sandbox_flaky", NULL},
    {"pm_sandbox_action_required", "succeeded"},
    {"pm_sandbox_action_required", "failed"},
    {"pm_sandbox_action_required", NULL},
    {"cod", NULL},
};
enum { WAYS = sizeof ways / sizeof *ways, SEEDS = 4 };

typedef void (*judge)(const struct checkout *plain, const char *plain_end, struct checkout *run, const char *what);

static struct checkout *checkout_new(const struct checkout *plan)
{
    struct checkout *run = malloc(sizeof *run);
    CHECK(run);
    memcpy(run, plan, sizeof *run);
    checkout_run(run);
    return run;
}

static void checkout_free(struct checkout *run)
{
    shop_deinit(&run->shop);
    free(run);
}

// Runs it without and then with the happening before each of its messages.
static void at_every_point(const struct checkout *plan, judge judge)
{
    static struct checkout plain_plan, run_plan;
    plain_plan = *plan;
    plain_plan.happening = HAPPENS_NOTHING;
    struct checkout *plain = checkout_new(&plain_plan);
    const char *end = checkout_end(plain);
    for (uint32_t before = 0; before < plain->letters; before++) {
        run_plan = *plan;
        run_plan.before = before;
        struct checkout *run = checkout_new(&run_plan);
        char what[200];
        snprintf(what, sizeof what, "%s, basket %d, seed %d, before message %u", plan->method, (int)plan->basket,
                 (int)plan->seed, before);
        judge(plain, end, run, what);
        checkout_free(run);
    }
    checkout_free(plain);
}

static void everywhere(enum happening happening, judge judge)
{
    static struct checkout plan;
    for (uint32_t way = 0; way < WAYS; way++) {
        for (int basket = 0; basket < BASKET_COUNT; basket++) {
            for (uint64_t seed = 0; seed < SEEDS; seed++) {
                plan = (struct checkout){.method = ways[way].method,
                                         .shopper = ways[way].shopper,
                                         .basket = (enum basket)basket,
                                         .seed = seed ? seed * UINT64_C(0x9e3779b97f4a7c15) : 0,
                                         .happening = happening};
                at_every_point(&plan, judge);
            }
        }
    }
}

static void judge_end(const struct checkout *plain, const char *plain_end, struct checkout *run, const char *what)
{
    (void)plain;
    (void)plain_end;
    checkout_check(run, what);
}

static void judge_equal(const struct checkout *plain, const char *plain_end, struct checkout *run, const char *what)
{
    (void)plain;
    checkout_check(run, what);
    cr_expect_str_eq(checkout_end(run), plain_end, "%s:\n  %s\n  %s", what, checkout_end(run), plain_end);
}

static void judge_cancelled(const struct checkout *plain, const char *plain_end, struct checkout *run, const char *what)
{
    struct order order;
    (void)plain;
    (void)plain_end;
    cr_assert(checkout_check(run, what));
    cr_assert(checkout_order(run, &order));
    bool cancelled = bytes_equal(order.status, BYTES("cancelled"));
    cr_expect_eq(cancelled, run->cancelled == STATUS_ok, "%s: cancel answered %s, the order ended %.*s", what,
                 status_name(run->cancelled), BYTES_FORMAT(order.status));
}

// Every method, every basket, undisturbed.
Test(checkout, comes_to_an_end_by_itself, .timeout = 60)
{
    static struct checkout plan;
    for (uint32_t way = 0; way < WAYS; way++) {
        for (int basket = 0; basket < BASKET_COUNT; basket++) {
            plan = (struct checkout){
                .method = ways[way].method, .shopper = ways[way].shopper, .basket = (enum basket)basket};
            struct checkout *run = checkout_new(&plan);
            cr_expect(checkout_check(run, ways[way].method));
            checkout_free(run);
        }
    }
}

static const char *end_of(const char *method, const char *shopper, enum basket basket)
{
    static struct checkout plan;
    static char text[400];
    plan = (struct checkout){.method = method, .shopper = shopper, .basket = basket};
    struct checkout *run = checkout_new(&plan);
    snprintf(text, sizeof text, "%s", checkout_end(run));
    checkout_free(run);
    return text;
}

Test(checkout, ends_as_the_method_and_the_basket_say)
{
    static const struct {
        const char *method, *shopper;
        enum basket basket;
        const char *end;
    } lines[] = {
        {"pm_card_visa", NULL, BASKET_LINE,
         "settled confirmed total 1000 payment captured captured 1000 refunded 0 mug 2 of 8 tea 0 of 10 cart 0 lines "
         "v0"},
        {"pm_card_visa", NULL, BASKET_LINES,
         "settled confirmed total 1700 payment captured captured 1700 refunded 0 mug 3 of 7 tea 1 of 9 cart 0 lines "
         "v0"},
        {"pm_card_visa", NULL, BASKET_UNPRICED,
         "settled confirmed total 1500 payment captured captured 1500 refunded 0 mug 3 of 7 tea 1 of 9 cart 0 lines "
         "v0"},
        {"pm_card_visa", NULL, BASKET_CART,
         "settled confirmed total 1250 payment captured captured 1250 refunded 0 mug 2 of 8 tea 1 of 9 cart 0 lines "
         "v3"},
        {"pm_card_visa", NULL, BASKET_SHORT,
         "settled out_of_stock total 4200 payment none captured 0 refunded 0 mug 0 of 10 tea 0 of 10 cart 0 lines v0"},
        {"pm_card_visa", NULL, BASKET_UNKNOWN,
         "settled rejected total 1700 payment none captured 0 refunded 0 mug 0 of 10 tea 0 of 10 cart 0 lines v0"},
        {"pm_card_chargeDeclined", NULL, BASKET_CART,
         "settled payment_failed total 1250 payment declined captured 0 refunded 0 mug 0 of 10 tea 0 of 10 cart 2 "
         "lines v2"},
        {"pm_sandbox_flaky", NULL, BASKET_LINE,
         "settled confirmed total 1000 payment captured captured 1000 refunded 0 mug 2 of 8 tea 0 of 10 cart 0 lines "
         "v0"},
        {"pm_sandbox_action_required", "failed", BASKET_LINE,
         "settled payment_failed total 1000 payment declined captured 0 refunded 0 mug 0 of 10 tea 0 of 10 cart 0 "
         "lines v0"},
        {"pm_sandbox_action_required", NULL, BASKET_LINE,
         "settled reservation_expired total 1000 payment voided captured 0 refunded 0 mug 0 of 10 tea 0 of 10 cart 0 "
         "lines v0"},
        {"cod", NULL, BASKET_LINE,
         "settled confirmed total 1000 payment none captured 0 refunded 0 mug 2 of 8 tea 0 of 10 cart 0 lines v0"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        cr_expect_str_eq(end_of(lines[i].method, lines[i].shopper, lines[i].basket), lines[i].end, "%s %d: %s",
                         lines[i].method, (int)lines[i].basket,
                         end_of(lines[i].method, lines[i].shopper, lines[i].basket));
}

// FAILURES 6: holds stayed after payment failed. FAILURES 10: the loser's compensation refunded the winner's capture.
Test(checkout, a_cancel_before_any_message_gives_everything_back_once, .timeout = 180)
{
    everywhere(HAPPENS_CANCEL, judge_cancelled);
}

// FAILURES 11, 14: duplicate notifications; a provider's second answer is a success and changes nothing.
Test(checkout, any_message_twice_changes_nothing, .timeout = 180)
{
    everywhere(HAPPENS_TWICE, judge_equal);
}

// FAILURES 12, 13: killed between a provider's success and our own note of it, a restart finds the one charge and goes
// on.
Test(checkout, a_restart_before_any_message_ends_the_same, .timeout = 180)
{
    everywhere(HAPPENS_RESTART, judge_equal);
}

// FAILURES 4: the capture or the deadline wins, never both, never silence.
Test(checkout, the_deadline_before_any_message_leaves_no_charge_without_goods, .timeout = 180)
{
    everywhere(HAPPENS_DEADLINE, judge_end);
}

// DESIGN §6, budget: 16 for a one-line order given as lines, 20 from a cart; stock and cart are the rest.
Test(checkout, a_one_line_order_puts_twelve_records_in_order_payment_and_sandbox)
{
    static struct checkout plan;
    plan = (struct checkout){.method = "pm_card_visa", .basket = BASKET_LINE};
    struct checkout *run = checkout_new(&plan);
    cr_expect_eq(run->shop.writes[KIND_ORDER], 7, "%u", run->shop.writes[KIND_ORDER]);
    cr_expect_eq(run->shop.writes[KIND_PAYMENT], 3, "%u", run->shop.writes[KIND_PAYMENT]);
    cr_expect_eq(run->shop.writes[KIND_SANDBOX], 2, "%u", run->shop.writes[KIND_SANDBOX]);
    cr_expect_eq(run->shop.writes[KIND_INVENTORY], 4, "%u", run->shop.writes[KIND_INVENTORY]);
    checkout_free(run);
}
