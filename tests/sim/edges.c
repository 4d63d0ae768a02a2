// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/edges.h"

static const char *const step_names[] = {
#define ORDER_STEP(name, sentence) #name,
#include "actors/kinds/order_steps.def"
#undef ORDER_STEP
};
static const char *const event_names[] = {
#define ORDER_EVENT(name, sentence, ...) #name,
#include "actors/kinds/order_steps.def"
#undef ORDER_EVENT
};

// Why no story takes these edges.
static const struct {
    const char *events, *steps, *reason;
} reasons[] = {
    {"claim price reserve release unclaim commit cart_settle restock authorized action_required captured declined "
     "voided "
     "refunded parked unparked deadline overdue resume",
     "none", "there is no such order, so nobody asks, answers or wakes it"},
    {"price", "claiming", "asked in a later step"},
    {"reserve", "claiming pricing", "asked in a later step"},
    {"commit cart_settle restock", "claiming pricing holding paying voiding", "asked in a later step"},
    {"restock", "committing", "asked in a later step"},
    {"authorized action_required captured declined voided refunded parked unparked", "claiming pricing holding",
     "no payment is asked before everything is held"},
    {"claim", "paying voiding committing refunding restocking settled",
     "asked again only while claiming; the answers then come one behind the other"},
    {"price", "paying voiding committing refunding restocking releasing",
     "asked again only while pricing; the answers then come one behind the other"},
    {"reserve", "voiding committing refunding restocking settled",
     "asked again only while holding; the answers then come one behind the other"},
    {"release unclaim", "claiming pricing holding paying voiding", "asked in a later step"},
    {"release unclaim", "committing restocking", "what is sold is not released"},
    {"commit cart_settle", "refunding releasing", "what is given back was never sold"},
    {"restock", "refunding releasing", "what is given back was never sold"},
    {"authorized action_required", "committing refunding restocking releasing settled",
     "said before what moved the order on, and a payment's words keep their order"},
    {"captured", "restocking settled",
     "said again only to an order that asks again; it then stands in an earlier step"},
    {"captured", "releasing", "goods are given back only after the payment said that nothing is or will be charged"},
    {"declined voided", "committing refunding restocking", "what was captured is neither declined nor voided"},
    {"declined", "settled", "said again only to an order that asks again; it then stands in an earlier step"},
    {"voided", "releasing settled", "said again only to an order that asks again; it then stands in an earlier step"},
    {"refunded", "paying voiding committing releasing", "nothing is refunded unless the order asked for it"},
    {"refunded", "settled", "said again only to an order that asks again; it then stands in an earlier step"},
    {"parked unparked", "committing", "a payment that has captured has nothing open"},
    {"parked unparked", "releasing settled",
     "only an authorization that an operator had given up, and that exists after all: "
     "tests/unit/actors/test_shard_payments.c"},
    {"deadline", "voiding committing refunding restocking releasing settled", "there is no deadline any more"},
    {"overdue", "paying voiding", "the payment has a timer of its own"},
    {"overdue", "settled", "nothing waits, so no timer is set"},
};

static bool has_word(const char *list, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at += size)
        if ((at == list || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0'))
            return true;
    return false;
}

static bool has_reason(int event, int step)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (has_word(reasons[i].events, event_names[event]) && has_word(reasons[i].steps, step_names[step]))
            return true;
    return false;
}

static void tell_table(const struct coverage *quiet, const struct coverage *crashed, struct buffer *out)
{
    buffer_printf(out, "%-17s", "");
    for (int step = 0; step < ORDER_STEP_COUNT; step++)
        buffer_printf(out, "%-*s", step + 1 < ORDER_STEP_COUNT ? 11 : 0, step_names[step]);
    buffer_printf(out, "\n");
    for (int event = 0; event < ORDER_EVENT_COUNT; event++) {
        buffer_printf(out, "%-17s", event_names[event]);
        for (int step = 0; step < ORDER_STEP_COUNT; step++)
            buffer_printf(out, "%s%*s",
                          quiet->cells[event][step]     ? "●"
                          : crashed->cells[event][step] ? "○"
                                                        : "·",
                          step + 1 < ORDER_STEP_COUNT ? 10 : 0, "");
        buffer_printf(out, "\n");
    }
}

bool edges_tell(const struct coverage *quiet, const struct coverage *crashed, struct buffer *out)
{
    bool explained = true;
    buffer_printf(out,
                  "The edges of actors/kinds/order_steps.def that the stories take: ● a story takes it, ○ one in which "
                  "the process\nis killed does, · none does; why not, stands below.\n\n");
    tell_table(quiet, crashed, out);
    buffer_printf(out, "\n");
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        buffer_printf(out, "· %s\n  in %s\n      %s\n", reasons[i].events, reasons[i].steps, reasons[i].reason);
    for (int event = 0; event < ORDER_EVENT_COUNT; event++)
        for (int step = 0; step < ORDER_STEP_COUNT; step++) {
            bool taken = quiet->cells[event][step] || crashed->cells[event][step];
            if (taken != has_reason(event, step))
                continue;
            explained = false;
            buffer_printf(out, "%s in %s: %s\n", event_names[event], step_names[step],
                          taken ? "taken, though a reason says why not" : "not taken, and nothing says why");
        }
    return explained;
}
