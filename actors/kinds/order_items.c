// SPDX-License-Identifier: Apache-2.0
// Lines and items: an item is what an order wants of one SKU, its lines of that SKU summed, in order of first
// appearance; its index is its bit in `waiting` and `held`. Linear in the number of lines: an order may have 2,000.
// Pure; any thread.
#include "actors/kinds/order.h"

enum { NUMBER_SIZE = 8 };

// ---- bits

bool bits_any(const uint8_t *bits, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bits[i])
            return true;
    }
    return false;
}

bool bits_has(const uint8_t *bits, uint32_t index)
{
    return bits[index / 8] >> (index % 8) & 1;
}

void bits_set(uint8_t *bits, uint32_t index)
{
    bits[index / 8] |= (uint8_t)(1u << (index % 8));
}

void bits_clear(uint8_t *bits, uint32_t index)
{
    bits[index / 8] &= (uint8_t) ~(1u << (index % 8));
}

// ---- items by SKU: open addressing over item numbers + 1

struct item_table {
    uint32_t *slots;
    uint32_t size; // a power of two, at least twice the lines
};

static struct item_table item_table_for(uint32_t lines, struct arena *arena)
{
    struct item_table index = {.size = 8};
    while (index.size < lines * 2)
        index.size *= 2;
    index.slots = arena_alloc(arena, index.size * sizeof *index.slots);
    return index;
}

// The slot that has this SKU, or the free one it belongs into.
static uint32_t *item_slot(const struct item_table *index, const struct order_item *items, struct bytes sku)
{
    uint32_t at = (uint32_t)hash_of(sku) & (index->size - 1);
    while (index->slots[at] && !bytes_equal(items[index->slots[at] - 1].sku, sku))
        at = (at + 1) & (index->size - 1);
    return &index->slots[at];
}

static struct item_table item_table_of(const struct order_content *content, struct arena *arena)
{
    struct item_table index = item_table_for(content->items_count, arena);
    for (uint32_t i = 0; i < content->items_count; i++)
        *item_slot(&index, content->items, content->items[i].sku) = i + 1;
    return index;
}

bool order_items_make(struct order_content *content, struct arena *arena)
{
    struct item_table index = item_table_for(content->lines_count, arena);
    bool fits = true;
    content->items = arena_alloc(arena, content->lines_count * sizeof *content->items + 1);
    content->items_count = 0;
    for (uint32_t i = 0; i < content->lines_count; i++) {
        const struct order_line *line = &content->lines[i];
        uint32_t *slot = item_slot(&index, content->items, line->sku);
        if (!*slot) {
            content->items[content->items_count] = (struct order_item){.sku = line->sku};
            *slot = ++content->items_count;
        }
        // No overflow: ORDER_LINES_MAX × QUANTITY_MAX is far below INT64_MAX.
        struct order_item *item = &content->items[*slot - 1];
        if (PLANTED(duplicates_not_summed))
            item->quantity = 0;
        item->quantity += line->quantity;
        fits = fits && item->quantity <= QUANTITY_MAX;
    }
    return fits;
}

// Reads the head of the record's array: forget_at, then the items, each [sku, quantity] (codec/schema.h, `record`).
bool order_item_find(struct bytes content, struct bytes sku, uint32_t *index, int64_t *quantity)
{
    struct cursor cursor = cursor_over(content);
    struct bytes name;
    int64_t number;
    uint32_t fields, items;
    if (!content.size)
        return false;
    CHECK(*cursor.at == RECORD_VERSION, "version %u", *cursor.at);
    cursor.at++;
    CHECK(cursor_array(&cursor, &fields) && cursor_int(&cursor, &number) && cursor_array(&cursor, &items), "%zu bytes",
          content.size);
    for (uint32_t i = 0; i < items; i++) {
        CHECK(cursor_array(&cursor, &fields) && cursor_str(&cursor, &name) && cursor_int(&cursor, &number), "item %u",
              i);
        if (bytes_equal(name, sku)) {
            *index = i;
            *quantity = number;
            return true;
        }
    }
    return false;
}

// ---- one number for each item, packed: a fact of one item is written without looking at those of the others

static void number_note(struct order_turn *turn, struct bytes *numbers, bool has, uint32_t index, int64_t number)
{
    size_t size = (size_t)turn->record.lines_count * NUMBER_SIZE;
    uint8_t *copy = arena_alloc(turn->given->arena, size);
    if (has)
        memcpy(copy, numbers->at, size);
    for (size_t i = 0; i < NUMBER_SIZE; i++)
        copy[index * NUMBER_SIZE + i] = (uint8_t)((uint64_t)number >> (8 * i));
    *numbers = bytes_of(copy, size);
}

static int64_t number_at(struct bytes numbers, uint32_t index)
{
    uint64_t number = 0;
    for (size_t i = 0; i < NUMBER_SIZE; i++)
        number |= (uint64_t)numbers.at[index * NUMBER_SIZE + i] << (8 * i);
    return (int64_t)number;
}

// ---- shortages

void order_short_note(struct order_turn *turn, uint32_t index, int64_t available)
{
    struct order *record = &turn->record;
    number_note(turn, &record->short_of, record->has_short_of, index, available + 1);
    record->has_short_of = true;
}

void order_shortages_make(struct order_turn *turn)
{
    struct order *record = &turn->record;
    if (!record->has_short_of)
        return;
    const struct order_content *content = order_content_of(turn);
    struct shortage *list = arena_alloc(turn->given->arena, content->items_count * sizeof *list);
    record->shortages = list;
    record->shortages_count = 0;
    for (uint32_t i = 0; i < content->items_count; i++) {
        int64_t number = number_at(record->short_of, i);
        if (number)
            list[record->shortages_count++] = (struct shortage){
                .sku = content->items[i].sku, .requested = content->items[i].quantity, .available = number - 1};
    }
    record->has_shortages = true;
    record->has_short_of = false;
}

// ---- prices

bool order_currency(const struct order_content *content, struct money *currency)
{
    *currency = (struct money){0};
    for (uint32_t i = 0; i < content->lines_count; i++) {
        const struct order_line *line = &content->lines[i];
        if (!line->has_unit_price)
            continue;
        if (!currency->currency[0])
            memcpy(currency->currency, line->unit_price.currency, sizeof currency->currency);
        if (!money_same_currency(*currency, line->unit_price))
            return false;
    }
    return true;
}

bool order_items_unpriced(const struct order_content *content, uint8_t *bits, struct arena *arena)
{
    struct item_table index = item_table_of(content, arena);
    bool any = false;
    for (uint32_t i = 0; i < content->lines_count; i++) {
        if (content->lines[i].has_unit_price)
            continue;
        bits_set(bits, *item_slot(&index, content->items, content->lines[i].sku) - 1);
        any = true;
    }
    return any;
}

void order_price_note(struct order_turn *turn, uint32_t index, struct money price)
{
    struct order *record = &turn->record;
    number_note(turn, &record->prices, record->has_prices, index, price.amount);
    record->has_prices = true;
}

void order_prices_fill(struct order_content *content, struct bytes prices, struct bytes currency, struct arena *arena)
{
    struct item_table index = item_table_of(content, arena);
    for (uint32_t i = 0; i < content->lines_count; i++) {
        struct order_line *line = &content->lines[i];
        if (line->has_unit_price)
            continue;
        uint32_t item = *item_slot(&index, content->items, line->sku) - 1;
        line->unit_price = (struct money){.amount = number_at(prices, item)};
        memcpy(line->unit_price.currency, currency.at, currency.size);
        line->has_unit_price = true;
    }
}

bool order_total(const struct order_content *content, struct money *total)
{
    struct money sum, product;
    CHECK(order_currency(content, &sum), "two currencies");
    for (uint32_t i = 0; i < content->lines_count; i++) {
        const struct order_line *line = &content->lines[i];
        if (!line->has_unit_price)
            continue;
        if (!money_times(line->unit_price, line->quantity, &product) || !money_add(&sum, product))
            return false;
    }
    *total = sum;
    return true;
}
