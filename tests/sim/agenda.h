// SPDX-License-Identifier: Apache-2.0
// What is to happen when: a heap by time, equal times in the order they were noted. One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct agenda_item {
    int64_t at;
    uint64_t number;
    int what;
    uint32_t a, b;
    void *data; // whoever takes the item frees it
};

struct agenda {
    struct agenda_item *heap;
    uint32_t count, capacity;
    uint64_t last_number;
};

void agenda_add(struct agenda *agenda, int64_t at, int what, uint32_t a, uint32_t b, void *data);
bool agenda_take(struct agenda *agenda, struct agenda_item *item);
void agenda_deinit(struct agenda *agenda); // frees the data of what is left
