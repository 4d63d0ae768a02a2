// SPDX-License-Identifier: Apache-2.0
// How long this disk takes to make 4 KiB durable: what every durable figure must be read beside. One thread.
#pragma once

#include "cli/histogram.h"

#include <stdbool.h>

// Appends 4 KiB and fdatasyncs, again and again for about half a second, in a file of its own in `directory`, which is
// removed. false: errno says why.
bool bench_disk_measure(const char *directory, struct histogram *latency);
