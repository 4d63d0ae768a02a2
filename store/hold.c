// SPDX-License-Identifier: Apache-2.0
// RocksDB's lock on DIR/meta is a write lock of fcntl's; ours is a read lock on the same file.
#include "store/hold.h"

#include "store/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum fault failed(const char *path, int error, struct fault_text *text)
{
    if (error == EACCES || error == EAGAIN)
        return store_fault(FAULT_LOCKED, text, "%s: a node or a tool has this shop open; stop it first", path);
    return store_fault(FAULT_IO, text, "%s: %s", path, strerror(error));
}

enum fault shop_hold(const char *path, int *held, struct fault_text *text)
{
    char file[4200];
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    snprintf(file, sizeof file, "%.4000s/meta/LOCK", path);
    *held = open(file, O_RDONLY | O_CLOEXEC);
    if (*held < 0)
        return errno == ENOENT || errno == ENOTDIR ? FAULT_NONE
                                                   : store_fault(FAULT_IO, text, "%s: %s", file, strerror(errno));
    if (fcntl(*held, F_SETLK, &lock) == 0)
        return FAULT_NONE;
    int error = errno;
    close(*held);
    *held = -1;
    return failed(path, error, text);
}
