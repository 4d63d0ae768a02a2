// SPDX-License-Identifier: Apache-2.0
// Counts of whole numbers (latencies in µs) in log-linear buckets: each power of two is cut into 128, so a percentile
// is exact below 128 and within 0.8 % above, whatever the range. Owned by one thread.
#pragma once

#include <stdint.h>

enum { HISTOGRAM_BITS = 7, HISTOGRAM_BUCKETS = (63 - HISTOGRAM_BITS + 1) << HISTOGRAM_BITS };

struct histogram {
    uint64_t count;
    uint64_t max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
}; // all zero: empty

// Negative ones count as 0.
void histogram_add(struct histogram *histogram, int64_t value);
// The value that `permille` of all are not above, 1–1000; 0 if there are none.
uint64_t histogram_at(const struct histogram *histogram, uint32_t permille);

// µs as ms with three decimals: "1.234".
struct ms_text {
    char text[32];
};
struct ms_text ms_format(uint64_t us);
