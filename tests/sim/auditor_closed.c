// SPDX-License-Identifier: Apache-2.0
// While nothing new is taken: who is turned away, by which name, and that it left nothing.
#include "tests/sim/auditor.h"

#include "cli/send_line.h"
#include "codec/check.h"

void auditor_judge_closed(struct auditor *auditor, const struct world_decision *decision)
{
    if (auditor->world->closed == STATUS_ok || decision->in.origin != LOG_CLIENT || decision->def->effect != EFFECT_NEW)
        return;
    if (decision->logged)
        finding_note(&auditor->finding, 13, decision->def->kind, decision->request.key, NULL,
                     "%s (%.*s) took effect while nothing new was taken (%s)", decision->def->name,
                     BYTES_FORMAT(decision->request.id), status_name(auditor->world->closed));
}

// A hold says itself whether it was granted before.
static bool held(struct auditor *auditor, const struct auditor_request *request, int64_t at)
{
    struct inventory_reserve body;
    struct refusal refusal;
    CHECK(body_decode(inventory_reserve_shape(), request->body, &body, &auditor->arena, &refusal));
    const struct model_stock *stock = model_stock_of(&auditor->model, request->key);
    const struct model_hold *hold =
        model_hold_of(stock, arena_format(&auditor->arena, "c%.*s", BYTES_FORMAT(body.reservation_id)));
    return hold && (!hold->forget_at || hold->forget_at > at);
}

static bool known(struct auditor *auditor, const struct auditor_request *request, int64_t at)
{
    if (request->def->type == MESSAGE_order_place)
        return model_order(&auditor->model, request->key);
    if (request->def->type == MESSAGE_inventory_reserve)
        return held(auditor, request, at);
    return model_remembers(&auditor->model, request->def->kind, request->key, request->id, at);
}

static void judge_turned_away(struct auditor *auditor, const struct auditor_request *request, enum status status,
                              struct bytes body, int64_t at)
{
    enum status closed = auditor->world->closed;
    if (request->def->effect != EFFECT_NEW)
        finding_note(&auditor->finding, 13, request->def->kind, request->key, NULL, "%s (%.*s) takes nothing, and is told %s",
                     request->def->name, BYTES_FORMAT(request->id), status_name(status));
    if (status != closed)
        finding_note(&auditor->finding, 13, request->def->kind, request->key, NULL, "%s (%.*s) is told %s; it is %s",
                     request->def->name, BYTES_FORMAT(request->id), status_name(status), status_name(closed));
    if (body_number(body, "retry_after_ms", 0) <= 0)
        finding_note(&auditor->finding, 14, request->def->kind, request->key, NULL,
                     "%s (%.*s) is told %s, and not when to come again", request->def->name, BYTES_FORMAT(request->id),
                     status_name(status));
    if (known(auditor, request, at))
        finding_note(&auditor->finding, 8, request->def->kind, request->key, NULL,
                     "%s (%.*s) took effect before, and is told %s when it is said again", request->def->name,
                     BYTES_FORMAT(request->id), status_name(status));
}

void auditor_left(struct auditor *auditor, uint16_t from)
{
    const struct world_actor *actor = &auditor->world->actors[from];
    struct cursor frame = cursor_over(queue_bytes(auditor->world->pipes[from][WORLD_BROKER].last));
    struct parcel parcel;
    while (parcel_next(&frame, &parcel)) {
        struct cursor cursor = cursor_over(parcel.request);
        struct reply reply;
        enum status status;
        if (parcel.origin != PARCEL_REPLY)
            continue;
        CHECK(reply_read(&cursor, &reply) && status_of_name(reply.status, &status));
        const struct auditor_request *request = auditor_request_of(auditor, reply.id);
        if (request && (status == STATUS_storage_full || status == STATUS_clock))
            judge_turned_away(auditor, request, status, reply.body, actor->core.shard->at);
    }
}
