// SPDX-License-Identifier: Apache-2.0
// A cart: one record, because it is at most lines_max lines and read whole. It holds no goods (holds begin at checkout)
// and dies ttl_days after its last change, unless an order has claimed it.
//
//     open ──claim──▶ claimed by one order ──┬─ unclaim ──▶ open     the order failed
//                                            └─ settle ───▶ open     what the order got is subtracted
//
// A claimed cart may be changed: the order keeps the snapshot of the claim, the cart what the shopper does next.
// The version counts changes of the lines; absent, expired and never heard of are all empty at version 0.
#include "actors/kinds/kind.h"

#include "codec/check.h"
#include "codec/planted.h"

// clang-format off
#define CART_FACTS                                                                                                     \
    SHAPE(cart_full_facts)                                                                                                        \
        INT(lines_max, REQUIRED, 1, COUNT_MAX)                                                                         \
    END(cart_full_facts)
// clang-format on
#include "codec/shape_struct.h"
CART_FACTS
#include "codec/shape_done.h"
#include "codec/shape_table.h"
CART_FACTS
#include "codec/shape_done.h"

// ---- the record

// With room for one more line. false: nothing there, the cart is empty at version 0.
static bool cart_load(const struct given *given, struct cart *cart)
{
    *cart = (struct cart){0};
    bool known = given->head.at != NULL;
    if (known)
        CHECK(record_decode(cart_shape(), given->head, cart, given->arena), "%.*s", BYTES_FORMAT(given->key));
    if (known && !cart->has_claim && cart->expires_at <= given->at) {
        *cart = (struct cart){0};
        known = false;
    }
    struct cart_line *lines = arena_alloc(given->arena, (cart->lines_count + 1) * sizeof *lines);
    if (cart->lines_count)
        memcpy(lines, cart->lines, cart->lines_count * sizeof *lines);
    cart->lines = lines;
    return known;
}

static struct cart_line *line_of(struct cart_line *lines, uint32_t count, struct bytes sku)
{
    for (uint32_t i = 0; i < count; i++)
        if (bytes_equal(lines[i].sku, sku))
            return &lines[i];
    return NULL;
}

static void line_remove(struct cart *cart, struct cart_line *line)
{
    size_t behind = (size_t)(cart->lines + cart->lines_count - (line + 1));
    memmove(line, line + 1, behind * sizeof *line);
    cart->lines_count--;
}

static void cart_put(const struct given *given, struct effects *effects, struct cart *cart)
{
    cart->expires_at = given->at + given->settings->cart_ttl_days * 24 * 3600 * INT64_C(1000000);
    int64_t forget_at = cart->has_claim ? 0 : cart->expires_at;
    effects_put(effects, PLACE_HEAD, (struct bytes){0}, cart_shape(), cart, forget_at);
}

// A claimed cart shows no expires_at: it has none.
static enum status cart_reply(struct effects *effects, const struct cart *cart)
{
    struct cart_view view = {.lines = cart->lines,
                             .lines_count = cart->lines_count,
                             .version = cart->version,
                             .expires_at = cart->expires_at,
                             .has_expires_at = cart->version > 0 && !cart->has_claim};
    effects_reply(effects, cart_view_shape(), &view);
    return STATUS_ok;
}

static enum status cart_changed(const struct given *given, struct effects *effects, struct cart *cart)
{
    cart->version++;
    cart_put(given, effects, cart);
    return cart_reply(effects, cart);
}

// ---- refusals

static enum status cart_mismatch(struct effects *effects, const struct cart *cart)
{
    effects_refuse(effects, NULL, status_sentence(STATUS_version_mismatch), version_reply_shape(),
                   &(struct version_reply){.version = cart->version});
    return STATUS_version_mismatch;
}

static int64_t lines_max(const struct given *given)
{
    int64_t max = given->settings->cart_lines_max;
    return max < CART_LINES_MAX ? max : CART_LINES_MAX;
}

static enum status cart_full(const struct given *given, struct effects *effects)
{
    effects_refuse(effects, NULL, status_sentence(STATUS_cart_full), cart_full_facts_shape(),
                   &(struct cart_full_facts){.lines_max = lines_max(given)});
    return STATUS_cart_full;
}

static enum status cart_too_many(const struct given *given, struct effects *effects)
{
    const char *message = arena_format(given->arena, "a line holds at most %d", QUANTITY_MAX);
    effects_refuse(effects, "quantity", message, NULL, NULL);
    return STATUS_invalid;
}

// ---- changes by the shopper

static void line_append(const struct given *given, struct cart *cart, struct bytes sku, int64_t quantity)
{
    cart->lines[cart->lines_count++] = (struct cart_line){.sku = sku, .quantity = quantity, .added_at = given->at};
}

static void line_price(struct cart_line *line, bool given, struct money price)
{
    if (given) {
        line->price = price;
        line->has_price = true;
    }
}

static enum status cart_add(const struct given *given, struct effects *effects)
{
    const struct cart_add *body = given->body;
    struct cart cart;
    if (given->late)
        return STATUS_too_late;
    cart_load(given, &cart);
    if (body->has_expected_version && body->expected_version != cart.version)
        return cart_mismatch(effects, &cart);
    struct cart_line *line = line_of(cart.lines, cart.lines_count, body->sku);
    if (line && line->quantity + body->quantity > QUANTITY_MAX)
        return cart_too_many(given, effects);
    if (!line && cart.lines_count >= lines_max(given))
        return cart_full(given, effects);
    if (line)
        line->quantity += body->quantity;
    else
        line_append(given, &cart, body->sku, body->quantity);
    line_price(line ? line : &cart.lines[cart.lines_count - 1], body->has_price, body->price);
    return cart_changed(given, effects, &cart);
}

static enum status cart_set(const struct given *given, struct effects *effects)
{
    const struct cart_change *body = given->body;
    struct cart cart;
    if (given->late)
        return STATUS_too_late;
    cart_load(given, &cart);
    if (body->has_expected_version && body->expected_version != cart.version)
        return cart_mismatch(effects, &cart);
    struct cart_line *line = line_of(cart.lines, cart.lines_count, body->sku);
    if (!line && body->quantity == 0)
        return cart_reply(effects, &cart);
    if (!line && cart.lines_count >= lines_max(given))
        return cart_full(given, effects);
    if (body->quantity == 0) {
        line_remove(&cart, line);
        return cart_changed(given, effects, &cart);
    }
    if (line)
        line->quantity = body->quantity;
    else
        line_append(given, &cart, body->sku, body->quantity);
    line_price(line ? line : &cart.lines[cart.lines_count - 1], body->has_price, body->price);
    return cart_changed(given, effects, &cart);
}

static enum status cart_remove(const struct given *given, struct effects *effects)
{
    const struct cart_remove *body = given->body;
    struct cart cart;
    if (given->late)
        return STATUS_too_late;
    cart_load(given, &cart);
    struct cart_line *line = line_of(cart.lines, cart.lines_count, body->sku);
    if (!line)
        return cart_reply(effects, &cart);
    line_remove(&cart, line);
    return cart_changed(given, effects, &cart);
}

static enum status cart_clear(const struct given *given, struct effects *effects)
{
    struct cart cart;
    if (given->late)
        return STATUS_too_late;
    cart_load(given, &cart);
    if (!cart.lines_count)
        return cart_reply(effects, &cart);
    cart.lines_count = 0;
    return cart_changed(given, effects, &cart);
}

static enum status cart_get(const struct given *given, struct effects *effects)
{
    struct cart cart;
    cart_load(given, &cart);
    return cart_reply(effects, &cart);
}

// ---- what an order asks

static struct bytes asking_order(const struct given *given)
{
    const struct cart_claim *body = given->body;
    CHECK(given->sender == SENDER_PEER && given->from.kind == KIND_ORDER &&
              bytes_equal(given->from.key, body->order_id),
          "%.*s", BYTES_FORMAT(body->order_id));
    return body->order_id;
}

static bool claimed_by(const struct cart *cart, struct bytes order_id)
{
    return cart->has_claim && bytes_equal(cart->claim.order_id, order_id);
}

static enum status claim_reply(struct effects *effects, const struct claim *claim)
{
    struct cart_snapshot snapshot = {
        .lines = claim->lines, .lines_count = claim->lines_count, .version = claim->version};
    effects_reply(effects, cart_snapshot_shape(), &snapshot);
    return STATUS_ok;
}

// An empty cart is answered and not claimed: there is nothing to keep for anybody.
static enum status cart_claim(const struct given *given, struct effects *effects)
{
    struct bytes order_id = asking_order(given);
    struct cart cart;
    cart_load(given, &cart);
    if (PLANTED(claim_changes) && claimed_by(&cart, order_id))
        cart.has_claim = false;
    if (claimed_by(&cart, order_id))
        return claim_reply(effects, &cart.claim);
    if (cart.has_claim) {
        effects_refuse(effects, NULL, status_sentence(STATUS_cart_claimed), cart_claim_shape(),
                       &(struct cart_claim){.order_id = cart.claim.order_id});
        return STATUS_cart_claimed;
    }
    struct claim claim = {
        .order_id = order_id, .lines = cart.lines, .lines_count = cart.lines_count, .version = cart.version};
    if (!cart.lines_count)
        return claim_reply(effects, &claim);
    cart.claim = claim;
    cart.has_claim = true;
    cart_put(given, effects, &cart);
    return claim_reply(effects, &claim);
}

static enum status cart_unclaim(const struct given *given, struct effects *effects)
{
    struct bytes order_id = asking_order(given);
    struct cart cart;
    cart_load(given, &cart);
    if (!claimed_by(&cart, order_id))
        return STATUS_ok;
    cart.has_claim = false;
    cart_put(given, effects, &cart);
    return STATUS_ok;
}

// What was bought leaves the cart; what the shopper added meanwhile stays.
static enum status cart_settle(const struct given *given, struct effects *effects)
{
    struct bytes order_id = asking_order(given);
    struct cart cart;
    cart_load(given, &cart);
    if (!claimed_by(&cart, order_id))
        return STATUS_ok;
    for (uint32_t i = 0; i < cart.claim.lines_count; i++) {
        const struct cart_line *bought = &cart.claim.lines[i];
        struct cart_line *line = line_of(cart.lines, cart.lines_count, bought->sku);
        if (!line)
            continue;
        if (line->quantity > bought->quantity)
            line->quantity -= bought->quantity;
        else
            line_remove(&cart, line);
    }
    if (PLANTED(cart_cleared))
        cart.lines_count = 0;
    cart.has_claim = false;
    cart.version++;
    cart_put(given, effects, &cart);
    return STATUS_ok;
}

static const handler handlers[MESSAGE_NUMBER_MAX + 1] = {
    [MESSAGE_cart_add] = cart_add,         [MESSAGE_cart_set] = cart_set,       [MESSAGE_cart_remove] = cart_remove,
    [MESSAGE_cart_clear] = cart_clear,     [MESSAGE_cart_get] = cart_get,       [MESSAGE_cart_claim] = cart_claim,
    [MESSAGE_cart_unclaim] = cart_unclaim, [MESSAGE_cart_settle] = cart_settle,
};

const struct kind kind_cart = {.id = KIND_CART, .handlers = handlers};
