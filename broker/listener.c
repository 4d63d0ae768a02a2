// SPDX-License-Identifier: Apache-2.0
#include "broker/listener.h"

#include "codec/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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

// libzmq removes an ipc file before it binds, so a second node would silently take the first one's place.
static bool somebody_listens(const char *endpoint)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static const char scheme[] = "ipc://";
    size_t prefix = sizeof scheme - 1, size = strlen(endpoint);
    if (strncmp(endpoint, scheme, prefix) != 0 || size <= prefix || size - prefix >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, endpoint + prefix, size - prefix);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool answered = fd >= 0 && (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN);
    if (fd >= 0)
        close(fd);
    return answered;
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
    if (somebody_listens(endpoint))
        return bind_failed(endpoint, EADDRINUSE, text);
    if (zmq_bind(socket, endpoint) != 0 || zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, bound, &size) != 0)
        return bind_failed(endpoint, zmq_errno(), text);
    return FAULT_NONE;
}
