// SPDX-License-Identifier: Apache-2.0
// Stock: one entity for each SKU. The head has the counters (a ceiling of holds.h); each hold is a child, named by its
// owner: "c" + reservation_id for a client's, "o" + order id for an order's. A client's hold dies by its deadline; an
// order's is ended by its order only.
// The version counts what people said about the SKU (receive, adjust), not what was sold since: so expected_version
// finds two people, and a busy SKU can still be adjusted.
#include "actors/kinds/holds.h"

#include "codec/check.h"
#include "codec/planted.h"

// clang-format off
#define STOCK_FACTS                                                                                                    \
    SHAPE(below_reserved_facts)                                                                                        \
        INT(reserved, REQUIRED, 0, COUNT_MAX)                                                                          \
        INT_AS(short_, short, REQUIRED, 0, COUNT_MAX)                                                                  \
    END(below_reserved_facts)
// clang-format on
#include "codec/shape_struct.h"
STOCK_FACTS
#include "codec/shape_done.h"
#include "codec/shape_table.h"
STOCK_FACTS
#include "codec/shape_done.h"

// ---- records

static bool stock_load(const struct given *given, struct stock *stock)
{
    *stock = (struct stock){0};
    if (!given->head.at)
        return false;
    CHECK(record_decode(stock_shape(), given->head, stock, given->arena), "%.*s", BYTES_FORMAT(given->key));
    return true;
}

static struct ceiling ceiling_of(const struct stock *stock)
{
    return (struct ceiling){stock->on_hand,  stock->reserved,  stock->received, stock->restocked,
                            stock->adjusted, stock->committed, stock->short_,   stock->stop_sale};
}

static int64_t available_of(const struct stock *stock)
{
    struct ceiling ceiling = ceiling_of(stock);
    return ceiling_available(&ceiling);
}

static void stock_put(const struct given *given, struct effects *effects, struct stock *stock,
                      const struct ceiling *ceiling)
{
    CHECK(ceiling_sound(ceiling), "%.*s: on_hand %lld reserved %lld short %lld", BYTES_FORMAT(given->key),
          (long long)ceiling->on_hand, (long long)ceiling->reserved, (long long)ceiling->short_);
    CHECK(stock->committed_orders >= 0 && stock->committed_orders <= ceiling->committed, "%.*s: %lld of %lld",
          BYTES_FORMAT(given->key), (long long)stock->committed_orders, (long long)ceiling->committed);
    stock->on_hand = ceiling->on_hand;
    stock->reserved = ceiling->reserved;
    stock->received = ceiling->received;
    stock->restocked = ceiling->restocked;
    stock->adjusted = ceiling->adjusted;
    stock->committed = ceiling->committed;
    stock->short_ = ceiling->short_;
    stock->stop_sale = ceiling->stopped;
    effects_put(effects, PLACE_HEAD, (struct bytes){0}, stock_shape(), stock, 0);
}

static void stock_changed(struct effects *effects, const struct stock *stock)
{
    struct stock_event event = {.on_hand = stock->on_hand, .available = available_of(stock)};
    effects_event(effects, EVENT_stock_changed, &event);
}

static bool hold_load(const struct given *given, uint32_t index, struct hold *hold)
{
    if (!given->children[index].value.at)
        return false;
    CHECK(record_decode(hold_shape(), given->children[index].value, hold, given->arena), "%.*s",
          BYTES_FORMAT(given->children[index].id));
    return true;
}

static void hold_put(const struct given *given, struct effects *effects, const struct hold *hold, int64_t forget_at)
{
    effects_put(effects, PLACE_CHILD, given->children[0].id, hold_shape(), hold, forget_at);
}

// An order speaks for itself only; no other kind holds goods.
static bool by_order(const struct given *given, struct bytes reservation_id)
{
    CHECK(given->sender != SENDER_RUNTIME, "the runtime holds nothing");
    if (given->sender == SENDER_CLIENT)
        return false;
    CHECK(given->from.kind == KIND_ORDER && bytes_equal(given->from.key, reservation_id), "%.*s",
          BYTES_FORMAT(reservation_id));
    return true;
}

// ---- what people say about a SKU

static enum status stock_say(const struct given *given, struct effects *effects, struct stock *stock,
                             const struct ceiling *ceiling)
{
    stock->version++;
    stock_put(given, effects, stock, ceiling);
    stock_changed(effects, stock);
    struct stock_level reply = {.on_hand = stock->on_hand, .available = available_of(stock), .version = stock->version};
    effects_reply(effects, stock_level_shape(), &reply);
    return STATUS_ok;
}

static enum status stock_invalid(struct effects *effects, const char *field, const char *message)
{
    effects_refuse(effects, field, message, NULL, NULL);
    return STATUS_invalid;
}

static enum status inventory_receive(const struct given *given, struct effects *effects)
{
    const struct inventory_receive *body = given->body;
    struct stock stock;
    if (given->late)
        return STATUS_too_late;
    stock_load(given, &stock);
    struct ceiling ceiling = ceiling_of(&stock);
    if (!ceiling_fits(&ceiling, body->quantity))
        return stock_invalid(effects, "quantity", "this SKU cannot count that many");
    ceiling_receive(&ceiling, body->quantity);
    return stock_say(given, effects, &stock, &ceiling);
}

static enum status adjust_version_mismatch(struct effects *effects, int64_t version)
{
    effects_refuse(effects, NULL, status_sentence(STATUS_version_mismatch), version_reply_shape(),
                   &(struct version_reply){.version = version});
    return STATUS_version_mismatch;
}

static enum status adjust_below(struct effects *effects, const struct ceiling *ceiling, int64_t after)
{
    struct below_reserved_facts facts = {.reserved = ceiling->reserved, .short_ = ceiling->reserved - after};
    effects_refuse(effects, NULL, status_sentence(STATUS_below_reserved), below_reserved_facts_shape(), &facts);
    return STATUS_below_reserved;
}

// An absolute on_hand says what lies on the shelf, and what is owed (`short`) is taken from it before anything is sold:
// so it is the change `on_hand − what we thought`, and pays `short` first like every change upwards. While something
// is owed, less than the said number is on hand afterwards; the reply shows it. Setting on_hand and forgetting what
// is owed would sell the same goods twice.
// A change that does not lower on_hand is never refused for what is reserved: it makes nothing worse.
static enum status inventory_adjust(const struct given *given, struct effects *effects)
{
    const struct inventory_adjust *body = given->body;
    const char *field = body->has_on_hand ? "on_hand" : "delta";
    struct stock stock;
    if (given->late)
        return STATUS_too_late;
    if (body->has_delta == body->has_on_hand)
        return stock_invalid(effects, "delta", "give exactly one of `delta` and `on_hand`");
    bool known = stock_load(given, &stock);
    struct ceiling ceiling = ceiling_of(&stock);
    int64_t change = body->has_delta ? body->delta : body->on_hand - ceiling.on_hand;
    int64_t after = ceiling_after(&ceiling, change);
    if (!known && change < 0)
        return STATUS_not_found;
    if (body->has_expected_version && body->expected_version != stock.version)
        return adjust_version_mismatch(effects, stock.version);
    if (after < 0)
        return stock_invalid(effects, field, "on hand would fall below 0 or pass what a SKU can count");
    if (change < 0 && after < ceiling.reserved && !body->stop_sale)
        return adjust_below(effects, &ceiling, after);
    ceiling_adjust(&ceiling, change);
    return stock_say(given, effects, &stock, &ceiling);
}

// ---- reserve

static enum status reserve_reply(struct effects *effects, const struct hold *hold)
{
    struct reserve_reply reply = {.expires_at = hold->first_expires_at,
                                  .has_expires_at = hold->has_first_expires_at,
                                  .available = hold->first_available};
    effects_reply(effects, reserve_reply_shape(), &reply);
    return STATUS_ok;
}

// However the hold may have ended since: same content, same answer.
static enum status reserve_again(const struct given *given, struct effects *effects, const struct hold *hold)
{
    const struct inventory_reserve *body = given->body;
    const char *differs = NULL;
    if (body->has_ttl_ms != hold->has_ttl_ms || body->ttl_ms != hold->ttl_ms)
        differs = "ttl_ms";
    if (body->quantity != hold->quantity)
        differs = "quantity";
    if (!differs)
        return reserve_reply(effects, hold);
    effects_refuse(effects, differs, status_sentence(STATUS_reservation_exists), NULL, NULL);
    return STATUS_reservation_exists;
}

static enum status reserve_insufficient(const struct given *given, struct effects *effects, int64_t available)
{
    const struct inventory_reserve *body = given->body;
    struct shortage shortage = {.sku = given->key, .requested = body->quantity, .available = available};
    struct order_shortages facts = {.shortages = &shortage, .shortages_count = 1, .has_shortages = true};
    effects_refuse(effects, NULL, status_sentence(STATUS_insufficient_stock), order_shortages_shape(), &facts);
    return STATUS_insufficient_stock;
}

// Notes the hold's deadline; `stock` remembers the earliest.
static void hold_until(const struct given *given, struct effects *effects, struct stock *stock, const struct hold *hold)
{
    if (!stock->next_due || hold->expires_at < stock->next_due)
        stock->next_due = hold->expires_at;
    effects_due(effects, given->children[0].id, hold->expires_at);
}

static enum status inventory_reserve(const struct given *given, struct effects *effects)
{
    const struct inventory_reserve *body = given->body;
    bool order = by_order(given, body->reservation_id);
    struct stock stock;
    struct hold hold;
    if (hold_load(given, 0, &hold))
        return reserve_again(given, effects, &hold);
    if (given->late)
        return STATUS_too_late;
    if (!stock_load(given, &stock))
        return STATUS_not_found;
    struct ceiling ceiling = ceiling_of(&stock);
    if (body->quantity + PLANTED(off_by_one) > ceiling_available(&ceiling))
        return reserve_insufficient(given, effects, ceiling_available(&ceiling));

    hold = (struct hold){.quantity = body->quantity, .ttl_ms = body->ttl_ms, .has_ttl_ms = body->has_ttl_ms};
    hold_reserve(&ceiling, &hold);
    if (!order || PLANTED(clock_ends_order_hold)) {
        int64_t ttl_ms = body->has_ttl_ms ? body->ttl_ms : given->settings->reservation_ttl_ms;
        hold.expires_at = hold.first_expires_at = given->at + ttl_ms * 1000;
        hold.has_first_expires_at = !order;
        hold_until(given, effects, &stock, &hold);
    }
    stock_put(given, effects, &stock, &ceiling);
    hold_put(given, effects, &hold, 0);
    return reserve_reply(effects, &hold);
}

// ---- the end of a hold

static enum status hold_reply(struct effects *effects, enum hold_state state, int64_t available, int64_t expires_at)
{
    struct reservation_reply reply = {.state = hold_state_name(state),
                                      .available = available,
                                      .expires_at = expires_at,
                                      .has_expires_at = expires_at != 0};
    effects_reply(effects, reservation_reply_shape(), &reply);
    return STATUS_ok;
}

// A client asks about a hold of its own that is not there.
static enum status hold_missing(const struct given *given)
{
    if (given->children[1].value.at)
        return STATUS_not_owner;
    if (given->late)
        return STATUS_too_late;
    return given->head.at ? STATUS_reservation_not_found : STATUS_not_found;
}

// A client wants something of a hold that ended otherwise.
static enum status hold_ended(const struct hold *hold)
{
    switch (hold_state(hold)) {
    case HOLD_COMMITTED:
        return STATUS_reservation_committed;
    case HOLD_RELEASED:
        return STATUS_reservation_released;
    case HOLD_EXPIRED:
        return STATUS_reservation_expired;
    case HOLD_HELD:
    case HOLD_RESTOCKED:
        break;
    }
    CHECK(false, "%.*s", BYTES_FORMAT(hold->state));
    return STATUS_invalid;
}

static enum status end_by_client(const struct given *given, struct effects *effects, enum hold_state wanted)
{
    struct stock stock;
    struct hold hold;
    if (!hold_load(given, 0, &hold))
        return hold_missing(given);
    if (PLANTED(release_twice) && hold_state(&hold) == HOLD_RELEASED)
        hold.state = hold_state_name(HOLD_HELD);
    if (hold_state(&hold) == wanted)
        return hold_reply(effects, wanted, hold.ended_available, 0);
    if (hold_state(&hold) != HOLD_HELD)
        return hold_ended(&hold);
    if (given->late)
        return STATUS_too_late;
    CHECK(stock_load(given, &stock), "a hold without stock");
    struct ceiling ceiling = ceiling_of(&stock);
    hold_end(&ceiling, &hold, wanted);
    hold.ended_available = ceiling_available(&ceiling);
    hold.has_ended_available = true;
    stock_put(given, effects, &stock, &ceiling);
    hold_put(given, effects, &hold, hold_forget_at(given));
    if (wanted == HOLD_COMMITTED)
        stock_changed(effects, &stock);
    return hold_reply(effects, wanted, hold.ended_available, 0);
}

// An order asks for one end only and may ask again: a hold that is gone (or back on the shelf) was ended that way.
static enum status end_by_order(const struct given *given, struct effects *effects, enum hold_state wanted)
{
    struct stock stock;
    struct hold hold;
    bool known = stock_load(given, &stock);
    struct ceiling ceiling = ceiling_of(&stock);
    if (!hold_load(given, 0, &hold) || hold_state(&hold) == HOLD_RESTOCKED)
        return hold_reply(effects, wanted, ceiling_available(&ceiling), 0);
    CHECK(known, "a hold without stock");
    hold_end(&ceiling, &hold, wanted);
    if (wanted == HOLD_COMMITTED)
        stock.committed_orders += hold.quantity;
    stock_put(given, effects, &stock, &ceiling);
    effects_delete(effects, PLACE_CHILD, given->children[0].id);
    if (wanted == HOLD_COMMITTED)
        stock_changed(effects, &stock);
    return hold_reply(effects, wanted, ceiling_available(&ceiling), 0);
}

static enum status hold_finish(const struct given *given, struct effects *effects, enum hold_state wanted)
{
    const struct reservation_ref *body = given->body;
    return by_order(given, body->reservation_id) ? end_by_order(given, effects, wanted)
                                                 : end_by_client(given, effects, wanted);
}

static enum status inventory_commit(const struct given *given, struct effects *effects)
{
    return hold_finish(given, effects, HOLD_COMMITTED);
}

static enum status inventory_release(const struct given *given, struct effects *effects)
{
    return hold_finish(given, effects, HOLD_RELEASED);
}

static enum status inventory_extend(const struct given *given, struct effects *effects)
{
    const struct inventory_extend *body = given->body;
    struct stock stock;
    struct hold hold;
    CHECK(given->sender == SENDER_CLIENT, "an order's hold has no deadline");
    if (!hold_load(given, 0, &hold))
        return hold_missing(given);
    if (hold_state(&hold) != HOLD_HELD)
        return hold_ended(&hold);
    if (given->late)
        return STATUS_too_late;
    CHECK(stock_load(given, &stock), "a hold without stock");
    struct ceiling ceiling = ceiling_of(&stock);
    int64_t next_due = stock.next_due;
    hold.expires_at = given->at + body->ttl_ms * 1000;
    hold_until(given, effects, &stock, &hold);
    hold_put(given, effects, &hold, 0);
    if (stock.next_due != next_due)
        stock_put(given, effects, &stock, &ceiling);
    return hold_reply(effects, HOLD_HELD, ceiling_available(&ceiling), hold.expires_at);
}

// What an order had committed comes back, once: the child that stays says so.
static enum status inventory_restock(const struct given *given, struct effects *effects)
{
    const struct inventory_restock *body = given->body;
    struct stock stock;
    struct hold hold;
    CHECK(by_order(given, body->reservation_id), "clients do not restock");
    if (hold_load(given, 0, &hold)) {
        CHECK(hold_state(&hold) == HOLD_RESTOCKED, "restock of a live hold");
        return STATUS_ok;
    }
    CHECK(stock_load(given, &stock), "restock of an unknown SKU");
    struct ceiling ceiling = ceiling_of(&stock);
    ceiling_restock(&ceiling, body->quantity);
    stock_put(given, effects, &stock, &ceiling);
    hold = (struct hold){.state = hold_state_name(HOLD_RESTOCKED), .quantity = body->quantity};
    hold_put(given, effects, &hold, 0);
    stock_changed(effects, &stock);
    return STATUS_ok;
}

// The head is put even if nothing ended: its next_due may have been too low.
static enum status inventory_expire(const struct given *given, struct effects *effects)
{
    const struct inventory_expire *body = given->body;
    struct stock stock;
    CHECK(given->sender == SENDER_RUNTIME, "%d", (int)given->sender);
    CHECK(stock_load(given, &stock), "nothing can be due");
    struct ceiling ceiling = ceiling_of(&stock);
    stock.next_due = holds_expire(given, effects, &ceiling, body->until, body->need,
                                  body->has_max && !PLANTED(all_end_at_once) ? body->max : HOLDS_DUE_MAX);
    stock_put(given, effects, &stock, &ceiling);
    return STATUS_ok;
}

// ---- reading

static enum status inventory_get(const struct given *given, struct effects *effects)
{
    struct stock stock;
    if (!stock_load(given, &stock))
        return STATUS_not_found;
    struct stock_view view = {
        .on_hand = stock.on_hand,
        .reserved = stock.reserved,
        .available = available_of(&stock),
        .received = stock.received,
        .restocked = stock.restocked,
        .adjusted = stock.adjusted,
        .committed = stock.committed,
        .committed_orders = stock.committed_orders,
        .short_ = stock.short_,
        .version = stock.version,
    };
    effects_reply(effects, stock_view_shape(), &view);
    return STATUS_ok;
}

static struct bytes hold_owner(struct bytes child, struct arena *arena)
{
    struct bytes id = bytes_of(child.at + 1, child.size - 1);
    return child.at[0] == 'c' ? BYTES("client") : bytes_text(arena_format(arena, "order/%.*s", BYTES_FORMAT(id)));
}

// A page of children, of which the live ones are shown: it may be short, or empty, and still have a next one.
static enum status inventory_holds(const struct given *given, struct effects *effects)
{
    if (!given->head.at)
        return STATUS_not_found;
    struct holds_reply reply = {.holds = arena_alloc(given->arena, given->children_count * sizeof *reply.holds)};
    for (uint32_t i = 0; i < given->children_count; i++) {
        struct bytes child = given->children[i].id;
        struct hold hold;
        CHECK(hold_load(given, i, &hold), "row %u", i);
        if (hold_state(&hold) != HOLD_HELD)
            continue;
        reply.holds[reply.holds_count++] = (struct hold_view){
            .reservation_id = bytes_of(child.at + 1, child.size - 1),
            .quantity = hold.quantity,
            .owner = hold_owner(child, given->arena),
            .expires_at = hold.expires_at,
            .has_expires_at = hold.expires_at != 0,
        };
    }
    if (given->page_more) {
        reply.next = given->children[given->children_count - 1].id;
        reply.has_next = true;
    }
    effects_reply(effects, holds_reply_shape(), &reply);
    return STATUS_ok;
}

// ---- the kind

static int64_t stock_due_at(struct bytes head, struct arena *arena)
{
    struct stock stock;
    CHECK(record_decode(stock_shape(), head, &stock, arena), "%zu bytes", head.size);
    return stock.next_due;
}

static int64_t stock_due_need(const struct message_def *def, const void *body)
{
    return def->type == MESSAGE_inventory_reserve ? ((const struct inventory_reserve *)body)->quantity : 0;
}

static bool stock_due_enough(struct bytes head, int64_t need, struct arena *arena)
{
    struct stock stock;
    CHECK(record_decode(stock_shape(), head, &stock, arena), "%zu bytes", head.size);
    return available_of(&stock) >= need;
}

static const handler handlers[MESSAGE_NUMBER_MAX + 1] = {
    [MESSAGE_inventory_receive] = inventory_receive, [MESSAGE_inventory_adjust] = inventory_adjust,
    [MESSAGE_inventory_reserve] = inventory_reserve, [MESSAGE_inventory_commit] = inventory_commit,
    [MESSAGE_inventory_release] = inventory_release, [MESSAGE_inventory_extend] = inventory_extend,
    [MESSAGE_inventory_get] = inventory_get,         [MESSAGE_inventory_holds] = inventory_holds,
    [MESSAGE_inventory_restock] = inventory_restock, [MESSAGE_inventory_expire] = inventory_expire,
};

const struct kind kind_inventory = {
    .id = KIND_INVENTORY,
    .handlers = handlers,
    .due_at = stock_due_at,
    .due_need = stock_due_need,
    .due_enough = stock_due_enough,
};
