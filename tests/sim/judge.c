// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/judge.h"

#include "cli/audit.h"
#include "cli/replay.h"
#include "codec/check.h"

#include <inttypes.h>

static bool is(const char *text, const char *const list[])
{
    for (; *list; list++)
        if (strcmp(text, *list) == 0)
            return true;
    return false;
}

// ---- rest

static uint64_t reasks(const struct world *world)
{
    uint64_t count = world->reasks;
    for (uint16_t i = 0; i < world->actors_count; i++)
        count += world->actors[i].core.shard->reasks;
    return count;
}

static void judge_rest(struct story *story)
{
    for (const struct said *said = story->said; said; said = said->next)
        story_expect(story, said->status[0], "%s %s of %s was never answered", said->def->name, said->key, said->who);
    story_expect(story, story->has_stalled || reasks(story->world) == 0, "the safety timer asked again");
    model_compare(&story->model, story->world);
    story_expect(story, !story->finding.found, "I%d %s: %s", story->finding.invariant, story->finding.keys[0],
                 story->finding.text);
}

// ---- promises

static bool view_of(struct story *story, const struct said *said, struct bytes body, struct order_placed *view)
{
    struct refusal refusal;
    return said->def->type == MESSAGE_order_place && body.size &&
           body_decode_lenient(order_placed_shape(), body, view, &story->arena, &refusal);
}

static bool may_become(const char *was, const char *is_now)
{
    static const char *const after_confirmed[] = {"confirmed", "shipped", "delivered", "cancelling", "cancelled", NULL};
    static const char *const after_cancelling[] = {"cancelled", NULL};
    static const char *const open[] = {"created", "inventory_reserved", "payment_authorized", "payment_action_required",
                                       NULL};
    if (is(was, open) || strcmp(was, is_now) == 0)
        return true;
    if (strcmp(was, "cancelling") == 0)
        return is(is_now, after_cancelling);
    return is(was, after_confirmed) && is(is_now, after_confirmed);
}

static void judge_promises(struct story *story)
{
    struct order_placed view;
    for (const struct said *said = story->said; said; said = said->next) {
        if (!view_of(story, said, said->body, &view))
            continue;
        const char *was = arena_format(&story->arena, "%.*s", BYTES_FORMAT(view.status));
        const char *is_now = story_order_status(story, said->key);
        story_expect(story, may_become(was, is_now), "%s was told %s of %s, and it is %s", said->who, was, said->key,
                     is_now);
    }
}

// ---- repeats

static bool same_total(const struct order_placed *was, const struct order_placed *now)
{
    return !was->has_total ||
           (now->has_total && money_same_currency(was->total, now->total) && was->total.amount == now->total.amount);
}

void judge_repeat(struct story *story, const struct said *said, struct bytes status, struct bytes body)
{
    struct order_placed was, now;
    bool ok = strcmp(said->status, "ok") == 0, same = bytes_equal(status, bytes_text(said->status));
    if (view_of(story, said, said->body, &was) && view_of(story, said, body, &now))
        story_expect(story, (ok || same) && same_total(&was, &now), "%s was placed again: %.*s, was %s", said->key,
                     BYTES_FORMAT(status), said->status);
    else if (ok)
        story_expect(story, same, "%s %s said again: %.*s, was ok", said->def->name, said->key, BYTES_FORMAT(status));
    if (ok && said->def->once == ONCE_BY_REQUEST)
        story_expect(story, bytes_equal(body, said->body), "%s %s said again has another answer", said->def->name,
                     said->key);
}

// Oldest first. An extension counts from the time it is said; a read promises nothing.
static void say_again(struct story *story, const struct said *said)
{
    int64_t remembered = story->world->options.settings.remember_hours * HOUR;
    if (!said)
        return;
    say_again(story, said->next);
    if (said->def->effect == EFFECT_READ || said->def->type == MESSAGE_inventory_extend || !said->status[0] ||
        said->at + remembered <= story->world->clock)
        return;
    world_receive(story->world, bytes_text(said->who), said->frame);
}

static void judge_repeats(struct story *story)
{
    story->repeating = true;
    say_again(story, story->said);
    story_pass(story, MINUTE);
}

// ---- audit and replay

static void judge_audit(struct story *story)
{
    struct databases databases;
    struct fault_text text = {0};
    struct audit_options options = {.memory_bytes = 1 << 20, .temporary = "/tmp"};
    struct verdict *verdict = verdict_new();
    world_databases(story->world, &databases);
    CHECK(audit_run(&databases, &options, verdict, &text) == FAULT_NONE, "%s", text.line);
    for (uint64_t i = 0; i < verdict->violations_count && i < VIOLATIONS_MAX; i++) {
        const struct violation *violation = &verdict->violations[i];
        bool other_book = story->def->outside && violation->invariant == 7; // it compares with the sandbox's
        story_expect(story, other_book, "audit: I%d %s: %s", violation->invariant, violation->keys[0],
                     violation->message);
    }
    story_expect(story, verdict->open_orders == 0, "audit: %" PRIu64 " orders are open", verdict->open_orders);
    verdict_free(&verdict);
}

static void judge_replay(struct story *story)
{
    struct databases databases;
    struct trouble trouble = {0};
    struct state_difference difference = {0};
    struct store_options options = {0};
    world_databases(story->world, &databases);
    struct replay replay = {.trouble = &trouble, .history = history_open(&databases, NULL, &trouble)};
    for (int kind = 0; kind < KIND_COUNT; kind++)
        CHECK(store_memory_open(&options, &replay.stores[kind], NULL) == FAULT_NONE);
    if (!replay_run(&replay))
        story_expect(story, false, "replay: %s %.*s", trouble.text.line,
                     BYTES_FORMAT(buffer_bytes(&replay.difference.text)));
    else if (!replay_compare(&replay, &databases, NULL, &difference))
        story_expect(story, false, "replay: %.*s", BYTES_FORMAT(buffer_bytes(&difference.text)));
    for (int kind = 0; kind < KIND_COUNT; kind++)
        store_close(&replay.stores[kind]);
    history_close(&replay.history);
    replay_deinit(&replay);
    buffer_deinit(&difference.json);
    buffer_deinit(&difference.text);
}

void story_judge(struct story *story)
{
    judge_promises(story);
    judge_repeats(story);
    judge_rest(story);
    judge_audit(story);
    judge_replay(story);
}
