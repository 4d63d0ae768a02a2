// SPDX-License-Identifier: Apache-2.0
// Money: whole minor units of one ISO 4217 currency. No floating point; every sum and product is checked.
// Any thread.
#pragma once

#include "codec/bytes.h"

struct money {
    int64_t amount;
    char currency[4]; // "GBP", NUL-terminated; "" only for "no amount yet"
};

// An active ISO 4217 code (SIX, List One); `digits` (may be NULL) gets its number of decimals: 0, 2, 3 or 4.
bool currency_known(struct bytes code, int *digits);
bool money_same_currency(struct money a, struct money b);
// false on overflow or different currencies; the result is then unchanged.
bool money_add(struct money *sum, struct money more);
bool money_times(struct money price, int64_t quantity, struct money *product);
// "12.99GBP": at most the currency's decimals, no sign, no spaces. false otherwise.
bool money_parse(struct bytes text, struct money *money);
struct money_text {
    char text[32];
};
struct money_text money_format(struct money money); // "12.99 GBP"
