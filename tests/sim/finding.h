// SPDX-License-Identifier: Apache-2.0
// What is wrong: the first broken invariant (DESIGN, invariants), with the entities concerned. One thread.
#pragma once

#include "codec/ids.h"

enum { FINDING_KEYS_MAX = 4 };

struct finding {
    bool found;
    int invariant; // 4: I4; 0: a CHECK of the engine
    int keys_count;
    char keys[FINDING_KEYS_MAX][160]; // "order/O-17"
    char text[1024];
};

// Keeps the first. `other` may be NULL.
void finding_note(struct finding *finding, int invariant, enum kind_id kind, struct bytes key,
                  const struct entity *other, const char *format, ...) __attribute__((format(printf, 6, 7)));
