// SPDX-License-Identifier: Apache-2.0
// For LD_PRELOAD: a wall clock that is wrong by as many µs as the 8 bytes (little endian) of the file SOUK_CLOCK_SKEW
// say at that moment. CLOCK_BOOTTIME and the others stay as they are.
#include <endian.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile uint64_t *skew;

static __attribute__((constructor)) void skew_open(void)
{
    const char *path = getenv("SOUK_CLOCK_SKEW");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *skew, PROT_READ, MAP_SHARED, file, 0);
    if (file >= 0)
        close(file);
    if (mapped != MAP_FAILED)
        skew = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (syscall(SYS_clock_gettime, clock, now) != 0)
        return -1;
    if (skew && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        int64_t us = now->tv_sec * INT64_C(1000000) + now->tv_nsec / 1000 + (int64_t)le64toh(*skew);
        *now = (struct timespec){us / 1000000, us % 1000000 * 1000};
    }
    return 0;
}
