// SPDX-License-Identifier: Apache-2.0
// The judge of stories sees what is wrong: stories at whose end somebody tampers with the shop.
#include "codec/check.h"
#include "store/keys.h"
#include "tests/sim/cast.h"

#include <criterion/criterion.h>

static void buy_a_mug(struct story *story)
{
    receive(story, "mug", 10);
    story_pass(story, SECOND);
    buy(story, "ann", "O-1", "mug", 1, 1299, "pm_card_visa");
    story_pass(story, SECOND);
}

static void tamper(struct story *story, enum kind_id kind, enum family family, const char *key, const char *child,
                   const struct shape *shape, const void *record)
{
    struct world *world = story->world;
    struct store *store = world->actors[world_owner(world, kind, bytes_text(key))].store;
    struct buffer row = {0}, value = {0};
    keys_child(&row, bytes_text(key), bytes_text(child));
    if (record) {
        record_encode(shape, record, 0, &value);
        store_put(store, family, buffer_bytes(&row), buffer_bytes(&value));
    } else {
        store_delete(store, family, buffer_bytes(&row));
    }
    CHECK(store_commit(store, NULL) == FAULT_NONE);
    buffer_deinit(&row);
    buffer_deinit(&value);
}

static void expect_seen(void (*tell)(struct story *story), const char *what)
{
    struct story *story = story_run(&(struct story_def){.name = "tampered", .tell = tell}, &(struct story_options){0});
    const struct buffer *broken = &story->broken;
    cr_expect(broken->size && memmem(broken->at, broken->size, what, strlen(what)), "'%s' is not seen:\n%.*s", what,
              BYTES_FORMAT(buffer_bytes(broken)));
    story_free(&story);
}

Test(judge, nothing_is_wrong_with_an_honest_story)
{
    struct story *story =
        story_run(&(struct story_def){.name = "honest", .tell = buy_a_mug}, &(struct story_options){0});
    cr_expect(story_holds(story), "%.*s", BYTES_FORMAT(buffer_bytes(&story->broken)));
    story_free(&story);
}

static void wrong_stock(struct story *story)
{
    struct stock stock = {.on_hand = 10, .received = 10, .version = 1};
    buy_a_mug(story);
    tamper(story, KIND_INVENTORY, FAMILY_HEAD, "mug", "", stock_shape(), &stock);
}

Test(judge, what_is_stored_is_what_was_decided)
{
    expect_seen(wrong_stock, "I9 inventory/mug");
    expect_seen(wrong_stock, "audit: I2 inventory/mug");
    expect_seen(wrong_stock, "replay: ");
}

static void second_capture(struct story *story)
{
    struct ledger book;
    buy_a_mug(story);
    CHECK(world_record(story->world, KIND_SANDBOX, FAMILY_HEAD, BYTES("O-1"), BYTES(""), ledger_shape(), &book,
                       &story->arena));
    struct ledger_entry entries[3] = {book.entries[0], book.entries[1], book.entries[1]};
    entries[2].provider_key = BYTES("O-1/2/capture");
    book = (struct ledger){.entries = entries, .entries_count = 3};
    tamper(story, KIND_SANDBOX, FAMILY_HEAD, "O-1", "", ledger_shape(), &book);
}

Test(judge, a_second_capture_in_the_providers_book)
{
    expect_seen(second_capture, "audit: I4");
}

static void never_answered(struct story *story)
{
    buy_a_mug(story);
    story_stall(story, KIND_CART, true);
    take(story, "ann", "basket", "mug", 1, 1299);
}

Test(judge, somebody_who_was_never_answered)
{
    expect_seen(never_answered, "cart.add basket of ann was never answered");
}

static void never_settled(struct story *story)
{
    buy_a_mug(story);
    story_stall(story, KIND_SANDBOX, true);
    buy(story, "bob", "O-2", "mug", 1, 1299, "pm_card_visa");
}

Test(judge, an_order_that_does_not_come_to_rest)
{
    expect_seen(never_settled, "I15 order/O-2");
}

// The warehouse's client is told once more what it was not told.
static void forgotten_answer(struct story *story)
{
    buy_a_mug(story);
    struct bytes id = bytes_text("warehouse-1");
    tamper(story, KIND_INVENTORY, FAMILY_REMEMBERED, "mug", (const char *)id.at, NULL, NULL);
}

Test(judge, an_answer_that_was_forgotten)
{
    expect_seen(forgotten_answer, "inventory.receive mug said again has another answer");
}

static void broken_promise(struct story *story)
{
    struct said *said;
    buy_a_mug(story);
    cancel(story, "ann", "O-1");
    story_pass(story, SECOND);
    said = story->said->next; // what placing O-1 was answered
    struct buffer body = {0};
    struct order_placed view = {.status = BYTES("out_of_stock"), .stage = BYTES("out_of_stock")};
    body_encode(order_placed_shape(), &view, &body);
    said->body = arena_copy(&story->arena, buffer_bytes(&body));
    buffer_deinit(&body);
}

Test(judge, a_promise_that_was_not_kept)
{
    expect_seen(broken_promise, "ann was told out_of_stock of O-1, and it is cancelled");
}
