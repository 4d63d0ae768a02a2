// SPDX-License-Identifier: Apache-2.0
// One line {"id","type","key","body","meta"?} of `souk send` as an encoded request. Any thread.
#pragma once

#include "codec/envelope.h"

enum { SEND_LINE_MAX = FRAME_SIZE_MAX - 8 }; // a bundle of one still fits a frame

struct send_line {
    struct request request;        // fields of `encoded`
    const struct message_def *def; // never NULL
    int64_t wait_ms;               // how long the node may take to answer on purpose (order.place); 0 for all others
};

// Encodes into `encoded`, which is cleared. With a prefix (may be empty) the id, the key and what the body names are
// renamed (rename.h), and meta.retry_until is left out: it was the original's.
// false: `why` is a sentence in the arena. Bodies are not judged: the node does that.
bool send_line_read(struct bytes line, struct bytes prefix, struct arena *arena, struct buffer *encoded,
                    struct send_line *out, const char **why);
// A body's field of this name as a number; otherwise `missing`.
int64_t body_number(struct bytes body, const char *name, int64_t missing);
// How long the node may take to answer this on purpose.
int64_t body_wait_ms(const struct message_def *def, struct bytes body);
