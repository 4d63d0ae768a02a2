// SPDX-License-Identifier: Apache-2.0
// What RocksDB notes down for itself. By default it does so in files named LOG, and after one failed write to such a
// file it aborts the process: on a full disk that is the first thing it does. So there is no such file. What goes wrong
// is returned by whatever was asked for, and told there. Any thread.
#pragma once

#include <rocksdb/c.h>

#ifdef __cplusplus
extern "C" {
#endif

// The database that is opened with these options keeps none.
void notes_none(rocksdb_options_t *options);

#ifdef __cplusplus
}
#endif
