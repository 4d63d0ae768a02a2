// SPDX-License-Identifier: Apache-2.0
// The story of some entities, line by line: who got what, decided what, sent what. One thread.
#pragma once

#include "tests/sim/world.h"

enum { TRACE_KEYS_MAX = 8 };

struct trace {
    bool on;
    int keys_count;
    char keys[TRACE_KEYS_MAX][160]; // "order/O-17"; none: everything
    struct buffer text;
    struct arena arena; // of one line
};

// Does a line about this entity belong to the story?
bool trace_wants(const struct trace *trace, enum kind_id kind, struct bytes key);
void trace_decision(struct trace *trace, const struct world_decision *decision);
void trace_line(struct trace *trace, int64_t clock, const char *format, ...) __attribute__((format(printf, 3, 4)));
void trace_deinit(struct trace *trace);
