// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_host.h"

#include <inttypes.h>
#include <stdio.h>

void bench_host_look(struct bench_host *host)
{
    enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, FIELDS }; // guest time is within user
    uint64_t ticks[FIELDS] = {0};
    *host = (struct bench_host){0};
    FILE *stat = fopen("/proc/stat", "r");
    if (!stat)
        return;
    if (fscanf(stat, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
               &ticks[USER], &ticks[NICE], &ticks[SYSTEM], &ticks[IDLE], &ticks[IOWAIT], &ticks[IRQ], &ticks[SOFTIRQ],
               &ticks[STEAL]) == FIELDS) {
        for (int i = 0; i < FIELDS; i++)
            host->all += ticks[i];
        host->stolen = ticks[STEAL];
    }
    fclose(stat);
}

uint32_t bench_host_stolen(const struct bench_host *before, const struct bench_host *after)
{
    uint64_t all = after->all - before->all;
    return after->all > before->all && after->stolen >= before->stolen
               ? (uint32_t)((after->stolen - before->stolen) * 1000 / all)
               : 0;
}
