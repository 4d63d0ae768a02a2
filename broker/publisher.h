// SPDX-License-Identifier: Apache-2.0
// The endpoint that says which actor has something new to read: a PUB socket, as subscribers see it. It is an XPUB, so
// that we see what they subscribe to: libzmq keeps every topic that anybody names, each byte of it at some hundred
// bytes, in the thread that sends. So a topic is short, what a connection sends waits in the kernel until we have taken
// it, and after so many topics all subscribers are cut: they come back by themselves, and a hint that is missed is read
// later. Owned by the broker's thread.
#pragma once

#include "broker/drops.h"
#include "broker/topology.h"

struct publisher {
    void *context;
    void *socket; // NULL: not wanted, or not free to bind again yet
    const char *endpoint; // as bound; NULL: not wanted
    struct drops *drops;
    uint32_t topics; // new ones since the socket was opened
    bool inside;     // a message of several frames: its next one is no subscription
};

// `bound` becomes the endpoint with its real port; the caller keeps it, and drops.
enum fault publisher_open(struct publisher *publisher, void *context, const char *endpoint,
                          char bound[ENDPOINT_SIZE_MAX], struct drops *drops, struct fault_text *text);
void publisher_close(struct publisher *publisher);
// Who cannot take it now misses it.
void publisher_send(struct publisher *publisher, struct bytes actor, struct bytes position);
// Counts what is subscribed to.
void publisher_read(struct publisher *publisher);
// After subscribers were cut: false as long as the endpoint is not free.
bool publisher_reopen(struct publisher *publisher);
