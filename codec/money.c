// SPDX-License-Identifier: Apache-2.0
// Currencies and checked arithmetic. The table is ISO 4217's List One of 2025: each active code that has a number of
// decimals (metals, test codes and drawing rights have none: nothing is priced in them), sorted, four bytes each: the
// code and its decimals, which are the minor units (CcyMnrUnts) that the standard's maintenance agency publishes. Codes
// agree with iso-codes 4.15 but for what changed since: XAD, XCG and ZWG came, ANG, CUC, HRK, SLL and ZWL went. What
// people round to in cash is another matter: CLDR's digits, as browsers have them, differ for 16 of them.
#include "codec/money.h"

#include <stdio.h>

static const char currencies[] =
    "AED2AFN2ALL2AMD2AOA2ARS2AUD2AWG2AZN2BAM2BBD2BDT2BGN2BHD3BIF0BMD2BND2BOB2BOV2BRL2BSD2BTN2BWP2BYN2BZD2CAD2CDF2CHE2"
    "CHF2CHW2CLF4CLP0CNY2COP2COU2CRC2CUP2CVE2CZK2DJF0DKK2DOP2DZD2EGP2ERN2ETB2EUR2FJD2FKP2GBP2GEL2GHS2GIP2GMD2GNF0GTQ2"
    "GYD2HKD2HNL2HTG2HUF2IDR2ILS2INR2IQD3IRR2ISK0JMD2JOD3JPY0KES2KGS2KHR2KMF0KPW2KRW0KWD3KYD2KZT2LAK2LBP2LKR2LRD2LSL2"
    "LYD3MAD2MDL2MGA2MKD2MMK2MNT2MOP2MRU2MUR2MVR2MWK2MXN2MXV2MYR2MZN2NAD2NGN2NIO2NOK2NPR2NZD2OMR3PAB2PEN2PGK2PHP2PKR2"
    "PLN2PYG0QAR2RON2RSD2RUB2RWF0SAR2SBD2SCR2SDG2SEK2SGD2SHP2SLE2SOS2SRD2SSP2STN2SVC2SYP2SZL2THB2TJS2TMT2TND3TOP2TRY2"
    "TTD2TWD2TZS2UAH2UGX0USD2USN2UYI0UYU2UYW4UZS2VED2VES2VND0VUV0WST2XAD2XAF0XCD2XCG2XOF0XPF0YER2ZAR2ZMW2ZWG2";

enum { CODE_SIZE = 3, ENTRY_SIZE = 4, CURRENCY_COUNT = (sizeof currencies - 1) / ENTRY_SIZE };
_Static_assert((sizeof currencies - 1) % ENTRY_SIZE == 0, "four bytes for each currency");

static inline uint32_t code_number(const void *code)
{
    const uint8_t *at = code;
    return (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];
}

bool currency_known(struct bytes code, int *digits)
{
    if (code.size != CODE_SIZE)
        return false;
    uint32_t wanted = code_number(code.at);
    size_t low = 0, high = CURRENCY_COUNT;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const char *entry = currencies + middle * ENTRY_SIZE;
        uint32_t found = code_number(entry);
        if (found == wanted) {
            if (digits)
                *digits = entry[CODE_SIZE] - '0';
            return true;
        }
        if (found < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool money_same_currency(struct money a, struct money b)
{
    return memcmp(a.currency, b.currency, sizeof a.currency) == 0;
}

bool money_add(struct money *sum, struct money more)
{
    int64_t amount;
    if (!money_same_currency(*sum, more) || __builtin_add_overflow(sum->amount, more.amount, &amount))
        return false;
    sum->amount = amount;
    return true;
}

bool money_times(struct money price, int64_t quantity, struct money *product)
{
    int64_t amount;
    if (__builtin_mul_overflow(price.amount, quantity, &amount))
        return false;
    *product = price;
    product->amount = amount;
    return true;
}

static bool amount_push(int64_t *amount, uint8_t digit)
{
    return digit >= '0' && digit <= '9' && !__builtin_mul_overflow(*amount, 10, amount) &&
           !__builtin_add_overflow(*amount, digit - '0', amount);
}

// "12" or "12.9", not empty, as minor units of a currency with `digits` decimals.
static bool amount_parse(struct bytes text, int digits, int64_t *amount)
{
    const uint8_t *point = memchr(text.at, '.', text.size);
    size_t whole = point ? (size_t)(point - text.at) : text.size;
    size_t decimals = point ? text.size - whole - 1 : 0;
    if (!whole || decimals > (size_t)digits || (point && !decimals))
        return false;
    *amount = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (i != whole && !amount_push(amount, text.at[i]))
            return false;
    }
    for (; decimals < (size_t)digits; decimals++) {
        if (!amount_push(amount, '0'))
            return false;
    }
    return true;
}

bool money_parse(struct bytes text, struct money *money)
{
    struct money parsed = {0};
    int digits;
    if (text.size <= CODE_SIZE)
        return false;
    struct bytes number = bytes_of(text.at, text.size - CODE_SIZE);
    struct bytes code = bytes_of(text.at + number.size, CODE_SIZE);
    if (!currency_known(code, &digits) || !amount_parse(number, digits, &parsed.amount))
        return false;
    memcpy(parsed.currency, code.at, CODE_SIZE);
    *money = parsed;
    return true;
}

struct money_text money_format(struct money money)
{
    struct money_text out;
    int digits = 0;
    uint64_t unit = 1, amount = money.amount < 0 ? 0 - (uint64_t)money.amount : (uint64_t)money.amount;
    const char *sign = money.amount < 0 ? "-" : "";
    currency_known(bytes_of(money.currency, strnlen(money.currency, CODE_SIZE)), &digits);
    for (int i = 0; i < digits; i++)
        unit *= 10;
    if (digits)
        snprintf(out.text, sizeof out.text, "%s%llu.%0*llu %.3s", sign, (unsigned long long)(amount / unit), digits,
                 (unsigned long long)(amount % unit), money.currency);
    else
        snprintf(out.text, sizeof out.text, "%s%llu%s%.3s", sign, (unsigned long long)amount,
                 money.currency[0] ? " " : "", money.currency);
    return out;
}
