// SPDX-License-Identifier: Apache-2.0
// Keys of rows. What is read as one is what our own writer makes of its parts.
#include "fuzz.h"

#include "store/keys.h"

static void take_entity(struct bytes input)
{
    struct bytes key, rest;
    uint16_t slot;
    struct buffer again = {0}, first = {0}, behind = {0};
    if (keys_read_entity(input, &slot, &key, &rest)) {
        CHECK(slot < SLOT_COUNT && slot == slot_of(key), "slot %u", slot);
        keys_child(&again, key, rest);
        CHECK(bytes_equal(input, buffer_bytes(&again)), "%zu bytes", input.size);
        keys_slot(&first, slot);
        keys_slot(&behind, slot + 1u);
        CHECK(bytes_compare(buffer_bytes(&first), input) < 0 && bytes_compare(input, buffer_bytes(&behind)) < 0, "slot %u",
              slot);
    }
    buffer_deinit(&again);
    buffer_deinit(&first);
    buffer_deinit(&behind);
}

static void take_seq(struct bytes input)
{
    uint64_t seq;
    struct buffer again = {0};
    if (keys_read_seq(input, &seq)) {
        keys_seq(&again, seq);
        CHECK(bytes_equal(input, buffer_bytes(&again)), "%llu", (unsigned long long)seq);
    }
    buffer_deinit(&again);
}

// Any bytes as a client's key: the row made of it is read as it again, and nothing of it lies behind its end.
static void take_as_key(struct bytes input)
{
    struct bytes key, rest, child = BYTES("child");
    uint16_t slot;
    struct buffer row = {0}, behind = {0};
    if (!key_valid(input, KEY_SIZE_MAX))
        return;
    keys_entity(&row, input);
    keys_after(&behind, buffer_bytes(&row));
    buffer_append(&row, child.at, child.size);
    CHECK(keys_read_entity(buffer_bytes(&row), &slot, &key, &rest), "a row is refused as it was written");
    CHECK(bytes_equal(key, input) && bytes_equal(rest, child), "%.*s", BYTES_FORMAT(key));
    CHECK(bytes_compare(buffer_bytes(&row), buffer_bytes(&behind)) < 0, "%.*s", BYTES_FORMAT(key));
    buffer_deinit(&row);
    buffer_deinit(&behind);
}

void fuzz_one(struct bytes input)
{
    take_entity(input);
    take_seq(input);
    take_as_key(input);
}

void fuzz_seeds(void)
{
    static const char *const keys[] = {"a", "order-1", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x9b\x92", "a key with spaces"};
    struct buffer row = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        fuzz_seed(bytes_text(keys[i]));
        buffer_clear(&row);
        keys_child(&row, bytes_text(keys[i]), BYTES("cr-1"));
        fuzz_seed(buffer_bytes(&row));
        buffer_clear(&row);
        keys_due(&row, bytes_text(keys[i]), 1, 2, 3);
        fuzz_seed(buffer_bytes(&row));
    }
    buffer_clear(&row);
    keys_seq(&row, 258);
    fuzz_seed(buffer_bytes(&row));
    buffer_deinit(&row);
}
