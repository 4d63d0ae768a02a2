// SPDX-License-Identifier: Apache-2.0
#include "actors/node.h"

#include "actors/dying.h"
#include "actors/watch.h"
#include "codec/check.h"
#include "store/quarantine.h"
#include "provider/connector.h"
#include "store/snapshots.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

struct node {
    struct node_options options;
    struct shop *shop;
    struct settings settings;
    struct log_epoch epoch;
    struct quarantine quarantine;
    struct buffer quarantine_names; // as the epoch's record has them
    struct watch *watch;
    struct actor *actors[KIND_COUNT][ACTORS_MAX];
    struct shop_database_path paths[KIND_COUNT][ACTORS_MAX];
    uint16_t count; // of all
    pthread_mutex_t lock; // over the next two: snapshots begin in the broker's thread, the end in another
    pthread_cond_t changed;
    uint32_t snapshots; // under way: all actors must reach its barrier, so none may be told to stop
    bool stopping;
    struct connector *connector; // to a provider outside; NULL: the embedded sandbox
    struct actor_endpoint payment_inboxes[ACTORS_MAX];
    void *control[KIND_COUNT][ACTORS_MAX]; // to each inbox; the broker's thread's for snapshots
    void *broker;                          // likewise, for a refusal
};

enum { RETIRED_BYTES = 4 * 1024 * 1024 };

#define EACH_ACTOR(node, kind, index)                                                                                  \
    for (int kind = 0; kind < KIND_COUNT; kind++)                                                                      \
        for (int index = 0; index < shop_record((node)->shop)->ever.count[kind]; index++)

static _Noreturn void fail(const char *line)
{
    fprintf(stderr, "souk: %s\n", line);
    fflush(stderr);
    _exit(70);
}

static int64_t share(int64_t all, uint16_t actors)
{
    return all / actors > 0 ? all / actors : 1;
}

static void prepare_epoch(struct node *node)
{
    const struct shop_record *record = shop_record(node->shop);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint16_t orders = record->owners.count[KIND_ORDER];
    node->settings = node->options.settings;
    node->settings.lines_in_flight_max = share(node->settings.lines_in_flight_max, orders);
    node->settings.waiting_max = share(node->settings.waiting_max, orders);
    quarantine_pack(&node->quarantine, &node->quarantine_names);
    node->epoch = (struct log_epoch){.at = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000,
                                     .number = record->epoch + 1,
                                     .build = bytes_text(node->options.build),
                                     .owners = record->owners,
                                     .settings = node->settings,
                                     .quarantine = buffer_bytes(&node->quarantine_names)};
}

static void tell_quarantine(const struct node *node)
{
    char line[512];
    for (uint32_t i = 0; i < node->quarantine.count; i++) {
        const struct quarantined *row = &node->quarantine.list[i];
        snprintf(line, sizeof line, "%.*s/%.*s is in quarantine: deciding %.*s ended the process; see `souk quarantine list`",
                 BYTES_FORMAT(row->kind), BYTES_FORMAT(row->key), BYTES_FORMAT(row->type));
        node->options.log(line);
    }
}

// What the last process died of is nobody's business any more; from here on this one leaves its own last words.
static enum fault open_quarantine(struct node *node, struct fault_text *text)
{
    bool taken;
    enum fault fault = quarantine_take_last_words(node->shop, &taken, text);
    if (fault == FAULT_NONE)
        fault = quarantine_load(node->shop, &node->quarantine, text);
    if (fault == FAULT_NONE)
        fault = quarantine_admits(&node->quarantine, shop_path(node->shop), text);
    if (fault == FAULT_NONE)
        fault = dying_prepare(shop_path(node->shop), text);
    if (fault == FAULT_NONE)
        tell_quarantine(node);
    return fault;
}

static void start_actor(struct node *node, int kind, int index)
{
    struct actor_id id = {kind, (uint16_t)index};
    node->paths[kind][index] = shop_database(node->shop, id);
    struct actor_options options = {
        .zmq = node->options.zmq,
        .id = id,
        .room = node->options.room,
        .number = node->count++,
        .database = node->paths[kind][index].text,
        .sync = node->options.sync,
        .turn_messages_max = node->options.turn_messages_max,
        .waiters_max = (uint32_t)share(node->options.waiters_max, node->epoch.owners.count[KIND_ORDER]),
        .settings = &node->settings,
        .owners = &node->epoch.owners,
        .epoch = &node->epoch,
        .closed = watch_closed(node->watch),
        .fail = fail,
    };
    uint32_t owners = 0; // those that own nothing any more only read their log: the least there is
    for (int other = 0; other < KIND_COUNT; other++)
        owners += node->epoch.owners.count[other];
    options.memory_bytes = index < node->epoch.owners.count[kind] ? node->options.memory_bytes / owners : RETIRED_BYTES;
    node->actors[kind][index] = actor_start(&options);
}

static const char *payment_inbox(void *context, struct bytes order_id)
{
    struct node *node = context;
    return node->payment_inboxes[owner_of(&node->epoch.owners, KIND_PAYMENT, slot_of(order_id))].text;
}

static enum fault start_connector(struct node *node, struct fault_text *text)
{
    struct connector_options options = {.zmq = node->options.zmq,
                                        .provider = provider_by_name(node->settings.provider),
                                        .payment_inbox = payment_inbox,
                                        .context = node};
    if (bytes_equal(node->settings.provider, BYTES("sandbox")))
        return FAULT_NONE;
    for (int index = 0; index < ACTORS_MAX; index++)
        node->payment_inboxes[index] = actor_endpoint((struct actor_id){KIND_PAYMENT, (uint16_t)index});
    if (!options.provider) {
        snprintf(text->line, sizeof text->line, "payment.provider: there is no provider '%.*s'",
                 BYTES_FORMAT(node->settings.provider));
        return FAULT_USAGE;
    }
    node->connector = connector_start(&options, text->line, sizeof text->line);
    return node->connector ? FAULT_NONE : FAULT_USAGE;
}

static void sweep_snapshots(const struct node *node)
{
    char line[128];
    uint32_t removed = snapshots_sweep(shop_path(node->shop));
    if (!removed || !node->options.log)
        return;
    snprintf(line, sizeof line, "removed %u snapshots that tools had left", removed);
    node->options.log(line);
}

enum fault node_open(const struct node_options *options, struct node **node, struct fault_text *text)
{
    struct node *it = calloc(1, sizeof *it);
    CHECK(it);
    it->options = *options;
    pthread_mutex_init(&it->lock, NULL);
    pthread_cond_init(&it->changed, NULL);
    enum fault fault = shop_open(options->path, true, false, &it->shop, text);
    if (fault == FAULT_NONE)
        fault = open_quarantine(it, text);
    if (fault == FAULT_NONE)
        fault = shop_reshape(it->shop, &options->wanted, options->memory_bytes, options->sync, options->log, text);
    if (fault == FAULT_NONE) {
        prepare_epoch(it);
        fault = shop_begin_epoch(it->shop, it->epoch.number, it->epoch.at, text);
        sweep_snapshots(it);
    }
    if (fault == FAULT_NONE) {
        it->watch = watch_start(&(struct watch_options){
            .path = shop_path(it->shop), .free_min_bytes = options->free_min_bytes, .log = options->log});
        EACH_ACTOR(it, kind, index)
            start_actor(it, kind, index);
    }
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int index = 0; index < ACTORS_MAX; index++) {
            struct fault_text why;
            enum fault one = it->actors[kind][index] ? actor_opened(it->actors[kind][index], &why) : FAULT_NONE;
            if (one == FAULT_NONE)
                continue;
            if (fault == FAULT_NONE) {
                fault = one;
                *text = why;
            }
            actor_join(&it->actors[kind][index]);
        }
    if (fault == FAULT_NONE)
        fault = start_connector(it, text);
    *node = it;
    if (fault) {
        node_go(it);
        node_stop(it);
        node_close(node);
    }
    return fault;
}

void node_go(struct node *node)
{
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int index = 0; index < ACTORS_MAX; index++)
            if (node->actors[kind][index])
                actor_go(node->actors[kind][index]);
}

static void *push_socket(struct node *node, const char *endpoint)
{
    void *socket = zmq_socket(node->options.zmq, ZMQ_PUSH);
    CHECK(socket, "%s", zmq_strerror(errno));
    int linger = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    CHECK(zmq_connect(socket, endpoint) == 0, "%s", endpoint);
    return socket;
}

static void *control_socket(struct node *node, int kind, int index)
{
    return push_socket(node, actor_endpoint((struct actor_id){kind, (uint16_t)index}).text);
}

static void parcel_send(void *socket, const struct parcel *parcel)
{
    struct buffer frame;
    buffer_init(&frame);
    parcel_write(&frame, parcel);
    while (zmq_send(socket, frame.at, frame.size, 0) < 0)
        CHECK(errno == EINTR, "%s", zmq_strerror(errno));
    buffer_deinit(&frame);
}

static void control_send(void *socket, struct bytes word)
{
    parcel_send(socket, &(struct parcel){.origin = PARCEL_CONTROL, .request = word});
}

void node_stop(struct node *node)
{
    pthread_mutex_lock(&node->lock);
    node->stopping = true;
    while (node->snapshots)
        pthread_cond_wait(&node->changed, &node->lock);
    pthread_mutex_unlock(&node->lock);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int index = 0; index < ACTORS_MAX; index++)
            if (node->actors[kind][index]) {
                void *socket = control_socket(node, kind, index);
                control_send(socket, BYTES("stop"));
                zmq_close(socket);
            }
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int index = 0; index < ACTORS_MAX; index++)
            if (node->actors[kind][index])
                actor_stopped(node->actors[kind][index]);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int index = 0; index < ACTORS_MAX; index++)
            if (node->actors[kind][index])
                actor_join(&node->actors[kind][index]);
}

void node_close(struct node **node)
{
    struct node *it = *node;
    if (!it)
        return;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int index = 0; index < ACTORS_MAX; index++)
            if (it->control[kind][index])
                zmq_close(it->control[kind][index]);
    if (it->broker)
        zmq_close(it->broker);
    connector_stop(&it->connector);
    watch_stop(&it->watch);
    if (it->shop)
        shop_close(&it->shop);
    dying_done();
    quarantine_deinit(&it->quarantine);
    buffer_deinit(&it->quarantine_names);
    pthread_mutex_destroy(&it->lock);
    pthread_cond_destroy(&it->changed);
    free(it);
    *node = NULL;
}

const struct owner_map *node_owners(const struct node *node)
{
    return &node->epoch.owners;
}

uint16_t node_actors(const struct node *node, enum kind_id kind)
{
    return shop_record(node->shop)->ever.count[kind];
}

uint64_t node_epoch(const struct node *node)
{
    return node->epoch.number;
}

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
    if (snapshot->fault == FAULT_NONE && (mkdir(snapshot->path, 0700) != 0 || shop_checkpoint(node->shop, snapshot->path, &snapshot->text))) {
        snapshot->fault = FAULT_IO;
        if (!snapshot->text.line[0])
            snprintf(snapshot->text.line, sizeof snapshot->text.line, "%.400s: %s", snapshot->path, strerror(errno));
    }
    EACH_ACTOR(node, kind, index)
    {
        if (!node->control[kind][index])
            node->control[kind][index] = control_socket(node, kind, index);
        control_send(node->control[kind][index], bytes_of(&snapshot, sizeof snapshot));
    }
}

static void refuse_snapshot(struct node *node, struct bytes route, uint8_t flags, struct bytes id)
{
    struct buffer body, reply;
    buffer_init(&body);
    buffer_init(&reply);
    refusal_body_write(&body, NULL, "the node ends");
    reply_write(&reply, id, STATUS_busy, buffer_bytes(&body));
    room_take(node->options.room, room_place(node->options.room, route), reply.size);
    if (!node->broker)
        node->broker = push_socket(node, "inproc://broker");
    parcel_send(node->broker, &(struct parcel){
                                  .origin = PARCEL_REPLY, .flags = flags, .route = route, .request = buffer_bytes(&reply)});
    buffer_deinit(&body);
    buffer_deinit(&reply);
}

void node_control(void *context, struct bytes route, uint8_t flags, struct bytes request)
{
    struct node *node = context;
    struct cursor cursor = cursor_over(request);
    struct request read;
    struct envelope_refusal refusal;
    if (!request_read(&cursor, &read, &refusal))
        return; // the broker has read it before
    if (!snapshot_may_begin(node)) {
        refuse_snapshot(node, route, flags, read.id);
        return;
    }
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    CHECK(snapshot);
    snapshot->done = snapshot_done;
    snapshot->context = node;
    snapshot->flags = flags;
    snapshot->route_size = (uint8_t)route.size;
    snapshot->id_size = (uint8_t)read.id.size;
    memcpy(snapshot->route, route.at, route.size);
    memcpy(snapshot->id, read.id.at, read.id.size);
    char parent[4096];
    snprintf(parent, sizeof parent, "%s/snapshots", shop_path(node->shop));
    mkdir(parent, 0700);
    snprintf(snapshot->path, sizeof snapshot->path, "%.3000s/%.*s", parent, BYTES_FORMAT(read.key));
    if (!snapshot_name_valid(read.key)) {
        snapshot->fault = FAULT_USAGE;
        snprintf(snapshot->text.line, sizeof snapshot->text.line, "a snapshot's name has 1–64 letters, digits, - _ .");
    }
    snapshot_begin(node, snapshot);
}
