// SPDX-License-Identifier: Apache-2.0
// An order's money: the provider's book by itself (I4), the payment's book against it (I7), and both against what the
// order says became of it (I5, I6). An operator's word (payment.resolve) may leave an operation under way behind a
// settled order; everything else an open payment may be is explained by an open order.
#include "cli/audit_case.h"

#include "actors/kinds/payment_methods.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static void violation(struct order_case *it, int invariant, enum kind_id kind, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void violation(struct order_case *it, int invariant, enum kind_id kind, const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    VIOLATION_2(it->audit, invariant, kind, it->key, KIND_ORDER, it->key, "%s", line);
}

// ---- the provider's book

static void book(struct order_case *it, struct money *sum, struct money amount)
{
    if (!sum->currency[0])
        *sum = amount;
    else if (!money_add(sum, amount))
        it->ledger.mixed = true;
}

static void ledger_add(struct order_case *it, const struct ledger_entry *entry)
{
    struct case_book *ledger = &it->ledger;
    ledger->entries++;
    if (!bytes_equal(entry->outcome, BYTES("succeeded")))
        return;
    if (bytes_equal(entry->operation, BYTES("authorize")))
        ledger->authorized = true;
    if (bytes_equal(entry->operation, BYTES("void")))
        ledger->voided = true;
    if (bytes_equal(entry->operation, BYTES("capture"))) {
        ledger->captures++;
        book(it, &ledger->captured, entry->amount);
        sums_add(&it->audit->verdict->sandbox_captured, entry->amount);
    }
    if (bytes_equal(entry->operation, BYTES("refund"))) {
        book(it, &ledger->refunded, entry->amount);
        sums_add(&it->audit->verdict->sandbox_refunded, entry->amount);
    }
}

void case_ledger(struct order_case *it, const struct ledger *book)
{
    for (uint32_t i = 0; i < book->entries_count; i++)
        ledger_add(it, &book->entries[i]);
}

static void ledger_judge(struct order_case *it)
{
    const struct case_book *ledger = &it->ledger;
    if (ledger->captures > 1)
        violation(it, 4, KIND_SANDBOX, "captured %" PRIu32 " times", ledger->captures);
    if (ledger->mixed)
        violation(it, 4, KIND_SANDBOX, "captures or refunds of several currencies, or beyond counting");
    if (ledger->captures && it->known &&
        (!it->record.has_total || !money_same_currency(ledger->captured, it->record.total) ||
         ledger->captured.amount > it->record.total.amount))
        violation(it, 4, KIND_SANDBOX, "captured %s of a total of %s", money_format(ledger->captured).text,
                  it->record.has_total ? money_format(it->record.total).text : "nothing");
    if (ledger->refunded.amount > ledger->captured.amount)
        violation(it, 7, KIND_SANDBOX, "refunded %s of %s captured", money_format(ledger->refunded).text,
                  money_format(ledger->captured).text);
}

// ---- both books

static bool open_operation(const struct order_case *it, const char *kind)
{
    return it->has_payment && it->payment.has_open && bytes_equal(it->payment.open.kind, bytes_text(kind));
}

static bool same(struct money a, struct money b)
{
    return a.amount == b.amount && (a.amount == 0 || money_same_currency(a, b));
}

// The provider may be one answer ahead of the payment, in what the payment has asked and not heard of.
static void books_judge(struct order_case *it, const char *operation, const char *word, struct money payment,
                        struct money provider)
{
    if (same(payment, provider))
        return;
    if (open_operation(it, operation) && payment.amount == 0)
        it->audit->verdict->explained++;
    else
        violation(it, 7, KIND_PAYMENT, "the payment says %s %s, the provider %s", word, money_format(payment).text,
                  money_format(provider).text);
}

// ---- the order and its payment

static bool payment_works(const struct order_case *it)
{
    return it->has_payment &&
           (it->payment.has_open || it->payment.parked || bytes_equal(it->payment.state, BYTES("action_required")));
}

static bool says(const struct order_case *it, const char *payment)
{
    return bytes_equal(it->record.payment, bytes_text(payment));
}

static void sold_judge(struct order_case *it)
{
    const struct payment *payment = &it->payment;
    bool free_of_charge = (it->record.has_total && it->record.total.amount == 0) ||
                          payment_method_of(it->content.payment_method) == METHOD_COD;
    if (free_of_charge) {
        if (payment->captured.amount != 0 || it->ledger.captured.amount != 0)
            violation(it, 6, KIND_PAYMENT, "no payment is due, but %s was captured",
                      money_format(payment->captured).text);
        return;
    }
    if (!it->has_payment || !says(it, "captured") || !same(payment->captured, it->record.total) ||
        payment->refunded.amount != 0)
        violation(it, 6, KIND_PAYMENT,
                  "the order is %.*s (payment: %.*s, total %s), the payment has captured %s and "
                  "refunded %s",
                  BYTES_FORMAT(it->record.status), BYTES_FORMAT(it->record.payment),
                  money_format(it->record.total).text, money_format(payment->captured).text,
                  money_format(payment->refunded).text);
}

static void refused_judge(struct order_case *it)
{
    const struct case_book *ledger = &it->ledger;
    if (!same(it->payment.captured, it->payment.refunded) || !same(ledger->captured, ledger->refunded))
        violation(it, 6, KIND_PAYMENT,
                  "the order ended as %.*s, but %s was captured and %s refunded (provider: %s, %s)",
                  BYTES_FORMAT(it->record.status), money_format(it->payment.captured).text,
                  money_format(it->payment.refunded).text, money_format(ledger->captured).text,
                  money_format(ledger->refunded).text);
    if (ledger->authorized && !ledger->captures && !ledger->voided && !it->payment.has_resolved_reason)
        violation(it, 5, KIND_SANDBOX, "the order ended as %.*s, but what the shopper authorized was never given back",
                  BYTES_FORMAT(it->record.status));
}

static void settled_judge(struct order_case *it)
{
    if (payment_works(it) && it->payment.has_resolved_reason)
        it->audit->verdict->explained++;
    else if (payment_works(it))
        violation(it, 5, KIND_PAYMENT, "settled, but its payment is %.*s%s", BYTES_FORMAT(it->payment.state),
                  it->payment.parked ? ", parked" : "");
    if (case_sold(it))
        sold_judge(it);
    else
        refused_judge(it);
}

// Nothing is charged before everything is held; what was captured is being committed or refunded.
static void open_judge(struct order_case *it)
{
    bool early = case_step_is(it, "claiming") || case_step_is(it, "pricing") || case_step_is(it, "holding");
    bool on_its_way = case_step_is(it, "paying") || case_step_is(it, "voiding");
    const struct payment *payment = &it->payment;
    bool owed = payment->captured.amount > payment->refunded.amount;
    if (it->has_payment && early)
        violation(it, 6, KIND_PAYMENT, "a payment exists although the order is still %.*s",
                  BYTES_FORMAT(it->record.step));
    if (owed && case_step_is(it, "releasing"))
        violation(it, 6, KIND_PAYMENT, "%s is captured, but the order gives its goods back",
                  money_format(payment->captured).text);
    if (says(it, "captured") && payment->captured.amount == 0)
        violation(it, 6, KIND_PAYMENT, "the order knows of a capture that the payment does not know");
    if (says(it, "refunded") && !same(payment->captured, payment->refunded))
        violation(it, 6, KIND_PAYMENT, "the order knows of a refund that the payment does not know");
    if (on_its_way && owed)
        it->audit->verdict->explained++;
}

void case_money(struct order_case *it)
{
    if (it->has_payment) {
        sums_add(&it->audit->verdict->payment_captured, it->payment.captured);
        sums_add(&it->audit->verdict->payment_refunded, it->payment.refunded);
    }
    if (!it->known) {
        if (it->has_payment || it->ledger.entries)
            violation(it, 7, it->has_payment ? KIND_PAYMENT : KIND_SANDBOX, "no such order exists");
        return;
    }
    ledger_judge(it);
    books_judge(it, "capture", "captured", it->payment.captured, it->ledger.captured);
    books_judge(it, "refund", "refunded", it->payment.refunded, it->ledger.refunded);
    if (it->settled)
        settled_judge(it);
    else
        open_judge(it);
}
