// SPDX-License-Identifier: Apache-2.0
#include "broker/intake.h"

#include "codec/check.h"
#include "codec/cursor.h"

#include <stdio.h>
#include <time.h>

// Where the answers to the frame at hand go.
struct sender {
    struct intake *intake;
    struct outgoing *outgoing;
    struct bytes route;
    uint8_t flags;
};

void intake_init(struct intake *intake, const struct broker_options *options, struct lanes *lanes, struct drops *drops)
{
    intake->options = options;
    intake->lanes = lanes;
    intake->drops = drops;
    intake->refusing = false;
    limit_init(&intake->limit);
    buffer_init(&intake->body);
    buffer_init(&intake->reply);
    buffer_init(&intake->dropped);
}

void intake_deinit(struct intake *intake)
{
    limit_deinit(&intake->limit);
    buffer_deinit(&intake->body);
    buffer_deinit(&intake->reply);
    buffer_deinit(&intake->dropped);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// The body stands in intake->body.
static void answer(const struct sender *sender, struct bytes id, enum status status)
{
    struct buffer *reply = &sender->intake->reply;
    buffer_clear(reply);
    reply_write(reply, id, status, buffer_bytes(&sender->intake->body));
    outgoing_reply(sender->outgoing, sender->flags, sender->route, buffer_bytes(reply));
}

static void refuse(const struct sender *sender, struct bytes id, enum status status, const char *field,
                   const char *message)
{
    struct buffer *body = &sender->intake->body;
    buffer_clear(body);
    refusal_body_write(body, field, message);
    answer(sender, id, status);
}

static enum drop reason_of(enum status status)
{
    if (status == STATUS_unsupported_version)
        return DROP_unsupported_version;
    return status == STATUS_too_large ? DROP_too_large : DROP_invalid;
}

// What is wrong with the form; without an id only as often as the limit allows (N2).
static void refuse_form(const struct sender *sender, const struct envelope_refusal *refusal)
{
    struct intake *intake = sender->intake;
    char named[sizeof "meta." + REQUEST_ID_SIZE_MAX];
    snprintf(named, sizeof named, "meta.%.*s", BYTES_FORMAT(refusal->meta_field));
    if (!refusal->id.size && !limit_allows(&intake->limit, sender->route, now_ms())) {
        drops_add(intake->drops, DROP_malformed_limited, 1);
        return;
    }
    drops_add(intake->drops, reason_of(refusal->status), 1);
    refuse(sender, refusal->id, refusal->status, refusal->meta_field.size ? named : refusal->field, refusal->message);
}

static void refuse_busy(const struct sender *sender, struct bytes id, const char *message, int64_t retry_after_ms)
{
    struct buffer *body = &sender->intake->body;
    drops_add(sender->intake->drops, DROP_busy, 1);
    buffer_clear(body);
    pack_map(body, 2);
    pack_text(body, "message");
    pack_text(body, message);
    pack_text(body, "retry_after_ms");
    pack_int(body, retry_after_ms);
    answer(sender, id, STATUS_busy);
}

// ---- one request

static void pass_on(const struct sender *sender, const struct request *request, struct lane *lane)
{
    struct parcel parcel = {PARCEL_CLIENT, .flags = sender->flags, .route = sender->route, .request = request->raw};
    if (!lane_put(lane, &parcel))
        refuse_busy(sender, request->id, "the actor that owns this key has too much in flight",
                    credit_retry_after_ms(&lane->credit));
}

static void take_for_entity(const struct sender *sender, const struct request *request, enum kind_id kind)
{
    const struct broker_options *options = sender->intake->options;
    uint16_t index = options->owner(options->owner_context, kind, slot_of(request->key));
    struct lane *lane = lanes_find(sender->intake->lanes, kind, index);
    CHECK(lane, "%s/%u owns a slot", kind_name(kind), index);
    pass_on(sender, request, lane);
}

static void take_events_read(const struct sender *sender, const struct request *request)
{
    struct actor_id actor;
    struct lane *lane = NULL;
    if (actor_id_parse(request->key, &actor))
        lane = lanes_find(sender->intake->lanes, actor.kind, actor.index);
    if (lane) {
        pass_on(sender, request, lane);
        return;
    }
    drops_add(sender->intake->drops, DROP_not_found, 1);
    refuse(sender, request->id, STATUS_not_found, "key",
           "no actor has this name; one is called KIND/N, as inventory/0");
}

static void take_status(const struct sender *sender, const struct request *request)
{
    struct intake *intake = sender->intake;
    buffer_clear(&intake->dropped);
    drops_write(intake->drops, &intake->dropped);
    buffer_clear(&intake->body);
    intake->options->status(intake->options->status_context, buffer_bytes(&intake->dropped), &intake->body);
    answer(sender, request->id, STATUS_ok);
}

// What the broker answers itself has no fields; `field` gets the name of the first one there is.
static bool body_is_empty(struct bytes body, char field[static REQUEST_ID_SIZE_MAX + 1])
{
    struct cursor cursor = cursor_over(body);
    struct bytes name;
    uint32_t count;
    if (cursor_map(&cursor, &count) && count == 0)
        return true;
    bool named = cursor_str(&cursor, &name) && key_valid(name, REQUEST_ID_SIZE_MAX);
    snprintf(field, REQUEST_ID_SIZE_MAX + 1, "%.*s", named ? (int)name.size : 4, named ? (const char *)name.at : "body");
    return false;
}

static bool is_for_operators(const struct sender *sender, const struct message_def *def)
{
    return def->kind == KIND_COUNT && (sender->flags & PARCEL_OPERATOR) &&
           sender->intake->options->control_request;
}

// One guard a line: the first that applies answers.
static void take_request(const struct sender *sender, const struct request *request)
{
    struct intake *intake = sender->intake;
    const struct message_def *def = message_by_name(request->type);
    char field[REQUEST_ID_SIZE_MAX + 1];
    if (!def) {
        refuse_form(sender, &(struct envelope_refusal){STATUS_invalid, request->id, "type", "there is no such type"});
    } else if (def->audience != AUDIENCE_PUBLIC && !is_for_operators(sender, def)) {
        drops_add(intake->drops, DROP_forbidden, 1);
        refuse(sender, request->id, STATUS_forbidden, "type", status_sentence(STATUS_forbidden));
    } else if (intake->refusing) {
        refuse_busy(sender, request->id, "the node takes no requests at the moment", RETRY_AFTER_MS_MAX);
    } else if (def->kind == KIND_COUNT && def->type != MESSAGE_events_read && !body_is_empty(request->body, field)) {
        refuse_form(sender, &(struct envelope_refusal){STATUS_invalid, request->id, field, "there is no such field"});
    } else if (def->audience != AUDIENCE_PUBLIC) {
        intake->options->control_request(intake->options->control_context, sender->route, sender->flags, request->raw);
    } else if (def->type == MESSAGE_souk_status) {
        take_status(sender, request);
    } else if (def->type == MESSAGE_events_read) {
        take_events_read(sender, request);
    } else {
        CHECK(def->kind < KIND_COUNT, "nobody answers %s", def->name);
        take_for_entity(sender, request, def->kind);
    }
}

// ---- one frame

// false: the frame is cut off, or something follows. `count` becomes how many entries were read.
static bool read_entries(struct intake *intake, struct cursor *cursor, uint32_t *count)
{
    uint32_t expected = *count;
    for (*count = 0; *count < expected && cursor_left(cursor);) {
        struct cursor start = *cursor;
        struct entry *entry = &intake->entries[(*count)++];
        if (!request_read(cursor, &entry->request, &entry->refusal) && !cursor_skip(&start, NULL))
            return false;
    }
    return *count == expected && cursor_left(cursor) == 0;
}

static void take_entries(const struct sender *sender, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct entry *entry = &sender->intake->entries[i];
        if (entry->refusal.status == STATUS_ok)
            take_request(sender, &entry->request);
        else
            refuse_form(sender, &entry->refusal);
    }
}

// What could be read of a broken frame is refused under its id (N1); if nothing could, the frame is refused as such.
static void refuse_entries(const struct sender *sender, uint32_t count)
{
    struct envelope_refusal broken = {STATUS_invalid, .field = "frame"};
    broken.message = "the frame cannot be read to its end, or has bytes behind it; nothing in it was done";
    if (!count)
        refuse_form(sender, &broken);
    for (uint32_t i = 0; i < count; i++) {
        const struct entry *entry = &sender->intake->entries[i];
        broken.id = entry->request.id;
        refuse_form(sender, entry->refusal.status == STATUS_ok ? &broken : &entry->refusal);
    }
}

static void take_frame(struct sender *sender, struct bytes frame)
{
    struct cursor cursor = cursor_over(frame);
    struct envelope_refusal refusal;
    bool bundled;
    uint32_t count = frame_open(&cursor, &bundled, &refusal);
    if (!count) {
        refuse_form(sender, &refusal);
    } else if (bundled && (sender->flags & PARCEL_DELIMITED)) {
        refuse_form(sender, &(struct envelope_refusal){STATUS_invalid, .field = "bundle",
                                                       .message = "a bundle may not follow an empty delimiter: "
                                                                  "its sender expects one reply"});
    } else {
        sender->flags |= bundled ? PARCEL_BUNDLED : 0;
        if (read_entries(sender->intake, &cursor, &count))
            take_entries(sender, count);
        else
            refuse_entries(sender, count);
    }
}

// [1, request_id, …: its beginning is all that is looked at.
static struct bytes id_of(struct bytes frame)
{
    struct cursor cursor = cursor_over(frame);
    uint32_t count;
    int64_t version;
    struct bytes id;
    bool read = cursor_array(&cursor, &count) && cursor_int(&cursor, &version) && version == 1 &&
                cursor_str(&cursor, &id) && key_valid(id, REQUEST_ID_SIZE_MAX);
    return read ? id : bytes_of(NULL, 0);
}

void intake_take(struct intake *intake, const struct arrival *arrival, struct outgoing *outgoing)
{
    struct sender sender = {intake, outgoing, arrival->route, arrival->flags};
    struct envelope_refusal refusal = {.id = id_of(arrival->frame)};
    if (arrival->many) {
        refusal.status = STATUS_invalid;
        refusal.field = "frame";
        refusal.message = "a message has one frame, which may follow one empty delimiter";
        refuse_form(&sender, &refusal);
    } else if (arrival->frame.size > FRAME_SIZE_MAX) {
        refusal.status = STATUS_too_large;
        refusal.message = status_sentence(STATUS_too_large);
        refuse_form(&sender, &refusal);
    } else {
        take_frame(&sender, arrival->frame);
    }
}
