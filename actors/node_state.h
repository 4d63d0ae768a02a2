// SPDX-License-Identifier: Apache-2.0
// For the node's own files: node.c, node_asked.c.
#pragma once

#include "actors/node.h"
#include "actors/watch.h"
#include "provider/connector.h"
#include "store/quarantine.h"

struct node {
    struct node_options options;
    struct shop *shop;
    struct settings settings;
    struct log_epoch epoch;
    struct quarantine quarantine;
    struct buffer quarantine_names; // as the epoch's record has them
    struct node_clock clock;
    struct watch *watch;
    pthread_mutex_t meta; // over the shop's database, once the watch has started
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

#define EACH_ACTOR(node, kind, index)                                                                                  \
    for (int kind = 0; kind < KIND_COUNT; kind++)                                                                      \
        for (int index = 0; index < shop_record((node)->shop)->ever.count[kind]; index++)

// A socket of the calling thread's own.
void *node_push_socket(struct node *node, const char *endpoint);
void *node_control_socket(struct node *node, int kind, int index);
void node_parcel_send(void *socket, const struct parcel *parcel);
// A word, or a pointer's bytes, to an actor.
void node_control_send(void *socket, struct bytes word);
