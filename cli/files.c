// SPDX-License-Identifier: Apache-2.0
#include "cli/files.h"

#include "store/tuning.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    FILES_WANTED = 65536,
    CONNECTIONS_MIN = 16,
    SOCKETS_EACH = 6, // of an actor, beside those to others: inbox, broker, provider, control
    PEERS_SHARE = 3,  // an actor has a socket to each actor that it talks to: at most some third of all
    BESIDE = 64,      // compactions, snapshots, epolls, listeners, standard streams
};

uint32_t files_raise(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t wanted = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur < UINT32_MAX / 2 ? (uint32_t)limit.rlim_cur : UINT32_MAX / 2;
}

uint32_t files_for_tables(uint32_t limit)
{
    return limit / 3;
}

uint32_t files_needed(uint32_t limit, uint32_t databases)
{
    uint32_t sockets = databases * databases / PEERS_SHARE + databases * SOCKETS_EACH;
    uint32_t all = databases + 1; // meta
    return BESIDE + sockets + all * tuning_files(files_for_tables(limit) / all);
}

// Descriptors that are open and no connections.
static uint32_t files_open(void)
{
    uint32_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        char target[64];
        ssize_t size = readlinkat(dirfd(directory), entry->d_name, target, sizeof target);
        count += size > 0 && (size < 7 || memcmp(target, "socket:", 7) != 0);
    }
    if (directory)
        closedir(directory);
    return count;
}

uint32_t files_for_connections(uint32_t limit, uint32_t databases)
{
    uint32_t open = files_open(), needed = files_needed(limit, databases);
    uint32_t kept = needed > open ? needed - open : 0;
    return limit >= kept + open + CONNECTIONS_MIN ? limit - kept : open + CONNECTIONS_MIN;
}
