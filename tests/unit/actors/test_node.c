// SPDX-License-Identifier: Apache-2.0
// A whole node with a payment provider outside, which the test plays, as it plays the broker: requests go straight to
// the actors' inboxes, replies come to the broker's.
#include "actors/node.h"
#include "codec/check.h"
#include "codec/parcel.h"
#include "provider/provider.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zmq.h>

enum { PATIENCE_MS = 20000, ORDERS = 8, CALLS_MAX = 1024 };

// ---- the provider: every operation succeeds some time after it has begun

static struct call {
    char order_id[16], operation[32];
    int64_t attempt;
} calls[CALLS_MAX]; // the connector's thread only, like the next two
static uint32_t begun, given;

static void *fake_open(char *why, size_t why_size)
{
    return calls;
}

static void fake_begin(void *self, const struct provider_call *call)
{
    CHECK(begun < CALLS_MAX, "%u", begun);
    struct call *it = &calls[begun++];
    snprintf(it->order_id, sizeof it->order_id, "%.*s", BYTES_FORMAT(call->order_id));
    snprintf(it->operation, sizeof it->operation, "%.*s", BYTES_FORMAT(call->operation.operation));
    it->attempt = call->operation.attempt;
}

static bool fake_collect(void *self, int timeout_ms, struct provider_result *result)
{
    if (given == begun) {
        if (timeout_ms)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        return false;
    }
    const struct call *it = &calls[given++];
    *result = (struct provider_result){
        .order_id = bytes_text(it->order_id),
        .outcome = {.operation = bytes_text(it->operation), .attempt = it->attempt, .outcome = BYTES("succeeded")}};
    return true;
}

static void fake_close(void *self) {}

// Takes the place of provider/provider.c.
const struct provider *provider_by_name(struct bytes name)
{
    static const struct provider fake = {"fake", fake_open, fake_begin, fake_collect, fake_close};
    return bytes_equal(name, BYTES("fake")) ? &fake : NULL;
}

// ---- the node

static void *zmq, *broker;
static struct node *node;
static char directory[64];
static struct arena arena; // what was answered

static void log_nothing(const char *line) {}

static void ends_the_test(const char *line)
{
    CHECK(false, "%s", line);
}

static void open_all(void)
{
    struct fault_text text;
    int patience = PATIENCE_MS;
    arena_init(&arena);
    snprintf(directory, sizeof directory, "/tmp/souk-node-XXXXXX");
    cr_assert(mkdtemp(directory));
    zmq = zmq_ctx_new();
    broker = zmq_socket(zmq, ZMQ_PULL);
    zmq_setsockopt(broker, ZMQ_RCVTIMEO, &patience, sizeof patience);
    cr_assert_eq(zmq_bind(broker, "inproc://broker"), 0);
    struct node_options options = {.zmq = zmq,
                                   .path = directory,
                                   .memory_bytes = 64 * 1024 * 1024,
                                   .wanted = {{1, 1, 1, 1, 2, 1}},
                                   .settings = {.remember_hours = 1,
                                                .reservation_ttl_ms = 900000,
                                                .cart_ttl_days = 1,
                                                .cart_lines_max = 10,
                                                .order_lines_max = 10,
                                                .order_deadline_ms = 900000,
                                                .lines_in_flight_max = 1000,
                                                .waiting_max = 1000,
                                                .provider_key_hours = 1,
                                                .provider = BYTES("fake")},
                                   .turn_messages_max = 64,
                                   .waiters_max = 100,
                                   .build = "test",
                                   .log = log_nothing,
                                   .fail = ends_the_test};
    cr_assert_eq(node_open(&options, &node, &text), FAULT_NONE, "%s", text.line);
    node_go(node);
}

static int remove_one(const char *path, const struct stat *what, int type, struct FTW *at)
{
    return remove(path);
}

static void close_all(void)
{
    node_stop(node);
    node_close(&node);
    zmq_close(broker);
    zmq_ctx_term(zmq);
    nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_deinit(&arena);
}

TestSuite(node, .init = open_all, .fini = close_all, .timeout = 120);

static void ask(enum kind_id kind, enum message_type type, const char *key, const void *body)
{
    const struct message_def *def = message_by_number(type);
    struct buffer encoded = {0}, request = {0}, frame = {0};
    void *socket = zmq_socket(zmq, ZMQ_PUSH);
    body_encode(def->body(), body, &encoded);
    request_write(&request, bytes_text(key), def->name, bytes_text(key), buffer_bytes(&encoded), 0);
    parcel_write(&frame, &(struct parcel){PARCEL_CLIENT, .route = BYTES("client"), .request = buffer_bytes(&request)});
    cr_assert_eq(zmq_connect(socket, actor_endpoint((struct actor_id){kind, 0}).text), 0);
    cr_assert_eq(zmq_send(socket, frame.at, frame.size, 0), (int)frame.size);
    zmq_close(socket);
    buffer_deinit(&encoded);
    buffer_deinit(&request);
    buffer_deinit(&frame);
}

// How many replies the next frame to the broker has; adds how many tell of a confirmed order.
static int take_replies(int *confirmed)
{
    zmq_msg_t message;
    struct parcel parcel;
    struct reply reply;
    struct order_placed view;
    struct refusal refusal;
    int count = 0;
    zmq_msg_init(&message);
    cr_assert(zmq_msg_recv(&message, broker, 0) >= 0, "nothing came");
    struct cursor parcels = cursor_over(bytes_of(zmq_msg_data(&message), zmq_msg_size(&message)));
    while (parcel_next(&parcels, &parcel)) {
        struct cursor cursor = cursor_over(parcel.request);
        if (parcel.origin != PARCEL_REPLY)
            continue;
        cr_assert(reply_read(&cursor, &reply));
        cr_expect(bytes_equal(reply.status, BYTES("ok")), "%.*s", BYTES_FORMAT(reply.status));
        if (body_decode(order_placed_shape(), reply.body, &view, &arena, &refusal))
            *confirmed += bytes_equal(view.status, BYTES("confirmed"));
        count++;
    }
    zmq_msg_close(&message);
    return count;
}

static void place(const char *order_id)
{
    struct order_line line = {.sku = BYTES("mug"), .quantity = 1, .unit_price = {500, "GBP"}, .has_unit_price = true};
    struct order_place body = {.user_id = BYTES("u"),
                               .payment_method = BYTES("pm_card_visa"),
                               .lines = &line,
                               .lines_count = 1,
                               .has_lines = true,
                               .wait_ms = PATIENCE_MS,
                               .has_wait_ms = true};
    ask(KIND_ORDER, MESSAGE_order_place, order_id, &body);
}

Test(node, a_providers_outcome_goes_to_the_actor_that_owns_the_payment)
{
    int answered = 0, confirmed = 0, owned[2] = {0};
    char order_id[16];
    ask(KIND_INVENTORY, MESSAGE_inventory_receive, "mug", &(struct inventory_receive){.quantity = ORDERS});
    while (!answered)
        answered += take_replies(&confirmed);
    for (int i = 0; i < ORDERS; i++) {
        snprintf(order_id, sizeof order_id, "o%d", i);
        owned[owner_of(node_owners(node), KIND_PAYMENT, slot_of(bytes_text(order_id)))]++;
        place(order_id);
    }
    cr_assert(owned[0] && owned[1]);
    while (answered < 1 + ORDERS)
        answered += take_replies(&confirmed);
    cr_expect_eq(confirmed, ORDERS);
}
