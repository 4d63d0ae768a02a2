// SPDX-License-Identifier: Apache-2.0
// DIR/snapshots/NAME: a checkpoint that a running node made for a tool. Whoever reads one holds it, so that a node can
// tell what a killed tool has left. Any thread.
#pragma once

#include <stdint.h>

// Keeps it from being swept until the descriptor is closed, by whatever end of the process. -1: it is not there.
int snapshot_hold(const char *path);
// Removes it and all below; 0, or an errno.
int snapshot_remove(const char *path);
// Removes those below DIR/snapshots that nobody holds; how many. What cannot be removed only takes space.
uint32_t snapshots_sweep(const char *directory);
