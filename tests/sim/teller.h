// SPDX-License-Identifier: Apache-2.0
// Tells a story line by line, as text that documents the saga: who got what from whom, what became of it, what it wrote
// and sent. What comes again and again is told once. One thread.
//
//     +0.000 s    order O-1     gets order.place from ann: for ann, by pm_card_visa, from cart basket
//                               step      none → claiming
//                               writes    open order: claiming, created
//                               sends     cart basket  cart.claim: order O-1
#pragma once

#include "tests/sim/story.h"

enum { TELLER_ENTITIES_MAX = 32 };

struct teller {
    struct story *story;
    struct buffer text;
    struct buffer last; // the block told last, without its time
    uint32_t again;
    int64_t again_until;
    struct {
        char name[64];
        char step[32], status[32];
    } orders[STORY_ORDERS_MAX];
};

void teller_begin(struct teller *teller, struct story *story);
void teller_end(struct teller *teller); // and how everything stands
void teller_deinit(struct teller *teller);
void teller_decided(struct teller *teller, const struct world_decision *decision);
void teller_replied(struct teller *teller, int64_t at, const struct said *said, struct bytes body);
void teller_line(struct teller *teller, int64_t at, const char *text);
void teller_note(struct teller *teller, const char *text);
