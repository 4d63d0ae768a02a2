// SPDX-License-Identifier: Apache-2.0
// Every record of record.def. The first byte chooses the shape. What decodes is written canonically and means itself
// from then on.
#include "fuzz.h"

static struct arena arena;

static bool take(const struct shape *shape, struct bytes record, struct buffer *again)
{
    void *self = malloc(shape->size + !shape->size);
    bool taken = record_decode(shape, record, self, &arena);
    if (taken) {
        CHECK(record_forget_at(record) >= 0, "%s", shape->name);
        buffer_clear(again);
        record_encode(shape, self, record_forget_at(record), again);
    }
    free(self);
    return taken;
}

void fuzz_one(struct bytes input)
{
    const struct shape *shape = sample_records[fuzz_choice(&input) % SAMPLE_RECORDS]();
    struct buffer canonical = {0}, again = {0};
    record_forget_at(input);
    if (take(shape, input, &canonical)) {
        CHECK(take(shape, buffer_bytes(&canonical), &again), "%s is refused as it was written", shape->name);
        CHECK(bytes_equal(buffer_bytes(&canonical), buffer_bytes(&again)), "%s", shape->name);
    }
    buffer_deinit(&canonical);
    buffer_deinit(&again);
    arena_reset(&arena);
}

void fuzz_seeds(void)
{
    struct buffer record = {0};
    for (uint8_t i = 0; i < SAMPLE_RECORDS; i++) {
        for (int level = SAMPLE_LEAST; level <= SAMPLE_MOST; level++) {
            struct sample sample = {.seed = i, .arena = &arena, .level = level};
            const struct shape *shape = sample_records[i]();
            buffer_clear(&record);
            record_encode(shape, sample_of(&sample, shape, 1), level, &record);
            fuzz_seed_chosen(i, buffer_bytes(&record));
            arena_reset(&arena);
        }
    }
    buffer_deinit(&record);
}
