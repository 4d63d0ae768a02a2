// SPDX-License-Identifier: Apache-2.0
// The row "clock" of DIR/meta: what a restart has to know of the wall clock. One thread at a time.
#pragma once

#include "codec/record.h"
#include "store/shop.h"

// Zeros if there is none.
enum fault clock_note_load(struct shop *shop, struct clock_note *note, struct fault_text *text);
// Synced.
enum fault clock_note_save(struct shop *shop, const struct clock_note *note, struct fault_text *text);
