// SPDX-License-Identifier: Apache-2.0
// Databases in memory for the offline commands' tests: rows put by hand, one actor for each kind unless said otherwise.
#pragma once

#include "cli/databases.h"
#include "codec/check.h"
#include "codec/record.h"
#include "store/keys.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

struct stage {
    struct databases databases;
};

static inline void stage_open(struct stage *stage, enum kind_id kind, uint16_t actors)
{
    struct store_options options = {0};
    stage->databases.owners.count[kind] = stage->databases.ever.count[kind] = actors;
    for (uint16_t i = 0; i < actors; i++)
        if (!stage->databases.of[kind][i])
            CHECK(store_memory_open(&options, &stage->databases.of[kind][i], NULL) == FAULT_NONE);
}

static inline void stage_init(struct stage *stage)
{
    *stage = (struct stage){0};
    for (int kind = 0; kind < KIND_COUNT; kind++)
        stage_open(stage, kind, 1);
}

static inline void stage_deinit(struct stage *stage)
{
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int i = 0; i < ACTORS_MAX; i++)
            store_close(&stage->databases.of[kind][i]);
}

// Into the database that owns the key's slot.
static inline void stage_put(struct stage *stage, enum kind_id kind, enum family family, const char *key,
                             const char *child, const struct shape *shape, const void *record)
{
    struct buffer row = {0}, value = {0};
    uint16_t owner = owner_of(&stage->databases.owners, kind, slot_of(bytes_text(key)));
    struct store *store = stage->databases.of[kind][owner];
    keys_child(&row, bytes_text(key), bytes_text(child));
    record_encode(shape, record, 0, &value);
    store_put(store, family, buffer_bytes(&row), buffer_bytes(&value));
    CHECK(store_commit(store, NULL) == FAULT_NONE);
    buffer_deinit(&row);
    buffer_deinit(&value);
}

static inline struct money gbp(int64_t amount)
{
    return (struct money){.amount = amount, .currency = "GBP"};
}
