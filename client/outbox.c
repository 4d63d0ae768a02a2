// SPDX-License-Identifier: Apache-2.0
#include "client/outbox.h"

#include "codec/check.h"

#include <zmq.h>

void outbox_init(struct outbox *outbox)
{
    *outbox = (struct outbox){0};
    buffer_init(&outbox->frames);
}

void outbox_deinit(struct outbox *outbox)
{
    buffer_deinit(&outbox->frames);
}

void outbox_begin(struct outbox *outbox, void *socket)
{
    outbox->socket = socket;
    outbox->sent = 0;
    buffer_clear(&outbox->frames);
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

bool outbox_flush(struct outbox *outbox)
{
    while (outbox->sent < outbox->frames.size) {
        uint32_t size;
        const uint8_t *at = outbox->frames.at + outbox->sent;
        memcpy(&size, at, sizeof size);
        if (!hand_over(outbox->socket, bytes_of(at + sizeof size, size), bytes_of(NULL, 0)))
            return false;
        outbox->sent += sizeof size + size;
    }
    outbox->sent = 0;
    buffer_clear(&outbox->frames);
    return true;
}

bool outbox_is_full(const struct outbox *outbox)
{
    return outbox->frames.size >= OUTBOX_SIZE_MAX;
}

void outbox_put(struct outbox *outbox, struct bytes head, struct bytes rest)
{
    if (outbox_flush(outbox) && hand_over(outbox->socket, head, rest))
        return;
    uint32_t size = (uint32_t)(head.size + rest.size);
    buffer_append(&outbox->frames, &size, sizeof size);
    buffer_append(&outbox->frames, head.at, head.size);
    if (rest.size)
        buffer_append(&outbox->frames, rest.at, rest.size);
}
