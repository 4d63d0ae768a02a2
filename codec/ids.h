// SPDX-License-Identifier: Apache-2.0
// Names of things: kinds, keys, slots. A key names one entity of a kind; a slot is one of 1024 shares of a kind's keys.
// slot = XXH3_64bits(key bytes, seed 0) mod 1024 (xxhash.com, XXH3). Any thread.
#pragma once

#include "codec/bytes.h"

enum { KEY_SIZE_MAX = 128, REQUEST_ID_SIZE_MAX = 64, SLOT_COUNT = 1024 };

enum kind_id { KIND_CATALOG, KIND_INVENTORY, KIND_CART, KIND_ORDER, KIND_PAYMENT, KIND_SANDBOX, KIND_COUNT };

const char *kind_name(enum kind_id kind);
// false: no such kind.
bool kind_of_name(struct bytes name, enum kind_id *kind);

struct actor_id {
    enum kind_id kind;
    uint16_t index;
};

// "inventory/0"
bool actor_id_parse(struct bytes text, struct actor_id *actor);
struct actor_name {
    char text[32];
};
struct actor_name actor_id_name(struct actor_id actor);

// One entity: what a message is addressed to and what an answer goes back to.
struct entity {
    enum kind_id kind;
    struct bytes key;
};

uint16_t slot_of(struct bytes key);
uint64_t hash_of(struct bytes bytes); // XXH3_64bits, seed 0

// 1–max bytes of UTF-8 (no surrogates, no overlong forms) without control characters (C0, DEL, C1).
bool key_valid(struct bytes key, size_t max);
// UTF-8 without NUL; line breaks and tabs allowed.
bool text_valid(struct bytes text);
