// SPDX-License-Identifier: Apache-2.0
// What RocksDB can do and its C interface leaves out. Any thread.
#pragma once

#include <rocksdb/c.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// The database that is opened with these options writes no notes of its own. By default they go to files named LOG, and
// after one failed write to such a file RocksDB aborts the process: on a full disk that is the first thing it does.
// What goes wrong is returned by whatever was asked for, and told there.
void rocks_no_notes(rocksdb_options_t *options);

// Compaction, of all databases of the process, runs on a core only while nothing else wants it.
void rocks_compaction_idles(void);

// Flush and compaction of the database that the calling thread opens with these options write no more than this many
// bytes each second, in pieces of `piece` bytes with a rest after each: so they leave the core again and again, and the
// disk. What opening itself writes is not held up, and nothing is while RocksDB slows or stops writers.
void rocks_paced(rocksdb_options_t *options, int64_t flush, int64_t compaction, int64_t piece);

#ifdef __cplusplus
}
#endif
