// SPDX-License-Identifier: Apache-2.0
// Memory that lives as long as one turn (or one command of a tool): allocate, never free, reset at the end.
// Owned by one thread. Out of memory aborts.
#pragma once

#include "codec/bytes.h"

struct arena_block;

struct arena {
    struct arena_block *block; // current, linked to older ones
    size_t used;               // in the current block
    size_t total;              // handed out since the last reset
};

void arena_init(struct arena *arena);
void arena_deinit(struct arena *arena);

// Keeps one block (at most 1 MiB) for the next turn.
void arena_reset(struct arena *arena);

// Aligned to 16 bytes, zeroed.
void *arena_alloc(struct arena *arena, size_t size);
struct bytes arena_copy(struct arena *arena, struct bytes bytes);
// printf into the arena; NUL-terminated.
const char *arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
