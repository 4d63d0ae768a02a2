// SPDX-License-Identifier: Apache-2.0
#include "provider/connector.h"

#include "codec/check.h"
#include "provider/exchange.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

enum { COLLECT_MS = 10, TARGETS_MAX = 64, CONNECTOR_HWM = 1000000 };

struct target {
    const char *endpoint;
    void *socket;
};

struct connector {
    struct connector_options options;
    pthread_t thread;
    atomic_bool stop;
    void *driver;
    void *inbox;
    struct target targets[TARGETS_MAX];
    struct buffer frame;
};

static void *socket_open(void *zmq, int type)
{
    void *socket = zmq_socket(zmq, type);
    CHECK(socket, "%s", zmq_strerror(errno));
    int hwm = CONNECTOR_HWM, linger = 0, patience_ms = COLLECT_MS;
    zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
    zmq_setsockopt(socket, ZMQ_SNDTIMEO, &patience_ms, sizeof patience_ms);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &hwm, sizeof hwm);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    return socket;
}

static void *target_of(struct connector *connector, const char *endpoint)
{
    for (int i = 0; i < TARGETS_MAX; i++) {
        struct target *target = &connector->targets[i];
        if (target->endpoint && strcmp(target->endpoint, endpoint) == 0)
            return target->socket;
        if (target->endpoint)
            continue;
        *target = (struct target){endpoint, socket_open(connector->options.zmq, ZMQ_PUSH)};
        CHECK(zmq_connect(target->socket, endpoint) == 0, "%s", endpoint);
        return target->socket;
    }
    CHECK(false, "more than %d payment actors", TARGETS_MAX);
}

static void begin(struct connector *connector, const struct parcel *parcel)
{
    struct arena arena;
    struct provider_call call;
    arena_init(&arena);
    provider_call_read(parcel->request, &call, &arena);
    connector->options.provider->begin(connector->driver, &call);
    arena_deinit(&arena);
}

static void take(struct connector *connector)
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    while (zmq_msg_recv(&message, connector->inbox, ZMQ_DONTWAIT) >= 0) {
        struct cursor frame = cursor_over(bytes_of(zmq_msg_data(&message), zmq_msg_size(&message)));
        struct parcel parcel;
        while (parcel_next(&frame, &parcel))
            begin(connector, &parcel);
    }
    zmq_msg_close(&message);
}

// Actors end before the connector does, and an inbox that is gone takes nothing: at the end an outcome is lost, and its
// payment asks again.
static void push(struct connector *connector, void *socket, const struct buffer *frame)
{
    while (zmq_send(socket, frame->at, frame->size, 0) < 0) {
        CHECK(errno == EINTR || errno == EAGAIN, "%s", zmq_strerror(errno));
        if (atomic_load(&connector->stop))
            return;
    }
}

static void give(struct connector *connector, const struct provider_result *result)
{
    buffer_clear(&connector->frame);
    provider_result_write(result, &connector->frame);
    const char *inbox = connector->options.payment_inbox(connector->options.context, result->order_id);
    push(connector, target_of(connector, inbox), &connector->frame);
}

static void *run(void *context)
{
    struct connector *connector = context;
    struct provider_result result;
    while (!atomic_load(&connector->stop)) {
        take(connector);
        int wait = COLLECT_MS;
        while (!atomic_load(&connector->stop) &&
               connector->options.provider->collect(connector->driver, wait, &result)) {
            give(connector, &result);
            wait = 0;
        }
    }
    for (int i = 0; i < TARGETS_MAX; i++)
        if (connector->targets[i].socket)
            zmq_close(connector->targets[i].socket);
    zmq_unbind(connector->inbox, CONNECTOR_ENDPOINT); // at once; a close alone frees the name some time later
    zmq_close(connector->inbox);
    return NULL;
}

struct connector *connector_start(const struct connector_options *options, char *why, size_t why_size)
{
    void *driver = options->provider->open(why, why_size);
    if (!driver)
        return NULL;
    struct connector *connector = calloc(1, sizeof *connector);
    CHECK(connector);
    connector->options = *options;
    connector->driver = driver;
    buffer_init(&connector->frame);
    connector->inbox = socket_open(options->zmq, ZMQ_PULL); // migrates to the thread below: pthread_create is the fence
    CHECK(zmq_bind(connector->inbox, CONNECTOR_ENDPOINT) == 0, "%s", zmq_strerror(errno));
    CHECK(pthread_create(&connector->thread, NULL, run, connector) == 0);
    return connector;
}

void connector_stop(struct connector **connector)
{
    struct connector *it = *connector;
    if (!it)
        return;
    atomic_store(&it->stop, true);
    pthread_join(it->thread, NULL);
    it->options.provider->close(it->driver);
    buffer_deinit(&it->frame);
    free(it);
    *connector = NULL;
}
