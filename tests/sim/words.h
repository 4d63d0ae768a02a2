// SPDX-License-Identifier: Apache-2.0
// Messages, answers and records in words: "for ann, by pm_card_visa, from cart basket". One thread.
#pragma once

#include "actors/kinds/effects.h"
#include "tests/sim/world.h"

// "order O-1", "stock mug", "provider O-1"
void words_entity(enum kind_id kind, struct bytes key, struct buffer *out);
// A message's body.
void words_request(const struct message_def *def, struct bytes body, struct buffer *out);
// What answers it; a refusal's facts.
void words_answer(const struct message_def *def, struct bytes status, struct bytes body, struct buffer *out);
// "stock: on hand 8, reserved 2"
void words_record(enum kind_id kind, const struct effect *effect, struct buffer *out);
// "+900.000 s"
void words_time(int64_t at, struct buffer *out);
