// SPDX-License-Identifier: Apache-2.0
// One turn decided again and compared: message by message while it runs, so that a difference can be told in what the
// handler wanted. One thread.
#pragma once

#include "actors/shard.h"
#include "cli/replay.h"

struct replay_turn {
    struct replay *replay;
    struct shard *shard;
    struct actor_id actor;
    uint64_t epoch;
    const struct log_row *row;
    struct incoming *incoming;
    bool *decided;
    uint32_t differing;
    struct buffer json, text; // of the differing messages
    struct arena arena;
};

void replay_turn_init(struct replay_turn *turn, struct replay *replay);
void replay_turn_deinit(struct replay_turn *turn);
// The shard's witness; context: struct replay_turn.
void replay_witness(void *context, const struct incoming *in, enum status status, const struct effects *effects,
                    bool logged);
// Runs it. false: it differs (noted in replay->difference if it is the first in time), or trouble.
bool replay_turn_run(struct replay_turn *turn, const struct log_row *row);
