// SPDX-License-Identifier: Apache-2.0
#include "broker/lanes.h"

#include "codec/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>

enum { COMMANDS_SHARE_MIN = 1024, SIZE_SHARE_MIN = 1024 * 1024, FRAME_KEPT_MAX = 1024 * 1024 };

static void check_bound(void *context, const char *endpoint)
{
    void *probe = zmq_socket(context, ZMQ_PULL);
    CHECK(probe, "%s", zmq_strerror(zmq_errno()));
    CHECK(zmq_bind(probe, endpoint) != 0, "nobody is bound at %s", endpoint);
    zmq_close(probe);
}

static void lane_open(struct lane *lane, void *context, struct actor_id actor)
{
    char endpoint[64];
    int linger_ms = 0, frames_max = (int)lane->credit.commands_max; // a frame carries at least one command
    snprintf(endpoint, sizeof endpoint, "inproc://%s", actor_id_name(actor).text);
    check_bound(context, endpoint);
    lane->push = zmq_socket(context, ZMQ_PUSH);
    CHECK(lane->push, "%s", zmq_strerror(zmq_errno()));
    bool set = zmq_setsockopt(lane->push, ZMQ_LINGER, &linger_ms, sizeof linger_ms) == 0 &&
               zmq_setsockopt(lane->push, ZMQ_SNDHWM, &frames_max, sizeof frames_max) == 0;
    CHECK(set, "%s", zmq_strerror(zmq_errno()));
    CHECK(zmq_connect(lane->push, endpoint) == 0, "%s: %s", endpoint, zmq_strerror(zmq_errno()));
    buffer_init(&lane->frame);
}

static uint64_t share_of(int64_t whole, uint32_t actors, int64_t at_least)
{
    int64_t share = actors ? whole / actors : 0;
    return (uint64_t)(share > at_least ? share : at_least);
}

// Retired actors are asked for events only: they have the least share, and take none from those that serve.
static void credit_share(struct credit *credit, const struct broker_options *options, bool serves)
{
    uint32_t serving = 0;
    for (int kind = 0; kind < KIND_COUNT && serves; kind++)
        serving += options->serving[kind];
    uint64_t commands_max = share_of(options->commands_in_flight_max, serving, COMMANDS_SHARE_MIN);
    CHECK(commands_max <= INT32_MAX, "%llu", (unsigned long long)commands_max);
    credit_init(credit, commands_max, share_of(options->bytes_in_flight_max, serving, SIZE_SHARE_MIN));
}

void lanes_open(struct lanes *lanes, const struct broker_options *options)
{
    *lanes = (struct lanes){0};
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        CHECK(options->serving[kind] <= options->actors[kind], "%u", options->serving[kind]);
        lanes->first[kind] = lanes->count;
        lanes->actors[kind] = options->actors[kind];
        lanes->count += options->actors[kind];
    }
    CHECK(lanes->count > 0, "no actors");
    lanes->at = calloc(lanes->count, sizeof *lanes->at);
    CHECK(lanes->at, "out of memory");
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        for (uint16_t index = 0; index < lanes->actors[kind]; index++) {
            struct lane *lane = lanes_find(lanes, (enum kind_id)kind, index);
            credit_share(&lane->credit, options, index < options->serving[kind]);
            lane_open(lane, options->context, (struct actor_id){(enum kind_id)kind, index});
        }
    }
}

void lanes_close(struct lanes *lanes)
{
    for (uint16_t i = 0; i < lanes->count; i++) {
        zmq_close(lanes->at[i].push);
        buffer_deinit(&lanes->at[i].frame);
    }
    free(lanes->at);
    *lanes = (struct lanes){0};
}

struct lane *lanes_find(struct lanes *lanes, enum kind_id kind, uint16_t index)
{
    return index < lanes->actors[kind] ? &lanes->at[lanes->first[kind] + index] : NULL;
}

bool lane_put(struct lane *lane, const struct parcel *parcel)
{
    if (!credit_take(&lane->credit, parcel->request.size))
        return false;
    parcel_write(&lane->frame, parcel);
    return true;
}

// A rare large frame's memory is not kept by every lane.
static bool lane_send(struct lane *lane)
{
    if (zmq_send(lane->push, lane->frame.at, lane->frame.size, ZMQ_DONTWAIT) < 0)
        return false;
    if (lane->frame.capacity > FRAME_KEPT_MAX)
        buffer_deinit(&lane->frame);
    buffer_clear(&lane->frame);
    return true;
}

bool lanes_send(struct lanes *lanes)
{
    bool sent = true;
    for (uint16_t i = 0; i < lanes->count; i++) {
        if (lanes->at[i].frame.size && !lane_send(&lanes->at[i]))
            sent = false;
    }
    return sent;
}

void lanes_give_back(struct lanes *lanes, struct bytes credit)
{
    struct parcel_credit given;
    CHECK(credit.size == sizeof given, "%zu", credit.size);
    memcpy(&given, credit.at, sizeof given);
    CHECK(given.actor < lanes->count, "%u", given.actor);
    credit_give(&lanes->at[given.actor].credit, given.commands, given.size);
}
