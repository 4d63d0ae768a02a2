// SPDX-License-Identifier: Apache-2.0
// What the host of a virtual machine takes of its cores ("steal", proc(5)): a figure measured meanwhile is not this
// machine's. One thread.
#pragma once

#include <stdint.h>

// Of all cores since the machine started, in ticks; 0 if the system does not tell.
struct bench_host {
    uint64_t all, stolen;
};

void bench_host_look(struct bench_host *host);
// Thousandths of the cores' time between two looks.
uint32_t bench_host_stolen(const struct bench_host *before, const struct bench_host *after);
