// SPDX-License-Identifier: Apache-2.0
// Orders and their payments: what must be true at the moment an order says that something happened, and at the moment
// a provider is asked for something. Whatever an order says, it says after what it asked of others was done.
#include "tests/sim/model.h"

#include "codec/check.h"

#include <inttypes.h>
#include <stdio.h>

struct model_order *model_order(const struct model *model, struct bytes id)
{
    struct model_order *order = NULL;
    HASH_FIND(hh, model->orders, id.at, id.size, order);
    return order;
}

struct provider_sums model_sums(const struct model *model, const struct model_order *order)
{
    return model->provider ? provider_sim_sums(model->provider, bytes_text(order->id)) : order->sandbox;
}

// Lines as given keep their agreed prices; an item's price fills the others.
int64_t model_total(const struct model_order *order)
{
    int64_t total = 0;
    for (uint32_t i = 0; i < order->lines.count; i++) {
        const struct model_line *line = &order->lines.at[i];
        const struct model_line *item = model_line_of(&order->items, bytes_text(line->sku));
        total += line->quantity * (line->priced ? line->price.amount : item->price.amount);
    }
    return total;
}

static void wrong(struct model *model, const struct model_order *order, int invariant, const struct model_line *item,
                  const char *what)
{
    struct entity sku = {KIND_INVENTORY, bytes_text(item ? item->sku : "")};
    finding_note(model->finding, invariant, KIND_ORDER, bytes_text(order->id), item ? &sku : NULL, "%s", what);
}

// ---- goods

// The first item whose hold is not in this state; NULL: all are.
static const struct model_line *item_not(struct model *model, const struct model_order *order, bool held)
{
    for (uint32_t i = 0; i < order->items.count; i++) {
        const struct model_line *item = &order->items.at[i];
        struct model_stock *stock = model_stock_of(model, bytes_text(item->sku));
        struct model_hold *hold = model_hold_of(stock, arena_format(&model->arena, "o%s", order->id));
        bool is = hold && hold->state == MODEL_HELD;
        if (is != held || (is && hold->quantity != item->quantity))
            return item;
    }
    return NULL;
}

static const struct model_line *item_sold(struct model *model, const struct model_order *order)
{
    for (uint32_t i = 0; i < order->items.count; i++) {
        struct model_stock *stock = model_stock_of(model, bytes_text(order->items.at[i].sku));
        struct model_hold *hold = model_hold_of(stock, arena_format(&model->arena, "o%s", order->id));
        if (hold && hold->state == MODEL_COMMITTED)
            return &order->items.at[i];
    }
    return NULL;
}

static bool claims_cart(const struct model *model, const struct model_order *order)
{
    struct model_cart *cart = NULL;
    if (!order->cart_id)
        return false;
    HASH_FIND_STR(model->carts, order->cart_id, cart);
    return cart && cart->claim && strcmp(cart->claim, order->id) == 0;
}

// ---- what an order says

void model_gave_back(struct model *model, const struct model_order *order)
{
    struct provider_sums sums = model_sums(model, order);
    const struct model_line *item = item_not(model, order, false);
    if (item)
        wrong(model, order, 5, item, "the order ended without goods, and still holds them");
    if ((item = item_sold(model, order)))
        wrong(model, order, 6, item, "the order ended without goods, and they are gone");
    if (sums.captured != sums.refunded)
        wrong(model, order, 6, NULL, "the order ended without goods, and the provider has its money");
    if (claims_cart(model, order))
        wrong(model, order, 5, NULL, "the order ended, and its cart is still claimed");
}

static void confirmed(struct model *model, struct model_order *order)
{
    struct provider_sums sums = model_sums(model, order);
    int64_t total = model_total(order);
    bool free_of_charge = strcmp(order->method, "cod") == 0 || total == 0;
    const struct model_line *item = item_not(model, order, true);
    if (item)
        wrong(model, order, 6, item, "confirmed, but this item is not held");
    if (sums.captured - sums.refunded != (free_of_charge ? 0 : total))
        wrong(model, order, 6, NULL, "confirmed, but the provider has not got the total");
    order->confirmed = true;
}

static void told(struct model *model, struct model_order *order, uint32_t event)
{
    const struct model_line *item;
    order->status = event_by_number(event)->name;
    if (event == EVENT_inventory_reserved && (item = item_not(model, order, true)))
        wrong(model, order, 6, item, "everything is said to be held, but this item is not");
    if (event == EVENT_order_confirmed)
        confirmed(model, order);
    if (event == EVENT_order_failed || event == EVENT_order_cancelled)
        model_gave_back(model, order);
    if (event == EVENT_order_failed && order->cancel)
        wrong(model, order, 8, NULL, "its cancel was acknowledged, but it ended otherwise");
    if (event == EVENT_order_failed && order->shipped)
        wrong(model, order, 6, NULL, "shipped, and failed after all");
    if (event == EVENT_order_cancelled && !order->cancel)
        wrong(model, order, 8, NULL, "cancelled, but nobody asked for it");
    if (event == EVENT_order_shipped && (order->cancel || !order->confirmed))
        wrong(model, order, 6, NULL, "shipped, but cancelled or never confirmed");
    if (event == EVENT_order_delivered && !order->shipped)
        wrong(model, order, 6, NULL, "delivered, but never shipped");
    if (event == EVENT_payment_captured && model_sums(model, order).captures != 1)
        wrong(model, order, 4, NULL, "said to be captured; the provider has not exactly one capture");
    if (event == EVENT_payment_refunded && model_sums(model, order).refunds != 1)
        wrong(model, order, 7, NULL, "said to be refunded; the provider has not exactly one refund");
    order->shipped |= event == EVENT_order_shipped;
}

// ---- place

static void items_sum(struct model *model, struct model_order *order)
{
    for (uint32_t i = 0; i < order->lines.count; i++) {
        const struct model_line *line = &order->lines.at[i];
        struct model_line *item = model_line_of(&order->items, bytes_text(line->sku));
        if (item)
            item->quantity += line->quantity;
        else
            model_line_add(model, &order->items, bytes_text(line->sku), line->quantity);
    }
}

static void place(struct model *model, const struct world_decision *decision, const struct order_place *body)
{
    struct bytes fingerprint = fingerprint_of(order_place_shape(), body, &model->arena);
    struct model_order *order = model_order(model, decision->request.key);
    if (order) {
        if (fingerprint_difference(order_place_shape(), order->fingerprint, fingerprint))
            model_expect(model, decision, STATUS_order_exists);
        else if (decision->status == STATUS_order_exists || decision->status == STATUS_too_late || decision->logged)
            wrong(model, order, 8, NULL, "the order that was placed is placed anew");
        return;
    }
    if (model_late(decision))
        return model_expect(model, decision, STATUS_too_late);
    if (!decision->logged)
        return;
    order = arena_alloc(&model->arena, sizeof *order);
    *order = (struct model_order){.id = model_text(model, decision->request.key),
                                  .fingerprint = fingerprint,
                                  .method = model_text(model, body->payment_method),
                                  .cart_id = body->has_cart_id ? model_text(model, body->cart_id) : NULL,
                                  .lines_known = body->has_lines,
                                  .refused = decision->status != STATUS_ok,
                                  .status = "placed"};
    HASH_ADD_KEYPTR(hh, model->orders, order->id, strlen(order->id), order);
    for (uint32_t i = 0; i < body->lines_count; i++) {
        struct model_line *line = model_line_add(model, &order->lines, body->lines[i].sku, body->lines[i].quantity);
        line->priced = body->lines[i].has_unit_price;
        line->price = body->lines[i].unit_price;
    }
    items_sum(model, order);
    model_order_placed(model, order, decision, body);
}

// What is said again is said with the same content.
static void judge_said(struct model *model, const struct world_decision *decision, struct model_order *order,
                       struct bytes *first, const void *body)
{
    const struct shape *shape = decision->def->body();
    struct bytes fingerprint = fingerprint_of(shape, body, &model->arena);
    if (decision->status == STATUS_ok && !first->at)
        *first = fingerprint;
    else if (decision->status == STATUS_ok && fingerprint_difference(shape, *first, fingerprint))
        wrong(model, order, 8, NULL, "said again with other content, and answered ok");
}

static void people(struct model *model, const struct world_decision *decision, struct model_order *order,
                   const void *body)
{
    if (decision->def->type == MESSAGE_order_get) {
        model_expect(model, decision, order ? STATUS_ok : STATUS_not_found);
    } else if (!order) {
        model_expect(model, decision, model_late(decision) ? STATUS_too_late : STATUS_not_found);
    } else if (decision->def->type == MESSAGE_order_cancel) {
        if (order->shipped && decision->status == STATUS_ok)
            wrong(model, order, 8, NULL, "cancelled although it was shipped");
        order->cancel |= decision->status == STATUS_ok;
        judge_said(model, decision, order, &order->cancelled_as, body);
    } else if (decision->def->type == MESSAGE_order_ship && decision->status == STATUS_ok && order->cancel) {
        wrong(model, order, 8, NULL, "shipped although it was cancelled");
    } else if (decision->def->type == MESSAGE_order_ship) {
        judge_said(model, decision, order, &order->shipped_as, body);
    }
}

// The price an order believes is the first that reached it.
static void priced(struct model *model, struct model_order *order, const struct answer *answer)
{
    struct catalog_price_reply reply;
    struct refusal refusal;
    struct model_line *item = model_line_of(&order->items, answer->key);
    if (!item || item->priced || !bytes_equal(answer->status, BYTES("ok")) ||
        !body_decode(catalog_price_reply_shape(), answer->body, &reply, &model->arena, &refusal))
        return;
    item->priced = true;
    item->price = reply.price;
}

void model_order_decided(struct model *model, const struct world_decision *decision, const void *body)
{
    struct model_order *order = model_order(model, decision->request.key);
    if (decision->def->type == MESSAGE_order_place)
        place(model, decision, body);
    else if (decision->in.origin == LOG_CLIENT)
        people(model, decision, order, body);
    const struct answer *answer = body;
    if (decision->def->type == MESSAGE_order_answer && order && decision->logged &&
        bytes_equal(answer->re, BYTES("catalog.price")))
        priced(model, order, answer);
    if (decision->def->type == MESSAGE_order_answer && order && decision->logged)
        model_order_heard(model, order, answer);
    if (decision->def->type == MESSAGE_order_wake && order && decision->logged)
        model_order_woken(model, order, decision, body);
    order = model_order(model, decision->request.key);
    if (decision->status != STATUS_ok && !decision->kept)
        return;
    for (uint32_t i = 0; order && i < decision->effects_count; i++)
        if (decision->effects[i].type == EFFECT_EVENT) {
            model_order_told(model, order, &decision->effects[i], decision->at);
            told(model, order, decision->effects[i].message);
        }
}

// ---- payment and provider

static bool starts(struct bytes text, const char *prefix)
{
    return text.size >= strlen(prefix) && memcmp(text.at, prefix, strlen(prefix)) == 0;
}

// A payment wants an operation done: charges need everything held, and nothing else may be open.
static void asks(struct model *model, struct model_order *order, const struct provider_operation *operation)
{
    const struct model_line *item;
    struct bytes kind = starts(operation->operation, "confirm") ? BYTES("authorize") : operation->operation;
    bool same = bytes_equal(kind, order->operation) && operation->attempt == order->attempt;
    bool charges = bytes_equal(kind, BYTES("authorize")) || bytes_equal(kind, BYTES("capture"));
    if (charges && (item = item_not(model, order, true)))
        wrong(model, order, 6, item, "the provider is asked for money, but this item is not held");
    if (operation->amount.amount != model_total(order))
        wrong(model, order, 7, NULL, "the provider is asked for another amount than the total");
    if (same && !bytes_equal(order->provider_key, operation->provider_key))
        wrong(model, order, 4, NULL, "the same operation is sent under another key");
    if (!same && order->operation.size && !order->answered)
        wrong(model, order, 4, NULL, "an operation is sent while another is open at the provider");
    if (order->operation.size && operation->attempt != order->attempt && !order->resolved)
        wrong(model, order, 4, NULL, "a new attempt, though nobody resolved the one before");
    if (same)
        return;
    order->operation = arena_copy(&model->arena, kind);
    order->provider_key = arena_copy(&model->arena, operation->provider_key);
    order->attempt = operation->attempt;
    order->answered = order->resolved = false;
}

void model_payment_decided(struct model *model, const struct world_decision *decision, const void *body)
{
    struct model_order *order = model_order(model, decision->request.key);
    const struct provider_outcome *outcome = body;
    struct provider_operation operation;
    struct refusal refusal;
    if (!order) {
        if (decision->logged)
            finding_note(model->finding, 7, KIND_PAYMENT, decision->request.key, NULL, "a payment without an order");
        return;
    }
    if (decision->def->type == MESSAGE_payment_outcome && bytes_equal(outcome->operation, order->operation) &&
        outcome->attempt == order->attempt && !bytes_equal(outcome->outcome, BYTES("failed")) &&
        !bytes_equal(outcome->outcome, BYTES("unknown")))
        order->answered = true;
    if (decision->def->type == MESSAGE_payment_outcome && bytes_equal(outcome->outcome, BYTES("declined")))
        model_reason(order, "payment_failed");
    if (decision->def->type == MESSAGE_payment_resolve && decision->status == STATUS_ok) {
        order->answered = order->resolved = true;
        model_reason(order, "payment_failed");
    }
    for (uint32_t i = 0; i < decision->effects_count && decision->status == STATUS_ok; i++) {
        const struct effect *effect = &decision->effects[i];
        if (effect->type == EFFECT_PROVIDER &&
            body_decode(provider_operation_shape(), effect->value, &operation, &model->arena, &refusal) &&
            !operation.query)
            asks(model, order, &operation);
    }
}

// The sandbox's book as it is written: each key counts when it has succeeded.
static void booked(struct model_order *order, const struct ledger_entry *entry)
{
    struct provider_sums *sums = &order->sandbox;
    if (bytes_equal(entry->operation, BYTES("capture"))) {
        sums->captures++;
        sums->captured += entry->amount.amount;
    } else if (bytes_equal(entry->operation, BYTES("refund"))) {
        sums->refunds++;
        sums->refunded += entry->amount.amount;
    } else if (bytes_equal(entry->operation, BYTES("void"))) {
        sums->voids++;
    } else {
        sums->authorizations++;
    }
}

static void book_read(struct model *model, struct model_order *order, const struct ledger_entry *entry)
{
    char name[256];
    struct model_effect *known = NULL;
    if (!bytes_equal(entry->outcome, BYTES("succeeded")))
        return;
    snprintf(name, sizeof name, "booked %.*s", BYTES_FORMAT(entry->provider_key));
    HASH_FIND_STR(model->effects, name, known);
    if (known)
        return;
    known = arena_alloc(&model->arena, sizeof *known + sizeof name);
    memcpy(known->name, name, sizeof name);
    HASH_ADD_KEYPTR(hh, model->effects, known->name, strlen(known->name), known);
    booked(order, entry);
}

void model_sandbox_decided(struct model *model, const struct world_decision *decision, const void *body)
{
    struct model_order *order = model_order(model, decision->request.key);
    (void)body;
    for (uint32_t i = 0; order && i < decision->effects_count; i++) {
        const struct effect *effect = &decision->effects[i];
        struct ledger book;
        if (effect->type != EFFECT_PUT || !record_decode(ledger_shape(), effect->value, &book, &model->arena))
            continue;
        for (uint32_t entry = 0; entry < book.entries_count; entry++)
            book_read(model, order, &book.entries[entry]);
    }
}
