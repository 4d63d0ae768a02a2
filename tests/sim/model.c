// SPDX-License-Identifier: Apache-2.0
// What is common to all kinds: one effect per request, the catalog, dispatch.
#include "tests/sim/model.h"

#include "codec/check.h"

#include <inttypes.h>
#include <stdlib.h>

void model_init(struct model *model, const struct settings *settings, const struct provider_sim *provider,
                struct finding *finding)
{
    *model = (struct model){.settings = settings, .provider = provider, .finding = finding};
    arena_init(&model->arena);
}

void model_deinit(struct model *model)
{
    struct model_stock *stock, *next;
    HASH_ITER(hh, model->stocks, stock, next)
    HASH_CLEAR(hh, stock->holds);
    HASH_CLEAR(hh, model->stocks);
    HASH_CLEAR(hh, model->carts);
    HASH_CLEAR(hh, model->products);
    HASH_CLEAR(hh, model->orders);
    HASH_CLEAR(hh, model->effects);
    arena_deinit(&model->arena);
}

const char *model_text(struct model *model, struct bytes bytes)
{
    return (const char *)arena_format(&model->arena, "%.*s", BYTES_FORMAT(bytes));
}

// ---- lines

struct model_line *model_line_of(const struct model_lines *lines, struct bytes sku)
{
    for (uint32_t i = 0; i < lines->count; i++)
        if (bytes_equal(bytes_text(lines->at[i].sku), sku))
            return &lines->at[i];
    return NULL;
}

struct model_line *model_line_add(struct model *model, struct model_lines *lines, struct bytes sku, int64_t quantity)
{
    if (lines->count == lines->capacity) {
        lines->capacity = lines->capacity * 2 + 4;
        struct model_line *more = arena_alloc(&model->arena, lines->capacity * sizeof *more);
        if (lines->count)
            memcpy(more, lines->at, lines->count * sizeof *more);
        lines->at = more;
    }
    struct model_line *line = &lines->at[lines->count++];
    *line = (struct model_line){.sku = model_text(model, sku), .quantity = quantity};
    return line;
}

// ---- judging a decision

bool model_late(const struct world_decision *decision)
{
    return decision->request.retry_until > 0 && decision->request.retry_until <= decision->at;
}

void model_expect(struct model *model, const struct world_decision *decision, enum status status)
{
    if (decision->status != status)
        finding_note(model->finding, 8, decision->def->kind, decision->request.key, &decision->in.sender,
                     "%s was answered %s; by the protocol's rules it is %s", decision->def->name,
                     status_name(decision->status), status_name(status));
}

bool model_reply(struct model *model, const struct world_decision *decision, void *reply)
{
    struct refusal refusal;
    if (decision->status != STATUS_ok || !decision->reply.size)
        return false;
    return body_decode(decision->def->reply(), decision->reply, reply, &model->arena, &refusal);
}

// ---- one effect per request

static struct model_effect *effect_of(const struct model *model, enum kind_id kind, struct bytes key, struct bytes id,
                                      char name[static 256])
{
    struct model_effect *effect = NULL;
    snprintf(name, 256, "%s/%.*s %.*s", kind_name(kind), BYTES_FORMAT(key), BYTES_FORMAT(id));
    HASH_FIND_STR(model->effects, name, effect);
    return effect;
}

uint32_t model_took_effect(const struct model *model, enum kind_id kind, struct bytes key, struct bytes id)
{
    char name[256];
    const struct model_effect *effect = effect_of(model, kind, key, id, name);
    return effect ? effect->times : 0;
}

bool model_remembers(const struct model *model, enum kind_id kind, struct bytes key, struct bytes id, int64_t at)
{
    char name[256];
    const struct model_effect *effect = effect_of(model, kind, key, id, name);
    return effect && effect->until > at;
}

static void took_effect(struct model *model, const struct world_decision *decision)
{
    char name[256];
    struct model_effect *effect =
        effect_of(model, decision->def->kind, decision->request.key, decision->request.id, name);
    if (effect && effect->until > decision->at)
        finding_note(model->finding, 8, decision->def->kind, decision->request.key, NULL,
                     "%s took effect twice under the request id %.*s", decision->def->name,
                     BYTES_FORMAT(decision->request.id));
    if (!effect) {
        effect = arena_alloc(&model->arena, sizeof *effect + sizeof name);
        memcpy(effect->name, name, sizeof name);
        HASH_ADD_KEYPTR(hh, model->effects, effect->name, strlen(effect->name), effect);
    }
    effect->times++;
    int64_t until = decision->request.retry_until;
    effect->until = until ? until : decision->at + model->settings->remember_hours * INT64_C(3600000000);
}

// ---- the catalog

static void catalog_decided(struct model *model, const struct world_decision *decision, const void *body)
{
    const char *sku = model_text(model, decision->request.key);
    struct model_product *product = NULL;
    HASH_FIND_STR(model->products, sku, product);
    if (decision->def->type == MESSAGE_catalog_put) {
        const struct catalog_put *put = body;
        int64_t version = product ? product->version : 0;
        if (model_late(decision))
            return model_expect(model, decision, STATUS_too_late);
        if (put->has_expected_version && put->expected_version != version)
            return model_expect(model, decision, STATUS_version_mismatch);
        model_expect(model, decision, STATUS_ok);
        if (!product) {
            product = arena_alloc(&model->arena, sizeof *product);
            product->sku = sku;
            HASH_ADD_KEYPTR(hh, model->products, product->sku, strlen(product->sku), product);
        }
        product->version++;
        product->price = put->price;
        product->active = !put->has_active || put->active;
        return;
    }
    model_expect(model, decision, product ? STATUS_ok : STATUS_not_found);
    struct catalog_price_reply reply;
    if (decision->def->type != MESSAGE_catalog_price || !product || !model_reply(model, decision, &reply))
        return;
    if (reply.price.amount != product->price.amount || reply.active != product->active)
        finding_note(model->finding, 8, KIND_CATALOG, decision->request.key, &decision->in.sender,
                     "the price answered is %" PRId64 ", put was %" PRId64, reply.price.amount, product->price.amount);
}

// ---- dispatch

void model_decided(struct model *model, const struct world_decision *decision)
{
    static uint64_t body[256];
    const struct shape *shape = decision->def->body();
    struct refusal refusal;
    CHECK(shape->size <= sizeof body, "%s", decision->def->name);
    CHECK(body_decode(shape, decision->request.body, body, &model->arena, &refusal), "%s", refusal.message);
    model->judged++;
    if (decision->in.origin == LOG_CLIENT && decision->def->once == ONCE_BY_REQUEST && decision->status == STATUS_ok)
        took_effect(model, decision);
    switch (decision->actor.kind) {
    case KIND_CATALOG:
        catalog_decided(model, decision, body);
        return;
    case KIND_INVENTORY:
        model_stock_decided(model, decision, body);
        return;
    case KIND_CART:
        model_cart_decided(model, decision, body);
        return;
    case KIND_ORDER:
        model_order_decided(model, decision, body);
        return;
    case KIND_PAYMENT:
        model_payment_decided(model, decision, body);
        return;
    case KIND_SANDBOX:
        model_sandbox_decided(model, decision, body);
        return;
    case KIND_COUNT:
        break;
    }
}
