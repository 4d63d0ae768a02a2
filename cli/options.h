// SPDX-License-Identifier: Apache-2.0
// A command's options: a table of names and of where the values go. Every command also has --help (-h). One thread.
#pragma once

#include "cli/cli.h"

struct option_rule {
    const char *name; // without --; NULL ends a table
    char letter;      // for -x; 0: none
    int64_t min, max; // of a number
    // One of these takes the value; a flag has none.
    bool *flag;
    const char **text;
    uint32_t *count;
    int64_t *number;
};

#define OPTION_FLAG(name_, to)               {.name = name_, .flag = &(to)}
#define OPTION_TEXT(name_, letter_, to)      {.name = name_, .letter = letter_, .text = &(to)}
#define OPTION_COUNT(name_, to, min_, max_)  {.name = name_, .count = &(to), .min = min_, .max = max_}
#define OPTION_NUMBER(name_, to, min_, max_) {.name = name_, .number = &(to), .min = min_, .max = max_}
#define OPTION_ENDPOINT(to)                  OPTION_TEXT("endpoint", 'e', to)
#define OPTION_DIRECTORY(to)                 OPTION_TEXT("directory", 'd', to)
#define OPTION_JSON(to)                      OPTION_FLAG("json", to)

// Reads what begins with - into the table's places; --help prints and ends the process. What is no option stands from
// argv[optind] on. A mistake is told: EXIT_USAGE.
int options_read(const char *command, void (*help)(void), const struct option_rule rules[], int argc, char **argv);
// For a command that takes options only.
int options_read_all(const char *command, void (*help)(void), const struct option_rule rules[], int argc, char **argv);
