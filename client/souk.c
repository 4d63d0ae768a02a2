// SPDX-License-Identifier: Apache-2.0
// One DEALER to a node. All clients of a process share one zmq context, which ends with the last of them.
//
//   C1  what was accepted for sending goes out in order, or the connection is lost and all of it with it
//   C2  a reply that cannot be read is skipped: its request stays unanswered and is sent again
#include "client/souk.h"

#include "client/bundler.h"
#include "codec/check.h"
#include "codec/cursor.h"
#include "codec/envelope.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <zmq.h>

enum {
    QUEUE_FRAMES_MAX = 16384,   // SNDHWM: requests on a connection
    REPLIES_FRAMES_MAX = 65536, // RCVHWM
    LINGER_MS = 1000,
    RECONNECT_MS = 50,
    RECONNECT_MS_MAX = 1000,
    HEARTBEAT_MS = 2000,
    HEARTBEAT_TIMEOUT_MS = 6000, // a node that vanished without a word
    RESEND_MS = 1000,
    RETRY_AFTER_MS = 100, // a busy without retry_after_ms
    BUNDLE_HEAD_SIZE = 5,
    NAME_SIZE_MAX = 64, // request ids, types, statuses
};

struct souk_client {
    char *endpoint;
    void *socket;
    struct bundler bundler;
    bool bundling;
    struct buffer bundle; // requests collected
    uint32_t bundle_count;
    struct buffer request, head;
    zmq_msg_t frame;       // the one that arrived last
    struct cursor replies; // in it
    uint32_t replies_left;
    char id[NAME_SIZE_MAX + 1], status[NAME_SIZE_MAX + 1];
};

// ---- the context

static pthread_mutex_t context_lock = PTHREAD_MUTEX_INITIALIZER;
static void *context;
static unsigned context_users;

static void *context_enter(void)
{
    pthread_mutex_lock(&context_lock);
    if (context_users++ == 0)
        context = zmq_ctx_new();
    CHECK(context, "%s", zmq_strerror(zmq_errno()));
    pthread_mutex_unlock(&context_lock);
    return context;
}

static void context_leave(void)
{
    pthread_mutex_lock(&context_lock);
    if (--context_users == 0) {
        while (zmq_ctx_term(context) != 0 && zmq_errno() == EINTR)
            ;
        context = NULL;
    }
    pthread_mutex_unlock(&context_lock);
}

// ---- the connection

static bool set(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool connect_to(struct souk_client *client)
{
    void *socket = zmq_socket(context, ZMQ_DEALER);
    if (!socket)
        return false;
    client->socket = socket;
    bundler_begin(&client->bundler, socket);
    return set(socket, ZMQ_LINGER, LINGER_MS) && set(socket, ZMQ_SNDHWM, QUEUE_FRAMES_MAX) &&
           set(socket, ZMQ_RCVHWM, REPLIES_FRAMES_MAX) && set(socket, ZMQ_IMMEDIATE, 1) &&
           set(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS) && set(socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MS_MAX) &&
           set(socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS) && set(socket, ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS) &&
           zmq_connect(socket, client->endpoint) == 0;
}

struct souk_client *souk_client_open(const char *endpoint)
{
    struct souk_client *client = calloc(1, sizeof *client);
    CHECK(client, "out of memory");
    client->endpoint = strdup(endpoint);
    CHECK(client->endpoint, "out of memory");
    bundler_init(&client->bundler);
    buffer_init(&client->bundle);
    buffer_init(&client->request);
    buffer_init(&client->head);
    zmq_msg_init(&client->frame);
    context_enter();
    if (!connect_to(client))
        souk_client_close(&client);
    return client;
}

void souk_client_close(struct souk_client **client)
{
    struct souk_client *closed = *client;
    *client = NULL;
    if (!closed)
        return;
    if (closed->socket)
        zmq_close(closed->socket);
    context_leave();
    zmq_msg_close(&closed->frame);
    bundler_deinit(&closed->bundler);
    buffer_deinit(&closed->bundle);
    buffer_deinit(&closed->request);
    buffer_deinit(&closed->head);
    free(closed->endpoint);
    free(closed);
}

void souk_client_reconnect(struct souk_client *client)
{
    set(client->socket, ZMQ_LINGER, 0);
    zmq_close(client->socket);
    client->socket = NULL;
    client->replies_left = 0;
    client->bundle_count = 0;
    buffer_clear(&client->bundle);
    bool connected = connect_to(client);
    CHECK(connected, "%s: %s", client->endpoint, zmq_strerror(zmq_errno())); // it worked before
}

void souk_request_id(char id[33])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t uuid[16];
    struct timespec now;
    while (getrandom(uuid, sizeof uuid, 0) != (ssize_t)sizeof uuid)
        ;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    for (int i = 0; i < 6; i++)
        uuid[i] = (uint8_t)(ms >> (40 - 8 * i));
    uuid[6] = (uint8_t)(0x70 | (uuid[6] & 0x0f)); // version
    uuid[8] = (uint8_t)(0x80 | (uuid[8] & 0x3f)); // variant
    for (size_t i = 0; i < sizeof uuid; i++) {
        id[2 * i] = digits[uuid[i] >> 4];
        id[2 * i + 1] = digits[uuid[i] & 15];
    }
    id[32] = 0;
}

// ---- requests

static bool body_valid(struct bytes body)
{
    struct cursor cursor = cursor_over(body);
    return cursor_peek(&cursor) == CURSOR_MAP && cursor_skip(&cursor, NULL) && cursor_left(&cursor) == 0;
}

// What a node would refuse anyway: `refusal` says so. Else client->request holds the request.
static bool write_request(struct souk_client *client, const char *id, const char *type, const char *key,
                          struct bytes body, int64_t retry_until_us, struct envelope_refusal *refusal)
{
    static const uint8_t empty_map = 0x80;
    if (!body.size)
        body = bytes_of(&empty_map, 1);
    *refusal = (struct envelope_refusal){STATUS_invalid};
    if (!id || !key_valid(bytes_text(id), REQUEST_ID_SIZE_MAX))
        refusal->field = "request_id", refusal->message = "a request id is 1 to 64 bytes without control characters";
    else if (!type || !key_valid(bytes_text(type), NAME_SIZE_MAX))
        refusal->field = "type", refusal->message = "a type is KIND.VERB";
    else if (!key || !key_valid(bytes_text(key), KEY_SIZE_MAX))
        refusal->field = "key", refusal->message = "a key is 1 to 128 bytes of UTF-8 without control characters";
    else if (!body_valid(body))
        refusal->field = "body", refusal->message = "a body is one msgpack map";
    if (refusal->field)
        return false;
    buffer_clear(&client->request);
    request_write(&client->request, bytes_text(id), type, bytes_text(key), body, retry_until_us);
    if (client->request.size <= FRAME_SIZE_MAX - BUNDLE_HEAD_SIZE)
        return true;
    *refusal = (struct envelope_refusal){STATUS_too_large, .message = "a request is at most 512 KiB large"};
    return false;
}

static void send_bundle(struct souk_client *client)
{
    if (!client->bundle_count)
        return;
    buffer_clear(&client->head);
    bundle_head_write(&client->head, client->bundle_count);
    bundler_put(&client->bundler, buffer_bytes(&client->head), buffer_bytes(&client->bundle));
    client->bundle_count = 0;
    buffer_clear(&client->bundle);
}

static void collect(struct souk_client *client, struct bytes request)
{
    if (client->bundle_count == BUNDLE_MAX || BUNDLE_HEAD_SIZE + client->bundle.size + request.size > FRAME_SIZE_MAX)
        send_bundle(client);
    buffer_append(&client->bundle, request.at, request.size);
    client->bundle_count++;
}

// NULL: taken; else why not.
static const char *take(struct souk_client *client, struct bytes request)
{
    if (bundler_is_full(&client->bundler) && !bundler_flush(&client->bundler))
        return "the queue is full: the node is not there or reads slowly";
    if (client->bundling)
        collect(client, request);
    else
        bundler_put(&client->bundler, request, bytes_of(NULL, 0));
    return NULL;
}

bool souk_client_send(struct souk_client *client, const char *id, const char *type, const char *key, const void *body,
                      size_t body_size, int64_t retry_until_us, const char **why)
{
    struct envelope_refusal refusal;
    const char *reason;
    if (write_request(client, id, type, key, bytes_of(body, body_size), retry_until_us, &refusal))
        reason = take(client, buffer_bytes(&client->request));
    else
        reason = refusal.message;
    if (reason && why)
        *why = reason;
    return !reason;
}

bool souk_client_send_request(struct souk_client *client, const void *request, size_t request_size, const char **why)
{
    const char *reason = request_size <= FRAME_SIZE_MAX - BUNDLE_HEAD_SIZE
                             ? take(client, bytes_of(request, request_size))
                             : "a request is at most 512 KiB large";
    if (reason && why)
        *why = reason;
    return !reason;
}

void souk_client_bundle_begin(struct souk_client *client)
{
    client->bundling = true;
}

void souk_client_bundle_end(struct souk_client *client)
{
    send_bundle(client);
    client->bundling = false;
}

// ---- replies

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// The frame that has just arrived: one reply, or a bundle of them.
static void enter_frame(struct souk_client *client)
{
    struct cursor cursor = cursor_over(bytes_of(zmq_msg_data(&client->frame), zmq_msg_size(&client->frame)));
    struct cursor walk = cursor;
    uint32_t elements, count;
    int64_t version;
    bool bundled = cursor_array(&walk, &elements) && elements == 2 && cursor_int(&walk, &version) && version == 2 &&
                   cursor_array(&walk, &count);
    client->replies = bundled ? walk : cursor;
    client->replies_left = bundled ? count : 1;
}

static bool copy_name(char name[NAME_SIZE_MAX + 1], struct bytes bytes)
{
    if (bytes.size > NAME_SIZE_MAX)
        return false;
    memcpy(name, bytes.at, bytes.size);
    name[bytes.size] = 0;
    return true;
}

static bool next_reply(struct souk_client *client, struct souk_reply *reply)
{
    struct reply read;
    while (client->replies_left) {
        client->replies_left--;
        if (!reply_read(&client->replies, &read)) {
            client->replies_left = 0;
        } else if (copy_name(client->id, read.id) && copy_name(client->status, read.status)) {
            *reply = (struct souk_reply){client->id, client->status, read.body.at, read.body.size};
            return true;
        }
    }
    return false;
}

// deadline_ms < 0: waits for ever.
static bool next_frame(struct souk_client *client, int64_t deadline_ms)
{
    for (;;) {
        bool flushed = bundler_flush(&client->bundler);
        if (zmq_msg_recv(&client->frame, client->socket, ZMQ_DONTWAIT) >= 0) {
            enter_frame(client);
            return true;
        }
        int64_t left_ms = deadline_ms < 0 ? -1 : deadline_ms - now_ms();
        if (deadline_ms >= 0 && left_ms <= 0)
            return false;
        zmq_pollitem_t item = {client->socket, 0, ZMQ_POLLIN, 0};
        if (!flushed)
            item.events |= ZMQ_POLLOUT;
        zmq_poll(&item, 1, left_ms);
    }
}

static bool receive_until(struct souk_client *client, int64_t deadline_ms, struct souk_reply *reply)
{
    while (!next_reply(client, reply)) {
        if (!next_frame(client, deadline_ms))
            return false;
    }
    return true;
}

bool souk_client_receive(struct souk_client *client, int timeout_ms, struct souk_reply *reply)
{
    return receive_until(client, timeout_ms < 0 ? -1 : now_ms() + timeout_ms, reply);
}

// ---- one command until its answer

// How long to wait before sending again; -1: this reply is an answer.
static int64_t retry_after_ms(const struct souk_reply *reply)
{
    struct cursor cursor = cursor_over(bytes_of(reply->body, reply->body_size));
    struct bytes name;
    uint32_t count;
    int64_t value;
    if (strcmp(reply->status, "busy") != 0 && strcmp(reply->status, "storage_full") != 0 &&
        strcmp(reply->status, "clock") != 0)
        return -1;
    if (!cursor_map(&cursor, &count))
        return RETRY_AFTER_MS;
    for (; count && cursor_str(&cursor, &name); count--) {
        if (bytes_equal(name, BYTES("retry_after_ms")) && cursor_int(&cursor, &value))
            return value > 0 ? value : 1;
        if (!cursor_skip(&cursor, NULL))
            break;
    }
    return RETRY_AFTER_MS;
}

// Refused without asking the node: nothing was done, which is an answer.
static bool answer_here(struct souk_client *client, const char *id, const struct envelope_refusal *refusal,
                        struct souk_reply *reply)
{
    if (!id || !copy_name(client->id, bytes_text(id)))
        client->id[0] = 0;
    copy_name(client->status, bytes_text(status_name(refusal->status)));
    buffer_clear(&client->request);
    refusal_body_write(&client->request, refusal->field, refusal->message);
    *reply = (struct souk_reply){client->id, client->status, client->request.at, client->request.size};
    return true;
}

bool souk_client_call(struct souk_client *client, const char *id, const char *type, const char *key, const void *body,
                      size_t body_size, int timeout_ms, struct souk_reply *reply)
{
    struct envelope_refusal refusal;
    if (!write_request(client, id, type, key, bytes_of(body, body_size), 0, &refusal))
        return answer_here(client, id, &refusal, reply);
    int64_t now = now_ms(), deadline = now + timeout_ms, send_at = now;
    int64_t unanswered = 0; // copies of the request
    for (;;) {
        if (now >= send_at) {
            // What is still kept here will go out by itself.
            if (bundler_flush(&client->bundler)) {
                bundler_put(&client->bundler, buffer_bytes(&client->request), bytes_of(NULL, 0));
                unanswered++;
            }
            send_at = now + RESEND_MS;
        }
        bool received = receive_until(client, send_at < deadline ? send_at : deadline, reply);
        now = now_ms();
        if (received && strcmp(reply->id, id) == 0) {
            int64_t wait_ms = retry_after_ms(reply);
            unanswered--;
            // The last word is `busy` only if no other copy is under way.
            if (wait_ms < 0 || (now + wait_ms >= deadline && unanswered <= 0))
                return true;
            send_at = now + wait_ms;
        }
        if (now >= deadline)
            return false;
    }
}
