// SPDX-License-Identifier: Apache-2.0
// A payment provider outside, as bad as providers are: it loses calls and answers, answers late, twice, or `failed`,
// goes away, forgets keys; and it has its own book, by which money is judged. One thing per key while it knows the key
// (P1); nothing else protects its caller: a second key is a second charge. Time is the provider's own: a clock that
// never jumps. One thread.
#pragma once

#include "provider/provider.h"
#include "tests/sim/chance.h"

enum provider_fault {
    PROVIDER_CALL_LOST,
    PROVIDER_ANSWER_LOST, // done all the same
    PROVIDER_LATE,        // the answer comes after late_us
    PROVIDER_SLOW,        // the call itself arrives late
    PROVIDER_TWICE,
    PROVIDER_FAILED,   // `failed`: nothing happened
    PROVIDER_DECLINED, // an operation is declined although nothing speaks against it
    PROVIDER_VANISHED, // done, and then it is away for long
    PROVIDER_AWAY,     // calls lost while it is away
    PROVIDER_FORGOT,   // a key came that it had forgotten
    PROVIDER_FAULTS
};
extern const char *const provider_fault_names[PROVIDER_FAULTS];

struct provider_sim_options {
    struct chance chance;
    int permille[PROVIDER_FAULTS]; // not AWAY, FORGOT
    int64_t latency_us, late_us, vanish_us; // at most
    int64_t key_us;                // how long it knows a key
};

struct provider_entry { // one key that did something
    struct provider_entry *next;
    const char *order_id, *key, *operation, *method;
    const char *outcome; // succeeded, declined, action_required
    int64_t attempt, first_at;
    struct money amount;
};

struct provider_sim {
    struct provider_sim_options options;
    int64_t now, away_until; // the caller moves `now`
    bool healthy;            // no more faults
    struct provider_entry *book; // newest first
    struct provider_order *orders;
    struct provider_answer *answers; // by time
    const char *resent_forgotten; // an order whose operation came anew under a key it had forgotten; NULL: none
    uint64_t faults[PROVIDER_FAULTS], calls;
    struct arena arena;
};

extern const struct provider provider_sim_driver; // begin and collect

void provider_sim_init(struct provider_sim *sim, const struct provider_sim_options *options);
void provider_sim_deinit(struct provider_sim *sim);
// The other side's process ended: answers under way reach nobody. Calls under way still arrive.
void provider_sim_disconnect(struct provider_sim *sim);
// When something of it is due; INT64_MAX: nothing.
int64_t provider_sim_next(const struct provider_sim *sim);

struct provider_sums {
    int authorizations, captures, voids, refunds;
    int64_t authorized, captured, refunded;
};
struct provider_sums provider_sim_sums(const struct provider_sim *sim, struct bytes order_id);
