// SPDX-License-Identifier: Apache-2.0
// For the audit's own files: what its passes share, and what they hand to each other through sorters. One thread.
#pragma once

#include "cli/audit.h"
#include "cli/sorter.h"
#include "codec/arena.h"
#include "codec/record.h"
#include "store/keys.h"

struct audit {
    const struct databases *databases;
    struct verdict *verdict;
    struct trouble *trouble;
    struct sorter *holds;  // E(order id) → struct hold_note
    struct sorter *claims; // E(order id) → cart id
    struct sorter *sales;  // E(SKU) → units an order committed
    struct arena arena;    // of one entity
    struct buffer key, value;
};

// An order's hold as stock has it.
enum hold_note_state { HOLD_NOTE_HELD, HOLD_NOTE_RESTOCKED, HOLD_NOTE_ENDED };
struct hold_note {
    enum hold_note_state state;
    bool expires;
    int64_t quantity;
    struct bytes sku;
};
void hold_note_write(struct buffer *out, const struct hold_note *note);
void hold_note_read(struct bytes value, struct hold_note *note);

// A sorter's records while they are merged with tables.
struct sorted {
    struct sorter *sorter;
    struct bytes key, value;
    bool ended;
};
void sorted_open(struct sorted *sorted, struct sorter *sorter);
void sorted_next(struct sorted *sorted);
// Does it stand on this key?
bool sorted_at(const struct sorted *sorted, struct bytes key);

void audit_add(struct audit *audit, struct sorter *sorter, struct bytes key, struct bytes value); // under E(key)

void audit_stock(struct audit *audit);
void audit_carts(struct audit *audit);
void audit_orders(struct audit *audit);
void audit_sales(struct audit *audit);

// One line for one or two entities.
#define VIOLATION_1(audit, invariant, kind, key, ...)                                                                  \
    verdict_violation((audit)->verdict, invariant, (struct entity[]){{kind, key}}, 1, __VA_ARGS__)
#define VIOLATION_2(audit, invariant, kind, key, other_kind, other_key, ...)                                           \
    verdict_violation((audit)->verdict, invariant, (struct entity[]){{kind, key}, {other_kind, other_key}}, 2,         \
                      __VA_ARGS__)
