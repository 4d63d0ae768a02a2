// SPDX-License-Identifier: Apache-2.0
// What one actor has in flight, counted in commands and bytes until it gives them back. Bounds its inbox.
// Owned by the broker's thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RETRY_AFTER_MS_MIN = 10, RETRY_AFTER_MS_MAX = 1000 };

struct credit {
    uint64_t commands, commands_max;
    uint64_t size, size_max;
    uint64_t turned_away; // refused, and not yet made up for by commands given back: who waits outside
};

void credit_init(struct credit *credit, uint64_t commands_max, uint64_t size_max);
// One more command of this size; false: none left.
bool credit_take(struct credit *credit, size_t size);
// CHECKs that no more comes back than was taken.
void credit_give(struct credit *credit, uint64_t commands, uint64_t size);
// How long one that was turned away is to wait: longer, the more wait already.
int64_t credit_retry_after_ms(const struct credit *credit);
