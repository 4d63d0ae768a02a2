// SPDX-License-Identifier: Apache-2.0
// The forms in which `souk messages` prints the vocabulary. Any thread.
#pragma once

#include "codec/pack.h"

// {"messages":[…],"statuses":[…],"events":[…]}, appended.
void messages_json(struct buffer *out);
// The generated part of docs/protocol.md, appended.
void messages_markdown(struct buffer *out);
