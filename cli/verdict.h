// SPDX-License-Identifier: Apache-2.0
// What an audit finds: counts, money by currency, and violations of the invariants (DESIGN §11). All violations are
// counted; the first VIOLATIONS_MAX are kept. One thread.
#pragma once

#include "codec/ids.h"
#include "codec/money.h"
#include "codec/pack.h"

enum { VIOLATIONS_MAX = 1000, VIOLATION_KEYS_MAX = 3, CURRENCIES_MAX = 256 };

struct violation {
    int invariant;                  // 3: I3
    char *keys[VIOLATION_KEYS_MAX]; // "order/o-17"
    int keys_count;
    char *message;
};

struct sums {
    char currency[CURRENCIES_MAX][4];
    __int128 amount[CURRENCIES_MAX];
    int count;
};

struct verdict {
    uint64_t skus, holds, carts, orders, open_orders;
    uint64_t explained; // what an open step explains
    struct sums payment_captured, payment_refunded, sandbox_captured, sandbox_refunded;
    struct violation violations[VIOLATIONS_MAX];
    uint64_t violations_count; // all there are
};

struct verdict *verdict_new(void);
void verdict_free(struct verdict **verdict);
static inline bool verdict_clean(const struct verdict *verdict)
{
    return verdict->violations_count == 0;
}
// `keys` are copied as KIND/KEY; a kind of KIND_COUNT ends them early.
void verdict_violation(struct verdict *verdict, int invariant, const struct entity keys[], int keys_count,
                       const char *format, ...) __attribute__((format(printf, 5, 6)));
void sums_add(struct sums *sums, struct money money);
// {"clean":…,"orders":…,…}
void verdict_json(const struct verdict *verdict, struct buffer *out);
// A table, then the violations.
void verdict_print(const struct verdict *verdict, struct buffer *out);
