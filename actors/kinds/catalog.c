// SPDX-License-Identifier: Apache-2.0
// The catalog: one record for each SKU, put and read whole. Orders ask for the price and keep what they are told, so
// a later put changes no order.
#include "actors/kinds/kind.h"

#include "codec/check.h"

static bool product_load(const struct given *given, struct product *product)
{
    *product = (struct product){0};
    if (!given->head.at)
        return false;
    CHECK(record_decode(product_shape(), given->head, product, given->arena), "%.*s", BYTES_FORMAT(given->key));
    return true;
}

static enum status put_mismatch(struct effects *effects, int64_t version)
{
    effects_refuse(effects, NULL, status_sentence(STATUS_version_mismatch), version_reply_shape(),
                   &(struct version_reply){.version = version});
    return STATUS_version_mismatch;
}

static enum status catalog_put(const struct given *given, struct effects *effects)
{
    const struct catalog_put *body = given->body;
    struct product product;
    if (given->late)
        return STATUS_too_late;
    product_load(given, &product);
    int64_t version = product.version;
    if (body->has_expected_version && body->expected_version != version)
        return put_mismatch(effects, version);

    product = (struct product){
        .title = body->title,
        .price = body->price,
        .description = body->description,
        .has_description = body->has_description,
        .category = body->category,
        .has_category = body->has_category,
        .brand = body->brand,
        .has_brand = body->has_brand,
        .attributes = body->attributes,
        .attributes_count = body->attributes_count,
        .has_attributes = body->has_attributes,
        .seller = body->seller,
        .has_seller = body->has_seller,
        .active = body->has_active ? body->active : true,
        .version = version + 1,
        .updated_at = given->at,
    };
    effects_put(effects, PLACE_HEAD, (struct bytes){0}, product_shape(), &product, 0);
    struct product_event event = {.version = product.version, .active = product.active};
    effects_event(effects, EVENT_product_changed, &event);
    effects_reply(effects, version_reply_shape(), &(struct version_reply){.version = product.version});
    return STATUS_ok;
}

static enum status catalog_get(const struct given *given, struct effects *effects)
{
    struct product product;
    if (!product_load(given, &product))
        return STATUS_not_found;
    struct product_view view = {
        .title = product.title,
        .price = product.price,
        .description = product.description,
        .has_description = product.has_description,
        .category = product.category,
        .has_category = product.has_category,
        .brand = product.brand,
        .has_brand = product.has_brand,
        .attributes = product.attributes,
        .attributes_count = product.attributes_count,
        .has_attributes = product.has_attributes,
        .seller = product.seller,
        .has_seller = product.has_seller,
        .active = product.active,
        .version = product.version,
        .updated_at = product.updated_at,
    };
    effects_reply(effects, product_view_shape(), &view);
    return STATUS_ok;
}

static enum status catalog_price(const struct given *given, struct effects *effects)
{
    struct product product;
    if (!product_load(given, &product))
        return STATUS_not_found;
    struct catalog_price_reply reply = {.price = product.price, .active = product.active};
    effects_reply(effects, catalog_price_reply_shape(), &reply);
    return STATUS_ok;
}

static const handler handlers[MESSAGE_NUMBER_MAX + 1] = {
    [MESSAGE_catalog_put] = catalog_put,
    [MESSAGE_catalog_get] = catalog_get,
    [MESSAGE_catalog_price] = catalog_price,
};

const struct kind kind_catalog = {.id = KIND_CATALOG, .handlers = handlers};
