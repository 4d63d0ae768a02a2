// SPDX-License-Identifier: Apache-2.0
// Random sequences of messages to one SKU, against a model that shares no code with the kind: it keeps lists and counts
// them. Six names, which clients and orders share; time mostly creeps and sometimes jumps over a day. Runs are
// repeatable: a failure names its seed and step.
#include "tests/unit/actors/kinds/table.h"
#include "tests/unit/effort.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { NAMES = 6, STORIES = 5000 * EFFORT, STEPS = 24 };

static enum status finish(struct table *table, enum message_type type, const char *id)
{
    return table_meet(table, type, &(struct reservation_ref){.reservation_id = bytes_text(id)});
}

struct model_hold {
    enum { NONE, HELD, COMMITTED, RELEASED, EXPIRED, RESTOCKED } state;
    int64_t quantity, ttl_ms, due, gone; // gone: forgotten from then on; 0: never
    char first[64], last[64];            // what reserve answered, and what the end of it did
};

// As told in DESIGN §5, with sums taken over lists: nothing is kept that can be counted.
struct model {
    bool known, stop;
    int64_t shelf, owed, received, adjusted, restocked, sold, sold_orders;
    struct model_hold clients[NAMES], orders[NAMES];
    int64_t returned[NAMES]; // what an order committed and has not given back
};

static int64_t model_reserved(const struct model *model)
{
    int64_t sum = 0;
    for (int i = 0; i < NAMES; i++) {
        sum += model->clients[i].state == HELD ? model->clients[i].quantity : 0;
        sum += model->orders[i].state == HELD ? model->orders[i].quantity : 0;
    }
    return sum;
}

static int64_t model_free(const struct model *model)
{
    int64_t rest = model->shelf - model_reserved(model);
    return rest > 0 ? rest : 0;
}

static void model_gain(struct model *model, int64_t quantity)
{
    for (; quantity > 0; quantity--) {
        if (model->owed > 0)
            model->owed--;
        else
            model->shelf++;
    }
}

static void model_sell(struct model *model, int64_t quantity)
{
    for (model->sold += quantity; quantity > 0; quantity--) {
        if (model->shelf > 0)
            model->shelf--;
        else
            model->owed++;
    }
}

#define DAY (24 * 3600 * INT64_C(1000000))

static void model_forget(struct model *model, int64_t at)
{
    for (int i = 0; i < NAMES; i++)
        if (model->clients[i].gone && model->clients[i].gone <= at)
            model->clients[i] = (struct model_hold){0};
}

// need < 0: everything due.
static void model_expire(struct model *model, int64_t at, int64_t need)
{
    while (need < 0 || model_free(model) < need) {
        struct model_hold *oldest = NULL;
        for (int i = 0; i < NAMES; i++) {
            struct model_hold *hold = &model->clients[i];
            if (hold->state == HELD && hold->due <= at && (!oldest || hold->due < oldest->due))
                oldest = hold;
        }
        if (!oldest)
            return;
        oldest->state = EXPIRED;
        oldest->gone = at + DAY;
    }
}

struct story {
    uint64_t seed;
    struct table table;
    struct model model;
    char wrong[256]; // what the kind and the model disagree about; "": nothing
};

static uint64_t roll(struct story *story, uint64_t sides)
{
    story->seed ^= story->seed << 13;
    story->seed ^= story->seed >> 7;
    story->seed ^= story->seed << 17;
    return story->seed % sides;
}

static void agree(struct story *story, bool same, const char *what, int64_t is, int64_t want)
{
    if (!same && !story->wrong[0])
        snprintf(story->wrong, sizeof story->wrong, "%s: %" PRId64 ", the model says %" PRId64, what, is, want);
}

static void agree_equal(struct story *story, const char *what, int64_t is, int64_t want)
{
    agree(story, is == want, what, is, want);
}

static void agree_answer(struct story *story, const char *what, const char *want)
{
    const char *is = table_reply(&story->table);
    bool same = is[0] == '{' && strncmp(is + 1, want, strlen(want)) == 0 && strcmp(is + 1 + strlen(want), "}") == 0;
    if (!same && !story->wrong[0])
        snprintf(story->wrong, sizeof story->wrong, "%s: %s, the model says {%s}", what, is, want);
}

static const char *const names[NAMES] = {"A", "B", "C", "D", "E", "F"};

static void play_reserve(struct story *story, int name, bool order)
{
    struct model *model = &story->model;
    struct model_hold *hold = order ? &model->orders[name] : &model->clients[name];
    struct inventory_reserve body = {.reservation_id = bytes_text(names[name]),
                                     .quantity = 1 + (int64_t)roll(story, 4),
                                     .ttl_ms = 1 + (int64_t)roll(story, 5000)};
    if (hold->state != NONE && roll(story, 2)) { // a true repeat
        body.quantity = hold->quantity;
        body.ttl_ms = hold->ttl_ms;
    }
    body.has_ttl_ms = !order && body.ttl_ms > 0;
    if (order)
        body.ttl_ms = 0;
    enum status want = STATUS_ok;
    model_expire(model, story->table.at, body.quantity);
    bool repeat = hold->state != NONE;
    if (repeat)
        want = hold->quantity == body.quantity && hold->ttl_ms == body.ttl_ms ? STATUS_ok : STATUS_reservation_exists;
    else if (!model->known)
        want = STATUS_not_found;
    else if (body.quantity > model_free(model))
        want = STATUS_insufficient_stock;
    enum status is = table_meet(&story->table, MESSAGE_inventory_reserve, &body);
    agree_equal(story, "reserve", is, want);
    if (is != STATUS_ok || want != STATUS_ok)
        return;
    if (!repeat) {
        *hold = (struct model_hold){HELD, body.quantity, body.ttl_ms, story->table.at + body.ttl_ms * 1000};
        size_t size = 0;
        if (!order)
            size = (size_t)snprintf(hold->first, sizeof hold->first, "expires_at: %" PRId64 ", ", hold->due);
        snprintf(hold->first + size, sizeof hold->first - size, "available: %" PRId64, model_free(model));
    }
    agree_answer(story, "the first answer", hold->first);
}

static enum status model_refusal(const struct model *model, int name)
{
    switch (model->clients[name].state) {
    case COMMITTED:
        return STATUS_reservation_committed;
    case RELEASED:
        return STATUS_reservation_released;
    case EXPIRED:
        return STATUS_reservation_expired;
    case NONE:
    case HELD:
    case RESTOCKED:
        break;
    }
    if (model->orders[name].state != NONE)
        return STATUS_not_owner;
    return model->known ? STATUS_reservation_not_found : STATUS_not_found;
}

static void play_end(struct story *story, int name, bool order, bool commits)
{
    struct model *model = &story->model;
    struct model_hold *hold = order ? &model->orders[name] : &model->clients[name];
    enum status want = STATUS_ok;
    model_expire(model, story->table.at, -1);
    if (!order && hold->state != HELD && hold->state != (commits ? COMMITTED : RELEASED))
        want = model_refusal(model, name);
    if (hold->state == HELD) {
        hold->state = commits ? COMMITTED : RELEASED;
        hold->gone = story->table.at + DAY;
        if (commits)
            model_sell(model, hold->quantity);
        if (commits && order) {
            model->sold_orders += hold->quantity;
            model->returned[name] = hold->quantity;
        }
        snprintf(hold->last, sizeof hold->last, "state: %s, available: %" PRId64, commits ? "committed" : "released",
                 model_free(model));
        if (order)
            *hold = (struct model_hold){0};
    }
    agree_equal(story, commits ? "commit" : "release",
                finish(&story->table, commits ? MESSAGE_inventory_commit : MESSAGE_inventory_release, names[name]),
                want);
    if (!order && want == STATUS_ok)
        agree_answer(story, "the answer to an end", hold->last);
}

static void play_extend(struct story *story, int name)
{
    struct model_hold *hold = &story->model.clients[name];
    int64_t ttl_ms = 1 + (int64_t)roll(story, 5000);
    model_expire(&story->model, story->table.at, -1);
    enum status want = hold->state == HELD ? STATUS_ok : model_refusal(&story->model, name);
    if (hold->state == HELD)
        hold->due = story->table.at + ttl_ms * 1000;
    struct inventory_extend body = {.reservation_id = bytes_text(names[name]), .ttl_ms = ttl_ms};
    agree_equal(story, "extend", table_meet(&story->table, MESSAGE_inventory_extend, &body), want);
}

static void play_restock(struct story *story, int name)
{
    struct model *model = &story->model;
    int64_t quantity = model->returned[name];
    if (quantity == 0 || model->orders[name].state != NONE)
        return; // an order restocks only what it committed
    model_expire(model, story->table.at, -1);
    model_gain(model, quantity);
    model->restocked += quantity;
    model->orders[name] = (struct model_hold){.state = RESTOCKED, .quantity = quantity, .first = "available: 0"};
    struct inventory_restock body = {.reservation_id = bytes_text(names[name]), .quantity = quantity};
    agree_equal(story, "restock", table_meet(&story->table, MESSAGE_inventory_restock, &body), STATUS_ok);
}

static void play_receive(struct story *story)
{
    int64_t quantity = 1 + (int64_t)roll(story, 6);
    model_expire(&story->model, story->table.at, -1);
    model_gain(&story->model, quantity);
    story->model.received += quantity;
    story->model.known = true;
    struct inventory_receive body = {.quantity = quantity};
    agree_equal(story, "receive", table_meet(&story->table, MESSAGE_inventory_receive, &body), STATUS_ok);
}

static void play_adjust(struct story *story)
{
    struct model *model = &story->model;
    struct inventory_adjust body = {.reason = BYTES("count"),
                                    .has_stop_sale = true,
                                    .stop_sale = roll(story, 2),
                                    .delta = (int64_t)roll(story, 9) - 5};
    body.has_delta = roll(story, 2);
    body.has_on_hand = !body.has_delta;
    body.on_hand = (int64_t)roll(story, 6);
    model_expire(model, story->table.at, -1);
    int64_t change = body.has_delta ? body.delta : body.on_hand - model->shelf;
    enum status want = STATUS_ok;
    if (!model->known && change < 0)
        want = STATUS_not_found;
    else if (model->shelf + change < 0)
        want = STATUS_invalid;
    else if (change < 0 && model->shelf + change < model_reserved(model) && !body.stop_sale)
        want = STATUS_below_reserved;
    if (want == STATUS_ok) {
        model->known = true;
        model->adjusted += change;
        model_gain(model, change);
        model->shelf += change < 0 ? change : 0;
        model->stop = true;
    }
    agree_equal(story, "adjust", table_meet(&story->table, MESSAGE_inventory_adjust, &body), want);
}

// The rows against the model, the invariants I1 and I2, and that no live hold of a client can be missed by the clock.
static void compare_holds(struct story *story, const struct stock *stock)
{
    int64_t sum = 0;
    for (int i = 0; i < 2 * NAMES; i++) {
        const struct model_hold *want = i < NAMES ? &story->model.clients[i] : &story->model.orders[i - NAMES];
        char child[] = {i < NAMES ? 'c' : 'o', names[i % NAMES][0], 0};
        struct hold hold = {0};
        bool found = table_read(&story->table, PLACE_CHILD, child, hold_shape(), &hold);
        bool held = found && bytes_equal(hold.state, BYTES("held"));
        agree_equal(story, "a hold is there", found, want->state != NONE);
        agree_equal(story, "a hold is live", held, want->state == HELD);
        sum += held ? hold.quantity : 0;
        if (!held || i >= NAMES)
            continue;
        agree_equal(story, "expires_at", hold.expires_at, want->due);
        agree(story, stock->next_due && stock->next_due <= hold.expires_at, "next_due", stock->next_due, want->due);
        bool named = false;
        for (uint32_t r = 0; r < story->table.rows_count; r++) {
            struct due due = {0};
            if (story->table.rows[r].place == PLACE_DUE)
                CHECK(record_decode(due_shape(), story->table.rows[r].value, &due, &story->table.texts), "due row");
            for (uint32_t d = 0; d < due.holds_count; d++)
                named |= due.holds[d].at == hold.expires_at && bytes_equal(due.holds[d].child, bytes_text(child));
        }
        agree_equal(story, "a due row names the hold", named, true);
    }
    agree_equal(story, "reserved is the sum of live holds", stock->reserved, sum);
}

static void compare(struct story *story)
{
    struct model *model = &story->model;
    struct stock stock = {0};
    agree_equal(story, "known", table_read(&story->table, PLACE_HEAD, "", stock_shape(), &stock), model->known);
    model->stop = model->stop && model->shelf < model_reserved(model);
    agree_equal(story, "on_hand", stock.on_hand, model->shelf);
    agree_equal(story, "short", stock.short_, model->owed);
    agree_equal(story, "received", stock.received, model->received);
    agree_equal(story, "adjusted", stock.adjusted, model->adjusted);
    agree_equal(story, "restocked", stock.restocked, model->restocked);
    agree_equal(story, "committed", stock.committed, model->sold);
    agree_equal(story, "committed_orders", stock.committed_orders, model->sold_orders);
    agree_equal(story, "stop_sale", stock.stop_sale, model->stop);
    agree_equal(story, "the equation", stock.on_hand - stock.short_,
                stock.received + stock.restocked + stock.adjusted - stock.committed);
    agree(story, stock.on_hand >= stock.reserved || stock.stop_sale, "I1", stock.on_hand, stock.reserved);
    compare_holds(story, &stock);
}

static void play(struct story *story)
{
    int name = (int)roll(story, NAMES);
    bool order = roll(story, 3) == 0;
    model_forget(&story->model, story->table.at);
    if (order)
        table_as(&story->table, KIND_ORDER, names[name]);
    else
        table_as_client(&story->table);
    switch (roll(story, 12)) {
    case 0:
        table_as_client(&story->table);
        play_receive(story);
        return;
    case 1:
        table_as_client(&story->table);
        play_adjust(story);
        return;
    case 2:
    case 3:
        play_end(story, name, order, true);
        return;
    case 4:
    case 5:
        play_end(story, name, order, false);
        return;
    case 6:
        table_as_client(&story->table);
        play_extend(story, name);
        return;
    case 7:
        table_as(&story->table, KIND_ORDER, names[name]);
        play_restock(story, name);
        return;
    default:
        play_reserve(story, name, order);
        return;
    }
}

// One story; false: `wrong` says at which step what went wrong.
static bool story_runs(struct story *story, const struct kind *kind, uint64_t seed)
{
    *story = (struct story){.seed = seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
    table_init(&story->table, kind, "mug");
    story->table.due_rows_max = roll(story, 2) ? 1 : 100;
    int step = 0;
    for (; step < STEPS && !story->wrong[0]; step++) {
        // Each step has its own microsecond, so that no two holds fall due at once.
        story->table.at += 1 + 1000 * (int64_t)(roll(story, 40) ? roll(story, 2000) : roll(story, 100000000));
        play(story);
        compare(story);
    }
    if (story->wrong[0])
        snprintf(story->wrong + strlen(story->wrong), sizeof story->wrong - strlen(story->wrong),
                 " (seed %" PRIu64 ", step %d)", seed, step);
    table_deinit(&story->table);
    return !story->wrong[0];
}

Test(stock_model, no_sequence_of_messages_breaks_it, .timeout = 170)
{
    struct story story;
    for (uint64_t seed = 0; seed < STORIES; seed++)
        cr_assert(story_runs(&story, &kind_inventory, seed), "%s", story.wrong);
}

// The canary: kinds that are wrong on purpose must be found out.
static enum status forgets_to_write(const struct given *given, struct effects *effects)
{
    enum status status = kind_inventory.handlers[given->def->type](given, effects);
    effects->count = effects->count > 0 ? 1 : 0;
    return status;
}

static enum status answers_anew(const struct given *given, struct effects *effects)
{
    enum status status = kind_inventory.handlers[given->def->type](given, effects);
    if (status != STATUS_ok || effects->count)
        return status;
    struct bytes first = effects->reply;
    effects->reply = (struct bytes){0};
    effects_reply(effects, reserve_reply_shape(), &(struct reserve_reply){.available = 77});
    return first.size ? STATUS_ok : status;
}

Test(stock_model, a_wrong_kind_is_found_out, .timeout = 60)
{
    const handler *right = kind_inventory.handlers;
    const struct {
        enum message_type type;
        handler wrong;
    } mutants[] = {
        {MESSAGE_inventory_commit, right[MESSAGE_inventory_release]},
        {MESSAGE_inventory_release, right[MESSAGE_inventory_commit]},
        {MESSAGE_inventory_commit, forgets_to_write},
        {MESSAGE_inventory_release, forgets_to_write},
        {MESSAGE_inventory_extend, forgets_to_write},
        {MESSAGE_inventory_expire, forgets_to_write},
        {MESSAGE_inventory_reserve, answers_anew},
    };
    for (size_t i = 0; i < sizeof mutants / sizeof *mutants; i++) {
        handler handlers[MESSAGE_NUMBER_MAX + 1];
        memcpy(handlers, right, sizeof handlers);
        handlers[mutants[i].type] = mutants[i].wrong;
        struct kind kind = kind_inventory;
        kind.handlers = handlers;
        struct story story;
        bool found = false;
        for (uint64_t seed = 0; seed < 200 && !found; seed++)
            found = !story_runs(&story, &kind, seed);
        cr_expect(found, "mutant %zu lives", i);
    }
}
