// SPDX-License-Identifier: Apache-2.0
// What a client sees of the broker (DESIGN §4), and what an actor gets.
#include "stage.h"

#include "broker/outgoing.h"
#include "codec/ids.h"

static struct stage stage;
static void *client;

static void set_up(void)
{
    stage_init(&stage);
    stage_start(&stage);
    client = stage_client(&stage, ZMQ_DEALER);
}

static void tear_down(void)
{
    zmq_close(client);
    stage_deinit(&stage);
}

TestSuite(broker, .init = set_up, .fini = tear_down, .timeout = 120);

// A key that the second inventory actor owns.
static const char *key_of_slot_parity(unsigned parity)
{
    static char key[16];
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "sku-%u", i);
        if (slot_of(bytes_text(key)) % 2 == parity)
            break;
    }
    return key;
}

// ---- single requests

Test(broker, a_single_request_is_answered_alone)
{
    struct buffer raw;
    buffer_init(&raw);
    append_request(&raw, "r1", "catalog.get", "84077");
    send_bytes(client, buffer_bytes(&raw));
    struct parcel parcel = actor_receive(stage.inbox[KIND_CATALOG][0]);
    cr_assert_eq(parcel.origin, PARCEL_CLIENT);
    cr_assert_eq(parcel.flags, 0);
    cr_assert(bytes_equal(parcel.request, buffer_bytes(&raw)), "the actor gets the request's bytes");
    actor_answer(&stage, &parcel);
    expect_reply(receive(client), "r1", "ok", NULL);
    buffer_deinit(&raw);
}

Test(broker, the_slot_of_the_key_decides_which_actor_gets_it)
{
    for (unsigned parity = 0; parity < 2; parity++) {
        send_request(client, "r", "inventory.get", key_of_slot_parity(parity));
        struct parcel parcel = actor_receive(stage.inbox[KIND_INVENTORY][parity]);
        cr_assert_eq(parcel.origin, PARCEL_CLIENT);
    }
}

Test(broker, an_empty_delimiter_is_accepted_and_mirrored)
{
    void *req = stage_client(&stage, ZMQ_REQ);
    for (int i = 0; i < 3; i++) {
        send_request(req, "r1", "cart.get", "c1");
        struct parcel parcel = actor_receive(stage.inbox[KIND_CART][0]);
        cr_assert_eq(parcel.flags, PARCEL_DELIMITED);
        actor_answer(&stage, &parcel);
        expect_reply(receive(req), "r1", "ok", NULL);
        send_request(req, "r2", "no.such", "c1");
        expect_reply(receive(req), "r2", "invalid", "type");
    }
    zmq_close(req);
}

Test(broker, requests_of_one_connection_reach_their_actor_in_order)
{
    enum { COUNT = 3000 };
    char id[16];
    for (int i = 0; i < COUNT; i++) {
        snprintf(id, sizeof id, "%d", i);
        send_request(client, id, "order.get", "o");
    }
    for (int i = 0; i < COUNT;) {
        struct cursor cursor = cursor_over(receive(stage.inbox[KIND_ORDER][0]));
        struct parcel parcel;
        for (; parcel_next(&cursor, &parcel); i++) {
            struct cursor request_cursor = cursor_over(parcel.request);
            struct request request;
            struct envelope_refusal refusal;
            cr_assert(request_read(&request_cursor, &request, &refusal));
            snprintf(id, sizeof id, "%d", i);
            cr_assert(bytes_equal(request.id, bytes_text(id)), "%s instead of %s", text_of(request.id), id);
        }
    }
}

// ---- bundles

static void send_bundle(void *socket, int count, const char *type)
{
    struct buffer frame;
    char id[16];
    buffer_init(&frame);
    bundle_head_write(&frame, (uint32_t)count);
    for (int i = 0; i < count; i++) {
        snprintf(id, sizeof id, "b%d", i);
        append_request(&frame, id, type, "k");
    }
    send_bytes(socket, buffer_bytes(&frame));
    buffer_deinit(&frame);
}

// Reads [2, [reply, …]] of `count` ids b`first`… in order.
static void expect_bundle(struct bytes frame, int first, int count, const char *status)
{
    struct cursor cursor = cursor_over(frame);
    uint32_t elements, replies;
    int64_t version;
    char id[16];
    cr_assert(cursor_array(&cursor, &elements) && elements == 2);
    cr_assert(cursor_int(&cursor, &version) && version == 2);
    cr_assert(cursor_array(&cursor, &replies));
    cr_assert_eq((int)replies, count);
    for (int i = first; i < first + count; i++) {
        struct reply reply;
        cr_assert(reply_read(&cursor, &reply));
        snprintf(id, sizeof id, "b%d", i);
        cr_assert(bytes_equal(reply.id, bytes_text(id)), "%s instead of %s", text_of(reply.id), id);
        cr_assert(bytes_equal(reply.status, bytes_text(status)));
    }
    cr_assert_eq(cursor_left(&cursor), 0);
}

Test(broker, a_bundle_reaches_its_actor_in_one_frame_and_is_answered_in_bundles)
{
    enum { COUNT = BUNDLE_MAX };
    struct buffer answers;
    buffer_init(&answers);
    send_bundle(client, COUNT, "payment.get");
    struct cursor cursor = cursor_over(receive(stage.inbox[KIND_PAYMENT][0]));
    struct parcel parcel;
    int count = 0;
    for (; parcel_next(&cursor, &parcel); count++) {
        cr_assert_eq(parcel.flags, PARCEL_BUNDLED);
        append_answer(&answers, &parcel);
    }
    cr_assert_eq(count, COUNT);
    send_bytes(stage.to_broker, buffer_bytes(&answers));
    expect_bundle(receive(client), 0, COUNT, "ok");
    buffer_deinit(&answers);
}

Test(broker, what_is_ready_in_several_frames_goes_out_grouped_by_connection)
{
    enum { COUNT = 50 };
    void *other = stage_client(&stage, ZMQ_DEALER);
    struct parcel asked[2];
    uint8_t routes[2][16];
    send_bundle(client, 1, "cart.get");
    asked[0] = actor_receive(stage.inbox[KIND_CART][0]);
    memcpy(routes[0], asked[0].route.at, asked[0].route.size);
    asked[0].route.at = routes[0];
    send_bundle(other, 1, "cart.get");
    asked[1] = actor_receive(stage.inbox[KIND_CART][0]);
    memcpy(routes[1], asked[1].route.at, asked[1].route.size);
    asked[1].route.at = routes[1];
    struct buffer frame, reply;
    buffer_init(&frame);
    buffer_init(&reply);
    for (int i = 0; i < COUNT; i++) {
        char id[16];
        snprintf(id, sizeof id, "b%d", i);
        buffer_clear(&reply);
        reply_write(&reply, bytes_text(id), STATUS_ok, bytes_of("\x80", 1));
        for (int to = 0; to < 2; to++)
            parcel_write(&frame,
                         &(struct parcel){PARCEL_REPLY, PARCEL_BUNDLED, 0, asked[to].route, buffer_bytes(&reply)});
    }
    send_bytes(stage.to_broker, buffer_bytes(&frame));
    expect_bundle(receive(client), 0, COUNT, "ok");
    expect_bundle(receive(other), 0, COUNT, "ok");
    buffer_deinit(&frame);
    buffer_deinit(&reply);
    zmq_close(other);
}

Test(broker, replies_of_more_than_a_bundle_go_out_in_two)
{
    struct buffer frame = {0}, reply = {0};
    send_bundle(client, 1, "cart.get");
    struct parcel asked = actor_receive(stage.inbox[KIND_CART][0]);
    for (int i = 0; i <= BUNDLE_MAX; i++) {
        char id[16];
        snprintf(id, sizeof id, "b%d", i);
        buffer_clear(&reply);
        reply_write(&reply, bytes_text(id), STATUS_ok, bytes_of("\x80", 1));
        parcel_write(&frame, &(struct parcel){PARCEL_REPLY, PARCEL_BUNDLED, 0, asked.route, buffer_bytes(&reply)});
    }
    send_bytes(stage.to_broker, buffer_bytes(&frame));
    expect_bundle(receive(client), 0, BUNDLE_MAX, "ok");
    expect_bundle(receive(client), BUNDLE_MAX, 1, "ok");
    buffer_deinit(&frame);
    buffer_deinit(&reply);
}

// The grouped replies of two connections may have one place: then each still gets its own, and all of them.
Test(broker, connections_that_share_a_place_get_their_own_replies)
{
    enum { COUNT = 10 };
    char names[2][16] = {"c0", ""};
    void *clients[2];
    struct buffer frame = {0}, reply = {0};
    for (int i = 1; !names[1][0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        if (hash_of(bytes_text(name)) % GROUPS == hash_of(bytes_text(names[0])) % GROUPS)
            memcpy(names[1], name, sizeof name);
    }
    for (int i = 0; i < 2; i++) {
        clients[i] = stage_socket(stage.outside, ZMQ_DEALER);
        zmq_setsockopt(clients[i], ZMQ_ROUTING_ID, names[i], strlen(names[i]));
        cr_assert_eq(zmq_connect(clients[i], stage.endpoint), 0);
        send_bundle(clients[i], 1, "cart.get");
        actor_receive(stage.inbox[KIND_CART][0]);
    }
    for (int i = 0; i < 2 * COUNT; i++) {
        char id[16];
        snprintf(id, sizeof id, "b%d", i / 2 + i % 2 * COUNT);
        buffer_clear(&reply);
        reply_write(&reply, bytes_text(id), STATUS_ok, bytes_of("\x80", 1));
        parcel_write(&frame, &(struct parcel){PARCEL_REPLY, PARCEL_BUNDLED, 0, bytes_text(names[i % 2]),
                                              buffer_bytes(&reply)});
    }
    send_bytes(stage.to_broker, buffer_bytes(&frame));
    for (int i = 0; i < 2 * COUNT; i++)
        expect_bundle(receive(clients[i % 2]), i / 2 + i % 2 * COUNT, 1, "ok");
    for (int i = 0; i < 2; i++) {
        cr_assert_null(receive_within(clients[i], SILENCE_MS).at);
        zmq_close(clients[i]);
    }
    buffer_deinit(&frame);
    buffer_deinit(&reply);
}

Test(broker, bundled_replies_that_are_large_go_out_in_several_frames)
{
    enum { COUNT = 10, SIZE = 200 * 1024 };
    send_bundle(client, 1, "cart.get");
    struct parcel asked = actor_receive(stage.inbox[KIND_CART][0]);
    uint8_t route[16];
    memcpy(route, asked.route.at, asked.route.size);
    asked.route.at = route;
    struct buffer frame, reply, body;
    buffer_init(&frame);
    buffer_init(&reply);
    buffer_init(&body);
    pack_map(&body, 1);
    pack_text(&body, "large");
    uint8_t *large = calloc(1, SIZE);
    pack_bin(&body, bytes_of(large, SIZE));
    reply_write(&reply, BYTES("b"), STATUS_ok, buffer_bytes(&body));
    for (int i = 0; i < COUNT; i++)
        parcel_write(&frame, &(struct parcel){PARCEL_REPLY, PARCEL_BUNDLED, 0, asked.route, buffer_bytes(&reply)});
    send_bytes(stage.to_broker, buffer_bytes(&frame));
    uint32_t seen = 0;
    while (seen < COUNT) {
        struct bytes got = receive(client);
        struct cursor cursor = cursor_over(got);
        uint32_t elements, replies;
        int64_t version;
        cr_assert_leq(got.size, 1024 * 1024);
        cr_assert(cursor_array(&cursor, &elements) && cursor_int(&cursor, &version) && version == 2);
        cr_assert(cursor_array(&cursor, &replies));
        seen += replies;
    }
    cr_assert_eq(seen, COUNT);
    free(large);
    buffer_deinit(&frame);
    buffer_deinit(&reply);
    buffer_deinit(&body);
}

Test(broker, what_the_broker_refuses_in_a_bundle_is_answered_in_a_bundle)
{
    send_bundle(client, 3, "no.such");
    expect_bundle(receive(client), 0, 3, "invalid");
}

Test(broker, a_bundle_behind_a_delimiter_is_invalid)
{
    void *req = stage_client(&stage, ZMQ_REQ);
    send_bundle(req, 2, "cart.get");
    expect_reply(receive(req), "", "invalid", "bundle");
    cr_assert_null(receive_within(stage.inbox[KIND_CART][0], SILENCE_MS).at);
    zmq_close(req);
}

Test(broker, of_a_bundle_with_a_broken_end_nothing_is_done_and_all_is_answered)
{
    struct buffer frame;
    buffer_init(&frame);
    bundle_head_write(&frame, 3);
    append_request(&frame, "b0", "cart.get", "k");
    append_request(&frame, "b1", "cart.get", "k");
    buffer_append(&frame, "\x95\x01\xa2", 3);
    send_bytes(client, buffer_bytes(&frame));
    struct cursor cursor = cursor_over(receive(client));
    uint32_t elements, replies;
    int64_t version;
    static const char *const ids[] = {"b0", "b1", ""};
    cr_assert(cursor_array(&cursor, &elements) && cursor_int(&cursor, &version) && cursor_array(&cursor, &replies));
    cr_assert_eq(replies, 3, "%u", replies);
    for (int i = 0; i < 3; i++) {
        struct reply reply;
        cr_assert(reply_read(&cursor, &reply));
        cr_assert(bytes_equal(reply.id, bytes_text(ids[i])), "%s", text_of(reply.id));
        cr_assert(bytes_equal(reply.status, BYTES("invalid")));
    }
    cr_assert_null(receive_within(stage.inbox[KIND_CART][0], SILENCE_MS).at);
    buffer_deinit(&frame);
}

Test(broker, a_routing_id_of_any_size_is_served)
{
    static const size_t sizes[] = {1, 33, 34, 255};
    uint8_t id[255];
    memset(id, 'x', sizeof id);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *named = stage_socket(stage.outside, ZMQ_DEALER);
        zmq_setsockopt(named, ZMQ_ROUTING_ID, id, sizes[i]);
        cr_assert_eq(zmq_connect(named, stage.endpoint), 0);
        send_request(named, "r", "cart.get", "k");
        struct parcel parcel = actor_receive(stage.inbox[KIND_CART][0]);
        cr_assert_eq(parcel.route.size, sizes[i]);
        actor_answer(&stage, &parcel);
        expect_reply(receive(named), "r", "ok", NULL);
        send_bundle(named, 1, "cart.get");
        parcel = actor_receive(stage.inbox[KIND_CART][0]);
        actor_answer(&stage, &parcel);
        expect_bundle(receive(named), 0, 1, "ok");
        zmq_close(named);
    }
}

// ---- refusals

Test(broker, an_unknown_type_is_invalid)
{
    static const char *const types[] = {"inventory.fetch", "inventory", "", "Inventory.get", "inventory.get "};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        send_request(client, "r", types[i], "k");
        expect_reply(receive(client), "r", "invalid", "type");
    }
}

Test(broker, types_that_are_not_for_clients_are_forbidden)
{
    for (size_t i = 0; message_at(i); i++) {
        if (message_at(i)->audience == AUDIENCE_PUBLIC)
            continue;
        send_request(client, "r", message_at(i)->name, "k");
        expect_reply(receive(client), "r", "forbidden", "type");
    }
    send_request(client, "r", "souk.snapshot", "k");
    expect_reply(receive(client), "r", "forbidden", "type");
    expect_dropped(client, "forbidden", 2);
}

Test(broker, a_frame_above_the_limit_is_too_large)
{
    struct buffer body, frame;
    uint8_t *large = calloc(1, FRAME_SIZE_MAX + 1);
    buffer_init(&body);
    buffer_init(&frame);
    pack_map(&body, 1);
    pack_text(&body, "large");
    pack_bin(&body, bytes_of(large, FRAME_SIZE_MAX));
    request_write(&frame, BYTES("r1"), "cart.get", BYTES("k"), buffer_bytes(&body), 0);
    send_bytes(client, buffer_bytes(&frame));
    expect_reply(receive(client), "r1", "too_large", NULL);
    send_bytes(client, bytes_of(large, FRAME_SIZE_MAX + 1));
    expect_reply(receive(client), "", "too_large", NULL);
    expect_dropped(client, "too_large", 2);
    free(large);
    buffer_deinit(&body);
    buffer_deinit(&frame);
}

Test(broker, a_frame_above_the_cut_ends_its_connection_only)
{
    void *other = stage_client(&stage, ZMQ_DEALER);
    send_request(other, "r", "no.such", "k");
    expect_reply(receive(other), "r", "invalid", "type");
    uint8_t *large = calloc(1, FRAME_SIZE_CUT + 1);
    send_bytes(client, bytes_of(large, FRAME_SIZE_CUT + 1));
    expect_dropped(other, "disconnected", 1);
    cr_assert_null(receive_within(client, SILENCE_MS).at);
    free(large);
    zmq_close(other);
}

#define FRAME(literal) literal, sizeof(literal) - 1

static const struct malformed {
    const char *frame;
    size_t size;
    const char *id, *status, *field;
} malformed[] = {
    {FRAME(""), "", "invalid", "frame"},
    {FRAME("\xc0"), "", "invalid", "frame"},
    {FRAME("hello"), "", "invalid", "frame"},
    {FRAME("\x80"), "", "invalid", "frame"},
    {FRAME("\x95"), "", "invalid", "frame"},
    {FRAME("\x95\x01\x01\xa1t\xa1k\x80"), "", "invalid", "request_id"},
    {FRAME("\x95\x01\xa0\xa1t\xa1k\x80"), "", "invalid", "request_id"},
    {FRAME("\x95\x03\xa1r\xa1t\xa1k\x80"), "r", "unsupported_version", "frame"},
    {FRAME("\x95\x01\xa1r\x01\xa1k\x80"), "r", "invalid", "type"},
    {FRAME("\x95\x01\xa1r\xa8"
           "cart.get\xa0\x80"),
     "r", "invalid", "key"},
    {FRAME("\x95\x01\xa1r\xa8"
           "cart.get\xa1k\x90"),
     "r", "invalid", "body"},
    {FRAME("\x95\x01\xa1r\xa8"
           "cart.get\xa1k\x80\x00"),
     "r", "invalid", "frame"},
    {FRAME("\x92\x02\x90"), "", "invalid", "bundle"},
    {FRAME("\x92\x02\xc0"), "", "invalid", "bundle"},
    {FRAME("\x93\x02\x90\x90"), "", "invalid", "bundle"},
};

Test(broker, a_malformed_frame_is_invalid_with_its_field)
{
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        send_bytes(client, bytes_of(malformed[i].frame, malformed[i].size));
        expect_reply(receive(client), malformed[i].id, malformed[i].status, malformed[i].field);
    }
}

Test(broker, more_than_one_payload_frame_is_invalid_and_does_not_confuse_the_next)
{
    for (int delimited = 0; delimited < 2; delimited++) {
        if (delimited)
            zmq_send(client, "", 0, ZMQ_SNDMORE);
        zmq_send(client,
                 "\x95\x01\xa1r\xa8"
                 "cart.get\xa1k\x80",
                 16, ZMQ_SNDMORE);
        zmq_send(client, "b", 1, ZMQ_SNDMORE);
        zmq_send(client, "c", 1, 0);
        if (delimited)
            cr_assert_eq(receive(client).size, 0);
        expect_reply(receive(client), "r", "invalid", "frame");
    }
    send_request(client, "next", "no.such", "k");
    expect_reply(receive(client), "next", "invalid", "type");
}

Test(broker, garbage_is_answered_only_so_often)
{
    enum { COUNT = 2000 };
    void *other = stage_client(&stage, ZMQ_DEALER);
    for (int i = 0; i < COUNT; i++)
        send_bytes(client, BYTES("garbage"));
    int answered = 0;
    while (receive_within(client, SILENCE_MS).at)
        answered++;
    cr_assert(answered >= 1 && answered <= COUNT / 4, "%d answers", answered);
    cr_assert_eq(dropped(other, "malformed_limited") + answered, COUNT);
    zmq_close(other);
}

// ---- requests that no entity answers

Test(broker, events_are_read_from_the_actor_that_the_key_names)
{
    send_request(client, "r", "events.read", "inventory/1");
    struct parcel parcel = actor_receive(stage.inbox[KIND_INVENTORY][1]);
    actor_answer(&stage, &parcel);
    expect_reply(receive(client), "r", "ok", NULL);
    static const char *const nobody[] = {"inventory/2", "inventory", "holds/0", "cart/-1", "cart/0x", "/"};
    for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++) {
        send_request(client, "r", "events.read", nobody[i]);
        expect_reply(receive(client), "r", "not_found", "key");
    }
}

Test(broker, status_is_answered_with_what_was_dropped)
{
    cr_assert_eq(dropped(client, "invalid"), 0);
    send_request(client, "r", "no.such", "k");
    expect_reply(receive(client), "r", "invalid", "type");
    cr_assert_eq(dropped(client, "invalid"), 1);
    cr_assert_eq(dropped(client, "client_gone"), 0);
    cr_assert_eq(dropped(client, "client_slow"), 0);
}
