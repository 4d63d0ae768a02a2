// SPDX-License-Identifier: Apache-2.0
// The broker's life and its loop. One round:
//
//   wait for anything  →  replies out  →  requests in  →  one frame to each actor  →  what was refused out
//                         all there are   bounded
//
// The sockets to clients live in a context of the broker's own: ending it waits until lingering replies are out and the
// ports are free, so that another broker can begin where this one stopped. The sockets to actors live in the node's.
// B1–B4: broker.h. Everything but broker_bind, _start, _endpoint, _refuse and _stop runs in the broker's thread.
#include "broker/broker.h"

#include "broker/accepting.h"
#include "broker/intake.h"
#include "broker/listener.h"
#include "broker/publisher.h"
#include "codec/check.h"
#include "codec/cursor.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { DRAIN_FRAMES_MAX = 1024, DRAIN_SIZE_MAX = 4 * 1024 * 1024, INBOX_FRAMES_MAX = 1000, RETRY_MS = 1 };

static const char inbox_endpoint[] = "inproc://broker";

struct broker {
    struct broker_options options;
    void *outside; // zmq context of the sockets to clients
    struct drops drops;
    struct lanes lanes;
    struct front clients, operators;
    struct unread *unread; // of both
    struct outgoing to_clients, to_operators;
    struct intake intake;
    void *inbox;
    struct publisher publisher;
    zmq_msg_t frame; // from the inbox
    bool stopping;
    bool inside; // the node's side is open
    pthread_t thread;
    const struct broker_options *wanted; // by broker_start; NULL: it is stopped before it served
    sem_t go;                            // posted when `wanted` is set
    sem_t ready;                         // posted when `fault` is set: first by what is bound, then by what serves
    enum fault fault;
    struct fault_text text;
    char endpoints[LISTEN_MAX + 1]
                  [ENDPOINT_SIZE_MAX]; // as bound; the one behind the last of listen[] is that of events
    char control[ENDPOINT_SIZE_MAX];   // as bound; "": it is not
};

// ---- out: what actors and the node say

static void take_control(struct broker *broker, struct bytes word)
{
    if (bytes_equal(word, BYTES("refuse")))
        broker->intake.refusing = true;
    else if (bytes_equal(word, BYTES("stop")))
        broker->stopping = true;
    else
        CHECK(false, "%.*s", BYTES_FORMAT(word));
}

static void take_parcel(struct broker *broker, const struct parcel *parcel)
{
    bool operators = parcel->flags & PARCEL_OPERATOR;
    switch (parcel->origin) {
    case PARCEL_REPLY:
        outgoing_reply(operators ? &broker->to_operators : &broker->to_clients, parcel->flags, parcel->route,
                       parcel->request);
        room_give(broker->options.room, room_place(broker->options.room, parcel->route), parcel->request.size);
        return;
    case PARCEL_CREDIT:
        lanes_give_back(&broker->lanes, parcel->request);
        return;
    case PARCEL_EVENT:
        publisher_send(&broker->publisher, parcel->route, parcel->request);
        return;
    case PARCEL_CONTROL:
        take_control(broker, parcel->request);
        return;
    case PARCEL_CLIENT:
    case PARCEL_PEER:
        break;
    }
    CHECK(false, "a parcel of origin %d is not for the broker", (int)parcel->origin);
}

// All there are: their number is bounded by what is in flight.
static void drain_inbox(struct broker *broker)
{
    while (zmq_msg_recv(&broker->frame, broker->inbox, ZMQ_DONTWAIT) >= 0) {
        struct cursor cursor = cursor_over(bytes_of(zmq_msg_data(&broker->frame), zmq_msg_size(&broker->frame)));
        struct parcel parcel;
        while (parcel_next(&cursor, &parcel))
            take_parcel(broker, &parcel);
    }
}

static void flush(struct broker *broker)
{
    outgoing_flush(&broker->to_clients);
    if (broker->operators.router)
        outgoing_flush(&broker->to_operators);
}

// ---- in: what clients and operators ask

static void drain_front(struct broker *broker, struct front *front, struct outgoing *outgoing)
{
    struct arrival arrival;
    size_t size = 0;
    for (int i = 0; i < DRAIN_FRAMES_MAX && size < DRAIN_SIZE_MAX && front_receive(front, &arrival); i++) {
        size += arrival.frame.size;
        intake_take(&broker->intake, &arrival, outgoing);
    }
}

// ---- the loop

enum {
    READY_INBOX = 1,
    READY_CLIENTS = 2,
    READY_CLIENTS_WATCH = 4,
    READY_OPERATORS = 8,
    READY_OPERATORS_WATCH = 16,
    READY_SUBSCRIBERS = 32
};

// NULL is never ready.
static zmq_pollitem_t readable(void *socket)
{
    return (zmq_pollitem_t){socket, -1, ZMQ_POLLIN, 0};
}

// What may be read without waiting, as READY_ bits; 0 after the timeout.
static unsigned wait_for_any(struct broker *broker, int timeout_ms)
{
    zmq_pollitem_t items[] = {
        readable(broker->inbox),
        readable(broker->clients.router),
        readable(broker->clients.monitor),
        readable(broker->operators.router),
        readable(broker->operators.monitor),
        readable(broker->publisher.socket),
    };
    int count = sizeof items / sizeof *items;
    unsigned ready = 0;
    if (zmq_poll(items, count, timeout_ms) < 0)
        CHECK(zmq_errno() == EINTR, "%s", zmq_strerror(zmq_errno()));
    for (int i = 0; i < count; i++)
        ready |= items[i].revents ? 1u << i : 0;
    return ready;
}

// false: something is left that an actor could not take, or an endpoint is not free yet.
static bool round_once(struct broker *broker, unsigned ready)
{
    if (ready & READY_INBOX)
        drain_inbox(broker);
    flush(broker);
    if (ready & READY_OPERATORS)
        drain_front(broker, &broker->operators, &broker->to_operators);
    if (ready & READY_CLIENTS)
        drain_front(broker, &broker->clients, &broker->to_clients);
    bool sent = lanes_send(&broker->lanes);
    flush(broker);
    if (ready & READY_OPERATORS_WATCH)
        front_watch(&broker->operators);
    if (ready & READY_CLIENTS_WATCH)
        front_watch(&broker->clients);
    if (ready & READY_SUBSCRIBERS)
        publisher_read(&broker->publisher);
    return publisher_reopen(&broker->publisher) && sent;
}

static void serve(struct broker *broker)
{
    int timeout_ms = -1;
    while (!broker->stopping)
        timeout_ms = round_once(broker, wait_for_any(broker, timeout_ms)) ? -1 : RETRY_MS;
    // Nobody takes requests any more: those that have arrived are told so.
    broker->intake.refusing = true;
    round_once(broker, wait_for_any(broker, 0));
}

// ---- start and end of the thread

static void *socket_new(void *context, int type)
{
    void *socket = zmq_socket(context, type);
    CHECK(socket, "%s", zmq_strerror(zmq_errno()));
    return socket;
}

static void open_inside(struct broker *broker)
{
    int frames_max = INBOX_FRAMES_MAX;
    broker->inbox = socket_new(broker->options.context, ZMQ_PULL);
    CHECK(zmq_setsockopt(broker->inbox, ZMQ_RCVHWM, &frames_max, sizeof frames_max) == 0, "%s",
          zmq_strerror(zmq_errno()));
    CHECK(zmq_bind(broker->inbox, inbox_endpoint) == 0, "%s: %s", inbox_endpoint, zmq_strerror(zmq_errno()));
    zmq_msg_init(&broker->frame);
    lanes_open(&broker->lanes, &broker->options);
    broker->inside = true;
}

// Whoever may connect here may take snapshots: the file is its owner's.
static enum fault open_operators(struct broker *broker)
{
    static const char scheme[] = "ipc://";
    if (!broker->options.control)
        return FAULT_NONE;
    front_open(&broker->operators, broker->outside, PARCEL_OPERATOR, &broker->drops, broker->unread);
    enum fault fault = listener_bind(broker->operators.router, broker->options.control, broker->control, &broker->text);
    if (fault == FAULT_NONE && strncmp(broker->control, scheme, sizeof scheme - 1) == 0)
        chmod(broker->control + sizeof scheme - 1, S_IRUSR | S_IWUSR);
    return fault;
}

static enum fault open_outside(struct broker *broker)
{
    enum fault fault = FAULT_NONE;
    if (broker->options.events)
        fault = publisher_open(&broker->publisher, broker->outside, broker->options.events,
                               broker->endpoints[broker->options.listen_count], &broker->drops, &broker->text);
    front_open(&broker->clients, broker->outside, 0, &broker->drops, broker->unread);
    for (uint32_t i = 0; i < broker->options.listen_count && fault == FAULT_NONE; i++)
        fault = listener_bind(broker->clients.router, broker->options.listen[i], broker->endpoints[i], &broker->text);
    return fault;
}

static void close_inside(struct broker *broker)
{
    zmq_msg_close(&broker->frame);
    lanes_close(&broker->lanes);
    zmq_unbind(broker->inbox, inbox_endpoint);
    zmq_close(broker->inbox);
}

static void close_all(struct broker *broker)
{
    listener_forget(broker->control);
    front_close(&broker->operators);
    front_close(&broker->clients);
    publisher_close(&broker->publisher);
    while (zmq_ctx_term(broker->outside) != 0 && zmq_errno() == EINTR)
        ;
    unread_free(&broker->unread);
    if (broker->inside)
        close_inside(broker);
}

static void tell_fault(struct broker *broker, enum fault fault)
{
    broker->fault = fault;
    sem_post(&broker->ready);
}

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0)
        ;
}

// What was bound waits here while the node opens.
static enum fault start(struct broker *broker)
{
    wait_for(&broker->go);
    if (!broker->wanted)
        return FAULT_NONE;
    broker->options = *broker->wanted;
    open_inside(broker);
    enum fault fault = open_operators(broker);
    tell_fault(broker, fault);
    return fault;
}

static void *run(void *argument)
{
    struct broker *broker = argument;
    pthread_setname_np(pthread_self(), "broker");
    enum fault fault = open_outside(broker);
    tell_fault(broker, fault);
    if (fault == FAULT_NONE)
        fault = start(broker);
    if (fault == FAULT_NONE && broker->inside)
        serve(broker);
    close_all(broker);
    return NULL;
}

// ---- what other threads call

// Signals are for the threads that wait for them.
static void start_thread(struct broker *broker)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&broker->thread, NULL, run, broker);
    CHECK(!failed, "%s", strerror(failed));
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void broker_free(struct broker **broker)
{
    pthread_join((*broker)->thread, NULL);
    outgoing_deinit(&(*broker)->to_clients);
    outgoing_deinit(&(*broker)->to_operators);
    intake_deinit(&(*broker)->intake);
    sem_destroy(&(*broker)->ready);
    sem_destroy(&(*broker)->go);
    free(*broker);
    *broker = NULL;
}

enum fault broker_bind(const struct broker_options *options, struct broker **broker, struct fault_text *text)
{
    CHECK(options->listen_count <= LISTEN_MAX, "%u", options->listen_count);
    struct broker *bound = calloc(1, sizeof *bound);
    CHECK(bound, "out of memory");
    bound->options = *options;
    accepting_limit(options->descriptors_max);
    bound->outside = zmq_ctx_new();
    CHECK(bound->outside, "%s", zmq_strerror(zmq_errno()));
    bound->unread = unread_new((uint64_t)options->bytes_in_flight_max, options->room);
    outgoing_init(&bound->to_clients, &bound->clients);
    outgoing_init(&bound->to_operators, &bound->operators);
    intake_init(&bound->intake, &bound->options, &bound->lanes, &bound->drops);
    sem_init(&bound->go, 0, 0);
    sem_init(&bound->ready, 0, 0);
    start_thread(bound);
    wait_for(&bound->ready);
    enum fault fault = bound->fault;
    if (fault != FAULT_NONE) {
        *text = bound->text;
        broker_free(&bound);
    }
    *broker = bound;
    return fault;
}

enum fault broker_start(struct broker *broker, const struct broker_options *options, struct fault_text *text)
{
    CHECK(options->listen_count == broker->options.listen_count, "%u", options->listen_count);
    broker->wanted = options;
    accepting_limit(options->descriptors_max);
    sem_post(&broker->go);
    wait_for(&broker->ready);
    if (broker->fault != FAULT_NONE)
        *text = broker->text;
    return broker->fault;
}

const char *broker_endpoint(const struct broker *broker, uint32_t index)
{
    CHECK(index <= broker->options.listen_count, "%u", index);
    return broker->endpoints[index];
}

// A socket for one word: whatever thread calls, it uses no other's.
static void broker_tell(struct broker *broker, struct bytes word)
{
    struct buffer frame;
    void *push = socket_new(broker->options.context, ZMQ_PUSH);
    buffer_init(&frame);
    parcel_write(&frame, &(struct parcel){PARCEL_CONTROL, .request = word});
    CHECK(zmq_connect(push, inbox_endpoint) == 0, "%s", zmq_strerror(zmq_errno()));
    CHECK(zmq_send(push, frame.at, frame.size, 0) >= 0, "%s", zmq_strerror(zmq_errno()));
    zmq_close(push);
    buffer_deinit(&frame);
}

void broker_refuse(struct broker *broker)
{
    broker_tell(broker, BYTES("refuse"));
}

void broker_stop(struct broker **broker)
{
    struct broker *it = *broker;
    if (!it)
        return;
    if (!it->wanted)
        sem_post(&it->go);
    else if (it->fault == FAULT_NONE)
        broker_tell(it, BYTES("stop"));
    broker_free(broker);
}
