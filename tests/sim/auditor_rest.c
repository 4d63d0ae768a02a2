// SPDX-License-Identifier: Apache-2.0
// The whole state: souk's own audit by the provider's book, replay of all logs, what must be over at rest.
#include "tests/sim/auditor.h"

#include "cli/audit.h"
#include "cli/replay.h"
#include "codec/check.h"

#include <inttypes.h>
#include <stdio.h>

// "order/O-17"
static struct entity entity_of(const char *text)
{
    struct entity entity = {KIND_COUNT, {0}};
    const char *slash = strchr(text, '/');
    if (slash && kind_of_name(bytes_of(text, (size_t)(slash - text)), &entity.kind))
        entity.key = bytes_text(slash + 1);
    return entity;
}

static void note_violation(struct auditor *auditor, const struct violation *violation)
{
    struct entity first = entity_of(violation->keys[0]), second = {0};
    if (violation->keys_count > 1)
        second = entity_of(violation->keys[1]);
    finding_note(&auditor->finding, violation->invariant, first.kind, first.key,
                 violation->keys_count > 1 ? &second : NULL, "audit: %s", violation->message);
}

static bool same_order(const struct provider_entry *a, const struct provider_entry *b)
{
    return strcmp(a->order_id, b->order_id) == 0;
}

static bool is_first(const struct provider_sim *provider, const struct provider_entry *entry)
{
    const struct provider_entry *first = provider->book;
    while (!same_order(first, entry))
        first = first->next;
    return first == entry;
}

// All of one order, from its first entry on.
static void book_write(struct store *store, const struct provider_entry *first)
{
    struct ledger_entry entries[SANDBOX_OPERATIONS_MAX];
    struct ledger book = {.entries = entries};
    struct buffer key = {0}, value = {0};
    for (const struct provider_entry *entry = first; entry; entry = entry->next) {
        if (!same_order(entry, first))
            continue;
        CHECK(book.entries_count < SANDBOX_OPERATIONS_MAX, "%s", first->order_id);
        entries[book.entries_count++] = (struct ledger_entry){.provider_key = bytes_text(entry->key),
                                                              .operation = bytes_text(entry->operation),
                                                              .attempt = entry->attempt,
                                                              .outcome = bytes_text(entry->outcome),
                                                              .amount = entry->amount,
                                                              .method = bytes_text(entry->method),
                                                              .seen = 1,
                                                              .first_at = entry->first_at};
    }
    keys_entity(&key, bytes_text(first->order_id));
    record_encode(ledger_shape(), &book, 0, &value);
    store_put(store, FAMILY_HEAD, buffer_bytes(&key), buffer_bytes(&value));
    buffer_deinit(&key);
    buffer_deinit(&value);
}

// The book of a provider outside as the sandbox would store it, so that the audit judges by it.
static struct store *book_store(const struct provider_sim *provider)
{
    struct store *store;
    struct fault_text text;
    CHECK(store_memory_open(&(struct store_options){0}, &store, &text) == FAULT_NONE);
    for (const struct provider_entry *entry = provider->book; entry; entry = entry->next)
        if (is_first(provider, entry))
            book_write(store, entry);
    CHECK(store_commit(store, &text) == FAULT_NONE);
    return store;
}

void auditor_audit(struct auditor *auditor)
{
    struct databases databases;
    struct store *book = NULL;
    struct verdict *verdict = verdict_new();
    struct fault_text text;
    world_databases(auditor->world, &databases);
    if (auditor->provider) {
        book = book_store(auditor->provider);
        databases.owners.count[KIND_SANDBOX] = 1;
        databases.of[KIND_SANDBOX][0] = book;
    }
    struct audit_options options = {.memory_bytes = 1 << 20, .temporary = "/tmp"};
    CHECK(audit_run(&databases, &options, verdict, &text) == FAULT_NONE, "%s", text.line);
    if (!verdict_clean(verdict))
        note_violation(auditor, &verdict->violations[0]);
    auditor->coverage.audits++;
    verdict_free(&verdict);
    if (book)
        store_close(&book);
}

// ---- I11

static void judge_replay(struct auditor *auditor)
{
    struct databases databases;
    struct trouble trouble = {0};
    struct state_difference state = {0};
    world_databases(auditor->world, &databases);
    struct replay replay = {.trouble = &trouble, .history = history_open(&databases, NULL, &trouble)};
    for (int kind = 0; kind < KIND_COUNT; kind++)
        CHECK(store_memory_open(&(struct store_options){0}, &replay.stores[kind], NULL) == FAULT_NONE);
    replay.forgotten_until = INT64_MAX;
    bool equal = replay_run(&replay);
    if (trouble.fault)
        finding_note(&auditor->finding, 11, KIND_ORDER, BYTES("-"), NULL, "replay: %s", trouble.text.line);
    else if (!equal)
        finding_note(&auditor->finding, 11, replay.difference.actor.kind, BYTES("-"), NULL, "replay: %.*s",
                     BYTES_FORMAT(buffer_bytes(&replay.difference.text)));
    else if (!replay_compare(&replay, &databases, NULL, &state))
        finding_note(&auditor->finding, 11, KIND_ORDER, BYTES("-"), NULL, "replay leads elsewhere: %.*s",
                     BYTES_FORMAT(buffer_bytes(&state.text)));
    for (int kind = 0; kind < KIND_COUNT; kind++)
        store_close(&replay.stores[kind]);
    history_close(&replay.history);
    replay_deinit(&replay);
    buffer_deinit(&state.json);
    buffer_deinit(&state.text);
}

// ---- I12

static void judge_owner(struct auditor *auditor, const struct world_actor *actor, enum family family)
{
    struct store_scan *scan = store_scan_open(actor->store, family, (struct bytes){0}, (struct bytes){0}, false);
    struct bytes row, value, key, rest;
    uint16_t slot;
    enum fault fault = FAULT_NONE;
    while (store_scan_next(scan, &row, &value, &fault))
        if (!keys_read_entity(row, &slot, &key, &rest) || slot != slot_of(key) ||
            world_owner(auditor->world, actor->id.kind, key) != actor->number)
            finding_note(&auditor->finding, 12, actor->id.kind, key, NULL, "stored at %s, which does not own it",
                         actor_id_name(actor->id).text);
    store_scan_close(&scan);
}

// ---- I14, I15

static void judge_quiet(struct auditor *auditor, const struct world_actor *actor)
{
    const struct shard *shard = actor->core.shard;
    struct bytes nobody = BYTES("-");
    if (shard->weight.orders || shard->weight.lines || shard->weight.waiting || shard->weight.parked)
        finding_note(&auditor->finding, 15, actor->id.kind, nobody, NULL,
                     "at rest %" PRId64 " orders, %" PRId64 " lines, %" PRId64 " waiting, %" PRId64 " parked",
                     shard->weight.orders, shard->weight.lines, shard->weight.waiting, shard->weight.parked);
    if (waiters_count(shard->waiters))
        finding_note(&auditor->finding, 14, actor->id.kind, nobody, NULL, "at rest somebody still waits for an answer");
    const struct credit *credit = &auditor->world->lanes.at[actor->number].credit;
    if (credit->commands || credit->size)
        finding_note(&auditor->finding, 13, actor->id.kind, nobody, NULL, "at rest %" PRIu64 " commands are not given back",
                     credit->commands);
}

static void count_ends(struct auditor *auditor)
{
    struct arena arena;
    struct order record;
    arena_init(&arena);
    for (const struct model_order *order = auditor->model.orders; order; order = order->hh.next) {
        auditor->coverage.orders++;
        auditor->coverage.lines += order->lines.count;
        if (world_record(auditor->world, KIND_ORDER, FAMILY_HEAD, bytes_text(order->id), BYTES(""), order_shape(), &record,
                         &arena))
            auditor->coverage.ends[order_status_of(record.status)]++;
    }
    arena_deinit(&arena);
}

void auditor_rest(struct auditor *auditor)
{
    struct world *world = auditor->world;
    uint64_t reasks = world->reasks;
    model_compare(&auditor->model, world);
    auditor_audit(auditor);
    for (uint16_t i = 0; i < world->actors_count; i++) {
        judge_quiet(auditor, &world->actors[i]);
        for (int family = FAMILY_HEAD; family <= FAMILY_REMEMBERED; family++)
            judge_owner(auditor, &world->actors[i], (enum family)family);
        reasks += world->actors[i].core.shard->reasks;
    }
    if (reasks && !auditor->clock_jumped)
        finding_note(&auditor->finding, 14, KIND_ORDER, BYTES("-"), NULL,
                     "%" PRIu64 " messages between actors had to be asked again: one was lost", reasks);
    auditor_judge_answered(auditor);
    judge_replay(auditor);
    count_ends(auditor);
    auditor->coverage.reasks += reasks;
}
