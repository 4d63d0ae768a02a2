// SPDX-License-Identifier: Apache-2.0
// Replies on their way out through a front: single ones at once, bundled ones grouped by connection until the drain
// ends, so that what was asked in bundles is answered in few frames. A table of GROUPS places, found by the hash of the
// route; who meets another there is sent early. Owned by the broker's thread.
// Bounds: GROUPS buffers of about GROUP_SIZE_MAX.
#pragma once

#include "broker/front.h"

enum { GROUPS = 64, GROUP_SIZE_MAX = 512 * 1024 };

struct group {
    uint8_t route[UINT8_MAX];
    uint8_t route_size;
    uint32_t count;
    struct buffer replies;
};

struct outgoing {
    struct front *front;
    uint64_t open; // one bit for each group that holds replies
    struct group groups[GROUPS];
    struct buffer head;
};

void outgoing_init(struct outgoing *outgoing, struct front *front);
void outgoing_deinit(struct outgoing *outgoing);
// One reply, as the flags of its request say.
void outgoing_reply(struct outgoing *outgoing, uint8_t flags, struct bytes route, struct bytes reply);
// Sends what is grouped.
void outgoing_flush(struct outgoing *outgoing);
