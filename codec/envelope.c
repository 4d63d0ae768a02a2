// SPDX-License-Identifier: Apache-2.0
// Reads and writes the arrays around requests and replies. What is refused is refused by the first element that is
// wrong, in the array's order; the request's id is reported whenever it can be read.
#include "codec/envelope.h"

#include "codec/cursor.h"

enum { VERSION_SINGLE = 1, VERSION_BUNDLE = 2, REQUEST_ELEMENTS = 5, REPLY_ELEMENTS = 4 };

// The longest legal order fits a frame even if its sender spells every value in msgpack's widest form. A test computes
// it from the tables, too.
enum {
    HEAD_WIDEST = 5, // of a string, map or array
    INT_WIDEST = 9,
    MONEY_WIDEST = HEAD_WIDEST + HEAD_WIDEST + 6 + INT_WIDEST + HEAD_WIDEST + 8 + HEAD_WIDEST + 3,
    LINE_WIDEST = HEAD_WIDEST + HEAD_WIDEST + 3 + HEAD_WIDEST + KEY_SIZE_MAX + HEAD_WIDEST + 8 + INT_WIDEST +
                  HEAD_WIDEST + 10 + MONEY_WIDEST,
    ADDRESS_WIDEST = MAP_ENTRIES_MAX * 2 * (HEAD_WIDEST + MAP_TEXT_MAX),
    REST_WIDEST = 2048, // envelope, meta, the other fields
};
_Static_assert(ORDER_LINES_MAX * LINE_WIDEST + ADDRESS_WIDEST + REST_WIDEST <= FRAME_SIZE_MAX,
               "the longest legal order fits a frame");

static bool refuse_as(struct envelope_refusal *refusal, enum status status, const char *field, const char *message)
{
    refusal->status = status;
    refusal->field = field;
    refusal->message = message;
    return false;
}

static bool refuse(struct envelope_refusal *refusal, const char *field, const char *message)
{
    return refuse_as(refusal, STATUS_invalid, field, message);
}

static bool version_read(struct cursor *cursor, struct envelope_refusal *refusal)
{
    int64_t version;
    if (!cursor_int(cursor, &version))
        return refuse(refusal, "frame", "a request begins with the envelope's version, an integer");
    if (version == VERSION_BUNDLE)
        return refuse(refusal, "bundle", "a bundle may not be inside a bundle");
    if (version == VERSION_SINGLE)
        return true;
    // How a later version goes on is not known here; if it has an id at the same place, the sender gets it back.
    struct bytes id;
    if (cursor_str(cursor, &id) && key_valid(id, REQUEST_ID_SIZE_MAX))
        refusal->id = id;
    return refuse_as(refusal, STATUS_unsupported_version, "frame", "the envelope's version must be 1 or 2");
}

static bool id_read(struct cursor *cursor, struct request *request, struct envelope_refusal *refusal)
{
    if (!cursor_str(cursor, &request->id) || !key_valid(request->id, REQUEST_ID_SIZE_MAX))
        return refuse(refusal, "request_id",
                      "request_id must be a string of 1 to 64 bytes of UTF-8 without control characters");
    refusal->id = request->id;
    return true;
}

static bool address_read(struct cursor *cursor, struct request *request, struct envelope_refusal *refusal)
{
    if (!cursor_str(cursor, &request->type))
        return refuse(refusal, "type", "type must be a string, KIND.VERB");
    if (!cursor_str(cursor, &request->key) || !key_valid(request->key, KEY_SIZE_MAX))
        return refuse(refusal, "key", "key must be a string of 1 to 128 bytes of UTF-8 without control characters");
    return true;
}

static bool body_read(struct cursor *cursor, struct request *request, struct envelope_refusal *refusal)
{
    if (cursor_peek(cursor) != CURSOR_MAP)
        return refuse(refusal, "body", "body must be a map of named fields");
    if (!cursor_skip(cursor, &request->body))
        return refuse(refusal, "body", "body is cut off, nested too deeply or not msgpack");
    return true;
}

static bool retry_until_read(struct cursor *cursor, struct request *request, struct envelope_refusal *refusal)
{
    if (request->retry_until)
        return refuse(refusal, "meta.retry_until", "meta.retry_until is given twice");
    if (!cursor_int(cursor, &request->retry_until) || request->retry_until < 1)
        return refuse(refusal, "meta.retry_until", "meta.retry_until must be a time in microseconds since 1970");
    return true;
}

static bool traceparent_read(struct cursor *cursor, struct request *request, struct envelope_refusal *refusal)
{
    if (request->traceparent.size)
        return refuse(refusal, "meta.traceparent", "meta.traceparent is given twice");
    if (!cursor_str(cursor, &request->traceparent) || !key_valid(request->traceparent, TRACEPARENT_MAX))
        return refuse(refusal, "meta.traceparent",
                      "meta.traceparent must be a string of 1 to 128 bytes of UTF-8 without control characters");
    return true;
}

static void meta_refuse(struct bytes name, struct envelope_refusal *refusal)
{
    refuse(refusal, "meta", "meta has a field that is not known here; it may have retry_until and traceparent");
    if (key_valid(name, REQUEST_ID_SIZE_MAX))
        refusal->meta_field = name;
}

static bool meta_read(struct cursor *cursor, struct request *request, struct envelope_refusal *refusal)
{
    uint32_t count;
    if (!cursor_map(cursor, &count))
        return refuse(refusal, "meta", "meta must be a map of named fields");
    for (; count; count--) {
        struct bytes name;
        bool read = false;
        if (!cursor_str(cursor, &name))
            return refuse(refusal, "meta", "meta has a field whose name is not a string");
        if (bytes_equal(name, BYTES("retry_until")))
            read = retry_until_read(cursor, request, refusal);
        else if (bytes_equal(name, BYTES("traceparent")))
            read = traceparent_read(cursor, request, refusal);
        else
            meta_refuse(name, refusal);
        if (!read)
            return false;
    }
    return true;
}

static bool elements_read(struct cursor *cursor, struct request *request, struct envelope_refusal *refusal)
{
    uint32_t count;
    if (!cursor_array(cursor, &count))
        return refuse(refusal, "frame", "a request is an array: [1, request_id, type, key, body]");
    if (!version_read(cursor, refusal) || !id_read(cursor, request, refusal))
        return false;
    if (count < REQUEST_ELEMENTS || count > REQUEST_ELEMENTS + 1)
        return refuse(refusal, "frame",
                      "a request has five elements, [1, request_id, type, key, body], and may have meta as the sixth");
    return address_read(cursor, request, refusal) && body_read(cursor, request, refusal) &&
           (count == REQUEST_ELEMENTS || meta_read(cursor, request, refusal));
}

bool request_read(struct cursor *cursor, struct request *request, struct envelope_refusal *refusal)
{
    struct cursor walk = *cursor;
    *request = (struct request){0};
    *refusal = (struct envelope_refusal){.status = STATUS_ok};
    if (elements_read(&walk, request, refusal)) {
        request->raw = bytes_of(cursor->at, (size_t)(walk.at - cursor->at));
        cursor->at = walk.at;
        return true;
    }
    if (!cursor_skip(cursor, NULL))
        cursor->at = cursor->end;
    return false;
}

static uint32_t bundle_open(struct cursor *cursor, uint32_t elements, struct envelope_refusal *refusal)
{
    uint32_t count = 0;
    if (elements != 2 || !cursor_array(cursor, &count))
        refuse(refusal, "bundle", "a bundle is an array of two elements: [2, [request, ...]]");
    else if (count < 1 || count > BUNDLE_MAX)
        refuse(refusal, "bundle", "a bundle holds 1 to 1024 requests");
    return refusal->status == STATUS_ok ? count : 0;
}

uint32_t frame_open(struct cursor *cursor, bool *bundled, struct envelope_refusal *refusal)
{
    struct cursor walk = *cursor;
    uint32_t elements;
    int64_t version;
    *bundled = false;
    *refusal = (struct envelope_refusal){.status = STATUS_ok};
    if (!cursor_array(&walk, &elements) || !cursor_int(&walk, &version) || version != VERSION_BUNDLE)
        return 1; // request_read says what is wrong with it, if anything is
    *bundled = true;
    uint32_t count = bundle_open(&walk, elements, refusal);
    cursor->at = count ? walk.at : cursor->end;
    return count;
}

void request_write(struct buffer *out, struct bytes id, const char *type, struct bytes key, struct bytes body,
                   int64_t retry_until)
{
    pack_array(out, REQUEST_ELEMENTS + (retry_until != 0));
    pack_int(out, VERSION_SINGLE);
    pack_str(out, id);
    pack_text(out, type);
    pack_str(out, key);
    pack_raw(out, body);
    if (retry_until) {
        pack_map(out, 1);
        pack_text(out, "retry_until");
        pack_int(out, retry_until);
    }
}

void bundle_head_write(struct buffer *out, uint32_t count)
{
    pack_array(out, 2);
    pack_int(out, VERSION_BUNDLE);
    pack_array(out, count);
}

void reply_write(struct buffer *out, struct bytes id, enum status status, struct bytes body)
{
    pack_array(out, REPLY_ELEMENTS);
    pack_int(out, VERSION_SINGLE);
    pack_str(out, id);
    pack_text(out, status_name(status));
    pack_raw(out, body);
}

void refusal_body_write(struct buffer *out, const char *field, const char *message)
{
    pack_map(out, field ? 2 : 1);
    if (field) {
        pack_text(out, "field");
        pack_text(out, field);
    }
    pack_text(out, "message");
    pack_text(out, message);
}

bool reply_read(struct cursor *cursor, struct reply *reply)
{
    struct cursor walk = *cursor;
    struct reply read;
    uint32_t count;
    int64_t version;
    if (!cursor_array(&walk, &count) || count != REPLY_ELEMENTS)
        return false;
    if (!cursor_int(&walk, &version) || version != VERSION_SINGLE)
        return false;
    if (!cursor_str(&walk, &read.id) || !cursor_str(&walk, &read.status))
        return false;
    if (cursor_peek(&walk) != CURSOR_MAP || !cursor_skip(&walk, &read.body))
        return false;
    *reply = read;
    *cursor = walk;
    return true;
}
