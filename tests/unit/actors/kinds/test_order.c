// SPDX-License-Identifier: Apache-2.0
// One order on a table, from holding to delivered. Other parts: test_order_place.c, test_order_steps.c (every cell),
// test_checkout.c (how it acts with the others).
#include "tests/unit/actors/kinds/order_say.h"

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
    cr_expect(strstr(table_reply(&table), "shortages: [{sku: mug, requested: 2, available: 0}, {sku: cup, requested: "
                                          "4, available: 3}]"),
              "%s", table_reply(&table));
    table_deinit(&table);
}

static size_t largest_put(struct table *table)
{
    size_t largest = 0;
    for (uint32_t i = 0; i < table->effects.count; i++)
        if (table->effects.list[i].value.size > largest)
            largest = table->effects.list[i].value.size;
    return largest;
}

// Each answer costs a copy of the record: what the next ones add to it is a few bytes, however long the SKUs are.
Test(order, what_an_answer_of_a_short_order_writes_does_not_grow_with_the_answers_before)
{
    enum { LINES = 400 };
    static char skus[LINES][101];
    static struct order_line lines[LINES];
    struct table table;
    size_t first = 0;
    for (int i = 0; i < LINES; i++) {
        snprintf(skus[i], sizeof skus[i], "%0100d", i);
        lines[i] = line(skus[i], 2, 500);
    }
    struct order_place body = order_of(lines, LINES);
    table_init(&table, &kind_order, "O1");
    cr_expect_eq(place(&table, &body), STATUS_ok);
    for (int i = 0; i < LINES - 1; i++) {
        short_of(&table, skus[i], 1);
        if (i == 0)
            first = largest_put(&table);
        cr_assert_leq(largest_put(&table), first + 64, "answer %d", i);
    }
    short_of(&table, skus[LINES - 1], 1);
    expect_order(&table, "settled", "out_of_stock");
    cr_expect_eq(record_of(&table).shortages_count, LINES);
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

// Nobody answers so today; if somebody does, nothing is decided by it.
Test(order, an_answer_for_now_is_none)
{
    static const char *const for_now[] = {"busy", "storage_full", "clock", "no such status"};
    struct table table;
    table_init(&table, &kind_order, "O1");
    place_one(&table);
    for (size_t i = 0; i < sizeof for_now / sizeof *for_now; i++) {
        answer(&table, MESSAGE_inventory_reserve, "mug", for_now[i], NULL, NULL);
        cr_expect_str_eq(table_effects(&table), "");
        expect_order(&table, "holding", "created");
    }
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
