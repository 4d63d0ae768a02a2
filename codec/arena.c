// SPDX-License-Identifier: Apache-2.0
// A stack of blocks, newest first; allocation moves a mark inside the newest. Blocks double up to 1 MiB, so that a turn
// of ordinary size soon fits the one block that a reset keeps.
#include "codec/arena.h"

#include "codec/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ALIGNMENT = 16, BLOCK_SIZE_FIRST = 16 * 1024, BLOCK_SIZE_MAX = 1024 * 1024 };

struct arena_block {
    struct arena_block *older;
    size_t size;
    _Alignas(ALIGNMENT) uint8_t at[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

static void blocks_free(struct arena_block *block)
{
    while (block) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
}

void arena_deinit(struct arena *arena)
{
    blocks_free(arena->block);
    *arena = (struct arena){0};
}

static bool block_beats(const struct arena_block *block, const struct arena_block *kept)
{
    return block->size <= BLOCK_SIZE_MAX && (!kept || block->size > kept->size);
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept = NULL;
    for (struct arena_block *block = arena->block, *older; block; block = older) {
        older = block->older;
        if (!block_beats(block, kept)) {
            free(block);
            continue;
        }
        free(kept);
        kept = block;
        kept->older = NULL;
    }
    *arena = (struct arena){.block = kept};
}

static void arena_grow(struct arena *arena, size_t needed)
{
    size_t size = arena->block ? arena->block->size * 2 : BLOCK_SIZE_FIRST;
    if (size > BLOCK_SIZE_MAX)
        size = BLOCK_SIZE_MAX;
    if (size < needed)
        size = needed;
    struct arena_block *block = malloc(sizeof *block + size);
    CHECK(block, "out of memory for %zu bytes", size);
    block->older = arena->block;
    block->size = size;
    arena->block = block;
    arena->used = 0;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    CHECK(size <= SIZE_MAX / 4, "%zu", size);
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!arena->block || arena->block->size - arena->used < rounded)
        arena_grow(arena, rounded);
    void *at = arena->block->at + arena->used;
    arena->used += rounded;
    arena->total += rounded;
    return memset(at, 0, size);
}

struct bytes arena_copy(struct arena *arena, struct bytes bytes)
{
    if (!bytes.size)
        return (struct bytes){0};
    return bytes_of(memcpy(arena_alloc(arena, bytes.size), bytes.at, bytes.size), bytes.size);
}

const char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(length >= 0, "%s", format);
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}
