// SPDX-License-Identifier: Apache-2.0
// Looks after every turn, every answer and the end. What each invariant (DESIGN) is checked by:
//
//   I1, I2   the model's counters beside the stored record, after each turn that met the SKU; souk's own audit
//   I3       the model: a hold ends once, by whom it may; no due hold is met; no time goes by that nobody believes
//   I4, I7   the provider's book: at each capture, each operation sent, at rest
//   I5, I6   the model when an order says that it was confirmed or ended; the audit at prefixes and at rest
//   I8       the model: one effect per request id; answers compared with the first; an order ends by a reason it met;
//            order.place is answered with the order as it is, at rest or when wait_ms is over (auditor_place.c)
//   I9       what was answered is in the model, and the model is what is stored at rest
//   I10      an answer's effect was durable before the answer left; a turn's row is in the log when it delivers
//   I11      the whole log replayed, digest by digest and row by row, at the end
//   I12, I13 every row at its slot's owner; open lines, waiters and inboxes within their limits; `busy` only where one is
//            reached (auditor_busy.c); no turn ends more holds than it may
//   I14      each request that arrived is answered once, to whom it came from, unless the process ended, order.place in the
//            turn in which its order rests or wait_ms is over; readers are told each thing once
//   T6       isolation.h: what is in quarantine stays as it is, and all others go on
//   I15      at rest every order is settled, nothing is open, nobody waits
//
// While nothing new is taken (auditor_closed.c): I13 a client's NEW command changes nothing and is told the right name, and
// nothing else is; I8 what took effect is answered as before; I14 who is turned away is told when to come again.
#pragma once

#include "tests/sim/coverage.h"
#include "tests/sim/isolation.h"
#include "tests/sim/seen.h"
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
    struct seen_order *orders;
    struct awaited *awaited;            // order.place that has no answer yet
    uint64_t in_flight[WORLD_PLACES];   // commands on their way to an actor, or at it, or their credit on its way back
    uint64_t busy_passed_on;            // answers of actors that arrived at the broker and have not left it
    bool amid_endings;                  // the last turn that ended holds ended as many as it may
    int64_t turn_us;                    // a turn comes at most so late
    uint64_t each_turn;      // so many turns are followed by a whole audit each: every prefix of the log
    uint64_t turns_to_audit; // afterwards, until the next one
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
void auditor_arrived(struct auditor *auditor, struct bytes route, const struct request *request);

// A frame between two places.
void auditor_frame_sent(struct auditor *auditor, uint16_t from, uint16_t to);
void auditor_frame_arrived(struct auditor *auditor, uint16_t from, uint16_t to, const struct parcel *parcel);
void auditor_decided(struct auditor *auditor, const struct world_decision *decision);
void auditor_turned(struct auditor *auditor, uint16_t number);
void auditor_replied(struct auditor *auditor, struct bytes route, struct bytes id, struct bytes status, struct bytes body);
// An actor's answers leave for the broker: the last frame of that pipe.
void auditor_left(struct auditor *auditor, uint16_t from);
void auditor_crashed(struct auditor *auditor);
// Nothing moves any more, and nothing will.
void auditor_rest(struct auditor *auditor);
void auditor_judge_answered(struct auditor *auditor); // part of it: everything that arrived has its answer
// The whole state, now (souk's own audit, with the provider's book).
void auditor_audit(struct auditor *auditor);

// ---- for the auditor's own files

// The next reply in what a turn leaves for the broker; false: there is none.
bool auditor_next_reply(struct cursor *frame, struct reply *reply);
// Does order.place say so with a view of the order?
bool auditor_is_view(enum status status);
void auditor_place_decided(struct auditor *auditor, const struct world_decision *decision);
void auditor_place_turned(struct auditor *auditor, const struct world_actor *actor);
void auditor_busy_decided(struct auditor *auditor, const struct world_decision *decision);
void auditor_busy_turned(struct auditor *auditor, const struct world_actor *actor);
void auditor_busy_replied(struct auditor *auditor, const struct message_def *def, struct bytes key);
struct auditor_request {
    UT_hash_handle hh;
    const struct message_def *def;
    struct bytes id, key;
    struct bytes route;    // whom it came from
    struct bytes body;     // of the request
    uint32_t outstanding;  // copies that arrived at this process and have no answer yet
    uint32_t others;       // likewise, with other content under the same id
    struct bytes answered; // first ok, or a recorded order's refusal
    enum status status;
    int64_t at;
};

struct auditor_request *auditor_request_of(const struct auditor *auditor, struct bytes id); // NULL: not a shopper's
void auditor_judge_closed(struct auditor *auditor, const struct world_decision *decision);
