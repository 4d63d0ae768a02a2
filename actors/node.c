// SPDX-License-Identifier: Apache-2.0
#include "actors/node_state.h"

#include "actors/dying.h"
#include "actors/memory.h"
#include "codec/check.h"
#include "store/clock_note.h"
#include "store/snapshots.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

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
        .clock = &node->clock,
        .closed = watch_closed(node->watch),
        .served = shop_record(node->shop)->served,
        .fail = node->options.fail,
    };
    const struct owner_map *owners = &node->epoch.owners, *ever = &shop_record(node->shop)->ever;
    struct memory_share memory = memory_share(node->options.memory_bytes, owners, ever);
    bool retired = index >= owners->count[kind];
    options.memory_bytes = retired ? memory.retired : memory.database;
    options.cache_bytes = retired ? 0 : memory.rows;
    uint32_t databases = 1; // meta
    for (int other = 0; other < KIND_COUNT; other++)
        databases += ever->count[other];
    options.files = node->options.files / databases;
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

// The next start would take a step that is not kept for the time it was down.
static void keep_clock_note(void *context, const struct clock_note *note)
{
    struct node *node = context;
    struct fault_text text;
    char line[700];
    pthread_mutex_lock(&node->meta);
    enum fault fault = clock_note_save(node->shop, note, &text);
    pthread_mutex_unlock(&node->meta);
    if (!fault)
        return;
    snprintf(line, sizeof line,
             "%s: whether the wall clock is believed (it is off by %+lld s) may not be kept; see that it is right before "
             "the next start; ending",
             text.line, (long long)(note->step / 1000000));
    node->options.fail(line);
}

static enum fault start_watch(struct node *node, struct fault_text *text)
{
    struct clock_note note;
    enum fault fault = clock_note_load(node->shop, &note, text);
    if (fault)
        return fault;
    node_clock_init(&node->clock, &note);
    node->watch = watch_start(&(struct watch_options){.path = shop_path(node->shop),
                                                      .free_min_bytes = node->options.free_min_bytes,
                                                      .clock = &node->clock,
                                                      .keep = keep_clock_note,
                                                      .context = node,
                                                      .log = node->options.log});
    return FAULT_NONE;
}

// The first fault of any of them.
static enum fault each_answers(struct node *node, enum fault (*ask)(struct actor *, struct fault_text *),
                               struct fault_text *text)
{
    enum fault fault = FAULT_NONE;
    EACH_ACTOR(node, kind, index)
    {
        struct fault_text why;
        enum fault one = ask(node->actors[kind][index], &why);
        if (one == FAULT_NONE || fault)
            continue;
        fault = one;
        *text = why;
    }
    return fault;
}

static bool failed_to_open(struct actor *actor)
{
    struct fault_text text;
    return actor_opened(actor, &text) != FAULT_NONE;
}

// The watch may have something to keep at the same time.
static enum fault begin_epoch(struct node *node, struct fault_text *text)
{
    pthread_mutex_lock(&node->meta);
    enum fault fault = shop_begin_epoch(node->shop, node->epoch.number, node->epoch.at, text);
    pthread_mutex_unlock(&node->meta);
    return fault;
}

static enum fault serve_epoch(struct node *node, struct fault_text *text)
{
    pthread_mutex_lock(&node->meta);
    enum fault fault = shop_serve_epoch(node->shop, text);
    pthread_mutex_unlock(&node->meta);
    return fault;
}

// Databases that do not belong together are told before the epoch is begun: nothing is written then, and the next start
// finds them as they are.
static enum fault start_actors(struct node *node, struct fault_text *text)
{
    prepare_epoch(node);
    EACH_ACTOR(node, kind, index)
        start_actor(node, kind, index);
    enum fault fault = each_answers(node, actor_matched, text);
    if (fault == FAULT_NONE)
        fault = begin_epoch(node, text);
    if (fault == FAULT_NONE)
        sweep_snapshots(node);
    EACH_ACTOR(node, kind, index)
        actor_begin(node->actors[kind][index], fault == FAULT_NONE);
    struct fault_text later;
    enum fault opened = each_answers(node, actor_opened, &later);
    if (fault == FAULT_NONE && opened) {
        fault = opened;
        *text = later;
    }
    EACH_ACTOR(node, kind, index)
        if (failed_to_open(node->actors[kind][index]))
            actor_join(&node->actors[kind][index]);
    return fault;
}

enum fault node_open(const struct node_options *options, struct node **node, struct fault_text *text)
{
    struct node *it = calloc(1, sizeof *it);
    CHECK(it);
    it->options = *options;
    pthread_mutex_init(&it->lock, NULL);
    pthread_cond_init(&it->changed, NULL);
    pthread_mutex_init(&it->meta, NULL);
    enum fault fault = shop_open(options->path, true, false, &it->shop, text);
    if (fault == FAULT_NONE)
        fault = open_quarantine(it, text);
    if (fault == FAULT_NONE)
        fault = shop_reshape(it->shop, &options->wanted, options->memory_bytes, options->sync, options->log, text);
    if (fault == FAULT_NONE)
        fault = start_watch(it, text);
    if (fault == FAULT_NONE)
        fault = start_actors(it, text);
    if (fault == FAULT_NONE)
        fault = serve_epoch(it, text);
    if (fault == FAULT_NONE)
        watch_look(it->watch); // the logs have said what time it was
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

void *node_push_socket(struct node *node, const char *endpoint)
{
    void *socket = zmq_socket(node->options.zmq, ZMQ_PUSH);
    CHECK(socket, "%s", zmq_strerror(errno));
    int linger = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    CHECK(zmq_connect(socket, endpoint) == 0, "%s", endpoint);
    return socket;
}

void *node_control_socket(struct node *node, int kind, int index)
{
    return node_push_socket(node, actor_endpoint((struct actor_id){kind, (uint16_t)index}).text);
}

void node_parcel_send(void *socket, const struct parcel *parcel)
{
    struct buffer frame;
    buffer_init(&frame);
    parcel_write(&frame, parcel);
    while (zmq_send(socket, frame.at, frame.size, 0) < 0)
        CHECK(errno == EINTR, "%s", zmq_strerror(errno));
    buffer_deinit(&frame);
}

void node_control_send(void *socket, struct bytes word)
{
    node_parcel_send(socket, &(struct parcel){.origin = PARCEL_CONTROL, .request = word});
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
                void *socket = node_control_socket(node, kind, index);
                node_control_send(socket, BYTES("stop"));
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
    if (it->watch) {
        watch_stop(&it->watch);
        node_clock_deinit(&it->clock);
    }
    pthread_mutex_destroy(&it->meta);
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
