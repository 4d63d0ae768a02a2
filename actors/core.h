// SPDX-License-Identifier: Apache-2.0
// An actor without its thread, sockets and clock: a shard, what waits to be decided, what is to be delivered. actor.c
// puts it on a thread between sockets; the simulator steps it between queues. Owned by one thread.
//
//   select → turn → deliver     nothing is delivered before its turn is durable
//
// What goes on of its own accord, open orders after a start (by age) and timers, waits while as many lines are asked as
// lines_in_flight_max says. Answers make room; after CORE_PATIENCE_US without any message one goes on all the same, since
// an answer may never come (quarantine).
//
// At most ¾ of a turn is for peers (finish what was started) while clients wait. Messages that a turn leaves undecided
// are put aside (actors/aside.h) and every second turn is theirs: who waits for much work on one entity keeps no other
// waiting. Messages of one entity are never reordered.
#pragma once

#include "actors/aside.h"
#include "actors/inbox.h"
#include "actors/shard.h"

enum { CORE_TIMERS_MAX = 256, CORE_PATIENCE_US = 1000000 };

// The wires around an actor.
struct core_wires {
    void *context;
    bool (*take)(void *context, enum inbox_lane lane, struct parcel *parcel); // inbox_take
    void (*release)(void *context);                                          // inbox_release
    void (*deliver)(void *context, struct outbox *outbox); // sends its frames; the core clears it
};

struct core_options {
    struct shard_options shard; // store, kind …; tail and outbox are the core's own
    struct core_wires wires;
    struct room *room; // of replies; may be NULL
    uint16_t number;   // the broker's
    uint32_t turn_messages_max;
};

struct core {
    struct core_options options;
    struct shard *shard;
    struct outbox outbox;
    struct incoming *list; // of this turn
    uint32_t count;
    struct aside *aside; // what turns have left
    bool aside_now;      // this turn is theirs
    struct buffer timers; // bytes of the runtime's own messages in the list
    size_t timer_ends[CORE_TIMERS_MAX];
    struct buffer resume; // what the start asks again, not yet all in a turn
    struct cursor resume_left;
    struct buffer resume_lines; // how many lines each asks
    uint32_t resumed;
    int64_t lines_left; // of orders that have not been asked again
    int64_t moved_at;   // when a turn last had a message
    struct parcel_credit credit;
};

// Opens the shard. FAULT_NONE, or its log or open records cannot be read; core_close in any case.
enum fault core_open(struct core *core, const struct core_options *options);
// Then: begins the epoch, gathers what is asked again. `text` empty: open records cannot be read.
enum fault core_begin(struct core *core, const struct log_epoch *epoch, struct fault_text *text);
void core_close(struct core *core);

// When there is something to do without a message: INT64_MAX never, INT64_MIN now.
int64_t core_next(const struct core *core);
// Selects what the next turn decides; false: nothing, and no timer or waiter is due.
bool core_select(struct core *core, int64_t now);
// Decides it and delivers. A fault: the outcome is unknown, nothing was delivered; end the process.
enum fault core_turn(struct core *core, int64_t now, struct fault_text *text);
// Delivers what stands in the outbox, and the credit.
void core_deliver(struct core *core);
