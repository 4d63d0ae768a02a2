// SPDX-License-Identifier: Apache-2.0
// Is the node that `souk send` talks to still the one that got the requests? A souk.status now and then tells: no
// answer means that it is away; another epoch in the answer means that it was, even if the socket has found it again
// unseen. Owned by one thread.
//
//   away ──any reply──▶ here          here ──no answer to a probe, and nothing else, for 1 s──▶ away
//        (resend all)    │ ▲
//                        └─┘ another epoch (resend all)
#pragma once

#include "client/souk.h"

struct send_link {
    struct souk_client *client;
    char probe[33];   // id of the one under way; "" none
    int64_t probe_at; // when it was sent; µs of clock_steady, like all here
    int64_t heard_at; // when anything came last
    int64_t patience; // how long to wait for a sign before connecting anew
    int64_t epoch;    // -1: not known yet
    uint32_t reconnects;
    bool away;
};

// false: the endpoint is malformed. Starts away.
bool send_link_open(struct send_link *link, const char *endpoint, int64_t now);
void send_link_close(struct send_link *link);
// Every reply. true: everything must be sent (again).
bool send_link_hear(struct send_link *link, const struct souk_reply *reply, int64_t now);
// Whenever time has passed and something waits for its answer: asks, or connects anew.
void send_link_watch(struct send_link *link, int64_t now);
