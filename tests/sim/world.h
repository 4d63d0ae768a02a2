// SPDX-License-Identifier: Apache-2.0
// One shop as data: every actor of a topology (actors/core.h) over the memory store, the broker's intake, and wires that
// move a frame only when they are told to. One thread, a clock that stands still unless it is set, nothing random: the
// same calls give the same bytes. What decides, routes, selects, commits and delivers is production code; here are only
// the wires between.
//
//   W1  a process has crashed: stores keep what was committed, everything else of it is gone; world_start goes on
//   W2  what left the process (replies to clients, calls that a provider took) is beyond its crash
//   W3  between two places frames are first in, first out; between pairs there is no order but the caller's
//
// A scripted story: say, run until nothing moves, look.
//
//     struct world *world = world_new(&(struct world_options){0});    // one actor of each kind, the sandbox
//     world_say(world, "r1", MESSAGE_inventory_receive, "mug", &(struct inventory_receive){.quantity = 5});
//     world_run(world);
//     world_status(world, "r1")                                       // "ok"
//     world->crash_at = 7;                                            // the 7th point does not happen any more
//     world_say(world, "o1", MESSAGE_order_place, "O-1", &place);
//     world_run(world);                                               // stops when it crashed: !world->up
//     world_start(world);                                             // the next epoch
//     world_advance(world, 900 * 1000000LL); world_run(world);        // deadlines
//     world_free(&world);
//
// Points: each commit, each frame from one place to another, each reply that leaves. world->points counts them; to crash
// at every one, run once to count them, then once for each n with crash_at = n. write_fails_at = n: the n-th commit
// fails (world->commits counts them).
//
// A driver of its own (random, step by step) does not call world_run but: world_receive (a client's frame arrives),
// world_move (one frame from place to place), world_turn (an actor takes what has arrived), world_connector,
// world_crash and world_start, and sets world->clock.
#pragma once

#include "actors/core.h"
#include "broker/intake.h"
#include "cli/databases.h"
#include "provider/provider.h"
#include "store/shop.h"
#include "tests/sim/memory_shelf.h"
#include "tests/sim/queue.h"

enum { WORLD_ACTORS_MAX = 5, WORLD_PLACES = KIND_COUNT * WORLD_ACTORS_MAX + 2 };
#define WORLD_STARTED_AT INT64_C(1700000000000000)

// Places frames go between: actors by their number (the broker's), then these two.
enum { WORLD_BROKER = WORLD_PLACES - 2, WORLD_CONNECTOR = WORLD_PLACES - 1 };

// A message that its handler decided, told when its turn is durable and before anything of it is delivered. What it
// points to lives until the next turn.
struct world_decision {
    struct actor_id actor;
    int64_t at; // the turn's time
    struct incoming in;
    struct request request; // read
    const struct message_def *def;
    enum status status;
    const struct effect *effects; // done if status is ok or `kept`
    uint32_t effects_count;
    struct bytes reply;
    bool kept, waits;
    bool logged; // it changed something
    struct weight open; // of the actor, afterwards
};

// Each may be NULL.
struct world_witness {
    void *context;
    void (*decided)(void *context, const struct world_decision *decision);
    void (*turned)(void *context, uint16_t number);              // and all its decisions were told
    void (*sent)(void *context, uint16_t from, uint16_t to);     // a frame waits in this pipe
    void (*arrived)(void *context, uint16_t from, uint16_t to, const struct parcel *parcel);
    void (*called)(void *context, const struct provider_call *call); // at a provider outside
    void (*replied)(void *context, struct bytes route, struct bytes id, struct bytes status, struct bytes body);
    void (*crashed)(void *context);
    void (*started)(void *context);
};

struct world_options {
    uint16_t actors[KIND_COUNT]; // 0: one
    struct settings settings;    // limits are one actor's; remember_hours 0: those of topology.toml
    uint32_t turn_messages_max, waiters_max; // 0: 1024, 1000
    size_t cache_bytes;
    uint64_t commands_in_flight_max; // one actor's; 0: plenty
    const struct provider *provider; // outside; NULL: the sandbox. Only begin and collect are called
    void *provider_self;
    struct world_witness witness;
};

struct world_actor {
    struct world *world;
    struct actor_id id;
    uint16_t number;
    struct store *store;
    _Atomic int64_t *horizon; // the store's
    struct core core;
    bool open;
    struct queue lanes[INBOX_LANES]; // arrived
    struct cursor cursors[INBOX_LANES];
    struct queue spent;
    uint64_t commits; // before the turn under way
};

// How a process ended.
enum world_death {
    DEATH_KILLED,          // between two calls
    DEATH_BEFORE_COMMIT,   // a turn was decided and never written
    DEATH_WRITE,           // its write failed
    DEATH_BEFORE_DELIVERY, // durable, and nothing left
    DEATH_AMID_DELIVERY,   // durable, and some left
    DEATH_IN_BROKER,
    DEATH_STARTING, // a write of the start failed
    DEATHS
};
extern const char *const world_death_names[DEATHS];

struct world {
    struct world_options options;
    int64_t clock; // µs; set it as you like
    bool up;
    uint64_t epoch;
    uint64_t points, commits; // since the world began
    uint64_t crash_at;        // this point does not happen, the process ends; 0: none
    uint64_t write_fails_at;  // this commit fails; 0: none
    uint16_t start_crash_at;  // the next start ends before this actor (1: the first) has begun its epoch; 0: it does not
    uint64_t crashes, turns, messages, reasks;

    struct memory_shelf shelf;
    struct shop *shop;             // while it is up
    struct owner_map wanted;       // the next start reshapes to this; change it while the process is down
    struct owner_map owners, ever; // as the shop's record has them (store/shop.h)
    struct world_actor *actors;    // one for each database there ever was; the last of a kind may own nothing
    uint16_t actors_count;
    struct log_epoch log_epoch;
    struct buffer quarantine; // of the next epoch; change it while the process is down
    struct queue pipes[WORLD_PLACES][WORLD_PLACES]; // [from][to]
    bool dying;                                     // within a call: the process has ended
    enum world_death death;                         // the last one

    struct front front; // outgoing.c sends through it; front_send is the world's own
    struct drops drops;
    struct broker_options broker;
    struct lanes lanes;
    struct intake *intake;
    struct outgoing *outgoing;
    struct queue connector;

    struct world_decision *decisions; // of the turn under way
    uint32_t decisions_count, decisions_capacity;
    const struct core *deciding; // whose turn is under way; NULL: none

    struct arena texts; // of what world_say and world_status made
    struct world_reply {
        struct bytes id, status, body;
        struct world_reply *next;
    } *replies; // newest first, while `keep_replies`
    bool keep_replies;
};

// The process is up, in epoch 1.
struct world *world_new(const struct world_options *options);
void world_free(struct world **world);
void world_crash(struct world *world);
// Opens the shop, reshapes it to what is wanted, begins an epoch. Not up: it was told to crash (start_crash_at), or a
// write failed (shelf.fails_open).
void world_start(struct world *world);

// ---- step by step; each does nothing while the process is down

// A client's frame arrives.
void world_receive(struct world *world, struct bytes route, struct bytes frame);
// The oldest frame of a pipe arrives; false: there is none.
bool world_move(struct world *world, uint16_t from, uint16_t to);
// One turn of an actor over what has arrived; at most `max` messages (0: as many as a turn may). false: nothing to do.
bool world_turn(struct world *world, uint16_t number, uint32_t max);
// When an actor wants a turn: INT64_MIN now, INT64_MAX not by itself.
int64_t world_due(const struct world *world, uint16_t number);
// The provider outside gets what has arrived for it, and its finished operations go on their way.
void world_connector(struct world *world);

// ---- scripts

// A request arrives from the client of this route; `body` is the struct of the message (NULL: empty).
void world_say_from(struct world *world, const char *route, const char *id, enum message_type type, const char *key,
                    const void *body);
void world_say(struct world *world, const char *id, enum message_type type, const char *key, const void *body);
// Moves and turns everything, in one fixed order, until nothing is left to do at this clock, or the process ended.
void world_run(struct world *world);
// The same, then sets the clock to what falls due next, again and again until nothing does before clock + us.
void world_advance(struct world *world, int64_t us);
// The newest answer's status; "" if there is none.
const char *world_status(struct world *world, const char *id);
struct bytes world_body(struct world *world, const char *id);

// ---- looking

uint16_t world_owner(const struct world *world, enum kind_id kind, struct bytes key); // its actor's number
const char *world_place_name(const struct world *world, uint16_t place, char text[static 32]);
// A record as committed; false: absent. What it borrows lives in the arena.
bool world_record(const struct world *world, enum kind_id kind, enum family family, struct bytes key,
                  struct bytes child, const struct shape *shape, void *record, struct arena *arena);
// For tools that read stores (audit, replay).
void world_databases(const struct world *world, struct databases *databases);
