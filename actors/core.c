// SPDX-License-Identifier: Apache-2.0
#include "actors/core.h"

#include "codec/check.h"
#include "codec/planted.h"

#include <stdlib.h>

enum { TURN_SIZE_MAX = 4 * 1024 * 1024 };

// ---- select

static void select_bytes(struct core *core, struct bytes request)
{
    core->list[core->count++] = (struct incoming){.origin = LOG_RUNTIME, .request = request};
}

// How many more lines may be asked; orders not resumed yet count as open, but nothing of theirs is asked.
static int64_t lines_room(const struct core *core)
{
    const struct weight *open = &core->shard->weight;
    return core->options.shard.settings->lines_in_flight_max - (open->lines + open->to_ask - core->lines_left);
}

// As many as there is room for, should each be of an order as long as may be.
static uint32_t timers_max(const struct core *core)
{
    int64_t room = lines_room(core), max = room / core->options.shard.settings->order_lines_max;
    if (!core->options.shard.kind->wake_at) // its timers ask no lines
        return CORE_TIMERS_MAX;
    if (room <= 0)
        return 0;
    return max < 1 ? 1 : max < CORE_TIMERS_MAX ? (uint32_t)max : CORE_TIMERS_MAX;
}

static void select_timers(struct core *core, int64_t now, uint32_t max)
{
    uint32_t count = shard_timers(core->shard, now, max, &core->timers, core->timer_ends);
    size_t from = 0;
    for (uint32_t i = 0; i < count; i++) {
        select_bytes(core, bytes_of(core->timers.at + from, core->timer_ends[i] - from));
        from = core->timer_ends[i];
    }
}

static void select_one_resume(struct core *core)
{
    struct bytes request;
    int64_t lines;
    CHECK(cursor_skip(&core->resume_left, &request));
    memcpy(&lines, core->resume_lines.at + core->resumed++ * sizeof lines, sizeof lines);
    core->lines_left -= lines;
    select_bytes(core, request);
}

static void select_resume(struct core *core, uint32_t max)
{
    while (core->count < max && cursor_left(&core->resume_left) > 0 && lines_room(core) > 0)
        select_one_resume(core);
}

static void select_lane(struct core *core, enum inbox_lane lane, uint32_t max, size_t *size)
{
    const struct core_wires *wires = &core->options.wires;
    struct parcel parcel;
    while (core->count < max && *size < TURN_SIZE_MAX && wires->take(wires->context, lane, &parcel)) {
        struct incoming *in = &core->list[core->count++];
        *in = (struct incoming){.origin = LOG_CLIENT, .flags = parcel.flags, .request = parcel.request};
        if (lane == INBOX_PEERS) {
            in->origin = LOG_PEER;
            in->sender = (struct entity){parcel.route_kind, parcel.route};
        } else {
            in->route = parcel.route;
        }
        *size += parcel.request.size;
    }
    if (PLANTED(peer_message_dropped) && lane == INBOX_PEERS && core->count == max)
        wires->take(wires->context, lane, &parcel);
}

static void select_new(struct core *core, int64_t now)
{
    uint32_t max = core->options.turn_messages_max;
    size_t size = 0;
    core->options.wires.release(core->options.wires.context);
    buffer_clear(&core->timers);
    select_timers(core, now, timers_max(core));
    select_resume(core, max - max / 2);
    select_lane(core, INBOX_PEERS, max - max / 4, &size);
    select_lane(core, INBOX_CLIENTS, max, &size);
    select_lane(core, INBOX_PEERS, max, &size);
    if (core->count || now < core->moved_at + CORE_PATIENCE_US)
        return;
    if (cursor_left(&core->resume_left) > 0)
        select_one_resume(core);
    else
        select_timers(core, now, 1);
}

// What is for an entity that messages put aside are for as well goes behind them.
static void queue_up(struct core *core)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < core->count; i++) {
        if (aside_holds_up(core->aside, core->list[i].request))
            aside_add(core->aside, &core->list[i]);
        else
            core->list[count++] = core->list[i];
    }
    core->count = count;
}

bool core_select(struct core *core, int64_t now)
{
    core->count = 0;
    core->aside_now = !core->aside_now && aside_count(core->aside);
    if (!core->aside_now) {
        select_new(core, now);
        queue_up(core);
        core->aside_now = !core->count && aside_count(core->aside);
    }
    if (core->aside_now)
        core->count = aside_first(core->aside, core->options.turn_messages_max, core->list);
    if (core->count)
        core->moved_at = now;
    return core->count || waiters_next(core->shard->waiters) <= now;
}

// ---- turn, deliver

void core_deliver(struct core *core)
{
    if (core->credit.commands)
        outbox_credit(&core->outbox, &core->credit);
    core->options.wires.deliver(core->options.wires.context, &core->outbox);
    core->credit = (struct parcel_credit){.actor = core->options.number};
    outbox_clear(&core->outbox);
}

static void spend_credit(struct core *core, uint32_t consumed)
{
    for (uint32_t i = PLANTED(credit_lost); i < consumed; i++) {
        if (core->list[i].origin != LOG_CLIENT)
            continue;
        core->credit.commands++;
        core->credit.size += core->list[i].request.size;
    }
}

// Where a turn could not go on with an entity, others come first in the next.
static void put_aside(struct core *core, uint32_t consumed)
{
    if (core->aside_now)
        aside_drop(core->aside, consumed);
    for (uint32_t i = consumed; i < core->count && !core->aside_now; i++)
        aside_add(core->aside, &core->list[i]);
    if (core->aside_now && consumed < core->count)
        aside_rotate(core->aside);
    core->count = 0;
}

enum fault core_turn(struct core *core, int64_t now, struct fault_text *text)
{
    uint32_t consumed = 0;
    enum fault fault = shard_turn(core->shard, shard_time(core->shard, now), core->list, core->count, &consumed, text);
    if (fault && PLANTED(reply_before_sync))
        core_deliver(core);
    if (fault)
        return fault;
    spend_credit(core, consumed);
    put_aside(core, consumed);
    core_deliver(core);
    return FAULT_NONE;
}

int64_t core_next(const struct core *core)
{
    bool resumes = cursor_left(&core->resume_left) > 0, room = lines_room(core) > 0;
    if (aside_count(core->aside) || (resumes && room))
        return INT64_MIN;
    int64_t patient = core->moved_at + CORE_PATIENCE_US, waiter = waiters_next(core->shard->waiters);
    int64_t own = resumes ? patient : timers_next(core->shard->timers);
    if (!room && own < patient)
        own = patient;
    return own < waiter ? own : waiter;
}

// ---- opening and closing

static enum fault open_shard(struct core *core)
{
    struct arena arena;
    arena_init(&arena);
    enum fault fault = log_tail(core->options.shard.store, &core->options.shard.tail, &arena);
    if (fault == FAULT_NONE)
        fault = shard_open(&core->options.shard, &core->shard);
    arena_deinit(&arena);
    return fault;
}

enum fault core_open(struct core *core, const struct core_options *options)
{
    *core = (struct core){.options = *options, .credit = {.actor = options->number}};
    core->list = calloc(options->turn_messages_max + CORE_TIMERS_MAX, sizeof *core->list);
    CHECK(core->list);
    core->aside = aside_new();
    outbox_init(&core->outbox);
    core->outbox.room = options->room;
    core->options.shard.outbox = &core->outbox;
    return open_shard(core);
}

enum fault core_begin(struct core *core, const struct log_epoch *epoch, struct fault_text *text)
{
    text->line[0] = '\0';
    enum fault fault = shard_begin_epoch(core->shard, epoch, text);
    if (fault == FAULT_NONE && !PLANTED(not_asked_again))
        shard_resume(core->shard, &core->resume, &core->resume_lines, &fault);
    for (size_t at = 0, one = sizeof core->lines_left; at < core->resume_lines.size; at += one) {
        int64_t lines;
        memcpy(&lines, core->resume_lines.at + at, one);
        core->lines_left += lines;
    }
    core->resume_left = cursor_over(buffer_bytes(&core->resume));
    return fault;
}

void core_close(struct core *core)
{
    shard_close(&core->shard);
    aside_free(&core->aside);
    outbox_deinit(&core->outbox);
    buffer_deinit(&core->timers);
    buffer_deinit(&core->resume);
    buffer_deinit(&core->resume_lines);
    free(core->list);
    core->list = NULL;
}
