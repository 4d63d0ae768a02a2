// SPDX-License-Identifier: Apache-2.0
// A programmer's mistake: CHECK aborts in every build with file, line and the values given.
// World failures are `enum fault` (codec/fault.h), domain outcomes `enum status` (codec/status.h). Any thread.
#pragma once

#include <stdbool.h>

#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0))                                                     \
            check_failed(__FILE__, __LINE__, #condition, " " __VA_ARGS__);                          \
    } while (0)

_Noreturn void check_failed(const char *file, int line, const char *condition, const char *format,
                            ...) __attribute__((format(printf, 4, 5)));

// Called once before the abort, with the same line that goes to stderr. NULL: none.
extern void (*check_last_words)(const char *line);
