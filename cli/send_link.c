// SPDX-License-Identifier: Apache-2.0
#include "cli/send_link.h"

#include "cli/send_line.h"

#include <string.h>

enum { PROBE_EVERY_US = 2000000, PATIENCE_US = 1000000, PATIENCE_US_MAX = 4000000 };

static void probe(struct send_link *link, int64_t now)
{
    souk_request_id(link->probe);
    link->probe_at = now;
    souk_client_send(link->client, link->probe, "souk.status", "send", NULL, 0, 0, NULL);
}

bool send_link_open(struct send_link *link, const char *endpoint, int64_t now)
{
    *link =
        (struct send_link){.client = souk_client_open(endpoint), .patience = PATIENCE_US, .epoch = -1, .away = true};
    if (!link->client)
        return false;
    probe(link, now);
    return true;
}

void send_link_close(struct send_link *link)
{
    souk_client_close(&link->client);
}

bool send_link_hear(struct send_link *link, const struct souk_reply *reply, int64_t now)
{
    bool again = link->away;
    link->heard_at = now;
    link->patience = PATIENCE_US;
    link->away = false;
    if (!link->probe[0] || strcmp(reply->id, link->probe) != 0)
        return again;
    link->probe[0] = 0;
    int64_t epoch = body_number(bytes_of(reply->body, reply->body_size), "epoch", link->epoch);
    again |= link->epoch >= 0 && epoch != link->epoch;
    link->epoch = epoch;
    return again;
}

void send_link_watch(struct send_link *link, int64_t now)
{
    bool unanswered = link->probe[0] && link->heard_at < link->probe_at;
    if (unanswered && now - link->probe_at > link->patience) {
        souk_client_reconnect(link->client);
        link->reconnects++;
        link->away = true;
        link->patience = link->patience * 2 < PATIENCE_US_MAX ? link->patience * 2 : PATIENCE_US_MAX;
        probe(link, now);
    } else if (!unanswered && now - link->probe_at > PROBE_EVERY_US) {
        probe(link, now);
    }
}
