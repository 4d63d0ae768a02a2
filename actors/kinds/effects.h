// SPDX-License-Identifier: Apache-2.0
// The effect list: all a handler can want done. Appending copies (encodes) what it is given into the list's arena.
// Nothing happens until the turn is durable; a refusal (status other than ok) throws the list of its message away,
// unless the handler said effects_keep (a refused order is a record). Owned by the actor's thread for one message.
#pragma once

#include "codec/record.h"

enum effect_type {
    EFFECT_PUT,      // a record of this entity
    EFFECT_DELETE,   // likewise
    EFFECT_SEND,     // a message to another entity; its answer (if any) comes back as this entity's `answer` message
    EFFECT_EVENT,    // for readers outside
    EFFECT_WAKE,     // this entity's one timer: a `wake` message at or after `at`; 0 cancels
    EFFECT_PROVIDER, // an operation at the payment provider; the outcome comes back as payment.outcome
    EFFECT_DUE,      // this child falls due at `at`; the runtime writes one due row for an entity and turn
    EFFECT_REASK,    // counts: an open step was asked again by the safety timer
};

// Where a record of the handler's own entity lives.
enum place { PLACE_HEAD, PLACE_OPEN, PLACE_CHILD, PLACE_DUE };

struct effect {
    enum effect_type type;
    enum place place;     // PUT, DELETE
    struct bytes child;   // PUT, DELETE, DUE: child id; DELETE of PLACE_DUE: the due row's key rest
    struct bytes value;   // PUT: record; SEND, EVENT, PROVIDER: body (msgpack map)
    struct entity target; // SEND
    uint32_t message;     // SEND: enum message_type; EVENT: enum event_type
    int64_t at;           // WAKE, DUE
};

struct effects {
    struct arena *arena;
    struct buffer scratch;
    struct effect *list;
    uint32_t count, capacity;
    struct bytes reply; // body of the answer; empty: {} (or the refusal's default body)
    bool kept;          // effects_keep
    bool wait;          // effects_wait
};

void effects_init(struct effects *effects, struct arena *arena);
void effects_deinit(struct effects *effects);
// For the next message: forgets everything, keeps memory.
void effects_reset(struct effects *effects);

void effects_put(struct effects *effects, enum place place, struct bytes child, const struct shape *shape,
                 const void *record, int64_t forget_at);
void effects_delete(struct effects *effects, enum place place, struct bytes child);
void effects_send(struct effects *effects, enum message_type message, struct bytes key, const void *body);
void effects_event(struct effects *effects, enum event_type event, const void *data);
void effects_wake(struct effects *effects, int64_t at);
void effects_provider(struct effects *effects, const struct provider_operation *operation);
void effects_due(struct effects *effects, struct bytes child, int64_t at);
void effects_reask(struct effects *effects);

// The answer's body. At most once for a message.
void effects_reply(struct effects *effects, const struct shape *shape, const void *body);
// A refusal's body: {field?, message, …}. `facts` (may be NULL) is a shape's struct whose fields are added.
void effects_refuse(struct effects *effects, const char *field, const char *message, const struct shape *facts_shape,
                    const void *facts);
// Do it although the status is a refusal.
void effects_keep(struct effects *effects);
// No answer now: the client gets this entity's view when it comes to rest, or as it stands when its time is up.
void effects_wait(struct effects *effects);
