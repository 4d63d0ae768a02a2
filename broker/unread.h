// SPDX-License-Identifier: Apache-2.0
// Bytes of replies that connections have not taken. libzmq frees a frame once it is on the wire or its connection is
// gone, so what a client that never reads costs is known. Owned by the broker's thread; libzmq's I/O thread frees.
//
//   U1  a connection has at most an eighth of the whole waiting
//   U2  beyond the whole only who has nothing waiting is sent anything: who reads is not made to pay for who does not
//   U3  beyond twice the whole nobody is
#pragma once

#include "codec/bytes.h"
#include "codec/room.h"

#include <zmq.h>

enum { UNREAD_MIN = 16 * 1024 * 1024, UNREAD_FRAME_COST = 192 /* what a frame takes besides its bytes */ };

struct unread;

// At least UNREAD_MIN. What frames hold is taken from `room`, which the caller keeps; may be NULL.
struct unread *unread_new(uint64_t size_max, struct room *room);
// After the context of all sockets that had frames of it has ended.
void unread_free(struct unread **unread);
// A frame of this size for a connection, to be filled, and sent or closed. false: too much is waiting.
bool unread_frame(struct unread *unread, struct bytes route, size_t size, zmq_msg_t *frame);
// Connections remembered: those with something waiting, and not many more.
uint32_t unread_connections(const struct unread *unread);
