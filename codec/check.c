// SPDX-License-Identifier: Apache-2.0
#include "codec/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void (*check_last_words)(const char *line);

void check_failed(const char *file, int line, const char *condition, const char *format, ...)
{
    char values[512], text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(values, sizeof values, format, args);
    va_end(args);
    snprintf(text, sizeof text, "%s:%d: CHECK(%s) failed%s%s", file, line, condition, values[1] ? ":" : "", values);
    fprintf(stderr, "%s\n", text);
    fflush(stderr);
    if (check_last_words)
        check_last_words(text);
    abort();
}
