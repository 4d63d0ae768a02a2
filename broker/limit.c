// SPDX-License-Identifier: Apache-2.0
#include "broker/limit.h"

#include "codec/ids.h"

bool limit_allows(struct limit *limit, struct bytes route, int64_t now_ms)
{
    size_t place = hash_of(route) % LIMIT_PLACES;
    int64_t window = now_ms / LIMIT_WINDOW_MS;
    if (limit->at[place].window != window) {
        limit->at[place].window = window;
        limit->at[place].count = 0;
    }
    if (limit->at[place].count >= LIMIT_PER_WINDOW)
        return false;
    limit->at[place].count++;
    return true;
}
