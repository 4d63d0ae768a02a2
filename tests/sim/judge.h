// SPDX-License-Identifier: Apache-2.0
// What must be true of every story, whatever happened on its way. What is not is added to story->broken. One thread.
//
//   rest       everything said is answered; orders are settled, and what is stored is what was decided (I8, I9, I15)
//   promises   what a shopper was told of an order is still true
//   repeats    everything said once more changes nothing and is answered as before (I8)
//   audit      I1–I7 over the databases
//   replay     every actor's log decides the same again and leads to the same rows (I11)
#pragma once

#include "tests/sim/story.h"

void story_judge(struct story *story);
// Something that was answered before was said again, and this is the answer now.
void judge_repeat(struct story *story, const struct said *said, struct bytes status, struct bytes body);
