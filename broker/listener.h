// SPDX-License-Identifier: Apache-2.0
// What every socket has that strangers connect to: bounds on their frames and on their silence, and how it is bound.
// The broker's thread.
#pragma once

#include "broker/topology.h"

// A new zmq socket whose connections are cut for a frame above `frame_size_max` bytes, for a handshake that takes too
// long, and when their machine has vanished. CHECKs that there is one.
void *listener_new(void *context, int type, int64_t frame_size_max);
void listener_set(void *socket, int option, int value);
// `bound` becomes the endpoint with its real port. FAULT_LOCKED: somebody listens there.
enum fault listener_bind(void *socket, const char *endpoint, char bound[ENDPOINT_SIZE_MAX], struct fault_text *text);
// Nobody else finds what is bound there from now on: removes an ipc endpoint's file. Before its socket is closed, so
// that it is no other's yet.
void listener_forget(const char *bound);
// Whether nobody listens at an ipc endpoint: there is no such file, or whoever made it has ended. Any thread.
bool listener_gone(const char *endpoint);
