// SPDX-License-Identifier: Apache-2.0
// Compiled without ThreadSanitizer, so that the table of sockets does not order threads by itself.
#include "tests/tsan/handover.h"

#include "codec/check.h"
#include "codec/ids.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <zmq.h>

int __real_zmq_bind(void *socket, const char *endpoint);
int __real_zmq_connect(void *socket, const char *endpoint);
int __real_zmq_close(void *socket);
int __real_zmq_send(void *socket, const void *at, size_t size, int flags);
int __real_zmq_msg_send(zmq_msg_t *message, void *socket, int flags);
int __real_zmq_msg_recv(zmq_msg_t *message, void *socket, int flags);
int __real_zmq_msg_init_data(zmq_msg_t *message, void *data, size_t size, zmq_free_fn *give_back, void *hint);

int __wrap_zmq_bind(void *socket, const char *endpoint);
int __wrap_zmq_connect(void *socket, const char *endpoint);
int __wrap_zmq_close(void *socket);
int __wrap_zmq_send(void *socket, const void *at, size_t size, int flags);
int __wrap_zmq_msg_send(zmq_msg_t *message, void *socket, int flags);
int __wrap_zmq_msg_recv(zmq_msg_t *message, void *socket, int flags);
int __wrap_zmq_msg_init_data(zmq_msg_t *message, void *data, size_t size, zmq_free_fn *give_back, void *hint);

enum { SOCKETS_MAX = 4096, ENDPOINTS_MAX = 256 };

// A socket stays where it was put first, since libzmq may use its address again. `endpoint` < 0: not an inproc one now.
static struct place {
    _Atomic(void *) socket;
    _Atomic int endpoint;
} places[SOCKETS_MAX];
static _Atomic uint64_t endpoints[ENDPOINTS_MAX]; // by hash

static int endpoint_index(const char *endpoint)
{
    uint64_t hash = hash_of(bytes_text(endpoint));
    for (int index = 0; index < ENDPOINTS_MAX; index++) {
        uint64_t there = 0;
        if (atomic_compare_exchange_strong(&endpoints[index], &there, hash) || there == hash)
            return index;
    }
    CHECK(false, "more endpoints than expected: %s", endpoint);
}

// The socket's place, or, if `add`, a new one. NULL: it has none.
static struct place *place_of(void *socket, bool add)
{
    size_t index = (uintptr_t)socket / 64 % SOCKETS_MAX;
    for (int i = 0; i < SOCKETS_MAX; i++, index = (index + 1) % SOCKETS_MAX) {
        void *there = atomic_load(&places[index].socket);
        if (there == socket)
            return &places[index];
        if (!there && !add)
            return NULL;
        if (!there && atomic_compare_exchange_strong(&places[index].socket, &there, socket))
            return &places[index];
    }
    CHECK(!add, "more sockets than expected");
    return NULL;
}

static void note(void *socket, const char *endpoint)
{
    bool inproc = strncmp(endpoint, "inproc://", 9) == 0;
    struct place *place = place_of(socket, inproc);
    if (place)
        atomic_store(&place->endpoint, inproc ? endpoint_index(endpoint) : -1);
}

static void forget(void *socket)
{
    struct place *place = place_of(socket, false);
    if (place)
        atomic_store(&place->endpoint, -1);
}

// NULL: not an inproc socket.
static _Atomic uint64_t *order_of(void *socket)
{
    struct place *place = place_of(socket, false);
    int endpoint = place ? atomic_load(&place->endpoint) : -1;
    return endpoint < 0 ? NULL : &endpoints[endpoint];
}

static void given(void *socket)
{
    _Atomic uint64_t *order = order_of(socket);
    if (order)
        __tsan_release((void *)order);
}

int __wrap_zmq_bind(void *socket, const char *endpoint)
{
    note(socket, endpoint);
    return __real_zmq_bind(socket, endpoint);
}

int __wrap_zmq_connect(void *socket, const char *endpoint)
{
    note(socket, endpoint);
    return __real_zmq_connect(socket, endpoint);
}

int __wrap_zmq_close(void *socket)
{
    forget(socket);
    return __real_zmq_close(socket);
}

int __wrap_zmq_send(void *socket, const void *at, size_t size, int flags)
{
    given(socket);
    return __real_zmq_send(socket, at, size, flags);
}

int __wrap_zmq_msg_send(zmq_msg_t *message, void *socket, int flags)
{
    given(socket);
    __tsan_release(zmq_msg_data(message));
    return __real_zmq_msg_send(message, socket, flags);
}

// Memory lent to a message comes back from one of libzmq's threads, after all that was done before the send.
struct loan {
    zmq_free_fn *give_back;
    void *hint;
};

static void give_back(void *data, void *context)
{
    __tsan_acquire(data);
    struct loan loan = *(struct loan *)context;
    free(context);
    loan.give_back(data, loan.hint);
}

int __wrap_zmq_msg_init_data(zmq_msg_t *message, void *data, size_t size, zmq_free_fn *back, void *hint)
{
    struct loan *loan = malloc(sizeof *loan);
    CHECK(loan, "out of memory");
    *loan = (struct loan){back, hint};
    return __real_zmq_msg_init_data(message, data, size, give_back, loan);
}

int __wrap_zmq_msg_recv(zmq_msg_t *message, void *socket, int flags)
{
    int size = __real_zmq_msg_recv(message, socket, flags);
    _Atomic uint64_t *order = size >= 0 ? order_of(socket) : NULL;
    if (order)
        __tsan_acquire((void *)order);
    return size;
}
