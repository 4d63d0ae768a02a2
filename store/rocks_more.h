// SPDX-License-Identifier: Apache-2.0
// What RocksDB can do and its C interface leaves out. Any thread.
#pragma once

#include <rocksdb/c.h>

#ifdef __cplusplus
extern "C" {
#endif

// The database that is opened with these options writes no notes of its own. By default they go to files named LOG, and
// after one failed write to such a file RocksDB aborts the process: on a full disk that is the first thing it does.
// What goes wrong is returned by whatever was asked for, and told there.
void rocks_no_notes(rocksdb_options_t *options);

// Compaction, of all databases of the process, runs on a core only while nothing else wants it.
void rocks_compaction_idles(void);

// Flush and compaction of the database that the calling thread opens with these options rest for a moment after each
// quarter of a millisecond or so, and so leave the core to who answers clients. What opening itself writes does not.
// Pieces have to be small for that: writable_file_max_buffer_size.
void rocks_background_rests(rocksdb_options_t *options);

#ifdef __cplusplus
}
#endif
