// SPDX-License-Identifier: Apache-2.0
// Names of kinds and actors, slots of keys, and the one judge of UTF-8. Eight bytes at a time are accepted while they
// are plain ASCII; the rest goes through the well-formed sequences of the Unicode Standard, table 3-7.
#include "codec/ids.h"

#include "codec/check.h"

#include <stdio.h>

#include <xxhash.h>

static const char *const kind_names[KIND_COUNT] = {
    [KIND_CATALOG] = "catalog", [KIND_INVENTORY] = "inventory", [KIND_CART] = "cart",
    [KIND_ORDER] = "order",     [KIND_PAYMENT] = "payment",     [KIND_SANDBOX] = "sandbox",
};

const char *kind_name(enum kind_id kind)
{
    CHECK((unsigned)kind < KIND_COUNT, "%d", (int)kind);
    return kind_names[kind];
}

bool kind_of_name(struct bytes name, enum kind_id *kind)
{
    for (int i = 0; i < KIND_COUNT; i++) {
        if (bytes_equal(name, bytes_text(kind_names[i]))) {
            *kind = (enum kind_id)i;
            return true;
        }
    }
    return false;
}

// One spelling for each number: no sign, no leading zero.
static bool index_parse(struct bytes digits, uint16_t *index)
{
    unsigned value = 0;
    if (!digits.size || digits.size > 4 || (digits.size > 1 && digits.at[0] == '0'))
        return false;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9')
            return false;
        value = value * 10 + (digits.at[i] - '0');
    }
    *index = (uint16_t)value;
    return value < SLOT_COUNT;
}

bool actor_id_parse(struct bytes text, struct actor_id *actor)
{
    struct actor_id parsed;
    const uint8_t *slash = text.size ? memchr(text.at, '/', text.size) : NULL;
    if (!slash)
        return false;
    struct bytes kind = bytes_of(text.at, (size_t)(slash - text.at));
    struct bytes index = bytes_of(slash + 1, text.size - kind.size - 1);
    if (!kind_of_name(kind, &parsed.kind) || !index_parse(index, &parsed.index))
        return false;
    *actor = parsed;
    return true;
}

struct actor_name actor_id_name(struct actor_id actor)
{
    struct actor_name name;
    snprintf(name.text, sizeof name.text, "%s/%u", kind_name(actor.kind), (unsigned)actor.index);
    return name;
}

uint64_t hash_of(struct bytes bytes)
{
    return XXH3_64bits(bytes.at, bytes.size);
}

uint16_t slot_of(struct bytes key)
{
    return (uint16_t)(hash_of(key) % SLOT_COUNT);
}

#define EACH_BYTE(byte) (0x0101010101010101u * (uint64_t)(byte))

static inline bool any_below(uint64_t word, uint8_t limit)
{
    return ((word - EACH_BYTE(limit)) & ~word & EACH_BYTE(0x80)) != 0;
}

// All eight bytes are ASCII and allowed.
static inline bool word_plain(const uint8_t *at, uint8_t lowest, bool controls)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    if ((word & EACH_BYTE(0x80)) || any_below(word, lowest))
        return false;
    return controls || !any_below(word ^ EACH_BYTE(0x7f), 1);
}

static inline bool between(uint8_t byte, uint8_t low, uint8_t high)
{
    return byte >= low && byte <= high;
}

// Length of the well-formed sequence of two bytes or more at `at`; 0: none.
static size_t sequence_size(const uint8_t *at, size_t left, bool controls)
{
    uint8_t lead = at[0];
    size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || left < size)
        return 0;
    uint8_t low = 0x80, high = 0xbf;
    if (lead == 0xc2 && !controls)
        low = 0xa0; // C1
    if (lead == 0xe0)
        low = 0xa0; // overlong
    if (lead == 0xed)
        high = 0x9f; // surrogates
    if (lead == 0xf0)
        low = 0x90; // overlong
    if (lead == 0xf4)
        high = 0x8f; // beyond U+10FFFF
    if (!between(at[1], low, high))
        return 0;
    for (size_t i = 2; i < size; i++) {
        if (!between(at[i], 0x80, 0xbf))
            return 0;
    }
    return size;
}

static bool utf8_valid(struct bytes text, bool controls)
{
    uint8_t lowest = controls ? 0x01 : 0x20;
    for (size_t i = 0; i < text.size;) {
        const uint8_t *at = text.at + i;
        size_t left = text.size - i;
        if (left >= sizeof(uint64_t) && word_plain(at, lowest, controls)) {
            i += sizeof(uint64_t);
            continue;
        }
        if (*at < 0x80) {
            if (*at < lowest || (*at == 0x7f && !controls))
                return false;
            i++;
            continue;
        }
        size_t size = sequence_size(at, left, controls);
        if (!size)
            return false;
        i += size;
    }
    return true;
}

bool key_valid(struct bytes key, size_t max)
{
    return key.size >= 1 && key.size <= max && utf8_valid(key, false);
}

bool text_valid(struct bytes text)
{
    return utf8_valid(text, true);
}
