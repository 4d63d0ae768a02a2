// SPDX-License-Identifier: Apache-2.0
// Do the databases of a shop belong together? Each one notes the epoch it has seen last, and DIR/meta the last one that
// was begun and the last one that was served, which every database had seen before. So for each database
//
//   served ≤ its epoch ≤ begun
//
// and one that was restored apart from the others, or lost its write-ahead log, is told before anything is served,
// moved or swept. Owned by the database's thread.
#pragma once

#include "store/store.h"

// Puts; the caller commits.
void epochs_note(struct store *database, uint64_t epoch);
// FAULT_CORRUPTION: this database does not belong to the rest.
enum fault epochs_match(struct store *database, const char *path, uint64_t served, uint64_t begun,
                        struct fault_text *text);

// The row of that name; absent: 0.
enum fault epochs_read(struct store *database, const char *name, uint64_t *epoch);
void epochs_write(struct store *database, const char *name, uint64_t epoch);
