// SPDX-License-Identifier: Apache-2.0
// A decoder that believes a length it was sent. The fuzzer must find it, or it finds nothing.
#include "fuzz.h"

void fuzz_one(struct bytes input)
{
    volatile uint8_t sum = 0;
    if (input.size < 6 || memcmp(input.at, "souk", 4) != 0)
        return;
    for (uint8_t i = 0; i < input.at[4]; i++)
        sum = (uint8_t)(sum + input.at[5 + i]);
}

void fuzz_seeds(void)
{
    fuzz_seed(BYTES("sou\0\x01\x02"));
}
