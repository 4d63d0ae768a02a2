// SPDX-License-Identifier: Apache-2.0
// The socket in a node's directory over which operators reach it. One thread.
#pragma once

#include <stddef.h>

// ipc://…/control.sock. Returns an exit code; a message was printed if it is not EXIT_OK.
int control_endpoint(const char *command, const char *directory, char *endpoint, size_t size);
