// SPDX-License-Identifier: Apache-2.0
// Carts by the rules: lines, a version, one claim whose snapshot is repeated, and what was bought goes.
#include "tests/sim/model.h"

#include <inttypes.h>

static struct model_cart *cart_of(struct model *model, struct bytes id, int64_t at)
{
    const char *text = model_text(model, id);
    struct model_cart *cart = NULL;
    HASH_FIND_STR(model->carts, text, cart);
    if (!cart) {
        cart = arena_alloc(&model->arena, sizeof *cart);
        cart->id = text;
        HASH_ADD_KEYPTR(hh, model->carts, cart->id, strlen(cart->id), cart);
    }
    if (!cart->claim && cart->expires_at <= at) {
        cart->lines.count = 0;
        cart->version = 0;
    }
    return cart;
}

static void touched(struct model *model, const struct world_decision *decision, struct model_cart *cart)
{
    cart->expires_at = decision->at + model->settings->cart_ttl_days * INT64_C(86400000000);
}

static void line_drop(struct model_lines *lines, struct model_line *line)
{
    uint32_t index = (uint32_t)(line - lines->at);
    memmove(line, line + 1, (lines->count - index - 1) * sizeof *line);
    lines->count--;
}

static void wrong(struct model *model, const struct world_decision *decision, const char *what)
{
    finding_note(model->finding, 8, KIND_CART, decision->request.key, &decision->in.sender, "%s: %s", decision->def->name,
                 what);
}

static void view(struct model *model, const struct world_decision *decision, const struct model_cart *cart)
{
    struct cart_view reply;
    if (!model_reply(model, decision, &reply))
        return;
    if (reply.version != cart->version)
        wrong(model, decision, "the version is not the number of changes");
    bool same = reply.lines_count == cart->lines.count;
    for (uint32_t i = 0; same && i < reply.lines_count; i++)
        same = bytes_equal(reply.lines[i].sku, bytes_text(cart->lines.at[i].sku)) &&
               reply.lines[i].quantity == cart->lines.at[i].quantity;
    if (!same)
        wrong(model, decision, "the lines are not what was put into the cart");
}

// ---- changes

static enum status change_status(struct model *model, const struct world_decision *decision,
                                 const struct model_cart *cart, const struct model_line *line, bool has_expected,
                                 int64_t expected)
{
    if (model_late(decision))
        return STATUS_too_late;
    if (has_expected && expected != cart->version)
        return STATUS_version_mismatch;
    return !line && cart->lines.count >= model->settings->cart_lines_max ? STATUS_cart_full : STATUS_ok;
}

static void change(struct model *model, const struct world_decision *decision, struct model_cart *cart,
                   struct bytes sku, int64_t quantity, bool adds, bool priced, struct money price,
                   bool has_expected, int64_t expected)
{
    struct model_line *line = model_line_of(&cart->lines, sku);
    enum status status = change_status(model, decision, cart, line, has_expected, expected);
    bool nothing = !line && quantity == 0;
    if (nothing && status == STATUS_cart_full)
        status = STATUS_ok;
    model_expect(model, decision, status);
    if (status != STATUS_ok)
        return;
    if (!nothing) {
        cart->version++;
        if (quantity == 0) {
            line_drop(&cart->lines, line);
        } else {
            if (!line)
                line = model_line_add(model, &cart->lines, sku, 0);
            line->quantity = adds ? line->quantity + quantity : quantity;
            line->price = priced ? price : line->price;
            line->priced |= priced;
        }
        touched(model, decision, cart);
    }
    view(model, decision, cart);
}

static void clear(struct model *model, const struct world_decision *decision, struct model_cart *cart)
{
    model_expect(model, decision, model_late(decision) ? STATUS_too_late : STATUS_ok);
    if (model_late(decision))
        return;
    if (cart->lines.count) {
        cart->lines.count = 0;
        cart->version++;
        touched(model, decision, cart);
    }
    view(model, decision, cart);
}

// ---- claims

static void lines_copy(struct model *model, struct model_lines *to, const struct model_lines *from)
{
    *to = (struct model_lines){0};
    for (uint32_t i = 0; i < from->count; i++) {
        struct model_line *line = model_line_add(model, to, bytes_text(from->at[i].sku), from->at[i].quantity);
        line->priced = from->at[i].priced;
        line->price = from->at[i].price;
    }
}

static void order_gets(struct model *model, struct model_order *order, const struct model_lines *lines)
{
    if (order->lines_known)
        return;
    lines_copy(model, &order->lines, lines);
    order->lines_known = true;
    for (uint32_t i = 0; i < lines->count; i++) { // a cart holds one line of a SKU
        struct model_line *item =
            model_line_add(model, &order->items, bytes_text(lines->at[i].sku), lines->at[i].quantity);
        item->priced = lines->at[i].priced;
        item->price = lines->at[i].price;
    }
    model_order_filled(model, order);
}

static void claim(struct model *model, const struct world_decision *decision, struct model_cart *cart,
                  struct bytes order_id)
{
    bool own = cart->claim && bytes_equal(bytes_text(cart->claim), order_id);
    struct model_order *order = model_order(model, order_id);
    if (cart->claim && !own)
        return model_expect(model, decision, STATUS_cart_claimed);
    model_expect(model, decision, STATUS_ok);
    if (!own && cart->lines.count) {
        cart->claim = model_text(model, order_id);
        lines_copy(model, &cart->claimed, &cart->lines);
        touched(model, decision, cart);
    }
    struct cart_snapshot reply;
    if (!order || !model_reply(model, decision, &reply))
        return;
    bool same = reply.lines_count == (cart->claim ? cart->claimed.count : 0);
    for (uint32_t i = 0; same && i < reply.lines_count; i++)
        same = bytes_equal(reply.lines[i].sku, bytes_text(cart->claimed.at[i].sku)) &&
               reply.lines[i].quantity == cart->claimed.at[i].quantity;
    if (!same)
        wrong(model, decision, "the order gets other lines than the cart had when it was claimed");
    if (cart->claim)
        order_gets(model, order, &cart->claimed);
}

static void unclaim(struct model *model, const struct world_decision *decision, struct model_cart *cart,
                    struct bytes order_id, bool bought)
{
    model_expect(model, decision, STATUS_ok);
    if (!cart->claim || !bytes_equal(bytes_text(cart->claim), order_id))
        return;
    cart->claim = NULL;
    touched(model, decision, cart);
    if (!bought)
        return;
    for (uint32_t i = 0; i < cart->claimed.count; i++) {
        struct model_line *line = model_line_of(&cart->lines, bytes_text(cart->claimed.at[i].sku));
        if (!line)
            continue;
        line->quantity -= cart->claimed.at[i].quantity;
        if (line->quantity <= 0)
            line_drop(&cart->lines, line);
    }
    cart->version++;
}

void model_cart_decided(struct model *model, const struct world_decision *decision, const void *body)
{
    struct model_cart *cart = cart_of(model, decision->request.key, decision->at);
    const struct cart_add *add = body;
    const struct cart_change *set = body;
    const struct cart_remove *drop = body;
    const struct cart_claim *order = body;
    const struct money none = {0};
    if (decision->def->type == MESSAGE_cart_add)
        change(model, decision, cart, add->sku, add->quantity, true, add->has_price, add->price,
               add->has_expected_version, add->expected_version);
    else if (decision->def->type == MESSAGE_cart_set)
        change(model, decision, cart, set->sku, set->quantity, false, set->has_price, set->price,
               set->has_expected_version, set->expected_version);
    else if (decision->def->type == MESSAGE_cart_remove)
        change(model, decision, cart, drop->sku, 0, false, false, none, false, 0);
    else if (decision->def->type == MESSAGE_cart_clear)
        clear(model, decision, cart);
    else if (decision->def->type == MESSAGE_cart_get)
        view(model, decision, cart);
    else if (decision->def->type == MESSAGE_cart_claim)
        claim(model, decision, cart, order->order_id);
    else if (decision->def->type == MESSAGE_cart_unclaim)
        unclaim(model, decision, cart, order->order_id, false);
    else if (decision->def->type == MESSAGE_cart_settle)
        unclaim(model, decision, cart, order->order_id, true);
}
