// SPDX-License-Identifier: Apache-2.0
// Looks after every turn, every answer and the end. What each invariant (DESIGN) is checked by:
//
//   I1, I2   the model's counters beside the stored record, after each turn that met the SKU; souk's own audit
//   I3       the model: a hold ends once, by whom it may; no due hold is met
//   I4, I7   the provider's book: at each capture, each operation sent, at rest
//   I5, I6   the model when an order says that it was confirmed or ended; the audit at prefixes and at rest
//   I8       the model: one effect per request id; answers compared with the first; an order ends by a reason it met
//   I9       what was answered is in the model, and the model is what is stored at rest
//   I10      an answer's effect was durable before the answer left; a turn's row is in the log when it delivers
//   I11      the whole log replayed, digest by digest and row by row, at the end
//   I12, I13 every row at its slot's owner; open lines, waiters and inboxes within their limits
//   I14      each request that arrived is answered once, unless the process ended; readers are told each thing once
//   T6       isolation.h: what is in quarantine stays as it is, and all others go on
//   I15      at rest every order is settled, nothing is open, nobody waits
#pragma once

#include "tests/sim/coverage.h"
#include "tests/sim/isolation.h"
#include "tests/sim/trace.h"

struct auditor {
    struct world *world;
    struct model model;
    struct finding finding;
    struct trace trace;
    struct coverage coverage;
    struct isolation isolation;
    const struct provider_sim *provider; // NULL: the sandbox
    struct auditor_request *requests;
    struct auditor_order *orders;
    uint64_t turns_to_audit; // until the next whole audit
    uint64_t audit_every;
    bool clock_jumped; // then what was asked may be asked again
    struct arena arena;
};

// The world's witness is the auditor's `witness`, passed on by whoever drives.
void auditor_init(struct auditor *auditor, struct world *world, const struct provider_sim *provider);
void auditor_deinit(struct auditor *auditor);

// A client is about to send this request for the first time.
void auditor_sent(struct auditor *auditor, struct bytes request);
// One copy of it reached the broker of a process that is up.
void auditor_arrived(struct auditor *auditor, const struct request *request);

void auditor_decided(struct auditor *auditor, const struct world_decision *decision);
void auditor_turned(struct auditor *auditor, uint16_t number);
void auditor_replied(struct auditor *auditor, struct bytes id, struct bytes status, struct bytes body);
void auditor_crashed(struct auditor *auditor);
// Nothing moves any more, and nothing will.
void auditor_rest(struct auditor *auditor);
void auditor_judge_answered(struct auditor *auditor); // part of it: everything that arrived has its answer
// The whole state, now (souk's own audit, with the provider's book).
void auditor_audit(struct auditor *auditor);
