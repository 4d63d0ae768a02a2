// SPDX-License-Identifier: Apache-2.0
#include "actors/kinds/effects.h"

#include "codec/check.h"

void effects_init(struct effects *effects, struct arena *arena)
{
    *effects = (struct effects){.arena = arena};
    buffer_init(&effects->scratch);
}

// The list's memory is a buffer's, so that growing and freeing it is written once (codec/pack.h).
static struct buffer list_memory(const struct effects *effects)
{
    return (struct buffer){(uint8_t *)effects->list, effects->count * sizeof *effects->list,
                           effects->capacity * sizeof *effects->list};
}

void effects_deinit(struct effects *effects)
{
    struct buffer memory = list_memory(effects);
    buffer_deinit(&memory);
    buffer_deinit(&effects->scratch);
    *effects = (struct effects){0};
}

void effects_reset(struct effects *effects)
{
    effects->count = 0;
    effects->reply = (struct bytes){0};
    effects->kept = false;
    effects->wait = false;
}

static struct effect *append(struct effects *effects, enum effect_type type)
{
    if (effects->count == effects->capacity) {
        struct buffer memory = list_memory(effects);
        effects->list = (struct effect *)(void *)(buffer_reserve(&memory, sizeof(struct effect)) - memory.size);
        effects->capacity = (uint32_t)(memory.capacity / sizeof(struct effect));
    }
    struct effect *effect = &effects->list[effects->count++];
    *effect = (struct effect){.type = type};
    return effect;
}

static struct bytes keep(struct effects *effects)
{
    return arena_copy(effects->arena, buffer_bytes(&effects->scratch));
}

static struct bytes encode(struct effects *effects, const struct shape *shape, const void *body)
{
    buffer_clear(&effects->scratch);
    body_encode(shape, body, &effects->scratch);
    return keep(effects);
}

void effects_put(struct effects *effects, enum place place, struct bytes child, const struct shape *shape,
                 const void *record, int64_t forget_at)
{
    CHECK(place != PLACE_DUE, "due rows are the runtime's");
    CHECK(place == PLACE_CHILD || !child.size, "place %d", (int)place);
    buffer_clear(&effects->scratch);
    record_encode(shape, record, forget_at, &effects->scratch);
    struct effect *effect = append(effects, EFFECT_PUT);
    effect->place = place;
    effect->child = arena_copy(effects->arena, child);
    effect->value = keep(effects);
}

void effects_delete(struct effects *effects, enum place place, struct bytes child)
{
    CHECK(place == PLACE_CHILD || (place == PLACE_DUE) == (child.size > 0), "place %d", (int)place);
    struct effect *effect = append(effects, EFFECT_DELETE);
    effect->place = place;
    effect->child = arena_copy(effects->arena, child);
}

void effects_send(struct effects *effects, enum message_type message, struct bytes key, const void *body)
{
    const struct message_def *def = message_by_number(message);
    CHECK(def && def->kind < KIND_COUNT && key.size > 0, "message %d", (int)message);
    struct bytes value = encode(effects, def->body(), body);
    struct effect *effect = append(effects, EFFECT_SEND);
    effect->target = (struct entity){def->kind, arena_copy(effects->arena, key)};
    effect->message = message;
    effect->value = value;
}

void effects_event(struct effects *effects, enum event_type event, const void *data)
{
    const struct event_def *def = event_by_number(event);
    CHECK(def, "event %d", (int)event);
    struct bytes value = encode(effects, def->data(), data);
    struct effect *effect = append(effects, EFFECT_EVENT);
    effect->message = event;
    effect->value = value;
}

void effects_wake(struct effects *effects, int64_t at)
{
    CHECK(at >= 0, "%lld", (long long)at);
    append(effects, EFFECT_WAKE)->at = at;
}

void effects_provider(struct effects *effects, const struct provider_operation *operation)
{
    struct bytes value = encode(effects, provider_operation_shape(), operation);
    append(effects, EFFECT_PROVIDER)->value = value;
}

void effects_due(struct effects *effects, struct bytes child, int64_t at)
{
    CHECK(child.size > 0 && at > 0, "%lld", (long long)at);
    struct effect *effect = append(effects, EFFECT_DUE);
    effect->child = arena_copy(effects->arena, child);
    effect->at = at;
}

void effects_reask(struct effects *effects)
{
    append(effects, EFFECT_REASK);
}

void effects_reply(struct effects *effects, const struct shape *shape, const void *body)
{
    CHECK(!effects->reply.size, "a message is answered once");
    effects->reply = encode(effects, shape, body);
}

void effects_refuse(struct effects *effects, const char *field, const char *message, const struct shape *facts_shape,
                    const void *facts)
{
    CHECK(!effects->reply.size && message, "a message is answered once");
    struct cursor rest = {0};
    uint32_t count = 0;
    if (facts) {
        rest = cursor_over(encode(effects, facts_shape, facts));
        CHECK(cursor_map(&rest, &count), "%s", facts_shape->name);
    }
    struct buffer *out = &effects->scratch;
    buffer_clear(out);
    pack_map(out, count + (field ? 2 : 1));
    if (field) {
        pack_text(out, "field");
        pack_text(out, field);
    }
    pack_text(out, "message");
    pack_text(out, message);
    if (count)
        pack_raw(out, bytes_of(rest.at, cursor_left(&rest)));
    effects->reply = keep(effects);
}

void effects_keep(struct effects *effects)
{
    effects->kept = true;
}

void effects_wait(struct effects *effects)
{
    effects->wait = true;
}
