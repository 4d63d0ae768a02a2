// SPDX-License-Identifier: Apache-2.0
#include "actors/kinds/holds.h"

#include "codec/check.h"
#include "codec/planted.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// ---- the ceiling

int64_t ceiling_available(const struct ceiling *ceiling)
{
    int64_t there = ceiling->on_hand - ceiling->reserved;
    int64_t ever = COMMITTED_MAX - ceiling->committed - ceiling->reserved;
    int64_t available = least(there, ever);
    return available > 0 ? available : 0;
}

bool ceiling_sound(const struct ceiling *ceiling)
{
    int64_t came = ceiling->received + ceiling->restocked + ceiling->adjusted;
    return ceiling->on_hand >= 0 && ceiling->reserved >= 0 && ceiling->received >= 0 && ceiling->restocked >= 0 &&
           ceiling->committed >= 0 && ceiling->short_ >= 0 && (ceiling->short_ == 0 || ceiling->on_hand == 0) &&
           ceiling->on_hand - ceiling->short_ == came - ceiling->committed &&
           ceiling->stopped == (ceiling->on_hand < ceiling->reserved);
}

// What comes in pays `short` first; what goes out beyond on_hand is owed.
static void ceiling_move(struct ceiling *ceiling, int64_t change)
{
    int64_t rest = ceiling->on_hand - ceiling->short_ + change;
    ceiling->on_hand = rest > 0 ? rest : 0;
    ceiling->short_ = rest < 0 ? -rest : 0;
    ceiling->stopped = ceiling->stopped && ceiling->on_hand < ceiling->reserved;
}

bool ceiling_fits(const struct ceiling *ceiling, int64_t quantity)
{
    return ceiling->received + quantity <= COUNTER_MAX && ceiling->on_hand + quantity <= COUNTER_MAX;
}

void ceiling_receive(struct ceiling *ceiling, int64_t quantity)
{
    CHECK(quantity > 0 && ceiling_fits(ceiling, quantity), "%lld", (long long)quantity);
    ceiling->received += quantity;
    ceiling_move(ceiling, quantity);
}

void ceiling_restock(struct ceiling *ceiling, int64_t quantity)
{
    CHECK(quantity > 0 && quantity <= ceiling->committed - ceiling->restocked, "%lld", (long long)quantity);
    ceiling->restocked += quantity;
    ceiling_move(ceiling, quantity);
}

int64_t ceiling_after(const struct ceiling *ceiling, int64_t change)
{
    int64_t adjusted = ceiling->adjusted + change;
    if (ceiling->on_hand + change < 0 || ceiling->on_hand + change > COUNTER_MAX)
        return -1;
    if (adjusted < -COUNTER_MAX || adjusted > COUNTER_MAX)
        return -1;
    int64_t paid = change > 0 ? least(change, ceiling->short_) : 0;
    return ceiling->on_hand + change - paid;
}

void ceiling_adjust(struct ceiling *ceiling, int64_t change)
{
    CHECK(ceiling_after(ceiling, change) >= 0, "%lld", (long long)change);
    ceiling->adjusted += change;
    ceiling->stopped = true;
    ceiling_move(ceiling, change);
}

// ---- one hold

static const struct bytes state_names[] = {
    [HOLD_HELD] = {(const uint8_t *)"held", 4},           [HOLD_COMMITTED] = {(const uint8_t *)"committed", 9},
    [HOLD_RELEASED] = {(const uint8_t *)"released", 8},   [HOLD_EXPIRED] = {(const uint8_t *)"expired", 7},
    [HOLD_RESTOCKED] = {(const uint8_t *)"restocked", 9},
};

enum hold_state hold_state(const struct hold *hold)
{
    uint32_t state = HOLD_HELD;
    while (state < HOLD_RESTOCKED && !bytes_equal(hold->state, state_names[state]))
        state++;
    return state;
}

struct bytes hold_state_name(enum hold_state state)
{
    return state_names[state];
}

void hold_reserve(struct ceiling *ceiling, struct hold *hold)
{
    CHECK(hold->quantity > 0 && hold->quantity <= ceiling_available(ceiling), "%lld", (long long)hold->quantity);
    ceiling->reserved += hold->quantity;
    hold->state = hold_state_name(HOLD_HELD);
    hold->first_available = ceiling_available(ceiling);
}

void hold_end(struct ceiling *ceiling, struct hold *hold, enum hold_state state)
{
    CHECK(hold_state(hold) == HOLD_HELD && hold->quantity <= ceiling->reserved, "%lld of %lld",
          (long long)hold->quantity, (long long)ceiling->reserved);
    CHECK(state == HOLD_COMMITTED || state == HOLD_RELEASED || state == HOLD_EXPIRED, "%d", (int)state);
    bool commit = state == HOLD_COMMITTED;
    ceiling->reserved -= hold->quantity;
    ceiling->committed += commit ? hold->quantity : 0;
    ceiling_move(ceiling, commit ? -hold->quantity : 0);
    hold->state = hold_state_name(state);
}

int64_t hold_forget_at(const struct given *given)
{
    return given->at + given->settings->remember_hours * 3600 * INT64_C(1000000);
}

// ---- deadlines

struct held {
    struct bytes child; // size 0: a free place of the index
    struct hold hold;
    bool counted; // its deadline was met: any other that names it is stale
};

// Holds by child id: open addressing, at most half full.
struct holds_index {
    struct held *places;
    uint32_t mask;
};

static struct held *index_find(const struct holds_index *index, struct bytes child)
{
    uint32_t at = (uint32_t)hash_of(child) & index->mask;
    while (index->places[at].child.size && !bytes_equal(index->places[at].child, child))
        at = (at + 1) & index->mask;
    return &index->places[at];
}

static struct holds_index index_children(const struct given *given)
{
    uint32_t size = 2;
    while (size < given->children_count * 2)
        size *= 2;
    struct holds_index index = {arena_alloc(given->arena, size * sizeof(struct held)), size - 1};
    for (uint32_t i = 0; i < given->children_count; i++) {
        const struct child *child = &given->children[i];
        struct held *held = index_find(&index, child->id);
        if (!child->value.at || held->child.size)
            continue;
        CHECK(record_decode(hold_shape(), child->value, &held->hold, given->arena), "%.*s", BYTES_FORMAT(child->id));
        held->child = child->id;
    }
    return index;
}

struct deadline {
    int64_t at;
    uint32_t row;      // in given->due
    struct held *held; // NULL: stale; the hold ended or was extended since
};

// Merge sort: equal deadlines stay in the order in which they were held.
static struct deadline *deadlines_sort(struct deadline *list, uint32_t count, struct arena *arena)
{
    struct deadline *other = arena_alloc(arena, count * sizeof *other);
    for (uint32_t width = 1; width < count; width *= 2) {
        for (uint32_t start = 0; start < count; start += 2 * width) {
            uint32_t middle = (uint32_t)least(start + width, count), end = (uint32_t)least(start + 2 * width, count);
            for (uint32_t left = start, right = middle, to = start; to < end; to++) {
                bool take_left = left < middle && (right == end || list[left].at <= list[right].at);
                other[to] = take_left ? list[left++] : list[right++];
            }
        }
        struct deadline *sorted = other;
        other = list;
        list = sorted;
    }
    return list;
}

// A row's deadlines that still count. Marks in `changed` the rows that name others.
static struct deadline *deadlines_load(const struct given *given, uint32_t *count, bool *changed)
{
    struct holds_index index = index_children(given);
    struct due *rows = arena_alloc(given->arena, given->due_count * sizeof *rows);
    uint32_t named = 0;
    for (uint32_t i = 0; i < given->due_count; i++) {
        CHECK(record_decode(due_shape(), given->due[i].value, &rows[i], given->arena), "%zu bytes",
              given->due[i].value.size);
        named += rows[i].holds_count;
    }
    struct deadline *list = arena_alloc(given->arena, named * sizeof *list);
    *count = 0;
    for (uint32_t i = 0; i < given->due_count; i++) {
        for (uint32_t j = 0; j < rows[i].holds_count; j++) {
            const struct due_hold *entry = &rows[i].holds[j];
            struct held *held = index_find(&index, entry->child);
            bool live = held->child.size && !held->counted && hold_state(&held->hold) == HOLD_HELD &&
                        held->hold.expires_at == entry->at;
            if (!live) {
                changed[i] = true;
                continue;
            }
            held->counted = true;
            list[(*count)++] = (struct deadline){entry->at, i, held};
        }
    }
    return deadlines_sort(list, *count, given->arena);
}

int64_t holds_expire(const struct given *given, struct effects *effects, struct ceiling *ceiling, int64_t until,
                     int64_t need, int64_t max)
{
    bool *changed = arena_alloc(given->arena, given->due_count * sizeof *changed);
    uint32_t count, ended = 0;
    struct deadline *list = deadlines_load(given, &count, changed);
    while (ended < count && ended < max && list[ended].at <= until) {
        if (need > 0 && ceiling_available(ceiling) >= need)
            break;
        struct held *held = list[ended].held;
        changed[list[ended].row] = true;
        hold_end(ceiling, &held->hold, HOLD_EXPIRED);
        effects_put(effects, PLACE_CHILD, held->child, hold_shape(), &held->hold, hold_forget_at(given));
        ended++;
    }
    for (uint32_t i = 0; i < given->due_count; i++)
        if (changed[i])
            effects_delete(effects, PLACE_DUE, given->due[i].id);
    for (uint32_t i = ended; i < count && !PLANTED(due_rest_lost); i++)
        if (changed[list[i].row])
            effects_due(effects, list[i].held->child, list[i].at);
    if (ended == count)
        return given->due_next;
    return given->due_next ? least(list[ended].at, given->due_next) : list[ended].at;
}
