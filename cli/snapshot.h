// SPDX-License-Identifier: Apache-2.0
// A checkpoint that a running node makes for one command, asked for over the control socket in its directory, and
// removed when the command is done or interrupted (SIGINT, SIGTERM, SIGHUP). One at a time, one thread.
//
//     prepare ─▶ take ─▶ done
//         └───────────────▲     no node runs: nothing to take
#pragma once

// Before any other thread begins: from here until snapshot_done interrupts are taken care of by snapshot_take.
void snapshot_prepare(void);
// Asks the node that has `directory` open. Returns an exit code (a message was printed if it is not EXIT_OK); `path`
// (4096 bytes) becomes the checkpoint's.
int snapshot_take(const char *command, const char *directory, char *path);
// Removes the checkpoint, if one was made.
void snapshot_done(void);
