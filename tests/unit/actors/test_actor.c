// SPDX-License-Identifier: Apache-2.0
// An actor's end, with its thread and its database: what it has not decided is answered, not dropped.
#include "actors/actor.h"
#include "codec/check.h"
#include "codec/parcel.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zmq.h>

enum { PATIENCE_MS = 20000 };

static void *zmq, *broker, *push;
static struct node_clock node_clock;
static struct actor *actor;
static char directory[64], database[96];
static struct settings settings = {.remember_hours = 24,
                                   .reservation_ttl_ms = 1,
                                   .cart_ttl_days = 30,
                                   .cart_lines_max = 500,
                                   .order_lines_max = 1,
                                   .order_deadline_ms = 1,
                                   .lines_in_flight_max = 1,
                                   .waiting_max = 1,
                                   .provider_key_hours = 1};
static struct owner_map owners = {{1, 1, 1, 1, 1, 1}};
static struct buffer frame;

static void ends_the_test(const char *line)
{
    CHECK(false, "%s", line);
}

static void *socket_of(int type)
{
    int patience = PATIENCE_MS, linger = 0;
    void *socket = zmq_socket(zmq, type);
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &patience, sizeof patience);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    return socket;
}

static void make_database(void)
{
    struct store *store;
    struct fault_text text;
    snprintf(directory, sizeof directory, "/tmp/souk-actor-XXXXXX");
    cr_assert(mkdtemp(directory));
    snprintf(database, sizeof database, "%s/cart-0", directory);
    const struct store_options options = {.path = database, .create = true};
    cr_assert_eq(store_rocks_open(&options, &store, &text), FAULT_NONE, "%s", text.line);
    store_close(&store);
}

static void begin(void)
{
    static struct log_epoch epoch;
    struct fault_text text;
    make_database();
    settings.provider = BYTES("sandbox");
    epoch = (struct log_epoch){.at = 1, .number = 1, .settings = settings, .owners = owners};
    zmq = zmq_ctx_new();
    broker = socket_of(ZMQ_PULL);
    cr_assert_eq(zmq_bind(broker, "inproc://broker"), 0);
    node_clock_init(&node_clock, &(struct clock_note){0});
    actor = actor_start(&(struct actor_options){.zmq = zmq,
                                                .id = {KIND_CART, 0},
                                                .database = database,
                                                .turn_messages_max = 16,
                                                .waiters_max = 16,
                                                .settings = &settings,
                                                .owners = &owners,
                                                .epoch = &epoch,
                                                .clock = &node_clock,
                                                .fail = ends_the_test});
    cr_assert_eq(actor_matched(actor, &text), FAULT_NONE, "%s", text.line);
    actor_begin(actor, true);
    cr_assert_eq(actor_opened(actor, &text), FAULT_NONE, "%s", text.line);
    push = socket_of(ZMQ_PUSH);
    cr_assert_eq(zmq_connect(push, actor_endpoint((struct actor_id){KIND_CART, 0}).text), 0);
    buffer_init(&frame);
}

static int remove_one(const char *path, const struct stat *what, int type, struct FTW *at)
{
    return remove(path);
}

static void end(void)
{
    actor_join(&actor);
    node_clock_deinit(&node_clock);
    zmq_close(push);
    zmq_close(broker);
    zmq_ctx_term(zmq);
    buffer_deinit(&frame);
    nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(actor, .init = begin, .fini = end, .timeout = 120);

static void add_request(int number)
{
    char id[16];
    struct buffer request = {0};
    snprintf(id, sizeof id, "r%d", number);
    request_write(&request, bytes_text(id), "cart.get", BYTES("c"), BYTES("\x80"), 0);
    parcel_write(&frame, &(struct parcel){PARCEL_CLIENT, .route = BYTES("client"), .request = buffer_bytes(&request)});
    buffer_deinit(&request);
}

static void send_frame(void)
{
    cr_assert_eq(zmq_send(push, frame.at, frame.size, 0), (int)frame.size);
    buffer_clear(&frame);
}

static void send_stop(void)
{
    parcel_write(&frame, &(struct parcel){PARCEL_CONTROL, .request = BYTES("stop")});
    send_frame();
}

// Replies of the next frame to the broker, by status.
static void count_replies(int *ok, int *busy)
{
    zmq_msg_t message;
    struct parcel parcel;
    struct reply reply;
    zmq_msg_init(&message);
    cr_assert(zmq_msg_recv(&message, broker, 0) >= 0, "nothing came");
    struct cursor parcels = cursor_over(bytes_of(zmq_msg_data(&message), zmq_msg_size(&message)));
    while (parcel_next(&parcels, &parcel)) {
        struct cursor cursor = cursor_over(parcel.request);
        if (parcel.origin != PARCEL_REPLY)
            continue;
        cr_assert(reply_read(&cursor, &reply));
        *ok += bytes_equal(reply.status, BYTES("ok"));
        *busy += bytes_equal(reply.status, BYTES("busy"));
    }
    zmq_msg_close(&message);
}

Test(actor, what_no_turn_will_decide_is_answered_busy)
{
    enum { REQUESTS = 100 };
    int ok = 0, busy = 0;
    for (int i = 0; i < REQUESTS; i++)
        add_request(i);
    send_frame();
    send_stop();
    actor_go(actor);
    actor_stopped(actor);
    count_replies(&ok, &busy);
    cr_expect_eq(ok, 0);
    cr_expect_eq(busy, REQUESTS);
    cr_expect_eq(actor_stats(actor)->turns, 0);
}

Test(actor, every_request_before_the_end_has_one_answer)
{
    enum { REQUESTS = 1000 };
    int ok = 0, busy = 0;
    actor_go(actor);
    for (int i = 0; i < REQUESTS; i++) {
        add_request(i);
        if (i % 10 == 9)
            send_frame();
    }
    send_stop();
    actor_stopped(actor);
    while (ok + busy < REQUESTS)
        count_replies(&ok, &busy);
    cr_expect_eq(ok + busy, REQUESTS);
}

Test(actor, it_counts_before_it_goes)
{
    cr_expect(atomic_load(&actor_stats(actor)->commits) > 0, "its epoch is not counted");
    actor_go(actor);
    send_stop();
    actor_stopped(actor);
}
