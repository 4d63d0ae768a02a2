// SPDX-License-Identifier: Apache-2.0
// What a log and its replay say, as text: requests, bodies, records, effects, whole rows. JSON for machines; for people
// the same, cut short. One thread.
#pragma once

#include "actors/kinds/effects.h"
#include "store/log.h"

enum { SHORT_BODY_MAX = 160 };

// What a kind's records of that place look like.
const struct shape *record_shape(enum kind_id kind, enum place place);
// "client", "runtime", "order/o-17"
void describe_sender(const struct log_message *message, struct buffer *out);
// A msgpack value as JSON; what is none as its size.
void describe_body(struct bytes body, struct buffer *out);
// The same, at most SHORT_BODY_MAX bytes and then "…".
void describe_body_short(struct bytes body, struct buffer *out);
// A record of a kind, as an object of its named fields.
void describe_record(enum kind_id kind, enum place place, struct bytes value, struct arena *arena, struct buffer *out);
// {"put":"head","record":{…}}, {"send":"inventory.commit","key":"84077","body":{…}} …
void describe_effect(enum kind_id kind, const struct effect *effect, struct arena *arena, struct buffer *out);

// Which of a row's messages to show.
struct row_filter {
    struct bytes key; // empty: all
};
// Does anything of the row pass? Epoch rows pass if there is no key.
bool row_passes(const struct log_row *row, const struct row_filter *filter);
// One line of JSON.
void describe_row_json(struct actor_id actor, const struct log_row *row, const struct row_filter *filter,
                       struct buffer *out);
// A head line, and one for each message and event.
void describe_row(struct actor_id actor, const struct log_row *row, const struct row_filter *filter,
                  struct buffer *out);
