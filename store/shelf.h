// SPDX-License-Identifier: Apache-2.0
// Where the databases of a shop stand, each under its path: directories on a disk, or whatever says it is one (the
// simulator's is in memory). Private to store/ but for who brings another one. One thread.
#pragma once

#include "store/store.h"

struct shelf {
    // All directories of the path that are missing; their names are durable.
    enum fault (*make)(const struct shelf *shelf, const char *path, struct fault_text *text);
    // What has been made in this directory is durable.
    enum fault (*sync)(const struct shelf *shelf, const char *path, struct fault_text *text);
    bool (*has)(const struct shelf *shelf, const char *path);
    // As store_rocks_open and store_close.
    enum fault (*open)(const struct shelf *shelf, const struct store_options *options, struct store **store,
                       struct fault_text *text);
    void (*close)(const struct shelf *shelf, struct store **store);
};

extern const struct shelf shelf_disk;
