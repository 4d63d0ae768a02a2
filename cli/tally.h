// SPDX-License-Identifier: Apache-2.0
// How often each status came, in the order in which they came first. A newer node may use names that are not known
// here. Owned by one thread. Bounds: TALLY_MAX names; what does not fit is counted as "other".
#pragma once

#include "codec/pack.h"

#include <stdint.h>

enum { TALLY_MAX = 64, TALLY_NAME_MAX = 64 };

struct tally {
    uint32_t used;
    struct {
        uint64_t count;
        uint8_t size;
        char name[TALLY_NAME_MAX];
    } at[TALLY_MAX];
}; // all zero: empty

void tally_add(struct tally *tally, struct bytes name, uint64_t count);
uint64_t tally_total(const struct tally *tally);
uint64_t tally_of(const struct tally *tally, const char *name);
// {"ok":3,"busy":1}, appended.
void tally_json(const struct tally *tally, struct buffer *out);
