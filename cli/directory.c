// SPDX-License-Identifier: Apache-2.0
// Opening a node's directory, or the snapshot of one. One thread.
#include "cli/directory.h"

#include "broker/topology.h"
#include "cli/cli.h"
#include "cli/snapshot.h"
#include "codec/check.h"
#include "store/hold.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MEMORY_OF_ALL = 128 * 1024 * 1024 };

int fault_exit(const char *command, enum fault fault, const struct fault_text *text)
{
    switch (fault) {
    case FAULT_NONE:
        return EXIT_OK;
    case FAULT_LOCKED:
    case FAULT_MISSING:
    case FAULT_USAGE:
        return fail_with(EXIT_USAGE, command, "%s", text->line);
    case FAULT_IO:
    case FAULT_CORRUPTION:
    case FAULT_VERSION:
        break;
    }
    return fail_with(EXIT_FAULT, command, "%s", text->line);
}

int directory_default(const char *command, char *path)
{
    struct topology *topology = calloc(1, sizeof *topology);
    CHECK(topology);
    struct fault_text text;
    int code = EXIT_OK;
    topology_default(topology);
    if (access("topology.toml", F_OK) == 0 && topology_load("topology.toml", topology, &text))
        code = fail_with(EXIT_USAGE, command, "%s", text.line);
    snprintf(path, 4096, "%s", topology->store.path);
    free(topology);
    return code;
}

// ---- opening

static int snapshot_open(const char *command, struct directory *directory)
{
    char made[4096];
    struct fault_text text;
    int code = snapshot_take(command, directory->path, made);
    if (code)
        return code;
    directory->is_snapshot = true;
    snprintf(directory->path, sizeof directory->path, "%s", made);
    return fault_exit(command, shop_open(made, false, true, &directory->shop, &text), &text);
}

static enum fault shop_take(struct directory *directory, bool writes, struct fault_text *text)
{
    enum fault fault = writes ? FAULT_NONE : shop_hold(directory->path, &directory->held, text);
    return fault ? fault : shop_open(directory->path, false, !writes, &directory->shop, text);
}

static int shop_lock(const char *command, struct directory *directory, bool snapshot, bool writes)
{
    struct fault_text text;
    if (snapshot)
        snapshot_prepare();
    enum fault fault = shop_take(directory, writes, &text);
    if (fault == FAULT_LOCKED && snapshot)
        return snapshot_open(command, directory);
    if (snapshot)
        snapshot_done();
    if (fault == FAULT_LOCKED)
        return fail_with(EXIT_USAGE, command,
                         "%s: a node runs here (or a tool writes to it). Stop it, or say --snapshot to work on a "
                         "checkpoint that the node makes now",
                         directory->path);
    return fault_exit(command, fault, &text);
}

static int open_either(const char *command, const char *path, bool snapshot, bool writes, struct directory **directory)
{
    struct directory *it = calloc(1, sizeof *it);
    CHECK(it);
    it->held = -1;
    int code = EXIT_OK;
    if (path)
        snprintf(it->path, sizeof it->path, "%s", path);
    else
        code = directory_default(command, it->path);
    if (code == EXIT_OK)
        code = shop_lock(command, it, snapshot, writes);
    if (code) {
        directory_close(&it);
        return code;
    }
    it->databases.owners = shop_record(it->shop)->owners;
    it->databases.ever = shop_record(it->shop)->ever;
    *directory = it;
    return EXIT_OK;
}

int directory_open(const char *command, const char *path, bool snapshot, struct directory **directory)
{
    return open_either(command, path, snapshot, false, directory);
}

int directory_open_to_write(const char *command, const char *path, bool snapshot, struct directory **directory)
{
    return open_either(command, path, snapshot, true, directory);
}

int directory_open_kind(const char *command, struct directory *directory, enum kind_id kind)
{
    uint64_t databases = 1, memory;
    for (int i = 0; i < KIND_COUNT; i++)
        databases += directory->databases.ever.count[i];
    memory = MEMORY_OF_ALL / databases; // rows are read once and in order: caches do not help
    for (uint16_t index = 0; index < directory->databases.ever.count[kind]; index++) {
        struct actor_id actor = {kind, index};
        struct shop_database_path path = shop_database(directory->shop, actor);
        struct fault_text text;
        struct store_options options = {.path = path.text, .memory_bytes = memory, .read_only = true};
        progress("opening %s", actor_id_name(actor).text);
        enum fault fault = store_rocks_open(&options, &directory->databases.of[kind][index], &text);
        if (fault)
            return fault_exit(command, fault, &text);
    }
    return EXIT_OK;
}

int directory_open_all(const char *command, struct directory *directory)
{
    int code = EXIT_OK;
    for (int kind = 0; kind < KIND_COUNT && code == EXIT_OK; kind++)
        code = directory_open_kind(command, directory, kind);
    return code;
}

void directory_close(struct directory **directory)
{
    struct directory *it = *directory;
    if (!it)
        return;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int index = 0; index < ACTORS_MAX; index++)
            store_close(&it->databases.of[kind][index]);
    shop_close(&it->shop);
    if (it->held >= 0)
        close(it->held);
    if (it->is_snapshot)
        snapshot_done();
    free(it);
    *directory = NULL;
}
