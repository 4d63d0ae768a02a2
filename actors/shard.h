// SPDX-License-Identifier: Apache-2.0
// What one actor owns, and the turn over it: decode, load, decide, persist. No socket, no thread, no clock: the live
// actor, replay and the simulator run the same code. Owned by one thread.
//
//   T1  a turn's changes are one batch: records, remembered replies, due rows, the log row
//   T2  what the turn wants to leave waits in the outbox; the owner delivers it only after shard_turn returned FAULT_NONE
//   T3  a message is logged iff it changed something; reads and refusals leave no trace
//   T4  before a message meets an entity, what is due on it has ended, as logged messages of their own
//   T5  while nothing new is taken, what a client's NEW command decided is thrown away and the client told so: answers
//       that exist already are given, and what is open goes on
//   T6  an entity in quarantine is not looked at: clients are told so, peers and the runtime hear nothing
//   T7  a turn's work is bounded besides by the number of its messages: by what it wants to leave, by the memory it
//       takes, by what it reads of the log (turn_full); at least one message is decided
//   T8  a client that has been promised as many bytes as may wait for it (codec/room.h) is told `busy` before the decision
#pragma once

#include "actors/confined.h"
#include "actors/kinds/kind.h"
#include "actors/outbox.h"
#include "actors/overlay.h"
#include "actors/timers.h"
#include "actors/waiters.h"
#include "store/keys.h"
#include "store/log.h"

// One message to decide.
struct incoming {
    enum log_origin origin;
    uint8_t flags;        // CLIENT: PARCEL_*
    struct bytes route;   // CLIENT
    struct entity sender; // PEER
    struct bytes request; // [1, id, type, key, body(, meta)]
};

struct shard_options {
    const struct kind *kind;
    struct actor_id actor;
    struct store *store;
    const struct settings *settings; // the caller keeps it
    const struct owner_map *owners;  // likewise
    struct log_row tail;             // where the log ends (log_tail); seq 0: empty
    struct bytes quarantine;         // of the epoch (store/log.h); only while opening
    struct outbox *outbox;           // NULL: nobody is told (replay)
    uint64_t epoch;                  // that its turns belong to, until one is begun (shard_begin_epoch)
    bool replay;                     // what is due comes as logged messages; admission does not refuse
    bool no_log;                     // the log's rows are not written (replay: they are there already)
    // Told of each message that its handler decided, before the next one; NULL: nobody. `logged`: it changed something.
    void (*witness)(void *context, const struct incoming *in, enum status status, const struct effects *effects,
                    bool logged);
    void *witness_context;
    const _Atomic int *closed; // enum status that NEW commands get, read once a turn; ok, or NULL: they are taken
    uint32_t waiters_max;
    uint32_t holds_due_max; // how many end in one turn; 0: HOLDS_DUE_MAX
    size_t cache_bytes; // for rows touched lately; 0: none (when several shards share a store)
    _Atomic int64_t *horizon; // moved to each turn's time once it is durable; may be NULL
};

struct shard {
    struct shard_options options;
    const struct kind *kind;
    struct arena arena; // of the turn
    struct overlay overlay;
    struct cache *cache;
    struct effects effects;
    struct confined *confined; // NULL: nothing is in quarantine, of whatever kind
    struct timers *timers;
    struct waiters *waiters;
    struct weight weight; // of all open records, but for what is in quarantine
    uint64_t epoch;       // that its turns belong to
    uint64_t seq, chain;  // of the last log row
    int64_t at;           // of the last turn
    uint64_t turns, messages, reasks;
    int64_t expires_left; // in this turn
    enum status closed;   // likewise
    size_t log_read;      // likewise: bytes of the log, for events.read
    struct log_turn turn; // what this turn logs; lives until the next
    uint32_t messages_capacity, events_capacity;
    struct due_list *due; // what falls due by this turn, by entity
    struct touched *touched; // entities with waiters that this turn changed
    struct buffer scratch, key;
};

// Reads what is open: weighs it and sets its timers. The caller then sends each a `resume` (shard_resume).
enum fault shard_open(const struct shard_options *options, struct shard **shard);
void shard_close(struct shard **shard);

// One turn. `consumed` messages of `incoming` were decided; the rest belongs into the next turn. A fault: nothing is
// known of the turn, end the process.
enum fault shard_turn(struct shard *shard, int64_t at, const struct incoming *incoming, uint32_t count,
                      uint32_t *consumed, struct fault_text *text);
// The turn's time for a clock reading: max(previous + 1 µs, clock).
int64_t shard_time(const struct shard *shard, int64_t clock);

// Takes due timers as messages: requests one behind the other in `out`, where each ends in `ends`; at most `max`.
uint32_t shard_timers(struct shard *shard, int64_t now, uint32_t max, struct buffer *out, size_t ends[]);
// When the shard wants a turn of its own accord: a timer or a waiter. INT64_MAX: never.
int64_t shard_next(const struct shard *shard);
// Answers who waits with the view as it stands, as many as fit into a turn; false: nobody waits any more.
bool shard_dismiss(struct shard *shard);
// `resume` for each open record, by age: appended to `out` as one request behind the other, and to `lines` (may be NULL)
// how many lines each asks again, an int64_t; returns how many.
uint32_t shard_resume(struct shard *shard, struct buffer *out, struct buffer *lines, enum fault *fault);
// First log row of an epoch; committed.
enum fault shard_begin_epoch(struct shard *shard, const struct log_epoch *epoch, struct fault_text *text);

// ---- for the turn's own files: shard.c, shard_load.c, shard_apply.c, shard_events.c, shard_open.c

struct decision {
    const struct incoming *in;
    struct request request;
    const struct message_def *def; // NULL: refused already
    void *body;
    struct bytes entity; // E (store/keys.h)
    struct bytes remembered; // row key; empty: not remembered
    struct bytes fingerprint;
    enum status refused; // def NULL: what its client is told; ok: nothing
    struct bytes refusal;
};

// What this thread is deciding, for one that dies of it (actors/dying.h); NULL: nothing.
void shard_deciding(const struct decision *decision);
const struct decision *shard_decided_now(void);
// Envelope and body; plans the loads. A refusal leaves def NULL and is kept until it is the message's turn.
void decision_read(struct shard *shard, const struct incoming *in, struct decision *decision);
// What `given` the handler gets.
void decision_load(struct shard *shard, const struct decision *decision, struct given *given);
// Ends what is due on the entity. false: the turn's share of endings is used up.
bool decision_expire(struct shard *shard, const struct decision *decision);
// Effects of one message into overlay, outbox, log.
void decision_apply(struct shard *shard, const struct decision *decision, enum status status);
void decision_answer(struct shard *shard, const struct decision *decision, enum status status, struct bytes body);
// T5. true: the client was told; the message has no effect.
bool decision_turned_away(struct shard *shard, const struct decision *decision, enum status status);
void shard_weigh(struct shard *shard, struct bytes record, int sign, struct arena *arena);
int64_t shard_remembers_until(const struct shard *shard); // what is decided in this turn, unless the client says less
void due_flush(struct shard *shard, struct bytes entity); // empty: all
void waiters_settle(struct shard *shard);
void view_answer(struct shard *shard, struct bytes key, const struct waiter *waiter);
bool view_at_rest(struct shard *shard, struct bytes key);
enum status shard_events_read(struct shard *shard, const struct events_read *body, struct buffer *reply);
struct bytes shard_key(struct shard *shard, struct bytes entity, struct bytes rest); // in the turn's arena
