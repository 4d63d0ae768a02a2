// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/agenda.h"

#include "codec/check.h"

#include <stdlib.h>

static bool before(const struct agenda_item *a, const struct agenda_item *b)
{
    return a->at != b->at ? a->at < b->at : a->number < b->number;
}

static void swap(struct agenda_item *a, struct agenda_item *b)
{
    struct agenda_item kept = *a;
    *a = *b;
    *b = kept;
}

void agenda_add(struct agenda *agenda, int64_t at, int what, uint32_t a, uint32_t b, void *data)
{
    if (agenda->count == agenda->capacity) {
        agenda->capacity = agenda->capacity * 2 + 256;
        agenda->heap = realloc(agenda->heap, agenda->capacity * sizeof *agenda->heap);
        CHECK(agenda->heap);
    }
    uint32_t place = agenda->count++;
    agenda->heap[place] = (struct agenda_item){at, ++agenda->last_number, what, a, b, data};
    for (; place && before(&agenda->heap[place], &agenda->heap[(place - 1) / 2]); place = (place - 1) / 2)
        swap(&agenda->heap[place], &agenda->heap[(place - 1) / 2]);
}

bool agenda_take(struct agenda *agenda, struct agenda_item *item)
{
    struct agenda_item *heap = agenda->heap;
    if (!agenda->count)
        return false;
    *item = heap[0];
    heap[0] = heap[--agenda->count];
    for (uint32_t place = 0;;) {
        uint32_t least = place, left = 2 * place + 1;
        for (uint32_t child = left; child <= left + 1 && child < agenda->count; child++)
            if (before(&heap[child], &heap[least]))
                least = child;
        if (least == place)
            return true;
        swap(&heap[place], &heap[least]);
        place = least;
    }
}

void agenda_deinit(struct agenda *agenda)
{
    for (uint32_t i = 0; i < agenda->count; i++)
        free(agenda->heap[i].data);
    free(agenda->heap);
    *agenda = (struct agenda){0};
}
