// SPDX-License-Identifier: Apache-2.0
// Epoch by epoch over the actors of a kind; the log itself is checked on the way. One thread.
#include "cli/cli.h"
#include "cli/replay_turn.h"
#include "codec/check.h"

#include <inttypes.h>
#include <stdlib.h>

// Where an actor's replay stands.
struct part {
    uint32_t index; // in the history
    uint64_t chain;
    int64_t at;
};

// What is being decided, in case a CHECK ends the process: then this build differs, too, and that is where.
static struct {
    char actor[32];
    const struct log_row *row;
} deciding;

static void last_words(const char *line)
{
    progress_done();
    if (deciding.row)
        fprintf(stderr,
                "souk replay: this build stops at %s seq %" PRIu64 " (%s); `souk log --actor %s --from %" PRIu64
                " --to %" PRIu64 "` shows it\n",
                deciding.actor, deciding.row->seq, time_format(log_row_at(deciding.row)).text, deciding.actor,
                deciding.row->seq, deciding.row->seq);
}

static bool broken(struct replay *replay, uint32_t index, const struct log_row *row, const char *why)
{
    trouble_note(replay->trouble, FAULT_CORRUPTION, "%s, seq %" PRIu64 " of its log: %s; restore it from a copy",
                 actor_id_name(history_actor(replay->history, index)).text, row->seq, why);
    return false;
}

// The log by itself: time moves on, digests and chain fit together.
static bool turn_intact(struct replay *replay, const struct part *part, const struct log_row *row)
{
    uint64_t digest = 0;
    for (uint32_t i = 0; i < row->turn.messages_count; i++)
        digest = log_chain(digest, row->turn.messages[i].digest);
    if (row->turn.at <= part->at)
        return broken(replay, part->index, row, "its time is not after the one before");
    if (digest != row->turn.digest)
        return broken(replay, part->index, row, "its digest is not that of its messages");
    if (log_chain(part->chain, row->turn.digest) != row->turn.chain)
        return broken(replay, part->index, row, "its chain does not continue the one before");
    return true;
}

static void say_progress(const struct replay *replay, const struct replay_turn *turn, const struct log_row *row)
{
    progress("%s epoch %" PRIu64 "  %s  %" PRIu64 " turns, %" PRIu64 " messages", actor_id_name(turn->actor).text,
             turn->epoch, time_format(log_row_at(row)).text, replay->turns, replay->messages);
}

// The turns up to the next epoch. false: one differs, or trouble.
static bool turns_run(struct replay *replay, struct part *part, struct replay_turn *turn)
{
    const struct log_row *row;
    while ((row = history_row(replay->history, part->index)) && row->type == LOG_ROW_TURN) {
        if (!turn_intact(replay, part, row))
            return false;
        deciding.row = row;
        bool same = replay_turn_run(turn, row);
        deciding.row = NULL;
        if (!same)
            return false;
        part->chain = row->turn.chain;
        part->at = row->turn.at;
        say_progress(replay, turn, row);
        history_next(replay->history, part->index);
    }
    return replay->trouble->fault == FAULT_NONE;
}

// One epoch of one actor. Its row goes with the next one read, so what is needed of it is copied.
static bool epoch_run(struct replay *replay, struct part *part)
{
    const struct log_row *row = history_row(replay->history, part->index);
    struct actor_id actor = history_actor(replay->history, part->index);
    if (row->epoch.previous_chain != part->chain)
        return broken(replay, part->index, row, "this epoch does not continue the chain before it");
    snprintf(replay->provider, sizeof replay->provider, "%.*s", BYTES_FORMAT(row->epoch.settings.provider));
    replay->settings = row->epoch.settings;
    replay->settings.provider = bytes_text(replay->provider);
    replay->owners = row->epoch.owners;
    struct replay_turn turn;
    replay_turn_init(&turn, replay);
    turn.actor = actor;
    turn.epoch = row->epoch.number;
    part->at = row->epoch.at;
    struct shard_options options = {
        .kind = kind_of(actor.kind),
        .actor = actor,
        .store = replay->stores[actor.kind],
        .settings = &replay->settings,
        .owners = &replay->owners,
        .tail = {.type = LOG_ROW_TURN, .seq = row->seq, .turn = {.at = row->epoch.at, .chain = part->chain}},
        .quarantine = row->epoch.quarantine,
        .epoch = row->epoch.number,
        .replay = true,
        .no_log = true,
        .witness = replay_witness,
        .witness_context = &turn,
    };
    CHECK(shard_open(&options, &turn.shard) == FAULT_NONE);
    snprintf(deciding.actor, sizeof deciding.actor, "%s", actor_id_name(actor).text);
    history_next(replay->history, part->index);
    bool same = turns_run(replay, part, &turn);
    shard_close(&turn.shard);
    replay_turn_deinit(&turn);
    if (part->at > replay->last_at[actor.kind])
        replay->last_at[actor.kind] = part->at;
    return same;
}

// The least epoch that any actor stands before; 0: all have ended.
static uint64_t epoch_next(struct replay *replay, const struct part *parts, uint32_t count)
{
    uint64_t least = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct log_row *row = history_row(replay->history, parts[i].index);
        if (!row)
            continue;
        if (row->type != LOG_ROW_EPOCH) {
            broken(replay, parts[i].index, row, "the log does not begin with an epoch");
            return 0;
        }
        if (!least || row->epoch.number < least)
            least = row->epoch.number;
    }
    return replay->trouble->fault ? 0 : least;
}

static bool kind_run(struct replay *replay, enum kind_id kind)
{
    struct part parts[ACTORS_MAX];
    uint32_t count = 0;
    bool same = true;
    uint64_t epoch;
    for (uint32_t i = 0; i < history_count(replay->history); i++)
        if (history_actor(replay->history, i).kind == kind && count < ACTORS_MAX)
            parts[count++] = (struct part){.index = i};
    while (same && (epoch = epoch_next(replay, parts, count))) {
        for (uint32_t i = 0; i < count && !replay->trouble->fault; i++) {
            const struct log_row *row = history_row(replay->history, parts[i].index);
            if (row && row->epoch.number == epoch)
                same &= epoch_run(replay, &parts[i]);
        }
        if (epoch > replay->last_epoch) {
            replay->last_epoch = epoch;
            replay->epochs++;
        }
    }
    return same;
}

bool replay_run(struct replay *replay)
{
    bool same = true;
    void (*before)(const char *line) = check_last_words;
    check_last_words = last_words;
    for (int kind = 0; kind < KIND_COUNT && !replay->trouble->fault; kind++)
        same &= kind_run(replay, kind);
    check_last_words = before;
    return same && !replay->trouble->fault;
}

void replay_deinit(struct replay *replay)
{
    buffer_deinit(&replay->difference.json);
    buffer_deinit(&replay->difference.text);
}
