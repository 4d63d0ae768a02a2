// SPDX-License-Identifier: Apache-2.0
#include "broker/front.h"

#include "broker/listener.h"
#include "codec/check.h"
#include "codec/envelope.h"

#include <errno.h>

enum {
    ARRIVALS_MAX = 1000, // frames of one connection waiting for us (RCVHWM)
    REPLIES_MAX = 0,     // frames of one connection waiting for it (SNDHWM), without end: unread.h bounds their bytes
    LINGER_MS = 2000,
    WATCHED = ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
              ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH,
};

// Watching must go on for as long as the front is open: libzmq's I/O thread waits for a monitor that is full.
static void watch_open(struct front *front, void *context)
{
    const char *endpoint = front->flags ? "inproc://front-operators-events" : "inproc://front-clients-events";
    CHECK(zmq_socket_monitor(front->router, endpoint, WATCHED) == 0, "%s", zmq_strerror(zmq_errno()));
    front->monitor = zmq_socket(context, ZMQ_PAIR);
    CHECK(front->monitor, "%s", zmq_strerror(zmq_errno()));
    listener_set(front->monitor, ZMQ_LINGER, 0);
    CHECK(zmq_connect(front->monitor, endpoint) == 0, "%s", zmq_strerror(zmq_errno()));
}

void front_open(struct front *front, void *context, uint8_t flags, struct drops *drops, struct unread *unread)
{
    *front = (struct front){.flags = flags, .drops = drops, .unread = unread};
    front->router = listener_new(context, ZMQ_ROUTER, FRAME_SIZE_CUT);
    listener_set(front->router, ZMQ_ROUTER_MANDATORY, 1);
    listener_set(front->router, ZMQ_RCVHWM, ARRIVALS_MAX);
    listener_set(front->router, ZMQ_SNDHWM, REPLIES_MAX);
    listener_set(front->router, ZMQ_ROUTER_HANDOVER, 1); // a client that comes back under its name takes over from the dead one
    listener_set(front->router, ZMQ_LINGER, LINGER_MS);
    watch_open(front, context);
    zmq_msg_init(&front->route);
    zmq_msg_init(&front->frame);
}

void front_close(struct front *front)
{
    if (!front->router)
        return;
    zmq_msg_close(&front->route);
    zmq_msg_close(&front->frame);
    zmq_socket_monitor(front->router, NULL, 0);
    zmq_close(front->monitor);
    zmq_close(front->router);
    front->router = front->monitor = NULL;
}

static bool receive(void *socket, zmq_msg_t *message)
{
    int size;
    do
        size = zmq_msg_recv(message, socket, ZMQ_DONTWAIT);
    while (size < 0 && zmq_errno() == EINTR);
    return size >= 0;
}

// Messages arrive whole, so what follows a first frame is there.
static void receive_part(struct front *front)
{
    bool received = receive(front->router, &front->frame);
    CHECK(received, "%s", zmq_strerror(zmq_errno()));
}

static bool skip_rest(struct front *front)
{
    zmq_msg_t rest;
    bool many = zmq_msg_more(&front->frame);
    if (!many)
        return false;
    zmq_msg_init(&rest);
    while (receive(front->router, &rest) && zmq_msg_more(&rest))
        ;
    zmq_msg_close(&rest);
    return true;
}

bool front_receive(struct front *front, struct arrival *arrival)
{
    if (!receive(front->router, &front->route))
        return false;
    *arrival = (struct arrival){.flags = front->flags};
    receive_part(front);
    if (zmq_msg_size(&front->frame) == 0 && zmq_msg_more(&front->frame)) {
        arrival->flags |= PARCEL_DELIMITED;
        receive_part(front);
    }
    arrival->many = skip_rest(front);
    arrival->route = bytes_of(zmq_msg_data(&front->route), zmq_msg_size(&front->route));
    arrival->frame = bytes_of(zmq_msg_data(&front->frame), zmq_msg_size(&front->frame));
    return true;
}

static bool send_part(struct front *front, struct bytes part, int flags)
{
    return zmq_send(front->router, part.at, part.size, ZMQ_DONTWAIT | flags) >= 0;
}

void front_send(struct front *front, uint8_t flags, struct bytes route, struct bytes head, struct bytes rest,
                uint32_t replies)
{
    zmq_msg_t frame;
    if (!unread_frame(front->unread, route, head.size + rest.size, &frame)) {
        drops_add(front->drops, DROP_client_slow, replies);
        return;
    }
    if (!send_part(front, route, ZMQ_SNDMORE)) {
        drops_add(front->drops, DROP_client_gone, replies);
        zmq_msg_close(&frame);
        return;
    }
    if (flags & PARCEL_DELIMITED)
        send_part(front, bytes_of("", 0), ZMQ_SNDMORE);
    memcpy(zmq_msg_data(&frame), head.at, head.size);
    if (rest.size)
        memcpy((uint8_t *)zmq_msg_data(&frame) + head.size, rest.at, rest.size);
    if (zmq_msg_send(&frame, front->router, ZMQ_DONTWAIT) < 0)
        zmq_msg_close(&frame);
}

static void watch_event(struct front *front, uint16_t event)
{
    if (event == ZMQ_EVENT_DISCONNECTED)
        drops_add(front->drops, DROP_disconnected, 1);
    else if (event == ZMQ_EVENT_ACCEPT_FAILED)
        drops_add(front->drops, DROP_accept_failed, 1);
    else
        drops_add(front->drops, DROP_handshake_failed, 1);
}

void front_watch(struct front *front)
{
    uint8_t event[6]; // uint16_t number, uint32_t value; the endpoint follows as a frame of its own
    char endpoint[ENDPOINT_SIZE_MAX];
    while (zmq_recv(front->monitor, event, sizeof event, ZMQ_DONTWAIT) >= 0) {
        uint16_t number;
        memcpy(&number, event, sizeof number);
        zmq_recv(front->monitor, endpoint, sizeof endpoint, ZMQ_DONTWAIT);
        watch_event(front, number);
    }
}
