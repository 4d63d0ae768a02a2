// SPDX-License-Identifier: Apache-2.0
#include "store/trim.h"

#include "codec/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 256 * 1024 };

static char *path_below(const char *directory, const char *name)
{
    char *path;
    int size = asprintf(&path, "%s/%s", directory, name);
    CHECK(size >= 0, "out of memory");
    return path;
}

// The next finished log becomes `spent`. false: there is none.
static bool take_one(struct trim *trim)
{
    DIR *directory = opendir(trim->archive);
    bool taken = false;
    for (struct dirent *entry; directory && !taken && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        char *path = path_below(trim->archive, entry->d_name);
        taken = rename(path, trim->spent) == 0;
        free(path);
    }
    if (directory)
        closedir(directory);
    return taken;
}

static void drop(struct trim *trim)
{
    unlink(trim->spent);
    if (trim->fd >= 0)
        close(trim->fd);
    trim->fd = -1;
    trim->left = 0;
}

// A file that a checkpoint links to is the checkpoint's: only its name goes.
static void begin(struct trim *trim)
{
    struct stat status;
    trim->fd = open(trim->spent, O_WRONLY | O_CLOEXEC);
    if (trim->fd < 0 || fstat(trim->fd, &status) != 0 || status.st_nlink > 1)
        drop(trim);
    else
        trim->left = (uint64_t)status.st_size;
}

static void drop_all(struct trim *trim)
{
    do
        drop(trim);
    while (take_one(trim));
}

void trim_init(struct trim *trim, const char *database)
{
    *trim = (struct trim){.archive = path_below(database, "archive"), .spent = path_below(database, "spent"), .fd = -1};
    drop_all(trim);
}

void trim_deinit(struct trim *trim)
{
    if (!trim->spent)
        return;
    drop_all(trim);
    free(trim->archive);
    free(trim->spent);
    *trim = (struct trim){.fd = -1};
}

void trim_step(struct trim *trim, uint64_t written)
{
    trim->owed += 2 * written;
    while (trim->owed >= PIECE) {
        if (trim->fd < 0 && take_one(trim))
            begin(trim);
        if (trim->fd < 0) {
            trim->owed = 0;
            return;
        }
        trim->owed -= PIECE;
        trim->left -= trim->left < PIECE ? trim->left : PIECE;
        if (!trim->left || ftruncate(trim->fd, (off_t)trim->left) != 0)
            drop(trim);
    }
}
