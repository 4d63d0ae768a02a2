// SPDX-License-Identifier: Apache-2.0
// A shelf (store/shelf.h) whose databases stand in memory and outlive the process that opens them. One may fail amid a
// start. One thread.
#pragma once

#include "store/shelf.h"

enum { SHELVED_MAX = 64 };

struct shelved {
    char path[32];
    struct store *store;
    _Atomic int64_t horizon; // 0 from when it is opened: whoever moves rows moves also what may be forgotten
};

struct memory_shelf {
    struct shelf shelf; // first
    struct shelved at[SHELVED_MAX];
    int count;
    int opened;       // since the last heal
    int fails_open;   // the store that is opened as the n-th (1: DIR/meta) …
    unsigned fails_nth; // … fails at its n-th commit or clear; 0: none does
};

void memory_shelf_init(struct memory_shelf *shelf);
void memory_shelf_deinit(struct memory_shelf *shelf);
// NULL: there is none.
struct shelved *memory_shelf_find(struct memory_shelf *shelf, const char *path);
// Nothing fails any more.
void memory_shelf_heal(struct memory_shelf *shelf);
