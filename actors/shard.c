// SPDX-License-Identifier: Apache-2.0
// The turn. Read top down: shard_turn is the whole story; the steps before a decision are in shard_load.c, those after
// it in shard_apply.c; opening, resuming and timers in shard_open.c.
#include "actors/shard.h"

#include "codec/check.h"
#include "codec/planted.h"

#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

// Of one turn (T7). Records are read for READ_AHEAD_MAX messages at once.
enum { LEAVES_MAX = 4 << 20, MEMORY_MAX = 16 << 20, LOG_READ_MAX = 2 << 20, READ_AHEAD_MAX = 128 };
enum { READ_FIRST_MS = 100 };

// An entity with waiters that this turn changed.
struct touched {
    struct bytes key;
    UT_hash_handle hh;
};

int64_t shard_time(const struct shard *shard, int64_t clock)
{
    return clock > shard->at ? clock : shard->at + 1;
}

// ---- deciding

static _Thread_local const struct decision *deciding;

void shard_deciding(const struct decision *decision)
{
    deciding = decision;
}

const struct decision *shard_decided_now(void)
{
    return deciding;
}

static bool due_first(struct shard *shard, const struct decision *decision)
{
    if (shard->options.replay || !shard->kind->due_at)
        return true;
    if (PLANTED(commit_after_expiry) && decision->def->type == MESSAGE_inventory_commit)
        return true;
    return decision_expire(shard, decision);
}

// The runtime's own message: this entity's due holds end now, at most as many as the turn has left.
static void expire(struct shard *shard, const struct decision *decision, int64_t need)
{
    struct inventory_expire body = {.until = shard->overlay.at, .need = need, .max = shard->expires_left, .has_max = true};
    buffer_clear(&shard->scratch);
    body_encode(inventory_expire_shape(), &body, &shard->scratch);
    struct bytes encoded = arena_copy(&shard->arena, buffer_bytes(&shard->scratch));
    buffer_clear(&shard->scratch);
    request_write(&shard->scratch, REQUEST_ID_NONE, "inventory.expire", decision->request.key, encoded, 0);
    struct incoming incoming = {.origin = LOG_RUNTIME,
                                .request = arena_copy(&shard->arena, buffer_bytes(&shard->scratch))};
    struct decision ending;
    struct given given;
    decision_read(shard, &incoming, &ending);
    decision_load(shard, &ending, &given);
    effects_reset(&shard->effects);
    CHECK(shard->kind->handlers[ending.def->type](&given, &shard->effects) == STATUS_ok);
    for (uint32_t i = 0; i < shard->effects.count; i++)
        shard->expires_left -=
            shard->effects.list[i].type == EFFECT_PUT && shard->effects.list[i].place == PLACE_CHILD;
    decision_apply(shard, &ending, STATUS_ok);
    shard_deciding(decision);
}

// Some of what is loaded may be stale (a hold that was extended or ended meanwhile): a few rounds in one turn.
bool decision_expire(struct shard *shard, const struct decision *decision)
{
    enum { ROUNDS = 4 };
    int64_t need = shard->kind->due_need(decision->def, decision->body);
    for (int round = 0; round < ROUNDS; round++) {
        struct bytes head = overlay_get(&shard->overlay, FAMILY_HEAD, decision->entity);
        int64_t due_at = head.at ? shard->kind->due_at(head, &shard->arena) : 0;
        if (due_at == 0 || due_at > shard->overlay.at)
            return true;
        if (need > 0 && shard->kind->due_enough(head, need, &shard->arena))
            return true;
        if (shard->expires_left <= 0)
            return false;
        expire(shard, decision, need);
    }
    return false;
}

// An earlier request of this id on this entity. true: answered.
static bool remembered(struct shard *shard, const struct decision *decision)
{
    if (!decision->remembered.size)
        return false;
    struct bytes row = overlay_get(&shard->overlay, FAMILY_REMEMBERED, decision->remembered);
    if (!row.at) {
        if (decision->request.retry_until == 0 || decision->request.retry_until > shard->overlay.at)
            return false;
        decision_answer(shard, decision, STATUS_too_late, (struct bytes){0});
        return true;
    }
    struct remembered first;
    CHECK(record_decode(remembered_shape(), row, &first, &shard->arena));
    const char *field = !bytes_equal(first.type, decision->request.type)
                            ? "type"
                            : fingerprint_difference(decision->def->body(), first.fingerprint, decision->fingerprint);
    if (PLANTED(repeat_turned_away) && decision_turned_away(shard, decision, STATUS_ok))
        return true;
    if (!field) {
        decision_answer(shard, decision, STATUS_ok, first.reply);
        return true;
    }
    buffer_clear(&shard->scratch);
    refusal_body_write(&shard->scratch, field, status_sentence(STATUS_request_mismatch));
    decision_answer(shard, decision, STATUS_request_mismatch,
                    arena_copy(&shard->arena, buffer_bytes(&shard->scratch)));
    return true;
}

static int64_t wait_of(const struct decision *decision)
{
    const struct order_place *body = decision->body;
    return body->has_wait_ms ? body->wait_ms : 2000;
}

static void touch(struct shard *shard, const struct decision *decision)
{
    struct bytes key = decision->request.key;
    struct touched *it = NULL;
    if (!waiters_has(shard->waiters, key))
        return;
    HASH_FIND(hh, shard->touched, key.at, key.size, it);
    if (it)
        return;
    it = arena_alloc(&shard->arena, sizeof *it);
    it->key = arena_copy(&shard->arena, key);
    HASH_ADD_KEYPTR(hh, shard->touched, it->key.at, it->key.size, it);
}

static void wait_or_answer(struct shard *shard, const struct decision *decision)
{
    struct waiter waiter = {decision->in->route, decision->request.id, decision->in->flags};
    if (!shard->options.outbox)
        return;
    int64_t until = shard->overlay.at + wait_of(decision) * (PLANTED(wait_in_seconds) ? 1000000 : 1000);
    if (until == shard->overlay.at || PLANTED(nobody_waits) || !waiters_add(shard->waiters, decision->request.key, &waiter, until))
        view_answer(shard, decision->request.key, &waiter);
}

static void decide(struct shard *shard, const struct decision *decision)
{
    struct given given;
    if (remembered(shard, decision))
        return;
    handler handle = shard->kind->handlers[decision->def->type];
    CHECK(handle, "%s has no handler", decision->def->name);
    decision_load(shard, decision, &given);
    effects_reset(&shard->effects);
    enum status status = handle(&given, &shard->effects);
    if (decision_turned_away(shard, decision, status))
        return;
    decision_apply(shard, decision, status);
    if (shard->effects.wait)
        wait_or_answer(shard, decision);
    else
        decision_answer(shard, decision, status, shard->effects.reply);
    touch(shard, decision);
}

static void answer_events(struct shard *shard, const struct decision *decision)
{
    struct buffer reply;
    buffer_init(&reply);
    enum status status = shard_events_read(shard, decision->body, &reply);
    decision_answer(shard, decision, status, buffer_bytes(&reply));
    buffer_deinit(&reply);
}

static void begin(struct shard *shard, int64_t at)
{
    arena_reset(&shard->arena);
    overlay_begin(&shard->overlay, at);
    shard->turn = (struct log_turn){.at = at};
    shard->messages_capacity = shard->events_capacity = 0;
    shard->expires_left = shard->options.holds_due_max ? shard->options.holds_due_max : HOLDS_DUE_MAX;
    shard->log_read = 0;
    shard->closed = shard->options.closed ? atomic_load_explicit(shard->options.closed, memory_order_relaxed) : STATUS_ok;
}

enum turn_share { FOR_MESSAGES = 1, FOR_WAITERS = 2 /* as much again */ };

// A turn that has done as much leaves the rest to the next one. What is replayed fitted.
static bool turn_full(const struct shard *shard, enum turn_share share)
{
    const struct outbox *outbox = shard->options.outbox;
    return !shard->options.replay && ((outbox && outbox->size >= share * (size_t)LEAVES_MAX) ||
                                      shard->arena.total >= share * (size_t)MEMORY_MAX ||
                                      shard->log_read >= share * (size_t)LOG_READ_MAX);
}

// ---- views for those who wait

static void view_given(struct shard *shard, struct bytes key, struct given *given)
{
    static const struct empty nothing;
    struct decision *decision = arena_alloc(&shard->arena, sizeof *decision);
    struct incoming *in = arena_alloc(&shard->arena, sizeof *in);
    in->origin = LOG_RUNTIME;
    buffer_clear(&shard->key);
    keys_entity(&shard->key, key);
    *decision = (struct decision){.in = in,
                                  .request = {.type = BYTES("order.get"), .key = key},
                                  .def = message_by_number(MESSAGE_order_get),
                                  .body = (void *)&nothing,
                                  .entity = arena_copy(&shard->arena, buffer_bytes(&shard->key))};
    CHECK(decision->def->kind == shard->kind->id);
    shard_deciding(decision);
    decision_load(shard, decision, given);
}

bool view_at_rest(struct shard *shard, struct bytes key)
{
    struct given given;
    view_given(shard, key, &given);
    return shard->kind->at_rest(&given);
}

void view_answer(struct shard *shard, struct bytes key, const struct waiter *waiter)
{
    struct given given;
    view_given(shard, key, &given);
    effects_reset(&shard->effects);
    enum status status = shard->kind->view(&given, &shard->effects);
    outbox_reply(shard->options.outbox, waiter->route, waiter->flags, waiter->id, status, shard->effects.reply);
}

// false: the turn is full and somebody is left.
static bool answer_due(struct shard *shard, int64_t until)
{
    struct waiter waiter;
    struct bytes key;
    while (waiters_next(shard->waiters) <= until) {
        if (turn_full(shard, FOR_WAITERS))
            return false;
        CHECK(waiters_take_due(shard->waiters, until, &key, &waiter));
        view_answer(shard, arena_copy(&shard->arena, key), &waiter);
    }
    return true;
}

// Who waits for what has come to rest is due; whom this turn has no room for, the next one answers.
void waiters_settle(struct shard *shard)
{
    struct touched *it, *next;
    struct waiter waiter;
    HASH_ITER(hh, shard->touched, it, next)
    {
        HASH_DELETE(hh, shard->touched, it);
        if (!view_at_rest(shard, it->key))
            continue;
        while (!turn_full(shard, FOR_WAITERS) && waiters_take(shard->waiters, it->key, &waiter))
            view_answer(shard, it->key, &waiter);
        waiters_hasten(shard->waiters, it->key, shard->overlay.at);
    }
    answer_due(shard, shard->overlay.at + (PLANTED(wait_cut_short) ? 1000 : 0));
}

bool shard_dismiss(struct shard *shard)
{
    begin(shard, shard->at);
    bool all = answer_due(shard, INT64_MAX - 1);
    shard_deciding(NULL);
    return !all;
}

// ---- the turn

static uint64_t turn_digest(const struct log_turn *turn)
{
    uint64_t digest = 0;
    for (uint32_t i = 0; i < turn->messages_count; i++)
        digest = log_chain(digest, turn->messages[i].digest);
    return digest;
}

static void hint_events(struct shard *shard)
{
    char position[32];
    if (shard->turn.events_count == 0 || !shard->options.outbox)
        return;
    int size = snprintf(position, sizeof position, "%016llx-%04x", (unsigned long long)shard->seq,
                        shard->turn.events_count - 1);
    outbox_event(shard->options.outbox, shard->options.actor, bytes_of(position, (size_t)size));
}

static void log_put(struct shard *shard)
{
    buffer_clear(&shard->scratch);
    buffer_clear(&shard->key);
    log_turn_encode(&shard->turn, &shard->scratch);
    keys_seq(&shard->key, shard->seq + 1);
    store_put(shard->options.store, FAMILY_LOG, buffer_bytes(&shard->key), buffer_bytes(&shard->scratch));
}

static enum fault persist(struct shard *shard, struct fault_text *text)
{
    due_flush(shard, (struct bytes){0});
    if (shard->overlay.fault) {
        snprintf(text->line, sizeof text->line, "%s",
                 shard->overlay.fault == FAULT_CORRUPTION
                     ? "a row is not as it was written; restore the directory from a copy"
                     : "a row cannot be read; see the kernel's log for the disk, start it again");
        return shard->overlay.fault;
    }
    if (shard->turn.messages_count == 0) {
        CHECK(overlay_flush(&shard->overlay) == 0);
        overlay_committed(&shard->overlay);
        return FAULT_NONE;
    }
    overlay_flush(&shard->overlay);
    shard->turn.digest = turn_digest(&shard->turn);
    shard->turn.chain = log_chain(shard->chain, shard->turn.digest);
    if (!shard->options.no_log)
        log_put(shard);
    enum fault fault = store_commit(shard->options.store, text);
    if (fault)
        return fault;
    overlay_committed(&shard->overlay);
    shard->seq++;
    shard->chain = shard->turn.chain;
    hint_events(shard);
    return FAULT_NONE;
}

// What some messages touch is loaded together: all at once could be a turn of large records. Returns where it ends.
static uint32_t read_ahead(struct shard *shard, const struct incoming *incoming, struct decision *decisions,
                           uint32_t from, uint32_t count)
{
    uint32_t to = count - from < READ_AHEAD_MAX ? count : from + READ_AHEAD_MAX;
    for (uint32_t i = from; i < to; i++)
        decision_read(shard, &incoming[i], &decisions[i]);
    shard_deciding(NULL);
    overlay_fetch(&shard->overlay);
    return to;
}

// May this client be promised one more reply?
static bool has_room(const struct shard *shard, const struct decision *decision)
{
    const struct outbox *outbox = shard->options.outbox;
    return !outbox || decision->in->origin != LOG_CLIENT ||
           room_left(outbox->room, room_place(outbox->room, decision->in->route));
}

static void refuse_reply(struct shard *shard, const struct decision *decision)
{
    buffer_clear(&shard->scratch);
    pack_map(&shard->scratch, 2);
    pack_text(&shard->scratch, "message");
    pack_text(&shard->scratch, "replies wait to be read on this connection, as many as may; nothing was done");
    pack_text(&shard->scratch, "retry_after_ms");
    pack_int(&shard->scratch, READ_FIRST_MS);
    decision_answer(shard, decision, STATUS_busy, arena_copy(&shard->arena, buffer_bytes(&shard->scratch)));
}

// false: it must wait for the next turn.
static bool meet(struct shard *shard, const struct decision *decision)
{
    if (!decision->def) {
        if (decision->refused)
            decision_answer(shard, decision, decision->refused, decision->refusal);
        return true;
    }
    shard_deciding(decision);
    if (!has_room(shard, decision))
        refuse_reply(shard, decision);
    else if (decision->def->type == MESSAGE_events_read)
        answer_events(shard, decision);
    else if (due_first(shard, decision))
        decide(shard, decision);
    else
        return false;
    return true;
}

enum fault shard_turn(struct shard *shard, int64_t at, const struct incoming *incoming, uint32_t count,
                      uint32_t *consumed, struct fault_text *text)
{
    CHECK(at > shard->at, "%lld after %lld", (long long)at, (long long)shard->at);
    begin(shard, at);
    struct decision *decisions = arena_alloc(&shard->arena, (count + 1) * sizeof *decisions);
    uint32_t done = 0, read = 0;
    for (; done < count && !shard->overlay.fault; done++) {
        if (done && turn_full(shard, FOR_MESSAGES))
            break;
        if (done == read)
            read = read_ahead(shard, incoming, decisions, read, count);
        if (!meet(shard, &decisions[done]))
            break;
    }
    waiters_settle(shard);
    shard_deciding(NULL);
    enum fault fault = persist(shard, text);
    if (fault)
        return fault;
    *consumed = done;
    shard->at = at;
    shard->turns++;
    shard->messages += done;
    if (shard->options.horizon)
        atomic_store_explicit(shard->options.horizon, at, memory_order_relaxed);
    return FAULT_NONE;
}
