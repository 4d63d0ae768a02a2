// SPDX-License-Identifier: Apache-2.0
#include "client/bundler.h"

#include "codec/check.h"

#include <zmq.h>

void bundler_init(struct bundler *bundler)
{
    *bundler = (struct bundler){0};
    buffer_init(&bundler->frames);
}

void bundler_deinit(struct bundler *bundler)
{
    buffer_deinit(&bundler->frames);
}

void bundler_begin(struct bundler *bundler, void *socket)
{
    bundler->socket = socket;
    bundler->sent = 0;
    buffer_clear(&bundler->frames);
}

// libzmq looks only now and then whether there is room again; asking for the events makes it look.
static bool has_room(void *socket)
{
    int events = 0;
    size_t size = sizeof events;
    return zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLOUT);
}

static bool hand_over(void *socket, struct bytes head, struct bytes rest)
{
    zmq_msg_t frame;
    CHECK(zmq_msg_init_size(&frame, head.size + rest.size) == 0, "%zu bytes", head.size + rest.size);
    memcpy(zmq_msg_data(&frame), head.at, head.size);
    if (rest.size)
        memcpy((uint8_t *)zmq_msg_data(&frame) + head.size, rest.at, rest.size);
    bool sent = zmq_msg_send(&frame, socket, ZMQ_DONTWAIT) >= 0 ||
                (has_room(socket) && zmq_msg_send(&frame, socket, ZMQ_DONTWAIT) >= 0);
    if (!sent)
        zmq_msg_close(&frame);
    return sent;
}

bool bundler_flush(struct bundler *bundler)
{
    while (bundler->sent < bundler->frames.size) {
        uint32_t size;
        const uint8_t *at = bundler->frames.at + bundler->sent;
        memcpy(&size, at, sizeof size);
        if (!hand_over(bundler->socket, bytes_of(at + sizeof size, size), bytes_of(NULL, 0)))
            return false;
        bundler->sent += sizeof size + size;
    }
    bundler->sent = 0;
    buffer_clear(&bundler->frames);
    return true;
}

bool bundler_is_full(const struct bundler *bundler)
{
    return bundler->frames.size >= OUTBOX_SIZE_MAX;
}

void bundler_put(struct bundler *bundler, struct bytes head, struct bytes rest)
{
    if (bundler_flush(bundler) && hand_over(bundler->socket, head, rest))
        return;
    uint32_t size = (uint32_t)(head.size + rest.size);
    buffer_append(&bundler->frames, &size, sizeof size);
    buffer_append(&bundler->frames, head.at, head.size);
    if (rest.size)
        buffer_append(&bundler->frames, rest.at, rest.size);
}
