// SPDX-License-Identifier: Apache-2.0
// Lines of a file or pipe, one after the other, in a buffer that grows to the longest line only. Never waits unless
// asked to, so that a slow pipe does not keep its reader from other work. Owned by one thread.
// Bounds: a line is at most NDJSON_LINE_MAX bytes; no legal request is longer as JSON.
#pragma once

#include "codec/bytes.h"

enum { NDJSON_LINE_MAX = 4 * 1024 * 1024 };

struct ndjson {
    int fd;
    bool ended;
    uint8_t *at;
    size_t begin, end, capacity; // what is read and not handed out is at[begin … end)
    size_t searched;             // of it, where no line end is
    uint64_t line;               // number of the line handed out last, from 1
};

enum ndjson_next {
    NDJSON_LINE,
    NDJSON_NOTHING_YET,
    NDJSON_END,
    NDJSON_TOO_LONG, // and nothing after it is read
    NDJSON_FAULT,    // errno says why
};

// "-": standard input. false: errno says why.
bool ndjson_open(struct ndjson *ndjson, const char *path);
void ndjson_close(struct ndjson *ndjson);
// The next line that is not blank, without its end; borrowed until the next call.
enum ndjson_next ndjson_next(struct ndjson *ndjson, struct bytes *line);
// Until there may be more to read, or timeout_ms is over.
void ndjson_wait(const struct ndjson *ndjson, int timeout_ms);
