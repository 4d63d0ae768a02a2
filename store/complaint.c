// SPDX-License-Identifier: Apache-2.0
#include "store/complaint.h"

#include <stdbool.h>
#include <string.h>

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

enum fault complaint_fault(const char *error, const char **advice)
{
    static const struct {
        const char *part;
        bool begins;
        enum fault fault;
        const char *advice;
    } known[] = {
        {"Permission denied", false, FAULT_IO, "give this user the right to read and write it"},
        {"While mkdir", false, FAULT_IO, "make the directory above it first"},
        {"No space left", false, FAULT_IO, "the disk is full; free space and start again"},
        {"Read-only file system", false, FAULT_IO, "the disk is mounted read-only; see the kernel's log"},
        {"Too many open files", false, FAULT_IO, "raise the limit of open files (ulimit -n)"},
        {"While lock file", false, FAULT_LOCKED, "another process has it open; stop that one, or look on read-only"},
        {"lock hold by current process", false, FAULT_LOCKED, "this process has it open already"},
        {"Column families not opened", false, FAULT_VERSION, "a newer souk wrote it; start that one"},
        {"Corruption", true, FAULT_CORRUPTION,
         "it is not as it was written, and acknowledged work may be lost; restore this directory from a copy, or let "
         "`ldb repair` save what it can and run souk audit"},
        {"No such file", false, FAULT_CORRUPTION,
         "a file of it is missing; restore this directory from a copy (if it was only looked at while in use: again)"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].begins ? begins(error, known[i].part) : strstr(error, known[i].part) != NULL) {
            *advice = known[i].advice;
            return known[i].fault;
        }
    *advice = "see the kernel's log for the disk; after a restart recovery decides";
    return FAULT_IO;
}
