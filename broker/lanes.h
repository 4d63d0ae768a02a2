// SPDX-License-Identifier: Apache-2.0
// The ways to the actors: one PUSH socket for each, what this drain puts on it, and its credit. Actors are numbered
// KIND by KIND over broker_options.actors: an actor's number is the sum of actors[] of all lower kinds plus its index.
// Owned by the broker's thread.
//
//   L1  what is on a lane has credit, so lanes need no other bound
//   L2  a frame that an inbox cannot take now stays on its lane, in order, until it can
#pragma once

#include "broker/broker.h"
#include "broker/credit.h"
#include "codec/parcel.h"

struct lane {
    void *push;
    struct buffer frame; // parcels not sent yet
    struct credit credit;
};

struct lanes {
    struct lane *at;
    uint16_t count;
    uint16_t first[KIND_COUNT];
    uint16_t actors[KIND_COUNT];
};

// Connects to inproc://KIND/N of every actor. CHECKs that each is bound: libzmq would queue for a misspelt one for
// ever.
void lanes_open(struct lanes *lanes, const struct broker_options *options);
void lanes_close(struct lanes *lanes);
// NULL: there is no such actor.
struct lane *lanes_find(struct lanes *lanes, enum kind_id kind, uint16_t index);
// false: no credit.
bool lane_put(struct lane *lane, const struct parcel *parcel);
// Sends each lane's frame. false: one is still there; try again soon.
bool lanes_send(struct lanes *lanes);
// A PARCEL_CREDIT's content.
void lanes_give_back(struct lanes *lanes, struct bytes credit);
