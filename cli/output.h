// SPDX-License-Identifier: Apache-2.0
// What the commands print for machines. One thread.
#pragma once

#include "codec/pack.h"

#include <stdio.h>

// {"id":…,"key":…,"status":…,"body":…} and a line end, appended; key.size 0: without it. A body that is not legal
// becomes null.
void output_reply(struct buffer *out, const char *id, struct bytes key, const char *status, struct bytes body);
// Writes it all; false: errno says why.
bool output_write(FILE *file, const struct buffer *out);
// Flushes stdout and returns `code`; if that fails, EXIT_FAULT, and says so unless the reader has just gone away.
int output_finish(const char *command, int code);
