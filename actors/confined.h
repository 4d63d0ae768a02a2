// SPDX-License-Identifier: Apache-2.0
// Which entities of a kind are in quarantine, as an epoch's record names them. Owned by one thread.
#pragma once

#include "codec/ids.h"

struct confined;

// `quarantine`: a msgpack array of [kind, key]; empty: nothing. NULL is returned if it names nothing at all.
struct confined *confined_new(enum kind_id kind, struct bytes quarantine);
void confined_free(struct confined **confined);
// Takes NULL.
bool confined_has(const struct confined *confined, struct bytes key);
