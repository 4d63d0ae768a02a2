// SPDX-License-Identifier: Apache-2.0
// A stage for the broker's tests: a broker between raw ZeroMQ clients and actors that the test itself plays.
// Every socket waits at most PATIENCE_MS.
#pragma once

#include "broker/broker.h"
#include "codec/cursor.h"
#include "codec/envelope.h"
#include "codec/parcel.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

enum { PATIENCE_MS = 20000, SILENCE_MS = 200, FRAME_ROOM = 2 * 1024 * 1024 };

struct stage {
    void *context; // the node's
    void *outside; // the clients'
    void *inbox[KIND_COUNT][2];
    void *to_broker;
    struct broker *broker;
    struct broker_options options;
    const char *listen[1];
    char endpoint[256]; // where clients connect
    char operators[64]; // where operators connect
    uint8_t operator_route[256];
    struct parcel operator_request; // what control_request got last
};

static uint8_t frame_room[FRAME_ROOM], inbox_room[FRAME_ROOM];

static inline void *stage_socket(void *context, int type)
{
    int patience = PATIENCE_MS, linger = 0;
    void *socket = zmq_socket(context, type);
    cr_assert(socket);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience, sizeof patience);
    zmq_setsockopt(socket, ZMQ_SNDTIMEO, &patience, sizeof patience);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    return socket;
}

// Inventory has two actors; odd slots belong to the second.
static uint16_t stage_owner(void *context, enum kind_id kind, uint16_t slot)
{
    return kind == KIND_INVENTORY ? slot % 2 : 0;
}

static void stage_status(void *context, struct bytes dropped, struct buffer *body)
{
    pack_map(body, 1);
    pack_text(body, "dropped");
    pack_raw(body, dropped);
}

static void stage_control(void *context, struct bytes route, uint8_t flags, struct bytes request)
{
    struct stage *stage = context;
    memcpy(stage->operator_route, route.at, route.size);
    stage->operator_request = (struct parcel){PARCEL_CLIENT, flags, 0, {stage->operator_route, route.size}, {0}};
}

static inline void stage_init(struct stage *stage)
{
    *stage = (struct stage){.context = zmq_ctx_new(), .outside = zmq_ctx_new()};
    struct broker_options *options = &stage->options;
    *options = (struct broker_options){.context = stage->context, .listen = stage->listen, .listen_count = 1};
    stage->listen[0] = "tcp://127.0.0.1:*";
    options->commands_in_flight_max = 65536;
    options->bytes_in_flight_max = 268435456;
    options->owner = stage_owner;
    options->status = stage_status;
    options->control_request = stage_control;
    options->control_context = stage;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        options->actors[kind] = options->serving[kind] = kind == KIND_INVENTORY ? 2 : 1;
        for (uint16_t i = 0; i < options->actors[kind]; i++) {
            char endpoint[64];
            snprintf(endpoint, sizeof endpoint, "inproc://%s", actor_id_name((struct actor_id){kind, i}).text);
            stage->inbox[kind][i] = stage_socket(stage->context, ZMQ_PULL);
            cr_assert_eq(zmq_bind(stage->inbox[kind][i], endpoint), 0);
        }
    }
    stage->to_broker = stage_socket(stage->context, ZMQ_PUSH);
    cr_assert_eq(zmq_connect(stage->to_broker, "inproc://broker"), 0);
}

static inline void stage_start(struct stage *stage)
{
    struct fault_text text;
    cr_assert_eq(broker_bind(&stage->options, &stage->broker, &text), FAULT_NONE, "%s", text.line);
    cr_assert_eq(broker_start(stage->broker, &stage->options, &text), FAULT_NONE, "%s", text.line);
    snprintf(stage->endpoint, sizeof stage->endpoint, "%s", broker_endpoint(stage->broker, 0));
}

static inline void stage_deinit(struct stage *stage)
{
    broker_stop(&stage->broker);
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        for (uint16_t i = 0; i < stage->options.actors[kind]; i++)
            zmq_close(stage->inbox[kind][i]);
    }
    zmq_close(stage->to_broker);
    zmq_ctx_term(stage->context);
    zmq_ctx_term(stage->outside);
}

static inline void *stage_client(struct stage *stage, int type)
{
    void *client = stage_socket(stage->outside, type);
    cr_assert_eq(zmq_connect(client, stage->endpoint), 0);
    return client;
}

// ---- frames

// The next frame at a socket, with `at` NULL if none comes within `ms`; lives until the next call.
static inline struct bytes receive_within(void *socket, int ms)
{
    zmq_pollitem_t item = {socket, 0, ZMQ_POLLIN, 0};
    if (zmq_poll(&item, 1, ms) <= 0)
        return bytes_of(NULL, 0);
    int size = zmq_recv(socket, frame_room, sizeof frame_room, 0);
    cr_assert(size >= 0 && size <= FRAME_ROOM, "%s", zmq_strerror(zmq_errno()));
    return bytes_of(frame_room, (size_t)size);
}

static inline struct bytes receive(void *socket)
{
    struct bytes frame = receive_within(socket, PATIENCE_MS);
    cr_assert(frame.at, "nothing came");
    return frame;
}

static inline void send_bytes(void *socket, struct bytes frame)
{
    cr_assert_eq(zmq_send(socket, frame.at, frame.size, 0), (int)frame.size, "%s", zmq_strerror(zmq_errno()));
}

static inline void append_request(struct buffer *out, const char *id, const char *type, const char *key)
{
    static const uint8_t empty_map[] = {0x80};
    request_write(out, bytes_text(id), type, bytes_text(key), bytes_of(empty_map, 1), 0);
}

static inline void send_request(void *client, const char *id, const char *type, const char *key)
{
    struct buffer frame;
    buffer_init(&frame);
    append_request(&frame, id, type, key);
    send_bytes(client, buffer_bytes(&frame));
    buffer_deinit(&frame);
}

// ---- the actor's side

static inline void actor_send(struct stage *stage, const struct parcel *parcel)
{
    struct buffer frame;
    buffer_init(&frame);
    parcel_write(&frame, parcel);
    send_bytes(stage->to_broker, buffer_bytes(&frame));
    buffer_deinit(&frame);
}

// Answers the request of a parcel `ok` with an empty body.
static inline void append_answer(struct buffer *out, const struct parcel *asked)
{
    static const uint8_t empty_map[] = {0x80};
    struct cursor cursor = cursor_over(asked->request);
    struct request request;
    struct envelope_refusal refusal;
    struct buffer reply;
    cr_assert(request_read(&cursor, &request, &refusal));
    cr_assert_eq(cursor_left(&cursor), 0);
    buffer_init(&reply);
    reply_write(&reply, request.id, STATUS_ok, bytes_of(empty_map, 1));
    parcel_write(out, &(struct parcel){PARCEL_REPLY, asked->flags, 0, asked->route, buffer_bytes(&reply)});
    buffer_deinit(&reply);
}

static inline void actor_answer(struct stage *stage, const struct parcel *asked)
{
    struct buffer frame;
    buffer_init(&frame);
    append_answer(&frame, asked);
    send_bytes(stage->to_broker, buffer_bytes(&frame));
    buffer_deinit(&frame);
}

static inline void actor_give_credit(struct stage *stage, uint16_t actor, uint32_t commands, uint64_t size)
{
    struct parcel_credit credit = {commands, size, actor};
    actor_send(stage, &(struct parcel){PARCEL_CREDIT, .request = bytes_of(&credit, sizeof credit)});
}

// The one parcel of the next frame in an inbox; lives until the next call.
static inline struct parcel actor_receive(void *inbox)
{
    struct bytes frame = receive(inbox);
    memcpy(inbox_room, frame.at, frame.size);
    struct cursor cursor = cursor_over(bytes_of(inbox_room, frame.size));
    struct parcel parcel;
    cr_assert(parcel_next(&cursor, &parcel));
    cr_assert_eq(cursor_left(&cursor), 0);
    return parcel;
}

// ---- the client's side

static inline const char *text_of(struct bytes bytes)
{
    static char text[256];
    snprintf(text, sizeof text, "%.*s", BYTES_FORMAT(bytes));
    return text;
}

static inline struct reply read_reply(struct bytes frame)
{
    struct cursor cursor = cursor_over(frame);
    struct reply reply;
    cr_assert(reply_read(&cursor, &reply), "not a single reply");
    cr_assert_eq(cursor_left(&cursor), 0);
    return reply;
}

// The value of a body's field, with `at` NULL if there is none.
static inline struct bytes body_value(struct bytes body, const char *field)
{
    struct cursor cursor = cursor_over(body);
    struct bytes name, value;
    uint32_t count = 0;
    for (cursor_map(&cursor, &count); count && cursor_str(&cursor, &name); count--) {
        cr_assert(cursor_skip(&cursor, &value));
        if (bytes_equal(name, bytes_text(field)))
            return value;
    }
    return bytes_of(NULL, 0);
}

static inline bool body_int(struct bytes body, const char *field, int64_t *value)
{
    struct cursor cursor = cursor_over(body_value(body, field));
    return cursor.at && cursor_int(&cursor, value);
}

static inline void expect_reply(struct bytes frame, const char *id, const char *status, const char *field)
{
    struct reply reply = read_reply(frame);
    cr_assert(bytes_equal(reply.id, bytes_text(id)), "id %s, expected %s", text_of(reply.id), id);
    cr_assert(bytes_equal(reply.status, bytes_text(status)), "status %s, expected %s", text_of(reply.status), status);
    if (!field)
        return;
    struct cursor cursor = cursor_over(body_value(reply.body, "field"));
    struct bytes named;
    cr_assert(cursor.at && cursor_str(&cursor, &named), "no field in the body");
    cr_assert(bytes_equal(named, bytes_text(field)), "field %s, expected %s", text_of(named), field);
    cr_assert(body_value(reply.body, "message").at, "no message in the body");
}

// How many were dropped for a reason, as souk.status says.
static inline int64_t dropped(void *client, const char *reason)
{
    int64_t count = -1;
    send_request(client, "status", "souk.status", "node");
    struct reply reply = read_reply(receive(client));
    cr_assert(bytes_equal(reply.status, BYTES("ok")));
    cr_assert(body_int(body_value(reply.body, "dropped"), reason, &count), "no count for %s", reason);
    return count;
}

// Waits until a count is reached: what happens to connections is seen with some delay.
static inline void expect_dropped(void *client, const char *reason, int64_t at_least)
{
    for (int i = 0; i < 200; i++) {
        if (dropped(client, reason) >= at_least)
            return;
        zmq_poll(NULL, 0, 20);
    }
    cr_assert_fail("%s stays at %lld", reason, (long long)dropped(client, reason));
}
