// SPDX-License-Identifier: Apache-2.0
// A directory of a test's own, child processes that may die, and numbers that look random but are the same every time.
#pragma once

#include "codec/check.h"
#include "store/store.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char place[64];

static inline void place_make(void)
{
    snprintf(place, sizeof place, "/tmp/souk-store-XXXXXX");
    CHECK(mkdtemp(place), "%s", place);
}

static int place_remove_one(const char *path, const struct stat *what, int type, struct FTW *at)
{
    return remove(path);
}

static inline void place_remove_tree(const char *path)
{
    nftw(path, place_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void place_remove(void)
{
    place_remove_tree(place);
}

static const char *place_from, *place_to; // of place_copy_tree, below PLACE

static int place_copy_one(const char *path, const struct stat *what, int type, struct FTW *at)
{
    char target[512], bytes[65536];
    snprintf(target, sizeof target, "%s/%s%s", place, place_to, path + strlen(place) + 1 + strlen(place_from));
    if (type == FTW_D)
        return mkdir(target, 0700);
    FILE *in = fopen(path, "r"), *out = fopen(target, "w");
    CHECK(in && out, "%s", target);
    for (size_t size; (size = fread(bytes, 1, sizeof bytes, in)) > 0;)
        CHECK(fwrite(bytes, 1, size, out) == size, "%s", target);
    fclose(in);
    return fclose(out);
}

// Of databases that nobody has open.
static inline void place_copy_tree(const char *from, const char *to)
{
    char path[256];
    place_from = from;
    place_to = to;
    snprintf(path, sizeof path, "%s/%s", place, from);
    CHECK(nftw(path, place_copy_one, 16, FTW_PHYS) == 0, "%s", path);
}

// PLACE/name; lives until the next but three call.
static inline const char *place_path(const char *name)
{
    static char paths[4][256];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", place, name);
    return path;
}

// Runs `work` in a process of its own, which had no database open before; returns its exit code, -1 if it was killed.
static inline int place_child(void (*work)(void *), void *context)
{
    fflush(NULL);
    pid_t child = fork();
    CHECK(child >= 0, "fork");
    if (child == 0) {
        work(context);
        fflush(NULL);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child, "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// xorshift64
static inline uint64_t place_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static inline struct store *place_open(struct store_options options)
{
    struct store *store = NULL;
    struct fault_text text = {{0}};
    enum fault fault = store_rocks_open(&options, &store, &text);
    CHECK(!fault, "%s", text.line);
    return store;
}

static inline void place_put(struct store *store, enum family family, const char *key, const char *value)
{
    store_put(store, family, bytes_text(key), bytes_text(value));
}

static inline void place_commit(struct store *store)
{
    struct fault_text text = {{0}};
    enum fault fault = store_commit(store, &text);
    CHECK(!fault, "%s", text.line);
}

static inline uint64_t place_count(struct store *store, enum family family, struct bytes from, struct bytes to)
{
    struct bytes key, value;
    enum fault fault;
    uint64_t count = 0;
    struct store_scan *scan = store_scan_open(store, family, from, to, false);
    while (store_scan_next(scan, &key, &value, &fault))
        count++;
    store_scan_close(&scan);
    CHECK(!fault, "fault %d", (int)fault);
    return count;
}
