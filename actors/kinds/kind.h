// SPDX-License-Identifier: Apache-2.0
// What a kind is to the runtime: pure functions over loaded records. A handler has no clock, random, socket, database
// or log, and no memory that survives the call; what varies comes in `given`. Files here include only codec/ and this
// list of effects.
#pragma once

#include "actors/kinds/effects.h"

// One child record as loaded.
struct child {
    struct bytes id;    // below the entity's key
    struct bytes value; // record; at NULL: absent
};

// What an order weighs in admission: summed by the runtime over the open records of an actor, never stored.
struct weight {
    int64_t orders;  // open
    int64_t lines;   // that may have an unanswered message
    int64_t to_ask;  // lines of orders that ask them as soon as a provider has let go of the payment
    int64_t waiting; // orders waiting for a provider or shopper
    int64_t to_wait; // orders under way that may still come to wait so
    int64_t parked;  // payments parked
};

enum sender { SENDER_CLIENT, SENDER_PEER, SENDER_RUNTIME };

struct given {
    int64_t at;                      // the turn's time, µs
    const struct settings *settings; // of this epoch
    const struct message_def *def;
    const void *body;    // struct of def->body
    struct bytes key;    // this entity
    enum sender sender;
    struct entity from;  // PEER: who asks or answers
    bool late;           // retry_until has passed: after looking for an earlier answer, refuse with too_late
    struct weight open;  // this actor's sum before this message
    // Loaded; at NULL or empty: absent (or forgotten). See LOADS in message.def.
    struct bytes head;
    struct bytes record_open; // OPEN, of a kind that `moves`
    // CHILD: [0] the sender's own ("c" + id for a client, "o" + id for an order), [1] for a client: the order's of the
    // same name ("o" + id). CONTENT: [0]. PAGE: what there is. DUE: the holds that the due rows name.
    struct child *children;
    uint32_t children_count;
    // DUE: due rows with their key rest, ascending.
    struct child *due;
    uint32_t due_count;
    int64_t due_next; // DUE: earliest deadline among the rows that are not in `due`; 0: none
    bool page_more; // PAGE: there is at least one more behind
    struct arena *arena; // for the turn
};

typedef enum status (*handler)(const struct given *given, struct effects *effects);

struct kind {
    enum kind_id id;
    // By message number; NULL: not this kind's.
    const handler *handlers;

    // When does this entity's earliest deadline fall due? 0: never. A message meets the entity only after everything
    // due has ended (DESIGN §3.6). NULL: this kind has no deadlines of that sort.
    int64_t (*due_at)(struct bytes head, struct arena *arena);
    // How much must become available for this message (inventory.expire's `need`); 0: all that is due must end.
    int64_t (*due_need)(const struct message_def *def, const void *body);
    // Is that much available without ending anything?
    bool (*due_enough)(struct bytes head, int64_t need, struct arena *arena);

    // Sent to each OPEN record at start, by age. 0: this kind has no OPEN records.
    enum message_type resume;
    // An entity's record is OPEN instead of HEAD while a step is open, so both are loaded for every message.
    bool moves;
    // What an OPEN record weighs.
    void (*weigh)(struct bytes open, struct weight *weight, struct arena *arena);
    // For waiters (effects_wait): has this entity come to rest? given is loaded as for CONTENT; def and body are those
    // of kind.get.
    bool (*at_rest)(const struct given *given);
    // The view a waiter gets: its status, its body into effects->reply.
    enum status (*view)(const struct given *given, struct effects *effects);
    // The timer an OPEN record needs, asked at start (0: none). NULL: `resume` sets it.
    int64_t (*wake_at)(struct bytes open, struct arena *arena);
    // When the entity was made: the order of resuming.
    int64_t (*born_at)(struct bytes open, struct arena *arena);
};

extern const struct kind kind_catalog, kind_inventory, kind_cart, kind_order, kind_payment, kind_sandbox;
const struct kind *kind_of(enum kind_id id);
