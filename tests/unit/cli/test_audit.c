// SPDX-License-Identifier: Apache-2.0
// An audit that cannot fail is a defect: every invariant is broken on purpose, and must be named with its keys.
#include "world.h"

static struct world world;

static bool says(const struct buffer *out, const char *text)
{
    return memmem(out->at, out->size, text, strlen(text)) != NULL;
}

// ---- a sound shop

Test(audit, a_sound_shop_is_clean)
{
    world_init(&world);
    const struct verdict *verdict = world_audit(&world);
    cr_assert(verdict_clean(verdict), "%s", world_first(verdict));
    cr_assert(eq(u64, verdict->orders, 3));
    cr_assert(eq(u64, verdict->open_orders, 1));
    cr_assert(eq(u64, verdict->skus, 2));
    cr_assert(eq(u64, verdict->holds, 2));
    cr_assert(eq(u64, verdict->explained, 0));
    world_deinit(&world);
}

Test(audit, an_empty_shop_is_clean)
{
    struct stage stage;
    struct fault_text text;
    struct verdict *verdict = verdict_new();
    stage_init(&stage);
    struct audit_options options = {.temporary = "/tmp"};
    cr_assert(eq(int, audit_run(&stage.databases, &options, verdict, &text), FAULT_NONE));
    cr_assert(verdict_clean(verdict));
    verdict_free(&verdict);
    stage_deinit(&stage);
}

Test(audit, money_is_summed_by_currency_in_both_books)
{
    struct buffer out = {0};
    world_init(&world);
    verdict_json(world_audit(&world), &out);
    cr_assert(says(&out, "\"captured\":{\"payment\":{\"GBP\":2000},\"sandbox\":{\"GBP\":2000}}"), "%.*s",
              BYTES_FORMAT(buffer_bytes(&out)));
    cr_assert(says(&out, "\"refunded\":{\"payment\":{\"GBP\":1000},\"sandbox\":{\"GBP\":1000}}"), "%.*s",
              BYTES_FORMAT(buffer_bytes(&out)));
    cr_assert(says(&out, "\"clean\":true"), "%.*s", BYTES_FORMAT(buffer_bytes(&out)));
    buffer_deinit(&out);
    world_deinit(&world);
}

// Rows of a slot in a database that does not own it are garbage of a reshape.
Test(audit, only_the_slots_that_the_map_gives_a_database_count)
{
    world_init(&world);
    stage_open(&world.stage, KIND_INVENTORY, 2);
    struct buffer row = {0}, value = {0};
    struct stock wrong = {.on_hand = 77, .reserved = 99, .version = 1};
    uint16_t owner = owner_of(&world.stage.databases.owners, KIND_INVENTORY, slot_of(BYTES("A")));
    keys_entity(&row, BYTES("A"));
    record_encode(stock_shape(), &wrong, 0, &value);
    struct store *other = world.stage.databases.of[KIND_INVENTORY][!owner];
    store_put(other, FAMILY_HEAD, buffer_bytes(&row), buffer_bytes(&value));
    cr_assert(eq(int, store_commit(other, NULL), FAULT_NONE));
    const struct verdict *verdict = world_audit(&world);
    cr_assert(verdict_clean(verdict), "%s", world_first(verdict));
    cr_assert(eq(u64, verdict->skus, 2));
    buffer_deinit(&row);
    buffer_deinit(&value);
    world_deinit(&world);
}

Test(audit, a_record_that_does_not_decode_is_a_failure_not_a_verdict)
{
    struct fault_text text = {0};
    struct audit_options options = {.temporary = "/tmp"};
    struct verdict *verdict = verdict_new();
    struct buffer row = {0};
    world_init(&world);
    keys_entity(&row, BYTES("A"));
    store_put(world.stage.databases.of[KIND_INVENTORY][0], FAMILY_HEAD, buffer_bytes(&row), BYTES("rubbish"));
    cr_assert(eq(int, store_commit(world.stage.databases.of[KIND_INVENTORY][0], NULL), FAULT_NONE));
    cr_assert(eq(int, audit_run(&world.stage.databases, &options, verdict, &text), FAULT_CORRUPTION));
    cr_assert(strstr(text.line, "inventory-0") != NULL, "%s", text.line);
    buffer_deinit(&row);
    verdict_free(&verdict);
    world_deinit(&world);
}

// ---- planted violations

static void reserved_too_high(void)
{
    world.a.reserved = 4;
}
static void reserved_too_low(void)
{
    world.b.reserved = 0;
}
static void sold_below_reserved(void)
{
    world.a.on_hand = 2;
    world.a.adjusted = -6;
}
static void hold_without_stock(void)
{
    stage_put(&world.stage, KIND_INVENTORY, FAMILY_CHILD, "ghost", "cr9", hold_shape(), &world.client_hold);
}
static void stock_from_nowhere(void)
{
    world.a.on_hand = 9;
}
static void restocked_without_an_order(void)
{
    world.a.restocked = 3;
    world.a.on_hand = 9;
}
static void committed_more_than_ordered(void)
{
    world.a.committed = world.a.committed_orders = 6;
    world.a.on_hand = 6;
}
static void committed_less_than_ordered(void)
{
    world.a.committed = world.a.committed_orders = 2;
    world.a.on_hand = 10;
}
static void clients_committed_more(void)
{
    static const struct hold sold = {.state = {(const uint8_t *)"committed", 9}, .quantity = 1};
    stage_put(&world.stage, KIND_INVENTORY, FAMILY_CHILD, "A", "cr7", hold_shape(), &sold);
}
static void sold_without_stock(void)
{
    world.items1[0].sku = BYTES("never");
    world.no_restock = true;
    world.a = (struct stock){.on_hand = 10, .reserved = 3, .received = 10, .version = 1, .next_due = 50};
}
static void hold_of_no_order(void)
{
    stage_put(&world.stage, KIND_INVENTORY, FAMILY_CHILD, "B", "onobody", hold_shape(), &world.o2_hold);
    world.b.reserved = 8;
}
static void hold_of_another_quantity(void)
{
    world.o2_hold.quantity = 5;
    world.b.reserved = 5;
}
static void hold_with_a_deadline(void)
{
    world.o2_hold.expires_at = 99;
}
static void hold_lost(void)
{
    world.no_o2_hold = true;
    world.b.reserved = 0;
}
static void hold_not_wanted(void)
{
    stage_put(&world.stage, KIND_INVENTORY, FAMILY_CHILD, "A", "oo2", hold_shape(), &world.o2_hold);
    world.a.reserved = 7;
}
static void ended_hold_left_behind(void)
{
    world.o2_hold.state = BYTES("released");
    world.b.reserved = 0;
}
static void restocked_but_not_cancelled(void)
{
    stage_put(&world.stage, KIND_INVENTORY, FAMILY_CHILD, "A", "oo1", hold_shape(), &world.o3_restock);
    world.a.restocked = 4;
    world.a.on_hand = 10;
}
static void restock_lost(void)
{
    world.no_restock = true;
    world.a.restocked = 0;
    world.a.on_hand = 6;
}
static void client_hold_never_due(void)
{
    world.a.next_due = 0;
}
static void client_hold_without_deadline(void)
{
    world.client_hold.expires_at = 0;
}
static void captured_twice(void)
{
    world.has_again = true;
}
static void captured_in_two_halves(void)
{
    world.capture.amount = world.again.amount = gbp(500);
    world.has_again = true;
}
static void captured_more_than_the_total(void)
{
    world.capture.amount = world.pay1.captured = world.pay1.authorized = world.pay1.amount = gbp(1001);
}
static void captured_in_another_currency(void)
{
    world.capture.amount = world.pay1.captured = (struct money){.amount = 1000, .currency = "EUR"};
}
static void refunded_more_than_captured(void)
{
    world.refund.amount = gbp(1001);
}
static void settled_with_a_hold(void)
{
    world.o2.step = BYTES("settled");
    world.o2.status = BYTES("payment_failed");
    world.o2.payment = BYTES("declined");
    world.o2.cart_held = false;
    world.held2[0] = 0;
    world.no_claim = true;
}
static void settled_with_a_claim(void)
{
    settled_with_a_hold();
    world.no_o2_hold = true;
    world.b.reserved = 0;
    world.no_claim = false;
}
static void settled_with_an_open_payment(void)
{
    world.pay3.state = BYTES("voiding");
    world.pay3.open = (struct operation){.kind = BYTES("void"), .attempt = 1, .tries = 1};
    world.pay3.has_open = true;
}
static void settled_but_waiting(void)
{
    world.o1.waiting = world.o1.held = BYTES("\1");
}
static void authorized_and_forgotten(void)
{
    settled_with_a_claim();
    world.no_claim = true;
    world.has_authorize2 = true;
}
static void claim_by_no_order(void)
{
    struct cart cart = {.version = 1, .claim = {.order_id = BYTES("nobody")}, .has_claim = true};
    stage_put(&world.stage, KIND_CART, FAMILY_HEAD, "c9", "", cart_shape(), &cart);
}
static void claim_of_another_cart(void)
{
    world.content2.cart_id = BYTES("c3");
}
static void claim_lost(void)
{
    world.no_claim = true;
}
static void open_and_settled(void)
{
    stage_put(&world.stage, KIND_ORDER, FAMILY_HEAD, "o2", "", order_shape(), &world.o3);
}
static void confirmed_without_money(void)
{
    world.pay1.captured = gbp(0);
    world.pay1.state = BYTES("voided");
    world.no_ledger1 = true;
}
static void confirmed_without_a_payment(void)
{
    world.no_pay1 = world.no_ledger1 = true;
}
static void refused_but_captured(void)
{
    world.o3.status = BYTES("payment_failed");
    world.pay3.refunded = gbp(0);
    world.refund.outcome = BYTES("declined");
}
static void cash_order_captured(void)
{
    world.content1.payment_method = BYTES("cod");
    world.o1.payment = BYTES("none");
}
static void charged_before_it_is_held(void)
{
    world.o2.step = BYTES("holding");
    world.has_pay2 = true;
}
static void captured_but_released(void)
{
    world.o2.step = BYTES("releasing");
    world.waiting2[0] = 1;
    world.o2.cart_waiting = true;
    world.has_pay2 = world.has_capture2 = true;
    world.pay2 = world.pay1;
}
static void order_ahead_of_its_capture(void)
{
    world.o2.step = BYTES("committing");
    world.o2.status = BYTES("confirmed");
    world.o2.payment = BYTES("captured");
    world.waiting2[0] = 1;
    world.has_pay2 = true;
}
static void order_ahead_of_its_refund(void)
{
    world.o2.step = BYTES("refunding");
    world.o2.payment = BYTES("refunded");
    world.waiting2[0] = 1;
    world.has_pay2 = world.has_capture2 = true;
    world.pay2 = world.pay1;
}
static void provider_captured_what_the_payment_does_not_know(void)
{
    world.pay3.captured = world.pay3.refunded = gbp(0);
    world.refund.outcome = BYTES("declined");
    world.pay3.state = BYTES("voided");
}
static void payment_claims_what_the_provider_has_not(void)
{
    world.capture.outcome = BYTES("declined");
}
static void payment_of_no_order(void)
{
    stage_put(&world.stage, KIND_PAYMENT, FAMILY_HEAD, "stray", "", payment_shape(), &world.pay1);
}
static void ledger_of_no_order(void)
{
    world.has_stray = true;
}
static void content_lost(void)
{
    world.no_content1 = true;
}

struct plant {
    const char *name;
    void (*plant)(void);
    int invariant;
    const char *key;
};

#define PLANT(function, invariant, key)                                                                                \
    {                                                                                                                  \
#function, function, invariant, key                                                                            \
    }
static const struct plant plants[] = {
    PLANT(reserved_too_high, 1, "inventory/A"),
    PLANT(reserved_too_low, 1, "inventory/B"),
    PLANT(sold_below_reserved, 1, "inventory/A"),
    PLANT(hold_without_stock, 1, "inventory/ghost"),
    PLANT(stock_from_nowhere, 2, "inventory/A"),
    PLANT(restocked_without_an_order, 2, "inventory/A"),
    PLANT(committed_more_than_ordered, 2, "inventory/A"),
    PLANT(committed_less_than_ordered, 2, "inventory/A"),
    PLANT(clients_committed_more, 2, "inventory/A"),
    PLANT(sold_without_stock, 2, "inventory/never"),
    PLANT(hold_of_no_order, 3, "order/nobody"),
    PLANT(hold_of_another_quantity, 3, "order/o2"),
    PLANT(hold_with_a_deadline, 3, "order/o2"),
    PLANT(hold_lost, 3, "inventory/B"),
    PLANT(hold_not_wanted, 3, "inventory/A"),
    PLANT(ended_hold_left_behind, 3, "inventory/B"),
    PLANT(restocked_but_not_cancelled, 3, "order/o1"),
    PLANT(restock_lost, 3, "order/o3"),
    PLANT(client_hold_never_due, 3, "inventory/A"),
    PLANT(client_hold_without_deadline, 3, "inventory/A"),
    PLANT(captured_twice, 4, "sandbox/o1"),
    PLANT(captured_in_two_halves, 4, "sandbox/o1"),
    PLANT(captured_more_than_the_total, 4, "sandbox/o1"),
    PLANT(captured_in_another_currency, 4, "sandbox/o1"),
    PLANT(settled_with_a_hold, 5, "inventory/B"),
    PLANT(settled_with_a_claim, 5, "cart/c2"),
    PLANT(settled_with_an_open_payment, 5, "payment/o3"),
    PLANT(settled_but_waiting, 5, "order/o1"),
    PLANT(authorized_and_forgotten, 5, "sandbox/o2"),
    PLANT(claim_by_no_order, 5, "cart/c9"),
    PLANT(claim_of_another_cart, 5, "cart/c2"),
    PLANT(claim_lost, 5, "order/o2"),
    PLANT(open_and_settled, 5, "order/o2"),
    PLANT(confirmed_without_money, 6, "order/o1"),
    PLANT(confirmed_without_a_payment, 6, "order/o1"),
    PLANT(refused_but_captured, 6, "order/o3"),
    PLANT(cash_order_captured, 6, "payment/o1"),
    PLANT(charged_before_it_is_held, 6, "payment/o2"),
    PLANT(captured_but_released, 6, "payment/o2"),
    PLANT(order_ahead_of_its_capture, 6, "payment/o2"),
    PLANT(order_ahead_of_its_refund, 6, "payment/o2"),
    PLANT(refunded_more_than_captured, 7, "sandbox/o3"),
    PLANT(provider_captured_what_the_payment_does_not_know, 7, "payment/o3"),
    PLANT(payment_claims_what_the_provider_has_not, 7, "payment/o1"),
    PLANT(payment_of_no_order, 7, "payment/stray"),
    PLANT(ledger_of_no_order, 7, "sandbox/stray"),
    PLANT(content_lost, 9, "order/o1"),
};

Test(audit, every_planted_violation_is_named)
{
    for (size_t i = 0; i < sizeof plants / sizeof *plants; i++) {
        world_init(&world);
        plants[i].plant();
        const struct verdict *verdict = world_audit(&world);
        cr_expect(world_violates(verdict, plants[i].invariant, plants[i].key), "%s: no I%d for %s; first: %s",
                  plants[i].name, plants[i].invariant, plants[i].key, world_first(verdict));
        world_deinit(&world);
    }
}

// ---- what an open step explains

static void holding_already_held(void)
{
    world.o2.step = BYTES("holding");
    world.waiting2[0] = 1;
    world.held2[0] = 0;
}
static void committing_already_committed(void)
{
    world.o2.step = BYTES("committing");
    world.o2.status = BYTES("confirmed");
    world.o2.payment = BYTES("captured");
    world.o2.cart_waiting = true;
    world.waiting2[0] = 1;
    world.has_pay2 = world.has_capture2 = true;
    world.pay2 = world.pay1;
    world.no_o2_hold = true;
    world.b = (struct stock){.on_hand = 6, .received = 10, .committed = 4, .committed_orders = 4, .version = 1};
}
static void releasing_already_released(void)
{
    world.o2.step = BYTES("releasing");
    world.o2.cart_waiting = true;
    world.waiting2[0] = 1;
    world.no_o2_hold = true;
    world.b.reserved = 0;
}
static void releasing_cart_already_free(void)
{
    releasing_already_released();
    world.no_o2_hold = false;
    world.b.reserved = 4;
    world.no_claim = true;
}
static void restocking_already_restocked(void)
{
    static const struct hold back = {.state = {(const uint8_t *)"restocked", 9}, .quantity = 4};
    world.o2.step = BYTES("restocking");
    world.o2.payment = BYTES("refunded");
    world.o2.cart_held = false;
    world.no_claim = true;
    world.waiting2[0] = 1;
    world.held2[0] = 0;
    world.no_o2_hold = true;
    world.b = (struct stock){
        .on_hand = 10, .received = 10, .restocked = 4, .committed = 4, .committed_orders = 4, .version = 1};
    stage_put(&world.stage, KIND_INVENTORY, FAMILY_CHILD, "B", "oo2", hold_shape(), &back);
}
static void claiming_already_claimed(void)
{
    world.o2.step = BYTES("claiming");
    world.o2.payment = BYTES("none");
    world.o2.cart_waiting = true;
    world.o2.cart_held = false;
    world.held2[0] = 0;
    world.no_o2_hold = true;
    world.b.reserved = 0;
}
static void capture_not_yet_known_to_the_payment(void)
{
    world.has_pay2 = world.has_capture2 = true;
    world.pay2.open.kind = BYTES("capture");
    world.pay2.state = BYTES("capturing");
    world.pay2.authorized = gbp(1000);
}
static void capture_not_yet_known_to_the_order(void)
{
    world.has_pay2 = world.has_capture2 = true;
    world.pay2 = world.pay1;
}
static void an_operators_word(void)
{
    settled_with_an_open_payment();
    world.pay3.resolved_reason = BYTES("the bank said so");
    world.pay3.has_resolved_reason = true;
}

static const struct plant explained[] = {
    PLANT(holding_already_held, 0, ""),
    PLANT(committing_already_committed, 0, ""),
    PLANT(releasing_already_released, 0, ""),
    PLANT(releasing_cart_already_free, 0, ""),
    PLANT(restocking_already_restocked, 0, ""),
    PLANT(claiming_already_claimed, 0, ""),
    PLANT(capture_not_yet_known_to_the_payment, 0, ""),
    PLANT(capture_not_yet_known_to_the_order, 0, ""),
    PLANT(an_operators_word, 0, ""),
};

Test(audit, what_an_open_step_explains_is_counted_and_no_violation)
{
    for (size_t i = 0; i < sizeof explained / sizeof *explained; i++) {
        world_init(&world);
        explained[i].plant();
        const struct verdict *verdict = world_audit(&world);
        cr_expect(verdict_clean(verdict), "%s: %s", explained[i].name, world_first(verdict));
        cr_expect(verdict->explained > 0, "%s", explained[i].name);
        world_deinit(&world);
    }
}

Test(audit, a_commit_that_vanished_is_not_explained_by_the_open_step)
{
    world_init(&world);
    committing_already_committed();
    world.b =
        (struct stock){.on_hand = 10, .received = 10, .version = 1}; // the hold is gone, and nothing was committed
    cr_assert(world_violates(world_audit(&world), 2, "inventory/B"));
    world_deinit(&world);
}

Test(audit, violations_beyond_what_is_kept_are_counted)
{
    struct verdict *verdict = verdict_new();
    struct buffer out = {0};
    for (int i = 0; i < VIOLATIONS_MAX + 5; i++)
        verdict_violation(verdict, 1, (struct entity[]){{KIND_INVENTORY, BYTES("x\"y")}}, 1, "number %d", i);
    cr_assert(eq(u64, verdict->violations_count, VIOLATIONS_MAX + 5));
    verdict_json(verdict, &out);
    cr_assert(says(&out, "\"violations_total\":1005"));
    cr_assert(says(&out, "{\"invariant\":\"I1\",\"keys\":[\"inventory/x\\\"y\"],\"message\":\"number 999\"}"));
    buffer_deinit(&out);
    verdict_free(&verdict);
}
