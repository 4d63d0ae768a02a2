// SPDX-License-Identifier: Apache-2.0
// The connector between payment actors and a driver that only the test knows: operations go in, outcomes come out at
// the right inbox.
#include "codec/envelope.h"
#include "codec/parcel.h"
#include "provider/connector.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zmq.h>

enum { ARRIVE_MS = 20000, CALLS_MAX = 256 };

// ---- the driver: every operation succeeds, in order, but for the ones that are declined

static struct driver {
    struct call {
        char order_id[64], key[200], operation[32];
        int64_t attempt, amount;
        bool query;
    } calls[CALLS_MAX];
    uint32_t begun, given; // the connector's thread only
    atomic_bool collecting;
    bool refuses, closed, closed_in_use;
} driver;

static void *driver_open(char *why, size_t why_size)
{
    if (!driver.refuses)
        return &driver;
    snprintf(why, why_size, "set FAKE_KEY");
    return NULL;
}

static void driver_begin(void *self, const struct provider_call *call)
{
    cr_assert_eq(self, &driver);
    const struct provider_operation *operation = &call->operation;
    struct call *it = &driver.calls[driver.begun++];
    snprintf(it->order_id, sizeof it->order_id, "%.*s", BYTES_FORMAT(call->order_id));
    snprintf(it->key, sizeof it->key, "%.*s", BYTES_FORMAT(operation->provider_key));
    snprintf(it->operation, sizeof it->operation, "%.*s", BYTES_FORMAT(operation->operation));
    it->attempt = operation->attempt;
    it->amount = operation->amount.amount;
    it->query = operation->query;
}

static bool driver_collect(void *self, int timeout_ms, struct provider_result *result)
{
    if (driver.given == driver.begun) {
        atomic_store(&driver.collecting, timeout_ms > 0);
        nanosleep(&(struct timespec){.tv_nsec = timeout_ms * 1000000}, NULL);
        atomic_store(&driver.collecting, false);
        return false;
    }
    const struct call *call = &driver.calls[driver.given++];
    *result = (struct provider_result){
        .order_id = bytes_text(call->order_id),
        .outcome = {.operation = bytes_text(call->operation),
                    .attempt = call->attempt,
                    .outcome = call->amount == 13 ? BYTES("declined") : BYTES("succeeded")},
    };
    return true;
}

static void driver_close(void *self)
{
    driver.closed = true;
    driver.closed_in_use = atomic_load(&driver.collecting);
}

static const struct provider fake = {
    .name = "fake", .open = driver_open, .begin = driver_begin, .collect = driver_collect, .close = driver_close};

// ---- two payment actors: order ids that begin with A, and the others

static void *zmq, *push, *inboxes[2];
static struct connector *connector;
static struct arena arena;

static const char *payment_inbox(void *context, struct bytes order_id)
{
    cr_assert_eq(context, &driver);
    return order_id.at[0] == 'A' ? "inproc://payment/0" : "inproc://payment/1";
}

static void *socket_open(int type)
{
    void *socket = zmq_socket(zmq, type);
    int timeout = ARRIVE_MS, linger = 0;
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    return socket;
}

static void open_all(void)
{
    arena_init(&arena);
    zmq = zmq_ctx_new();
    for (int i = 0; i < 2; i++) {
        inboxes[i] = socket_open(ZMQ_PULL);
        cr_assert_eq(zmq_bind(inboxes[i], i ? "inproc://payment/1" : "inproc://payment/0"), 0);
    }
}

static void start(void)
{
    char why[128] = "";
    struct connector_options options = {zmq, &fake, payment_inbox, &driver};
    connector = connector_start(&options, why, sizeof why);
    cr_assert_not_null(connector, "%s", why);
    push = socket_open(ZMQ_PUSH);
    cr_assert_eq(zmq_connect(push, CONNECTOR_ENDPOINT), 0);
}

static void close_all(void)
{
    connector_stop(&connector);
    cr_expect_null(connector);
    if (push)
        zmq_close(push);
    zmq_close(inboxes[0]);
    zmq_close(inboxes[1]);
    zmq_ctx_term(zmq);
    arena_deinit(&arena);
}

TestSuite(connector, .init = open_all, .fini = close_all, .timeout = 120);

static void add(struct buffer *frame, const char *order_id, const char *operation, int64_t attempt, int64_t amount)
{
    struct buffer body, request;
    struct provider_operation it = {.operation = bytes_text(operation),
                                    .provider_key = bytes_text(arena_format(&arena, "%s-%s", order_id, operation)),
                                    .attempt = attempt,
                                    .amount = {amount, "EUR"},
                                    .method = BYTES("pm"),
                                    .query = attempt > 1};
    buffer_init(&body);
    buffer_init(&request);
    body_encode(provider_operation_shape(), &it, &body);
    request_write(&request, REQUEST_ID_NONE, "sandbox.operate", bytes_text(order_id), buffer_bytes(&body), 0);
    parcel_write(frame, &(struct parcel){.origin = PARCEL_PEER,
                                         .route_kind = KIND_PAYMENT,
                                         .route = bytes_text(order_id),
                                         .request = buffer_bytes(&request)});
    buffer_deinit(&body);
    buffer_deinit(&request);
}

static void send_frame(struct buffer *frame)
{
    cr_assert_eq(zmq_send(push, frame->at, frame->size, 0), (int)frame->size);
    buffer_deinit(frame);
}

static void operate(const char *order_id, const char *operation, int64_t attempt, int64_t amount)
{
    struct buffer frame;
    buffer_init(&frame);
    add(&frame, order_id, operation, attempt, amount);
    send_frame(&frame);
}

// The next outcome at an inbox: "type key operation attempt outcome".
static const char *outcome(int inbox)
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    cr_assert(zmq_msg_recv(&message, inboxes[inbox], 0) >= 0, "nothing came");
    struct cursor frame = cursor_over(bytes_of(zmq_msg_data(&message), zmq_msg_size(&message)));
    struct parcel parcel;
    struct request request;
    struct envelope_refusal why;
    struct provider_outcome body;
    struct refusal refusal;
    cr_assert(parcel_next(&frame, &parcel));
    cr_expect_eq(parcel.origin, PARCEL_PEER);
    cr_expect_eq(parcel.route_kind, KIND_SANDBOX);
    struct cursor cursor = cursor_over(parcel.request);
    cr_assert(request_read(&cursor, &request, &why));
    cr_expect(bytes_equal(parcel.route, request.key));
    cr_assert(body_decode(provider_outcome_shape(), request.body, &body, &arena, &refusal));
    const char *text =
        arena_format(&arena, "%.*s %.*s %.*s %d %.*s", BYTES_FORMAT(request.type), BYTES_FORMAT(request.key),
                     BYTES_FORMAT(body.operation), (int)body.attempt, BYTES_FORMAT(body.outcome));
    zmq_msg_close(&message);
    return text;
}

Test(connector, an_operation_comes_back_as_the_payments_outcome)
{
    start();
    operate("A1", "authorize", 1, 500);
    cr_expect_str_eq(outcome(0), "payment.outcome A1 authorize 1 succeeded");
    operate("A1", "capture", 2, 13);
    cr_expect_str_eq(outcome(0), "payment.outcome A1 capture 2 declined");
    connector_stop(&connector); // its thread has ended: what the driver saw may be read
    cr_assert_eq(driver.begun, 2);
    cr_expect_str_eq(driver.calls[0].order_id, "A1");
    cr_expect_str_eq(driver.calls[0].key, "A1-authorize");
    cr_expect_eq(driver.calls[0].amount, 500);
    cr_expect_not(driver.calls[0].query);
    cr_expect(driver.calls[1].query);
}

Test(connector, an_outcome_goes_to_the_actor_that_owns_the_payment)
{
    start();
    operate("B1", "authorize", 1, 500);
    operate("A1", "authorize", 1, 500);
    operate("B2", "void", 1, 500);
    cr_expect_str_eq(outcome(0), "payment.outcome A1 authorize 1 succeeded");
    cr_expect_str_eq(outcome(1), "payment.outcome B1 authorize 1 succeeded");
    cr_expect_str_eq(outcome(1), "payment.outcome B2 void 1 succeeded");
}

Test(connector, a_frame_of_many_operations_is_begun_in_order)
{
    struct buffer frame;
    buffer_init(&frame);
    start();
    for (int i = 0; i < 100; i++)
        add(&frame, arena_format(&arena, "A%d", i), "refund", 1, 500);
    send_frame(&frame);
    for (int i = 0; i < 100; i++)
        cr_expect_str_eq(outcome(0), arena_format(&arena, "payment.outcome A%d refund 1 succeeded", i));
}

Test(connector, a_driver_that_cannot_be_used_says_why)
{
    char why[128] = "";
    struct connector_options options = {zmq, &fake, payment_inbox, &driver};
    driver.refuses = true;
    cr_expect_null(connector_start(&options, why, sizeof why));
    cr_expect_str_eq(why, "set FAKE_KEY");
    driver.refuses = false;
    start(); // and the endpoint is still free
    operate("A1", "authorize", 1, 500);
    cr_expect_str_eq(outcome(0), "payment.outcome A1 authorize 1 succeeded");
}

Test(connector, stopping_closes_the_driver_and_frees_the_endpoint)
{
    start();
    connector_stop(&connector);
    cr_expect(driver.closed);
    zmq_close(push);
    start();
    operate("A1", "authorize", 1, 500);
    cr_expect_str_eq(outcome(0), "payment.outcome A1 authorize 1 succeeded");
}

Test(connector, the_driver_is_closed_when_nobody_uses_it_any_more)
{
    start();
    while (!atomic_load(&driver.collecting))
        nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
    connector_stop(&connector);
    cr_expect(driver.closed);
    cr_expect_not(driver.closed_in_use);
}

Test(connector, it_ends_although_the_actor_that_waits_for_an_outcome_has_ended)
{
    start();
    operate("A1", "authorize", 1, 500);
    cr_expect_str_eq(outcome(0), "payment.outcome A1 authorize 1 succeeded");
    zmq_close(inboxes[0]);
    for (int i = 0; i < 20; i++) { // the end of an inbox is noticed some time later
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        operate("A1", "capture", i + 1, 500);
    }
    connector_stop(&connector);
    inboxes[0] = socket_open(ZMQ_PULL);
}

Test(connector, nobody_knows_a_provider_that_is_not_there)
{
    cr_expect_null(provider_by_name(BYTES("fake")));
    cr_expect_null(provider_by_name(BYTES("sandbox")), "the embedded one is a kind of actors");
    cr_expect_null(provider_by_name(BYTES("")));
}
