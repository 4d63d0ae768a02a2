// SPDX-License-Identifier: Apache-2.0
// Cancel, ship, deliver.
#include "tests/unit/actors/kinds/order_say.h"

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

Test(order, a_refund_that_is_said_twice_is_told_once)
{
    struct table table;
    until_confirmed(&table);
    cancel(&table, NULL);
    note(&table, "refunded");
    cr_expect(strstr(table_effects(&table), "event payment_refunded"), "%s", table_effects(&table));
    note(&table, "refunded");
    cr_expect_str_eq(table_effects(&table), "");
    acknowledged(&table, MESSAGE_inventory_restock, "mug");
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

Test(order, readers_are_told_why_it_was_cancelled)
{
    struct table table;
    until_confirmed(&table);
    cancel(&table, "too slow");
    note(&table, "refunded");
    acknowledged(&table, MESSAGE_inventory_restock, "mug");
    const char *told = strstr(table_effects(&table), "event order_cancelled");
    cr_expect(told && strstr(told, "reason: too slow"), "%s", table_effects(&table));
    table_deinit(&table);
}

Test(order, its_history_has_the_time_of_each_change)
{
    struct table table;
    until_paying(&table);
    table.at += MINUTE;
    note(&table, "captured");
    struct order order = record_of(&table);
    const struct history_entry *last = &order.history[order.history_count - 1];
    cr_expect(bytes_equal(last->status, BYTES("confirmed")));
    cr_expect_eq(last->at, table.at);
    cr_expect_eq(order.history[0].at, order.created_at);
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

Test(order, a_late_cancel_stops_nothing_that_is_open)
{
    struct table table;
    struct order_line unpriced[] = {line("mug", 2, -1)};
    struct order_place body = order_of(unpriced, 1);
    table_init(&table, &kind_order, "O1");
    cr_expect_eq(place(&table, &body), STATUS_ok);
    table.late = true;
    cr_expect_eq(cancel(&table, NULL), STATUS_too_late);
    expect_order(&table, "pricing", "created");
    table_deinit(&table);
    until_paying(&table);
    table.late = true;
    cr_expect_eq(cancel(&table, NULL), STATUS_too_late);
    cr_expect_str_eq(table_effects(&table), "");
    expect_order(&table, "paying", "inventory_reserved");
    table_deinit(&table);
}

Test(order, an_empty_reason_is_none_for_those_who_are_told)
{
    struct table table;
    until_paying(&table);
    cr_expect_eq(cancel(&table, ""), STATUS_ok);
    cr_expect_eq(cancel(&table, NULL), STATUS_request_mismatch, "what was said is remembered as it was");
    note(&table, "voided");
    acknowledged(&table, MESSAGE_inventory_release, "mug");
    cr_expect(strstr(table_effects(&table), "event order_cancelled {status: cancelled"), "%s", table_effects(&table));
    cr_expect_null(strstr(table_effects(&table), "reason"));
    table_deinit(&table);
}
