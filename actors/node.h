// SPDX-License-Identifier: Apache-2.0
// The supervisor: one shop's directory, its actors, their start and end. Knows no broker; the command that serves
// (cli/serve.c) puts both together. Used by the thread that opened it, but for what says otherwise.
//
//   N1  all inboxes are bound before anything can be sent to them
//   N2  an actor for each database there ever was; one that owns nothing any more still answers events.read
//   N3  any actor's failure ends the process
#pragma once

#include "actors/actor.h"
#include "store/shop.h"

struct node_options {
    void *zmq;
    const char *path;
    int64_t free_min_bytes; // on the disk (actors/watch.h)
    uint64_t memory_bytes; // of all (actors/memory.h)
    uint32_t files; // that all databases together keep open; 0: as many as are of use
    bool sync;
    struct owner_map wanted;
    struct settings settings; // limits of orders for the whole shop; the node divides them by the order actors
    struct room *room; // of replies; the caller keeps it; may be NULL
    uint32_t turn_messages_max;
    uint32_t waiters_max;
    const char *build;
    void (*log)(const char *line);
    void (*fail)(const char *line); // does not return (N3)
};

struct node;

// Opens (and locks) the shop, reshapes it to `wanted`, begins an epoch, opens every actor and binds the inboxes.
enum fault node_open(const struct node_options *options, struct node **node, struct fault_text *text);
// The actors begin to serve.
void node_go(struct node *node);
// Ends the actors: each finishes its turn and answers who waits. The broker must still take replies.
void node_stop(struct node *node);
// Frees; after node_stop (or a node_open that was never followed by node_go).
void node_close(struct node **node);

const struct owner_map *node_owners(const struct node *node);
uint16_t node_actors(const struct node *node, enum kind_id kind); // databases there ever were
uint64_t node_epoch(const struct node *node);

// The broker's callbacks (its thread).
uint16_t node_owner(void *node, enum kind_id kind, uint16_t slot);
void node_status(void *node, struct bytes dropped, struct buffer *body);
void node_control(void *node, struct bytes route, uint8_t flags, struct bytes request);
