// SPDX-License-Identifier: Apache-2.0
// Why an order ended as it did, and what its readers were told. Whatever refuses it names a reason once the order has
// heard it; it may end by a reason it has, and may not go on with one.
#include "tests/sim/model.h"

#include "actors/kinds/payment_methods.h"
#include "codec/check.h"

#include <inttypes.h>

static void wrong(struct model *model, const struct model_order *order, int invariant, const char *format,
                  const char *word)
{
    finding_note(model->finding, invariant, KIND_ORDER, bytes_text(order->id), NULL, format, word);
}

static bool has_reason(const struct model_order *order, struct bytes name)
{
    for (uint32_t i = 0; i < order->reasons_count; i++)
        if (bytes_equal(bytes_text(order->reasons[i]), name))
            return true;
    return false;
}

void model_reason(struct model_order *order, const char *name)
{
    if (has_reason(order, bytes_text(name)))
        return;
    CHECK(order->reasons_count < MODEL_REASONS_MAX, "%s", name);
    order->reasons[order->reasons_count++] = name;
}

// ---- reasons

// What its own lines say, as far as prices are known. Nobody here is as dear as to overflow a sum.
static void look_at_lines(struct model *model, struct model_order *order)
{
    const struct money *first = NULL;
    if (order->lines.count > model->settings->order_lines_max)
        model_reason(order, "overflow");
    for (uint32_t i = 0; i < order->items.count; i++)
        if (order->items.at[i].quantity > QUANTITY_MAX)
            model_reason(order, "overflow");
    for (uint32_t i = 0; i < order->lines.count; i++) {
        const struct model_line *line = &order->lines.at[i];
        if (line->priced && first && !money_same_currency(*first, line->price))
            model_reason(order, "currency");
        first = line->priced && !first ? &line->price : first;
    }
}

// A cart weighs as much as one may hold until its lines are known; what is larger than the limit goes alone.
static void judge_admission(struct model *model, const struct model_order *order, const struct weight *open)
{
    int64_t mine = order->cart_id ? model->settings->cart_lines_max : order->items.count;
    if (open->lines > mine && open->lines > model->settings->lines_in_flight_max)
        wrong(model, order, 13, "it was admitted: more lines are in flight than %s", "lines_in_flight_max");
    if (open->waiting + open->to_wait > model->settings->waiting_max)
        wrong(model, order, 13, "it was admitted: more orders wait or may come to than %s", "waiting_max");
}

void model_order_placed(struct model *model, struct model_order *order, const struct world_decision *decision,
                        const struct order_place *body)
{
    if (!order->refused)
        judge_admission(model, order, &decision->open);
    order->deadline_at = decision->at + model->settings->order_deadline_ms * 1000;
    order->expected_total = body->expected_total;
    order->has_expected_total = body->has_expected_total;
    if (payment_method_of(body->payment_method) == METHOD_UNKNOWN)
        model_reason(order, "payment_method");
    look_at_lines(model, order);
}

// A claimed cart: its lines are known.
void model_order_filled(struct model *model, struct model_order *order)
{
    look_at_lines(model, order);
}

static void heard_shortage(struct model *model, struct model_order *order, const struct answer *answer)
{
    struct order_shortages facts;
    struct refusal refusal;
    model_reason(order, "out_of_stock");
    CHECK(body_decode_lenient(order_shortages_shape(), answer->body, &facts, &model->arena, &refusal) &&
              facts.shortages_count == 1,
          "%s", order->id);
    model_line_add(model, &order->shortages, answer->key, facts.shortages[0].available);
}

static void heard_price(struct model *model, struct model_order *order, const struct answer *answer)
{
    struct catalog_price_reply reply;
    struct refusal refusal;
    if (!bytes_equal(answer->status, BYTES("ok"))) {
        model_reason(order, "unknown_sku");
    } else if (body_decode(catalog_price_reply_shape(), answer->body, &reply, &model->arena, &refusal)) {
        if (!reply.active)
            model_reason(order, "inactive_sku");
        for (uint32_t i = 0; i < order->lines.count; i++)
            if (order->lines.at[i].priced && !money_same_currency(order->lines.at[i].price, reply.price))
                model_reason(order, "currency");
        if (order->currency.currency[0] && !money_same_currency(order->currency, reply.price))
            model_reason(order, "currency");
        order->currency = reply.price;
    }
}

static void heard_claim(struct model *model, struct model_order *order, const struct answer *answer)
{
    struct cart_snapshot cart;
    struct refusal refusal;
    if (!bytes_equal(answer->status, BYTES("ok")))
        model_reason(order, bytes_equal(answer->status, BYTES("cart_claimed")) ? "cart_claimed" : "cart_empty");
    else if (body_decode(cart_snapshot_shape(), answer->body, &cart, &model->arena, &refusal) && !cart.lines_count)
        model_reason(order, "cart_empty");
}

// An answer that changed the order.
void model_order_heard(struct model *model, struct model_order *order, const struct answer *answer)
{
    if (bytes_equal(answer->re, BYTES("cart.claim")))
        heard_claim(model, order, answer);
    else if (bytes_equal(answer->re, BYTES("catalog.price")))
        heard_price(model, order, answer);
    else if (bytes_equal(answer->re, BYTES("inventory.reserve")) &&
             bytes_equal(answer->status, BYTES("insufficient_stock")))
        heard_shortage(model, order, answer);
    else if (bytes_equal(answer->re, BYTES("inventory.reserve")) && !bytes_equal(answer->status, BYTES("ok")))
        model_reason(order, "unknown_sku");
}

// ---- going on, and ending

static bool price_changed(const struct model_order *order)
{
    const struct model_line *line = order->lines.count ? order->lines.at : NULL;
    const struct model_line *item = order->items.count ? order->items.at : NULL;
    if (!order->has_expected_total)
        return false;
    return order->expected_total.amount != model_total(order) ||
           (line && !money_same_currency(order->expected_total, line->priced ? line->price : item->price));
}

// It takes goods or money now.
static void judge_going_on(struct model *model, const struct model_order *order)
{
    if (order->reasons_count)
        wrong(model, order, 8, "it goes on, though it is to be refused: %s", order->reasons[0]);
    if (price_changed(order))
        wrong(model, order, 8, "it goes on, though it %s another total", "expected");
}

static void judge_ending(struct model *model, const struct model_order *order, const struct order_event *event,
                         int64_t at)
{
    struct bytes reason = bytes_equal(event->status, BYTES("rejected")) ? event->reason : event->status;
    const char *name = model_text(model, reason);
    bool has = has_reason(order, reason);
    if (bytes_equal(reason, BYTES("reservation_expired")))
        has = at >= order->deadline_at;
    else if (bytes_equal(reason, BYTES("price_changed")))
        has = price_changed(order);
    if (!has)
        wrong(model, order, 8, "it ended as %s, and never met anything that says so", name);
}

void model_order_told(struct model *model, struct model_order *order, const struct effect *effect, int64_t at)
{
    struct order_event event;
    struct refusal refusal;
    CHECK(body_decode(order_event_shape(), effect->value, &event, &model->arena, &refusal), "%s", refusal.message);
    if (order->told[effect->message]++)
        wrong(model, order, 14, "readers are told a second time: %s", event_by_number(effect->message)->name);
    if (effect->message == EVENT_inventory_reserved)
        judge_going_on(model, order);
    if (effect->message == EVENT_order_failed)
        judge_ending(model, order, &event, at);
}

// A wake that asks nobody again ends something: it was set for the deadline.
void model_order_woken(struct model *model, const struct model_order *order, const struct world_decision *decision,
                       const struct wake *wake)
{
    for (uint32_t i = 0; i < decision->effects_count; i++)
        if (decision->effects[i].type == EFFECT_REASK)
            return;
    if (wake->at > order->deadline_at)
        wrong(model, order, 8, "it was woken for its %s too late", "deadline");
}

// ---- at rest

static void expect_told(struct model *model, const struct model_order *order, enum event_type event, bool should)
{
    if ((order->told[event] > 0) != should)
        wrong(model, order, 14, should ? "readers were never told: %s" : "readers were told, and it is not so: %s",
              event_by_number(event)->name);
}

void model_order_rests(struct model *model, const struct model_order *order, const struct order *is)
{
    struct provider_sums sums = model_sums(model, order);
    bool sold = order->confirmed && !order->cancel;
    expect_told(model, order, EVENT_order_created, !order->refused);
    expect_told(model, order, EVENT_payment_captured, sums.captures > 0);
    expect_told(model, order, EVENT_payment_refunded, sums.refunds > 0);
    expect_told(model, order, EVENT_order_confirmed, order->confirmed);
    expect_told(model, order, EVENT_order_cancelled, order->cancel);
    expect_told(model, order, EVENT_order_failed, !sold && !order->cancel);
    if (order->confirmed)
        expect_told(model, order, EVENT_inventory_reserved, true);
    if (bytes_equal(is->status, BYTES("payment_failed")))
        expect_told(model, order, EVENT_payment_failed, true);
    for (uint32_t i = 0; i < is->shortages_count; i++) {
        const struct model_line *heard = model_line_of(&order->shortages, is->shortages[i].sku);
        if (!heard || heard->quantity != is->shortages[i].available)
            wrong(model, order, 8, "its shortage of %s is another than stock answered",
                  model_text(model, is->shortages[i].sku));
    }
    if (is->shortages_count != order->shortages.count)
        wrong(model, order, 8, "it names %s shortages than stock answered",
              is->shortages_count < order->shortages.count ? "fewer" : "more");
}
