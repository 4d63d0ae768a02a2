// SPDX-License-Identifier: Apache-2.0
// Which descriptors connections may have. A node opens files and sockets for as long as it serves and ends when it
// cannot (write-ahead logs, tables), so clients must never get the last ones. libzmq has no bound on the connections of
// a socket, and what its monitor tells comes when hundreds more are accepted. So the process has an accept4 of its own,
// which libzmq calls: the kernel gives the lowest free descriptor, and a connection on one from `descriptors_max` up is
// closed at once. Its client connects again. libzmq counts it as accept_failed.
#pragma once

#include <stdint.h>

// For the whole process, from now on; 0: any. Any thread.
void accepting_limit(uint32_t descriptors_max);
