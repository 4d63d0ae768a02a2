// SPDX-License-Identifier: Apache-2.0
// Clients who wait for an entity to come to rest. Memory only, bounded, never logged; a crash forgets them and the
// client sends again. Owned by the actor's thread.
#pragma once

#include "codec/bytes.h"

#include <stdint.h>

struct waiters;
struct waiter {
    struct bytes route; // where the reply goes
    struct bytes id;    // its request_id
    uint8_t flags;      // PARCEL_*
};

struct waiters *waiters_new(uint32_t max);
void waiters_free(struct waiters **waiters);
// false: as many wait already as may. All is copied.
bool waiters_add(struct waiters *waiters, struct bytes key, const struct waiter *waiter, int64_t until);
bool waiters_has(const struct waiters *waiters, struct bytes key);
// Takes one who waits for this key; false: nobody. The waiter lives until the next call.
bool waiters_take(struct waiters *waiters, struct bytes key, struct waiter *waiter);
// Whoever waits for this key is due at `at`.
void waiters_hasten(struct waiters *waiters, struct bytes key, int64_t at);
// Takes one whose time is up; key and waiter live until the next call.
bool waiters_take_due(struct waiters *waiters, int64_t now, struct bytes *key, struct waiter *waiter);
int64_t waiters_next(const struct waiters *waiters); // INT64_MAX: none
uint32_t waiters_count(const struct waiters *waiters);
