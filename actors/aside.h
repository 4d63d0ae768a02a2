// SPDX-License-Identifier: Apache-2.0
// Messages that a turn left undecided, first in first out, with bytes of their own: the frames they came in are free.
// Bounded by what is in flight. Owned by the actor's thread.
#pragma once

#include "actors/shard.h"

struct aside;

struct aside *aside_new(void);
void aside_free(struct aside **aside);
// Behind all others; copied.
void aside_add(struct aside *aside, const struct incoming *in);
// Does a message of the entity that this request is for wait here? One that comes later must not pass it.
bool aside_holds_up(const struct aside *aside, struct bytes request);
// The first ones, at most `max`, into `list`; they stay and live until they are dropped.
uint32_t aside_first(const struct aside *aside, uint32_t max, struct incoming list[]);
void aside_drop(struct aside *aside, uint32_t count);
// What waits for the first one's entity goes behind all others.
void aside_rotate(struct aside *aside);
uint32_t aside_count(const struct aside *aside);
