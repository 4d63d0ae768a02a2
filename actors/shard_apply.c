// SPDX-License-Identifier: Apache-2.0
// After the decision: what a message wants goes into the overlay (records), the outbox (messages, answers) and the
// turn's log entry with its digest. Nothing leaves from here. Actor's thread.
#include "actors/shard.h"

#include "codec/check.h"
#include "codec/planted.h"

#include <stdlib.h>
#include <uthash.h>

// What falls due on one entity by this turn.
struct due_list {
    struct bytes entity;
    struct due_hold *holds;
    uint32_t count, capacity;
    UT_hash_handle hh;
};

static enum family family_of(enum place place)
{
    switch (place) {
    case PLACE_HEAD:
        return FAMILY_HEAD;
    case PLACE_OPEN:
        return FAMILY_OPEN;
    case PLACE_CHILD:
        return FAMILY_CHILD;
    case PLACE_DUE:
        return FAMILY_DUE;
    }
    CHECK(false);
}

void shard_weigh(struct shard *shard, struct bytes record, int sign, struct arena *arena)
{
    if (!record.at)
        return;
    struct weight weight = {0};
    shard->kind->weigh(record, &weight, arena);
    shard->weight.orders += sign * weight.orders;
    shard->weight.lines += sign * weight.lines;
    shard->weight.to_ask += sign * weight.to_ask;
    shard->weight.waiting += sign * weight.waiting;
    shard->weight.to_wait += sign * weight.to_wait;
    shard->weight.parked += sign * weight.parked;
}

static void write_row(struct shard *shard, const struct decision *decision, const struct effect *effect)
{
    struct bytes key = shard_key(shard, decision->entity, effect->child);
    enum family family = family_of(effect->place);
    struct bytes value = effect->type == EFFECT_PUT ? effect->value : (struct bytes){0};
    if (family == FAMILY_OPEN) {
        shard_weigh(shard, overlay_get(&shard->overlay, family, key), -1, &shard->arena);
        shard_weigh(shard, value, 1, &shard->arena);
    }
    overlay_put(&shard->overlay, family, key, value);
}

static void send(struct shard *shard, const struct decision *decision, enum message_type message, struct bytes key,
                 struct bytes body)
{
    if (!shard->options.outbox)
        return;
    const struct message_def *def = message_by_number(message);
    struct actor_id to = {def->kind, owner_of(shard->options.owners, def->kind, slot_of(key))};
    outbox_request(shard->options.outbox, to, (struct entity){shard->kind->id, decision->request.key}, def->name, key,
                   body);
}

// The embedded sandbox is an actor; providers outside are reached by the connector's thread.
static void call_provider(struct shard *shard, const struct decision *decision, struct bytes operation)
{
    if (bytes_equal(shard->options.settings->provider, BYTES("sandbox")))
        send(shard, decision, MESSAGE_sandbox_operate, decision->request.key, operation);
    else if (shard->options.outbox)
        outbox_provider(shard->options.outbox, (struct entity){shard->kind->id, decision->request.key}, operation);
}

static void fall_due(struct shard *shard, struct bytes entity, struct bytes child, int64_t at)
{
    struct due_list *list = NULL;
    HASH_FIND(hh, shard->due, entity.at, entity.size, list);
    if (!list) {
        list = arena_alloc(&shard->arena, sizeof *list);
        list->entity = entity;
        HASH_ADD_KEYPTR(hh, shard->due, list->entity.at, list->entity.size, list);
    }
    if (list->count == list->capacity) {
        struct due_hold *more = arena_alloc(&shard->arena, (list->capacity * 2 + 8) * sizeof *more);
        if (list->count)
            memcpy(more, list->holds, list->count * sizeof *more);
        list->holds = more;
        list->capacity = list->capacity * 2 + 8;
    }
    list->holds[list->count++] = (struct due_hold){.at = at, .child = child};
}

static int due_compare(const void *a, const void *b)
{
    const struct due_hold *left = a, *right = b;
    if (left->at != right->at)
        return left->at < right->at ? -1 : 1;
    return bytes_compare(left->child, right->child);
}

static void due_write(struct shard *shard, struct due_list *list)
{
    qsort(list->holds, list->count, sizeof *list->holds, due_compare);
    struct bytes key;
    uint8_t size = list->entity.at[2];
    // Only this turn can have written such a key before, so the store need not be asked.
    for (uint64_t row = shard->seq + 1;; row += UINT64_C(1) << 48) {
        buffer_clear(&shard->key);
        keys_due(&shard->key, bytes_of(list->entity.at + 3, size), list->holds[0].at, shard->epoch, row);
        key = arena_copy(&shard->arena, buffer_bytes(&shard->key));
        if (!overlay_written(&shard->overlay, FAMILY_DUE, key))
            break;
    }
    struct due due = {.holds = list->holds, .holds_count = list->count};
    buffer_clear(&shard->scratch);
    record_encode(due_shape(), &due, 0, &shard->scratch);
    overlay_put(&shard->overlay, FAMILY_DUE, key, arena_copy(&shard->arena, buffer_bytes(&shard->scratch)));
}

void due_flush(struct shard *shard, struct bytes entity)
{
    struct due_list *list, *next;
    HASH_ITER(hh, shard->due, list, next)
    {
        if (entity.size && !bytes_equal(entity, list->entity))
            continue;
        HASH_DELETE(hh, shard->due, list);
        due_write(shard, list);
    }
}

static void digest_add(struct buffer *out, const struct effect *effect)
{
    uint8_t head[4] = {effect->type, effect->place, (uint8_t)effect->message, (uint8_t)effect->target.kind};
    buffer_append(out, head, sizeof head);
    struct bytes parts[] = {effect->child, effect->value, effect->target.key, bytes_of(&effect->at, sizeof effect->at)};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        uint32_t size = (uint32_t)parts[i].size;
        buffer_append(out, &size, sizeof size);
        if (size)
            buffer_append(out, parts[i].at, size);
    }
}

static uint64_t digest_of(struct shard *shard, enum status status)
{
    struct buffer *out = &shard->scratch;
    buffer_clear(out);
    uint8_t first = (uint8_t)status;
    buffer_append(out, &first, 1);
    buffer_append(out, shard->effects.reply.at, shard->effects.reply.size);
    for (uint32_t i = 0; i < shard->effects.count; i++)
        digest_add(out, &shard->effects.list[i]);
    return hash_of(buffer_bytes(out));
}

static void log_message(struct shard *shard, const struct decision *decision, enum status status)
{
    struct log_turn *turn = &shard->turn;
    if (turn->messages_count == shard->messages_capacity) {
        uint32_t capacity = shard->messages_capacity * 2 + 16;
        struct log_message *more = arena_alloc(&shard->arena, capacity * sizeof *more);
        if (turn->messages_count)
            memcpy(more, turn->messages, turn->messages_count * sizeof *more);
        turn->messages = more;
        shard->messages_capacity = capacity;
    }
    turn->messages[turn->messages_count++] = (struct log_message){
        decision->in->origin, decision->in->sender, decision->request.raw, digest_of(shard, status)};
}

static void log_event(struct shard *shard, const struct decision *decision, const struct effect *effect)
{
    struct log_turn *turn = &shard->turn;
    if (turn->events_count == shard->events_capacity) {
        uint32_t capacity = shard->events_capacity * 2 + 16;
        struct log_event *more = arena_alloc(&shard->arena, capacity * sizeof *more);
        if (turn->events_count)
            memcpy(more, turn->events, turn->events_count * sizeof *more);
        turn->events = more;
        shard->events_capacity = capacity;
    }
    turn->events[turn->events_count++] =
        (struct log_event){turn->messages_count, effect->message, decision->request.key, effect->value};
}

// true: it changes what is stored or told to readers.
static bool apply_one(struct shard *shard, const struct decision *decision, const struct effect *effect)
{
    switch (effect->type) {
    case EFFECT_PUT:
    case EFFECT_DELETE:
        write_row(shard, decision, effect);
        return true;
    case EFFECT_SEND:
        send(shard, decision, effect->message, effect->target.key, effect->value);
        return false;
    case EFFECT_EVENT:
        log_event(shard, decision, effect);
        return true;
    case EFFECT_WAKE:
        if (!shard->options.replay)
            timers_set(shard->timers, decision->request.key, effect->at);
        return false;
    case EFFECT_PROVIDER:
        call_provider(shard, decision, effect->value);
        return false;
    case EFFECT_DUE:
        fall_due(shard, decision->entity, effect->child, effect->at);
        return true;
    case EFFECT_REASK: // who waits for an entity in quarantine rightly asks again
        shard->reasks += !shard->confined;
        return false;
    }
    CHECK(false);
}

static void remember(struct shard *shard, const struct decision *decision)
{
    int64_t until = decision->request.retry_until;
    struct remembered row = {.fingerprint = decision->fingerprint,
                             .type = decision->request.type,
                             .reply = shard->effects.reply};
    buffer_clear(&shard->scratch);
    record_encode(remembered_shape(), &row, until > 0 ? until : shard_remembers_until(shard), &shard->scratch);
    overlay_put(&shard->overlay, FAMILY_REMEMBERED, decision->remembered,
                arena_copy(&shard->arena, buffer_bytes(&shard->scratch)));
}

void decision_apply(struct shard *shard, const struct decision *decision, enum status status)
{
    bool changed = false;
    if (status == STATUS_ok || shard->effects.kept)
        for (uint32_t i = 0; i < shard->effects.count; i++)
            changed |= apply_one(shard, decision, &shard->effects.list[i]);
    if (status == STATUS_ok && decision->remembered.size && !PLANTED(forget_reply)) {
        remember(shard, decision);
        changed = true;
    }
    if (changed && !(PLANTED(ending_not_logged) && decision->def->type == MESSAGE_inventory_expire))
        log_message(shard, decision, status);
    if (shard->options.witness)
        shard->options.witness(shard->options.witness_context, decision->in, status, &shard->effects, changed);
}

// A peer's request is answered by the `answer` message of its kind.
static void answer_peer(struct shard *shard, const struct decision *decision, enum status status, struct bytes body)
{
    struct entity to = decision->in->sender;
    if (decision->def->reply == no_answer_shape || !shard->options.outbox)
        return;
    CHECK(to.kind == KIND_ORDER, "%s from %s", decision->def->name, kind_name(to.kind));
    struct answer answer = {.re = bytes_text(decision->def->name),
                            .key = decision->request.key,
                            .status = bytes_text(status_name(status)),
                            .body = body};
    buffer_clear(&shard->scratch);
    body_encode(answer_shape(), &answer, &shard->scratch);
    send(shard, decision, MESSAGE_order_answer, to.key, buffer_bytes(&shard->scratch));
}

void decision_answer(struct shard *shard, const struct decision *decision, enum status status, struct bytes body)
{
    if (!body.size) {
        buffer_clear(&shard->scratch);
        if (status == STATUS_ok)
            pack_map(&shard->scratch, 0);
        else
            refusal_body_write(&shard->scratch, NULL, status_sentence(status));
        body = arena_copy(&shard->arena, buffer_bytes(&shard->scratch));
    }
    const struct incoming *in = decision->in;
    if (in->origin == LOG_PEER)
        answer_peer(shard, decision, status, body);
    if (in->origin == LOG_CLIENT && shard->options.outbox)
        outbox_reply(shard->options.outbox, in->route, in->flags, decision->request.id, status, body);
}

static const char *closed_sentence(enum status status)
{
    CHECK(status == STATUS_storage_full || status == STATUS_clock, "%s", status_name(status));
    if (status == STATUS_storage_full)
        return "the node's disk is nearly full: what is open goes on, nothing new is taken until there is more room than "
               "store.free_min_mb";
    return "the node's clock has stepped: what is open goes on, nothing new is taken until an operator has looked "
           "at it and says `souk clock accept`, or sets it right";
}

bool decision_turned_away(struct shard *shard, const struct decision *decision, enum status status)
{
    enum { RETRY_AFTER_MS = 1000 };
    bool decided = status == STATUS_ok || shard->effects.kept;
    bool changes = shard->effects.count > 0 || (status == STATUS_ok && decision->remembered.size);
    bool client = decision->in->origin == LOG_CLIENT || PLANTED(order_turned_away);
    if (shard->closed == STATUS_ok || decision->def->effect != EFFECT_NEW || !client || !decided || !changes)
        return false;
    if (PLANTED(turned_away_and_done))
        decision_apply(shard, decision, status);
    effects_reset(&shard->effects);
    buffer_clear(&shard->scratch);
    pack_map(&shard->scratch, 2);
    pack_text(&shard->scratch, "message");
    pack_text(&shard->scratch, closed_sentence(shard->closed));
    pack_text(&shard->scratch, "retry_after_ms");
    pack_int(&shard->scratch, RETRY_AFTER_MS);
    decision_answer(shard, decision, shard->closed, arena_copy(&shard->arena, buffer_bytes(&shard->scratch)));
    return true;
}
