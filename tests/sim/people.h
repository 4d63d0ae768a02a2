// SPDX-License-Identifier: Apache-2.0
// Sorts of people: each is a function that is called step by step, asks the next thing, or nothing when it is done.
#pragma once

#include "tests/sim/shoppers.h"

enum { QUESTIONS_MAX = 64 };

struct shopper;
typedef void (*person)(struct shopper *shopper);

struct ask {
    enum message_type type;
    const char *key;
    const void *body;
    bool same_id; // as the question before
};

struct question {
    char id[16];
    bool answered;
    size_t from, to; // its bytes in `requests`
};

struct shopper {
    struct run *run;
    uint32_t index;
    int budget;
    person person; // NULL: between two
    int step;      // how often it was called
    enum status last;
    char view[64]; // the order's status as last answered
    // what they are about
    char order[32], cart[32], sku[16], hold[32];
    int tabs, lines;
    uint64_t seed; // of what they order, to say it again
    // what is open: one question, or a bundle of them
    struct question questions[QUESTIONS_MAX];
    uint32_t questions_count;
    struct buffer requests;
    int tries;
    int64_t asks_again_at, next_at;
};

person person_draw(struct run *run);
void person_sku(char sku[static 16], int index);
struct catalog_put person_product(struct run *run);
// Adds a question to what is asked next.
void shopper_ask(struct shopper *shopper, enum message_type type, const char *key, const void *body);
// The same, under the request id of the last question, which was answered ok.
void shopper_mistakes(struct shopper *shopper, enum message_type type, const char *key, const void *body);
