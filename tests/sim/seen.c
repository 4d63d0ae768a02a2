// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/seen.h"

#include "codec/check.h"

struct seen_order *seen_order(struct seen_order **orders, struct bytes id, struct arena *arena)
{
    struct seen_order *order = NULL;
    HASH_FIND(hh, *orders, id.at, id.size, order);
    if (order)
        return order;
    order = arena_alloc(arena, sizeof *order);
    *order = (struct seen_order){.id = (const char *)arena_format(arena, "%.*s", BYTES_FORMAT(id)), .reason = ""};
    HASH_ADD_KEYPTR(hh, *orders, order->id, id.size, order);
    return order;
}

// ---- reading

static bool any_bit(struct bytes bits)
{
    for (size_t i = 0; i < bits.size; i++)
        if (bits.at[i])
            return true;
    return false;
}

static void read_record(struct seen_order *order, const struct effect *put, struct arena *arena)
{
    struct order record;
    CHECK(record_decode(order_shape(), put->value, &record, arena), "%s", order->id);
    order->status = order_status_of(record.status);
    order->reason = record.has_reason ? (const char *)arena_format(arena, "%.*s", BYTES_FORMAT(record.reason)) : "";
    order->open = put->place == PLACE_OPEN;
    order->asks = order->step == ORDER_STEP_claiming || any_bit(record.waiting) || record.cart_waiting;
    order->ends = record.has_ending;
    order->lines = record.lines_count;
}

void seen_decided(struct seen_order *order, const struct world_decision *decision, struct arena *arena)
{
    order->step = coverage_step(decision, order->step);
    if (decision->status != STATUS_ok && !decision->kept)
        return;
    for (uint32_t i = 0; i < decision->effects_count; i++) {
        const struct effect *effect = &decision->effects[i];
        if (effect->type == EFFECT_PUT && (effect->place == PLACE_OPEN || effect->place == PLACE_HEAD))
            read_record(order, effect, arena);
    }
}

// ---- judging

bool seen_refused(const struct seen_order *order)
{
    return order->status == ORDER_STATUS_out_of_stock || order->status == ORDER_STATUS_payment_failed ||
           order->status == ORDER_STATUS_reservation_expired || order->status == ORDER_STATUS_cancelled ||
           order->status == ORDER_STATUS_rejected;
}

bool seen_rests(const struct seen_order *order)
{
    bool paid = order->status == ORDER_STATUS_confirmed || order->status == ORDER_STATUS_shipped ||
                order->status == ORDER_STATUS_delivered;
    bool shopper = order->status == ORDER_STATUS_payment_action_required && !order->ends;
    return paid || shopper || (seen_refused(order) && !order->open);
}

enum status seen_answer(const struct seen_order *order)
{
    if (!seen_refused(order))
        return STATUS_ok;
    if (order->status == ORDER_STATUS_out_of_stock)
        return STATUS_insufficient_stock;
    if (order->status == ORDER_STATUS_payment_failed)
        return STATUS_payment_declined;
    if (order->status == ORDER_STATUS_reservation_expired)
        return STATUS_reservation_expired;
    if (order->status == ORDER_STATUS_cancelled)
        return STATUS_cancelled;
    if (strcmp(order->reason, "cart_claimed") == 0)
        return STATUS_cart_claimed;
    return strcmp(order->reason, "price_changed") == 0 ? STATUS_price_changed : STATUS_rejected;
}

struct seen_weight seen_weigh(struct seen_order *orders, const struct world *world, struct actor_id actor)
{
    struct seen_weight weight = {0};
    uint16_t number = (uint16_t)(world->lanes.first[actor.kind] + actor.index);
    for (const struct seen_order *it = orders; it; it = it->hh.next) {
        bool early =
            it->step == ORDER_STEP_claiming || it->step == ORDER_STEP_pricing || it->step == ORDER_STEP_holding;
        if (!it->open || world_owner(world, KIND_ORDER, bytes_text(it->id)) != number)
            continue;
        weight.lines += it->asks ? it->lines : 0;
        weight.waiting += !it->asks;
        weight.to_wait += it->asks && early && !it->ends;
    }
    return weight;
}
