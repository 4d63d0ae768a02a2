// SPDX-License-Identifier: Apache-2.0
// A world failure: I/O, corruption, a file in use. Only the runtime and the tools handle one; handlers never see it.
#pragma once

#include <stddef.h>

enum fault {
    FAULT_NONE,
    FAULT_IO,         // a read, write or sync failed: the outcome of a commit is unknown
    FAULT_CORRUPTION, // what is on disk is not what was written
    FAULT_LOCKED,     // another process has it open
    FAULT_MISSING,    // no such directory or database
    FAULT_VERSION,    // written by a newer souk
    FAULT_USAGE,      // a file an operator wrote is wrong; the text says where
};

// What happened, where, and what to do, in one line for a person.
struct fault_text {
    char line[512];
};
