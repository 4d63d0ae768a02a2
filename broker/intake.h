// SPDX-License-Identifier: Apache-2.0
// What comes in through a front: each frame becomes requests, each request a parcel on an actor's lane or an answer at
// once. Reads envelopes only; bodies are the actors' business. Owned by the broker's thread.
//
//   N1  a frame is read whole before its first request is passed on: of a broken bundle nothing is done
//   N2  a request whose id can be read is answered under it, once; what has none is answered as often as limit.h allows
#pragma once

#include "broker/lanes.h"
#include "broker/limit.h"
#include "broker/outgoing.h"
#include "codec/envelope.h"

// One request of a frame as it was read; refusal.status is STATUS_ok if it can be passed on.
struct entry {
    struct request request;
    struct envelope_refusal refusal;
};

struct intake {
    const struct broker_options *options;
    struct lanes *lanes;
    struct drops *drops;
    bool refusing; // broker_refuse was called
    struct limit limit;
    struct buffer body, reply;
    struct buffer dropped;
    struct entry entries[BUNDLE_MAX];
};

void intake_init(struct intake *intake, const struct broker_options *options, struct lanes *lanes, struct drops *drops);
void intake_deinit(struct intake *intake);
// Answers go to `outgoing`, which belongs to the front where this arrived.
void intake_take(struct intake *intake, const struct arrival *arrival, struct outgoing *outgoing);
