// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/cast.h"

const struct said *receive(struct story *story, const char *sku, int64_t quantity)
{
    return story_say(story, "warehouse", MESSAGE_inventory_receive, sku,
                     &(struct inventory_receive){.quantity = quantity});
}

const struct said *count(struct story *story, const char *sku, int64_t on_hand, bool stop_sale)
{
    return story_say(story, "warehouse", MESSAGE_inventory_adjust, sku,
                     &(struct inventory_adjust){.on_hand = on_hand,
                                                .has_on_hand = true,
                                                .reason = BYTES("counted"),
                                                .stop_sale = stop_sale,
                                                .has_stop_sale = stop_sale});
}

const struct said *ship(struct story *story, const char *order_id)
{
    return story_say(story, "warehouse", MESSAGE_order_ship, order_id,
                     &(struct order_ship){.carrier = BYTES("Royal Post"), .has_carrier = true});
}

const struct said *deliver(struct story *story, const char *order_id)
{
    return story_say(story, "warehouse", MESSAGE_order_deliver, order_id, NULL);
}

const struct said *list(struct story *story, const char *sku, int64_t price, bool active)
{
    return story_say(
        story, "office", MESSAGE_catalog_put, sku,
        &(struct catalog_put){.title = bytes_text(sku), .price = GBP(price), .active = active, .has_active = true});
}

const struct said *resolve(struct story *story, const char *order_id, const char *outcome)
{
    return story_say(story, "office", MESSAGE_payment_resolve, order_id,
                     &(struct payment_resolve){.outcome = bytes_text(outcome), .reason = BYTES("asked by telephone")});
}

const struct said *take(struct story *story, const char *who, const char *cart_id, const char *sku, int64_t quantity,
                        int64_t price)
{
    struct cart_add body = {.sku = bytes_text(sku), .quantity = quantity, .has_price = price >= 0};
    if (price >= 0)
        body.price = GBP(price);
    return story_say(story, who, MESSAGE_cart_add, cart_id, &body);
}

const struct said *check_out(struct story *story, const char *who, const char *order_id, const char *cart_id,
                             const char *method)
{
    return story_say(story, who, MESSAGE_order_place, order_id,
                     &(struct order_place){.user_id = bytes_text(who),
                                           .payment_method = bytes_text(method),
                                           .cart_id = bytes_text(cart_id),
                                           .has_cart_id = true});
}

const struct said *buy(struct story *story, const char *who, const char *order_id, const char *sku, int64_t quantity,
                       int64_t price, const char *method)
{
    struct order_line line = {.sku = bytes_text(sku), .quantity = quantity, .has_unit_price = price >= 0};
    if (price >= 0)
        line.unit_price = GBP(price);
    return story_say(story, who, MESSAGE_order_place, order_id,
                     &(struct order_place){.user_id = bytes_text(who),
                                           .payment_method = bytes_text(method),
                                           .lines = &line,
                                           .lines_count = 1,
                                           .has_lines = true});
}

const struct said *cancel(struct story *story, const char *who, const char *order_id)
{
    return story_say(story, who, MESSAGE_order_cancel, order_id, NULL);
}

const struct said *confirm(struct story *story, const char *who, const char *order_id, const char *outcome)
{
    return story_say(story, who, MESSAGE_payment_confirm, order_id,
                     &(struct payment_confirm){.outcome = bytes_text(outcome)});
}

const struct said *hold(struct story *story, const char *who, const char *sku, const char *name, int64_t quantity,
                        int64_t ttl_ms)
{
    return story_say(
        story, who, MESSAGE_inventory_reserve, sku,
        &(struct inventory_reserve){
            .reservation_id = bytes_text(name), .quantity = quantity, .ttl_ms = ttl_ms, .has_ttl_ms = true});
}

const struct said *end_hold(struct story *story, const char *who, enum message_type type, const char *sku,
                            const char *name)
{
    return story_say(story, who, type, sku, &(struct reservation_ref){.reservation_id = bytes_text(name)});
}
