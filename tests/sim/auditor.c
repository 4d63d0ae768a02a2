// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/auditor.h"

#include "codec/check.h"

#include <inttypes.h>

void auditor_init(struct auditor *auditor, struct world *world, const struct provider_sim *provider)
{
    *auditor = (struct auditor){.world = world, .provider = provider, .audit_every = UINT64_MAX};
    auditor->turns_to_audit = UINT64_MAX;
    arena_init(&auditor->arena);
    model_init(&auditor->model, &world->options.settings, provider, &auditor->finding);
    isolation_init(&auditor->isolation, world, &auditor->finding);
}

void auditor_deinit(struct auditor *auditor)
{
    HASH_CLEAR(hh, auditor->requests);
    HASH_CLEAR(hh, auditor->orders);
    isolation_deinit(&auditor->isolation);
    model_deinit(&auditor->model);
    trace_deinit(&auditor->trace);
    arena_deinit(&auditor->arena);
}

// ---- requests

struct auditor_request *auditor_request_of(const struct auditor *auditor, struct bytes id)
{
    struct auditor_request *request = NULL;
    HASH_FIND(hh, auditor->requests, id.at, id.size, request);
    return request;
}

void auditor_sent(struct auditor *auditor, struct bytes bytes)
{
    struct cursor cursor = cursor_over(arena_copy(&auditor->arena, bytes));
    struct request request;
    struct envelope_refusal refusal;
    CHECK(request_read(&cursor, &request, &refusal), "%s", refusal.message);
    CHECK(!auditor_request_of(auditor, request.id), "%.*s", BYTES_FORMAT(request.id));
    struct auditor_request *it = arena_alloc(&auditor->arena, sizeof *it);
    *it = (struct auditor_request){
        .def = message_by_name(request.type), .id = request.id, .key = request.key, .body = request.body};
    HASH_ADD_KEYPTR(hh, auditor->requests, it->id.at, it->id.size, it);
    auditor->coverage.requests++;
}

void auditor_arrived(struct auditor *auditor, struct bytes route, const struct request *arrived)
{
    struct auditor_request *request = auditor_request_of(auditor, arrived->id);
    if (!request)
        return;
    if (!request->route.size)
        request->route = arena_copy(&auditor->arena, route);
    bool same = bytes_equal(arrived->type, bytes_text(request->def->name)) && bytes_equal(arrived->body, request->body);
    *(same ? &request->outstanding : &request->others) += 1;
}

void auditor_crashed(struct auditor *auditor)
{
    for (struct auditor_request *it = auditor->requests; it; it = it->hh.next)
        it->outstanding = it->others = 0;
    auditor->coverage.crashes_amid_endings += auditor->amid_endings;
    auditor->amid_endings = false;
    auditor->awaited = NULL;
    auditor->busy_passed_on = 0;
    memset(auditor->in_flight, 0, sizeof auditor->in_flight);
    auditor->coverage.deaths[auditor->world->death]++;
    auditor->coverage.crashes++;
    trace_line(&auditor->trace, auditor->world->clock, "──── %s", world_death_names[auditor->world->death]);
}

void auditor_judge_answered(struct auditor *auditor)
{
    for (struct auditor_request *it = auditor->requests; it; it = it->hh.next) // I14
        if (it->outstanding || it->others)
            finding_note(&auditor->finding, 14, it->def->kind, it->key, NULL, "%s (%.*s) arrived and was never answered",
                         it->def->name, BYTES_FORMAT(it->id));
}

// ---- decisions and turns

void auditor_decided(struct auditor *auditor, const struct world_decision *decision)
{
    trace_decision(&auditor->trace, decision);
    isolation_decided(&auditor->isolation, decision);
    model_decided(&auditor->model, decision);
    auditor_judge_closed(auditor, decision);
    if (decision->actor.kind != KIND_ORDER)
        return;
    struct seen_order *order = seen_order(&auditor->orders, decision->request.key, &auditor->arena);
    coverage_decided(&auditor->coverage, decision, order->step);
    auditor_busy_decided(auditor, decision);
    seen_decided(order, decision, &auditor->arena);
    auditor_place_decided(auditor, decision);
}

// I10: what is delivered now is in the log.
static void judge_log(struct auditor *auditor, const struct world_actor *actor)
{
    const struct shard *shard = actor->core.shard;
    struct buffer key = {0};
    struct bytes value;
    struct arena arena;
    arena_init(&arena);
    keys_seq(&key, shard->seq);
    struct store_key row = {FAMILY_LOG, buffer_bytes(&key)};
    bool committed = store_counts(actor->store).commits > actor->commits;
    if (shard->turn.messages_count && (!committed || store_get(actor->store, 1, &row, &value, &arena) || !value.at)) {
        const struct world_decision *first = auditor->world->decisions;
        finding_note(&auditor->finding, 10, actor->id.kind, first->request.key, NULL,
                     "a turn of %s is delivered and not in the log", actor_id_name(actor->id).text);
    }
    buffer_deinit(&key);
    arena_deinit(&arena);
}

// I13
static void judge_ended(struct auditor *auditor, const struct world_actor *actor)
{
    const struct world *world = auditor->world;
    uint32_t most = world->options.holds_due_max ? world->options.holds_due_max : HOLDS_DUE_MAX, ended = 0;
    for (uint32_t i = 0; i < world->decisions_count; i++)
        for (uint32_t j = 0; j < world->decisions[i].effects_count; j++)
            ended += world->decisions[i].def->type == MESSAGE_inventory_expire &&
                     world->decisions[i].effects[j].type == EFFECT_PUT &&
                     world->decisions[i].effects[j].place == PLACE_CHILD;
    auditor->coverage.full_endings += ended == most;
    auditor->coverage.endings += ended;
    auditor->amid_endings = ended ? ended == most : auditor->amid_endings;
    if (ended > most)
        finding_note(&auditor->finding, 13, actor->id.kind, BYTES("-"), NULL,
                     "%u holds end in one turn, at most %u may", ended, most);
}

static void judge_bounds(struct auditor *auditor, const struct world_actor *actor)
{
    const struct shard *shard = actor->core.shard;
    struct bytes nobody = BYTES("-");
    if (waiters_count(shard->waiters) > shard->options.waiters_max)
        finding_note(&auditor->finding, 13, actor->id.kind, nobody, NULL, "%u wait, at most %u may",
                     waiters_count(shard->waiters), shard->options.waiters_max);
    if (actor->lanes[INBOX_CLIENTS].count > auditor->world->lanes.at[actor->number].credit.commands_max)
        finding_note(&auditor->finding, 13, actor->id.kind, nobody, NULL, "the inbox holds more than its credit");
}

void auditor_turned(struct auditor *auditor, uint16_t number)
{
    struct world *world = auditor->world;
    const struct world_actor *actor = &world->actors[number];
    struct bytes last = {0};
    judge_log(auditor, actor);
    judge_bounds(auditor, actor);
    if (actor->id.kind == KIND_INVENTORY)
        judge_ended(auditor, actor);
    auditor_place_turned(auditor, actor);
    auditor_busy_turned(auditor, actor);
    for (uint32_t i = 0; i < world->decisions_count && actor->id.kind == KIND_INVENTORY; i++) {
        struct bytes sku = world->decisions[i].request.key;
        if (world->decisions[i].logged && !bytes_equal(sku, last))
            model_compare_sku(&auditor->model, world, sku);
        last = sku;
    }
    if (auditor->each_turn > 0)
        auditor->each_turn--;
    else if (auditor->turns_to_audit-- > 0)
        return;
    else
        auditor->turns_to_audit = auditor->audit_every;
    auditor_audit(auditor);
}

// ---- answers

static bool is_recorded_refusal(enum status status)
{
    return status == STATUS_insufficient_stock || status == STATUS_payment_declined ||
           status == STATUS_reservation_expired || status == STATUS_cancelled || status == STATUS_rejected ||
           status == STATUS_cart_claimed || status == STATUS_price_changed;
}

bool auditor_is_view(enum status status)
{
    return status == STATUS_ok || is_recorded_refusal(status);
}

bool auditor_next_reply(struct cursor *frame, struct reply *reply)
{
    struct parcel parcel;
    while (parcel_next(frame, &parcel)) {
        struct cursor cursor = cursor_over(parcel.request);
        if (parcel.origin == PARCEL_REPLY && reply_read(&cursor, reply))
            return true;
    }
    return false;
}

static void judge_place(struct auditor *auditor, const struct auditor_request *request, enum status status,
                        struct bytes body)
{
    const struct model_order *order = model_order(&auditor->model, request->key);
    struct order_placed view;
    struct refusal refusal;
    if (!order && auditor_is_view(status))
        finding_note(&auditor->finding, 10, KIND_ORDER, request->key, NULL, "answered %s, but nothing was decided",
                     status_name(status));
    if (!order)
        return;
    if (is_recorded_refusal(status) && !order->refused)
        model_gave_back(&auditor->model, order);
    if (status == STATUS_ok && body_decode_lenient(order_placed_shape(), body, &view, &auditor->arena, &refusal) &&
        bytes_equal(view.status, BYTES("confirmed")) && !order->confirmed)
        finding_note(&auditor->finding, 10, KIND_ORDER, request->key, NULL, "answered confirmed, but it is not");
}

static void judge_acknowledged(struct auditor *auditor, const struct auditor_request *request)
{
    const struct model_order *order =
        request->def->kind == KIND_ORDER ? model_order(&auditor->model, request->key) : NULL;
    if (request->def->once == ONCE_BY_REQUEST &&
        !model_took_effect(&auditor->model, request->def->kind, request->key, request->id))
        finding_note(&auditor->finding, 10, request->def->kind, request->key, NULL,
                     "%s (%.*s) was answered ok, but nothing was decided", request->def->name,
                     BYTES_FORMAT(request->id));
    if (request->def->type == MESSAGE_order_cancel && order && !order->cancel)
        finding_note(&auditor->finding, 10, KIND_ORDER, request->key, NULL, "a cancel was answered ok and not decided");
    if (request->def->type == MESSAGE_order_ship && order && !order->shipped)
        finding_note(&auditor->finding, 10, KIND_ORDER, request->key, NULL, "answered shipped, but it is not");
}

// Is what is answered once answered so for ever (while it is remembered)?
static bool repeats(const struct auditor_request *request, enum status status)
{
    if (request->def->type == MESSAGE_order_place)
        return is_recorded_refusal(status);
    bool by_id = request->def->type == MESSAGE_inventory_reserve || request->def->type == MESSAGE_inventory_commit ||
                 request->def->type == MESSAGE_inventory_release;
    return status == STATUS_ok && (by_id || request->def->once == ONCE_BY_REQUEST);
}

static void judge_same(struct auditor *auditor, struct auditor_request *request, enum status status, struct bytes body)
{
    int64_t remembered = auditor->world->options.settings.remember_hours * INT64_C(3600000000);
    bool by_time = request->def->type != MESSAGE_order_place && request->def->once == ONCE_BY_ID;
    if (!repeats(request, status))
        return;
    uint32_t times = model_took_effect(&auditor->model, request->def->kind, request->key, request->id);
    bool forgotten = by_time ? auditor->world->clock - request->at >= remembered : times > 1;
    if (!request->answered.at || forgotten) {
        request->answered = arena_copy(&auditor->arena, body);
        request->status = status;
        request->at = auditor->world->clock;
    } else if (status != request->status || !bytes_equal(body, request->answered)) {
        finding_note(&auditor->finding, 8, request->def->kind, request->key, NULL,
                     "%s (%.*s) was answered differently the second time", request->def->name,
                     BYTES_FORMAT(request->id));
    }
}

void auditor_replied(struct auditor *auditor, struct bytes route, struct bytes id, struct bytes name, struct bytes body)
{
    struct auditor_request *request = auditor_request_of(auditor, id);
    enum status status;
    CHECK(status_of_name(name, &status), "%.*s", BYTES_FORMAT(name));
    auditor->coverage.replies++;
    auditor->coverage.statuses[status]++;
    if (!request)
        return;
    if (!bytes_equal(route, request->route))
        finding_note(&auditor->finding, 14, request->def->kind, request->key, NULL, "%s (%.*s) of %.*s is answered to %.*s",
                     request->def->name, BYTES_FORMAT(id), BYTES_FORMAT(request->route), BYTES_FORMAT(route));
    if (status == STATUS_busy)
        auditor_busy_replied(auditor, request->def, request->key);
    if (trace_wants(&auditor->trace, request->def->kind, request->key))
        trace_line(&auditor->trace, auditor->world->clock, "answer to %s %.*s (%.*s): %.*s", request->def->name,
                   BYTES_FORMAT(request->key), BYTES_FORMAT(id), BYTES_FORMAT(name));
    isolation_replied(&auditor->isolation, request->def->kind, request->key, status);
    // Which of the two was sent again later nobody can tell, so it is taken for the other one: then an ok without a copy
    // of the first under way is the other's.
    bool unclear = status_transient(status) || status == STATUS_request_mismatch;
    bool other = request->others && (unclear || !request->outstanding);
    *(other ? &request->others : &request->outstanding) -= 1;
    if (other && status == STATUS_ok && model_took_effect(&auditor->model, request->def->kind, request->key, id) == 1)
        finding_note(&auditor->finding, 8, request->def->kind, request->key, NULL,
                     "%s (%.*s) with other content was answered ok", request->def->name, BYTES_FORMAT(id));
    if (other)
        return;
    if (request->outstanding == UINT32_MAX)
        finding_note(&auditor->finding, 14, request->def->kind, request->key, NULL, "%s (%.*s) was answered twice",
                     request->def->name, BYTES_FORMAT(id));
    if (request->def->type == MESSAGE_order_place)
        judge_place(auditor, request, status, body);
    if (status == STATUS_ok)
        judge_acknowledged(auditor, request);
    judge_same(auditor, request, status, body);
}
