// SPDX-License-Identifier: Apache-2.0
// The child is a fork: it has the scratch store as the replay left it, and takes nothing with it when it dies.
#include "cli/replay_message.h"

#include "actors/shard.h"
#include "cli/cli.h"
#include "codec/check.h"
#include "codec/envelope.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

const struct quarantined *replay_message_find(const struct quarantine *quarantine, const char *name)
{
    const struct quarantined *last = NULL;
    const char *slash = name ? strchr(name, '/') : NULL;
    struct entity entity;
    for (uint32_t i = 0; i < quarantine->count && !name; i++)
        if (!last || quarantine->list[i].at > last->at)
            last = &quarantine->list[i];
    if (slash && kind_of_name(bytes_of(name, (size_t)(slash - name)), &entity.kind)) {
        entity.key = bytes_text(slash + 1);
        last = quarantine_find(quarantine, entity);
    }
    if (!last && name)
        usage_error("replay", "'%s' is not in quarantine; `souk quarantine list` shows KIND/KEY of what is", name);
    else if (!last)
        usage_error("replay", "nothing is in quarantine: there is no message to decide again");
    return last;
}

// ---- in the child

static struct incoming incoming_of(const struct quarantined *row, struct arena *arena)
{
    struct incoming in = {.origin = LOG_RUNTIME, .request = row->message};
    if (bytes_equal(row->origin, BYTES("client")))
        in.origin = LOG_CLIENT;
    if (row->has_sender && kind_of_name(row->sender_kind, &in.sender.kind)) {
        in.origin = LOG_PEER;
        in.sender.key = row->sender;
    }
    if (row->size == 0) { // it died while the start looked at it, or while a waiter's view was made
        struct buffer body = {0}, request = {0};
        const struct message_def *def = message_by_name(row->type);
        CHECK(def, "%.*s", BYTES_FORMAT(row->type));
        body_encode(def->body(), &(struct wake){0}, &body);
        request_write(&request, REQUEST_ID_NONE, def->name, row->key, buffer_bytes(&body), 0);
        in.request = arena_copy(arena, buffer_bytes(&request));
        buffer_deinit(&body);
        buffer_deinit(&request);
    }
    return in;
}

static void note_status(void *context, const struct incoming *in, enum status status, const struct effects *effects,
                        bool logged)
{
    *(enum status *)context = status;
}

static void decide(struct replay *replay, const struct quarantined *row, enum kind_id kind, int said)
{
    struct arena arena;
    arena_init(&arena);
    struct incoming in = incoming_of(row, &arena);
    enum status status = STATUS_COUNT;
    struct shard *shard;
    struct shard_options options = {
        .kind = kind_of(kind),
        .actor = {kind, 0},
        .store = replay->stores[kind],
        .settings = &replay->settings,
        .owners = &replay->owners,
        .tail = {.type = LOG_ROW_TURN, .seq = 1, .turn = {.at = replay->last_at[kind]}},
        .epoch = replay->last_epoch + 1,
        .no_log = true,
        .witness = note_status,
        .witness_context = &status,
    };
    struct fault_text text;
    uint32_t consumed;
    CHECK(shard_open(&options, &shard) == FAULT_NONE);
    CHECK(shard_turn(shard, shard_time(shard, row->at), &in, 1, &consumed, &text) == FAULT_NONE, "%s", text.line);
    const char *name = status == STATUS_COUNT ? "refused before any handler saw it" : status_name(status);
    _exit(write(said, name, strlen(name)) < 0);
}

// ---- in the parent

static void read_all(int file, struct buffer *out)
{
    enum { PIECE = 4096, MAX = 64 * 1024 };
    ssize_t size;
    while ((size = read(file, buffer_reserve(out, PIECE), PIECE)) > 0 || (size < 0 && errno == EINTR))
        out->size += size > 0 && out->size < MAX ? (size_t)size : 0;
}

void replay_message_run(struct replay *replay, const struct quarantined *row, struct message_outcome *outcome)
{
    int said[2], ended = 0;
    enum kind_id kind;
    CHECK(kind_of_name(row->kind, &kind));
    CHECK(pipe(said) == 0, "%s", strerror(errno));
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0, "%s", strerror(errno));
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        dup2(said[1], STDERR_FILENO);
        decide(replay, row, kind, said[1]);
    }
    close(said[1]);
    *outcome = (struct message_outcome){0};
    read_all(said[0], &outcome->said);
    close(said[0]);
    while (waitpid(child, &ended, 0) < 0 && errno == EINTR)
        ;
    outcome->signal = WIFSIGNALED(ended) ? WTERMSIG(ended) : 0;
    outcome->died = ended != 0;
    while (outcome->said.size && outcome->said.at[outcome->said.size - 1] == '\n')
        outcome->said.size--;
    if (!outcome->died) {
        outcome->status = outcome->said;
        outcome->said = (struct buffer){0};
    }
}

void message_outcome_deinit(struct message_outcome *outcome)
{
    buffer_deinit(&outcome->said);
    buffer_deinit(&outcome->status);
}
