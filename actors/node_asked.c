// SPDX-License-Identifier: Apache-2.0
// What the broker asks a node, for clients and for operators: who owns a slot, the status, a snapshot, the clock. The
// broker's thread.
#include "actors/node_state.h"

#include "codec/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

// ---- the broker's callbacks

uint16_t node_owner(void *context, enum kind_id kind, uint16_t slot)
{
    return owner_of(&((struct node *)context)->epoch.owners, kind, slot);
}

static int64_t read_count(const _Atomic uint64_t *count)
{
    return (int64_t)atomic_load_explicit(count, memory_order_relaxed);
}

void node_status(void *context, struct bytes dropped, struct buffer *body)
{
    struct node *node = context;
    struct actor_view views[KIND_COUNT * ACTORS_MAX];
    struct actor_name names[KIND_COUNT * ACTORS_MAX];
    struct status_view view = {.build = bytes_text(node->options.build),
                               .epoch = (int64_t)node->epoch.number,
                               .dropped = dropped,
                               .actors = views};
    EACH_ACTOR(node, kind, index)
    {
        const struct actor_stats *stats = actor_stats(node->actors[kind][index]);
        uint32_t at = view.actors_count++;
        names[at] = actor_id_name((struct actor_id){kind, (uint16_t)index});
        views[at] = (struct actor_view){.name = bytes_text(names[at].text),
                                        .turns = read_count(&stats->turns),
                                        .inbox = read_count(&stats->inbox),
                                        .messages = read_count(&stats->messages),
                                        .puts = read_count(&stats->puts),
                                        .deletes = read_count(&stats->deletes),
                                        .bytes = read_count(&stats->bytes),
                                        .commits = read_count(&stats->commits)};
        views[at].has_messages = views[at].has_puts = views[at].has_deletes = true;
        views[at].has_bytes = views[at].has_commits = true;
        view.open_orders += atomic_load_explicit(&stats->open_orders, memory_order_relaxed);
        view.open_lines += atomic_load_explicit(&stats->open_lines, memory_order_relaxed);
        view.waiting_orders += atomic_load_explicit(&stats->waiting_orders, memory_order_relaxed);
        view.parked_payments += atomic_load_explicit(&stats->parked_payments, memory_order_relaxed);
        view.reasks_total += read_count(&stats->reasks);
    }
    struct watch_view watched = watch_view(node->watch);
    view.has_clock_step = true;
    view.clock_step = watched.clock_step;
    view.has_free_bytes = view.has_storage_full = view.has_quarantined = true;
    view.free_bytes = watched.free_bytes;
    view.storage_full = watched.storage_full;
    view.quarantined = node->quarantine.count;
    body_encode(status_view_shape(), &view, body);
}

static bool snapshot_name_valid(struct bytes name)
{
    bool legal = name.size > 0 && name.size <= 64 && name.at[0] != '.';
    for (size_t i = 0; i < name.size && legal; i++)
        legal = (name.at[i] >= 'a' && name.at[i] <= 'z') || (name.at[i] >= 'A' && name.at[i] <= 'Z') ||
                (name.at[i] >= '0' && name.at[i] <= '9') || name.at[i] == '-' || name.at[i] == '_' ||
                name.at[i] == '.';
    return legal;
}

static bool snapshot_may_begin(struct node *node)
{
    pthread_mutex_lock(&node->lock);
    bool may = !node->stopping;
    node->snapshots += may;
    pthread_mutex_unlock(&node->lock);
    return may;
}

static void snapshot_done(void *context)
{
    struct node *node = context;
    pthread_mutex_lock(&node->lock);
    node->snapshots--;
    pthread_cond_broadcast(&node->changed);
    pthread_mutex_unlock(&node->lock);
}

static void snapshot_begin(struct node *node, struct snapshot *snapshot)
{
    uint32_t actors = 0;
    EACH_ACTOR(node, kind, index)
        actors++;
    pthread_barrier_init(&snapshot->barrier, NULL, actors);
    pthread_mutex_lock(&node->meta);
    if (snapshot->fault == FAULT_NONE && (mkdir(snapshot->path, 0700) != 0 || shop_checkpoint(node->shop, snapshot->path, &snapshot->text))) {
        snapshot->fault = FAULT_IO;
        if (!snapshot->text.line[0])
            snprintf(snapshot->text.line, sizeof snapshot->text.line, "%.400s: %s", snapshot->path, strerror(errno));
    }
    pthread_mutex_unlock(&node->meta);
    EACH_ACTOR(node, kind, index)
    {
        if (!node->control[kind][index])
            node->control[kind][index] = node_control_socket(node, kind, index);
        node_control_send(node->control[kind][index], bytes_of(&snapshot, sizeof snapshot));
    }
}

static void answer(struct node *node, struct bytes route, uint8_t flags, struct bytes id, enum status status,
                   struct bytes body)
{
    struct buffer reply;
    buffer_init(&reply);
    reply_write(&reply, id, status, body);
    room_take(node->options.room, room_place(node->options.room, route), reply.size);
    if (!node->broker)
        node->broker = node_push_socket(node, "inproc://broker");
    node_parcel_send(node->broker, &(struct parcel){
                                  .origin = PARCEL_REPLY, .flags = flags, .route = route, .request = buffer_bytes(&reply)});
    buffer_deinit(&reply);
}

static void answer_clock(struct node *node, struct bytes route, uint8_t flags, struct bytes id, bool accept)
{
    struct buffer body;
    buffer_init(&body);
    struct clock_reading reading = accept ? watch_accept_clock(node->watch) : node_clock_read(&node->clock);
    struct clock_view view = {.wall = reading.wall, .now = reading.now, .step = reading.step};
    body_encode(clock_view_shape(), &view, &body);
    answer(node, route, flags, id, STATUS_ok, buffer_bytes(&body));
    buffer_deinit(&body);
}

static void refuse_snapshot(struct node *node, struct bytes route, uint8_t flags, struct bytes id)
{
    struct buffer body;
    buffer_init(&body);
    refusal_body_write(&body, NULL, "the node ends");
    answer(node, route, flags, id, STATUS_busy, buffer_bytes(&body));
    buffer_deinit(&body);
}

static void snapshot_ask(struct node *node, struct bytes route, uint8_t flags, const struct request *read)
{
    if (!snapshot_may_begin(node)) {
        refuse_snapshot(node, route, flags, read->id);
        return;
    }
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    CHECK(snapshot);
    snapshot->done = snapshot_done;
    snapshot->context = node;
    snapshot->flags = flags;
    snapshot->route_size = (uint8_t)route.size;
    snapshot->id_size = (uint8_t)read->id.size;
    memcpy(snapshot->route, route.at, route.size);
    memcpy(snapshot->id, read->id.at, read->id.size);
    char parent[4096];
    snprintf(parent, sizeof parent, "%s/snapshots", shop_path(node->shop));
    mkdir(parent, 0700);
    snprintf(snapshot->path, sizeof snapshot->path, "%.3000s/%.*s", parent, BYTES_FORMAT(read->key));
    if (!snapshot_name_valid(read->key)) {
        snapshot->fault = FAULT_USAGE;
        snprintf(snapshot->text.line, sizeof snapshot->text.line, "a snapshot's name has 1–64 letters, digits, - _ .");
    }
    snapshot_begin(node, snapshot);
}

void node_control(void *context, struct bytes route, uint8_t flags, struct bytes request)
{
    struct node *node = context;
    struct cursor cursor = cursor_over(request);
    struct request read;
    struct envelope_refusal refusal;
    if (!request_read(&cursor, &read, &refusal))
        return; // the broker has read it before
    if (bytes_equal(read.type, BYTES("souk.snapshot")))
        snapshot_ask(node, route, flags, &read);
    else
        answer_clock(node, route, flags, read.id, bytes_equal(read.type, BYTES("souk.clock_accept")));
}
