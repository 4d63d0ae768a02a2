// SPDX-License-Identifier: Apache-2.0
#include "cli/send.h"

#include "cli/cli.h"
#include "cli/output.h"

#include <errno.h>

enum {
    RESEND_US = 1000000, // doubles with each copy, RESEND_DOUBLINGS times
    RESEND_DOUBLINGS = 3,
    FULL_RETRY_US = 20000,
    RETRY_AFTER_MS = 100, // of a busy that does not say
    RETRY_AFTER_MS_MAX = 60000,
    IDLE_US = 100000,
    PIPE_US = 5000, // how often a slow pipe is looked at while answers are awaited
    LINES_AT_ONCE = 1024,
    REPLIES_AT_ONCE = 4096,
    REPLIES_BUFFER = 256 * 1024,
};

// ---- opening and closing

int send_open(struct send *send, const struct send_options *options)
{
    *send = (struct send){.options = *options, .began = clock_steady()};
    if (!ndjson_open(&send->input, options->path))
        return fail_with(EXIT_USAGE, "send", "cannot read %s: %s", options->path, strerror(errno));
    arena_init(&send->arena);
    buffer_init(&send->text);
    flight_init(&send->flight, options->window + 1); // one may be held
    if (options->replies && !(send->replies = fopen(options->replies, "we")))
        return fail_with(EXIT_USAGE, "send", "cannot write %s: %s", options->replies, strerror(errno));
    if (send->replies)
        setvbuf(send->replies, NULL, _IOFBF, REPLIES_BUFFER);
    if (!send_link_open(&send->link, options->endpoint, clock_steady()))
        return usage_error("send", "'%s' is not an endpoint such as " ENDPOINT_DEFAULT, options->endpoint);
    return EXIT_OK;
}

void send_close(struct send *send)
{
    send_link_close(&send->link);
    if (send->replies)
        fclose(send->replies);
    flight_deinit(&send->flight);
    buffer_deinit(&send->text);
    arena_deinit(&send->arena);
    ndjson_close(&send->input);
}

// ---- sending

static int64_t patience_of(const struct flight_request *request)
{
    uint32_t doublings = request->sent_count > RESEND_DOUBLINGS ? RESEND_DOUBLINGS : request->sent_count - 1;
    return ((int64_t)RESEND_US << doublings) + request->wait_ms * 1000;
}

static void scan_by(struct send *send, int64_t at)
{
    if (at < send->scan_at)
        send->scan_at = at;
}

// Also while the node is away: then it goes out when the node is back.
static void transmit(struct send *send, struct flight_request *request, int64_t now)
{
    if (send->link.away) {
        request->next_at = now + RESEND_US;
    } else if (souk_client_send_request(send->link.client, request->encoded.at, request->encoded.size, NULL)) {
        send->copies += request->sent_at != 0;
        request->sent_at = now;
        request->sent_count++;
        request->next_at = now + patience_of(request);
    } else {
        request->next_at = now + FULL_RETRY_US;
    }
    scan_by(send, request->next_at);
}

static void bundle_begin(struct send *send)
{
    send->bundled = 0;
    if (send->options.bundle > 1)
        souk_client_bundle_begin(send->link.client);
}

static void bundle_end(struct send *send)
{
    if (send->options.bundle > 1)
        souk_client_bundle_end(send->link.client);
}

static void bundle_count(struct send *send)
{
    if (++send->bundled < send->options.bundle)
        return;
    bundle_end(send);
    bundle_begin(send);
}

static void transmit_all(struct send *send, int64_t now)
{
    bundle_begin(send);
    for (uint32_t i = 0; i < send->flight.count; i++) {
        flight_at(&send->flight, i)->sent_count = 0;
        transmit(send, flight_at(&send->flight, i), now);
        bundle_count(send);
    }
    bundle_end(send);
}

static void give_up(struct send *send, const struct flight_request *first)
{
    send->code = fail_with(EXIT_NO_ANSWER, "send",
                           "gave up: %u commands are without an answer, one of them for %lld s: id %.*s, line %llu",
                           send->flight.count, (long long)(send->options.timeout_us / 1000000), BYTES_FORMAT(first->id),
                           (unsigned long long)first->line);
    send->input_ended = true;
}

// Sends again what is due. false: gave up.
static bool scan(struct send *send, int64_t now)
{
    int64_t timeout_us = send->options.timeout_us;
    if (now < send->scan_at)
        return true;
    send->scan_at = INT64_MAX;
    for (uint32_t i = 0; i < send->flight.count; i++) {
        struct flight_request *request = flight_at(&send->flight, i);
        if (timeout_us && now - request->first_at >= timeout_us) {
            give_up(send, request);
            return false;
        }
        if (request->next_at <= now)
            transmit(send, request, now);
        scan_by(send, request->next_at);
        if (timeout_us)
            scan_by(send, request->first_at + timeout_us);
    }
    return true;
}

// ---- reading lines

static void bad_line(struct send *send, const char *why)
{
    // A line is one line: only its column is of interest.
    const char *head = "line 1, ";
    if (strncmp(why, head, strlen(head)) == 0)
        why += strlen(head);
    send->code = fail_with(EXIT_USAGE, "send", "%s, line %llu: %s; nothing after it is sent", send->options.path,
                           (unsigned long long)send->input.line, why);
    send->input_ended = true;
}

// The next good line, in a request that is not in flight yet; NULL: none now.
static struct flight_request *read_line(struct send *send)
{
    struct bytes line;
    struct send_line read;
    const char *why;
    struct flight_request *request = NULL;
    switch (ndjson_next(&send->input, &line)) {
    case NDJSON_LINE:
        request = flight_take(&send->flight);
        if (!send_line_read(line, bytes_text(send->options.prefix), &send->arena, &request->encoded, &read, &why)) {
            bad_line(send, why);
            request = NULL;
        }
        break;
    case NDJSON_NOTHING_YET:
        break;
    case NDJSON_END:
        send->input_ended = true;
        break;
    case NDJSON_TOO_LONG:
        bad_line(send, "it is longer than 4 MiB");
        break;
    case NDJSON_FAULT:
        send->code = fail_with(EXIT_FAULT, "send", "%s: %s", send->options.path, strerror(errno));
        send->input_ended = true;
        break;
    }
    if (request) {
        request->id = read.request.id;
        request->key = read.request.key;
        request->wait_ms = read.wait_ms;
        request->line = send->input.line;
    }
    arena_reset(&send->arena);
    return request;
}

static int64_t due_at(const struct send *send, uint64_t line)
{
    return send->options.rate ? send->began + (int64_t)(line * 1000000 / (uint64_t)send->options.rate) : 0;
}

// One line on its way. false: there is none now, or it must wait.
static bool send_next(struct send *send, int64_t now)
{
    if (due_at(send, send->lines) > now)
        return false;
    struct flight_request *request = send->held ? send->held : read_line(send);
    send->held = request;
    if (!request || flight_find(&send->flight, request->id))
        return false;
    send->held = NULL;
    request->first_at = now;
    request->due_at = send->options.rate ? due_at(send, send->lines) : now;
    send->lines++;
    flight_add(&send->flight, request);
    transmit(send, request, now);
    if (send->options.timeout_us)
        scan_by(send, request->first_at + send->options.timeout_us);
    return true;
}

static bool may_send(const struct send *send)
{
    return (!send->input_ended || send->held) && send->flight.count < send->options.window &&
           send->flight.size < FLIGHT_SIZE_MAX;
}

// false: there is nothing more to send just now.
static bool fill(struct send *send, int64_t now)
{
    uint32_t taken = 0;
    // A full bundle is worth waiting for as long as answers come.
    if (send->options.window - send->flight.count < send->options.bundle && send->flight.count)
        return false;
    bundle_begin(send);
    while (taken < LINES_AT_ONCE && may_send(send) && send_next(send, now)) {
        bundle_count(send);
        taken++;
    }
    bundle_end(send);
    return taken == LINES_AT_ONCE;
}

// ---- replies

static void take_answer(struct send *send, struct flight_request *request, const struct souk_reply *reply, int64_t now)
{
    tally_add(&send->answered, bytes_text(reply->status), 1);
    histogram_add(&send->latency, now - request->due_at);
    if (send->replies) {
        buffer_clear(&send->text);
        output_reply(&send->text, reply->id, request->key, reply->status, bytes_of(reply->body, reply->body_size));
        if (!output_write(send->replies, &send->text) && send->code != EXIT_FAULT) {
            send->code = fail_with(EXIT_FAULT, "send", "%s: %s", send->options.replies, strerror(errno));
            send->input_ended = true;
            send->held = NULL;
        }
    }
    flight_remove(&send->flight, request);
}

static bool is_for_later(const char *status)
{
    return strcmp(status, "busy") == 0 || strcmp(status, "storage_full") == 0 || strcmp(status, "clock") == 0;
}

static void take_reply(struct send *send, const struct souk_reply *reply, int64_t now)
{
    struct flight_request *request = flight_find(&send->flight, bytes_text(reply->id));
    bool again = send_link_hear(&send->link, reply, now);
    if (request && is_for_later(reply->status)) {
        int64_t ms = body_number(bytes_of(reply->body, reply->body_size), "retry_after_ms", RETRY_AFTER_MS);
        ms = ms < 1 ? 1 : ms > RETRY_AFTER_MS_MAX ? RETRY_AFTER_MS_MAX : ms;
        request->sent_count = 0;
        request->next_at = now + ms * 1000;
        scan_by(send, request->next_at);
    } else if (request) {
        take_answer(send, request, reply, now);
    }
    if (again)
        transmit_all(send, now);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// How long there is nothing to do but to wait for replies.
static int64_t idle_us(const struct send *send, int64_t now)
{
    int64_t until = earlier(now + IDLE_US, send->scan_at);
    if (may_send(send) && !send->held)
        until = earlier(until, due_at(send, send->lines) > now ? due_at(send, send->lines) : now + PIPE_US);
    return until > now ? until - now : 0;
}

static void drain(struct send *send, int64_t idle)
{
    struct souk_reply reply;
    int timeout_ms = (int)((idle + 999) / 1000);
    for (uint32_t i = 0; i < REPLIES_AT_ONCE && souk_client_receive(send->link.client, timeout_ms, &reply); i++) {
        take_reply(send, &reply, clock_steady());
        timeout_ms = 0;
    }
}

// ---- the loop

static void report(struct send *send, int64_t now)
{
    if (now - send->flushed < IDLE_US)
        return;
    send->flushed = now;
    if (send->replies)
        fflush(send->replies);
    int64_t ms = (now - send->began) / 1000 + 1;
    uint64_t answered = send->latency.count;
    progress("%llu answered, %u on their way, %llu each second%s", (unsigned long long)answered, send->flight.count,
             (unsigned long long)(answered * 1000 / (uint64_t)ms), send->link.away ? "; the node is away" : "");
}

// Sends what can be sent. How long to wait for replies then.
static int64_t step(struct send *send, int64_t now)
{
    if (fill(send, now))
        return 0;
    if (send->flight.count) {
        send_link_watch(&send->link, now);
    } else if (send->input_ended) {
        return 0;
    } else if (due_at(send, send->lines) <= now) {
        ndjson_wait(&send->input, IDLE_US / 1000);
        return 0;
    }
    return idle_us(send, now);
}

void send_run(struct send *send)
{
    send->began = clock_steady();
    send->scan_at = INT64_MAX;
    do {
        drain(send, step(send, clock_steady()));
        if (!scan(send, clock_steady()))
            break;
        report(send, clock_steady());
    } while (send->flight.count || send->held || !send->input_ended);
    send->ended = clock_steady();
    progress_done();
    if (send->replies && fflush(send->replies) != 0 && send->code != EXIT_FAULT)
        send->code = fail_with(EXIT_FAULT, "send", "%s: %s", send->options.replies, strerror(errno));
}
