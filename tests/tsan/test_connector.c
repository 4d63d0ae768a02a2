// SPDX-License-Identifier: Apache-2.0
// The connector under ThreadSanitizer: two payment actors that ask without a pause, a driver that answers some of it,
// and an end in the middle of it, again and again.
#include "codec/check.h"
#include "codec/envelope.h"
#include "codec/parcel.h"
#include "provider/connector.h"
#include "tests/tsan/handover.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zmq.h>

enum { LIVES = 6, CALLS_MAX = 1 << 16, ANSWERS_A_ROUND = 20, WAITS_MAX = 20000 };

// ---- the driver: it forgets every seventh operation, as a provider that is silent

static struct driver {
    char order_ids[CALLS_MAX][16];
    uint32_t begun, given;
} driver;

static void *driver_open(char *why, size_t why_size)
{
    driver.begun = driver.given = 0;
    return &driver;
}

static void driver_begin(void *self, const struct provider_call *call)
{
    if (driver.begun < CALLS_MAX)
        snprintf(driver.order_ids[driver.begun++], sizeof *driver.order_ids, "%.*s", BYTES_FORMAT(call->order_id));
}

static bool driver_collect(void *self, int timeout_ms, struct provider_result *result)
{
    if (driver.given < driver.begun && driver.given % 7 == 6)
        driver.given++;
    if (driver.given == driver.begun) {
        if (timeout_ms)
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
        return false;
    }
    *result = (struct provider_result){
        .order_id = bytes_text(driver.order_ids[driver.given++]),
        .outcome = {.operation = BYTES("authorize"), .attempt = 1, .outcome = BYTES("succeeded")},
    };
    return true;
}

static void driver_close(void *self)
{
    driver.begun = 0;
}

static const struct provider fake = {"fake", driver_open, driver_begin, driver_collect, driver_close};

// ---- payment actors

struct payer {
    void *zmq;
    char endpoint[32], order_id[16];
    atomic_bool ending;
    _Atomic uint32_t answers;
    pthread_t thread;
};

static struct payer payers[2];

static const char *payment_inbox(void *context, struct bytes order_id)
{
    return payers[order_id.at[0] == 'B'].endpoint;
}

static void *socket_of(void *zmq, int type)
{
    void *socket = zmq_socket(zmq, type);
    int linger = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    return socket;
}

static void ask(void *push, const char *order_id)
{
    struct buffer body = {0}, request = {0}, frame = {0};
    struct provider_operation operation = {.operation = BYTES("authorize"), .provider_key = BYTES("key"), .attempt = 1,
                                           .amount = {100, "GBP"}, .method = BYTES("pm")};
    body_encode(provider_operation_shape(), &operation, &body);
    request_write(&request, REQUEST_ID_NONE, "sandbox.operate", bytes_text(order_id), buffer_bytes(&body), 0);
    parcel_write(&frame, &(struct parcel){.origin = PARCEL_PEER, .route_kind = KIND_PAYMENT,
                                          .route = bytes_text(order_id), .request = buffer_bytes(&request)});
    zmq_send(push, frame.at, frame.size, ZMQ_DONTWAIT); // the connector may have ended
    buffer_deinit(&body);
    buffer_deinit(&request);
    buffer_deinit(&frame);
}

static bool answered(struct payer *payer, void *inbox)
{
    zmq_msg_t message;
    struct parcel parcel;
    zmq_msg_init(&message);
    bool came = zmq_msg_recv(&message, inbox, ZMQ_DONTWAIT) >= 0;
    struct cursor frame = cursor_over(bytes_of(zmq_msg_data(&message), zmq_msg_size(&message)));
    while (came && parcel_next(&frame, &parcel)) {
        CHECK(bytes_equal(parcel.route, bytes_text(payer->order_id)), "%.*s", BYTES_FORMAT(parcel.route));
        payer->answers++;
    }
    zmq_msg_close(&message);
    return came;
}

static void *pay(void *context)
{
    struct payer *payer = context;
    void *push = socket_of(payer->zmq, ZMQ_PUSH), *inbox = socket_of(payer->zmq, ZMQ_PULL);
    CHECK(zmq_bind(inbox, payer->endpoint) == 0, "%s", payer->endpoint);
    CHECK(zmq_connect(push, CONNECTOR_ENDPOINT) == 0, CONNECTOR_ENDPOINT);
    for (uint32_t asked = 0; !atomic_load(&payer->ending); asked++) {
        if (asked < CALLS_MAX / 4)
            ask(push, payer->order_id);
        while (answered(payer, inbox))
            ;
    }
    zmq_close(push);
    zmq_close(inbox);
    return NULL;
}

// ---- one life of the connector

static uint32_t answers(void)
{
    return atomic_load(&payers[0].answers) + atomic_load(&payers[1].answers);
}

static void until_answered(uint32_t wanted)
{
    for (int waits = 0; answers() < wanted; waits++) {
        CHECK(waits < WAITS_MAX, "%u of %u answers", answers(), wanted);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static void live(uint32_t round)
{
    void *zmq = zmq_ctx_new();
    char why[64];
    for (int i = 0; i < 2; i++) {
        payers[i] = (struct payer){.zmq = zmq};
        snprintf(payers[i].endpoint, sizeof payers[i].endpoint, "inproc://payment/%d", i);
        snprintf(payers[i].order_id, sizeof payers[i].order_id, "%c%u", 'A' + i, round);
    }
    struct connector_options options = {zmq, &fake, payment_inbox, NULL};
    struct connector *connector = connector_start(&options, why, sizeof why);
    CHECK(connector, "%s", why);
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&payers[i].thread, NULL, pay, &payers[i]) == 0, "no thread");
    until_answered((round % 10 + 1) * ANSWERS_A_ROUND);
    if (round % 2) // the connector ends while it is asked, or the askers before it
        connector_stop(&connector);
    for (int i = 0; i < 2; i++) {
        atomic_store(&payers[i].ending, true);
        pthread_join(payers[i].thread, NULL);
    }
    connector_stop(&connector);
    zmq_ctx_term(zmq);
}

int main(int argc, char **argv)
{
    uint32_t total = 0, lives = handover_rounds(argc, argv, LIVES);
    for (uint32_t round = 0; round < lives; round++) {
        live(round);
        total += answers();
    }
    printf("%u lives, %u answers\n", lives, total);
    return 0;
}
