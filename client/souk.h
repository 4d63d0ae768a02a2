// SPDX-License-Identifier: Apache-2.0
// The C client: one connection to a souk node. Bodies are msgpack maps in your own buffers; see docs/protocol.md for
// the vocabulary. One thread at a time uses a client. Link with `pkg-config --cflags --libs souk`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct souk_client;

// Never blocks; a node that is not there yet is connected to when it comes. NULL: the endpoint is malformed.
struct souk_client *souk_client_open(const char *endpoint);
// Waits up to 1 s until what the connection has taken is out; what is queued here is lost.
void souk_client_close(struct souk_client **client);

struct souk_reply {
    const char *id;      // the request's; "" if the node could not read it
    const char *status;  // "ok" or a named refusal
    const uint8_t *body; // msgpack map
    size_t body_size;
}; // lives until the next call on this client

// A fresh request id: a UUID of version 7 (RFC 9562, 5.7), as 32 hex digits without dashes. Ids made later sort behind
// earlier ones, by the millisecond, so what one entity stores under them is appended instead of scattered. Keep it over
// retries of the same intended effect.
void souk_request_id(char id[33]);

// Sends without waiting; what the node cannot take yet is queued (up to 4 MiB) and goes out with the next call. No
// body: an empty map. false: refused here (larger than 512 KiB, bad id, key or body) or the queue is full; `why` (may
// be NULL) gets a sentence.
bool souk_client_send(struct souk_client *client, const char *id, const char *type, const char *key, const void *body,
                      size_t body_size, int64_t retry_until_us, const char **why);
// The same for a request that is encoded already: [1, id, type, key, body] or with meta behind it, which is not judged
// here.
bool souk_client_send_request(struct souk_client *client, const void *request, size_t request_size, const char **why);
// Between these two, sends are collected and go out as bundles of at most 1,024.
void souk_client_bundle_begin(struct souk_client *client);
void souk_client_bundle_end(struct souk_client *client);
// The next reply, whichever request it answers; bundles are taken apart. false: none within timeout_ms (< 0: waits for
// ever). Also sends what is still queued here.
bool souk_client_receive(struct souk_client *client, int timeout_ms, struct souk_reply *reply);
// Drops the connection and everything queued on it, and connects anew. Resend under the same ids.
void souk_client_reconnect(struct souk_client *client);

// One command, resent under the same id every second until answered or timeout_ms is over. busy, storage_full and clock are
// resent after retry_after_ms; if that would be too late they are the answer. What souk_client_send would refuse is
// answered here, `invalid` or `too_large`. Replies to other requests that arrive meanwhile are dropped.
// false: no answer: the outcome is unknown.
bool souk_client_call(struct souk_client *client, const char *id, const char *type, const char *key, const void *body,
                      size_t body_size, int timeout_ms, struct souk_reply *reply);

#ifdef __cplusplus
}
#endif
