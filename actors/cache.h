// SPDX-License-Identifier: Apache-2.0
// Rows an actor touched lately, as they are committed; absent ones too. An order is met five times within
// milliseconds: without this, most of a turn would be lookups in the store. Owned by the actor's thread.
//
//   C1  what is in here equals what is in the store: only the owner of the store writes it, and tells after each commit
//   C2  bounded: two generations of half the size each; the older is dropped whole
#pragma once

#include "codec/arena.h"
#include "store/store.h"

struct cache;

struct cache *cache_new(size_t bytes_max);
void cache_free(struct cache **cache);

enum cache_age { CACHE_NONE, CACHE_OLD, CACHE_YOUNG };
// The value (at NULL: known to be absent) lives until cache_turn. `hash` is any well-mixed hash of family and key.
enum cache_age cache_find(const struct cache *cache, enum family family, struct bytes key, uint64_t hash,
                          struct bytes *value);
// Copies. Rows that are not found again by then are dropped by the second next cache_turn that finds it full.
void cache_keep(struct cache *cache, enum family family, struct bytes key, uint64_t hash, struct bytes value);
// Between two turns: makes room if the younger generation is full.
void cache_turn(struct cache *cache);
