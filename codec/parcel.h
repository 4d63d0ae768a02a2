// SPDX-License-Identifier: Apache-2.0
// Frames between threads of one process: parcels, one behind the other. A frame may hold any number of them. Only bytes
// cross threads; the layout is the machine's own and never stored (the log has its own, store/log.h). Any thread.
//
//   to an actor    from the broker: requests of clients (PARCEL_CLIENT; route = where the reply goes)
//                  from an actor:   requests and notes (PARCEL_PEER; route = sending entity, route_kind its kind)
//                  from the node:   control (PARCEL_CONTROL; request = one of the words below)
//   to the broker  replies (PARCEL_REPLY; route as it came, request = the reply's bytes)
//                  credit (PARCEL_CREDIT; request = struct parcel_credit)
//                  hints for event readers (PARCEL_EVENT; route = "KIND/N", request = the newest position)
#pragma once

#include "codec/cursor.h"
#include "codec/pack.h"

enum parcel_origin { PARCEL_CLIENT = 1, PARCEL_PEER, PARCEL_CONTROL, PARCEL_REPLY, PARCEL_CREDIT, PARCEL_EVENT };
enum { PARCEL_BUNDLED = 1 /* came in a bundle: answer in one */, PARCEL_DELIMITED = 2 /* came behind an empty delimiter */,
       PARCEL_OPERATOR = 4 /* came over the operator's control socket */ };

struct parcel {
    enum parcel_origin origin;
    uint8_t flags;
    uint8_t route_kind; // PEER: enum kind_id of the sender
    struct bytes route; // ≤ 255 bytes: CLIENT, REPLY: the connection; PEER: the sender's key
    struct bytes request;
};

struct parcel_credit {
    uint32_t commands;
    uint64_t size; // bytes of those commands' requests
    uint16_t actor; // the broker's number of the actor that gives back
};

void parcel_write(struct buffer *out, const struct parcel *parcel);
// The next parcel of a frame; false at its end. CHECKs that the frame is well formed: only we write them.
bool parcel_next(struct cursor *frame, struct parcel *parcel);
