// SPDX-License-Identifier: Apache-2.0
// One order with everything that anybody stores about it, while the audit looks at it: the order's own record, what
// stock, cart, payment and provider have under its id. Gathered by audit_orders.c, judged by audit_case.c and
// audit_money.c. Borrows from the tables and the audit's arena. One thread.
#pragma once

#include "cli/audit_pass.h"

struct case_item {
    struct bytes sku;
    int64_t quantity;
    bool held, restocked; // as stock has it
};

// The provider's book under one order id.
struct case_book {
    uint32_t entries, captures;
    bool authorized, voided;
    struct money captured, refunded; // sums; currency of the first
    bool mixed;                      // of several currencies
};

struct order_case {
    struct audit *audit;
    struct bytes key;
    bool known, settled;
    struct order record;
    struct order_content content;
    struct case_item *items;
    uint32_t items_count;
    uint32_t *slots; // item numbers + 1 by SKU, open addressing
    uint32_t slots_size;
    uint32_t claims;
    bool has_payment;
    struct payment payment;
    struct case_book ledger;
};

// ---- audit_case.c: the order, its holds, its claim
void case_index_items(struct order_case *it);
void case_record(struct order_case *it);
// As they come from the sorters.
void case_hold(struct order_case *it, const struct hold_note *note);
void case_claim(struct order_case *it, struct bytes cart_id);
// After the last of them: what must be there is; what was committed goes to `sales`.
void case_goods(struct order_case *it);

bool case_status_is(const struct order_case *it, const char *status);
bool case_step_is(const struct order_case *it, const char *step);
// Confirmed, shipped or delivered.
bool case_sold(const struct order_case *it);

// ---- audit_money.c: payment and provider
void case_ledger(struct order_case *it, const struct ledger *book);
void case_money(struct order_case *it);
