// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/actors/kinds/table.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct arena arena;
static struct effects list;

static void setup(void)
{
    arena_init(&arena);
    effects_init(&list, &arena);
}

static void teardown(void)
{
    effects_deinit(&list);
    arena_deinit(&arena);
}

TestSuite(effects, .init = setup, .fini = teardown);

static const char *reply_text(void)
{
    struct table table = {.effects = list};
    arena_init(&table.texts);
    const char *text = arena_format(&arena, "%s", table_reply(&table));
    arena_deinit(&table.texts);
    return text;
}

Test(effects, what_is_appended_is_copied)
{
    char child[] = "cR1", key[] = "mug";
    struct hold hold = {.state = BYTES("held"), .quantity = 3};
    effects_put(&list, PLACE_CHILD, bytes_text(child), hold_shape(), &hold, 77);
    effects_send(&list, MESSAGE_catalog_price, bytes_text(key), &(struct empty){});
    effects_due(&list, bytes_text(child), 99);
    memset(child, 'x', 3);
    memset(key, 'x', 3);
    hold.quantity = 4;

    struct hold put;
    cr_assert_eq(list.count, 3);
    cr_expect(bytes_equal(list.list[0].child, BYTES("cR1")));
    cr_assert(record_decode(hold_shape(), list.list[0].value, &put, &arena));
    cr_expect_eq(put.quantity, 3);
    cr_expect_eq(record_forget_at(list.list[0].value), 77);
    cr_expect_eq(list.list[1].target.kind, KIND_CATALOG);
    cr_expect(bytes_equal(list.list[1].target.key, BYTES("mug")));
    cr_expect(bytes_equal(list.list[2].child, BYTES("cR1")));
}

Test(effects, the_list_keeps_order_however_long_it_grows)
{
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 1; i <= 1000 + round; i++)
            effects_wake(&list, i);
        cr_assert_eq(list.count, 1000 + round);
        for (uint32_t i = 1; i <= 1000 + round; i++)
            cr_assert_eq(list.list[i - 1].at, i);
        struct effect *kept = list.list;
        effects_reset(&list);
        arena_reset(&arena);
        cr_expect_eq(list.count, 0);
        cr_expect_eq(list.list, kept);
    }
}

Test(effects, reset_forgets_reply_keep_and_wait)
{
    effects_reply(&list, empty_shape(), &(struct empty){});
    effects_keep(&list);
    effects_wait(&list);
    cr_expect(list.kept && list.wait && list.reply.size);
    effects_reset(&list);
    cr_expect(!list.kept && !list.wait && !list.reply.size);
}

Test(effects, every_effect_has_its_type)
{
    struct table table = {0};
    struct money one = {100, "GBP"};
    effects_put(&list, PLACE_OPEN, (struct bytes){0}, hold_shape(),
                &(struct hold){.state = BYTES("held"), .quantity = 1}, 0);
    effects_delete(&list, PLACE_HEAD, (struct bytes){0});
    effects_delete(&list, PLACE_CHILD, BYTES("oA"));
    effects_send(&list, MESSAGE_cart_claim, BYTES("basket"), &(struct cart_claim){.order_id = BYTES("A")});
    effects_event(&list, EVENT_stock_changed, &(struct stock_event){.on_hand = 2, .available = 1});
    effects_wake(&list, 5);
    effects_due(&list, BYTES("cR1"), 6);
    effects_reask(&list);
    effects_provider(&list, &(struct provider_operation){.operation = BYTES("capture"),
                                                         .provider_key = BYTES("A-1-c"),
                                                         .attempt = 1,
                                                         .amount = one,
                                                         .method = BYTES("pm")});
    effects_wait(&list);
    table.effects = list;
    arena_init(&table.texts);
    cr_expect_str_eq(table_effects(&table),
                     "put open; delete head; delete child oA; send cart.claim basket {order_id: A}; "
                     "event stock_changed {on_hand: 2, available: 1}; wake 5; due cR1 6; reask; "
                     "provider {operation: capture, provider_key: A-1-c, attempt: 1, "
                     "amount: {amount: 100, currency: GBP}, method: pm, query: false}; wait");
    arena_deinit(&table.texts);
}

Test(effects, a_refusal_names_field_message_and_facts)
{
    static const struct version_reply facts = {.version = 7};
    static const struct {
        const char *field;
        bool with_facts;
        const char *text;
    } lines[] = {
        {NULL, false, "{message: no}"},
        {"delta", false, "{field: delta, message: no}"},
        {NULL, true, "{message: no, version: 7}"},
        {"delta", true, "{field: delta, message: no, version: 7}"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        effects_reset(&list);
        effects_refuse(&list, lines[i].field, "no", version_reply_shape(), lines[i].with_facts ? &facts : NULL);
        cr_expect_str_eq(reply_text(), lines[i].text);
    }
}

Test(effects, a_refusal_may_have_no_facts_to_add)
{
    effects_refuse(&list, NULL, "no", empty_shape(), &(struct empty){});
    cr_expect_str_eq(reply_text(), "{message: no}");
}

Test(effects, a_message_is_answered_once, .signal = SIGABRT)
{
    effects_reply(&list, empty_shape(), &(struct empty){});
    effects_reply(&list, empty_shape(), &(struct empty){});
}

Test(effects, due_rows_are_written_by_the_runtime_only, .signal = SIGABRT)
{
    effects_put(&list, PLACE_DUE, BYTES("x"), empty_shape(), &(struct empty){}, 0);
}

Test(effects, an_entity_has_one_head, .signal = SIGABRT)
{
    effects_delete(&list, PLACE_HEAD, BYTES("x"));
}
