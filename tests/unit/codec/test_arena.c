// SPDX-License-Identifier: Apache-2.0
// Memory of a turn and the growing buffer.
#include "codec/arena.h"
#include "codec/pack.h"

#include <criterion/criterion.h>

Test(arena, memory_is_aligned_zeroed_and_apart)
{
    struct arena arena;
    arena_init(&arena);
    for (int round = 0; round < 3; round++) {
        uint8_t *before = NULL;
        size_t before_size = 0;
        for (size_t size = 0; size < 3000; size += 7) {
            uint8_t *at = arena_alloc(&arena, size);
            cr_assert_eq((uintptr_t)at % 16, 0);
            for (size_t i = 0; i < size; i++)
                cr_assert_eq(at[i], 0);
            memset(at, 0xff, size);
            cr_assert(!before_size || before[before_size - 1] == 0xff);
            before = at;
            before_size = size;
        }
        arena_reset(&arena);
        cr_assert_eq(arena.total, 0);
    }
    arena_deinit(&arena);
}

Test(arena, one_large_piece_does_not_stay_after_a_reset)
{
    struct arena arena;
    arena_init(&arena);
    arena_alloc(&arena, 100);
    memset(arena_alloc(&arena, 8 << 20), 1, 8 << 20);
    arena_alloc(&arena, 100);
    struct arena_block *kept;
    arena_reset(&arena);
    kept = arena.block;
    cr_assert_not_null(kept);
    arena_alloc(&arena, 100);
    cr_assert_eq(arena.block, kept); // reused
    arena_deinit(&arena);
    cr_assert_null(arena.block);
}

Test(arena, text_is_formatted_and_bytes_are_copied)
{
    struct arena arena;
    arena_init(&arena);
    cr_assert_str_eq(arena_format(&arena, "%s[%d]", "lines", 3), "lines[3]");
    char text[] = "abc";
    struct bytes copy = arena_copy(&arena, bytes_text(text));
    text[0] = 'x';
    cr_assert(bytes_equal(copy, BYTES("abc")));
    cr_assert_eq(arena_copy(&arena, (struct bytes){0}).size, 0);
    arena_deinit(&arena);
}

Test(buffer, grows_and_keeps_what_it_holds)
{
    struct buffer buffer;
    buffer_init(&buffer);
    buffer_append(&buffer, NULL, 0);
    for (int i = 0; i < 1000; i++)
        buffer_printf(&buffer, "%04d", i);
    cr_assert_eq(buffer.size, 4000);
    cr_assert(bytes_equal(bytes_of(buffer.at + 3996, 4), BYTES("0999")));
    uint8_t *room = buffer_reserve(&buffer, 10000);
    memset(room, 'r', 10000);
    buffer.size += 10000;
    cr_assert(bytes_equal(bytes_of(buffer.at, 4), BYTES("0000")) && buffer.at[13999] == 'r');
    buffer_clear(&buffer);
    cr_assert_eq(buffer.size, 0);
    buffer_deinit(&buffer);
    cr_assert_null(buffer.at);
}
