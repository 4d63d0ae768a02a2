// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/provider_sim.h"

#include "codec/check.h"

#include <stdlib.h>
#include <uthash.h>

const char *const provider_fault_names[PROVIDER_FAULTS] = {
    [PROVIDER_CALL_LOST] = "provider call lost",   [PROVIDER_ANSWER_LOST] = "provider answer lost",
    [PROVIDER_LATE] = "provider answers late",     [PROVIDER_SLOW] = "provider call slow",
    [PROVIDER_TWICE] = "provider answers twice",   [PROVIDER_FAILED] = "provider failed",
    [PROVIDER_DECLINED] = "provider declined",     [PROVIDER_AWAY] = "provider away",
    [PROVIDER_VANISHED] = "provider done and gone",
    [PROVIDER_FORGOT] = "provider forgot the key",
};

enum { KEYS_MAX = 64 };

// All keys of one order.
struct provider_order {
    UT_hash_handle hh;
    const char *id;
    struct provider_sums sums;
    struct provider_entry *entries[KEYS_MAX];
    uint32_t count;
};

// A call that still travels, or an answer that does.
struct provider_answer {
    struct provider_answer *next;
    int64_t at;
    bool call;
    const char *order_id, *operation, *outcome, *key, *method; // strings of the arena
    int64_t attempt;
    struct money amount;
    bool query;
};

static const char *text_of(struct provider_sim *sim, struct bytes bytes)
{
    return arena_format(&sim->arena, "%.*s", BYTES_FORMAT(bytes));
}

static bool fault(struct provider_sim *sim, enum provider_fault kind)
{
    if (sim->healthy || !chance_permille(&sim->options.chance, sim->options.permille[kind]))
        return false;
    sim->faults[kind]++;
    return true;
}

static void enqueue(struct provider_sim *sim, const struct provider_answer *what, int64_t at)
{
    struct provider_answer *copy = arena_alloc(&sim->arena, sizeof *copy), **place = &sim->answers;
    *copy = *what;
    copy->at = at;
    while (*place && (*place)->at <= at)
        place = &(*place)->next;
    copy->next = *place;
    *place = copy;
}

// ---- the book

static struct provider_order *order_of(struct provider_sim *sim, const char *id)
{
    struct provider_order *order = NULL;
    HASH_FIND_STR(sim->orders, id, order);
    if (order)
        return order;
    order = arena_alloc(&sim->arena, sizeof *order);
    order->id = id;
    HASH_ADD_KEYPTR(hh, sim->orders, order->id, strlen(order->id), order);
    return order;
}

static struct provider_entry *entry_of(struct provider_sim *sim, const struct provider_order *order, const char *key)
{
    for (uint32_t i = order->count; i-- > 0;) {
        struct provider_entry *entry = order->entries[i];
        if (strcmp(entry->key, key) != 0)
            continue;
        if (sim->now - entry->first_at <= sim->options.key_us)
            return entry;
        sim->faults[PROVIDER_FORGOT]++;
        return NULL;
    }
    return NULL;
}

static void count(struct provider_order *order, const struct provider_entry *entry)
{
    struct provider_sums *sums = &order->sums;
    if (strcmp(entry->operation, "authorize") == 0) {
        sums->authorizations++;
        sums->authorized += entry->amount.amount;
    } else if (strcmp(entry->operation, "capture") == 0) {
        sums->captures++;
        sums->captured += entry->amount.amount;
    } else if (strcmp(entry->operation, "void") == 0) {
        sums->voids++;
    } else {
        sums->refunds++;
        sums->refunded += entry->amount.amount;
    }
}

static bool waits_for_shopper(const struct provider_order *order)
{
    for (uint32_t i = 0; i < order->count; i++)
        if (strcmp(order->entries[i]->outcome, "action_required") == 0)
            return true;
    return false;
}

static const char *decide(struct provider_sim *sim, const struct provider_order *order,
                          const struct provider_answer *call)
{
    const struct provider_sums *sums = &order->sums;
    if (strcmp(call->operation, "authorize") == 0) {
        if (strcmp(call->method, "pm_card_chargeDeclined") == 0 || fault(sim, PROVIDER_DECLINED))
            return "declined";
        return strcmp(call->method, "pm_sandbox_action_required") == 0 ? "action_required" : "succeeded";
    }
    if (fault(sim, PROVIDER_DECLINED))
        return "declined";
    if (strcmp(call->operation, "capture") == 0)
        return sums->authorizations && !sums->voids ? "succeeded" : "declined";
    if (strcmp(call->operation, "void") == 0)
        return (sums->authorizations || waits_for_shopper(order)) && !sums->captures ? "succeeded" : "declined";
    return sums->captures ? "succeeded" : "declined";
}

static const char *operate(struct provider_sim *sim, struct provider_order *order, const struct provider_answer *call)
{
    struct provider_entry *entry = entry_of(sim, order, call->key);
    if (entry)
        return entry->outcome;
    for (uint32_t i = 0; i < order->count; i++)
        if (strcmp(order->entries[i]->key, call->key) == 0)
            sim->resent_forgotten = order->id;
    entry = arena_alloc(&sim->arena, sizeof *entry);
    *entry = (struct provider_entry){sim->book,    order->id,     call->key,     call->operation, call->method,
                                     NULL,         call->attempt, sim->now,      call->amount};
    entry->outcome = decide(sim, order, call);
    sim->book = entry;
    CHECK(order->count < KEYS_MAX, "%s", order->id);
    order->entries[order->count++] = entry;
    if (strcmp(entry->outcome, "succeeded") == 0)
        count(order, entry);
    return entry->outcome;
}

static const char *confirm(struct provider_sim *sim, struct provider_order *order, const struct provider_answer *call)
{
    struct provider_entry *entry = entry_of(sim, order, call->key);
    if (!entry)
        return "unknown";
    if (strcmp(entry->outcome, "action_required") == 0) {
        bool agreed = strcmp(call->operation, "confirm_succeeded") == 0 && !order->sums.voids;
        entry->outcome = agreed ? "succeeded" : "declined";
        if (agreed)
            count(order, entry);
    }
    return entry->outcome;
}

// ---- calls and answers

static void answer(struct provider_sim *sim, const struct provider_answer *call, const char *outcome)
{
    struct provider_answer reply = *call;
    reply.call = false;
    reply.outcome = outcome;
    if (strncmp(call->operation, "confirm", 7) == 0)
        reply.operation = "authorize";
    if (fault(sim, PROVIDER_ANSWER_LOST))
        return;
    int64_t late = fault(sim, PROVIDER_LATE) ? chance_range(&sim->options.chance, 0, sim->options.late_us) : 0;
    int64_t latency = chance_range(&sim->options.chance, 1, sim->options.latency_us);
    enqueue(sim, &reply, sim->now + latency + late);
    if (fault(sim, PROVIDER_TWICE))
        enqueue(sim, &reply, sim->now + latency + chance_range(&sim->options.chance, 0, sim->options.late_us));
}

static void arrive(struct provider_sim *sim, const struct provider_answer *call)
{
    struct provider_order *order = order_of(sim, call->order_id);
    sim->calls++;
    if (sim->now < sim->away_until) {
        sim->faults[PROVIDER_AWAY]++;
        return;
    }
    if (call->query) {
        const struct provider_entry *entry = entry_of(sim, order, call->key);
        answer(sim, call, entry ? entry->outcome : "unknown");
    } else if (strncmp(call->operation, "confirm", 7) == 0) {
        answer(sim, call, confirm(sim, order, call));
    } else if (!entry_of(sim, order, call->key) && fault(sim, PROVIDER_FAILED)) {
        answer(sim, call, "failed");
    } else {
        const char *outcome = operate(sim, order, call);
        if (fault(sim, PROVIDER_VANISHED))
            sim->away_until = sim->now + chance_range(&sim->options.chance, 0, sim->options.vanish_us);
        else
            answer(sim, call, outcome);
    }
}

static void sim_begin(void *self, const struct provider_call *call)
{
    struct provider_sim *sim = self;
    const struct provider_operation *operation = &call->operation;
    struct provider_answer travels = {
        .call = true,
        .order_id = text_of(sim, call->order_id),
        .operation = text_of(sim, operation->operation),
        .key = text_of(sim, operation->provider_key),
        .method = text_of(sim, operation->method),
        .attempt = operation->attempt,
        .amount = operation->amount,
        .query = operation->query,
    };
    if (fault(sim, PROVIDER_CALL_LOST))
        return;
    int64_t slow = fault(sim, PROVIDER_SLOW) ? chance_range(&sim->options.chance, 0, sim->options.late_us) : 0;
    enqueue(sim, &travels, sim->now + chance_range(&sim->options.chance, 1, sim->options.latency_us) + slow);
}

static bool sim_collect(void *self, int timeout_ms, struct provider_result *result)
{
    struct provider_sim *sim = self;
    (void)timeout_ms;
    while (sim->answers && sim->answers->at <= sim->now) {
        struct provider_answer *first = sim->answers;
        sim->answers = first->next;
        if (first->call) {
            arrive(sim, first);
            continue;
        }
        *result = (struct provider_result){
            bytes_text(first->order_id),
            {.operation = bytes_text(first->operation), .attempt = first->attempt, .outcome = bytes_text(first->outcome)}};
        return true;
    }
    return false;
}

const struct provider provider_sim_driver = {.name = "outside", .begin = sim_begin, .collect = sim_collect};

// ----

void provider_sim_init(struct provider_sim *sim, const struct provider_sim_options *options)
{
    *sim = (struct provider_sim){.options = *options};
    arena_init(&sim->arena);
}

void provider_sim_deinit(struct provider_sim *sim)
{
    HASH_CLEAR(hh, sim->orders);
    arena_deinit(&sim->arena);
}

void provider_sim_disconnect(struct provider_sim *sim)
{
    struct provider_answer **place = &sim->answers;
    while (*place) {
        if ((*place)->call)
            place = &(*place)->next;
        else
            *place = (*place)->next;
    }
}

int64_t provider_sim_next(const struct provider_sim *sim)
{
    return sim->answers ? sim->answers->at : INT64_MAX;
}

struct provider_sums provider_sim_sums(const struct provider_sim *sim, struct bytes order_id)
{
    struct provider_order *order = NULL;
    HASH_FIND(hh, sim->orders, order_id.at, order_id.size, order);
    return order ? order->sums : (struct provider_sums){0};
}
