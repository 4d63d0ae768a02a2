// SPDX-License-Identifier: Apache-2.0
// When an order is at rest: who places it again is then answered at once, otherwise waits.
#include "tests/unit/actors/kinds/order_say.h"

static void expect_waits(struct table *table)
{
    cr_expect_eq(place_one(table), STATUS_ok);
    cr_expect_str_eq(table_effects(table), "wait");
}

Test(order_view, what_was_delivered_before_its_commit_was_answered_is_at_rest)
{
    struct table table;
    until_paying(&table);
    note(&table, "captured");
    ship(&table, NULL);
    say(&table, MESSAGE_order_deliver);
    expect_order(&table, "committing", "delivered");
    cr_expect_eq(place_one(&table), STATUS_ok);
    cr_expect_str_eq(table_effects(&table), "");
    cr_expect(strstr(table_reply(&table), "{status: delivered, stage: delivered"), "%s", table_reply(&table));
    table_deinit(&table);
}

// It had failed, and been answered so; then its money turns out to be taken.
Test(order_view, a_failed_order_that_was_charged_after_all_rests_when_the_money_is_back)
{
    enum { FAILED, EXPIRED, CANCELLED, CASES };
    static const enum status answers[CASES] = {STATUS_payment_declined, STATUS_reservation_expired, STATUS_cancelled};
    for (int i = 0; i < CASES; i++) {
        struct table table;
        until_paying(&table);
        if (i == EXPIRED) {
            table.at += 16 * MINUTE;
            wake(&table);
        }
        if (i == CANCELLED)
            cancel(&table, NULL);
        note(&table, i == FAILED ? "declined" : "voided");
        acknowledged(&table, MESSAGE_inventory_release, "mug");
        cr_expect_eq(place_one(&table), answers[i], "case %d", i);
        note(&table, "captured");
        expect_waits(&table);
        note(&table, "refunded");
        cr_expect_eq(place_one(&table), answers[i], "case %d", i);
        cr_expect(strstr(table_reply(&table), "message: "), "%s", table_reply(&table));
        table_deinit(&table);
    }
}
