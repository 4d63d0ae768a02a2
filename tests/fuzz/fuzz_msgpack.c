// SPDX-License-Identifier: Apache-2.0
// Our cursor against msgpack-c (tests/unit/codec/oracle.h): the same values, or both refuse.
#include "fuzz.h"

#include "tests/unit/codec/oracle.h"

void fuzz_one(struct bytes input)
{
    oracle_agree(input);
}

static void seed_list(const char *head, size_t head_size, size_t size)
{
    struct buffer input = {0};
    buffer_append(&input, head, head_size);
    while (input.size < head_size + size)
        buffer_append(&input, "\x01", 1);
    fuzz_seed(buffer_bytes(&input));
    buffer_deinit(&input);
}

void fuzz_seeds(void)
{
    static const struct bytes heads[] = {
        BYTES("\xc0"),         BYTES("\xc3"),         BYTES("\x7f"),         BYTES("\xe0"),         BYTES("\xcc\x80"),
        BYTES("\xcd\x80\x00"), BYTES("\xc4\x03"),     BYTES("\xc5\x00\x03"), BYTES("\xd9\x03"),     BYTES("\xda\x00\x03"),
        BYTES("\xa3"),         BYTES("\x93"),         BYTES("\x82"),         BYTES("\xdc\x00\x03"), BYTES("\xde\x00\x02"),
        BYTES("\xc7\x03"),     BYTES("\xd4\x05"),     BYTES("\xd6\x05"),     BYTES("\xca"),         BYTES("\xcb"),
        BYTES("\xce"),         BYTES("\xcf"),         BYTES("\xd0"),         BYTES("\xd3"),         BYTES("\xd2"),
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        seed_list((const char *)heads[i].at, heads[i].size, 8);
    for (size_t depth = 1; depth <= CURSOR_DEPTH_MAX + 2; depth++)
        seed_list("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91", depth, 1);
}
