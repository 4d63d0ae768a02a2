// SPDX-License-Identifier: Apache-2.0
#include "cli/ndjson.h"

#include "codec/check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_SIZE = 64 * 1024 };

bool ndjson_open(struct ndjson *ndjson, const char *path)
{
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    *ndjson = (struct ndjson){.fd = fd};
    return fd >= 0;
}

void ndjson_close(struct ndjson *ndjson)
{
    if (ndjson->fd > STDERR_FILENO)
        close(ndjson->fd);
    free(ndjson->at);
    *ndjson = (struct ndjson){.fd = -1, .ended = true};
}

void ndjson_wait(const struct ndjson *ndjson, int timeout_ms)
{
    struct pollfd item = {.fd = ndjson->fd, .events = POLLIN};
    poll(&item, 1, timeout_ms);
}

static bool is_blank(struct bytes line)
{
    for (size_t i = 0; i < line.size; i++) {
        if (line.at[i] != ' ' && line.at[i] != '\t' && line.at[i] != '\r')
            return false;
    }
    return true;
}

// A line that is in the buffer; at the end of input the rest is one, too.
static bool take_line(struct ndjson *ndjson, struct bytes *line)
{
    size_t left = ndjson->end - ndjson->begin;
    if (!left)
        return false;
    const uint8_t *begin = ndjson->at + ndjson->begin;
    const uint8_t *end =
        left > ndjson->searched ? memchr(begin + ndjson->searched, '\n', left - ndjson->searched) : NULL;
    ndjson->searched = left;
    if (!end && !ndjson->ended)
        return false;
    *line = bytes_of(begin, end ? (size_t)(end - begin) : left);
    ndjson->begin += line->size + (end != NULL);
    ndjson->searched = 0;
    ndjson->line++;
    return true;
}

// Room for READ_SIZE more behind the end.
static void make_room(struct ndjson *ndjson)
{
    if (ndjson->begin) {
        memmove(ndjson->at, ndjson->at + ndjson->begin, ndjson->end - ndjson->begin);
        ndjson->end -= ndjson->begin;
        ndjson->begin = 0;
    }
    if (ndjson->capacity - ndjson->end >= READ_SIZE)
        return;
    ndjson->capacity = ndjson->capacity ? ndjson->capacity * 2 : 2 * READ_SIZE;
    ndjson->at = realloc(ndjson->at, ndjson->capacity);
    CHECK(ndjson->at, "out of memory: %zu bytes", ndjson->capacity);
}

static enum ndjson_next read_more(struct ndjson *ndjson)
{
    struct pollfd item = {.fd = ndjson->fd, .events = POLLIN};
    if (poll(&item, 1, 0) == 0)
        return NDJSON_NOTHING_YET;
    make_room(ndjson);
    ssize_t size = read(ndjson->fd, ndjson->at + ndjson->end, ndjson->capacity - ndjson->end);
    if (size < 0)
        return errno == EINTR || errno == EAGAIN ? NDJSON_NOTHING_YET : NDJSON_FAULT;
    ndjson->end += (size_t)size;
    ndjson->ended = size == 0;
    return NDJSON_LINE;
}

enum ndjson_next ndjson_next(struct ndjson *ndjson, struct bytes *line)
{
    for (;;) {
        while (take_line(ndjson, line)) {
            if (line->size > NDJSON_LINE_MAX)
                return NDJSON_TOO_LONG;
            if (!is_blank(*line))
                return NDJSON_LINE;
        }
        if (ndjson->end - ndjson->begin > NDJSON_LINE_MAX) {
            ndjson->line++;
            return NDJSON_TOO_LONG;
        }
        if (ndjson->ended)
            return NDJSON_END;
        enum ndjson_next got = read_more(ndjson);
        if (got != NDJSON_LINE)
            return got;
    }
}
