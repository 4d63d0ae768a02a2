// SPDX-License-Identifier: Apache-2.0
// Collecting violations and money; the verdict as JSON and as a table. One thread.
#include "cli/verdict.h"

#include "codec/check.h"
#include "codec/json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct verdict *verdict_new(void)
{
    struct verdict *verdict = calloc(1, sizeof *verdict);
    CHECK(verdict);
    return verdict;
}

void verdict_free(struct verdict **verdict)
{
    struct verdict *it = *verdict;
    if (!it)
        return;
    for (uint64_t i = 0; i < it->violations_count && i < VIOLATIONS_MAX; i++) {
        for (int k = 0; k < it->violations[i].keys_count; k++)
            free(it->violations[i].keys[k]);
        free(it->violations[i].message);
    }
    free(it);
    *verdict = NULL;
}

static char *text_of(struct entity entity)
{
    char *text = NULL;
    CHECK(asprintf(&text, "%s/%.*s", kind_name(entity.kind), BYTES_FORMAT(entity.key)) >= 0);
    return text;
}

void verdict_violation(struct verdict *verdict, int invariant, const struct entity keys[], int keys_count,
                       const char *format, ...)
{
    if (verdict->violations_count++ >= VIOLATIONS_MAX)
        return;
    struct violation *violation = &verdict->violations[verdict->violations_count - 1];
    *violation = (struct violation){.invariant = invariant};
    for (int i = 0; i < keys_count && i < VIOLATION_KEYS_MAX && keys[i].kind != KIND_COUNT; i++)
        violation->keys[violation->keys_count++] = text_of(keys[i]);
    va_list args;
    va_start(args, format);
    CHECK(vasprintf(&violation->message, format, args) >= 0);
    va_end(args);
}

// ---- money

static int sum_of(struct sums *sums, const char *currency)
{
    int i = 0;
    while (i < sums->count && strcmp(sums->currency[i], currency) != 0)
        i++;
    if (i == sums->count) {
        CHECK(sums->count < CURRENCIES_MAX, "%s", currency);
        snprintf(sums->currency[sums->count++], sizeof sums->currency[0], "%s", currency);
    }
    return i;
}

void sums_add(struct sums *sums, struct money money)
{
    if (money.amount && money.currency[0])
        sums->amount[sum_of(sums, money.currency)] += money.amount;
}

// printf knows no 128 bits: at most 39 digits and a sign.
static struct bytes digits_of(__int128 amount, char text[48])
{
    bool negative = amount < 0;
    unsigned __int128 left = negative ? -(unsigned __int128)amount : (unsigned __int128)amount;
    char *end = text + 48, *at = end;
    do
        *--at = (char)('0' + (int)(left % 10));
    while (left /= 10);
    if (negative)
        *--at = '-';
    return bytes_of(at, (size_t)(end - at));
}

static void sums_json(const struct sums *sums, struct buffer *out)
{
    char text[48];
    for (int i = 0; i < sums->count; i++)
        buffer_printf(out, "%s\"%s\":%.*s", i ? "," : "", sums->currency[i],
                      BYTES_FORMAT(digits_of(sums->amount[i], text)));
}

static void pair_json(const char *name, const struct sums *payment, const struct sums *sandbox, struct buffer *out)
{
    buffer_printf(out, "\"%s\":{\"payment\":{", name);
    sums_json(payment, out);
    buffer_printf(out, "},\"sandbox\":{");
    sums_json(sandbox, out);
    buffer_printf(out, "}},");
}

static void sums_print(const char *what, const struct sums *sums, struct buffer *out)
{
    char text[48];
    if (!sums->count)
        buffer_printf(out, "%-24s %14s\n", what, "-");
    for (int i = 0; i < sums->count; i++) {
        struct money money = {.amount = (int64_t)sums->amount[i]};
        snprintf(money.currency, sizeof money.currency, "%s", sums->currency[i]);
        if (sums->amount[i] >= 0 && sums->amount[i] <= INT64_MAX)
            buffer_printf(out, "%-24s %14s\n", what, money_format(money).text);
        else
            buffer_printf(out, "%-24s %14.*s minor units of %s\n", what, BYTES_FORMAT(digits_of(sums->amount[i], text)),
                          sums->currency[i]);
    }
}

// ---- output

static void violation_json(const struct violation *violation, struct buffer *out)
{
    buffer_printf(out, "{\"invariant\":\"I%d\",\"keys\":[", violation->invariant);
    for (int i = 0; i < violation->keys_count; i++) {
        if (i)
            buffer_printf(out, ",");
        json_write_text(bytes_text(violation->keys[i]), out);
    }
    buffer_printf(out, "],\"message\":");
    json_write_text(bytes_text(violation->message), out);
    buffer_printf(out, "}");
}

static uint64_t kept(const struct verdict *verdict)
{
    return verdict->violations_count < VIOLATIONS_MAX ? verdict->violations_count : VIOLATIONS_MAX;
}

void verdict_json(const struct verdict *verdict, struct buffer *out)
{
    buffer_printf(out,
                  "{\"clean\":%s,\"orders\":%" PRIu64 ",\"open_orders\":%" PRIu64 ",\"skus\":%" PRIu64
                  ",\"holds\":%" PRIu64 ",\"carts\":%" PRIu64 ",\"explained\":%" PRIu64 ",",
                  verdict_clean(verdict) ? "true" : "false", verdict->orders, verdict->open_orders, verdict->skus,
                  verdict->holds, verdict->carts, verdict->explained);
    pair_json("captured", &verdict->payment_captured, &verdict->sandbox_captured, out);
    pair_json("refunded", &verdict->payment_refunded, &verdict->sandbox_refunded, out);
    buffer_printf(out, "\"violations_total\":%" PRIu64 ",\"violations\":[", verdict->violations_count);
    for (uint64_t i = 0; i < kept(verdict); i++) {
        if (i)
            buffer_printf(out, ",");
        violation_json(&verdict->violations[i], out);
    }
    buffer_printf(out, "]}\n");
}

void verdict_print(const struct verdict *verdict, struct buffer *out)
{
    buffer_printf(out, "%-24s %14" PRIu64 "\n", "SKUs in stock", verdict->skus);
    buffer_printf(out, "%-24s %14" PRIu64 "\n", "live holds", verdict->holds);
    buffer_printf(out, "%-24s %14" PRIu64 "\n", "carts", verdict->carts);
    buffer_printf(out, "%-24s %14" PRIu64 "\n", "orders", verdict->orders);
    buffer_printf(out, "%-24s %14" PRIu64 "\n", "  of them open", verdict->open_orders);
    buffer_printf(out, "%-24s %14" PRIu64 "\n", "explained by open steps", verdict->explained);
    sums_print("captured, payments", &verdict->payment_captured, out);
    sums_print("captured, provider", &verdict->sandbox_captured, out);
    sums_print("refunded, payments", &verdict->payment_refunded, out);
    sums_print("refunded, provider", &verdict->sandbox_refunded, out);
    if (verdict_clean(verdict)) {
        buffer_printf(out, "\nclean: no invariant (I1–I7) is violated\n");
        return;
    }
    buffer_printf(out, "\n%" PRIu64 " violations%s\n", verdict->violations_count,
                  verdict->violations_count > VIOLATIONS_MAX ? "; the first 1000:" : ":");
    for (uint64_t i = 0; i < kept(verdict); i++) {
        const struct violation *violation = &verdict->violations[i];
        buffer_printf(out, "I%d ", violation->invariant);
        for (int k = 0; k < violation->keys_count; k++)
            buffer_printf(out, " %s", violation->keys[k]);
        buffer_printf(out, "\n      %s\n", violation->message);
    }
}
