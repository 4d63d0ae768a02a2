// SPDX-License-Identifier: Apache-2.0
// The named answers of status.def. Any thread.
#pragma once

#include "codec/bytes.h"

enum status {
#define STATUS(number, name, lasting, sentence) STATUS_##name = number,
#include "codec/status.def"
#undef STATUS
    STATUS_COUNT
};

const char *status_name(enum status status);
bool status_of_name(struct bytes name, enum status *status);
bool status_transient(enum status status);
const char *status_sentence(enum status status);
