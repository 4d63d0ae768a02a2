// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_load.h"

#include "cli/cli.h"
#include "cli/send_line.h"
#include "codec/check.h"
#include "codec/cursor.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <zmq.h>

enum {
    BUNDLE_HEAD_SIZE = 5,
    SILENCE_US = 10000000,
    TICK_US = 250,
    TICK_RATE_MIN = 4000,
    WAIT_US = 100000,
    TAKEN_AT_ONCE = 1024, // from one connection
    FRAMES_PER_CLOCK = 64,
    RETRY_AFTER_MS = 100,
    TIMER_SLACK_NS = 1000,
};

static const uint64_t NO_COMMAND = UINT64_MAX;

struct slot {
    uint64_t sequence; // NO_COMMAND: free
    int64_t due_at;
};

// A command that the node was too busy for.
struct parked {
    uint32_t slot;
    int64_t until;
};

struct bench_load {
    struct bench_load_options options;
    void *context;
    void *sockets[BENCH_CLIENTS_MAX];
    struct pollfd fds[BENCH_CLIENTS_MAX];
    zmq_msg_t frame; // that arrived
    struct slot *slots;
    uint32_t *free;
    uint32_t free_count;
    struct parked *parked; // a ring of `window`
    uint32_t parked_first, parked_count;
    // of the phase under way
    const struct bench_phase *phase;
    struct bench_result *result;
    uint8_t mark[BENCH_RUN_SIZE + 1]; // how its ids begin
    uint64_t next;                    // sequence
    int64_t began, heard_at;
    uint32_t turn; // connection that sends next
    bool over;     // nothing new is sent
};

// ---- connections

static bool set(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool connect_one(struct bench_load *load, uint32_t index)
{
    void *socket = load->sockets[index] = zmq_socket(load->context, ZMQ_DEALER);
    size_t size = sizeof load->fds[index].fd;
    load->fds[index].events = POLLIN;
    return socket && set(socket, ZMQ_LINGER, 0) && set(socket, ZMQ_SNDHWM, 2 * BENCH_WINDOW_MAX) &&
           set(socket, ZMQ_RCVHWM, 2 * BENCH_WINDOW_MAX) && zmq_connect(socket, load->options.endpoint) == 0 &&
           zmq_getsockopt(socket, ZMQ_FD, &load->fds[index].fd, &size) == 0;
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    CHECK(memory, "out of memory: %zu × %zu", count, size);
    return memory;
}

struct bench_load *bench_load_new(const struct bench_load_options *options)
{
    struct bench_load *load = allocate(1, sizeof *load);
    load->options = *options;
    load->slots = allocate(options->window, sizeof *load->slots);
    load->free = allocate(options->window, sizeof *load->free);
    load->parked = allocate(options->window, sizeof *load->parked);
    for (uint32_t i = options->window; i-- > 0;) {
        load->slots[i].sequence = NO_COMMAND;
        load->free[load->free_count++] = i;
    }
    zmq_msg_init(&load->frame);
    load->context = zmq_ctx_new();
    CHECK(load->context, "%s", zmq_strerror(zmq_errno()));
    prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
    for (uint32_t i = 0; i < options->clients; i++) {
        if (connect_one(load, i))
            continue;
        bench_load_free(&load);
        break;
    }
    return load;
}

void bench_load_free(struct bench_load **load)
{
    struct bench_load *freed = *load;
    *load = NULL;
    if (!freed)
        return;
    zmq_msg_close(&freed->frame);
    for (uint32_t i = 0; i < freed->options.clients; i++) {
        if (freed->sockets[i])
            zmq_close(freed->sockets[i]);
    }
    zmq_ctx_term(freed->context);
    free(freed->slots);
    free(freed->free);
    free(freed->parked);
    free(freed);
}

// ---- sending

// splitmix64's mixing: the same SKU for the same command, whenever it is sent.
static uint64_t mix(uint64_t number)
{
    number += 0x9e3779b97f4a7c15;
    number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
    number = (number ^ number >> 27) * 0x94d049bb133111eb;
    return number ^ number >> 31;
}

static uint32_t sku_of(const struct bench_load *load, uint64_t sequence)
{
    if (load->phase->each_sku)
        return (uint32_t)sequence;
    return load->options.skus == 1 ? 0 : (uint32_t)((mix(sequence) >> 32) * load->options.skus >> 32);
}

static void write_command(const struct bench_load *load, uint8_t *at, uint64_t sequence, uint32_t slot)
{
    bench_frame_write(load->phase->frame, at, (uint32_t)sequence, (uint16_t)slot, sku_of(load, sequence),
                      load->options.skus);
}

static bool send_message(struct bench_load *load, zmq_msg_t *message)
{
    void *socket = load->sockets[load->turn];
    if (zmq_msg_send(message, socket, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(message);
        return false;
    }
    load->turn = load->turn + 1 < load->options.clients ? load->turn + 1 : 0;
    return true;
}

static void message_init(zmq_msg_t *message, size_t size)
{
    CHECK(zmq_msg_init_size(message, size) == 0, "%zu bytes", size);
}

// The next `count` commands in the first free slots; false: the connection takes none now.
static bool send_frame(struct bench_load *load, uint32_t count)
{
    zmq_msg_t message;
    size_t size = load->phase->frame->packed.size;
    bool bundled = load->options.bundle > 1;
    message_init(&message, (bundled ? BUNDLE_HEAD_SIZE : 0) + count * size);
    uint8_t *at = zmq_msg_data(&message);
    if (bundled) {
        memcpy(at, (uint8_t[]){0x92, 2, 0xdc, (uint8_t)(count >> 8), (uint8_t)count}, BUNDLE_HEAD_SIZE);
        at += BUNDLE_HEAD_SIZE;
    }
    for (uint32_t i = 0; i < count; i++, at += size)
        write_command(load, at, load->next + i, load->free[load->free_count - 1 - i]);
    return send_message(load, &message);
}

static int64_t due_at(const struct bench_load *load, uint64_t sequence)
{
    return load->began + (int64_t)(sequence * 1000000 / (uint64_t)load->phase->rate);
}

// How many may go in the next frame; 0: none now.
static uint32_t sendable(const struct bench_load *load, int64_t now)
{
    uint64_t count = load->options.bundle, limit = load->phase->limit;
    if (load->over)
        return 0;
    if (limit && limit - load->next < count)
        count = limit - load->next;
    if (count > load->free_count || !count)
        return 0;
    return load->phase->rate && due_at(load, load->next + count - 1) > now ? 0 : (uint32_t)count;
}

static bool send_all(struct bench_load *load, int64_t now)
{
    uint32_t count;
    bool sent = false;
    while ((count = sendable(load, now)) && send_frame(load, count)) {
        for (uint32_t i = 0; i < count; i++, load->next++) {
            struct slot *slot = &load->slots[load->free[--load->free_count]];
            slot->sequence = load->next;
            slot->due_at = load->phase->rate ? due_at(load, load->next) : now;
        }
        sent = true;
    }
    return sent;
}

// What was busy and has waited long enough.
static void send_parked(struct bench_load *load, int64_t now)
{
    while (load->parked_count && load->parked[load->parked_first].until <= now) {
        zmq_msg_t message;
        uint32_t slot = load->parked[load->parked_first].slot;
        message_init(&message, load->phase->frame->packed.size);
        write_command(load, zmq_msg_data(&message), load->slots[slot].sequence, slot);
        if (!send_message(load, &message))
            return;
        load->parked_first = (load->parked_first + 1) % load->options.window;
        load->parked_count--;
        load->result->resent++;
    }
}

// ---- replies

static void park(struct bench_load *load, uint32_t slot, struct bytes body, int64_t now)
{
    int64_t ms = body_number(body, "retry_after_ms", RETRY_AFTER_MS);
    uint32_t last = (load->parked_first + load->parked_count) % load->options.window;
    load->parked[last] = (struct parked){slot, now + (ms > 0 ? ms : 1) * 1000};
    load->parked_count++;
}

static void take_answer(struct bench_load *load, const uint8_t *id, struct bytes status, struct bytes body, int64_t now)
{
    uint32_t sequence;
    uint16_t number;
    struct bench_result *result = load->result;
    if (!bench_id_read(id, load->mark, &sequence, &number) || number >= load->options.window)
        return;
    struct slot *slot = &load->slots[number];
    if (slot->sequence == NO_COMMAND || (uint32_t)slot->sequence != sequence)
        return; // the second answer to something
    bool ok = status.size == 2 && status.at[0] == 'o' && status.at[1] == 'k';
    if (!ok && (bytes_equal(status, BYTES("busy")) || bytes_equal(status, BYTES("storage_full")) ||
                bytes_equal(status, BYTES("clock")))) {
        park(load, number, body, now);
        return;
    }
    slot->sequence = NO_COMMAND;
    load->free[load->free_count++] = number;
    histogram_add(&result->latency, now - slot->due_at);
    result->answered++;
    if (!ok)
        tally_add(&result->statuses, status, 1);
    else if (!load->over)
        result->ok_in_time++;
}

static void take_reply(struct bench_load *load, struct cursor *cursor, int64_t now)
{
    struct reply reply;
    if (!reply_read(cursor, &reply)) {
        cursor->at = cursor->end;
        return;
    }
    if (reply.id.size == BENCH_ID_SIZE)
        take_answer(load, reply.id.at, reply.status, reply.body, now);
}

static void take_frame(struct bench_load *load, int64_t now)
{
    const uint8_t *at = zmq_msg_data(&load->frame);
    size_t size = zmq_msg_size(&load->frame);
    struct cursor cursor = cursor_over(bytes_of(at, size));
    uint32_t count = 1, elements;
    int64_t version;
    // The usual reply, [1, id, "ok", …], is told by its bytes.
    if (size > BENCH_ID_SIZE + 6 && at[0] == 0x94 && at[1] == 1 && at[2] == (0xa0 | BENCH_ID_SIZE) &&
        at[3 + BENCH_ID_SIZE] == 0xa2) {
        take_answer(load, at + 3, bytes_of(at + 4 + BENCH_ID_SIZE, 2), bytes_of(NULL, 0), now);
        return;
    }
    if (size && at[0] == 0x92 &&
        (!cursor_array(&cursor, &elements) || !cursor_int(&cursor, &version) || !cursor_array(&cursor, &count)))
        return;
    while (count-- && cursor_left(&cursor))
        take_reply(load, &cursor, now);
}

static bool drain(struct bench_load *load, int64_t now)
{
    bool some = false;
    for (uint32_t i = 0; i < load->options.clients; i++) {
        for (uint32_t taken = 0; taken < TAKEN_AT_ONCE; taken++) {
            if (zmq_msg_recv(&load->frame, load->sockets[i], ZMQ_DONTWAIT) < 0)
                break;
            if (taken % FRAMES_PER_CLOCK == FRAMES_PER_CLOCK - 1)
                now = clock_steady();
            take_frame(load, now);
            some = true;
        }
    }
    return some;
}

// ---- waiting

static bool anything_there(const struct bench_load *load)
{
    for (uint32_t i = 0; i < load->options.clients; i++) {
        int events = 0;
        size_t size = sizeof events;
        zmq_getsockopt(load->sockets[i], ZMQ_EVENTS, &events, &size);
        if (events & ZMQ_POLLIN)
            return true;
    }
    return false;
}

// Thousands a second are sent and taken in ticks, as many clients together would: a wake-up for each would measure the
// loader. Times still count from when each command was due.
static bool ticks(const struct bench_load *load)
{
    return load->phase->rate > TICK_RATE_MIN;
}

// Until something arrives or is due. A socket's descriptor tells only news: what was there before must be asked for.
static void wait_for_news(struct bench_load *load, int64_t now)
{
    if (ticks(load)) {
        nanosleep(&(struct timespec){.tv_nsec = TICK_US * 1000}, NULL);
        return;
    }
    int64_t until = now + WAIT_US;
    if (load->phase->rate && !load->over && load->free_count >= load->options.bundle) {
        int64_t due = due_at(load, load->next + load->options.bundle - 1);
        until = due < until ? due : until;
    }
    if (load->parked_count && load->parked[load->parked_first].until < until)
        until = load->parked[load->parked_first].until;
    if (until <= now || anything_there(load))
        return;
    struct timespec timeout = {.tv_sec = (until - now) / 1000000, .tv_nsec = (until - now) % 1000000 * 1000};
    ppoll(load->fds, load->options.clients, &timeout, NULL);
}

// ---- a phase

static int64_t cpu_now(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static void begin(struct bench_load *load, const struct bench_phase *phase, struct bench_result *result)
{
    *result = (struct bench_result){.cpu_us = cpu_now()};
    load->phase = phase;
    load->result = result;
    memcpy(load->mark, load->options.run, BENCH_RUN_SIZE);
    load->mark[BENCH_RUN_SIZE] = (uint8_t)phase->name;
    load->next = 0;
    load->over = false;
    load->began = load->heard_at = clock_steady();
}

static uint32_t on_the_way(const struct bench_load *load)
{
    return load->options.window - load->free_count;
}

// Time is over, or everything has been sent.
static void look_at_the_clock(struct bench_load *load, int64_t now)
{
    const struct bench_phase *phase = load->phase;
    if (load->over)
        return;
    bool timed_out = phase->time_us && now - load->began >= phase->time_us;
    bool complete = phase->limit && load->next == phase->limit && !on_the_way(load);
    load->over = timed_out || complete || now - load->heard_at > SILENCE_US;
    if (load->over) {
        load->result->us = now - load->began;
        load->result->cpu_us = cpu_now() - load->result->cpu_us;
    }
}

static void report(const struct bench_load *load, int64_t now)
{
    uint64_t ms = (uint64_t)(now - load->began) / 1000 + 1;
    progress("%s: %llu answered, %u on their way, %llu each second", load->phase->label,
             (unsigned long long)load->result->answered, on_the_way(load),
             (unsigned long long)(load->result->answered * 1000 / ms));
}

void bench_load_run(struct bench_load *load, const struct bench_phase *phase, struct bench_result *result)
{
    begin(load, phase, result);
    int64_t reported = load->began;
    while (!load->over || on_the_way(load)) {
        int64_t now = clock_steady();
        bool heard = drain(load, now);
        if (heard || !on_the_way(load))
            load->heard_at = now;
        look_at_the_clock(load, now);
        if (now - load->heard_at > SILENCE_US)
            break;
        send_parked(load, now);
        if ((!send_all(load, now) && !heard) || ticks(load))
            wait_for_news(load, now);
        if (now - reported > WAIT_US) {
            report(load, now);
            reported = now;
        }
    }
    result->unanswered = on_the_way(load);
    if (result->answered > tally_total(&result->statuses))
        tally_add(&result->statuses, BYTES("ok"), result->answered - tally_total(&result->statuses));
    progress_done();
}
