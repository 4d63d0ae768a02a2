// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/trace.h"

#include "cli/describe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { EFFECT_SHOWN = 220 };

bool trace_wants(const struct trace *trace, enum kind_id kind, struct bytes key)
{
    char name[160];
    if (!trace->on || !trace->keys_count)
        return trace->on;
    if (kind >= KIND_COUNT)
        return false;
    if (kind == KIND_PAYMENT || kind == KIND_SANDBOX)
        kind = KIND_ORDER; // they go by the order's name
    snprintf(name, sizeof name, "%s/%.*s", kind_name(kind), BYTES_FORMAT(key));
    for (int i = 0; i < trace->keys_count; i++)
        if (strcmp(trace->keys[i], name) == 0)
            return true;
    return false;
}

static void stamp(struct trace *trace, int64_t at)
{
    int64_t since = at - WORLD_STARTED_AT;
    buffer_printf(&trace->text, "%6" PRId64 ".%06" PRId64 "  ", since / 1000000, since % 1000000);
}

void trace_line(struct trace *trace, int64_t clock, const char *format, ...)
{
    char line[1024];
    va_list args;
    if (!trace->on)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    stamp(trace, clock);
    buffer_printf(&trace->text, "%s\n", line);
}

static bool concerns(const struct trace *trace, const struct world_decision *decision)
{
    if (trace_wants(trace, decision->actor.kind, decision->request.key))
        return true;
    return decision->in.origin == LOG_PEER && trace_wants(trace, decision->in.sender.kind, decision->in.sender.key);
}

void trace_decision(struct trace *trace, const struct world_decision *decision)
{
    struct buffer *text = &trace->text;
    struct log_message message = {.origin = decision->in.origin, .sender = decision->in.sender};
    if (!trace->on || !concerns(trace, decision))
        return;
    stamp(trace, decision->at);
    buffer_printf(text, "%s  %s %.*s from ", actor_id_name(decision->actor).text, decision->def->name,
                  BYTES_FORMAT(decision->request.key));
    describe_sender(&message, text);
    buffer_printf(text, " ");
    describe_body_short(decision->request.body, text);
    buffer_printf(text, " → %s%s\n", status_name(decision->status), decision->logged ? "" : " (nothing changed)");
    bool done = decision->status == STATUS_ok || decision->kept;
    for (uint32_t i = 0; i < decision->effects_count && done; i++) {
        struct buffer effect = {0};
        describe_effect(decision->actor.kind, &decision->effects[i], &trace->arena, &effect);
        bool cut = effect.size > EFFECT_SHOWN;
        buffer_printf(text, "                   %.*s%s\n", cut ? EFFECT_SHOWN : (int)effect.size, (const char *)effect.at,
                      cut ? "…" : "");
        buffer_deinit(&effect);
    }
    arena_reset(&trace->arena);
}

void trace_deinit(struct trace *trace)
{
    buffer_deinit(&trace->text);
    arena_deinit(&trace->arena);
}
