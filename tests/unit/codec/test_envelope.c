// SPDX-License-Identifier: Apache-2.0
// Envelopes as they come from outside: each thing that can be wrong has its field, the id comes back when it can be
// read, and reading ends where the frame does. Parcels, too: the frames between our own threads.
#include "codec/envelope.h"
#include "codec/parcel.h"
#include "tests/unit/codec/sample.h"

#include <criterion/criterion.h>
#include <signal.h>

static struct buffer out;

static void setup(void)
{
    buffer_init(&out);
}

static void teardown(void)
{
    buffer_deinit(&out);
}

TestSuite(envelope, .init = setup, .fini = teardown);
TestSuite(parcel, .init = setup, .fini = teardown);

#define EMPTY_MAP BYTES("\x80")

static bool read_one(struct request *request, struct envelope_refusal *refusal)
{
    struct cursor cursor = cursor_over(buffer_bytes(&out));
    bool legal = request_read(&cursor, request, refusal);
    cr_assert_eq(cursor_left(&cursor), 0);
    return legal;
}

static void refused(enum status status, const char *id, const char *field)
{
    struct request request;
    struct envelope_refusal refusal;
    cr_assert_not(read_one(&request, &refusal));
    cr_assert_eq(refusal.status, status, "%s", refusal.message);
    cr_assert(bytes_equal(refusal.id, bytes_text(id)), "%.*s", BYTES_FORMAT(refusal.id));
    cr_assert_str_eq(refusal.field, field);
    cr_assert(refusal.message && refusal.message[0]);
    buffer_clear(&out);
}

static void head(uint32_t count)
{
    pack_array(&out, count);
    pack_int(&out, 1);
    pack_text(&out, "id-1");
}

static void head_to_body(uint32_t count)
{
    head(count);
    pack_text(&out, "inventory.get");
    pack_text(&out, "sku-1");
    pack_map(&out, 0);
}

Test(envelope, a_request_is_five_elements)
{
    struct request request;
    struct envelope_refusal refusal;
    request_write(&out, BYTES("id-1"), "inventory.get", BYTES("sku-1"), EMPTY_MAP, 0);
    cr_assert(read_one(&request, &refusal));
    cr_assert_eq(refusal.status, STATUS_ok);
    cr_assert(bytes_equal(request.raw, buffer_bytes(&out)));
    cr_assert(bytes_equal(request.id, BYTES("id-1")));
    cr_assert(bytes_equal(request.type, BYTES("inventory.get")));
    cr_assert(bytes_equal(request.key, BYTES("sku-1")));
    cr_assert(bytes_equal(request.body, EMPTY_MAP));
    cr_assert(request.retry_until == 0 && request.traceparent.size == 0);
}

Test(envelope, meta_is_the_sixth)
{
    struct request request;
    struct envelope_refusal refusal;
    request_write(&out, BYTES("id-1"), "inventory.get", BYTES("sku-1"), EMPTY_MAP, 1790000000000000);
    cr_assert(read_one(&request, &refusal));
    cr_assert_eq(request.retry_until, 1790000000000000);
    buffer_clear(&out);
    head_to_body(6);
    pack_map(&out, 2);
    pack_text(&out, "traceparent");
    pack_text(&out, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    pack_text(&out, "retry_until");
    pack_int(&out, 5);
    cr_assert(read_one(&request, &refusal));
    cr_assert_eq(request.traceparent.size, 55);
    cr_assert_eq(request.retry_until, 5);
    buffer_clear(&out);
    head_to_body(6);
    pack_map(&out, 0);
    cr_assert(read_one(&request, &refusal));
}

Test(envelope, another_version_is_unsupported_and_the_id_comes_back)
{
    pack_array(&out, 5);
    pack_int(&out, 3);
    pack_text(&out, "id-9");
    for (int i = 0; i < 3; i++)
        pack_nil(&out);
    refused(STATUS_unsupported_version, "id-9", "frame");
    pack_array(&out, 1);
    pack_int(&out, 0);
    refused(STATUS_unsupported_version, "", "frame");
    pack_array(&out, 2);
    pack_int(&out, 3);
    pack_text(&out, "a\nb");
    refused(STATUS_unsupported_version, "", "frame");
    pack_array(&out, 2);
    pack_int(&out, -1);
    pack_int(&out, 7);
    refused(STATUS_unsupported_version, "", "frame");
}

Test(envelope, what_is_no_request_is_an_invalid_frame)
{
    refused(STATUS_invalid, "", "frame"); // nothing at all
    pack_int(&out, 1);
    refused(STATUS_invalid, "", "frame");
    pack_map(&out, 0);
    refused(STATUS_invalid, "", "frame");
    pack_array(&out, 0);
    refused(STATUS_invalid, "", "frame");
    pack_array(&out, 1);
    pack_text(&out, "1");
    refused(STATUS_invalid, "", "frame");
    buffer_append(&out, "GET / HTTP/1.1\r\n\r\n", 18);
    struct request request;
    struct envelope_refusal refusal;
    struct cursor cursor = cursor_over(buffer_bytes(&out));
    cr_assert_not(request_read(&cursor, &request, &refusal));
    cr_assert_str_eq(refusal.field, "frame");
}

static void with_id(struct bytes id)
{
    buffer_clear(&out);
    request_write(&out, id, "inventory.get", BYTES("sku-1"), EMPTY_MAP, 0);
}

Test(envelope, a_request_id_is_a_key_of_at_most_64_bytes)
{
    char id[65];
    struct request request;
    struct envelope_refusal refusal;
    memset(id, 'i', sizeof id);
    with_id(bytes_of(id, 64));
    cr_assert(read_one(&request, &refusal));
    with_id(bytes_of(id, 65));
    refused(STATUS_invalid, "", "request_id");
    with_id(BYTES(""));
    refused(STATUS_invalid, "", "request_id");
    with_id(BYTES("a\nb"));
    refused(STATUS_invalid, "", "request_id");
    with_id(BYTES("\xff"));
    refused(STATUS_invalid, "", "request_id");
    pack_array(&out, 5);
    pack_int(&out, 1);
    pack_int(&out, 12345);
    pack_text(&out, "inventory.get");
    pack_text(&out, "sku-1");
    pack_map(&out, 0);
    refused(STATUS_invalid, "", "request_id");
}

Test(envelope, four_elements_are_too_few_and_seven_too_many)
{
    head(4);
    pack_text(&out, "inventory.get");
    pack_text(&out, "sku-1");
    refused(STATUS_invalid, "id-1", "frame");
    head_to_body(7);
    pack_map(&out, 0);
    pack_nil(&out);
    refused(STATUS_invalid, "id-1", "frame");
}

Test(envelope, each_wrong_element_is_named)
{
    head(5);
    pack_int(&out, 22);
    pack_text(&out, "sku-1");
    pack_map(&out, 0);
    refused(STATUS_invalid, "id-1", "type");
    head(5);
    pack_text(&out, "inventory.get");
    pack_int(&out, 5);
    pack_map(&out, 0);
    refused(STATUS_invalid, "id-1", "key");
    head(5);
    pack_text(&out, "inventory.get");
    pack_text(&out, "");
    pack_map(&out, 0);
    refused(STATUS_invalid, "id-1", "key");
    head(5);
    pack_text(&out, "inventory.get");
    pack_text(&out, "sku-1");
    pack_array(&out, 0);
    refused(STATUS_invalid, "id-1", "body");
    head(5);
    pack_text(&out, "inventory.get");
    pack_text(&out, "sku-1");
    pack_nil(&out);
    refused(STATUS_invalid, "id-1", "body");
}

Test(envelope, a_body_nested_too_deeply_is_refused)
{
    head(5);
    pack_text(&out, "inventory.get");
    pack_text(&out, "sku-1");
    pack_map(&out, 1);
    pack_text(&out, "a");
    for (int i = 0; i < CURSOR_DEPTH_MAX; i++)
        pack_array(&out, 1);
    pack_nil(&out);
    refused(STATUS_invalid, "id-1", "body");
}

// The name of the field as far as it can be shown.
static struct bytes meta_refused(const char *field)
{
    struct request request;
    struct envelope_refusal refusal;
    cr_assert_not(read_one(&request, &refusal));
    refused(STATUS_invalid, "id-1", field);
    return refusal.meta_field;
}

Test(envelope, meta_has_two_known_fields_each_at_most_once)
{
    head_to_body(6);
    pack_nil(&out);
    meta_refused("meta");
    head_to_body(6);
    pack_map(&out, 1);
    pack_text(&out, "priority");
    pack_int(&out, 1);
    cr_assert(bytes_equal(meta_refused("meta"), BYTES("priority")));
    head_to_body(6);
    pack_map(&out, 1);
    pack_text(&out, "not\nshown");
    pack_int(&out, 1);
    cr_assert_eq(meta_refused("meta").size, 0);
    head_to_body(6);
    pack_map(&out, 1);
    pack_int(&out, 1);
    pack_int(&out, 1);
    meta_refused("meta");
    static const int64_t times[] = {0, -1, INT64_MIN};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        head_to_body(6);
        pack_map(&out, 1);
        pack_text(&out, "retry_until");
        pack_int(&out, times[i]);
        meta_refused("meta.retry_until");
    }
    head_to_body(6);
    pack_map(&out, 1);
    pack_text(&out, "retry_until");
    pack_text(&out, "tomorrow");
    meta_refused("meta.retry_until");
    head_to_body(6);
    pack_map(&out, 2);
    for (int i = 0; i < 2; i++) {
        pack_text(&out, "retry_until");
        pack_int(&out, 7);
    }
    meta_refused("meta.retry_until");
    head_to_body(6);
    pack_map(&out, 2);
    for (int i = 0; i < 2; i++) {
        pack_text(&out, "traceparent");
        pack_text(&out, "00");
    }
    meta_refused("meta.traceparent");
    char trace[TRACEPARENT_MAX + 1];
    memset(trace, '0', sizeof trace);
    head_to_body(6);
    pack_map(&out, 1);
    pack_text(&out, "traceparent");
    pack_str(&out, bytes_of(trace, sizeof trace));
    meta_refused("meta.traceparent");
}

Test(envelope, a_request_cut_at_any_byte_is_refused)
{
    head_to_body(6);
    pack_map(&out, 2);
    pack_text(&out, "traceparent");
    pack_text(&out, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    pack_text(&out, "retry_until");
    pack_int(&out, INT64_MAX);
    for (size_t size = 0; size < out.size; size++) {
        struct bytes tight = sample_tight(bytes_of(out.at, size));
        struct cursor cursor = cursor_over(tight);
        struct request request;
        struct envelope_refusal refusal;
        cr_assert_not(request_read(&cursor, &request, &refusal), "%zu", size);
        cr_assert_eq(cursor_left(&cursor), 0);
        free((void *)tight.at);
    }
}

Test(envelope, a_frame_of_one_request_is_not_a_bundle)
{
    struct envelope_refusal refusal;
    bool bundled = true;
    head_to_body(5);
    struct cursor cursor = cursor_over(buffer_bytes(&out));
    cr_assert_eq(frame_open(&cursor, &bundled, &refusal), 1);
    cr_assert_not(bundled);
    cr_assert_eq(cursor_left(&cursor), out.size);
}

// What begins as nothing known is one request, and refused as one.
Test(envelope, a_frame_that_does_not_say_what_it_is_is_not_a_bundle)
{
    static const struct bytes frames[] = {BYTES("\xa1x"), BYTES("\x91\xa1x"), BYTES("\x90"), BYTES("")};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct envelope_refusal refusal;
        struct request request;
        bool bundled = true;
        struct cursor cursor = cursor_over(frames[i]);
        cr_assert_eq(frame_open(&cursor, &bundled, &refusal), 1);
        cr_assert_not(bundled);
        cr_assert_not(request_read(&cursor, &request, &refusal));
        cr_assert_str_eq(refusal.field, "frame");
    }
}

Test(envelope, a_bundle_is_entered_and_each_request_read)
{
    struct envelope_refusal refusal;
    struct request request;
    bool bundled = false;
    bundle_head_write(&out, 3);
    request_write(&out, BYTES("a"), "inventory.get", BYTES("sku-1"), EMPTY_MAP, 0);
    pack_array(&out, 2); // refused, and stepped over
    pack_int(&out, 1);
    pack_text(&out, "b");
    request_write(&out, BYTES("c"), "inventory.get", BYTES("sku-3"), EMPTY_MAP, 9);
    struct cursor cursor = cursor_over(buffer_bytes(&out));
    cr_assert_eq(frame_open(&cursor, &bundled, &refusal), 3);
    cr_assert(bundled);
    cr_assert(request_read(&cursor, &request, &refusal) && bytes_equal(request.id, BYTES("a")));
    cr_assert_not(request_read(&cursor, &request, &refusal));
    cr_assert(bytes_equal(refusal.id, BYTES("b")));
    cr_assert(request_read(&cursor, &request, &refusal) && bytes_equal(request.key, BYTES("sku-3")));
    cr_assert_eq(cursor_left(&cursor), 0);
}

static void bundle_refused(void)
{
    struct envelope_refusal refusal;
    bool bundled = false;
    struct cursor cursor = cursor_over(buffer_bytes(&out));
    cr_assert_eq(frame_open(&cursor, &bundled, &refusal), 0);
    cr_assert(bundled);
    cr_assert_eq(refusal.status, STATUS_invalid);
    cr_assert_str_eq(refusal.field, "bundle");
    cr_assert_eq(cursor_left(&cursor), 0);
    buffer_clear(&out);
}

Test(envelope, a_bundle_holds_1_to_1024)
{
    struct envelope_refusal refusal;
    bool bundled;
    bundle_head_write(&out, 0);
    bundle_refused();
    bundle_head_write(&out, 1025);
    for (int i = 0; i < 1025; i++)
        pack_nil(&out);
    bundle_refused();
    bundle_head_write(&out, 1024);
    for (int i = 0; i < 1024; i++)
        pack_nil(&out);
    struct cursor cursor = cursor_over(buffer_bytes(&out));
    cr_assert_eq(frame_open(&cursor, &bundled, &refusal), 1024);
}

Test(envelope, a_bundle_is_two_elements)
{
    pack_array(&out, 1);
    pack_int(&out, 2);
    bundle_refused();
    pack_array(&out, 3);
    pack_int(&out, 2);
    pack_array(&out, 0);
    pack_nil(&out);
    bundle_refused();
    pack_array(&out, 2);
    pack_int(&out, 2);
    pack_map(&out, 0);
    bundle_refused();
    buffer_append(&out, "\x92\x02\xdd\xff\xff\xff\xff", 7); // claims more than there is
    bundle_refused();
}

Test(envelope, a_bundle_in_a_bundle_is_refused)
{
    bundle_head_write(&out, 1);
    refused(STATUS_invalid, "", "bundle");
}

Test(envelope, a_reply_is_read_as_it_was_written)
{
    struct reply reply;
    struct buffer body;
    buffer_init(&body);
    refusal_body_write(&body, "lines[3].sku", "lines[3].sku is missing");
    reply_write(&out, BYTES("id-1"), STATUS_invalid, buffer_bytes(&body));
    struct cursor cursor = cursor_over(buffer_bytes(&out));
    cr_assert(reply_read(&cursor, &reply));
    cr_assert(bytes_equal(reply.id, BYTES("id-1")) && bytes_equal(reply.status, BYTES("invalid")));
    cr_assert(bytes_equal(reply.body, buffer_bytes(&body)));
    cr_assert_eq(cursor_left(&cursor), 0);
    for (size_t size = 0; size < out.size; size++) {
        struct bytes tight = sample_tight(bytes_of(out.at, size));
        struct cursor cut = cursor_over(tight);
        cr_assert_not(reply_read(&cut, &reply));
        free((void *)tight.at);
    }
    buffer_deinit(&body);
}

Test(envelope, what_is_no_reply_is_not_read_and_not_passed)
{
    static const struct bytes frames[] = {
        BYTES("\xa1x"),                       // no array
        BYTES("\x93\x01\xa1i\xa2ok"),         // too short
        BYTES("\x95\x01\xa1i\xa2ok\x80\x80"), // too long
        BYTES("\x94\xa1x\xa1i\xa2ok\x80"),    // no version
        BYTES("\x94\x02\xa1i\xa2ok\x80"),     // another version
        BYTES("\x94\x01\x07\xa2ok\x80"),      // no id
        BYTES("\x94\x01\xa1i\x07\x80"),       // no status
        BYTES("\x94\x01\xa1i\xa2ok\x07"),     // no body
    };
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct reply reply;
        struct cursor cursor = cursor_over(frames[i]);
        cr_assert_not(reply_read(&cursor, &reply), "%zu", i);
        cr_assert_eq(cursor_left(&cursor), frames[i].size);
    }
}

Test(envelope, a_refusal_without_a_field_has_only_a_message)
{
    struct bytes key;
    uint32_t count;
    refusal_body_write(&out, NULL, "done");
    struct cursor cursor = cursor_over(buffer_bytes(&out));
    cr_assert(cursor_map(&cursor, &count) && count == 1);
    cr_assert(cursor_str(&cursor, &key) && bytes_equal(key, BYTES("message")));
}

// ---- parcels

Test(parcel, parcels_follow_each_other_in_a_frame)
{
    static const struct parcel parcels[] = {
        {.origin = PARCEL_CLIENT, .flags = PARCEL_BUNDLED, .route = BYTES("\0abcd"), .request = BYTES("one")},
        {.origin = PARCEL_PEER, .route_kind = KIND_ORDER, .route = BYTES("o-1"), .request = BYTES("two")},
        {.origin = PARCEL_CONTROL, .request = BYTES("stop")},
        {.origin = PARCEL_EVENT, .route = BYTES("order/0"), .request = BYTES("")},
    };
    enum { COUNT = sizeof parcels / sizeof *parcels };
    struct parcel parcel;
    for (int i = 0; i < COUNT; i++)
        parcel_write(&out, &parcels[i]);
    struct cursor cursor = cursor_over(buffer_bytes(&out));
    for (int i = 0; i < COUNT; i++) {
        cr_assert(parcel_next(&cursor, &parcel));
        cr_assert_eq(parcel.origin, parcels[i].origin);
        cr_assert_eq(parcel.flags, parcels[i].flags);
        cr_assert_eq(parcel.route_kind, parcels[i].route_kind);
        cr_assert(bytes_equal(parcel.route, parcels[i].route));
        cr_assert(bytes_equal(parcel.request, parcels[i].request));
    }
    cr_assert_not(parcel_next(&cursor, &parcel));
}

Test(parcel, a_frame_that_is_cut_is_our_mistake, .signal = SIGABRT)
{
    struct parcel parcel = {.origin = PARCEL_CLIENT, .request = BYTES("one")};
    parcel_write(&out, &parcel);
    struct cursor cursor = cursor_over(bytes_of(out.at, out.size - 1));
    parcel_next(&cursor, &parcel);
}
