// SPDX-License-Identifier: Apache-2.0
// Who comes to the shop: people who buy, refresh, change their mind, cancel, hold and let go, share a cart over two tabs;
// operators who receive, correct, put, ship, deliver; a few who send nonsense. Each has one question open (or one bundle
// of them) and asks it again, under the same request id, until it is answered or they give up.
#pragma once

#include "tests/sim/run.h"

void shoppers_open(struct run *run);
void shoppers_close(struct run *run);
// Its time has come: ask again, or do the next thing.
void shopper_wake(struct run *run, uint32_t index);
void shopper_answered(struct run *run, uint32_t index, struct bytes id, struct bytes status, struct bytes body);
// Goods and products before the first shopper comes.
void shoppers_fill_shelves(struct run *run);
// An operator looks after parked payments: what the provider's book says, they say.
void shoppers_resolve(struct run *run);
