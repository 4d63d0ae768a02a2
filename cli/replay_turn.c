// SPDX-License-Identifier: Apache-2.0
// The witness tells each message that differs while its effects are there; the turn's digest decides. One thread.
#include "cli/replay_turn.h"

#include "cli/cli.h"
#include "cli/describe.h"
#include "codec/json.h"

#include <inttypes.h>

enum { MESSAGES_SHOWN = 16 };

void replay_turn_init(struct replay_turn *turn, struct replay *replay)
{
    *turn = (struct replay_turn){.replay = replay};
    arena_init(&turn->arena);
}

void replay_turn_deinit(struct replay_turn *turn)
{
    buffer_deinit(&turn->json);
    buffer_deinit(&turn->text);
    arena_deinit(&turn->arena);
}

// ---- telling a message that differs

static void put_json(struct replay_turn *turn, const char *name, struct bytes text)
{
    buffer_printf(&turn->json, "\"%s\":", name);
    json_write_text(text, &turn->json);
    buffer_printf(&turn->json, ",");
}

static void tell_request(struct replay_turn *turn, uint32_t index)
{
    const struct log_message *message = &turn->row->turn.messages[index];
    struct cursor cursor = cursor_over(message->request);
    struct request request = {0};
    struct envelope_refusal refusal;
    struct buffer sender = {0};
    request_read(&cursor, &request, &refusal);
    describe_sender(message, &sender);
    buffer_printf(&turn->json, "%s{\"index\":%" PRIu32 ",", turn->differing > 1 ? "," : "", index);
    put_json(turn, "sender", buffer_bytes(&sender));
    put_json(turn, "id", request.id);
    put_json(turn, "type", request.type);
    put_json(turn, "key", request.key);
    buffer_printf(&turn->json, "\"body\":");
    describe_body(request.body, &turn->json);
    buffer_printf(&turn->text, "  message %" PRIu32 " of %" PRIu32 ": %.*s %.*s from %.*s  ", index + 1,
                  turn->row->turn.messages_count, BYTES_FORMAT(request.type), BYTES_FORMAT(request.key),
                  BYTES_FORMAT(buffer_bytes(&sender)));
    describe_body_short(request.body, &turn->text);
    buffer_deinit(&sender);
}

static void tell_then(struct replay_turn *turn, uint32_t index)
{
    const struct log_turn *logged = &turn->row->turn;
    bool first = true;
    buffer_printf(&turn->json, ",\"then\":{\"digest\":\"%016" PRIx64 "\",\"events\":[", logged->messages[index].digest);
    buffer_printf(&turn->text, "\n    then  digest %016" PRIx64 "\n", logged->messages[index].digest);
    for (uint32_t i = 0; i < logged->events_count; i++) {
        const struct log_event *event = &logged->events[i];
        const struct event_def *def = event_by_number(event->type);
        if (event->message != index)
            continue;
        const char *name = def ? def->name : "unknown";
        buffer_printf(&turn->json, "%s{\"event\":\"%s\",\"data\":", first ? "" : ",", name);
        describe_body(event->data, &turn->json);
        buffer_printf(&turn->json, "}");
        buffer_printf(&turn->text, "          event %s ", name);
        describe_body_short(event->data, &turn->text);
        buffer_printf(&turn->text, "\n");
        first = false;
    }
    buffer_printf(&turn->json, "]}");
}

static void tell_effects(struct replay_turn *turn, const struct effects *effects)
{
    struct buffer effect = {0};
    for (uint32_t i = 0; i < effects->count; i++) {
        buffer_clear(&effect);
        describe_effect(turn->actor.kind, &effects->list[i], &turn->arena, &effect);
        buffer_printf(&turn->json, "%s%.*s", i ? "," : "", BYTES_FORMAT(buffer_bytes(&effect)));
        buffer_printf(&turn->text, "          %.*s\n", BYTES_FORMAT(buffer_bytes(&effect)));
    }
    buffer_deinit(&effect);
}

static void tell_now(struct replay_turn *turn, enum status status, const struct effects *effects, bool logged,
                     uint64_t digest)
{
    const char *kept = logged ? "" : ", which changes nothing";
    buffer_printf(&turn->json,
                  ",\"now\":{\"digest\":\"%016" PRIx64 "\",\"changed\":%s,\"status\":\"%s\",\"reply\":", digest,
                  logged ? "true" : "false", status_name(status));
    buffer_printf(&turn->text, "    now   digest %016" PRIx64 "  %s%s  reply ", digest, status_name(status), kept);
    if (effects->reply.size) {
        describe_body(effects->reply, &turn->json);
        describe_body_short(effects->reply, &turn->text);
    } else {
        buffer_printf(&turn->json, "{}");
        buffer_printf(&turn->text, "{}");
    }
    buffer_printf(&turn->json, ",\"effects\":[");
    buffer_printf(&turn->text, "\n");
    tell_effects(turn, effects);
    buffer_printf(&turn->json, "]}}");
}

static void tell_undecided(struct replay_turn *turn, uint32_t index)
{
    if (turn->differing++ >= MESSAGES_SHOWN)
        return;
    tell_request(turn, index);
    tell_then(turn, index);
    buffer_printf(&turn->json, ",\"now\":{\"changed\":false,\"status\":null}}");
    buffer_printf(&turn->text, "    now   no handler saw it: refused as malformed, or answered from memory\n");
}

void replay_witness(void *context, const struct incoming *in, enum status status, const struct effects *effects,
                    bool logged)
{
    struct replay_turn *turn = context;
    uint32_t index = (uint32_t)(in - turn->incoming);
    const struct log_turn *now = &turn->shard->turn;
    uint64_t digest = logged ? now->messages[now->messages_count - 1].digest : 0;
    turn->decided[index] = true;
    if (logged && digest == turn->row->turn.messages[index].digest)
        return;
    if (turn->differing++ >= MESSAGES_SHOWN)
        return;
    tell_request(turn, index);
    tell_then(turn, index);
    tell_now(turn, status, effects, logged, digest);
}

// ---- the turn

static void difference_note(struct replay_turn *turn)
{
    struct difference *first = &turn->replay->difference;
    const struct log_row *row = turn->row;
    for (uint32_t i = 0; i < row->turn.messages_count; i++)
        if (!turn->decided[i])
            tell_undecided(turn, i);
    if (first->found && first->at <= row->turn.at)
        return;
    first->found = true;
    first->actor = turn->actor;
    first->seq = row->seq;
    first->epoch = turn->epoch;
    first->at = row->turn.at;
    buffer_clear(&first->json);
    buffer_printf(&first->json,
                  "{\"actor\":\"%s\",\"seq\":%" PRIu64 ",\"epoch\":%" PRIu64 ",\"at\":%" PRId64 ",\"time\":\"%s\","
                  "\"digest_then\":\"%016" PRIx64 "\",\"digest_now\":\"%016" PRIx64 "\",\"messages_differ\":%" PRIu32
                  ",\"messages\":[%.*s]}",
                  actor_id_name(turn->actor).text, row->seq, turn->epoch, row->turn.at, time_format(row->turn.at).text,
                  row->turn.digest, turn->shard->turn.digest, turn->differing, BYTES_FORMAT(buffer_bytes(&turn->json)));
    buffer_clear(&first->text);
    buffer_printf(&first->text,
                  "%s seq %" PRIu64 ", epoch %" PRIu64 ", %s: %" PRIu32 " of %" PRIu32 " messages differ\n",
                  actor_id_name(turn->actor).text, row->seq, turn->epoch, time_format(row->turn.at).text,
                  turn->differing, row->turn.messages_count);
    buffer_append(&first->text, turn->text.at, turn->text.size);
    if (turn->differing > MESSAGES_SHOWN)
        buffer_printf(&first->text, "  … and %" PRIu32 " more\n", turn->differing - MESSAGES_SHOWN);
}

static void prepare(struct replay_turn *turn, const struct log_row *row)
{
    arena_reset(&turn->arena);
    buffer_clear(&turn->json);
    buffer_clear(&turn->text);
    turn->row = row;
    turn->differing = 0;
    turn->incoming = arena_alloc(&turn->arena, (row->turn.messages_count + 1) * sizeof *turn->incoming);
    turn->decided = arena_alloc(&turn->arena, row->turn.messages_count + 1);
    for (uint32_t i = 0; i < row->turn.messages_count; i++) {
        const struct log_message *message = &row->turn.messages[i];
        turn->incoming[i] =
            (struct incoming){.origin = message->origin, .sender = message->sender, .request = message->request};
    }
}

bool replay_turn_run(struct replay_turn *turn, const struct log_row *row)
{
    struct fault_text text = {"a read or write failed"};
    uint32_t consumed = 0;
    prepare(turn, row);
    enum fault fault =
        shard_turn(turn->shard, row->turn.at, turn->incoming, row->turn.messages_count, &consumed, &text);
    if (fault) {
        trouble_note(turn->replay->trouble, fault, "the scratch store: %s", text.line);
        return false;
    }
    turn->replay->turns++;
    turn->replay->messages += consumed;
    const struct log_turn *now = &turn->shard->turn;
    if (now->messages_count == row->turn.messages_count && now->digest == row->turn.digest)
        return true;
    difference_note(turn);
    return false;
}
