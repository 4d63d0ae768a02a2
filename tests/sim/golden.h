// SPDX-License-Identifier: Apache-2.0
// Texts that tests compare with files in tests/sim/golden/. With SOUK_WRITE_GOLDEN=1 the files are written instead.
#pragma once

#include "codec/pack.h"

// Is this what the file says? If not, the difference is added to `diff`, as diff -u shows it.
bool golden_same(const char *name, const struct buffer *text, struct buffer *diff);
// The file's text.
void golden_read(const char *name, struct buffer *out);
