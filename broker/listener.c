// SPDX-License-Identifier: Apache-2.0
#include "broker/listener.h"

#include "codec/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

enum {
    BACKLOG = 1024, // connections not accepted yet: after a restart all clients come at once
    HANDSHAKE_MS = 10000,
    KEEPALIVE_IDLE_S = 60, // a machine that vanished is noticed in 60 + 3 · 10 s
    KEEPALIVE_INTERVAL_S = 10,
    KEEPALIVE_COUNT = 3,
};

void listener_set(void *socket, int option, int value)
{
    CHECK(zmq_setsockopt(socket, option, &value, sizeof value) == 0, "option %d: %s", option,
          zmq_strerror(zmq_errno()));
}

void *listener_new(void *context, int type, int64_t frame_size_max)
{
    void *socket = zmq_socket(context, type);
    CHECK(socket, "%s", zmq_strerror(zmq_errno()));
    CHECK(zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_size_max, sizeof frame_size_max) == 0, "%s",
          zmq_strerror(zmq_errno()));
    listener_set(socket, ZMQ_BACKLOG, BACKLOG);
    listener_set(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS);
    listener_set(socket, ZMQ_TCP_KEEPALIVE, 1);
    listener_set(socket, ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_IDLE_S);
    listener_set(socket, ZMQ_TCP_KEEPALIVE_INTVL, KEEPALIVE_INTERVAL_S);
    listener_set(socket, ZMQ_TCP_KEEPALIVE_CNT, KEEPALIVE_COUNT);
    return socket;
}

// The file of an ipc endpoint, into `address`; false: the endpoint has none.
static bool file_of(const char *endpoint, struct sockaddr_un *address)
{
    static const char scheme[] = "ipc://";
    size_t prefix = sizeof scheme - 1, size = strlen(endpoint);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strncmp(endpoint, scheme, prefix) != 0 || size <= prefix || size - prefix >= sizeof address->sun_path)
        return false;
    memcpy(address->sun_path, endpoint + prefix, size - prefix);
    return true;
}

// A datagram's socket makes no connection: it is told that whoever listens is of another type.
static bool nobody_has(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool nobody = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
                  (errno == ECONNREFUSED || errno == ENOENT);
    if (fd >= 0)
        close(fd);
    return nobody;
}

bool listener_gone(const char *endpoint)
{
    struct sockaddr_un address;
    return file_of(endpoint, &address) && nobody_has(&address);
}

// libzmq removes whatever has an ipc endpoint's name before it binds: only what a node that ended has left may go.
static int in_the_way(const char *endpoint)
{
    struct sockaddr_un address;
    struct stat file;
    if (!file_of(endpoint, &address) || lstat(address.sun_path, &file) != 0)
        return 0;
    if (!S_ISSOCK(file.st_mode))
        return EEXIST;
    return nobody_has(&address) ? 0 : EADDRINUSE;
}

static enum fault bind_failed(const char *endpoint, int error, struct fault_text *text)
{
    snprintf(text->line, sizeof text->line, "%s: %s", endpoint, zmq_strerror(error));
    if (error == EADDRINUSE)
        return FAULT_LOCKED;
    return error == ENOMEM || error == EMFILE || error == ENFILE ? FAULT_IO : FAULT_USAGE;
}

enum fault listener_bind(void *socket, const char *endpoint, char bound[ENDPOINT_SIZE_MAX], struct fault_text *text)
{
    size_t size = ENDPOINT_SIZE_MAX;
    int error = in_the_way(endpoint);
    if (error)
        return bind_failed(endpoint, error, text);
    if (zmq_bind(socket, endpoint) != 0 || zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &size) != 0)
        return bind_failed(endpoint, zmq_errno(), text);
    return FAULT_NONE;
}

void listener_forget(const char *bound)
{
    struct sockaddr_un address;
    if (file_of(bound, &address))
        unlink(address.sun_path);
}
