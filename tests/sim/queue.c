// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/queue.h"

#include "codec/check.h"

#include <stdlib.h>

void queue_move(struct queue *queue, struct queue_frame *frame)
{
    frame->next = NULL;
    *(queue->last ? &queue->last->next : &queue->first) = frame;
    queue->last = frame;
    queue->count++;
}

void queue_put(struct queue *queue, struct bytes bytes)
{
    struct queue_frame *frame = malloc(sizeof *frame + bytes.size);
    CHECK(frame);
    frame->size = bytes.size;
    memcpy(frame->at, bytes.at, bytes.size);
    queue_move(queue, frame);
}

struct queue_frame *queue_take(struct queue *queue)
{
    struct queue_frame *frame = queue->first;
    if (!frame)
        return NULL;
    queue->first = frame->next;
    if (!queue->first)
        queue->last = NULL;
    queue->count--;
    return frame;
}

void queue_clear(struct queue *queue)
{
    struct queue_frame *frame;
    while ((frame = queue_take(queue)))
        free(frame);
}
