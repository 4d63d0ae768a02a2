// SPDX-License-Identifier: Apache-2.0
// How often a connection is told that its frames cannot be read: what has no request id cannot be matched by the
// client anyway, and must not make the broker a sender of garbage. Each connection has a count of its own; a window's
// counts are forgotten together. Owned by the broker's thread.
//
// Bounds: LIMIT_CONNECTIONS_MAX connections in one window, more than there can be sockets; later ones are not told.
#pragma once

#include "codec/bytes.h"

enum { LIMIT_CONNECTIONS_MAX = 65536, LIMIT_WINDOW_MS = 1000, LIMIT_PER_WINDOW = 16 };

struct limit {
    int64_t window;
    struct limit_count *by_route;
};

void limit_init(struct limit *limit);
void limit_deinit(struct limit *limit);
// Counts one for this connection; false: it has had its share of this window.
bool limit_allows(struct limit *limit, struct bytes route, int64_t now_ms);
