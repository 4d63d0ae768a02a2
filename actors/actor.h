// SPDX-License-Identifier: Apache-2.0
// One actor: a thread, an inbox, a database, turns. Started and stopped by the node (actors/node.h); everything else
// reaches it as parcels.
#pragma once

#include "actors/clock.h"
#include "actors/shard.h"

#include <pthread.h>

struct actor_stats { // written by the actor, read by anybody
    _Atomic uint64_t turns, messages, inbox, puts, deletes, bytes, commits, reasks;
    _Atomic int64_t open_orders, open_lines, waiting_orders, parked_payments;
};

// All actors pause at a turn's end, make checkpoints, go on; the last one answers.
struct snapshot {
    pthread_barrier_t barrier;
    char path[4096]; // each database goes to path/KIND-N
    _Atomic int fault;
    struct fault_text text;
    void (*done)(void *context); // told by the last actor, once it has answered
    void *context;
    uint8_t flags, route_size, id_size;
    uint8_t route[255], id[REQUEST_ID_SIZE_MAX];
};

struct actor_options {
    void *zmq;
    struct actor_id id;
    struct room *room; // of replies, and may be NULL
    uint16_t number;   // the broker's
    const char *database;
    uint64_t memory_bytes; // of its database
    uint64_t cache_bytes;  // for rows touched lately
    uint32_t files; // that its database keeps open
    bool sync;
    uint32_t turn_messages_max;
    uint32_t waiters_max;
    const struct settings *settings;
    const struct owner_map *owners;
    const struct log_epoch *epoch; // its time is each actor's own
    struct node_clock *clock;
    const _Atomic int *closed; // struct shard_options
    uint64_t served; // the last epoch that all databases have seen
    void (*fail)(const char *line); // does not return: any actor's failure ends the process
};

struct actor;

// Starts the thread, which opens the database and waits for actor_begin; then it begins the epoch, binds the inbox and
// waits for actor_go.
struct actor *actor_start(const struct actor_options *options);
// Waits until its database is open; FAULT_NONE: it may be part of this shop (store/epochs.h).
enum fault actor_matched(struct actor *actor, struct fault_text *text);
// `all_match`: so it is with all databases, and the shop has begun the epoch. Otherwise opening fails.
void actor_begin(struct actor *actor, bool all_match);
// Waits until it is open; FAULT_NONE: the inbox is bound.
enum fault actor_opened(struct actor *actor, struct fault_text *text);
// All inboxes are bound: serve.
void actor_go(struct actor *actor);
const struct actor_stats *actor_stats(const struct actor *actor);
// After a "stop" parcel: waits until it neither decides nor sends any more; its inbox still takes what others send.
void actor_stopped(struct actor *actor);
// Once all have stopped (or when opening failed): joins and frees.
void actor_join(struct actor **actor);

// The inbox's endpoint: inproc://KIND/N
struct actor_endpoint {
    char text[64];
};
struct actor_endpoint actor_endpoint(struct actor_id id);
