// SPDX-License-Identifier: Apache-2.0
// The vocabulary of message.def and event.def as structs and tables. A message's number is its enum value.
// Any thread.
#pragma once

#include "codec/ids.h"
#include "codec/schema.h"
#include "codec/status.h"

// The order of these includes matters.
// clang-format off
#include "codec/shape_struct.h"
#include "codec/message.def"
#include "codec/shape_done.h"

enum message_type {
    MESSAGE_NONE,
#define MESSAGE(number, kind, verb, body, reply, audience, effect, once, loads) MESSAGE_##kind##_##verb = number,
#include "codec/shape_none.h"
#include "codec/message.def"
#include "codec/shape_done.h"
#undef MESSAGE
    MESSAGE_NUMBER_MAX = 127,
};

enum audience { AUDIENCE_PUBLIC, AUDIENCE_PEER };
enum effect_class { EFFECT_COMMAND, EFFECT_NEW, EFFECT_READ };
enum once { ONCE_BY_ID, ONCE_BY_REQUEST, ONCE_ANY };
enum loads { LOADS_HEAD, LOADS_CHILD, LOADS_PAGE, LOADS_DUE, LOADS_CONTENT };

struct message_def {
    enum message_type type;
    const char *name; // "inventory.reserve"
    enum kind_id kind; // KIND_COUNT: answered by the runtime (events.read, souk.status)
    enum audience audience;
    enum effect_class effect;
    enum once once;
    enum loads loads;
    const char *loads_field; // LOADS_CHILD: the body's ID field that names the child
    const struct shape *(*body)(void);
    const struct shape *(*reply)(void);
};

// NULL: no such type or number.
const struct message_def *message_by_name(struct bytes type);
const struct message_def *message_by_number(uint32_t number);
// In the order of message.def; NULL after the last.
const struct message_def *message_at(size_t index);

enum event_type {
#define EVENT(number, name, data) EVENT_##name = number,
#include "codec/event.def"
#undef EVENT
    EVENT_NUMBER_MAX = 63,
};
struct event_def {
    enum event_type type;
    const char *name;
    const struct shape *(*data)(void);
};
const struct event_def *event_by_number(uint32_t number);
