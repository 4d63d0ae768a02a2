// SPDX-License-Identifier: Apache-2.0
// Stock and holds by the rules: what comes in pays what is owed, a hold ends once, a client's dies by its deadline.
#include "tests/sim/model.h"

#include "codec/check.h"

#include <inttypes.h>
#include <stdio.h>

struct model_stock *model_stock_of(struct model *model, struct bytes sku)
{
    const char *text = model_text(model, sku);
    struct model_stock *stock = NULL;
    HASH_FIND_STR(model->stocks, text, stock);
    if (stock)
        return stock;
    stock = arena_alloc(&model->arena, sizeof *stock);
    stock->sku = text;
    stock->due = INT64_MAX;
    HASH_ADD_KEYPTR(hh, model->stocks, stock->sku, strlen(stock->sku), stock);
    return stock;
}

struct model_hold *model_hold_of(const struct model_stock *stock, const char *name)
{
    struct model_hold *hold = NULL;
    HASH_FIND_STR(stock->holds, name, hold);
    return hold;
}

int64_t model_reserved(const struct model_stock *stock)
{
    int64_t sum = 0;
    for (const struct model_hold *hold = stock->holds; hold; hold = hold->hh.next)
        sum += hold->state == MODEL_HELD ? hold->quantity : 0;
    return sum;
}

static int64_t available(const struct model_stock *stock)
{
    int64_t left = stock->on_hand - model_reserved(stock);
    return left > 0 ? left : 0;
}

static void move(struct model_stock *stock, int64_t change)
{
    int64_t rest = stock->on_hand - stock->owed + change;
    stock->on_hand = rest > 0 ? rest : 0;
    stock->owed = rest < 0 ? -rest : 0;
}

static void wrong(struct model *model, const struct world_decision *decision, const char *what, int64_t is,
                  int64_t should)
{
    if (is != should)
        finding_note(model->finding, 8, KIND_INVENTORY, decision->request.key, &decision->in.sender,
                     "%s: %s is %" PRId64 ", should be %" PRId64, decision->def->name, what, is, should);
}

// The holder's hold; a client's that ended long ago is forgotten.
static struct model_hold *find(struct model *model, const struct world_decision *decision,
                               const struct model_stock *stock, struct bytes reservation_id, const char **name)
{
    *name = arena_format(&model->arena, "%c%.*s", decision->in.origin == LOG_CLIENT ? 'c' : 'o',
                         BYTES_FORMAT(reservation_id));
    struct model_hold *hold = model_hold_of(stock, *name);
    return hold && hold->forget_at && hold->forget_at <= decision->at ? NULL : hold;
}

// ---- people

static void level(struct model *model, const struct world_decision *decision, const struct model_stock *stock)
{
    struct stock_level reply;
    if (!model_reply(model, decision, &reply))
        return;
    wrong(model, decision, "on_hand", reply.on_hand, stock->on_hand);
    wrong(model, decision, "available", reply.available, available(stock));
    wrong(model, decision, "version", reply.version, stock->version);
}

static void receive(struct model *model, const struct world_decision *decision, struct model_stock *stock,
                    const struct inventory_receive *body)
{
    if (model_late(decision))
        return model_expect(model, decision, STATUS_too_late);
    model_expect(model, decision, STATUS_ok);
    stock->known = true;
    stock->received += body->quantity;
    move(stock, body->quantity);
    stock->version++;
    level(model, decision, stock);
}

static enum status adjust_status(const struct world_decision *decision, const struct model_stock *stock,
                                 const struct inventory_adjust *body, int64_t change)
{
    int64_t paid = change > stock->owed ? stock->owed : change;
    int64_t after = stock->on_hand + change - (change > 0 ? paid : 0);
    if (model_late(decision))
        return STATUS_too_late;
    if (body->has_delta == body->has_on_hand)
        return STATUS_invalid;
    if (!stock->known && change < 0)
        return STATUS_not_found;
    if (body->has_expected_version && body->expected_version != stock->version)
        return STATUS_version_mismatch;
    if (after < 0)
        return STATUS_invalid;
    return change < 0 && after < model_reserved(stock) && !body->stop_sale ? STATUS_below_reserved : STATUS_ok;
}

static void adjust(struct model *model, const struct world_decision *decision, struct model_stock *stock,
                   const struct inventory_adjust *body)
{
    int64_t change = body->has_delta ? body->delta : body->on_hand - stock->on_hand;
    enum status status = adjust_status(decision, stock, body, change);
    model_expect(model, decision, status);
    if (status != STATUS_ok)
        return;
    stock->known = true;
    stock->adjusted += change;
    move(stock, change);
    stock->version++;
    level(model, decision, stock);
}

// ---- holds

static void reserve(struct model *model, const struct world_decision *decision, struct model_stock *stock,
                    const struct inventory_reserve *body)
{
    const char *name;
    struct reserve_reply reply = {0};
    bool client = decision->in.origin == LOG_CLIENT;
    struct model_hold *hold = find(model, decision, stock, body->reservation_id, &name);
    if (hold) {
        bool same = hold->quantity == body->quantity && hold->ttl_ms == (body->has_ttl_ms ? body->ttl_ms : 0);
        model_expect(model, decision, same ? STATUS_ok : STATUS_reservation_exists);
    } else if (model_late(decision)) {
        return model_expect(model, decision, STATUS_too_late);
    } else if (!stock->known) {
        return model_expect(model, decision, STATUS_not_found);
    } else if (body->quantity > available(stock)) {
        return model_expect(model, decision, STATUS_insufficient_stock);
    } else {
        model_expect(model, decision, STATUS_ok);
        struct model_hold *old = model_hold_of(stock, name);
        if (old)
            HASH_DELETE(hh, stock->holds, old);
        hold = arena_alloc(&model->arena, sizeof *hold);
        *hold = (struct model_hold){.name = name, .quantity = body->quantity};
        hold->ttl_ms = body->has_ttl_ms ? body->ttl_ms : 0;
        int64_t ttl_ms = body->has_ttl_ms ? body->ttl_ms : model->settings->reservation_ttl_ms;
        hold->expires_at = hold->first_expires_at = client ? decision->at + ttl_ms * 1000 : 0;
        HASH_ADD_KEYPTR(hh, stock->holds, hold->name, strlen(hold->name), hold);
        hold->first_available = available(stock);
        if (client && hold->expires_at < stock->due)
            stock->due = hold->expires_at;
    }
    if (!model_reply(model, decision, &reply))
        return;
    wrong(model, decision, "available", reply.available, hold->first_available);
    wrong(model, decision, "expires_at", reply.expires_at, hold->first_expires_at);
}

static enum status ended_status(enum model_state state)
{
    return state == MODEL_COMMITTED  ? STATUS_reservation_committed
           : state == MODEL_RELEASED ? STATUS_reservation_released
                                     : STATUS_reservation_expired;
}

static void end(struct model *model, const struct world_decision *decision, struct model_stock *stock,
                struct model_hold *hold, enum model_state state)
{
    if (hold->state != MODEL_HELD)
        finding_note(model->finding, 3, KIND_INVENTORY, decision->request.key, &decision->in.sender,
                     "the hold %s ends a second time", hold->name);
    hold->state = state;
    if (state == MODEL_COMMITTED) {
        stock->committed += hold->quantity;
        move(stock, -hold->quantity);
    }
    hold->ended_available = available(stock);
    hold->forget_at = decision->at + model->settings->remember_hours * INT64_C(3600000000);
}

static enum status missing_status(const struct world_decision *decision, struct model *model,
                                  const struct model_stock *stock, struct bytes reservation_id)
{
    const char *name = arena_format(&model->arena, "o%.*s", BYTES_FORMAT(reservation_id));
    struct model_hold *others = model_hold_of(stock, name);
    if (others && (others->state == MODEL_HELD || others->state == MODEL_RESTOCKED))
        return STATUS_not_owner;
    if (model_late(decision))
        return STATUS_too_late;
    return stock->known ? STATUS_reservation_not_found : STATUS_not_found;
}

static void end_by_client(struct model *model, const struct world_decision *decision, struct model_stock *stock,
                          struct bytes reservation_id, enum model_state wanted)
{
    const char *name;
    struct reservation_reply reply;
    struct model_hold *hold = find(model, decision, stock, reservation_id, &name);
    if (!hold)
        return model_expect(model, decision, missing_status(decision, model, stock, reservation_id));
    if (hold->state != MODEL_HELD && hold->state != wanted)
        return model_expect(model, decision, ended_status(hold->state));
    if (hold->state == MODEL_HELD) {
        if (model_late(decision))
            return model_expect(model, decision, STATUS_too_late);
        end(model, decision, stock, hold, wanted);
    }
    model_expect(model, decision, STATUS_ok);
    if (model_reply(model, decision, &reply))
        wrong(model, decision, "available", reply.available, hold->ended_available);
}

// An order's hold ends the way its order says, and only by it.
static void end_by_order(struct model *model, const struct world_decision *decision, struct model_stock *stock,
                         struct bytes reservation_id, enum model_state wanted)
{
    const char *name;
    struct model_hold *hold = find(model, decision, stock, reservation_id, &name);
    model_expect(model, decision, STATUS_ok);
    if (!hold || hold->state == MODEL_RESTOCKED || !decision->logged)
        return;
    end(model, decision, stock, hold, wanted);
    stock->committed_orders += wanted == MODEL_COMMITTED ? hold->quantity : 0;
    hold->forget_at = 0;
}

static void extend(struct model *model, const struct world_decision *decision, struct model_stock *stock,
                   const struct inventory_extend *body)
{
    const char *name;
    struct model_hold *hold = find(model, decision, stock, body->reservation_id, &name);
    if (!hold)
        return model_expect(model, decision, missing_status(decision, model, stock, body->reservation_id));
    if (hold->state != MODEL_HELD)
        return model_expect(model, decision, ended_status(hold->state));
    if (model_late(decision))
        return model_expect(model, decision, STATUS_too_late);
    model_expect(model, decision, STATUS_ok);
    hold->expires_at = decision->at + body->ttl_ms * 1000;
    if (hold->expires_at < stock->due)
        stock->due = hold->expires_at;
}

static void restock(struct model *model, const struct world_decision *decision, struct model_stock *stock,
                    const struct inventory_restock *body)
{
    const char *name;
    struct model_hold *hold = find(model, decision, stock, body->reservation_id, &name);
    if (!decision->logged)
        return;
    if (!hold || hold->state != MODEL_COMMITTED || hold->quantity != body->quantity) {
        finding_note(model->finding, 3, KIND_INVENTORY, decision->request.key, &decision->in.sender,
                     "%" PRId64 " come back that this order never bought, or for a second time", body->quantity);
        return;
    }
    hold->state = MODEL_RESTOCKED;
    stock->restocked += hold->quantity;
    move(stock, hold->quantity);
}

// ---- deadlines

// The least deadline of a client's live hold; INT64_MAX: none.
static int64_t first_due(const struct model_stock *stock)
{
    int64_t first = INT64_MAX;
    for (const struct model_hold *hold = stock->holds; hold; hold = hold->hh.next)
        if (hold->state == MODEL_HELD && hold->expires_at && hold->expires_at < first)
            first = hold->expires_at;
    return first;
}

// Which holds ended is the engine's choice among equals; that they may, and that no other was before them, is the rule.
static void expire(struct model *model, const struct world_decision *decision, struct model_stock *stock,
                   const struct inventory_expire *body)
{
    for (uint32_t i = 0; i < decision->effects_count; i++) {
        const struct effect *effect = &decision->effects[i];
        if (effect->type != EFFECT_PUT || effect->place != PLACE_CHILD)
            continue;
        struct model_hold *hold = model_hold_of(stock, model_text(model, effect->child));
        int64_t first = first_due(stock);
        if (!hold || hold->state != MODEL_HELD || !hold->expires_at || hold->expires_at > decision->at ||
            hold->expires_at > first || (body->need && available(stock) >= body->need)) {
            finding_note(model->finding, 3, KIND_INVENTORY, decision->request.key, NULL,
                         "the hold %.*s is ended by the clock, and must not be", BYTES_FORMAT(effect->child));
            return;
        }
        end(model, decision, stock, hold, MODEL_EXPIRED);
    }
    stock->due = first_due(stock);
}

static void judge_due(struct model *model, const struct world_decision *decision, struct model_stock *stock)
{
    bool fits = decision->def->type == MESSAGE_inventory_reserve && decision->status != STATUS_insufficient_stock;
    if (stock->due > decision->at || fits || decision->def->type == MESSAGE_inventory_expire)
        return;
    stock->due = first_due(stock);
    if (stock->due <= decision->at)
        finding_note(model->finding, 3, KIND_INVENTORY, decision->request.key, NULL,
                     "%s met the SKU while a hold was due and had not ended", decision->def->name);
}

static void get(struct model *model, const struct world_decision *decision, const struct model_stock *stock)
{
    struct stock_view view;
    model_expect(model, decision, stock->known ? STATUS_ok : STATUS_not_found);
    if (!model_reply(model, decision, &view))
        return;
    wrong(model, decision, "on_hand", view.on_hand, stock->on_hand);
    wrong(model, decision, "reserved", view.reserved, model_reserved(stock));
    wrong(model, decision, "available", view.available, available(stock));
    wrong(model, decision, "committed", view.committed, stock->committed);
    wrong(model, decision, "short", view.short_, stock->owed);
    wrong(model, decision, "version", view.version, stock->version);
}

static void end_hold(struct model *model, const struct world_decision *decision, struct model_stock *stock,
                     const struct reservation_ref *body, enum model_state state)
{
    if (decision->in.origin == LOG_CLIENT)
        end_by_client(model, decision, stock, body->reservation_id, state);
    else
        end_by_order(model, decision, stock, body->reservation_id, state);
}

// Readers are told each on_hand, and what was available with it.
static void judge_told(struct model *model, const struct world_decision *decision, const struct model_stock *stock,
                       int64_t before)
{
    struct stock_event event;
    struct refusal refusal;
    bool told = false;
    for (uint32_t i = 0; i < decision->effects_count && decision->status == STATUS_ok; i++) {
        if (decision->effects[i].type != EFFECT_EVENT)
            continue;
        CHECK(body_decode(stock_event_shape(), decision->effects[i].value, &event, &model->arena, &refusal));
        told = true;
        wrong(model, decision, "on_hand, as readers are told,", event.on_hand, stock->on_hand);
        wrong(model, decision, "available, as readers are told,", event.available, available(stock));
    }
    if (!told && stock->on_hand != before)
        finding_note(model->finding, 14, KIND_INVENTORY, decision->request.key, &decision->in.sender,
                     "%s changed on_hand, and readers are not told", decision->def->name);
}

void model_stock_decided(struct model *model, const struct world_decision *decision, const void *body)
{
    struct model_stock *stock = model_stock_of(model, decision->request.key);
    int64_t before = stock->on_hand;
    judge_due(model, decision, stock);
    if (decision->def->type == MESSAGE_inventory_receive)
        receive(model, decision, stock, body);
    else if (decision->def->type == MESSAGE_inventory_adjust)
        adjust(model, decision, stock, body);
    else if (decision->def->type == MESSAGE_inventory_reserve)
        reserve(model, decision, stock, body);
    else if (decision->def->type == MESSAGE_inventory_commit)
        end_hold(model, decision, stock, body, MODEL_COMMITTED);
    else if (decision->def->type == MESSAGE_inventory_release)
        end_hold(model, decision, stock, body, MODEL_RELEASED);
    else if (decision->def->type == MESSAGE_inventory_extend)
        extend(model, decision, stock, body);
    else if (decision->def->type == MESSAGE_inventory_restock)
        restock(model, decision, stock, body);
    else if (decision->def->type == MESSAGE_inventory_expire)
        expire(model, decision, stock, body);
    else if (decision->def->type == MESSAGE_inventory_get)
        get(model, decision, stock);
    judge_told(model, decision, stock, before);
}
