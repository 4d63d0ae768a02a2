// SPDX-License-Identifier: Apache-2.0
#include "store/snapshots.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

enum { FILES_OPEN_MAX = 16 };

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    return remove(path);
}

int snapshot_hold(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        flock(fd, LOCK_SH | LOCK_NB);
    return fd;
}

int snapshot_remove(const char *path)
{
    return nftw(path, remove_one, FILES_OPEN_MAX, FTW_DEPTH | FTW_PHYS) == 0 ? 0 : errno;
}

static bool sweep_one(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool left = flock(fd, LOCK_EX | LOCK_NB) == 0;
    bool removed = left && snapshot_remove(path) == 0;
    close(fd);
    return removed;
}

uint32_t snapshots_sweep(const char *directory)
{
    char path[4096], one[4096 + 256];
    uint32_t removed = 0;
    snprintf(path, sizeof path, "%.4000s/snapshots", directory);
    DIR *snapshots = opendir(path);
    if (!snapshots)
        return 0;
    for (struct dirent *entry; (entry = readdir(snapshots));) {
        snprintf(one, sizeof one, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.') // no name begins so
            removed += sweep_one(one);
    }
    closedir(snapshots);
    return removed;
}
