// SPDX-License-Identifier: Apache-2.0
// What arrives at an actor: lanes in the order of arrival, control before everything, bytes that live until released.
#include "actors/inbox.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <zmq.h>

enum { ARRIVE_MS = 20000 };

static void *zmq, *push;
static struct inbox *inbox;
static struct buffer frame;

// inproc names are of one context, and each test has its own.
static void open_inbox(void)
{
    zmq = zmq_ctx_new();
    inbox = inbox_open(zmq, "inproc://inbox-under-test");
    push = zmq_socket(zmq, ZMQ_PUSH);
    cr_assert_eq(zmq_connect(push, "inproc://inbox-under-test"), 0);
    buffer_init(&frame);
}

static void close_inbox(void)
{
    int linger = 0;
    zmq_setsockopt(push, ZMQ_LINGER, &linger, sizeof linger);
    zmq_close(push);
    inbox_close(&inbox);
    cr_expect_null(inbox);
    zmq_ctx_term(zmq);
    buffer_deinit(&frame);
}

TestSuite(inbox, .init = open_inbox, .fini = close_inbox, .timeout = 120);

static void add(enum parcel_origin origin, const char *request)
{
    parcel_write(&frame, &(struct parcel){.origin = origin, .route = BYTES("r"), .request = bytes_text(request)});
}

static void send_frame(void)
{
    cr_assert_eq(zmq_send(push, frame.at, frame.size, 0), (int)frame.size);
    buffer_clear(&frame);
}

static void send_one(enum parcel_origin origin, const char *request)
{
    add(origin, request);
    send_frame();
}

// Until as many wait.
static void collect(uint64_t size)
{
    for (int tries = 0; inbox_size(inbox) < size && tries < 1000; tries++)
        inbox_collect(inbox, ARRIVE_MS);
    cr_assert_eq(inbox_size(inbox), size);
}

static const char *take(enum inbox_lane lane)
{
    static char text[64];
    struct parcel parcel;
    text[0] = 0;
    if (inbox_take(inbox, lane, &parcel))
        snprintf(text, sizeof text, "%.*s", BYTES_FORMAT(parcel.request));
    return text;
}

Test(inbox, is_empty_at_first)
{
    struct parcel parcel;
    inbox_collect(inbox, 0);
    cr_expect_eq(inbox_size(inbox), 0);
    cr_expect_str_eq(take(INBOX_PEERS), "");
    cr_expect_str_eq(take(INBOX_CLIENTS), "");
    cr_expect_not(inbox_control(inbox, &parcel));
    inbox_release(inbox);
}

Test(inbox, each_lane_keeps_the_order_of_arrival)
{
    add(PARCEL_CLIENT, "c1");
    add(PARCEL_CLIENT, "c2");
    send_frame();
    send_one(PARCEL_PEER, "p1");
    send_one(PARCEL_CLIENT, "c3");
    add(PARCEL_PEER, "p2");
    add(PARCEL_PEER, "p3");
    send_frame();
    collect(6);
    cr_expect_str_eq(take(INBOX_PEERS), "p1");
    cr_expect_str_eq(take(INBOX_CLIENTS), "c1");
    cr_expect_str_eq(take(INBOX_PEERS), "p2");
    cr_expect_eq(inbox_size(inbox), 3);
    cr_expect_str_eq(take(INBOX_PEERS), "p3");
    cr_expect_str_eq(take(INBOX_PEERS), "");
    cr_expect_str_eq(take(INBOX_CLIENTS), "c2");
    cr_expect_str_eq(take(INBOX_CLIENTS), "c3");
    cr_expect_str_eq(take(INBOX_CLIENTS), "");
    cr_expect_eq(inbox_size(inbox), 0);
}

Test(inbox, control_comes_before_what_arrived_earlier)
{
    struct parcel parcel;
    send_one(PARCEL_CLIENT, "c1");
    send_one(PARCEL_PEER, "p1");
    send_one(PARCEL_CONTROL, "stop");
    collect(3);
    cr_assert(inbox_control(inbox, &parcel));
    cr_expect(bytes_equal(parcel.request, BYTES("stop")));
    cr_expect_not(inbox_control(inbox, &parcel));
    cr_expect_str_eq(take(INBOX_CLIENTS), "c1");
}

Test(inbox, a_long_frame_is_taken_over_several_turns)
{
    enum { PARCELS = 5000 };
    char text[16];
    for (int i = 0; i < PARCELS; i++) {
        snprintf(text, sizeof text, "%d", i);
        add(PARCEL_PEER, text);
    }
    send_frame();
    collect(PARCELS);
    for (int i = 0; i < PARCELS; i++) {
        snprintf(text, sizeof text, "%d", i);
        cr_assert_str_eq(take(INBOX_PEERS), text);
        if (i % 700 == 0)
            inbox_release(inbox);
    }
    inbox_release(inbox);
    send_one(PARCEL_PEER, "next");
    collect(1);
    cr_expect_str_eq(take(INBOX_PEERS), "next");
}

Test(inbox, what_was_taken_lives_until_it_is_released)
{
    struct parcel first, second;
    send_one(PARCEL_CLIENT, "c1");
    send_one(PARCEL_CLIENT, "c2");
    collect(2);
    cr_assert(inbox_take(inbox, INBOX_CLIENTS, &first));
    cr_assert(inbox_take(inbox, INBOX_CLIENTS, &second));
    send_one(PARCEL_CLIENT, "c3");
    collect(1);
    cr_expect(bytes_equal(first.request, BYTES("c1")));
    cr_expect(bytes_equal(first.route, BYTES("r")));
    cr_expect(bytes_equal(second.request, BYTES("c2")));
    inbox_release(inbox);
    cr_expect_str_eq(take(INBOX_CLIENTS), "c3", "what was not taken stays");
}

Test(inbox, an_empty_frame_is_nothing)
{
    send_frame();
    send_one(PARCEL_PEER, "p1");
    collect(1);
    cr_expect_str_eq(take(INBOX_PEERS), "p1");
}

Test(inbox, what_nobody_took_is_freed_at_the_end)
{
    send_one(PARCEL_PEER, "p1");
    add(PARCEL_CLIENT, "c1");
    add(PARCEL_CLIENT, "c2");
    send_frame();
    send_one(PARCEL_CONTROL, "stop");
    collect(4);
    take(INBOX_CLIENTS);
}
