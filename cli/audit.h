// SPDX-License-Identifier: Apache-2.0
// The audit: I1–I7 (DESIGN §11) over everything a shop stores, in passes that read each table once and in order, so
// memory is bounded whatever the number of SKUs, carts and orders. What belongs together but is ordered differently is
// brought together by sorting (cli/sorter.h).
//
//   stock    inventory HEAD × CHILD: I1, the stock equation, restocks    → an order's holds, by order
//   carts    cart HEAD                                                   → claims, by order
//   orders   order HEAD, OPEN, CHILD × payment × sandbox × holds × claims: I3–I7   → what orders committed, by SKU
//   sales    inventory HEAD × what orders committed: I2
//
// The databases of a killed node stand at different turns, but never is an effect durable whose cause is not: an order
// is never behind what it asked others to do. So settled orders are judged fully; an open one may wait for an answer to
// what was done already, and exactly that is allowed for, and counted.
#pragma once

#include "cli/databases.h"
#include "cli/verdict.h"

struct audit_options {
    uint64_t memory_bytes; // for sorting
    const char *temporary; // directory for what does not fit
};

// All kinds' databases are open. On a fault the verdict is worth nothing.
enum fault audit_run(const struct databases *databases, const struct audit_options *options, struct verdict *verdict,
                     struct fault_text *text);
