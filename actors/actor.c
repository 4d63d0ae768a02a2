// SPDX-License-Identifier: Apache-2.0
// The loop: collect → select → turn → deliver (actors/core.h), on a thread between sockets.
#include "actors/actor.h"

#include "actors/core.h"
#include "actors/dying.h"
#include "codec/check.h"
#include "provider/connector.h"
#include "store/epochs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zmq.h>

enum { STOP_RETRY_AFTER_MS = 1000, PUSH_HWM = 1000000, IDLE_MS = 1000 };

struct actor {
    struct actor_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum { OPENING, MATCHED, BEGINNING, OPENED, GOING, STOPPED, CLOSING } phase;
    bool given_up; // before BEGINNING
    enum fault fault;
    struct fault_text text;
    struct actor_stats stats;
    _Atomic int64_t horizon;

    struct store *store;
    struct core core;
    struct inbox *inbox;
    void *broker, *provider;
    void *peers[KIND_COUNT][ACTORS_MAX];
    struct dying_stack stack;
};

struct actor_endpoint actor_endpoint(struct actor_id id)
{
    struct actor_endpoint endpoint;
    snprintf(endpoint.text, sizeof endpoint.text, "inproc://%s", actor_id_name(id).text);
    return endpoint;
}

static int64_t clock_now(const struct actor *actor)
{
    return node_clock_now(actor->options.clock);
}

// ---- deliver

static void *push_open(struct actor *actor, const char *endpoint)
{
    void *socket = zmq_socket(actor->options.zmq, ZMQ_PUSH);
    CHECK(socket, "%s", zmq_strerror(errno));
    int hwm = PUSH_HWM, linger = 0;
    zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    int connected = zmq_connect(socket, endpoint);
    CHECK(connected == 0, "%s: %s", endpoint, zmq_strerror(errno));
    return socket;
}

static void push(void *socket, const struct buffer *frame)
{
    while (zmq_send(socket, frame->at, frame->size, 0) < 0)
        CHECK(errno == EINTR, "%s", zmq_strerror(errno));
}

static void publish(struct actor *actor)
{
    struct actor_stats *stats = &actor->stats;
    struct store_counts counts = store_counts(actor->store);
    const struct shard *shard = actor->core.shard;
#define SET(name, value) atomic_store_explicit(&stats->name, value, memory_order_relaxed)
    SET(turns, shard->turns);
    SET(messages, shard->messages);
    SET(inbox, inbox_size(actor->inbox));
    SET(puts, counts.puts);
    SET(deletes, counts.deletes);
    SET(bytes, counts.bytes);
    SET(commits, counts.commits);
    SET(reasks, shard->reasks);
    SET(open_orders, shard->weight.orders);
    SET(open_lines, shard->weight.lines);
    SET(waiting_orders, shard->weight.waiting);
    SET(parked_payments, shard->weight.parked);
#undef SET
}

static void deliver(void *context, struct outbox *outbox)
{
    struct actor *actor = context;
    publish(actor); // before anybody can have seen what it counts
    for (uint32_t i = 0; i < outbox->dirty_count; i++) {
        struct actor_id to = outbox->dirty[i];
        if (!actor->peers[to.kind][to.index])
            actor->peers[to.kind][to.index] = push_open(actor, actor_endpoint(to).text);
        push(actor->peers[to.kind][to.index], &outbox->peers[to.kind][to.index]);
    }
    if (outbox->provider.size) {
        if (!actor->provider)
            actor->provider = push_open(actor, CONNECTOR_ENDPOINT);
        push(actor->provider, &outbox->provider);
    }
    if (outbox->broker.size)
        push(actor->broker, &outbox->broker);
}

static bool take(void *context, enum inbox_lane lane, struct parcel *parcel)
{
    return inbox_take(((struct actor *)context)->inbox, lane, parcel);
}

static void release(void *context)
{
    inbox_release(((struct actor *)context)->inbox);
}

// ---- control

static void snapshot_answer(struct actor *actor, struct snapshot *snapshot)
{
    struct buffer body;
    buffer_init(&body);
    struct snapshot_reply reply = {.path = bytes_text(snapshot->path)};
    if (snapshot->fault)
        refusal_body_write(&body, NULL, snapshot->text.line);
    else
        body_encode(snapshot_reply_shape(), &reply, &body);
    outbox_reply(&actor->core.outbox, bytes_of(snapshot->route, snapshot->route_size), snapshot->flags,
                 bytes_of(snapshot->id, snapshot->id_size), snapshot->fault ? STATUS_snapshot_failed : STATUS_ok,
                 buffer_bytes(&body));
    buffer_deinit(&body);
    core_deliver(&actor->core);
    snapshot->done(snapshot->context);
    pthread_barrier_destroy(&snapshot->barrier);
    free(snapshot);
}

static void take_snapshot(struct actor *actor, struct snapshot *snapshot)
{
    char path[4200];
    struct fault_text text;
    pthread_barrier_wait(&snapshot->barrier); // everybody stands between two turns
    snprintf(path, sizeof path, "%s/%s-%d", snapshot->path, kind_name(actor->options.id.kind), actor->options.id.index);
    enum fault fault = snapshot->fault ? FAULT_NONE : store_checkpoint(actor->store, path, &text);
    int none = FAULT_NONE;
    if (fault && atomic_compare_exchange_strong(&snapshot->fault, &none, fault))
        snapshot->text = text;
    if (pthread_barrier_wait(&snapshot->barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
        snapshot_answer(actor, snapshot);
}

static void refuse_busy(struct actor *actor, const struct incoming *in)
{
    struct cursor cursor = cursor_over(in->request);
    struct request request;
    struct envelope_refusal refusal;
    if (!request_read(&cursor, &request, &refusal))
        return; // the broker has read it before
    struct buffer body;
    buffer_init(&body);
    pack_map(&body, 2);
    pack_text(&body, "message");
    pack_text(&body, "the node ends; send again");
    pack_text(&body, "retry_after_ms");
    pack_int(&body, STOP_RETRY_AFTER_MS);
    outbox_reply(&actor->core.outbox, in->route, in->flags, request.id, STATUS_busy, buffer_bytes(&body));
    buffer_deinit(&body);
}

// Requests of clients that no turn will decide any more.
static void refuse_the_rest(struct actor *actor)
{
    struct parcel parcel;
    struct incoming left;
    for (; aside_first(actor->core.aside, 1, &left); aside_drop(actor->core.aside, 1))
        if (left.origin == LOG_CLIENT)
            refuse_busy(actor, &left);
    inbox_collect(actor->inbox, 0);
    while (inbox_take(actor->inbox, INBOX_CLIENTS, &parcel)) {
        struct incoming in = {.flags = parcel.flags, .route = parcel.route, .request = parcel.request};
        refuse_busy(actor, &in);
    }
}

// false: stop.
static bool obey(struct actor *actor)
{
    struct parcel parcel;
    while (inbox_control(actor->inbox, &parcel)) {
        if (bytes_equal(parcel.request, BYTES("stop"))) {
            refuse_the_rest(actor);
            while (shard_dismiss(actor->core.shard))
                core_deliver(&actor->core);
            core_deliver(&actor->core);
            return false;
        }
        struct snapshot *snapshot;
        CHECK(parcel.request.size == sizeof snapshot);
        memcpy(&snapshot, parcel.request.at, sizeof snapshot);
        take_snapshot(actor, snapshot);
    }
    return true;
}

// ---- the loop

static void fail(struct actor *actor, const char *what)
{
    char line[800];
    snprintf(line, sizeof line, "%s: %s: the outcome of the last turn is unknown; ending", actor_id_name(actor->options.id).text,
             what);
    actor->options.fail(line);
}

static void turn(struct actor *actor)
{
    struct fault_text text = {"a read or write failed"};
    if (core_turn(&actor->core, clock_now(actor), &text))
        fail(actor, text.line);
}

// How long to wait for a message: until the next timer.
static int patience(const struct actor *actor)
{
    int64_t next = core_next(&actor->core), now = clock_now(actor);
    if (next > now && next - now > IDLE_MS * 1000)
        return IDLE_MS;
    return next <= now ? 0 : (int)((next - now) / 1000 + 1);
}

static void serve(struct actor *actor)
{
    for (;;) {
        inbox_collect(actor->inbox, patience(actor));
        if (!obey(actor))
            return;
        if (core_select(&actor->core, clock_now(actor)))
            turn(actor);
    }
}

// ---- opening and closing

// Nothing of ours is written before all databases are known to be of one moment.
static enum fault open_store(struct actor *actor)
{
    const struct actor_options *options = &actor->options;
    struct store_options store = {.path = options->database,
                                  .memory_bytes = options->memory_bytes,
                                  .files = options->files,
                                  .sync = options->sync,
                                  .create = false, // the reshape has made it; a lost one must not be made anew, empty
                                  .horizon = &actor->horizon};
    enum fault fault = store_rocks_open(&store, &actor->store, &actor->text);
    return fault ? fault
                 : epochs_match(actor->store, options->database, options->served, options->epoch->number - 1,
                                &actor->text);
}

static enum fault open_core(struct actor *actor)
{
    const struct actor_options *options = &actor->options;
    struct core_options core = {.shard = {.kind = kind_of(options->id.kind),
                                          .actor = options->id,
                                          .store = actor->store,
                                          .settings = options->settings,
                                          .owners = options->owners,
                                          .quarantine = options->epoch->quarantine,
                                          .closed = options->closed,
                                          .waiters_max = options->waiters_max,
                                          .cache_bytes = options->cache_bytes,
                                          .horizon = &actor->horizon},
                                .wires = {actor, take, release, deliver},
                                .room = options->room,
                                .number = options->number,
                                .turn_messages_max = options->turn_messages_max};
    enum fault fault = core_open(&actor->core, &core);
    if (fault == FAULT_NONE) {
        struct log_epoch epoch = *options->epoch;
        epoch.at = node_clock_meet(options->clock, actor->core.shard->at);
        fault = core_begin(&actor->core, &epoch, &actor->text);
    }
    if (fault && !actor->text.line[0])
        snprintf(actor->text.line, sizeof actor->text.line, "%s: its log or open orders cannot be read: restore this directory from a copy",
                 options->database);
    return fault;
}

static void close_all(struct actor *actor)
{
    core_close(&actor->core);
    inbox_close(&actor->inbox);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int index = 0; index < ACTORS_MAX; index++)
            if (actor->peers[kind][index])
                zmq_close(actor->peers[kind][index]);
    if (actor->broker)
        zmq_close(actor->broker);
    if (actor->provider)
        zmq_close(actor->provider);
    if (actor->store)
        store_close(&actor->store);
}

static void set_phase(struct actor *actor, int phase, enum fault fault)
{
    pthread_mutex_lock(&actor->lock);
    actor->phase = phase;
    actor->fault = fault;
    pthread_cond_broadcast(&actor->changed);
    pthread_mutex_unlock(&actor->lock);
}

static void wait_phase(struct actor *actor, int phase)
{
    pthread_mutex_lock(&actor->lock);
    while ((int)actor->phase < phase)
        pthread_cond_wait(&actor->changed, &actor->lock);
    pthread_mutex_unlock(&actor->lock);
}

static void *run(void *context)
{
    struct actor *actor = context;
    dying_stack_open(&actor->stack);
    enum fault fault = open_store(actor);
    set_phase(actor, MATCHED, fault);
    wait_phase(actor, BEGINNING);
    if (fault == FAULT_NONE)
        fault = actor->given_up ? FAULT_USAGE : open_core(actor);
    if (fault == FAULT_NONE) {
        actor->inbox = inbox_open(actor->options.zmq, actor_endpoint(actor->options.id).text);
        actor->broker = push_open(actor, "inproc://broker");
        publish(actor); // before anybody can ask for it
    }
    set_phase(actor, OPENED, fault);
    if (fault == FAULT_NONE) {
        wait_phase(actor, GOING);
        serve(actor);
        set_phase(actor, STOPPED, FAULT_NONE);
        wait_phase(actor, CLOSING); // others may still send here
    }
    close_all(actor);
    dying_stack_close(&actor->stack);
    return NULL;
}

struct actor *actor_start(const struct actor_options *options)
{
    struct actor *actor = calloc(1, sizeof *actor);
    CHECK(actor);
    actor->options = *options;
    pthread_mutex_init(&actor->lock, NULL);
    pthread_cond_init(&actor->changed, NULL);
    CHECK(pthread_create(&actor->thread, NULL, run, actor) == 0);
    char name[16];
    snprintf(name, sizeof name, "%.9s/%d", kind_name(options->id.kind), options->id.index);
    pthread_setname_np(actor->thread, name);
    return actor;
}

enum fault actor_matched(struct actor *actor, struct fault_text *text)
{
    wait_phase(actor, MATCHED);
    *text = actor->text;
    return actor->fault;
}

void actor_begin(struct actor *actor, bool all_match)
{
    actor->given_up = !all_match;
    set_phase(actor, BEGINNING, actor->fault);
}

enum fault actor_opened(struct actor *actor, struct fault_text *text)
{
    wait_phase(actor, OPENED);
    *text = actor->text;
    return actor->fault;
}

void actor_go(struct actor *actor)
{
    set_phase(actor, GOING, FAULT_NONE);
}

const struct actor_stats *actor_stats(const struct actor *actor)
{
    return &actor->stats;
}

void actor_stopped(struct actor *actor)
{
    wait_phase(actor, STOPPED);
}

void actor_join(struct actor **actor)
{
    if ((*actor)->phase == STOPPED)
        set_phase(*actor, CLOSING, FAULT_NONE);
    pthread_join((*actor)->thread, NULL);
    pthread_mutex_destroy(&(*actor)->lock);
    pthread_cond_destroy(&(*actor)->changed);
    free(*actor);
    *actor = NULL;
}
