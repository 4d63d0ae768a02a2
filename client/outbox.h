// SPDX-License-Identifier: Apache-2.0
// Frames on their way to the node: handed to the socket if it takes them, else kept in order until it does (no
// connection yet, or a node that reads slowly). Owned by the thread that uses the client.
// Bounds: OUTBOX_SIZE_MAX and one frame.
#pragma once

#include "codec/pack.h"

enum { OUTBOX_SIZE_MAX = 4 * 1024 * 1024 };

struct outbox {
    void *socket;
    struct buffer frames; // each behind its size, a uint32_t
    size_t sent;          // what of `frames` is gone
};

void outbox_init(struct outbox *outbox);
void outbox_deinit(struct outbox *outbox);
// Forgets everything; goes on with another socket.
void outbox_begin(struct outbox *outbox, void *socket);
// Hands over what can be; false: something is still kept.
bool outbox_flush(struct outbox *outbox);
// No more should be put in before some is handed over.
bool outbox_is_full(const struct outbox *outbox);
// One frame, `head` and `rest` in a row.
void outbox_put(struct outbox *outbox, struct bytes head, struct bytes rest);
