// SPDX-License-Identifier: Apache-2.0
// A node's directory as the offline commands open it: held, so that no node starts meanwhile, and read-only but for
// those that write to its `meta`. A running node is left alone: without --snapshot the command is refused; with it the node makes a
// checkpoint and the command works on that, and removes it (also when it is interrupted). One thread.
#pragma once

#include "cli/databases.h"
#include "store/shop.h"

#define DIRECTORY_OPTIONS                                                                                              \
    "  -d, --directory DIR  a node's directory (default: store.path of ./topology.toml, else ./data)\n"                \
    "      --snapshot       the node may be running: it makes a checkpoint, which is used and then removed\n"

struct directory {
    struct shop *shop;
    struct databases databases; // opened by directory_open_kind
    int held; // -1: a snapshot, or open for writing
    bool is_snapshot;
    char path[4096]; // what is read: DIR or the checkpoint
};

// Where a shop is if nobody says it: store.path of ./topology.toml, else ./data. Returns an exit code; a message was
// printed if it is not EXIT_OK. `path` is 4096 bytes.
int directory_default(const char *command, char *path);
// `path` NULL: the default. Returns an exit code; a message was printed if it is not EXIT_OK.
int directory_open(const char *command, const char *path, bool snapshot, struct directory **directory);
// The same, but directory->shop may be written to unless it is a snapshot.
int directory_open_to_write(const char *command, const char *path, bool snapshot, struct directory **directory);
// Opens all databases of a kind there ever were. Exit code, likewise.
int directory_open_kind(const char *command, struct directory *directory, enum kind_id kind);
int directory_open_all(const char *command, struct directory *directory);
void directory_close(struct directory **directory);

// The exit code of a fault, and its text printed.
int fault_exit(const char *command, enum fault fault, const struct fault_text *text);
