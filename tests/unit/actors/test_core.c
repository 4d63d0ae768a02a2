// SPDX-License-Identifier: Apache-2.0
// What the next turn decides: who waits for much work keeps nobody else waiting, and messages of one entity keep their
// order.
#include "actors/core.h"
#include "codec/check.h"

#include <criterion/criterion.h>

enum { ROOM = 16 << 20, QUEUE_MAX = 64, TURNS_MAX = 200, HOLDS = HOLDS_DUE_MAX * 4 - 10 };
#define FIRST INT64_C(1700000000000000)

static struct core core;
static struct room *room;
static struct store *store;
static struct fault_text text;
static struct arena texts;
static struct owner_map owners = {{1, 1, 1, 1, 1, 1}};
static struct settings settings;
static struct parcel queue[INBOX_LANES][QUEUE_MAX];
static uint32_t queued[INBOX_LANES], taken[INBOX_LANES];
static struct buffer answered; // ids in order, a bar at each turn's end
static struct buffer busy;     // ids
static uint64_t credit, asked[KIND_COUNT]; // parcels to peers
static int64_t now;

static bool take(void *context, enum inbox_lane lane, struct parcel *parcel)
{
    if (taken[lane] == queued[lane])
        return false;
    *parcel = queue[lane][taken[lane]++];
    return true;
}

// Nothing may live in the frames any more.
static void release(void *context)
{
    for (int lane = 0; lane < INBOX_LANES; lane++)
        for (uint32_t i = 0; i < taken[lane]; i++)
            memset((uint8_t *)queue[lane][i].request.at, 0xc1, queue[lane][i].request.size);
}

static void deliver(void *context, struct outbox *outbox)
{
    struct cursor frame = cursor_over(buffer_bytes(&outbox->broker));
    struct parcel parcel;
    while (parcel_next(&frame, &parcel)) {
        struct reply reply;
        struct cursor cursor = cursor_over(parcel.request);
        if (parcel.origin == PARCEL_REPLY && reply_read(&cursor, &reply))
            buffer_printf(bytes_equal(reply.status, BYTES("busy")) ? &busy : &answered, "%.*s ", BYTES_FORMAT(reply.id));
        if (parcel.origin == PARCEL_CREDIT) {
            struct parcel_credit given;
            memcpy(&given, parcel.request.at, sizeof given);
            credit += given.commands;
        }
    }
    buffer_printf(&answered, "| ");
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        frame = cursor_over(buffer_bytes(&outbox->peers[kind][0]));
        while (parcel_next(&frame, &parcel))
            asked[kind]++;
    }
}

static void start(enum kind_id kind)
{
    const struct log_epoch epoch = {.at = FIRST, .number = 1, .settings = settings, .owners = owners};
    const struct core_options options = {.shard = {.kind = kind_of(kind),
                                                   .actor = {kind, 0},
                                                   .store = store,
                                                   .settings = &settings,
                                                   .owners = &owners,
                                                   .waiters_max = 1},
                                         .wires = {NULL, take, release, deliver},
                                         .room = room,
                                         .turn_messages_max = 16};
    cr_assert_eq(core_open(&core, &options), FAULT_NONE);
    cr_assert_eq(core_begin(&core, &epoch, &text), FAULT_NONE, "%s", text.line);
}

static void open_all(void)
{
    now = FIRST;
    credit = 0;
    memset(asked, 0, sizeof asked);
    memset(queued, 0, sizeof queued);
    memset(taken, 0, sizeof taken);
    arena_init(&texts);
    buffer_init(&answered);
    buffer_init(&busy);
    settings = (struct settings){
        .remember_hours = 24,
        .reservation_ttl_ms = 1000,
        .cart_ttl_days = 30,
        .cart_lines_max = 500,
        .order_lines_max = 2000,
        .order_deadline_ms = 900000,
        .lines_in_flight_max = 1,
        .waiting_max = 1,
        .provider_key_hours = 20,
        .provider = BYTES("sandbox"),
    };
    room = room_new(ROOM);
    store_memory_open(&(struct store_options){0}, &store, &text);
}

static void open_inventory(void)
{
    open_all();
    start(KIND_INVENTORY);
}

static void open_orders(void)
{
    open_all();
    settings.lines_in_flight_max = settings.waiting_max = 1000;
    start(KIND_ORDER);
}

static void close_core(void)
{
    core_close(&core);
    store_close(&store);
    room_free(&room);
    buffer_deinit(&answered);
    buffer_deinit(&busy);
    arena_deinit(&texts);
}

TestSuite(core, .init = open_inventory, .fini = close_core, .timeout = 120);
TestSuite(core_orders, .init = open_orders, .fini = close_core, .timeout = 120);

static void peer(enum kind_id kind, const char *order, const char *re, const char *key, const char *status)
{
    const struct answer body = {
        .re = bytes_text(re), .key = bytes_text(key), .status = bytes_text(status), .body = bytes_of("\x80", 1)};
    struct buffer encoded = {0}, request = {0};
    body_encode(answer_shape(), &body, &encoded);
    request_write(&request, REQUEST_ID_NONE, "order.answer", bytes_text(order), buffer_bytes(&encoded), 0);
    queue[INBOX_PEERS][queued[INBOX_PEERS]++] = (struct parcel){.origin = PARCEL_PEER,
                                                                .route_kind = (uint8_t)kind,
                                                                .route = BYTES("x"),
                                                                .request = arena_copy(&texts, buffer_bytes(&request))};
    buffer_deinit(&encoded);
    buffer_deinit(&request);
}

static void client(const char *id, enum message_type type, const char *key, const void *body)
{
    static const char nothing[256];
    const struct message_def *def = message_by_number(type);
    struct buffer encoded = {0}, request = {0};
    body_encode(def->body(), body ? body : nothing, &encoded);
    request_write(&request, bytes_text(id), def->name, bytes_text(key), buffer_bytes(&encoded), 0);
    CHECK(queued[INBOX_CLIENTS] < QUEUE_MAX);
    queue[INBOX_CLIENTS][queued[INBOX_CLIENTS]++] = (struct parcel){
        .origin = PARCEL_CLIENT, .route = BYTES("client"), .request = arena_copy(&texts, buffer_bytes(&request))};
    buffer_deinit(&encoded);
    buffer_deinit(&request);
}

static void turn(void)
{
    if (core_select(&core, now))
        cr_assert_eq(core_turn(&core, ++now, &text), FAULT_NONE, "%s", text.line);
    for (int lane = 0; lane < INBOX_LANES; lane++)
        if (taken[lane] == queued[lane])
            taken[lane] = queued[lane] = 0;
}

// What was answered until nothing is left to do.
static const char *turns(void)
{
    buffer_clear(&answered);
    for (int i = 0; i < TURNS_MAX && (core_next(&core) <= now || queued[INBOX_CLIENTS] || queued[INBOX_PEERS]); i++)
        turn();
    return arena_format(&texts, "%.*s", (int)answered.size, (const char *)answered.at);
}

// Who was told so since this was asked before.
static const char *busy_ids(void)
{
    const char *ids = arena_format(&texts, "%.*s", (int)busy.size, busy.size ? (const char *)busy.at : "");
    buffer_clear(&busy);
    return ids;
}

// More holds of one SKU than two turns can end, all due.
static void fall_due(const char *sku)
{
    client("r", MESSAGE_inventory_receive, sku, &(struct inventory_receive){.quantity = HOLDS});
    turns();
    for (int i = 0; i < HOLDS; i++) {
        const char *id = arena_format(&texts, "h%d", i);
        client(id, MESSAGE_inventory_reserve, sku,
               &(struct inventory_reserve){bytes_text(id), .quantity = 1, .ttl_ms = 60000, .has_ttl_ms = true});
        if (queued[INBOX_CLIENTS] == 16)
            turn();
    }
    turns();
    now += INT64_C(120000000);
}

Test(core, a_drain_of_one_sku_does_not_stop_another)
{
    fall_due("mug");
    client("mug", MESSAGE_inventory_get, "mug", NULL);
    client("tea", MESSAGE_inventory_get, "tea", NULL);
    turn();
    client("new", MESSAGE_inventory_get, "tea", NULL);
    const char *order = turns();
    cr_expect(strstr(order, "new") < strstr(order, "mug"), "%s", order);
    cr_expect(strstr(order, "tea") < strstr(order, "mug"), "%s", order);
}

Test(core, messages_of_one_entity_keep_their_order)
{
    fall_due("mug");
    client("a", MESSAGE_inventory_get, "mug", NULL);
    turn();
    client("b", MESSAGE_inventory_reserve, "mug", &(struct inventory_reserve){BYTES("b"), .quantity = 1});
    client("other", MESSAGE_inventory_get, "tea", NULL);
    client("c", MESSAGE_inventory_get, "mug", NULL);
    const char *order = turns();
    cr_expect(strstr(order, "other") < strstr(order, "a "), "%s", order);
    cr_expect(strstr(order, "a ") < strstr(order, "b "), "%s", order);
    cr_expect(strstr(order, "b ") < strstr(order, "c "), "%s", order);
}

Test(core, credit_comes_back_once_for_each_message)
{
    fall_due("mug");
    uint64_t before = credit;
    for (int i = 0; i < 10; i++) {
        client("m", MESSAGE_inventory_get, "mug", NULL);
        client("t", MESSAGE_inventory_get, "tea", NULL);
        turn();
    }
    turns();
    cr_expect_eq(credit - before, 20);
}

Test(core, who_does_not_read_is_told_busy_before_anything_is_decided)
{
    uint32_t place = room_place(room, BYTES("client"));
    client("r", MESSAGE_inventory_receive, "mug", &(struct inventory_receive){.quantity = 5});
    room_take(room, place, ROOM / 16);
    turns();
    cr_expect_str_eq(busy_ids(), "r ");
    cr_expect_eq(core.shard->seq, 1, "only the epoch's row");
    cr_expect_eq(credit, 1);
    room_give(room, place, ROOM / 16);
    client("r", MESSAGE_inventory_receive, "mug", &(struct inventory_receive){.quantity = 5});
    turns();
    cr_expect_str_eq(busy_ids(), "");
    cr_expect_eq(core.shard->seq, 2);
}

Test(core, a_reply_takes_from_the_room_of_its_connection)
{
    uint32_t place = room_place(room, BYTES("client"));
    room_take(room, place, ROOM / 16 - 1);
    client("a", MESSAGE_inventory_get, "mug", NULL);
    client("b", MESSAGE_inventory_get, "mug", NULL);
    turns();
    cr_expect_str_eq(busy_ids(), "b ");
}

// ---- orders that go on of their own accord

enum { ORDERS = 8, ORDER_LINES = 2 };

static void place_some(void)
{
    static const struct order_line lines[ORDER_LINES] = {
        {BYTES("mug"), .quantity = 1, .unit_price = {500, "EUR"}, .has_unit_price = true},
        {BYTES("tea"), .quantity = 1, .unit_price = {500, "EUR"}, .has_unit_price = true},
    };
    const struct order_place body = {.user_id = BYTES("u"),
                                     .payment_method = BYTES("pm_card_visa"),
                                     .lines = (struct order_line *)lines,
                                     .lines_count = ORDER_LINES,
                                     .has_lines = true,
                                     .wait_ms = 0,
                                     .has_wait_ms = true};
    for (int i = 0; i < ORDERS; i++)
        client("p", MESSAGE_order_place, arena_format(&texts, "O%d", i), &body);
    turns();
    cr_assert_eq(asked[KIND_INVENTORY], ORDERS * ORDER_LINES);
}

static void stock_answers(const char *order, const char *re, const char *status)
{
    peer(KIND_INVENTORY, order, re, "mug", status);
    peer(KIND_INVENTORY, order, re, "tea", status);
    turns();
}

Test(core_orders, go_on_after_a_start_within_the_limit_of_lines)
{
    place_some();
    core_close(&core);
    settings.lines_in_flight_max = 2 * ORDER_LINES;
    start(KIND_ORDER);
    memset(asked, 0, sizeof asked);
    turns();
    cr_expect_eq(asked[KIND_INVENTORY], 2 * ORDER_LINES);
    stock_answers("O0", "inventory.reserve", "insufficient_stock");
    cr_expect_eq(asked[KIND_INVENTORY], 3 * ORDER_LINES);
    now += CORE_PATIENCE_US + 1000;
    turns();
    cr_expect_eq(asked[KIND_INVENTORY], 4 * ORDER_LINES, "an answer that never comes stops nobody");
}

Test(core_orders, expire_within_the_limit_of_lines)
{
    place_some();
    for (int i = 0; i < ORDERS; i++)
        stock_answers(arena_format(&texts, "O%d", i), "inventory.reserve", "ok");
    cr_assert_eq(asked[KIND_PAYMENT], ORDERS);
    settings.order_lines_max = ORDER_LINES;
    settings.lines_in_flight_max = 2 * ORDER_LINES;
    memset(asked, 0, sizeof asked);
    now += settings.order_deadline_ms * 1000;
    turn();
    turns();
    cr_expect_eq(asked[KIND_PAYMENT], 2);
    now += CORE_PATIENCE_US + 1000;
    turn();
    cr_expect_eq(asked[KIND_PAYMENT], 3);
}
