// SPDX-License-Identifier: Apache-2.0
// The tables of message.def and event.def. Numbers and names are unique at compile time: an enumerator or a designated
// initializer given twice does not compile.
#include "codec/message.h"

// The order of these includes matters.
// clang-format off
#include "codec/shape_table.h"
#include "codec/message.def"
#include "codec/shape_done.h"

enum { KIND_events = KIND_COUNT, KIND_souk = KIND_COUNT };
#define KIND_catalog KIND_CATALOG
#define KIND_inventory KIND_INVENTORY
#define KIND_cart KIND_CART
#define KIND_order KIND_ORDER
#define KIND_payment KIND_PAYMENT
#define KIND_sandbox KIND_SANDBOX

// `loads` is a word or a call: LOADS_HEAD is the enumerator, LOADS_CHILD(field) this macro.
#define LOADS_CHILD(field) LOADS_CHILD, .loads_field = #field

static const struct message_def messages[] = {
#define MESSAGE(number, kind_, verb, body_, reply_, audience_, effect_, once_, loads_)                                 \
    {                                                                                                                  \
        .type = MESSAGE_##kind_##_##verb,                                                                              \
        .name = #kind_ "." #verb,                                                                                      \
        .kind = (enum kind_id)KIND_##kind_,                                                                            \
        .audience = AUDIENCE_##audience_,                                                                              \
        .effect = EFFECT_##effect_,                                                                                    \
        .once = ONCE_##once_,                                                                                          \
        .loads = LOADS_##loads_,                                                                                       \
        .body = body_##_shape,                                                                                         \
        .reply = reply_##_shape,                                                                                       \
    },
#include "codec/shape_none.h"
#include "codec/message.def"
#include "codec/shape_done.h"
#undef MESSAGE
};

enum { MESSAGE_COUNT = sizeof messages / sizeof *messages };

// Where in the table each message stands.
enum {
#define MESSAGE(number, kind, verb, ...) PLACE_##kind##_##verb,
#include "codec/shape_none.h"
#include "codec/message.def"
#include "codec/shape_done.h"
#undef MESSAGE
};

static const uint8_t place_by_number[MESSAGE_NUMBER_MAX + 1] = {
#define MESSAGE(number, kind, verb, ...) [number] = PLACE_##kind##_##verb + 1,
#include "codec/shape_none.h"
#include "codec/message.def"
#include "codec/shape_done.h"
#undef MESSAGE
};

// By name: an open table of places + 1, filled before main, since the broker asks it for every request.
enum { NAME_SLOTS = 256 };
_Static_assert(MESSAGE_COUNT * 2 <= NAME_SLOTS, "at least half of the slots stay empty");
static uint8_t place_by_name[NAME_SLOTS];

// Where the name stands or would stand.
static uint8_t *name_slot(struct bytes name)
{
    size_t slot = hash_of(name) % NAME_SLOTS;
    while (place_by_name[slot] && !bytes_equal(name, bytes_text(messages[place_by_name[slot] - 1].name)))
        slot = (slot + 1) % NAME_SLOTS;
    return &place_by_name[slot];
}

static __attribute__((constructor)) void names_index(void)
{
    for (size_t i = 0; i < MESSAGE_COUNT; i++)
        *name_slot(bytes_text(messages[i].name)) = (uint8_t)(i + 1);
}

const struct message_def *message_by_name(struct bytes type)
{
    uint8_t place = *name_slot(type);
    return place ? &messages[place - 1] : NULL;
}

const struct message_def *message_by_number(uint32_t number)
{
    if (number > MESSAGE_NUMBER_MAX || !place_by_number[number])
        return NULL;
    return &messages[place_by_number[number] - 1];
}

const struct message_def *message_at(size_t index)
{
    return index < MESSAGE_COUNT ? &messages[index] : NULL;
}

static const struct event_def events[EVENT_NUMBER_MAX + 1] = {
#define EVENT(number, name_, data_) [number] = {.type = number, .name = #name_, .data = data_##_shape},
#include "codec/event.def"
#undef EVENT
};

const struct event_def *event_by_number(uint32_t number)
{
    return number <= EVENT_NUMBER_MAX && events[number].name ? &events[number] : NULL;
}
