// SPDX-License-Identifier: Apache-2.0
// A door to the outside: one ROUTER socket, what comes in through it, what goes out. Knows connections and frames, not
// requests. Never blocks. Owned by the broker's thread.
//
//   F1  a frame that a connection cannot take now is dropped whole and counted (B3)
//   F2  what has several payload frames is read to its end and handed on as `many`, so the next receive begins anew
#pragma once

#include "broker/drops.h"
#include "broker/unread.h"
#include "codec/parcel.h"

#include <zmq.h>

struct front {
    void *router;
    void *monitor;
    uint8_t flags; // PARCEL_OPERATOR at the operators' door, else 0
    struct drops *drops;
    struct unread *unread;
    zmq_msg_t route, frame; // the arrival under way
};

struct arrival {
    struct bytes route;
    struct bytes frame; // the payload; both live until the next receive
    uint8_t flags;      // the front's, and PARCEL_DELIMITED
    bool many;          // more than one payload frame came; `frame` is the first
};

// The caller keeps drops and unread.
void front_open(struct front *front, void *context, uint8_t flags, struct drops *drops, struct unread *unread);
// Replies under way linger for up to 2 s; zmq_ctx_term waits for them. A front never opened is left alone.
void front_close(struct front *front);

// false: nothing there.
bool front_receive(struct front *front, struct arrival *arrival);
// One frame, `head` and `rest` in a row, to a connection; `flags` say whether behind a delimiter. `replies` are counted
// if it must be dropped.
void front_send(struct front *front, uint8_t flags, struct bytes route, struct bytes head, struct bytes rest,
                uint32_t replies);
// Counts what happened to connections since the last call.
void front_watch(struct front *front);
