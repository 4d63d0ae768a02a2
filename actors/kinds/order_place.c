// SPDX-License-Identifier: Apache-2.0
// From nothing to holding: admission, refusals that are recorded, the cart's lines, the catalog's prices, the total.
// Pure; any thread.
#include "actors/kinds/order.h"
#include "actors/kinds/payment_methods.h"

// ---- a new order

// What there is too much of; NULL: nothing. An order that is under way may wait yet: it counts before it does.
static const char *too_much(const struct order_turn *turn, uint32_t items)
{
    const struct given *given = turn->given;
    const struct order_place *body = given->body;
    int64_t lines = body->has_cart_id ? given->settings->cart_lines_max : items;
    if (given->open.waiting + given->open.to_wait + PLANTED(busy_early) >= given->settings->waiting_max)
        return "as many orders wait for a provider or a shopper, or may come to, as order.waiting_max allows";
    if (given->open.lines > 0 && // one larger than the limit goes alone
        given->open.lines + lines > given->settings->lines_in_flight_max)
        return "as many lines are under way as order.lines_in_flight_max allows";
    return NULL;
}

static enum status refuse_busy(struct order_turn *turn, const char *message)
{
    effects_refuse(turn->effects, NULL, message, order_busy_shape(),
                   &(struct order_busy){.retry_after_ms = ORDER_RETRY_AFTER_MS});
    return STATUS_busy;
}

static bool content_make(struct order_turn *turn)
{
    const struct order_place *body = turn->given->body;
    turn->content = (struct order_content){
        .fingerprint = fingerprint_of(order_place_shape(), body, turn->given->arena),
        .user_id = body->user_id,
        .payment_method = body->payment_method,
        .cart_id = body->cart_id,
        .has_cart_id = body->has_cart_id,
        .address = body->address,
        .address_count = body->address_count,
        .has_address = body->has_address,
        .expected_total = body->expected_total,
        .has_expected_total = body->has_expected_total,
        .lines = body->lines,
        .lines_count = body->lines_count,
    };
    turn->content_loaded = turn->content_changed = true;
    return order_items_make(&turn->content, turn->given->arena);
}

static void record_begin(struct order_turn *turn)
{
    const struct given *given = turn->given;
    turn->record = (struct order){
        .created_at = given->at,
        .deadline_at = given->at + given->settings->order_deadline_ms * 1000,
        .asked_at = given->at,
        .payment = BYTES("none"),
    };
    order_bits_init(turn, turn->content.items_count);
    order_become(turn, ORDER_STATUS_created);
}

// Why these lines cannot be sold, as far as it is known; empty: they can.
static struct bytes lines_refusal(const struct order_content *content, bool items_fit)
{
    struct money currency, total;
    if (!order_currency(content, &currency))
        return BYTES("currency");
    if (!items_fit || !order_total(content, &total))
        return BYTES("overflow");
    return (struct bytes){0};
}

static bool expected(struct money is, struct money was)
{
    return money_same_currency(is, was) && is.amount == was.amount;
}

// Every price is known: what it costs, then hold everything at once.
static void order_hold(struct order_turn *turn)
{
    struct order *record = &turn->record;
    const struct order_content *content = order_content_of(turn);
    if (!order_total(content, &record->total)) {
        order_reject(turn, BYTES("overflow"));
        return;
    }
    record->has_total = true;
    record->amounts = arena_alloc(turn->given->arena, sizeof *record->amounts);
    record->amounts[0] = (struct amount){.name = BYTES("lines"), .amount = record->total};
    record->amounts_count = 1;
    if (content->has_expected_total && !expected(record->total, content->expected_total)) {
        order_reject(turn, BYTES("price_changed"));
        return;
    }
    for (uint32_t i = 0; i < content->items_count; i++)
        bits_set(turn->waiting, i);
    order_enter(turn, ORDER_STEP_holding);
}

static void order_price(struct order_turn *turn)
{
    struct order *record = &turn->record;
    const struct order_content *content = order_content_of(turn);
    struct money currency;
    if (!order_items_unpriced(content, turn->waiting, turn->given->arena)) {
        order_hold(turn);
        return;
    }
    CHECK(order_currency(content, &currency), "%.*s", BYTES_FORMAT(turn->given->key));
    if (currency.currency[0]) {
        record->currency = arena_copy(turn->given->arena, bytes_text(currency.currency));
        record->has_currency = true;
    }
    order_enter(turn, ORDER_STEP_pricing);
}

static void order_begin(struct order_turn *turn, bool items_fit)
{
    const struct order_content *content = &turn->content;
    struct bytes reason = payment_method_of(content->payment_method) == METHOD_UNKNOWN
                              ? BYTES("payment_method")
                              : lines_refusal(content, items_fit);
    if (reason.size) {
        order_reject(turn, reason);
    } else if (content->has_cart_id) {
        turn->record.lines_count = turn->given->settings->cart_lines_max;
        turn->record.cart_waiting = true;
        order_enter(turn, ORDER_STEP_claiming);
    } else {
        order_price(turn);
    }
}

enum status order_place_new(struct order_turn *turn)
{
    const struct given *given = turn->given;
    const struct order_place *body = given->body;
    if (given->late)
        return STATUS_too_late;
    if (body->has_lines && body->lines_count > given->settings->order_lines_max) {
        effects_refuse(turn->effects, "lines", "an order may not have so many lines", NULL, NULL);
        return STATUS_invalid;
    }
    bool items_fit = content_make(turn);
    const char *too_many = too_much(turn, turn->content.items_count);
    if (too_many)
        return refuse_busy(turn, too_many);

    record_begin(turn);
    order_begin(turn, items_fit);
    order_save(turn);
    if (turn->step == ORDER_STEP_settled) { // refused, for ever
        effects_keep(turn->effects);
        return order_answer_view(turn);
    }
    order_tell(turn, EVENT_order_created);
    effects_wait(turn->effects);
    return STATUS_ok;
}

enum status order_place_again(struct order_turn *turn)
{
    struct bytes is = fingerprint_of(order_place_shape(), turn->given->body, turn->given->arena);
    const char *field = fingerprint_difference(order_place_shape(), order_content_of(turn)->fingerprint, is);
    if (field) {
        effects_refuse(turn->effects, field, "this order id was used with other content", NULL, NULL);
        return STATUS_order_exists;
    }
    if (order_resting(turn))
        return order_answer_view(turn);
    effects_wait(turn->effects);
    return STATUS_ok;
}

enum status order_unknown(struct order_turn *turn)
{
    return turn->given->late ? STATUS_too_late : STATUS_not_found;
}

// ---- the cart's answer

static void claim_refused(struct order_turn *turn, const struct answer *answer, enum status status)
{
    struct cart_claim owner;
    struct refusal refusal = {0};
    if (status == STATUS_cart_claimed) {
        CHECK(body_decode_lenient(cart_claim_shape(), answer->body, &owner, turn->given->arena, &refusal), "%s",
              refusal.message);
        turn->record.other_order_id = owner.order_id;
        turn->record.has_other_order_id = true;
    }
    order_reject(turn, status == STATUS_cart_claimed ? BYTES("cart_claimed") : BYTES("cart_empty"));
}

static void cart_lines_take(struct order_turn *turn, const struct cart_snapshot *cart)
{
    struct order_content *content = order_content_of(turn);
    struct order_line *lines = arena_alloc(turn->given->arena, cart->lines_count * sizeof *lines + 1);
    for (uint32_t i = 0; i < cart->lines_count; i++) {
        const struct cart_line *line = &cart->lines[i];
        lines[i] = (struct order_line){
            .sku = line->sku, .quantity = line->quantity, .unit_price = line->price, .has_unit_price = line->has_price};
    }
    content->lines = lines;
    content->lines_count = cart->lines_count;
    turn->content_changed = true;
}

static void claim_granted(struct order_turn *turn, const struct answer *answer)
{
    struct cart_snapshot cart;
    struct refusal refusal = {0};
    CHECK(body_decode_lenient(cart_snapshot_shape(), answer->body, &cart, turn->given->arena, &refusal), "%s",
          refusal.message);
    turn->record.cart_held = true;
    if (cart.lines_count == 0 || cart.lines_count > turn->given->settings->order_lines_max) {
        order_reject(turn, cart.lines_count ? BYTES("overflow") : BYTES("cart_empty"));
        return;
    }
    cart_lines_take(turn, &cart);
    bool items_fit = order_items_make(&turn->content, turn->given->arena);
    order_bits_init(turn, turn->content.items_count);
    struct bytes reason = lines_refusal(&turn->content, items_fit);
    if (reason.size)
        order_reject(turn, reason);
    else
        order_price(turn);
}

enum status order_claimed(struct order_turn *turn)
{
    const struct answer *answer = turn->given->body;
    enum status status = STATUS_ok;
    CHECK(status_of_name(answer->status, &status), "%.*s", BYTES_FORMAT(answer->status));
    turn->record.cart_waiting = false;
    order_bits_init(turn, 0);
    if (turn->record.has_ending) { // cancelled or out of time meanwhile
        turn->record.cart_held = status == STATUS_ok;
        order_give_back(turn);
    } else if (status != STATUS_ok) {
        claim_refused(turn, answer, status);
    } else {
        claim_granted(turn, answer);
    }
    return order_save(turn);
}

// ---- the catalog's answers

static struct bytes price_refusal(struct order_turn *turn, const struct answer *answer, struct money *price)
{
    struct catalog_price_reply reply;
    struct refusal refusal = {0};
    struct order *record = &turn->record;
    if (!bytes_equal(answer->status, BYTES("ok")))
        return bytes_equal(answer->status, BYTES("not_found")) ? BYTES("unknown_sku") : answer->status;
    CHECK(body_decode_lenient(catalog_price_reply_shape(), answer->body, &reply, turn->given->arena, &refusal), "%s",
          refusal.message);
    if (!reply.active && !PLANTED(inactive_sold))
        return BYTES("inactive_sku");
    *price = reply.price;
    struct bytes currency = arena_copy(turn->given->arena, bytes_text(reply.price.currency));
    if (record->has_currency && !bytes_equal(record->currency, currency))
        return BYTES("currency");
    record->currency = currency;
    record->has_currency = true;
    return (struct bytes){0};
}

static void prices_complete(struct order_turn *turn)
{
    struct order *record = &turn->record;
    struct order_content *content = order_content_of(turn);
    order_prices_fill(content, record->prices, record->currency, turn->given->arena);
    turn->content_changed = true;
    record->has_prices = record->has_currency = false;
    order_hold(turn);
}

enum status order_priced(struct order_turn *turn)
{
    const struct answer *answer = turn->given->body;
    uint32_t index;
    int64_t quantity;
    if (!order_item_find(turn->given->children[0].value, answer->key, &index, &quantity) ||
        !bits_has(turn->waiting, index))
        return STATUS_ok; // answered before

    struct money price;
    struct bytes reason = price_refusal(turn, answer, &price);
    if (reason.size) {
        turn->record.bad_sku = answer->key;
        turn->record.has_bad_sku = true;
        order_reject(turn, reason);
        return order_save(turn);
    }
    order_price_note(turn, index, price);
    bits_clear(turn->waiting, index);
    if (!bits_any(turn->waiting, turn->bits_size))
        prices_complete(turn);
    return order_save(turn);
}
