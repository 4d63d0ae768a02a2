// SPDX-License-Identifier: Apache-2.0
// The client against a node that the test plays: a ROUTER in a thread that does with each request what the test says.
#include "client/souk.h"

#include "codec/cursor.h"
#include "codec/envelope.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zmq.h>

enum { PATIENCE_MS = 20000, REQUESTS_MAX = 4096 };

struct node {
    void *context, *router;
    char endpoint[256];
    pthread_t thread;
    atomic_bool stop;
    // Says what becomes of request number `index`: replies are appended to `out`; none: silence.
    void (*handle)(unsigned index, const struct request *request, struct buffer *out);
    unsigned frames, requests, bundles;
    char ids[REQUESTS_MAX][65];
    int64_t at_ms[REQUESTS_MAX];
};

static struct node node;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void reply(struct buffer *out, struct bytes id, enum status status)
{
    reply_write(out, id, status, bytes_of("\x80", 1));
}

static void reply_busy(struct buffer *out, struct bytes id, int64_t retry_after_ms)
{
    struct buffer body;
    buffer_init(&body);
    pack_map(&body, 2);
    pack_text(&body, "message");
    pack_text(&body, "too much");
    pack_text(&body, "retry_after_ms");
    pack_int(&body, retry_after_ms);
    reply_write(out, id, STATUS_busy, buffer_bytes(&body));
    buffer_deinit(&body);
}

static void handle_ok(unsigned index, const struct request *request, struct buffer *out)
{
    reply(out, request->id, STATUS_ok);
}

static void take_frame(struct bytes route, struct bytes frame)
{
    struct cursor cursor = cursor_over(frame);
    struct envelope_refusal refusal;
    struct request request;
    bool bundled;
    uint32_t count = frame_open(&cursor, &bundled, &refusal);
    struct buffer out, answers;
    uint32_t answered = 0;
    buffer_init(&out);
    buffer_init(&answers);
    node.frames++;
    node.bundles += bundled;
    for (uint32_t i = 0; i < count && node.requests < REQUESTS_MAX; i++) {
        cr_assert(request_read(&cursor, &request, &refusal));
        snprintf(node.ids[node.requests], sizeof node.ids[0], "%.*s", BYTES_FORMAT(request.id));
        node.at_ms[node.requests] = now_ms();
        size_t before = answers.size;
        node.handle(node.requests++, &request, &answers);
        answered += answers.size > before;
    }
    if (answered && bundled)
        bundle_head_write(&out, answered);
    buffer_append(&out, answers.at, answers.size);
    if (answered) {
        zmq_send(node.router, route.at, route.size, ZMQ_SNDMORE);
        zmq_send(node.router, out.at, out.size, 0);
    }
    buffer_deinit(&out);
    buffer_deinit(&answers);
}

static void *run(void *unused)
{
    static uint8_t room[1024 * 1024];
    uint8_t route[256];
    while (!atomic_load(&node.stop)) {
        zmq_pollitem_t item = {node.router, 0, ZMQ_POLLIN, 0};
        if (zmq_poll(&item, 1, 5) <= 0)
            continue;
        int route_size = zmq_recv(node.router, route, sizeof route, 0);
        int size = zmq_recv(node.router, room, sizeof room, 0);
        take_frame(bytes_of(route, (size_t)route_size), bytes_of(room, (size_t)size));
    }
    return NULL;
}

static void node_start(void (*handle)(unsigned, const struct request *, struct buffer *), const char *endpoint)
{
    size_t size = sizeof node.endpoint;
    int linger = 0, many = 100000;
    node.handle = handle;
    node.context = zmq_ctx_new();
    node.router = zmq_socket(node.context, ZMQ_ROUTER);
    zmq_setsockopt(node.router, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(node.router, ZMQ_SNDHWM, &many, sizeof many);
    zmq_setsockopt(node.router, ZMQ_RCVHWM, &many, sizeof many);
    cr_assert_eq(zmq_bind(node.router, endpoint ? endpoint : "tcp://127.0.0.1:*"), 0);
    zmq_getsockopt(node.router, ZMQ_LAST_ENDPOINT, node.endpoint, &size);
    atomic_store(&node.stop, false);
    cr_assert_eq(pthread_create(&node.thread, NULL, run, NULL), 0);
}

static void node_stop(void)
{
    atomic_store(&node.stop, true);
    pthread_join(node.thread, NULL);
    zmq_close(node.router);
    zmq_ctx_term(node.context);
}

TestSuite(client, .timeout = 120);

// ---- sending and receiving

Test(client, a_malformed_endpoint_is_refused)
{
    cr_assert_null(souk_client_open("127.0.0.1:5555"));
    cr_assert_null(souk_client_open("tcp://127.0.0.1:notaport"));
    cr_assert_null(souk_client_open(""));
}

// RFC 9562, 5.7: 48 bits of milliseconds, version 7, variant 10.
Test(client, request_ids_are_uuids_in_the_order_of_time)
{
    char one[33], other[33];
    uint64_t before = (uint64_t)time(NULL) * 1000;
    souk_request_id(one);
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    souk_request_id(other);
    uint64_t after = (uint64_t)(time(NULL) + 2) * 1000;
    cr_assert_eq(strlen(one), 32);
    cr_assert_eq(strspn(one, "0123456789abcdef"), 32);
    cr_assert_lt(strcmp(one, other), 0);
    cr_assert_eq(one[12], '7');
    cr_assert(strchr("89ab", one[16]), "%s", one);
    cr_assert_str_neq(one + 13, other + 13);
    char ms[13];
    snprintf(ms, sizeof ms, "%.12s", one);
    uint64_t at = strtoull(ms, NULL, 16);
    cr_assert(at >= before && at <= after, "%s is not now", one);
}

Test(client, a_reply_comes_with_its_id_status_and_body)
{
    struct souk_reply got;
    node_start(handle_ok, NULL);
    struct souk_client *client = souk_client_open(node.endpoint);
    cr_assert(client);
    cr_assert(souk_client_send(client, "r1", "cart.get", "c1", NULL, 0, 0, NULL));
    cr_assert(souk_client_receive(client, PATIENCE_MS, &got));
    cr_assert_str_eq(got.id, "r1");
    cr_assert_str_eq(got.status, "ok");
    cr_assert_eq(got.body_size, 1);
    cr_assert_eq(got.body[0], 0x80);
    cr_assert_not(souk_client_receive(client, 20, &got));
    souk_client_close(&client);
    cr_assert_null(client);
    node_stop();
}

Test(client, a_request_that_is_encoded_already_is_sent_as_it_is)
{
    struct souk_reply got;
    struct buffer request;
    const char *why;
    uint8_t *large = calloc(1, FRAME_SIZE_MAX);
    node_start(handle_ok, NULL);
    struct souk_client *client = souk_client_open(node.endpoint);
    buffer_init(&request);
    request_write(&request, BYTES("r1"), "cart.get", BYTES("c1"), bytes_of("\x80", 1), 0);
    cr_assert(souk_client_send_request(client, request.at, request.size, NULL));
    cr_assert(souk_client_receive(client, PATIENCE_MS, &got));
    cr_assert_str_eq(got.id, "r1");
    cr_assert_not(souk_client_send_request(client, large, FRAME_SIZE_MAX, &why));
    cr_assert(strstr(why, "512 KiB"), "%s", why);
    souk_client_close(&client);
    node_stop();
    free(large);
    buffer_deinit(&request);
}

Test(client, what_is_sent_before_the_node_is_there_arrives_in_order_when_it_comes)
{
    enum { COUNT = 100 };
    struct souk_reply got;
    char endpoint[256], id[16];
    node_start(handle_ok, NULL);
    snprintf(endpoint, sizeof endpoint, "%s", node.endpoint);
    node_stop();
    struct souk_client *client = souk_client_open(endpoint);
    for (int i = 0; i < COUNT; i++) {
        snprintf(id, sizeof id, "%d", i);
        cr_assert(souk_client_send(client, id, "cart.get", "c1", NULL, 0, 0, NULL));
    }
    cr_assert_not(souk_client_receive(client, 50, &got));
    node_start(handle_ok, endpoint);
    for (int i = 0; i < COUNT; i++) {
        snprintf(id, sizeof id, "%d", i);
        cr_assert(souk_client_receive(client, PATIENCE_MS, &got));
        cr_assert_str_eq(got.id, id);
    }
    souk_client_close(&client);
    node_stop();
}

Test(client, the_queue_to_a_node_that_is_not_there_is_bounded)
{
    enum { SIZE = 100 * 1024 };
    struct buffer body;
    const char *why = NULL;
    uint8_t *large = calloc(1, SIZE);
    struct souk_client *client = souk_client_open("ipc:///tmp/souk-nobody-listens-here");
    buffer_init(&body);
    pack_map(&body, 1);
    pack_text(&body, "large");
    pack_bin(&body, bytes_of(large, SIZE));
    int sent = 0;
    while (sent < 1000 && souk_client_send(client, "r", "cart.get", "c", body.at, body.size, 0, &why))
        sent++;
    cr_assert(sent > 30 && sent < 60, "%d", sent);
    cr_assert(strstr(why, "queue is full"), "%s", why);
    free(large);
    buffer_deinit(&body);
    souk_client_close(&client);
}

Test(client, what_a_node_would_refuse_is_refused_here)
{
    static const uint8_t list[] = {0x90}, cut[] = {0x81, 0xa1, 'a'}, two[] = {0x80, 0x80};
    static char long_key[130];
    const char *why;
    struct souk_reply got;
    memset(long_key, 'k', sizeof long_key - 1);
    struct souk_client *client = souk_client_open("tcp://127.0.0.1:9");
    cr_assert_not(souk_client_send(client, "", "cart.get", "c", NULL, 0, 0, &why));
    cr_assert(strstr(why, "request id"), "%s", why);
    cr_assert_not(souk_client_send(client, "r\n", "cart.get", "c", NULL, 0, 0, NULL));
    cr_assert_not(souk_client_send(client, "r", "", "c", NULL, 0, 0, &why));
    cr_assert(strstr(why, "type"), "%s", why);
    cr_assert_not(souk_client_send(client, "r", "cart.get", long_key, NULL, 0, 0, &why));
    cr_assert(strstr(why, "key"), "%s", why);
    cr_assert_not(souk_client_send(client, "r", "cart.get", "c", list, sizeof list, 0, &why));
    cr_assert(strstr(why, "body"), "%s", why);
    cr_assert_not(souk_client_send(client, "r", "cart.get", "c", cut, sizeof cut, 0, &why));
    cr_assert_not(souk_client_send(client, "r", "cart.get", "c", two, sizeof two, 0, &why));
    struct buffer body;
    buffer_init(&body);
    pack_map(&body, 1);
    pack_text(&body, "large");
    uint8_t *large = calloc(1, FRAME_SIZE_MAX);
    pack_bin(&body, bytes_of(large, FRAME_SIZE_MAX));
    cr_assert_not(souk_client_send(client, "r", "cart.get", "c", body.at, body.size, 0, &why));
    cr_assert(strstr(why, "512 KiB"), "%s", why);
    cr_assert(souk_client_call(client, "r", "cart.get", "c", body.at, body.size, 100, &got));
    cr_assert_str_eq(got.status, "too_large");
    cr_assert(souk_client_call(client, "r", "cart.get", long_key, NULL, 0, 100, &got));
    cr_assert_str_eq(got.status, "invalid");
    cr_assert_str_eq(got.id, "r");
    free(large);
    buffer_deinit(&body);
    souk_client_close(&client);
}

static atomic_uint arrived;

static void handle_first(unsigned index, const struct request *request, struct buffer *out)
{
    if (index == 0)
        reply(out, request->id, STATUS_ok);
    atomic_fetch_add(&arrived, 1);
}

Test(client, closing_waits_for_what_the_connection_has_taken)
{
    enum { COUNT = 3000, SIZE = 2048 };
    static uint8_t text[SIZE];
    struct souk_reply got;
    struct buffer body;
    node_start(handle_first, NULL);
    struct souk_client *client = souk_client_open(node.endpoint);
    buffer_init(&body);
    pack_map(&body, 1);
    pack_text(&body, "much");
    pack_bin(&body, bytes_of(text, SIZE));
    cr_assert(souk_client_call(client, "connected", "cart.get", "c", NULL, 0, PATIENCE_MS, &got));
    for (int i = 0; i < COUNT; i++)
        cr_assert(souk_client_send(client, "r", "cart.get", "c", body.at, body.size, 0, NULL));
    souk_client_close(&client);
    for (int64_t end = now_ms() + PATIENCE_MS; atomic_load(&arrived) < 1 + COUNT && now_ms() < end;)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    node_stop();
    cr_assert_eq(node.requests, 1 + COUNT);
    buffer_deinit(&body);
}

// ---- bundles

Test(client, bundles_are_collected_and_taken_apart)
{
    enum { COUNT = 1500 };
    struct souk_reply got;
    char id[16];
    node_start(handle_ok, NULL);
    struct souk_client *client = souk_client_open(node.endpoint);
    souk_client_bundle_begin(client);
    for (int i = 0; i < COUNT; i++) {
        snprintf(id, sizeof id, "%d", i);
        cr_assert(souk_client_send(client, id, "cart.get", "c", NULL, 0, 0, NULL));
    }
    souk_client_bundle_end(client);
    for (int i = 0; i < COUNT; i++) {
        snprintf(id, sizeof id, "%d", i);
        cr_assert(souk_client_receive(client, PATIENCE_MS, &got));
        cr_assert_str_eq(got.id, id);
        cr_assert_str_eq(got.status, "ok");
    }
    cr_assert_not(souk_client_receive(client, 20, &got));
    souk_client_close(&client);
    node_stop();
    cr_assert_eq(node.bundles, 2, "1,024 and the rest");
    cr_assert_eq(node.frames, 2);
}

Test(client, a_bundle_is_never_larger_than_a_frame_may_be)
{
    enum { COUNT = 20, SIZE = 100 * 1024 };
    struct souk_reply got;
    struct buffer body;
    uint8_t *large = calloc(1, SIZE);
    node_start(handle_ok, NULL);
    struct souk_client *client = souk_client_open(node.endpoint);
    buffer_init(&body);
    pack_map(&body, 1);
    pack_text(&body, "large");
    pack_bin(&body, bytes_of(large, SIZE));
    souk_client_bundle_begin(client);
    for (int i = 0; i < COUNT; i++)
        cr_assert(souk_client_send(client, "r", "cart.get", "c", body.at, body.size, 0, NULL));
    souk_client_bundle_end(client);
    for (int i = 0; i < COUNT; i++)
        cr_assert(souk_client_receive(client, PATIENCE_MS, &got));
    souk_client_close(&client);
    node_stop();
    cr_assert_eq(node.bundles, 4, "five of 100 KiB in each");
    free(large);
    buffer_deinit(&body);
}

static void handle_garbage_first(unsigned index, const struct request *request, struct buffer *out)
{
    if (index == 0)
        buffer_append(out, "garbage", 7);
    else
        reply(out, request->id, STATUS_not_found);
}

Test(client, a_reply_that_cannot_be_read_is_skipped)
{
    struct souk_reply got;
    node_start(handle_garbage_first, NULL);
    struct souk_client *client = souk_client_open(node.endpoint);
    souk_client_send(client, "r1", "cart.get", "c", NULL, 0, 0, NULL);
    souk_client_send(client, "r2", "cart.get", "c", NULL, 0, 0, NULL);
    cr_assert(souk_client_receive(client, PATIENCE_MS, &got));
    cr_assert_str_eq(got.id, "r2");
    cr_assert_str_eq(got.status, "not_found");
    souk_client_close(&client);
    node_stop();
}

// ---- calls

static void handle_third(unsigned index, const struct request *request, struct buffer *out)
{
    if (index == 2)
        reply(out, request->id, STATUS_ok);
}

Test(client, a_call_without_an_answer_is_sent_again_under_the_same_id)
{
    struct souk_reply got;
    node_start(handle_third, NULL);
    struct souk_client *client = souk_client_open(node.endpoint);
    cr_assert(souk_client_call(client, "once", "cart.get", "c", NULL, 0, PATIENCE_MS, &got));
    cr_assert_str_eq(got.status, "ok");
    souk_client_close(&client);
    node_stop();
    cr_assert_eq(node.requests, 3);
    for (unsigned i = 0; i < 3; i++)
        cr_assert_str_eq(node.ids[i], "once");
    cr_assert_geq(node.at_ms[1] - node.at_ms[0], 900);
}

static void handle_silence(unsigned index, const struct request *request, struct buffer *out) {}

Test(client, a_call_that_nobody_answers_ends_in_time)
{
    struct souk_reply got;
    node_start(handle_silence, NULL);
    struct souk_client *client = souk_client_open(node.endpoint);
    int64_t before = now_ms();
    cr_assert_not(souk_client_call(client, "r", "cart.get", "c", NULL, 0, 300, &got));
    cr_assert_geq(now_ms() - before, 300);
    souk_client_close(&client);
    node_stop();
}

static void handle_busy_twice(unsigned index, const struct request *request, struct buffer *out)
{
    if (index < 2)
        reply_busy(out, request->id, 200);
    else
        reply(out, request->id, STATUS_ok);
}

Test(client, busy_is_sent_again_after_the_time_it_names)
{
    struct souk_reply got;
    node_start(handle_busy_twice, NULL);
    struct souk_client *client = souk_client_open(node.endpoint);
    cr_assert(souk_client_call(client, "r", "cart.get", "c", NULL, 0, PATIENCE_MS, &got));
    cr_assert_str_eq(got.status, "ok");
    souk_client_close(&client);
    node_stop();
    cr_assert_eq(node.requests, 3);
    for (unsigned i = 1; i < 3; i++) {
        int64_t waited = node.at_ms[i] - node.at_ms[i - 1];
        cr_assert(waited >= 199 && waited < 950, "%lld ms", (long long)waited);
    }
}

static void handle_closed_twice(unsigned index, const struct request *request, struct buffer *out)
{
    static const enum status statuses[] = {STATUS_clock, STATUS_storage_full, STATUS_ok};
    reply(out, request->id, statuses[index < 2 ? index : 2]);
}

Test(client, what_a_closed_node_does_not_take_is_sent_again)
{
    struct souk_reply got;
    node_start(handle_closed_twice, NULL);
    struct souk_client *client = souk_client_open(node.endpoint);
    cr_assert(souk_client_call(client, "r", "cart.get", "c", NULL, 0, PATIENCE_MS, &got));
    cr_assert_str_eq(got.status, "ok");
    souk_client_close(&client);
    node_stop();
    cr_assert_eq(node.requests, 3);
}

static void handle_busy(unsigned index, const struct request *request, struct buffer *out)
{
    reply_busy(out, request->id, 60000);
}

Test(client, busy_for_longer_than_there_is_time_is_the_answer)
{
    struct souk_reply got;
    node_start(handle_busy, NULL);
    struct souk_client *client = souk_client_open(node.endpoint);
    int64_t before = now_ms();
    cr_assert(souk_client_call(client, "r", "cart.get", "c", NULL, 0, PATIENCE_MS, &got));
    cr_assert_str_eq(got.status, "busy");
    cr_assert_lt(now_ms() - before, PATIENCE_MS / 2);
    souk_client_close(&client);
    node_stop();
}

// The first copy gets no answer in time. The second is refused, and only then the first is done.
static void handle_late(unsigned index, const struct request *request, struct buffer *out)
{
    if (index == 0)
        return;
    bundle_head_write(out, 2);
    reply_busy(out, request->id, 60000);
    reply(out, request->id, STATUS_ok);
}

Test(client, busy_is_not_the_last_word_while_another_copy_may_be_done)
{
    struct souk_reply got;
    node_start(handle_late, NULL);
    struct souk_client *client = souk_client_open(node.endpoint);
    cr_assert(souk_client_call(client, "r", "cart.get", "c", NULL, 0, PATIENCE_MS, &got));
    cr_assert_str_eq(got.status, "ok");
    souk_client_close(&client);
    node_stop();
    cr_assert_eq(node.requests, 2);
}

Test(client, a_call_ignores_replies_to_others)
{
    struct souk_reply got;
    node_start(handle_ok, NULL);
    struct souk_client *client = souk_client_open(node.endpoint);
    souk_client_send(client, "earlier", "cart.get", "c", NULL, 0, 0, NULL);
    cr_assert(souk_client_call(client, "r", "cart.get", "c", NULL, 0, PATIENCE_MS, &got));
    cr_assert_str_eq(got.id, "r");
    souk_client_close(&client);
    node_stop();
}

Test(client, a_call_outlives_a_restart_of_the_node)
{
    struct souk_reply got;
    char endpoint[256];
    node_start(handle_ok, NULL);
    snprintf(endpoint, sizeof endpoint, "%s", node.endpoint);
    struct souk_client *client = souk_client_open(endpoint);
    for (int i = 0; i < 3; i++) {
        cr_assert(souk_client_call(client, "r", "cart.get", "c", NULL, 0, PATIENCE_MS, &got));
        node_stop();
        node_start(handle_ok, endpoint);
    }
    cr_assert(souk_client_call(client, "r", "cart.get", "c", NULL, 0, PATIENCE_MS, &got));
    souk_client_close(&client);
    node_stop();
}

Test(client, reconnecting_forgets_what_was_collected_for_a_bundle)
{
    struct souk_reply got;
    node_start(handle_ok, NULL);
    struct souk_client *client = souk_client_open(node.endpoint);
    souk_client_bundle_begin(client);
    souk_client_send(client, "old", "cart.get", "c", NULL, 0, 0, NULL);
    souk_client_reconnect(client);
    souk_client_send(client, "new", "cart.get", "c", NULL, 0, 0, NULL);
    souk_client_bundle_end(client);
    cr_assert(souk_client_receive(client, PATIENCE_MS, &got));
    cr_assert_str_eq(got.id, "new");
    cr_assert_not(souk_client_receive(client, 20, &got));
    souk_client_close(&client);
    node_stop();
    cr_assert_eq(node.requests, 1);
}

Test(client, reconnecting_forgets_what_was_under_way)
{
    struct souk_reply got;
    node_start(handle_ok, NULL);
    struct souk_client *client = souk_client_open(node.endpoint);
    souk_client_send(client, "old", "cart.get", "c", NULL, 0, 0, NULL);
    souk_client_reconnect(client);
    cr_assert_not(souk_client_receive(client, 50, &got));
    souk_client_send(client, "new", "cart.get", "c", NULL, 0, 0, NULL);
    cr_assert(souk_client_receive(client, PATIENCE_MS, &got));
    cr_assert_str_eq(got.id, "new");
    souk_client_close(&client);
    node_stop();
}
