// SPDX-License-Identifier: Apache-2.0
// How much every connection has been promised: bytes of replies that were decided and are not on the wire yet, wherever
// in the node they are. Whoever decides looks here first and says `busy` while it can: what has been decided can only be
// told or lost. Any thread; a room that is NULL has no end.
//
//   A table of counts found by the hash of the route, seeded anew for each process: that two connections share one is
//   rare, and costs the second a `busy` while the first does not read.
#pragma once

#include "codec/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct room;

// Connections together may be promised half of `size_max`, one of them a sixteenth.
struct room *room_new(uint64_t size_max);
void room_free(struct room **room);
// The connection's count, for the three below.
uint32_t room_place(const struct room *room, struct bytes route);
// false: decide nothing more for it. What is decided for several connections at this instant goes beyond by one reply each.
bool room_left(const struct room *room, uint32_t place);
void room_take(struct room *room, uint32_t place, uint64_t size);
void room_give(struct room *room, uint32_t place, uint64_t size);
