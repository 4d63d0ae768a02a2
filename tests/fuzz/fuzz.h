// SPDX-License-Identifier: Apache-2.0
// A fuzz target is one file fuzz_NAME.c. It gives bytes to production code as an outsider could, and CHECKs what that
// code promises about whatever it accepts. main.c is libFuzzer's side of it.
#pragma once

#include "codec/check.h"
#include "tests/unit/codec/sample.h"

// ---- what a target defines

// One input, with nothing behind its end.
void fuzz_one(struct bytes input);
// Calls fuzz_seed for each input worth beginning with.
void fuzz_seeds(void);

// ---- what main.c gives

void fuzz_seed(struct bytes input);

// An input that begins with one byte of choice.
static inline void fuzz_seed_chosen(uint8_t choice, struct bytes rest)
{
    struct buffer input;
    buffer_init(&input);
    buffer_append(&input, &choice, 1);
    buffer_append(&input, rest.at, rest.size);
    fuzz_seed(buffer_bytes(&input));
    buffer_deinit(&input);
}

// Takes the byte of choice off; 0 if there is none.
static inline uint8_t fuzz_choice(struct bytes *input)
{
    if (!input->size)
        return 0;
    input->size--;
    return *input->at++;
}
