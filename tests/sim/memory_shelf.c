// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/memory_shelf.h"

#include "codec/check.h"

#include <stdio.h>
#include <string.h>

struct shelved *memory_shelf_find(struct memory_shelf *shelf, const char *path)
{
    for (int i = 0; i < shelf->count; i++)
        if (strcmp(shelf->at[i].path, path) == 0)
            return &shelf->at[i];
    return NULL;
}

static enum fault shelf_nothing(const struct shelf *shelf, const char *path, struct fault_text *text)
{
    (void)shelf;
    (void)path;
    (void)text;
    return FAULT_NONE;
}

static bool shelf_has(const struct shelf *shelf, const char *path)
{
    return memory_shelf_find((struct memory_shelf *)shelf, path);
}

static enum fault shelf_open(const struct shelf *shelf, const struct store_options *options, struct store **store,
                             struct fault_text *text)
{
    struct memory_shelf *it = (struct memory_shelf *)shelf;
    struct shelved *one = memory_shelf_find(it, options->path);
    if (!one && !options->create)
        return FAULT_MISSING;
    if (!one) {
        CHECK(it->count < SHELVED_MAX, "%s", options->path);
        one = &it->at[it->count++];
        snprintf(one->path, sizeof one->path, "%s", options->path);
        CHECK(store_memory_open(&(struct store_options){.horizon = &one->horizon}, &one->store, text) == FAULT_NONE);
    }
    atomic_store(&one->horizon, 0);
    if (++it->opened == it->fails_open)
        store_memory_fail(one->store, it->fails_nth);
    *store = one->store;
    return FAULT_NONE;
}

static void shelf_close(const struct shelf *shelf, struct store **store)
{
    (void)shelf;
    *store = NULL;
}

void memory_shelf_init(struct memory_shelf *shelf)
{
    *shelf = (struct memory_shelf){.shelf = {shelf_nothing, shelf_nothing, shelf_has, shelf_open, shelf_close}};
}

void memory_shelf_deinit(struct memory_shelf *shelf)
{
    for (int i = 0; i < shelf->count; i++)
        store_close(&shelf->at[i].store);
}

void memory_shelf_heal(struct memory_shelf *shelf)
{
    shelf->opened = shelf->fails_open = 0;
    for (int i = 0; i < shelf->count; i++)
        store_memory_fail(shelf->at[i].store, 0);
}
