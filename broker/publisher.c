// SPDX-License-Identifier: Apache-2.0
#include "broker/publisher.h"

#include "broker/listener.h"

#include <zmq.h>

enum {
    FRAME_SIZE_MAX_IN = 128, // the handshake's frames, too
    WAITING_MAX = 1,         // subscriptions of a connection
    TOPICS_MAX = 2048,       // there are at most some hundred actors
};

static void *socket_new(void *context)
{
    void *socket = listener_new(context, ZMQ_XPUB, FRAME_SIZE_MAX_IN);
    listener_set(socket, ZMQ_RCVHWM, WAITING_MAX);
    listener_set(socket, ZMQ_LINGER, 0);
    return socket;
}

enum fault publisher_open(struct publisher *publisher, void *context, const char *endpoint,
                          char bound[ENDPOINT_SIZE_MAX], struct drops *drops, struct fault_text *text)
{
    *publisher = (struct publisher){.context = context, .endpoint = bound, .drops = drops};
    publisher->socket = socket_new(context);
    return listener_bind(publisher->socket, endpoint, bound, text);
}

void publisher_close(struct publisher *publisher)
{
    if (publisher->socket)
        zmq_close(publisher->socket);
    publisher->socket = NULL;
}

void publisher_send(struct publisher *publisher, struct bytes actor, struct bytes position)
{
    if (!publisher->socket)
        return;
    if (zmq_send(publisher->socket, actor.at, actor.size, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        zmq_send(publisher->socket, position.at, position.size, ZMQ_DONTWAIT);
}

void publisher_read(struct publisher *publisher)
{
    uint8_t kind; // 1: a new topic; 0: one that nobody wants any more, or so somebody says
    int more, size;
    size_t more_size = sizeof more;
    while ((size = zmq_recv(publisher->socket, &kind, sizeof kind, ZMQ_DONTWAIT)) >= 0) {
        publisher->topics += !publisher->inside && size > 0 && kind == 1;
        zmq_getsockopt(publisher->socket, ZMQ_RCVMORE, &more, &more_size);
        publisher->inside = more;
        if (publisher->topics > TOPICS_MAX) {
            drops_add(publisher->drops, DROP_subscribers_cut, 1);
            publisher_close(publisher);
            return;
        }
    }
}

bool publisher_reopen(struct publisher *publisher)
{
    char bound[ENDPOINT_SIZE_MAX];
    struct fault_text text;
    if (publisher->socket || !publisher->endpoint)
        return true;
    publisher->socket = socket_new(publisher->context);
    publisher->topics = 0;
    publisher->inside = false;
    if (listener_bind(publisher->socket, publisher->endpoint, bound, &text) == FAULT_NONE)
        return true;
    publisher_close(publisher);
    return false;
}
