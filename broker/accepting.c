// SPDX-License-Identifier: Apache-2.0
#include "broker/accepting.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic uint32_t limit;

void accepting_limit(uint32_t descriptors_max)
{
    limit = descriptors_max;
}

// Under another name here, since each C library declares accept4 with types of its own.
int accept_below_limit(int listener, struct sockaddr *address, socklen_t *size, int flags) __asm__("accept4");
int accept_below_limit(int listener, struct sockaddr *address, socklen_t *size, int flags)
{
    int connection = (int)syscall(SYS_accept4, listener, address, size, flags);
    if (connection < 0 || !limit || (uint32_t)connection < limit)
        return connection;
    close(connection);
    errno = ECONNABORTED;
    return -1;
}
