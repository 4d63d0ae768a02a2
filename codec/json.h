// SPDX-License-Identifier: Apache-2.0
// JSON for people and tools (json.c is the seam to jansson). msgpack ↔ JSON needs no schema: maps, arrays, str, int,
// bool, nil; bin becomes {"$bin": "hex"}, and a map whose only name is $bin (or $$bin …) gets one $ more. Floats do not
// exist here. Owned by one thread.
#pragma once

#include "codec/arena.h"
#include "codec/pack.h"
#include "codec/schema.h"

// One msgpack value as compact JSON, appended. false: not a legal value.
bool json_write(struct bytes value, struct buffer *out);
// A string in quotes, escaped.
void json_write_text(struct bytes text, struct buffer *out);
// One JSON text as msgpack, appended. false: `why` (a sentence with line and column) is set in the arena.
bool json_read(struct bytes text, struct buffer *out, struct arena *arena, const char **why);
// FIELD=VALUE, read by the shape: sku=84077 is a string, quantity=3 an int, price=12.99GBP money, active=true a bool,
// anything beginning with { or [ is JSON for maps and lists. Appends key and value to a map under way.
bool json_field_read(const struct shape *shape, const char *argument, struct buffer *out, struct arena *arena,
                     const char **why);
