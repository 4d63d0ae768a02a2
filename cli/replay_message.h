// SPDX-License-Identifier: Apache-2.0
// The message that ended a process, decided again after the log, in a process of its own. One thread.
#pragma once

#include "cli/replay.h"
#include "store/quarantine.h"

struct message_outcome {
    bool died;
    int signal;          // 0: it ended by itself, though not well (a sanitizer)
    struct buffer said;  // what it printed while dying
    struct buffer status; // of a message that was decided: `ok`, a refusal's name
};

// The one that `name` (KIND/KEY) says, or, if it is NULL, the last that died. NULL: there is none, and it was said.
const struct quarantined *replay_message_find(const struct quarantine *quarantine, const char *name);
// After replay_run: decides it in the scratch store's state, outside the quarantine.
void replay_message_run(struct replay *replay, const struct quarantined *row, struct message_outcome *outcome);
void message_outcome_deinit(struct message_outcome *outcome);
