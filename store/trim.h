// SPDX-License-Identifier: Apache-2.0
// Write-ahead logs that RocksDB is done with, given back to the file system in small pieces. Deleting a file frees its
// blocks at once, and the syncs of other files wait for that: 10 MB hold commits up for some 5 ms (ext4). RocksDB moves a
// finished log to DATABASE/archive (option WAL_ttl_seconds); from there it is taken as DATABASE/spent and cut from its
// end, by twice as much as was written meanwhile. Owned by the store's thread.
#pragma once

#include <stdint.h>

struct trim {
    char *archive, *spent; // paths
    int fd;                // of what is being cut; -1: none
    uint64_t left;         // its size
    uint64_t owed;         // bytes to cut
};

// Deletes at once what an earlier process left.
void trim_init(struct trim *trim, const char *database);
// Deletes at once what is left. Nothing happens to one that was never set up (all zero).
void trim_deinit(struct trim *trim);
// So many bytes were written: cuts twice as many, in pieces.
void trim_step(struct trim *trim, uint64_t written);
