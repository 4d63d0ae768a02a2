// SPDX-License-Identifier: Apache-2.0
// One timer for a name: set, moved, cancelled; taken when due. In memory only: at start each open entity sets its own
// again. Owned by one thread. Grows with what is open, which admission bounds.
#pragma once

#include "codec/bytes.h"

struct timers;

struct timers *timers_new(void);
void timers_free(struct timers **timers);
// at 0 cancels. The name is copied.
void timers_set(struct timers *timers, struct bytes name, int64_t at);
// The earliest, INT64_MAX if none.
int64_t timers_next(const struct timers *timers);
// Takes the earliest that is due; its name lives until the next call.
bool timers_take(struct timers *timers, int64_t now, struct bytes *name, int64_t *at);
uint32_t timers_count(const struct timers *timers);
