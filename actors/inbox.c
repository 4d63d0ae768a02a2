// SPDX-License-Identifier: Apache-2.0
// Frames are kept as they came (zmq_msg_t) and read with a cursor; a frame whose parcels were all taken is spent and
// freed at inbox_release.
#include "actors/inbox.h"

#include "codec/check.h"

#include <errno.h>
#include <stdlib.h>
#include <zmq.h>

enum { INBOX_HWM = 1000000, CONTROL = INBOX_LANES };

struct frame {
    zmq_msg_t message;
    struct cursor cursor;
    struct frame *next;
};

struct lane {
    struct frame *first, *last;
};

struct inbox {
    void *socket;
    struct lane lanes[INBOX_LANES + 1]; // the last: control
    struct frame *spent;
    uint64_t size;
};

struct inbox *inbox_open(void *zmq, const char *endpoint)
{
    struct inbox *inbox = calloc(1, sizeof *inbox);
    CHECK(inbox);
    inbox->socket = zmq_socket(zmq, ZMQ_PULL);
    CHECK(inbox->socket, "%s", zmq_strerror(errno));
    int hwm = INBOX_HWM, linger = 0;
    zmq_setsockopt(inbox->socket, ZMQ_RCVHWM, &hwm, sizeof hwm);
    zmq_setsockopt(inbox->socket, ZMQ_LINGER, &linger, sizeof linger);
    int bound = zmq_bind(inbox->socket, endpoint);
    CHECK(bound == 0, "%s: %s", endpoint, zmq_strerror(errno));
    return inbox;
}

static void frame_free(struct frame *frame)
{
    zmq_msg_close(&frame->message);
    free(frame);
}

static void list_free(struct frame *frame)
{
    while (frame) {
        struct frame *next = frame->next;
        frame_free(frame);
        frame = next;
    }
}

void inbox_close(struct inbox **inbox)
{
    if (!*inbox)
        return;
    for (int lane = 0; lane <= INBOX_LANES; lane++)
        list_free((*inbox)->lanes[lane].first);
    list_free((*inbox)->spent);
    zmq_close((*inbox)->socket);
    free(*inbox);
    *inbox = NULL;
}

static int lane_of(enum parcel_origin origin)
{
    switch (origin) {
    case PARCEL_CLIENT:
        return INBOX_CLIENTS;
    case PARCEL_PEER:
        return INBOX_PEERS;
    case PARCEL_CONTROL:
        return CONTROL;
    case PARCEL_REPLY:
    case PARCEL_CREDIT:
    case PARCEL_EVENT:
        break;
    }
    CHECK(false, "parcel origin %d in an actor's inbox", origin);
}

static void keep(struct inbox *inbox, struct frame *frame)
{
    struct parcel parcel;
    frame->cursor = cursor_over(bytes_of(zmq_msg_data(&frame->message), zmq_msg_size(&frame->message)));
    struct cursor count = frame->cursor;
    int lane = -1;
    while (parcel_next(&count, &parcel)) {
        lane = lane_of(parcel.origin);
        inbox->size++;
    }
    if (lane < 0) {
        frame_free(frame);
        return;
    }
    struct lane *to = &inbox->lanes[lane];
    *(to->last ? &to->last->next : &to->first) = frame;
    to->last = frame;
}

static bool receive(struct inbox *inbox, int flags)
{
    struct frame *frame = calloc(1, sizeof *frame);
    CHECK(frame);
    zmq_msg_init(&frame->message);
    if (zmq_msg_recv(&frame->message, inbox->socket, flags) < 0) {
        frame_free(frame);
        return false;
    }
    keep(inbox, frame);
    return true;
}

void inbox_collect(struct inbox *inbox, int timeout_ms)
{
    if (inbox->size == 0) {
        zmq_pollitem_t item = {.socket = inbox->socket, .events = ZMQ_POLLIN};
        if (zmq_poll(&item, 1, timeout_ms) <= 0)
            return;
    }
    while (receive(inbox, ZMQ_DONTWAIT)) {
    }
}

static bool take(struct inbox *inbox, int lane, struct parcel *parcel)
{
    struct lane *from = &inbox->lanes[lane];
    struct frame *frame = from->first;
    if (!frame)
        return false;
    CHECK(parcel_next(&frame->cursor, parcel));
    inbox->size--;
    if (cursor_left(&frame->cursor) == 0) {
        from->first = frame->next;
        if (!from->first)
            from->last = NULL;
        frame->next = inbox->spent;
        inbox->spent = frame;
    }
    return true;
}

bool inbox_take(struct inbox *inbox, enum inbox_lane lane, struct parcel *parcel)
{
    return take(inbox, lane, parcel);
}

bool inbox_control(struct inbox *inbox, struct parcel *parcel)
{
    return take(inbox, CONTROL, parcel);
}

void inbox_release(struct inbox *inbox)
{
    list_free(inbox->spent);
    inbox->spent = NULL;
}

uint64_t inbox_size(const struct inbox *inbox)
{
    return inbox->size;
}
