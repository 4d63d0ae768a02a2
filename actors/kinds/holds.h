// SPDX-License-Identifier: Apache-2.0
// The hold primitive, for everything with a ceiling: stock now; coupons, gift cards, wallets and refunds later.
//
//                           ┌─ commit ──▶ committed      what was promised is taken
//     reserve ──▶  held  ───┼─ release ─▶ released       given back by its owner
//                           └─ expire ──▶ expired        given back by the clock (never an order's)
//
// A hold leaves `held` exactly once. Whoever has a ceiling keeps its numbers in a record of its own shape and lends
// them here as `struct ceiling`; nobody else computes with them. True before and after every function:
//   1  on_hand − short = received + restocked + adjusted − committed
//   2  on_hand ≥ reserved unless stopped, and stopped only while on_hand < reserved
//   3  nothing but `adjusted` is negative; short > 0 only while on_hand = 0
// Pure; any thread.
#pragma once

#include "actors/kinds/kind.h"

// No counter that a client can raise directly passes COUNTER_MAX, and no ceiling ever commits more than COMMITTED_MAX:
// so no sum of them overflows.
#define COUNTER_MAX INT64_C(1000000000000000)
#define COMMITTED_MAX INT64_C(1000000000000000000)

struct ceiling {
    int64_t on_hand, reserved;
    int64_t received, restocked, adjusted; // where it came from
    int64_t committed;                     // where it went
    int64_t short_;                        // committed although it was not there; paid first by what comes in
    bool stopped;                          // a person set on_hand below reserved: nothing new is held until it fits
};

int64_t ceiling_available(const struct ceiling *ceiling);
// Do 1, 2 and 3 hold? CHECK it before the numbers are stored.
bool ceiling_sound(const struct ceiling *ceiling);
// Would `received + quantity` stay within bounds?
bool ceiling_fits(const struct ceiling *ceiling, int64_t quantity);
void ceiling_receive(struct ceiling *ceiling, int64_t quantity);
void ceiling_restock(struct ceiling *ceiling, int64_t quantity);
// A person's correction by `change`. on_hand afterwards; < 0 when that is impossible.
int64_t ceiling_after(const struct ceiling *ceiling, int64_t change);
// Bounds: ceiling_after(change) is possible. May stop the ceiling.
void ceiling_adjust(struct ceiling *ceiling, int64_t change);

enum hold_state { HOLD_HELD, HOLD_COMMITTED, HOLD_RELEASED, HOLD_EXPIRED, HOLD_RESTOCKED };

enum hold_state hold_state(const struct hold *hold);
struct bytes hold_state_name(enum hold_state state);
// Takes hold->quantity, which must be available, and notes it as first answered.
void hold_reserve(struct ceiling *ceiling, struct hold *hold);
// Ends a live hold: HOLD_COMMITTED, HOLD_RELEASED or HOLD_EXPIRED.
void hold_end(struct ceiling *ceiling, struct hold *hold, enum hold_state state);
// When an ended hold of a client may be forgotten.
int64_t hold_forget_at(const struct given *given);

// The work of an expire message (LOADS_DUE): ends what is due up to `until`, oldest first, until `need` is available
// (0: all), at most `max`. Due rows in which something ended are replaced. Returns the earliest deadline left;
// 0: none.
int64_t holds_expire(const struct given *given, struct effects *effects, struct ceiling *ceiling, int64_t until,
                     int64_t need, int64_t max);
