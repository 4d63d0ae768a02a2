// SPDX-License-Identifier: Apache-2.0
// The vocabulary in words, for `souk messages`. Any thread.
#pragma once

#include "codec/message.h"
#include "codec/pack.h"

// "text, 1 to 512 bytes", "integer, 1 to 1000", "list of 1 to 2000", … appended.
void vocabulary_type(const struct field *field, struct buffer *out);
// "id", "text", "choice", "integer", "boolean", "money", "map", "list", "object", "any", "binary"
const char *vocabulary_type_name(enum field_type type);
// What the key names: "sku", "cart_id", "order_id", "KIND/N", "any".
const char *vocabulary_key(const struct message_def *def);
const char *vocabulary_audience(const struct message_def *def); // "public", "peer"
const char *vocabulary_effect(const struct message_def *def);   // "command", "read"
// How a repeat is recognised: "record", "request", "none"; and in a sentence.
const char *vocabulary_once(const struct message_def *def);
const char *vocabulary_once_sentence(const struct message_def *def);
// Does anybody get an answer?
bool vocabulary_answers(const struct message_def *def);

// Calls `visit` for each field of a shape and, behind a list or nested map, for those inside it; `path` is
// "lines[].sku".
void vocabulary_walk(const struct shape *shape,
                     void (*visit)(void *context, const char *path, const struct field *field), void *context);
