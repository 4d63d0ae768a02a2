// SPDX-License-Identifier: Apache-2.0
// The arrays around requests and replies. What is accepted, written again from its parts, says the same.
#include "fuzz.h"

#include "codec/envelope.h"

#include <stdio.h>

static void check_request(const struct request *request)
{
    struct buffer again = {0};
    struct request read;
    struct envelope_refusal refusal;
    char type[4096];
    CHECK(key_valid(request->id, REQUEST_ID_SIZE_MAX) && key_valid(request->key, KEY_SIZE_MAX), "a name");
    CHECK(request->retry_until >= 0 && request->raw.size >= request->body.size, "%lld", (long long)request->retry_until);
    if (request->type.size >= sizeof type || memchr(request->type.at, 0, request->type.size))
        return; // request_write takes the names of message.def only
    snprintf(type, sizeof type, "%.*s", BYTES_FORMAT(request->type));
    request_write(&again, request->id, type, request->key, request->body, request->retry_until);
    struct cursor cursor = cursor_over(buffer_bytes(&again));
    CHECK(request_read(&cursor, &read, &refusal) && !cursor_left(&cursor), "%s", refusal.message);
    CHECK(bytes_equal(read.id, request->id) && bytes_equal(read.type, request->type), "id, type");
    CHECK(bytes_equal(read.key, request->key) && bytes_equal(read.body, request->body), "key, body");
    CHECK(read.retry_until == request->retry_until, "%lld", (long long)read.retry_until);
    buffer_deinit(&again);
}

static void check_refusal(const struct envelope_refusal *refusal)
{
    CHECK(refusal->status == STATUS_invalid || refusal->status == STATUS_unsupported_version, "%d", refusal->status);
    CHECK(refusal->field && refusal->field[0] && refusal->message && refusal->message[0], "no reason");
    CHECK(!refusal->id.size || key_valid(refusal->id, REQUEST_ID_SIZE_MAX), "an id that is none");
}

static void take_frame(struct bytes input)
{
    struct cursor cursor = cursor_over(input);
    struct envelope_refusal refusal;
    struct request request;
    bool bundled;
    uint32_t count = frame_open(&cursor, &bundled, &refusal);
    CHECK(count <= BUNDLE_MAX && (bundled || count == 1), "%u", count);
    if (!count)
        check_refusal(&refusal);
    for (; count && cursor_left(&cursor); count--) {
        const uint8_t *before = cursor.at;
        if (request_read(&cursor, &request, &refusal))
            check_request(&request);
        else
            check_refusal(&refusal);
        CHECK(cursor.at > before && cursor.at <= cursor.end, "the cursor stands still");
    }
}

static void take_reply(struct bytes input)
{
    struct cursor cursor = cursor_over(input);
    struct reply reply, again;
    enum status status;
    struct buffer out = {0};
    if (!reply_read(&cursor, &reply)) {
        CHECK(cursor.at == input.at, "moved though refused");
    } else if (status_of_name(reply.status, &status)) {
        reply_write(&out, reply.id, status, reply.body);
        cursor = cursor_over(buffer_bytes(&out));
        CHECK(reply_read(&cursor, &again) && !cursor_left(&cursor), "refused as written");
        CHECK(bytes_equal(reply.id, again.id) && bytes_equal(reply.body, again.body), "id, body");
    }
    buffer_deinit(&out);
}

void fuzz_one(struct bytes input)
{
    take_frame(input);
    take_reply(input);
}

void fuzz_seeds(void)
{
    struct buffer input = {0};
    const struct message_def *def;
    for (uint32_t i = 0; (def = message_at(i)); i++) {
        buffer_clear(&input);
        if (i % 3 == 2)
            bundle_head_write(&input, 2);
        for (int n = 0; n < (i % 3 == 2 ? 2 : 1); n++)
            request_write(&input, BYTES("request-1"), def->name, BYTES("key"), BYTES("\x80"), i % 2);
        fuzz_seed(buffer_bytes(&input));
    }
    buffer_clear(&input);
    reply_write(&input, BYTES("request-1"), STATUS_busy, BYTES("\x80"));
    fuzz_seed(buffer_bytes(&input));
    fuzz_seed(BYTES("\x96\x01\xa1i\xa1t\xa1k\x80\x82\xab"
                    "retry_until\x05\xabtraceparent\xa1t"));
    buffer_deinit(&input);
}
