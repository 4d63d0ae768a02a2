// SPDX-License-Identifier: Apache-2.0
// fuzz_NAME --seeds DIR   writes the target's seeds and ends
// fuzz_NAME …             whatever libFuzzer understands: -help=1
#include "fuzz.h"

#include <stdio.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *at, size_t size);

static const char *directory;
static unsigned seeds;

void fuzz_seed(struct bytes input)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/seed-%04u", directory, seeds++);
    FILE *file = fopen(path, "wb");
    CHECK(file, "%s cannot be written", path);
    bool written = fwrite(input.at, 1, input.size, file) == input.size;
    written = fclose(file) == 0 && written;
    CHECK(written, "%s cannot be written", path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    if (*argc != 3 || strcmp((*argv)[1], "--seeds") != 0)
        return 0;
    directory = (*argv)[2];
    fuzz_seeds();
    exit(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t size)
{
    fuzz_one(bytes_of(at, size));
    return 0;
}
