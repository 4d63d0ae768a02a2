// SPDX-License-Identifier: Apache-2.0
#include "cli/histogram.h"

#include <inttypes.h>
#include <stdio.h>

enum { LINEAR = 1 << HISTOGRAM_BITS };

static uint32_t bucket_of(uint64_t value)
{
    if (value < LINEAR)
        return (uint32_t)value;
    uint32_t shift = 63 - (uint32_t)__builtin_clzll(value) - HISTOGRAM_BITS;
    return ((shift + 1) << HISTOGRAM_BITS) + (uint32_t)(value >> shift) - LINEAR;
}

// The middle of a bucket.
static uint64_t value_of(uint32_t bucket)
{
    if (bucket < LINEAR)
        return bucket;
    uint32_t shift = (bucket >> HISTOGRAM_BITS) - 1;
    uint64_t low = (uint64_t)(LINEAR + bucket % LINEAR) << shift;
    return low + (((uint64_t)1 << shift) - 1) / 2;
}

void histogram_add(struct histogram *histogram, int64_t value)
{
    uint64_t counted = value > 0 ? (uint64_t)value : 0;
    histogram->count++;
    histogram->buckets[bucket_of(counted)]++;
    if (counted > histogram->max)
        histogram->max = counted;
}

uint64_t histogram_at(const struct histogram *histogram, uint32_t permille)
{
    uint64_t rank = (histogram->count / 1000) * permille + (histogram->count % 1000 * permille + 999) / 1000, seen = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (histogram->buckets[i] && seen >= rank)
            return value_of(i) < histogram->max ? value_of(i) : histogram->max;
    }
    return 0;
}

struct ms_text ms_format(uint64_t us)
{
    struct ms_text text;
    snprintf(text.text, sizeof text.text, "%" PRIu64 ".%03" PRIu64, us / 1000, us % 1000);
    return text;
}
