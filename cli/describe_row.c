// SPDX-License-Identifier: Apache-2.0
// Rows of the log: turns and epochs.
#include "cli/cli.h"
#include "cli/describe.h"
#include "cli/history.h"
#include "codec/envelope.h"
#include "codec/json.h"

#include <inttypes.h>

static bool key_passes(const struct row_filter *filter, struct bytes key)
{
    return !filter->key.size || bytes_equal(filter->key, key);
}

// A logged request was read when it came; empty fields if this build cannot.
static struct request read_request(struct bytes raw)
{
    struct cursor cursor = cursor_over(raw);
    struct request request = {0};
    struct envelope_refusal refusal;
    request_read(&cursor, &request, &refusal);
    return request;
}

bool row_passes(const struct log_row *row, const struct row_filter *filter)
{
    if (row->type == LOG_ROW_EPOCH)
        return !filter->key.size;
    for (uint32_t i = 0; i < row->turn.messages_count; i++)
        if (key_passes(filter, read_request(row->turn.messages[i].request).key))
            return true;
    return false;
}

static const char *event_name(uint32_t type)
{
    const struct event_def *def = event_by_number(type);
    return def ? def->name : "of a newer souk";
}

// ---- JSON

static void text_json(const char *name, struct bytes text, struct buffer *out)
{
    buffer_printf(out, "\"%s\":", name);
    json_write_text(text, out);
    buffer_printf(out, ",");
}

static void message_json(const struct log_message *message, const struct request *request, struct buffer *out)
{
    struct buffer sender = {0};
    describe_sender(message, &sender);
    buffer_printf(out, "{");
    text_json("sender", buffer_bytes(&sender), out);
    if (message->origin == LOG_CLIENT)
        text_json("id", request->id, out);
    text_json("type", request->type, out);
    text_json("key", request->key, out);
    buffer_printf(out, "\"body\":");
    describe_body(request->body, out);
    buffer_printf(out, ",\"digest\":\"%016" PRIx64 "\"}", message->digest);
    buffer_deinit(&sender);
}

static void turn_json(const struct log_turn *turn, const struct row_filter *filter, struct buffer *out)
{
    bool first = true;
    buffer_printf(out, ",\"digest\":\"%016" PRIx64 "\",\"chain\":\"%016" PRIx64 "\",\"messages\":[", turn->digest,
                  turn->chain);
    for (uint32_t i = 0; i < turn->messages_count; i++) {
        struct request request = read_request(turn->messages[i].request);
        if (!key_passes(filter, request.key))
            continue;
        buffer_printf(out, "%s", first ? "" : ",");
        message_json(&turn->messages[i], &request, out);
        first = false;
    }
    buffer_printf(out, "],\"events\":[");
    first = true;
    for (uint32_t i = 0; i < turn->events_count; i++) {
        const struct log_event *event = &turn->events[i];
        if (!key_passes(filter, event->key))
            continue;
        buffer_printf(out, "%s{\"message\":%" PRIu32 ",\"type\":\"%s\",\"key\":", first ? "" : ",", event->message,
                      event_name(event->type));
        json_write_text(event->key, out);
        buffer_printf(out, ",\"data\":");
        describe_body(event->data, out);
        buffer_printf(out, "}");
        first = false;
    }
    buffer_printf(out, "]");
}

static void owners_json(const struct owner_map *owners, struct buffer *out)
{
    for (int kind = 0; kind < KIND_COUNT; kind++)
        buffer_printf(out, "%s\"%s\":%u", kind ? "," : "{", kind_name(kind), owners->count[kind]);
    buffer_printf(out, "}");
}

static void epoch_json(const struct log_epoch *epoch, struct buffer *out)
{
    struct buffer settings = {0};
    buffer_printf(out, ",\"epoch\":{\"number\":%" PRIu64 ",", epoch->number);
    text_json("build", epoch->build, out);
    buffer_printf(out, "\"actors\":");
    owners_json(&epoch->owners, out);
    buffer_printf(out, ",\"settings\":");
    body_encode(settings_shape(), &epoch->settings, &settings);
    describe_body(buffer_bytes(&settings), out);
    buffer_deinit(&settings);
    buffer_printf(out, ",\"previous_chain\":\"%016" PRIx64 "\",\"quarantine\":", epoch->previous_chain);
    describe_body(epoch->quarantine, out);
    buffer_printf(out, "}");
}

void describe_row_json(struct actor_id actor, const struct log_row *row, const struct row_filter *filter,
                       struct buffer *out)
{
    int64_t at = log_row_at(row);
    buffer_printf(out, "{\"actor\":\"%s\",\"seq\":%" PRIu64 ",\"at\":%" PRId64 ",\"time\":\"%s\"",
                  actor_id_name(actor).text, row->seq, at, time_format(at).text);
    if (row->type == LOG_ROW_TURN)
        turn_json(&row->turn, filter, out);
    else
        epoch_json(&row->epoch, out);
    buffer_printf(out, "}\n");
}

// ---- for people

static void turn_text(const struct log_turn *turn, const struct row_filter *filter, struct buffer *out)
{
    for (uint32_t i = 0; i < turn->messages_count; i++) {
        struct request request = read_request(turn->messages[i].request);
        if (!key_passes(filter, request.key))
            continue;
        buffer_printf(out, "  %-18.*s %.*s  from ", BYTES_FORMAT(request.type), BYTES_FORMAT(request.key));
        describe_sender(&turn->messages[i], out);
        buffer_printf(out, "  ");
        describe_body_short(request.body, out);
        buffer_printf(out, "\n");
        for (uint32_t e = 0; e < turn->events_count; e++) {
            if (turn->events[e].message != i)
                continue;
            buffer_printf(out, "    → %-16s %.*s  ", event_name(turn->events[e].type),
                          BYTES_FORMAT(turn->events[e].key));
            describe_body_short(turn->events[e].data, out);
            buffer_printf(out, "\n");
        }
    }
}

void describe_row(struct actor_id actor, const struct log_row *row, const struct row_filter *filter, struct buffer *out)
{
    buffer_printf(out, "%s  %s  seq %" PRIu64, time_format(log_row_at(row)).text, actor_id_name(actor).text, row->seq);
    if (row->type == LOG_ROW_TURN) {
        buffer_printf(out, "  digest %016" PRIx64 "\n", row->turn.digest);
        turn_text(&row->turn, filter, out);
        return;
    }
    buffer_printf(out, "  epoch %" PRIu64 " ─── souk %.*s, actors", row->epoch.number, BYTES_FORMAT(row->epoch.build));
    for (int kind = 0; kind < KIND_COUNT; kind++)
        buffer_printf(out, " %s %u", kind_name(kind), row->epoch.owners.count[kind]);
    buffer_printf(out, "\n");
}
