// SPDX-License-Identifier: Apache-2.0
// The logged turns decide the same again: seeded traffic, then the log into an empty store, digest after digest and at
// the end row after row. And the canary: a log that says something else is seen.
#include "tests/unit/actors/till.h"

static struct till till;

static void close_till(void)
{
    till_close(&till);
}

TestSuite(shard_replay, .fini = close_till, .timeout = 120);

static uint64_t seed;

static uint32_t below(uint32_t limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % limit);
}

static const char *name(const char *prefix, uint32_t of)
{
    return arena_format(&till.texts, "%s%u", prefix, below(of));
}

static void say_inventory(void)
{
    static const char *const skus[] = {"mug", "tea", "pot"};
    const char *sku = skus[below(3)];
    struct reservation_ref ref = {bytes_text(name("R", 60))};
    switch (below(7)) {
    case 0:
        till_client(&till, name("q", 500), MESSAGE_inventory_receive, sku,
                    &(struct inventory_receive){.quantity = 1 + below(20)});
        break;
    case 1:
        till_client(&till, name("q", 500), MESSAGE_inventory_adjust, sku,
                    &(struct inventory_adjust){
                        .delta = (int64_t)below(9) - 4, .has_delta = true, .reason = BYTES("x"), .stop_sale = true});
        break;
    case 2:
        till_client(&till, name("q", 500), MESSAGE_inventory_commit, sku, &ref);
        break;
    case 3:
        till_client(&till, name("q", 500), MESSAGE_inventory_release, sku, &ref);
        break;
    case 4:
        till_client(&till, name("q", 500), MESSAGE_inventory_get, sku, NULL);
        break;
    case 5:
        till_client(&till, name("q", 500), MESSAGE_inventory_extend, sku,
                    &(struct inventory_extend){.reservation_id = ref.reservation_id, .ttl_ms = 1 + below(3000)});
        break;
    default:
        till_reserve(&till, name("R", 60), sku, 1 + below(4), 1 + below(3000));
        break;
    }
}

static void say_cart(void)
{
    const char *cart = name("C", 10);
    switch (below(5)) {
    case 0:
        till_client(&till, name("q", 800), MESSAGE_cart_remove, cart, &(struct cart_remove){bytes_text(name("s", 5))});
        break;
    case 1:
        till_client(&till, name("q", 800), MESSAGE_cart_get, cart, NULL);
        break;
    case 2:
        till_client(&till, name("q", 800), MESSAGE_cart_clear, cart, NULL);
        break;
    default:
        till_client(&till, name("q", 800), MESSAGE_cart_add, cart,
                    &(struct cart_add){.sku = bytes_text(name("s", 5)), .quantity = 1 + below(9)});
        break;
    }
}

static void say_order(void)
{
    static const char *const answers[] = {"ok", "insufficient_stock", "ok"};
    static const uint8_t empty[] = {0x80};
    const char *order = name("O", 600);
    struct order_line line = {BYTES("mug"), .quantity = 1 + below(3), .unit_price = {500, "EUR"},
                              .has_unit_price = true};
    struct order_place place = {
        .user_id = BYTES("u"), .payment_method = BYTES("cod"), .lines = &line, .lines_count = 1, .has_lines = true};
    struct answer reserved = {.re = BYTES("inventory.reserve"),
                              .key = BYTES("mug"),
                              .status = bytes_text(answers[below(3)]),
                              .body = bytes_of(empty, sizeof empty)};
    switch (below(7)) {
    case 0:
        till_client(&till, name("q", 900), MESSAGE_order_get, order, NULL);
        break;
    case 1:
        till_client(&till, name("q", 900), MESSAGE_order_ship, order, &(struct order_ship){.has_carrier = false});
        break;
    case 2:
    case 3:
        till_peer(&till, KIND_INVENTORY, "mug", MESSAGE_order_answer, order, &reserved);
        break;
    default:
        till_client(&till, name("q", 900), MESSAGE_order_place, order, &place);
        break;
    }
}

static void serve(enum kind_id kind, void (*say)(void), uint32_t turns)
{
    till_open(&till, kind);
    seed = 11 + (uint64_t)kind;
    struct log_epoch epoch = {.at = TILL_AT, .number = 1, .settings = till.settings, .owners = till.owners};
    cr_assert_eq(shard_begin_epoch(till.shard, &epoch, &till.text), FAULT_NONE);
    for (uint32_t turn = 0; turn < turns; turn++) {
        for (uint32_t messages = below(12); messages; messages--)
            say();
        till.at += below(2000) * 1000;
        cr_assert_eq(till_turn(&till), FAULT_NONE);
        cr_assert_eq(till.count, 0);
        if (below(50) == 0)
            till_crash(&till);
    }
    cr_assert(till.shard->seq > turns / 2, "%d rows", (int)till.shard->seq);
}

struct again {
    struct store *store;
    struct shard *shard;
    uint64_t epoch_chain;
    uint32_t turns, differ; // turns, and those whose digest or chain is another
};

static void replay_turn(struct again *again, const struct log_turn *turn, uint64_t skip)
{
    static struct incoming list[TILL_MAX];
    struct fault_text text;
    uint32_t consumed = 0;
    for (uint32_t i = 0; i < turn->messages_count; i++)
        list[i] = (struct incoming){.origin = turn->messages[i].origin,
                                    .sender = turn->messages[i].sender,
                                    .request = turn->messages[i].request};
    bool leaves_one_out = again->turns++ == skip;
    cr_assert_eq(shard_turn(again->shard, turn->at, list + leaves_one_out, turn->messages_count - leaves_one_out,
                            &consumed, &text),
                 FAULT_NONE);
    again->differ += again->shard->turn.digest != turn->digest || again->shard->turn.chain != turn->chain;
}

// The log of `till` into a fresh store; the first message of turn number `skip` is left out.
static void replay(struct again *again, uint64_t skip)
{
    struct shard_options options = till.options;
    struct fault_text text;
    *again = (struct again){0};
    store_memory_open(&(struct store_options){0}, &again->store, &text);
    options.store = again->store;
    options.tail = (struct log_row){0};
    options.outbox = NULL;
    options.cache_bytes = 0;
    options.replay = true;
    options.horizon = NULL;
    cr_assert_eq(shard_open(&options, &again->shard), FAULT_NONE);
    struct log_reader *reader = log_reader_open(till.store, 1, UINT64_MAX);
    struct log_row row;
    enum fault fault = FAULT_NONE;
    while (log_reader_next(reader, &row, &fault)) {
        if (row.type == LOG_ROW_EPOCH)
            cr_assert_eq(shard_begin_epoch(again->shard, &row.epoch, &text), FAULT_NONE);
        else
            replay_turn(again, &row.turn, skip);
    }
    cr_assert_eq(fault, FAULT_NONE);
    log_reader_close(&reader);
}

static void replay_close(struct again *again)
{
    shard_close(&again->shard);
    store_close(&again->store);
}

// The live store hides what its horizon passed; the fresh one has none: its rows are compared under the same.
static void expect_equal(enum kind_id kind, void (*say)(void))
{
    struct again again;
    serve(kind, say, 400);
    atomic_store(&till.horizon, 0);
    replay(&again, UINT64_MAX);
    cr_expect(again.turns > 200, "%u turns", again.turns);
    cr_expect_eq(again.differ, 0, "%u of %u turns differ", again.differ, again.turns);
    cr_expect_eq(again.shard->chain, till.shard->chain);
    cr_expect_eq(again.shard->seq, till.shard->seq);
    cr_expect_eq(till_state(again.store, FAMILY_HEAD, FAMILY_REMEMBERED),
                 till_state(till.store, FAMILY_HEAD, FAMILY_REMEMBERED));
    cr_expect_eq(till_state(again.store, FAMILY_LOG, FAMILY_LOG), till_state(till.store, FAMILY_LOG, FAMILY_LOG));
    replay_close(&again);
}

Test(shard_replay, stock_decides_the_same_again)
{
    expect_equal(KIND_INVENTORY, say_inventory);
    cr_expect(strstr(till_log(&till, 1), "inventory.expire"), "the traffic let holds expire");
}

Test(shard_replay, carts_decide_the_same_again)
{
    expect_equal(KIND_CART, say_cart);
}

Test(shard_replay, orders_decide_the_same_again)
{
    expect_equal(KIND_ORDER, say_order);
}

Test(shard_replay, a_message_that_is_left_out_is_seen)
{
    struct again again;
    serve(KIND_INVENTORY, say_inventory, 100);
    replay(&again, 10);
    cr_expect(again.differ > 1, "its own turn, and by the chain every one behind it: %u", again.differ);
    replay_close(&again);
}
