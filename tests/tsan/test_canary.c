// SPDX-License-Identifier: Apache-2.0
// A race that ThreadSanitizer must report, of the kind that would be easiest to hide: memory handed over through an
// inbox and touched again by its sender. With the argument `sound` the sender does not, and nothing must be reported.
#include "codec/check.h"

#include <pthread.h>
#include <string.h>
#include <zmq.h>

static void *zmq, *push;

static void *receive(void *unused)
{
    void *inbox = zmq_socket(zmq, ZMQ_PULL);
    zmq_msg_t message;
    int *number;
    CHECK(zmq_connect(inbox, "inproc://canary") == 0, "connect");
    zmq_msg_init(&message);
    CHECK(zmq_msg_recv(&message, inbox, 0) == sizeof number, "no pointer came");
    memcpy(&number, zmq_msg_data(&message), sizeof number);
    zmq_msg_close(&message);
    *number += 1;
    zmq_close(inbox);
    return NULL;
}

int main(int argc, char **argv)
{
    static int number, *pointer = &number;
    pthread_t thread;
    zmq = zmq_ctx_new();
    push = zmq_socket(zmq, ZMQ_PUSH);
    CHECK(zmq_bind(push, "inproc://canary") == 0, "bind");
    CHECK(pthread_create(&thread, NULL, receive, NULL) == 0, "no thread");
    number = 1;
    CHECK(zmq_send(push, &pointer, sizeof pointer, 0) == sizeof pointer, "send");
    if (argc < 2)
        number = 2;
    pthread_join(thread, NULL);
    zmq_close(push);
    zmq_ctx_term(zmq);
    return 0;
}
