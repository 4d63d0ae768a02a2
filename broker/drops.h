// SPDX-License-Identifier: Apache-2.0
// What the broker did not pass on, by reason: a count for everything that has no other name (DESIGN §11, I14).
// Owned by the broker's thread.
#pragma once

#include "codec/pack.h"

#include <stdint.h>

// Of connections only what libzmq tells can be counted: it reports one that was cut for a frame above FRAME_SIZE_CUT
// exactly like one that its client closed, so `disconnected` counts both.
#define DROPS(DROP)                                                                                                    \
    DROP(client_slow)         /* replies that a connection could not take */                                           \
    DROP(client_gone)         /* replies to a connection that has ended */                                             \
    DROP(malformed_limited)   /* refusals without a request id that were not even answered */                          \
    DROP(invalid)             /* answered: malformed, or a type that does not exist */                                 \
    DROP(unsupported_version) /* answered */                                                                           \
    DROP(too_large)           /* answered: above FRAME_SIZE_MAX */                                                     \
    DROP(forbidden)           /* answered: a type that is not for clients */                                           \
    DROP(not_found)           /* answered: an actor that does not exist */                                             \
    DROP(busy)                /* answered: no credit, or the node is changing shape */                                 \
    DROP(accept_failed)       /* connections: mostly no file descriptor left */                                        \
    DROP(handshake_failed)    /* connections: did not speak ZMTP, or not in time */                                    \
    DROP(disconnected)        /* connections that ended, by either side */                                             \
    DROP(subscribers_cut)     /* times that all were, since they named too many topics */

enum drop {
#define DROP(name) DROP_##name,
    DROPS(DROP)
#undef DROP
        DROP_COUNT
};

struct drops {
    uint64_t count[DROP_COUNT];
};

static inline void drops_add(struct drops *drops, enum drop reason, uint64_t count)
{
    drops->count[reason] += count;
}

// Appends a msgpack map {reason: count} of all reasons.
void drops_write(const struct drops *drops, struct buffer *out);
