// SPDX-License-Identifier: Apache-2.0
// A small sound shop for the audit's tests, as structs that a test changes before they are stored:
//
//   A   10 received, 2 bought by order o1, 3 held by a client, 2 bought and given back by o3
//   o1  settled: 2 × A, 10.00 GBP, captured          o3  settled: cancelled after it was confirmed, refunded
//   o2  open, holds 4 × B; its step is the test's     c2  the cart of o2, claimed
#pragma once

#include "stage.h"

#include "cli/audit.h"

struct world {
    struct stage stage;
    struct stock a, b;
    struct hold client_hold; // of A
    struct hold o2_hold;     // of B
    struct hold o3_restock;  // of A
    struct order o1, o2, o3;
    struct order_item items1[1], items2[1];
    struct order_content content1, content2;
    struct history_entry history1[2], history2[1], history3[3];
    uint8_t waiting2[1], held2[1];
    struct payment pay1, pay2, pay3;
    struct ledger_entry authorize, capture, refund; // of o1 and o3
    struct ledger_entry capture2, capture3, again;
    bool has_again, has_authorize2, has_stray; // `again` in o1's book, `authorize` in o2's, `capture` under no order
    struct cart c2;
    bool no_o2_hold, no_pay1, has_pay2, no_ledger1, has_capture2, no_restock, no_claim, no_content1;
    struct verdict *verdict;
};

static inline struct order world_order(const char *status, const char *payment)
{
    return (struct order){.step = BYTES("settled"),
                          .status = bytes_text(status),
                          .created_at = 1,
                          .lines_count = 1,
                          .payment = bytes_text(payment),
                          .total = gbp(1000),
                          .has_total = true};
}

static inline struct payment world_payment(const char *state, int64_t captured, int64_t refunded)
{
    return (struct payment){.state = bytes_text(state),
                            .want = BYTES("captured"),
                            .amount = gbp(1000),
                            .method = BYTES("pm_card_visa"),
                            .has_method = true,
                            .authorized = gbp(1000),
                            .captured = gbp(captured),
                            .refunded = gbp(refunded),
                            .attempts = 1};
}

static inline struct ledger_entry world_entry(const char *operation, int64_t amount)
{
    return (struct ledger_entry){.provider_key = bytes_text(operation),
                                 .operation = bytes_text(operation),
                                 .attempt = 1,
                                 .outcome = BYTES("succeeded"),
                                 .amount = gbp(amount),
                                 .method = BYTES("pm_card_visa"),
                                 .seen = 1};
}

static inline struct order_content world_content(struct order_item *items)
{
    return (struct order_content){.items = items,
                                  .items_count = 1,
                                  .fingerprint = BYTES("f"),
                                  .user_id = BYTES("u"),
                                  .payment_method = BYTES("pm_card_visa")};
}

static inline void world_orders(struct world *world)
{
    world->items1[0] = (struct order_item){.sku = BYTES("A"), .quantity = 2};
    world->items2[0] = (struct order_item){.sku = BYTES("B"), .quantity = 4};
    world->content1 = world_content(world->items1);
    world->content2 = world_content(world->items2);
    world->content2.cart_id = BYTES("c2");
    world->content2.has_cart_id = true;
    world->history1[0] = world->history2[0] = world->history3[0] = (struct history_entry){BYTES("created"), false, 1};
    world->history1[1] = world->history3[1] = (struct history_entry){BYTES("confirmed"), false, 2};
    world->history3[2] = (struct history_entry){BYTES("cancelled"), false, 3};
    world->o1 = world_order("confirmed", "captured");
    world->o3 = world_order("cancelled", "refunded");
    world->o2 = world_order("inventory_reserved", "pending");
    world->o2.step = BYTES("paying");
    world->o2.cart_held = true;
    world->held2[0] = 1;
    world->o1.history = world->history1;
    world->o1.history_count = 2;
    world->o2.history = world->history2;
    world->o2.history_count = 1;
    world->o3.history = world->history3;
    world->o3.history_count = 3;
}

static inline void world_init(struct world *world)
{
    *world = (struct world){0};
    stage_init(&world->stage);
    world->a = (struct stock){.on_hand = 8,
                              .reserved = 3,
                              .received = 10,
                              .restocked = 2,
                              .committed = 4,
                              .committed_orders = 4,
                              .version = 1,
                              .next_due = 50};
    world->b = (struct stock){.on_hand = 10, .reserved = 4, .received = 10, .version = 1};
    world->client_hold = (struct hold){.state = BYTES("held"), .quantity = 3, .expires_at = 60};
    world->o2_hold = (struct hold){.state = BYTES("held"), .quantity = 4};
    world->o3_restock = (struct hold){.state = BYTES("restocked"), .quantity = 2};
    world_orders(world);
    world->pay1 = world_payment("captured", 1000, 0);
    world->pay2 = world_payment("authorizing", 0, 0);
    world->pay2.authorized.amount = 0;
    world->pay2.open = (struct operation){.kind = BYTES("authorize"), .attempt = 1, .tries = 1};
    world->pay2.has_open = true;
    world->pay3 = world_payment("refunded", 1000, 1000);
    world->authorize = world_entry("authorize", 1000);
    world->capture = world->capture2 = world->capture3 = world_entry("capture", 1000);
    world->refund = world_entry("refund", 1000);
    world->again = world_entry("capture", 1000);
    world->c2 = (struct cart){.version = 1, .claim = {.order_id = BYTES("o2")}, .has_claim = true};
}

static inline void world_save_goods(struct world *world)
{
    struct stage *stage = &world->stage;
    stage_put(stage, KIND_INVENTORY, FAMILY_HEAD, "A", "", stock_shape(), &world->a);
    stage_put(stage, KIND_INVENTORY, FAMILY_HEAD, "B", "", stock_shape(), &world->b);
    stage_put(stage, KIND_INVENTORY, FAMILY_CHILD, "A", "cr1", hold_shape(), &world->client_hold);
    if (!world->no_o2_hold)
        stage_put(stage, KIND_INVENTORY, FAMILY_CHILD, "B", "oo2", hold_shape(), &world->o2_hold);
    if (!world->no_restock)
        stage_put(stage, KIND_INVENTORY, FAMILY_CHILD, "A", "oo3", hold_shape(), &world->o3_restock);
    world->c2.has_claim = !world->no_claim;
    stage_put(stage, KIND_CART, FAMILY_HEAD, "c2", "", cart_shape(), &world->c2);
}

static inline void world_save_orders(struct world *world)
{
    struct stage *stage = &world->stage;
    bool settled2 = bytes_equal(world->o2.step, BYTES("settled"));
    world->o2.waiting = bytes_of(world->waiting2, 1);
    world->o2.held = bytes_of(world->held2, 1);
    stage_put(stage, KIND_ORDER, FAMILY_HEAD, "o1", "", order_shape(), &world->o1);
    stage_put(stage, KIND_ORDER, settled2 ? FAMILY_HEAD : FAMILY_OPEN, "o2", "", order_shape(), &world->o2);
    stage_put(stage, KIND_ORDER, FAMILY_HEAD, "o3", "", order_shape(), &world->o3);
    if (!world->no_content1)
        stage_put(stage, KIND_ORDER, FAMILY_CHILD, "o1", "", order_content_shape(), &world->content1);
    stage_put(stage, KIND_ORDER, FAMILY_CHILD, "o2", "", order_content_shape(), &world->content2);
    stage_put(stage, KIND_ORDER, FAMILY_CHILD, "o3", "", order_content_shape(), &world->content1);
}

static inline void world_save_book(struct stage *stage, const char *order, struct ledger_entry *const entries[],
                                   uint32_t count)
{
    struct ledger_entry list[3];
    for (uint32_t i = 0; i < count; i++)
        list[i] = *entries[i];
    stage_put(stage, KIND_SANDBOX, FAMILY_HEAD, order, "", ledger_shape(), &(struct ledger){list, count});
}

static inline void world_save_money(struct world *world)
{
    struct stage *stage = &world->stage;
    if (!world->no_pay1)
        stage_put(stage, KIND_PAYMENT, FAMILY_HEAD, "o1", "", payment_shape(), &world->pay1);
    if (world->has_pay2)
        stage_put(stage, KIND_PAYMENT, FAMILY_HEAD, "o2", "", payment_shape(), &world->pay2);
    stage_put(stage, KIND_PAYMENT, FAMILY_HEAD, "o3", "", payment_shape(), &world->pay3);
    struct ledger_entry *book1[] = {&world->authorize, &world->capture, &world->again};
    struct ledger_entry *book2[] = {world->has_authorize2 ? &world->authorize : &world->capture2};
    struct ledger_entry *book3[] = {&world->authorize, &world->capture3, &world->refund};
    if (!world->no_ledger1)
        world_save_book(stage, "o1", book1, world->has_again ? 3 : 2);
    if (world->has_capture2 || world->has_authorize2)
        world_save_book(stage, "o2", book2, 1);
    if (world->has_stray)
        world_save_book(stage, "stray", book1 + 1, 1);
    world_save_book(stage, "o3", book3, 3);
}

// Stores everything and audits it.
static inline const struct verdict *world_audit(struct world *world)
{
    struct fault_text text = {0};
    struct audit_options options = {.memory_bytes = 1 << 20, .temporary = "/tmp"};
    world_save_goods(world);
    world_save_orders(world);
    world_save_money(world);
    world->verdict = verdict_new();
    enum fault fault = audit_run(&world->stage.databases, &options, world->verdict, &text);
    cr_assert(eq(int, fault, FAULT_NONE), "%s", text.line);
    return world->verdict;
}

static inline void world_deinit(struct world *world)
{
    verdict_free(&world->verdict);
    stage_deinit(&world->stage);
}

static inline bool world_violates(const struct verdict *verdict, int invariant, const char *key)
{
    for (uint64_t i = 0; i < verdict->violations_count; i++)
        for (int k = 0; k < verdict->violations[i].keys_count; k++)
            if (verdict->violations[i].invariant == invariant && strcmp(verdict->violations[i].keys[k], key) == 0)
                return true;
    return false;
}

static inline const char *world_first(const struct verdict *verdict)
{
    return verdict->violations_count ? verdict->violations[0].message : "nothing";
}
