// SPDX-License-Identifier: Apache-2.0
// Frames on their way to the node: handed to the socket if it takes them, else kept in order until it does (no
// connection yet, or a node that reads slowly). Owned by the thread that uses the client.
// Bounds: OUTBOX_SIZE_MAX and one frame.
#pragma once

#include "codec/pack.h"

enum { OUTBOX_SIZE_MAX = 4 * 1024 * 1024 };

struct bundler {
    void *socket;
    struct buffer frames; // each behind its size, a uint32_t
    size_t sent;          // what of `frames` is gone
};

void bundler_init(struct bundler *bundler);
void bundler_deinit(struct bundler *bundler);
// Forgets everything; goes on with another socket.
void bundler_begin(struct bundler *bundler, void *socket);
// Hands over what can be; false: something is still kept.
bool bundler_flush(struct bundler *bundler);
// No more should be put in before some is handed over.
bool bundler_is_full(const struct bundler *bundler);
// One frame, `head` and `rest` in a row.
void bundler_put(struct bundler *bundler, struct bytes head, struct bytes rest);
