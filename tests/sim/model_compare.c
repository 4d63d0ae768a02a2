// SPDX-License-Identifier: Apache-2.0
// At rest: is what the stores hold what the model has? Every SKU, hold, cart and order, field by field.
#include "tests/sim/model.h"

#include "codec/check.h"

#include <inttypes.h>

static void differ(struct model *model, enum kind_id kind, const char *key, const char *what, int64_t is,
                   int64_t should)
{
    if (is != should)
        finding_note(model->finding, 9, kind, bytes_text(key), NULL, "stored: %s %" PRId64 "; what was decided: %" PRId64,
                     what, is, should);
}

static void compare_hold(struct model *model, const struct world *world, const struct model_stock *stock,
                         const struct model_hold *hold, struct arena *arena)
{
    struct hold is;
    bool there = world_record(world, KIND_INVENTORY, FAMILY_CHILD, bytes_text(stock->sku), bytes_text(hold->name),
                              hold_shape(), &is, arena);
    if (hold->state == MODEL_HELD || hold->state == MODEL_RESTOCKED)
        differ(model, KIND_INVENTORY, stock->sku, hold->name, there, true);
    if (!there)
        return;
    bool held = bytes_equal(is.state, BYTES("held"));
    differ(model, KIND_INVENTORY, stock->sku, arena_format(arena, "%s held", hold->name), held,
           hold->state == MODEL_HELD);
    differ(model, KIND_INVENTORY, stock->sku, arena_format(arena, "%s quantity", hold->name), is.quantity,
           hold->quantity);
    if (held)
        differ(model, KIND_INVENTORY, stock->sku, arena_format(arena, "%s expires_at", hold->name), is.expires_at,
               hold->expires_at);
}

static void compare_counters(struct model *model, const struct world *world, const struct model_stock *stock,
                             struct arena *arena)
{
    struct stock is = {0};
    bool there = world_record(world, KIND_INVENTORY, FAMILY_HEAD, bytes_text(stock->sku), BYTES(""), stock_shape(),
                              &is, arena);
    differ(model, KIND_INVENTORY, stock->sku, "known", there, stock->known);
    differ(model, KIND_INVENTORY, stock->sku, "on_hand", is.on_hand, stock->on_hand);
    differ(model, KIND_INVENTORY, stock->sku, "reserved", is.reserved, model_reserved(stock));
    differ(model, KIND_INVENTORY, stock->sku, "received", is.received, stock->received);
    differ(model, KIND_INVENTORY, stock->sku, "restocked", is.restocked, stock->restocked);
    differ(model, KIND_INVENTORY, stock->sku, "adjusted", is.adjusted, stock->adjusted);
    differ(model, KIND_INVENTORY, stock->sku, "committed", is.committed, stock->committed);
    differ(model, KIND_INVENTORY, stock->sku, "committed_orders", is.committed_orders, stock->committed_orders);
    differ(model, KIND_INVENTORY, stock->sku, "short", is.short_, stock->owed);
    differ(model, KIND_INVENTORY, stock->sku, "version", is.version, stock->version);
}

void model_compare_sku(struct model *model, const struct world *world, struct bytes sku)
{
    struct arena arena;
    arena_init(&arena);
    compare_counters(model, world, model_stock_of(model, sku), &arena);
    arena_deinit(&arena);
}

static void compare_stock(struct model *model, const struct world *world, const struct model_stock *stock,
                          struct arena *arena)
{
    compare_counters(model, world, stock, arena);
    for (const struct model_hold *hold = stock->holds; hold; hold = hold->hh.next)
        compare_hold(model, world, stock, hold, arena);
}

static void compare_cart(struct model *model, const struct world *world, const struct model_cart *cart,
                         struct arena *arena)
{
    struct cart is = {0};
    bool there =
        world_record(world, KIND_CART, FAMILY_HEAD, bytes_text(cart->id), BYTES(""), cart_shape(), &is, arena);
    uint16_t owner = world_owner(world, KIND_CART, bytes_text(cart->id));
    bool expired = !cart->claim && cart->expires_at <= world->actors[owner].core.shard->at;
    if (expired || (!there && cart->version == 0))
        return;
    differ(model, KIND_CART, cart->id, "version", is.version, cart->version);
    differ(model, KIND_CART, cart->id, "claimed", is.has_claim, cart->claim != NULL);
    differ(model, KIND_CART, cart->id, "lines", is.lines_count, cart->lines.count);
    for (uint32_t i = 0; i < is.lines_count && i < cart->lines.count; i++)
        differ(model, KIND_CART, cart->id, cart->lines.at[i].sku, is.lines[i].quantity, cart->lines.at[i].quantity);
}

static void compare_order(struct model *model, const struct world *world, const struct model_order *order,
                          struct arena *arena)
{
    struct order is;
    struct bytes id = bytes_text(order->id);
    bool open = world_record(world, KIND_ORDER, FAMILY_OPEN, id, BYTES(""), order_shape(), &is, arena);
    bool settled = world_record(world, KIND_ORDER, FAMILY_HEAD, id, BYTES(""), order_shape(), &is, arena);
    if (open)
        finding_note(model->finding, 15, KIND_ORDER, id, NULL, "at rest, but open: step %.*s, status %.*s",
                     BYTES_FORMAT(is.step), BYTES_FORMAT(is.status));
    else if (!settled)
        finding_note(model->finding, 9, KIND_ORDER, id, NULL, "the order was accepted and is not there any more");
    if (!settled)
        return;
    bool sold = bytes_equal(is.status, BYTES("confirmed")) || bytes_equal(is.status, BYTES("shipped")) ||
                bytes_equal(is.status, BYTES("delivered"));
    differ(model, KIND_ORDER, order->id, "sold", sold, order->confirmed && !order->cancel);
    model_order_rests(model, order, &is);
    differ(model, KIND_ORDER, order->id, "shipped", is.shipped, order->shipped);
    if (order->cancel && !bytes_equal(is.status, BYTES("cancelled")))
        finding_note(model->finding, 8, KIND_ORDER, id, NULL, "its cancel was acknowledged, but it rests as %.*s",
                     BYTES_FORMAT(is.status));
    struct provider_sums sums = model_sums(model, order);
    int64_t total = sold && strcmp(order->method, "cod") != 0 ? model_total(order) : 0;
    if (sums.captures > 1 || sums.captured - sums.refunded != total)
        finding_note(model->finding, 4, KIND_ORDER, id, NULL,
                     "%.*s: the provider captured %d times, %" PRId64 ", and refunded %" PRId64 "; due are %" PRId64,
                     BYTES_FORMAT(is.status), sums.captures, sums.captured, sums.refunded, total);
}

void model_compare(struct model *model, const struct world *world)
{
    struct arena arena;
    arena_init(&arena);
    for (const struct model_stock *stock = model->stocks; stock; stock = stock->hh.next)
        compare_stock(model, world, stock, &arena);
    for (const struct model_cart *cart = model->carts; cart; cart = cart->hh.next)
        compare_cart(model, world, cart, &arena);
    for (const struct model_order *order = model->orders; order; order = order->hh.next)
        compare_order(model, world, order, &arena);
    arena_deinit(&arena);
}
