// SPDX-License-Identifier: Apache-2.0
// libzmq is not instrumented, so ThreadSanitizer does not see that what was written before a send happened before what
// is read after the receive. handover.c tells it, for inproc endpoints, around libzmq's own calls (--wrap): production
// code knows nothing of it. One sync object for each endpoint: an inbox orders what goes through it, and
// nothing else. Likewise for memory lent to a message, which one of libzmq's threads gives back.
#pragma once

#include <stdint.h>
#include <stdlib.h>

void __tsan_acquire(void *object);
void __tsan_release(void *object);

// The only argument of these programs: how often.
static inline uint32_t handover_rounds(int argc, char **argv, uint32_t otherwise)
{
    return argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : otherwise;
}
