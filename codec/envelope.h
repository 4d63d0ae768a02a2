// SPDX-License-Identifier: Apache-2.0
// Frames from and to outside (DESIGN §4):
//   request  [1, request_id, type, key, body] or […, meta]      bundle  [2, [request, …]] ≤ 1,024, not nested
//   reply    [1, request_id, status, body]                      bundle  [2, [reply, …]]
// Reading is bounded and allocates nothing. Any thread.
#pragma once

#include "codec/arena.h"
#include "codec/message.h"
#include "codec/pack.h"

enum { FRAME_SIZE_MAX = 512 * 1024, FRAME_SIZE_CUT = 1024 * 1024, BUNDLE_MAX = 1024, TRACEPARENT_MAX = 128 };

// The request_id of messages between actors and of the runtime's own: nobody waits for an answer by it.
#define REQUEST_ID_NONE BYTES("-")

struct request {
    struct bytes raw; // the whole request as it came, bundle's array around it taken off
    struct bytes id;
    struct bytes type;
    struct bytes key;
    struct bytes body;     // one msgpack map, not looked into
    int64_t retry_until;   // µs; 0: not given
    struct bytes traceparent; // empty: not given
};

// Why an envelope was refused: STATUS_OK if it was not.
struct envelope_refusal {
    enum status status; // invalid, unsupported_version
    struct bytes id;    // empty: could not be read
    const char *field;  // "request_id", "type", "key", "body", "meta", "meta.retry_until", "bundle", "frame"
    const char *message;
    struct bytes meta_field; // field is "meta": the one that is not known; borrowed from the frame; empty: not that
};

// One request at the cursor, which then stands behind it. On refusal the cursor is moved behind the array if that can
// be told, else to the end.
bool request_read(struct cursor *cursor, struct request *request, struct envelope_refusal *refusal);

// How many requests a frame holds: 1 for a single one (`bundled` false), n for a bundle, whose array is then entered:
// call request_read `count` times, then expect cursor_left 0. 0: refused.
uint32_t frame_open(struct cursor *cursor, bool *bundled, struct envelope_refusal *refusal);

void request_write(struct buffer *out, struct bytes id, const char *type, struct bytes key, struct bytes body,
                   int64_t retry_until);
void bundle_head_write(struct buffer *out, uint32_t count); // [2, [ … `count` values follow
void reply_write(struct buffer *out, struct bytes id, enum status status, struct bytes body);
// A refusal's body {field?, message} as msgpack; field NULL: none.
void refusal_body_write(struct buffer *out, const char *field, const char *message);

struct reply {
    struct bytes id, status, body;
};
bool reply_read(struct cursor *cursor, struct reply *reply);
