// SPDX-License-Identifier: Apache-2.0
// How often a connection is told that its frames cannot be read: what has no request id cannot be matched by the
// client anyway, and must not make the broker a sender of garbage. A fixed table; connections whose routes meet in
// one place share it. Owned by the broker's thread.
#pragma once

#include "codec/bytes.h"

enum { LIMIT_PLACES = 1024, LIMIT_WINDOW_MS = 1000, LIMIT_PER_WINDOW = 16 };

struct limit {
    struct {
        int64_t window;
        uint32_t count;
    } at[LIMIT_PLACES];
};

// Counts one for this connection; false: it has had its share of this window.
bool limit_allows(struct limit *limit, struct bytes route, int64_t now_ms);
