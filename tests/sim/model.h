// SPDX-License-Identifier: Apache-2.0
// The shop as a short sequential program, written from the protocol's rules and not from the handlers: maps of SKUs,
// carts, products and orders, changed by one message at a time. It is told every decision once it is durable, says what
// the answer must be, and compares. Orders are judged by what must be true when they say that something happened.
// One thread.
#pragma once

#include "tests/sim/finding.h"
#include "tests/sim/provider_sim.h"
#include "tests/sim/world.h"

#include <uthash.h>

enum model_state { MODEL_HELD, MODEL_COMMITTED, MODEL_RELEASED, MODEL_EXPIRED, MODEL_RESTOCKED };

struct model_hold {
    UT_hash_handle hh;
    const char *name; // "c" + reservation_id of a client, "o" + order id
    enum model_state state;
    int64_t quantity, ttl_ms, expires_at, forget_at;
    int64_t first_expires_at, first_available, ended_available; // what was answered
};

struct model_stock {
    UT_hash_handle hh;
    const char *sku;
    bool known;
    int64_t on_hand, received, restocked, adjusted, committed, committed_orders, owed, version;
    int64_t due; // no hold ends before
    struct model_hold *holds;
};

struct model_line {
    const char *sku;
    int64_t quantity;
    bool priced;
    struct money price;
};
struct model_lines {
    struct model_line *at;
    uint32_t count, capacity;
};

struct model_cart {
    UT_hash_handle hh;
    const char *id;
    struct model_lines lines, claimed;
    int64_t version, expires_at;
    const char *claim; // order id; NULL: free
};

struct model_product {
    UT_hash_handle hh;
    const char *sku;
    struct money price;
    bool active;
    int64_t version;
};

enum { MODEL_REASONS_MAX = 12, MODEL_EVENTS_MAX = 32 };

struct model_order {
    UT_hash_handle hh;
    const char *id;
    struct bytes fingerprint;
    const char *method, *cart_id;
    struct model_lines lines, items; // items: lines of one SKU summed
    bool lines_known;
    const char *status; // the last that events told: created, inventory_reserved, confirmed …
    bool cancel, confirmed, shipped, refused; // cancel: acknowledged
    struct bytes cancelled_as, shipped_as;    // what was said first
    // why it may end, and what its readers were told (model_ends.c)
    int64_t deadline_at;
    struct money expected_total, currency; // currency: of the catalog's prices
    bool has_expected_total;
    const char *reasons[MODEL_REASONS_MAX];
    uint32_t reasons_count;
    struct model_lines shortages; // quantity: what was available
    uint8_t told[MODEL_EVENTS_MAX];
    // the payment's operations
    struct bytes operation, provider_key;
    int64_t attempt;
    bool answered, resolved;
    // the sandbox's book, as it was told
    struct provider_sums sandbox;
};

// What took effect under a request id.
struct model_effect {
    UT_hash_handle hh;
    int64_t until; // remembered
    uint32_t times;
    char name[];   // kind, key, id
};

struct model {
    struct arena arena;
    struct finding *finding;
    const struct settings *settings;
    const struct provider_sim *provider; // NULL: the sandbox
    struct model_stock *stocks;
    struct model_cart *carts;
    struct model_product *products;
    struct model_order *orders;
    struct model_effect *effects;
    uint64_t judged; // messages
};

void model_init(struct model *model, const struct settings *settings, const struct provider_sim *provider,
                struct finding *finding);
void model_deinit(struct model *model);
void model_decided(struct model *model, const struct world_decision *decision);

// NULL: never heard of.
struct model_order *model_order(const struct model *model, struct bytes id);
struct provider_sums model_sums(const struct model *model, const struct model_order *order);
int64_t model_total(const struct model_order *order);
// How often this request took effect: again only after it was forgotten.
uint32_t model_took_effect(const struct model *model, enum kind_id kind, struct bytes key, struct bytes id);
// This request took effect, and is remembered at this time.
bool model_remembers(const struct model *model, enum kind_id kind, struct bytes key, struct bytes id, int64_t at);
// The order has given everything back: goods, money, cart.
void model_gave_back(struct model *model, const struct model_order *order);
// Is what is stored what the model has? One SKU's counters; or everything, at rest.
void model_compare_sku(struct model *model, const struct world *world, struct bytes sku);
void model_compare(struct model *model, const struct world *world);

// ---- for the model's own files

const char *model_text(struct model *model, struct bytes bytes);
void model_stock_decided(struct model *model, const struct world_decision *decision, const void *body);
void model_cart_decided(struct model *model, const struct world_decision *decision, const void *body);
void model_order_decided(struct model *model, const struct world_decision *decision, const void *body);
void model_payment_decided(struct model *model, const struct world_decision *decision, const void *body);
void model_sandbox_decided(struct model *model, const struct world_decision *decision, const void *body);
void model_reason(struct model_order *order, const char *name);
void model_order_placed(struct model *model, struct model_order *order, const struct world_decision *decision,
                        const struct order_place *body);
void model_order_filled(struct model *model, struct model_order *order);
void model_order_heard(struct model *model, struct model_order *order, const struct answer *answer);
void model_order_told(struct model *model, struct model_order *order, const struct effect *effect, int64_t at);
void model_order_woken(struct model *model, const struct model_order *order, const struct world_decision *decision,
                       const struct wake *wake);
void model_order_rests(struct model *model, const struct model_order *order, const struct order *is);
void model_expect(struct model *model, const struct world_decision *decision, enum status status);
bool model_late(const struct world_decision *decision);
// The decision's reply as its message's struct; false: there is none.
bool model_reply(struct model *model, const struct world_decision *decision, void *reply);
struct model_stock *model_stock_of(struct model *model, struct bytes sku);
struct model_hold *model_hold_of(const struct model_stock *stock, const char *name);
int64_t model_reserved(const struct model_stock *stock);
struct model_line *model_line_of(const struct model_lines *lines, struct bytes sku);
struct model_line *model_line_add(struct model *model, struct model_lines *lines, struct bytes sku, int64_t quantity);
