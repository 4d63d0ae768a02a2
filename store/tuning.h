// SPDX-License-Identifier: Apache-2.0
// How a database is tuned: what goes where in memory, and the options of each family in RocksDB's own option text.
// Knows no header of RocksDB. Any thread.
#pragma once

#include "codec/pack.h"
#include "store/store.h"

// How `memory_bytes` is split; buffers and cache together are that much, but never less than TUNING_MEMORY_MIN. Half is
// for write buffers, the rest for the block cache, which also holds the tables' indexes and filters: memory does not
// grow with the number of rows. A single family's buffer is at most an eighth, the log's a quarter (nobody looks rows
// up in it, and larger flushes are fewer files). Unflushed write-ahead log is what a restart has to read, at some 30
// MiB/s and core when rows are small: a sixth, so that all databases of a shop together have at most memory_mb / 6, and
// never more than 32 MiB each.
enum { TUNING_MEMORY_MIN = 6 * 1024 * 1024 };
struct tuning_share {
    uint64_t buffers, buffer, log_buffer, cache, wal;
    uint32_t files;
};

struct tuning_share tuning_share(uint64_t memory_bytes);
// How many files a database keeps open that may have `share` of them; 0: as many as are of use.
uint32_t tuning_files(uint32_t share);

// Families that are asked for single rows, most of which are absent: filters in memory and on disk.
bool tuning_asked_by_key(enum family family);

// Appends the options of the database and this family, NUL-terminated.
void tuning_write(struct buffer *out, enum family family, const struct tuning_share *share);
