// SPDX-License-Identifier: Apache-2.0
#include "store/shelf.h"

#include "store/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE_MAX = 4096 };

// A new entry in a directory survives a loss of power only when the directory was synced.
static enum fault disk_sync(const struct shelf *shelf, const char *path, struct fault_text *text)
{
    (void)shelf;
    int file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = file >= 0 && fsync(file) == 0;
    int error = errno;
    if (file >= 0)
        close(file);
    return synced ? FAULT_NONE
                  : store_fault(FAULT_IO, text, "%s: cannot sync this directory: %s", path, strerror(error));
}

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

// All directories of the path that are missing.
static enum fault disk_make(const struct shelf *shelf, const char *path, struct fault_text *text)
{
    char part[PATH_SIZE_MAX + sizeof "/.."];
    for (size_t i = 1, size = strlen(path); i <= size; i++) {
        if (path[i] != '/' && path[i] != 0)
            continue;
        memcpy(part, path, i);
        part[i] = 0;
        if (mkdir(part, 0755) != 0) {
            if (errno == ENOTDIR || (errno == EEXIST && !is_directory(part)))
                return store_fault(FAULT_IO, text, "%s: a file is in the way of this directory", part);
            if (errno != EEXIST)
                return store_fault(FAULT_IO, text, "%s: cannot make this directory: %s", part, strerror(errno));
            continue;
        }
        memcpy(part + i, "/..", sizeof "/..");
        enum fault fault = disk_sync(shelf, part, text);
        if (fault)
            return fault;
    }
    return FAULT_NONE;
}

static bool disk_has(const struct shelf *shelf, const char *path)
{
    char current[PATH_SIZE_MAX + sizeof "/CURRENT"];
    (void)shelf;
    snprintf(current, sizeof current, "%s/CURRENT", path);
    return access(current, F_OK) == 0;
}

static enum fault disk_open(const struct shelf *shelf, const struct store_options *options, struct store **store,
                            struct fault_text *text)
{
    (void)shelf;
    return store_rocks_open(options, store, text);
}

static void disk_close(const struct shelf *shelf, struct store **store)
{
    (void)shelf;
    store_close(store);
}

const struct shelf shelf_disk = {disk_make, disk_sync, disk_has, disk_open, disk_close};
