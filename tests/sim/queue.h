// SPDX-License-Identifier: Apache-2.0
// Frames on their way, first in, first out. Owned by one thread.
#pragma once

#include "codec/bytes.h"

#include <stdint.h>

struct queue_frame {
    struct queue_frame *next;
    size_t size;
    uint8_t at[];
};

struct queue {
    struct queue_frame *first, *last;
    uint32_t count;
};

static inline struct bytes queue_bytes(const struct queue_frame *frame)
{
    return bytes_of(frame->at, frame->size);
}

// Copies.
void queue_put(struct queue *queue, struct bytes bytes);
// The caller frees it; NULL: empty.
struct queue_frame *queue_take(struct queue *queue);
void queue_move(struct queue *queue, struct queue_frame *frame); // takes it
void queue_clear(struct queue *queue);
