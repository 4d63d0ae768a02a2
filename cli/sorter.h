// SPDX-License-Identifier: Apache-2.0
// Sorting more than fits into memory: what is added is collected in one buffer of a fixed size, written out as a sorted
// run when that is full, and read back by merging the runs. Runs lie in one file that has no name: it is gone when the
// process is. Records are small (RECORD_SIZE_MAX). One thread.
//
//     add … add ─▶ sort ─▶ next … next
#pragma once

#include "cli/databases.h"

#include <stddef.h>

enum { SORTER_RECORD_SIZE_MAX = 4096, SORTER_MEMORY_MIN = 64 * 1024 };

struct sorter;

// `directory`: where runs go if there are any. Bounds: memory_bytes, and at most as much again while merging.
struct sorter *sorter_new(size_t memory_bytes, const char *directory, struct trouble *trouble);
void sorter_free(struct sorter **sorter);
// Copies. After a fault (trouble) it does nothing.
void sorter_add(struct sorter *sorter, struct bytes key, struct bytes value);
// Ends adding.
void sorter_sort(struct sorter *sorter);
// Ascending by key, then by value. false: no more, or a fault. Both live until the next call.
bool sorter_next(struct sorter *sorter, struct bytes *key, struct bytes *value);
// Runs written so far, for tests and for people.
size_t sorter_runs(const struct sorter *sorter);
