// SPDX-License-Identifier: Apache-2.0
// Deciding a log again: every logged message through today's handlers, in the turns it came in, into scratch stores. An
// actor's log holds everything the actor was told, so each is replayed alone; but a kind's actors share one scratch
// store, since state is keyed by slot: a reshape between two epochs then moves nothing. Epoch e of all actors of a kind
// is finished before e + 1. One thread.
#pragma once

#include "cli/history.h"

struct difference {
    bool found;
    struct actor_id actor;
    uint64_t seq, epoch;
    int64_t at;
    struct buffer json; // one object
    struct buffer text; // for people, several lines
};

struct replay {
    struct history *history;
    struct store *stores[KIND_COUNT]; // scratch, empty; the caller closes them
    struct trouble *trouble;
    uint64_t epochs, turns, messages;
    int64_t last_at[KIND_COUNT]; // of the kind's last turn
    int64_t forgotten_until;     // what is forgotten by then may be gone, too: a node reads on after its last turn
    uint64_t last_epoch;
    struct settings settings; // of the last epoch of any actor
    char provider[64 + 1];    // settings.provider
    struct owner_map owners;  // likewise
    struct difference difference; // of all kinds, the first in time
};

// Replays everything; a kind stops at the end of the epoch in which it first differs. true: all digests are equal.
bool replay_run(struct replay *replay);
void replay_deinit(struct replay *replay);

// Then: is what the log leads to what the databases hold? Forgotten rows aside. `rows` (may be NULL): how many were
// compared. false: `difference` says what, as a JSON object and a sentence.
struct state_difference {
    struct buffer json, text;
};
bool replay_compare(struct replay *replay, const struct databases *databases, uint64_t *rows,
                    struct state_difference *difference);
