// SPDX-License-Identifier: Apache-2.0
// A story: what some people say to a shop, when, and what must have come of it. It is a function over a world that
// knows nothing of crashes: whenever the process ends, it starts again, and clients say again, under the same id, what
// they have no answer to. So one story runs quietly, with a crash at any point, and with any write refused, and the
// same things must be true in the end. Everything is judged on the way by the model (tests/sim/model.h), and at the end
// by story_judge. One thread.
//
//     static void last_unit(struct story *story)
//     {
//         stock(story, "mug", 1);
//         const struct said *first = …story_say(story, "ann", MESSAGE_order_place, "O-1", &body);
//         story_pass(story, SECOND);
//         story_expect(story, …);
//     }
#pragma once

#include "tests/sim/coverage.h"
#include "tests/sim/model.h"
#include "tests/sim/world.h"

#define MILLISECOND INT64_C(1000)
#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

enum { STORY_ORDERS_MAX = 8 };

struct story;
struct teller;

struct story_def {
    const char *name, *title;
    const char *shows; // a paragraph
    void (*tell)(struct story *story);
    bool outside;                            // the payment provider is outside: tests/sim/provider_sim.h
    int64_t deadline_ms, provider_key_hours; // 0: those of topology.toml
};

struct story_options {
    uint16_t actors; // of each kind; 0: one
    size_t cache_bytes;
    uint64_t crash_at;       // as the world's
    uint64_t crash_again_at; // this point after the crash does not happen either; 0: it does
    uint64_t write_fails_at;
    uint16_t start_crash_at; // after that crash: as the world's
    struct teller *teller;   // NULL: nobody listens
};

// What a client said, and what it heard first.
struct said {
    struct said *next; // older
    const char *who, *id, *key;
    const struct message_def *def;
    struct bytes frame;
    int64_t at;
    const char *status; // "": no answer yet
    struct bytes body;
};

struct story {
    const struct story_def *def;
    struct story_options options;
    struct world *world;
    struct provider_sim provider;
    struct model model;
    struct finding finding;
    struct coverage coverage;
    struct said *said; // newest first
    uint32_t said_count;
    bool stalled[KIND_COUNT], has_stalled;
    bool repeating; // everything is said once more at the end
    struct {
        const char *id;
        enum order_step step;
    } orders[STORY_ORDERS_MAX]; // as decided
    uint64_t points, commits;   // of the world, when the story had been told
    uint64_t points_at_crash;   // the last
    struct buffer broken;       // lines: what is not as it must be
    struct arena arena;
};

// Runs it to its end and judges it. The caller frees it.
struct story *story_run(const struct story_def *def, const struct story_options *options);
void story_free(struct story **story);
static inline bool story_holds(const struct story *story)
{
    return story->broken.size == 0;
}

// ---- what a story's function says

// Under an id of its own. `body` as for world_say.
const struct said *story_say(struct story *story, const char *who, enum message_type type, const char *key,
                             const void *body);
// Time passes; everything that can happen happens.
void story_pass(struct story *story, int64_t us);
// Just until the order's step, or its payment's state, is this. It must come to that by itself within a second, unless
// a crash has sent it another way.
void story_until_order(struct story *story, const char *order_id, const char *step);
void story_until_payment(struct story *story, const char *order_id, const char *state);
// Just until the provider's book has the order's capture.
void story_until_captured(struct story *story, const char *order_id);
// Actors of this kind take no turn: their disk hangs.
void story_stall(struct story *story, enum kind_id kind, bool stalled);
void story_kill(struct story *story);
// The process ends and stays so for this long.
void story_be_off(struct story *story, int64_t us);
// A sentence of the story, for its readers.
void story_note(struct story *story, const char *text);

// ---- what must be true

void story_expect(struct story *story, bool true_, const char *format, ...) __attribute__((format(printf, 3, 4)));
void story_expect_answer(struct story *story, const struct said *said, const char *status);
// The order's status, as stored.
void story_expect_order(struct story *story, const char *order_id, const char *status);
void story_expect_stock(struct story *story, const char *sku, int64_t on_hand, int64_t reserved, int64_t committed);
// By the provider's book.
void story_expect_money(struct story *story, const char *order_id, int64_t captured, int64_t refunded);
// "": there is no such order.
const char *story_order_status(struct story *story, const char *order_id);
