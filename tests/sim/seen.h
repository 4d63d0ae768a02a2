// SPDX-License-Identifier: Apache-2.0
// Orders as their records say, message by message: followed through what each decision writes, and read here once more,
// not by the order's own code. One thread.
#pragma once

#include "tests/sim/coverage.h"

struct seen_order {
    UT_hash_handle hh;
    const char *id;
    enum order_step step; // none: never heard of
    enum order_status status;
    const char *reason; // of a rejection; "" if there is none
    bool open;          // where the record lies
    bool asks;          // somebody has not answered it
    bool ends;          // it is to end, and does not yet say so
    int64_t lines;
};

// The order; made if it was never seen.
struct seen_order *seen_order(struct seen_order **orders, struct bytes id, struct arena *arena);
// What this decision leaves of it.
void seen_decided(struct seen_order *order, const struct world_decision *decision, struct arena *arena);

// At rest (DESIGN §4): paid for, waiting for the shopper, or ended with nothing left to give back.
bool seen_rests(const struct seen_order *order);
// It says that it came to nothing.
bool seen_refused(const struct seen_order *order);
// What order.place is answered at this state (docs/protocol.md, the table of an order's status).
enum status seen_answer(const struct seen_order *order);

// What the open orders of one actor amount to, for admission.
struct seen_weight {
    int64_t lines;   // of orders that somebody has not answered
    int64_t waiting; // orders that wait for a provider or a shopper
    int64_t to_wait; // that are on their way and may come to
};
struct seen_weight seen_weigh(struct seen_order *orders, const struct world *world, struct actor_id actor);
