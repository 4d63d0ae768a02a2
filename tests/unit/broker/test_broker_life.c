// SPDX-License-Identifier: Apache-2.0
// The broker under load and over time: credit, clients that go or do not read, operators, start and stop.
#include "broker/listener.h"
#include "stage.h"

#include <sys/stat.h>
#include <unistd.h>

static struct stage stage;
static void *client;
static char directory[32]; // for ipc files

static void set_up(void)
{
    snprintf(directory, sizeof directory, "/tmp/souk-broker-XXXXXX");
    cr_assert(mkdtemp(directory));
    stage_init(&stage);
}

static void start(void)
{
    stage_start(&stage);
    client = stage_client(&stage, ZMQ_DEALER);
}

static void tear_down(void)
{
    if (client)
        zmq_close(client);
    stage_deinit(&stage);
    rmdir(directory);
}

TestSuite(broker_life, .init = set_up, .fini = tear_down, .timeout = 120);

// ---- credit

// Takes what is in an inbox until `count` parcels came; the bytes of their requests.
static uint64_t actor_take(void *inbox, uint32_t count)
{
    uint64_t size = 0;
    while (count) {
        struct cursor cursor = cursor_over(receive(inbox));
        struct parcel parcel;
        for (; parcel_next(&cursor, &parcel); count--)
            size += parcel.request.size;
    }
    return size;
}

static int64_t expect_busy(struct bytes frame, const char *id)
{
    int64_t retry_after_ms = 0;
    struct bytes body = read_reply(frame).body;
    cr_assert(body_int(body, "retry_after_ms", &retry_after_ms));
    cr_assert(retry_after_ms >= 10 && retry_after_ms <= 1000, "%lld", (long long)retry_after_ms);
    expect_reply(frame, id, "busy", NULL);
    return retry_after_ms;
}

Test(broker_life, without_credit_a_request_is_busy_and_with_it_served_again)
{
    enum { SHARE = 1024 };
    stage.options.commands_in_flight_max = SHARE;
    start();
    for (int i = 0; i < SHARE; i++)
        send_request(client, "r", "cart.get", "k");
    uint64_t size = actor_take(stage.inbox[KIND_CART][0], SHARE);
    send_request(client, "one-too-many", "cart.get", "k");
    expect_busy(receive(client), "one-too-many");
    // Other actors have their own.
    send_request(client, "other", "order.get", "k");
    actor_receive(stage.inbox[KIND_ORDER][0]);
    // The number of a cart actor: one catalog and two inventory actors come before it.
    actor_give_credit(&stage, 3, SHARE, size);
    cr_assert_eq(dropped(client, "busy"), 1);
    send_request(client, "again", "cart.get", "k");
    actor_receive(stage.inbox[KIND_CART][0]);
}

Test(broker_life, a_retired_actor_takes_no_share_from_those_that_serve)
{
    enum { SHARE = 2048, SERVING = KIND_COUNT };
    stage.options.serving[KIND_INVENTORY] = 1;
    stage.options.commands_in_flight_max = SHARE * SERVING;
    start();
    for (int i = 0; i < SHARE + 1; i++)
        send_request(client, i < SHARE ? "r" : "one-too-many", "cart.get", "k");
    actor_take(stage.inbox[KIND_CART][0], SHARE);
    expect_busy(receive(client), "one-too-many");
}

Test(broker_life, the_more_are_turned_away_the_longer_they_are_told_to_wait)
{
    enum { SHARE = 1024, OUTSIDE = 2000 };
    stage.options.commands_in_flight_max = SHARE;
    start();
    for (int i = 0; i < SHARE + OUTSIDE; i++)
        send_request(client, "r", "cart.get", "k");
    int64_t first = expect_busy(receive(client), "r"), last = first;
    for (int i = 1; i < OUTSIDE; i++) {
        int64_t next = expect_busy(receive(client), "r");
        cr_assert(next >= last);
        last = next;
    }
    cr_assert(first < 20 && last == 1000, "%lld to %lld", (long long)first, (long long)last);
}

Test(broker_life, credit_is_counted_in_bytes_too)
{
    enum { SIZE = 400 * 1024 };
    struct buffer body, frame;
    uint8_t *large = calloc(1, SIZE);
    stage.options.bytes_in_flight_max = 0; // an actor has 1 MiB at least
    start();
    buffer_init(&body);
    buffer_init(&frame);
    pack_map(&body, 1);
    pack_text(&body, "large");
    pack_bin(&body, bytes_of(large, SIZE));
    request_write(&frame, BYTES("r"), "cart.get", BYTES("k"), buffer_bytes(&body), 0);
    for (int i = 0; i < 3; i++)
        send_bytes(client, buffer_bytes(&frame));
    expect_busy(receive(client), "r");
    uint64_t size = actor_take(stage.inbox[KIND_CART][0], 2);
    actor_give_credit(&stage, 3, 2, size);
    send_bytes(client, buffer_bytes(&frame));
    actor_take(stage.inbox[KIND_CART][0], 1);
    free(large);
    buffer_deinit(&body);
    buffer_deinit(&frame);
}

// ---- clients that go or do not read

Test(broker_life, a_reply_to_a_client_that_went_is_counted)
{
    start();
    void *gone = stage_client(&stage, ZMQ_DEALER);
    send_request(gone, "r", "cart.get", "k");
    struct parcel parcel = actor_receive(stage.inbox[KIND_CART][0]);
    zmq_close(gone);
    expect_dropped(client, "disconnected", 1);
    actor_answer(&stage, &parcel);
    expect_dropped(client, "client_gone", 1);
}

Test(broker_life, a_client_that_does_not_read_loses_its_replies_and_nobody_else_waits)
{
    enum { REPLIES = 90000, IN_FRAME = 100, SIZE = 1024 };
    start();
    void *slow = stage_socket(stage.outside, ZMQ_DEALER);
    int few = 1, small = 4096;
    zmq_setsockopt(slow, ZMQ_RCVHWM, &few, sizeof few);
    zmq_setsockopt(slow, ZMQ_RCVBUF, &small, sizeof small);
    cr_assert_eq(zmq_connect(slow, stage.endpoint), 0);
    send_request(slow, "r", "cart.get", "k");
    struct parcel asked = actor_receive(stage.inbox[KIND_CART][0]);
    static uint8_t reply[SIZE];
    struct buffer frame;
    buffer_init(&frame);
    for (int i = 0; i < IN_FRAME; i++)
        parcel_write(&frame, &(struct parcel){PARCEL_REPLY, 0, 0, asked.route, bytes_of(reply, SIZE)});
    for (int i = 0; i < REPLIES / IN_FRAME; i++)
        send_bytes(stage.to_broker, buffer_bytes(&frame));
    expect_dropped(client, "client_slow", 1);
    cr_assert(dropped(client, "client_slow") < REPLIES);
    buffer_deinit(&frame);
    zmq_close(slow);
}

Test(broker_life, what_a_client_does_not_read_is_bounded_in_bytes_and_flows_again_when_it_reads)
{
    enum { REPLIES = 1000, SIZE = 256 * 1024, SHARE = 32 * 1024 * 1024 / SIZE, ON_THE_WAY = 200 };
    start();
    void *slow = stage_socket(stage.outside, ZMQ_DEALER);
    int few = 1, small = 4096;
    zmq_setsockopt(slow, ZMQ_RCVHWM, &few, sizeof few);
    zmq_setsockopt(slow, ZMQ_RCVBUF, &small, sizeof small);
    cr_assert_eq(zmq_connect(slow, stage.endpoint), 0);
    send_request(slow, "r", "cart.get", "k");
    struct parcel asked = actor_receive(stage.inbox[KIND_CART][0]);
    uint8_t *reply = calloc(1, SIZE);
    struct parcel answer = {PARCEL_REPLY, 0, 0, asked.route, bytes_of(reply, SIZE)};
    for (int i = 0; i < REPLIES; i++)
        actor_send(&stage, &answer);
    expect_dropped(client, "client_slow", REPLIES - SHARE - ON_THE_WAY);
    int read = 0;
    while (receive_within(slow, SILENCE_MS).at)
        read++;
    cr_assert(read < SHARE + ON_THE_WAY, "%d", read);
    actor_send(&stage, &answer);
    cr_assert_eq(receive(slow).size, SIZE);
    free(reply);
    zmq_close(slow);
}

// ---- operators and events

static void *start_with_operators(void)
{
    snprintf(stage.operators, sizeof stage.operators, "ipc://%s/control", directory);
    stage.options.control = stage.operators;
    start();
    void *door = stage_socket(stage.outside, ZMQ_DEALER);
    cr_assert_eq(zmq_connect(door, stage.operators), 0);
    return door;
}

Test(broker_life, a_snapshot_is_taken_at_the_operators_door_only)
{
    void *door = start_with_operators();
    send_request(client, "r1", "souk.snapshot", "monday");
    expect_reply(receive(client), "r1", "forbidden", "type");
    send_request(door, "r2", "souk.snapshot", "monday");
    // control_request ran in the broker's thread before the next request was taken.
    cr_assert_eq(dropped(door, "forbidden"), 1);
    cr_assert_eq(stage.operator_request.flags, PARCEL_OPERATOR);
    struct buffer reply;
    buffer_init(&reply);
    reply_write(&reply, BYTES("r2"), STATUS_ok, bytes_of("\x80", 1));
    actor_send(&stage, &(struct parcel){PARCEL_REPLY, stage.operator_request.flags, 0, stage.operator_request.route,
                                        buffer_bytes(&reply)});
    expect_reply(receive(door), "r2", "ok", NULL);
    buffer_deinit(&reply);
    zmq_close(door);
}

Test(broker_life, operators_may_send_what_clients_may)
{
    void *door = start_with_operators();
    struct stat file;
    send_request(door, "r1", "cart.get", "k");
    struct parcel parcel = actor_receive(stage.inbox[KIND_CART][0]);
    cr_assert_eq(parcel.flags, PARCEL_OPERATOR);
    actor_answer(&stage, &parcel);
    expect_reply(receive(door), "r1", "ok", NULL);
    send_request(door, "r2", "cart.claim", "k");
    expect_reply(receive(door), "r2", "forbidden", "type");
    cr_assert_eq(stat(stage.operators + strlen("ipc://"), &file), 0);
    cr_assert_eq(file.st_mode & 0777, 0600, "only its owner may connect");
    zmq_close(door);
}

Test(broker_life, the_operators_door_is_gone_when_the_broker_is)
{
    struct stat file;
    void *door = start_with_operators();
    cr_expect_not(listener_gone(stage.operators));
    zmq_close(door);
    broker_stop(&stage.broker);
    cr_expect_neq(stat(stage.operators + strlen("ipc://"), &file), 0);
    cr_expect(listener_gone(stage.operators));
    cr_expect_not(listener_gone(stage.endpoint), "not a file");
}

Test(broker_life, a_hint_is_published_as_actor_and_position)
{
    stage.options.events = "tcp://127.0.0.1:*";
    start();
    void *reader = stage_socket(stage.outside, ZMQ_SUB);
    zmq_setsockopt(reader, ZMQ_SUBSCRIBE, "order/0", 7);
    cr_assert_eq(zmq_connect(reader, broker_endpoint(stage.broker, 1)), 0);
    bool heard = false;
    for (int i = 0; i < 200 && !heard; i++) { // the subscription takes its time
        actor_send(&stage, &(struct parcel){PARCEL_EVENT, .route = BYTES("cart/0"), .request = BYTES("1.2")});
        actor_send(&stage, &(struct parcel){PARCEL_EVENT, .route = BYTES("order/0"), .request = BYTES("7.15")});
        heard = bytes_equal(receive_within(reader, 50), BYTES("order/0"));
    }
    cr_assert(heard);
    cr_assert(bytes_equal(receive(reader), BYTES("7.15")));
    zmq_close(reader);
}

// ---- start and stop

Test(broker_life, an_address_in_use_is_refused_with_its_name)
{
    struct fault_text text;
    struct broker *second = NULL;
    start();
    struct stage other;
    stage_init(&other);
    other.listen[0] = stage.endpoint;
    cr_assert_eq(broker_bind(&other.options, &second, &text), FAULT_LOCKED);
    cr_assert_null(second);
    cr_assert(strstr(text.line, stage.endpoint) && strstr(text.line, "Address already in use"), "%s", text.line);
    other.listen[0] = "tcp://203.0.113.7:1";
    cr_assert_eq(broker_bind(&other.options, &second, &text), FAULT_USAGE);
    cr_assert(strstr(text.line, "tcp://203.0.113.7:1: "), "%s", text.line);
    other.listen[0] = "tcp://127.0.0.1:*";
    stage_start(&other);
    stage_deinit(&other);
}

Test(broker_life, a_file_that_is_no_socket_is_not_removed_for_an_endpoint)
{
    char endpoint[64], held[4] = "";
    struct fault_text text;
    struct broker *broker = NULL;
    snprintf(endpoint, sizeof endpoint, "ipc://%s/ledger", directory);
    const char *path = endpoint + strlen("ipc://");
    FILE *file = fopen(path, "w");
    cr_assert(file && fputs("42", file) > 0 && fclose(file) == 0);
    stage.listen[0] = endpoint;
    cr_assert_eq(broker_bind(&stage.options, &broker, &text), FAULT_USAGE);
    cr_assert(strstr(text.line, endpoint) && strstr(text.line, "File exists"), "%s", text.line);
    file = fopen(path, "r");
    cr_assert(file && fgets(held, sizeof held, file) && fclose(file) == 0);
    cr_assert_str_eq(held, "42");
    stage.listen[0] = "tcp://127.0.0.1:*";
    start();
}

Test(broker_life, an_ipc_endpoint_is_not_taken_from_a_node_that_lives)
{
    char endpoint[64];
    struct fault_text text;
    struct broker *second = NULL;
    struct stage other;
    snprintf(endpoint, sizeof endpoint, "ipc://%s/door", directory);
    stage.listen[0] = endpoint;
    start();
    stage_init(&other);
    other.listen[0] = endpoint;
    cr_assert_eq(broker_bind(&other.options, &second, &text), FAULT_LOCKED);
    send_request(client, "r", "no.such", "k");
    expect_reply(receive(client), "r", "invalid", "type");
    broker_stop(&stage.broker);
    // The file that stays behind is in nobody's way.
    stage_start(&other);
    stage_deinit(&other);
    unlink(endpoint + strlen("ipc://"));
}

Test(broker_life, who_connects_before_the_actors_are_there_is_served_later)
{
    struct fault_text text;
    cr_assert_eq(broker_bind(&stage.options, &stage.broker, &text), FAULT_NONE, "%s", text.line);
    snprintf(stage.endpoint, sizeof stage.endpoint, "%s", broker_endpoint(stage.broker, 0));
    client = stage_client(&stage, ZMQ_DEALER);
    send_request(client, "r", "no.such", "k");
    cr_assert_not(receive_within(client, SILENCE_MS).at);
    cr_assert_eq(broker_start(stage.broker, &stage.options, &text), FAULT_NONE, "%s", text.line);
    expect_reply(receive(client), "r", "invalid", "type");
}

Test(broker_life, a_broker_that_never_served_ends)
{
    struct fault_text text;
    struct broker *bound = NULL;
    cr_assert_eq(broker_bind(&stage.options, &bound, &text), FAULT_NONE, "%s", text.line);
    broker_stop(&bound);
    cr_assert_null(bound);
    start();
}

Test(broker_life, who_is_refused_is_told_to_come_back_and_replies_still_go_out)
{
    start();
    send_request(client, "r1", "cart.get", "k");
    struct parcel parcel = actor_receive(stage.inbox[KIND_CART][0]);
    broker_refuse(stage.broker);
    bool busy = false;
    for (int i = 0; i < 200 && !busy; i++) {
        send_request(client, "r2", "souk.status", "k");
        busy = bytes_equal(read_reply(receive(client)).status, BYTES("busy"));
    }
    cr_assert(busy);
    send_request(client, "r3", "cart.get", "k");
    expect_busy(receive(client), "r3");
    actor_answer(&stage, &parcel);
    expect_reply(receive(client), "r1", "ok", NULL);
}

Test(broker_life, what_is_in_the_inbox_when_it_stops_is_delivered)
{
    enum { COUNT = 500 };
    start();
    send_request(client, "r", "cart.get", "k");
    struct parcel parcel = actor_receive(stage.inbox[KIND_CART][0]);
    for (int i = 0; i < COUNT; i++)
        actor_answer(&stage, &parcel);
    broker_stop(&stage.broker);
    cr_assert_null(stage.broker);
    for (int i = 0; i < COUNT; i++)
        expect_reply(receive(client), "r", "ok", NULL);
}

Test(broker_life, another_broker_can_begin_where_one_stopped)
{
    start();
    for (int i = 0; i < 5; i++) {
        send_request(client, "r", "no.such", "k");
        expect_reply(receive(client), "r", "invalid", "type");
        broker_stop(&stage.broker);
        stage.listen[0] = stage.endpoint;
        stage_start(&stage);
    }
    send_request(client, "r", "no.such", "k");
    expect_reply(receive(client), "r", "invalid", "type");
}
