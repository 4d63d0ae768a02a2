// SPDX-License-Identifier: Apache-2.0
// What runs have reached: order steps × events, end states, refusals by name, faults by kind. Plain numbers that can be
// summed over seeds and passed between processes. One thread.
#pragma once

#include "actors/kinds/order.h"
#include "tests/sim/model.h"

enum sim_fault {
    FAULT_REQUEST_DROPPED,
    FAULT_REQUEST_TWICE,
    FAULT_REQUEST_DELAYED,
    FAULT_REPLY_DROPPED,
    FAULT_REPLY_TWICE,
    FAULT_REPLY_DELAYED,
    FAULT_CLOCK_FORWARD,
    FAULT_CLOCK_BACK,
    FAULT_LONG_OUTAGE,
    SIM_FAULTS
};
extern const char *const sim_fault_names[SIM_FAULTS];

enum reshape_end { RESHAPE_DONE, RESHAPE_DIED_MOVING, RESHAPE_DIED_COMMITTED, RESHAPE_DIED_SWEEPING, RESHAPES };
extern const char *const reshape_names[RESHAPES];

struct coverage {
    uint64_t seeds, turns, messages, commits, points, requests, replies, orders, lines, reasks, crashes, audits,
        virtual_seconds, sandbox_seeds;
    uint64_t faults[SIM_FAULTS], provider_faults[PROVIDER_FAULTS], deaths[DEATHS];
    uint64_t cells[ORDER_EVENT_COUNT][ORDER_STEP_COUNT];
    uint64_t ends[ORDER_STATUS_COUNT];
    uint64_t statuses[STATUS_COUNT];
    uint64_t reshapes[RESHAPES];
    uint64_t isolated[KIND_COUNT], lifted, rests_isolated; // quarantines
};

void coverage_add(struct coverage *sum, const struct coverage *one);
// An order met an event at this step.
void coverage_decided(struct coverage *coverage, const struct world_decision *decision, enum order_step before);
// The step a decision leaves its order at; `before` if it changed nothing.
enum order_step coverage_step(const struct world_decision *decision, enum order_step before);
// Tables for people, or one JSON object.
void coverage_print(const struct coverage *coverage, double seconds, struct buffer *out);
void coverage_json(const struct coverage *coverage, double seconds, struct buffer *out);
