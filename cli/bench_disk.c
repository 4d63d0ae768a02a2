// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_disk.h"

#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_SIZE = 4096, MEASURE_US = 500000, BLOCKS_MIN = 8, BLOCKS_MAX = 65536 };

static bool append(int fd, const char *block, struct histogram *latency)
{
    int64_t began = clock_steady();
    if (write(fd, block, BLOCK_SIZE) != BLOCK_SIZE || fdatasync(fd) != 0)
        return false;
    histogram_add(latency, clock_steady() - began);
    return true;
}

bool bench_disk_measure(const char *directory, struct histogram *latency)
{
    char path[4096], block[BLOCK_SIZE];
    if (snprintf(path, sizeof path, "%s/souk-bench-XXXXXX", directory) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = mkstemp(path);
    if (fd < 0)
        return false;
    unlink(path);
    memset(block, 0x5a, sizeof block);
    *latency = (struct histogram){0};
    int64_t until = clock_steady() + MEASURE_US;
    bool good = true;
    for (int i = 0; good && i < BLOCKS_MAX && (i < BLOCKS_MIN || clock_steady() < until); i++)
        good = append(fd, block, latency);
    int saved = errno;
    close(fd);
    errno = saved;
    return good;
}
