// SPDX-License-Identifier: Apache-2.0
// What people say in the stories, in few words. Amounts are pence; -1: no price is named, the catalog's counts.
#pragma once

#include "tests/sim/story.h"

#define GBP(pence) ((struct money){pence, "GBP"})

// The warehouse.
const struct said *receive(struct story *story, const char *sku, int64_t quantity);
const struct said *count(struct story *story, const char *sku, int64_t on_hand, bool stop_sale); // inventory.adjust
const struct said *ship(struct story *story, const char *order_id);
const struct said *deliver(struct story *story, const char *order_id);
// The office.
const struct said *list(struct story *story, const char *sku, int64_t price, bool active); // catalog.put
const struct said *resolve(struct story *story, const char *order_id, const char *outcome);
// Shoppers.
const struct said *take(struct story *story, const char *who, const char *cart_id, const char *sku, int64_t quantity,
                        int64_t price); // cart.add
const struct said *check_out(struct story *story, const char *who, const char *order_id, const char *cart_id,
                             const char *method);
const struct said *buy(struct story *story, const char *who, const char *order_id, const char *sku, int64_t quantity,
                       int64_t price, const char *method); // without a cart
const struct said *cancel(struct story *story, const char *who, const char *order_id);
const struct said *confirm(struct story *story, const char *who, const char *order_id, const char *outcome);
const struct said *hold(struct story *story, const char *who, const char *sku, const char *name, int64_t quantity,
                        int64_t ttl_ms); // inventory.reserve
const struct said *end_hold(struct story *story, const char *who, enum message_type type, const char *sku,
                            const char *name);
