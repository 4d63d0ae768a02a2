// SPDX-License-Identifier: Apache-2.0
// An order's goods: each hold against the step the order stands at (I3, I5), its cart's claim (I5), and what it
// committed (for I2).
#include "cli/audit_case.h"

#include <inttypes.h>

enum expected { NEVER, MAYBE, MUST };

bool case_status_is(const struct order_case *it, const char *status)
{
    return bytes_equal(it->record.status, bytes_text(status));
}

bool case_step_is(const struct order_case *it, const char *step)
{
    return bytes_equal(it->record.step, bytes_text(step));
}

bool case_sold(const struct order_case *it)
{
    return case_status_is(it, "confirmed") || case_status_is(it, "shipped") || case_status_is(it, "delivered");
}

// Was it ever confirmed? Only then does an order commit, and then it commits everything.
static bool was_confirmed(const struct order_case *it)
{
    for (uint32_t i = 0; i < it->record.history_count; i++)
        if (bytes_equal(it->record.history[i].status, BYTES("confirmed")))
            return true;
    return false;
}

static bool bit(struct bytes bits, uint32_t index)
{
    return index / 8 < bits.size && (bits.at[index / 8] >> (index % 8) & 1);
}

static bool any(struct bytes bits)
{
    for (size_t i = 0; i < bits.size; i++)
        if (bits.at[i])
            return true;
    return false;
}

// ---- items

static uint32_t *item_slot(struct order_case *it, struct bytes sku)
{
    uint32_t at = (uint32_t)hash_of(sku) & (it->slots_size - 1);
    while (it->slots[at] && !bytes_equal(it->items[it->slots[at] - 1].sku, sku))
        at = (at + 1) & (it->slots_size - 1);
    return &it->slots[at];
}

void case_index_items(struct order_case *it)
{
    struct arena *arena = &it->audit->arena;
    it->items_count = it->content.items_count;
    for (it->slots_size = 8; it->slots_size < it->items_count * 2; it->slots_size *= 2)
        ;
    it->items = arena_alloc(arena, (it->items_count + 1) * sizeof *it->items);
    it->slots = arena_alloc(arena, it->slots_size * sizeof *it->slots);
    for (uint32_t i = 0; i < it->items_count; i++) {
        it->items[i] = (struct case_item){.sku = it->content.items[i].sku, .quantity = it->content.items[i].quantity};
        *item_slot(it, it->items[i].sku) = i + 1;
    }
}

// ---- the record by itself

void case_record(struct order_case *it)
{
    const struct order *record = &it->record;
    if (it->settled != case_step_is(it, "settled"))
        VIOLATION_1(it->audit, 5, KIND_ORDER, it->key, "step %.*s, but stored among the %s orders",
                    BYTES_FORMAT(record->step), it->settled ? "settled" : "open");
    if (!it->settled)
        return;
    if (any(record->held) || any(record->waiting))
        VIOLATION_1(it->audit, 5, KIND_ORDER, it->key, "settled, but it holds something or waits for an answer");
    if (record->cart_held || record->cart_waiting)
        VIOLATION_1(it->audit, 5, KIND_ORDER, it->key, "settled, but it has a claim on its cart");
    if (record->parked || case_status_is(it, "cancelling"))
        VIOLATION_1(it->audit, 5, KIND_ORDER, it->key, "settled, but %s",
                    record->parked ? "its payment is parked" : "still cancelling");
}

// ---- holds

static enum expected hold_expected(const struct order_case *it, uint32_t item)
{
    bool waiting = bit(it->record.waiting, item), held = bit(it->record.held, item);
    if (case_step_is(it, "claiming") || case_step_is(it, "pricing") || case_step_is(it, "restocking") ||
        case_step_is(it, "settled"))
        return NEVER;
    if (waiting && !case_step_is(it, "paying") && !case_step_is(it, "voiding"))
        return MAYBE;
    return held ? MUST : NEVER;
}

static enum expected restock_expected(const struct order_case *it, uint32_t item)
{
    if (case_step_is(it, "restocking"))
        return bit(it->record.waiting, item) ? MAYBE : MUST;
    return it->settled && case_status_is(it, "cancelled") && was_confirmed(it) ? MUST : NEVER;
}

static void hold_stray(struct order_case *it, const struct hold_note *note, const char *why)
{
    VIOLATION_2(it->audit, 3, KIND_INVENTORY, note->sku, KIND_ORDER, it->key, "%s of %" PRId64 ": %s",
                note->state == HOLD_NOTE_HELD    ? "a live hold"
                : note->state == HOLD_NOTE_ENDED ? "an ended hold that is still there,"
                                                 : "goods given back,",
                note->quantity, why);
}

void case_hold(struct order_case *it, const struct hold_note *note)
{
    uint32_t item = it->slots_size ? *item_slot(it, note->sku) : 0;
    if (!it->known) {
        hold_stray(it, note, "no such order exists");
        return;
    }
    if (it->settled && note->state == HOLD_NOTE_HELD) {
        VIOLATION_2(it->audit, 5, KIND_INVENTORY, note->sku, KIND_ORDER, it->key,
                    "a live hold of %" PRId64 ", but the order is settled (%.*s): nothing will end it", note->quantity,
                    BYTES_FORMAT(it->record.status));
        return;
    }
    if (!item || note->state == HOLD_NOTE_ENDED) {
        hold_stray(it, note, item ? "an order's hold goes when it ends" : "the order does not want this SKU");
        return;
    }
    struct case_item *wanted = &it->items[item - 1];
    if (note->state == HOLD_NOTE_HELD)
        wanted->held = true;
    else
        wanted->restocked = true;
    if (note->quantity != wanted->quantity)
        hold_stray(it, note, "the order wants another quantity");
    if (note->expires)
        hold_stray(it, note, "it has a deadline, but only its order may end it");
    bool held = note->state == HOLD_NOTE_HELD;
    if ((held ? hold_expected(it, item - 1) : restock_expected(it, item - 1)) == NEVER)
        hold_stray(it, note,
                   arena_format(&it->audit->arena, "the order (%.*s, step %.*s) %s", BYTES_FORMAT(it->record.status),
                                BYTES_FORMAT(it->record.step), held ? "does not hold it" : "gave nothing back"));
}

// What every item's hold must be, now that all there are were seen.
static void item_judge(struct order_case *it, uint32_t index)
{
    const struct case_item *item = &it->items[index];
    enum expected hold = hold_expected(it, index), restock = restock_expected(it, index);
    if (hold == MUST && !item->held)
        VIOLATION_2(it->audit, 3, KIND_INVENTORY, item->sku, KIND_ORDER, it->key,
                    "the order (step %.*s) holds %" PRId64 ", but stock has no such hold",
                    BYTES_FORMAT(it->record.step), item->quantity);
    if (restock == MUST && !item->restocked)
        VIOLATION_2(it->audit, 3, KIND_INVENTORY, item->sku, KIND_ORDER, it->key,
                    "the order gave back %" PRId64 ", but stock has not got them", item->quantity);
    bool holding = case_step_is(it, "holding");
    if ((hold == MAYBE && item->held == holding) || (restock == MAYBE && item->restocked))
        it->audit->verdict->explained++;
}

// Committing: an item without an answer is committed exactly when its hold is gone.
static bool item_committed(const struct order_case *it, uint32_t index)
{
    if (case_step_is(it, "committing"))
        return !bit(it->record.waiting, index) || !it->items[index].held;
    return case_step_is(it, "restocking") || (it->settled && was_confirmed(it));
}

static void claim_judge(struct order_case *it)
{
    bool must = it->record.cart_held && !it->record.cart_waiting && !it->settled;
    if (must && !it->claims)
        VIOLATION_2(it->audit, 5, KIND_CART, it->content.cart_id, KIND_ORDER, it->key,
                    "the order has claimed this cart, but the cart does not know");
    bool claiming = case_step_is(it, "claiming");
    if (it->record.cart_waiting && (it->claims > 0) == claiming)
        it->audit->verdict->explained++;
}

void case_goods(struct order_case *it)
{
    if (!it->known)
        return;
    for (uint32_t i = 0; i < it->items_count; i++) {
        item_judge(it, i);
        if (item_committed(it, i))
            audit_add(it->audit, it->audit->sales, it->items[i].sku,
                      bytes_of(&it->items[i].quantity, sizeof it->items[i].quantity));
    }
    claim_judge(it);
}

// ---- claims

void case_claim(struct order_case *it, struct bytes cart_id)
{
    const char *why = NULL;
    it->claims++;
    if (!it->known)
        why = "no such order exists";
    else if (it->settled)
        why = "the order is settled";
    else if (!it->content.has_cart_id || !bytes_equal(it->content.cart_id, cart_id))
        why = "the order is of another cart";
    else if (!it->record.cart_held && !it->record.cart_waiting)
        why = "the order has given it back";
    if (why)
        VIOLATION_2(it->audit, 5, KIND_CART, cart_id, KIND_ORDER, it->key, "the cart is claimed by this order, but %s",
                    why);
}
