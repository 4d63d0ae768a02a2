// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool progress_shown;

static void say(const char *command, const char *format, va_list args)
{
    progress_done();
    fprintf(stderr, "souk %s: ", command);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

int usage_error(const char *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(command, format, args);
    va_end(args);
    fprintf(stderr, "Try 'souk %s --help'.\n", command);
    return EXIT_USAGE;
}

int fail_with(int code, const char *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(command, format, args);
    va_end(args);
    return code;
}

static int64_t clock_read(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall(void)
{
    return clock_read(CLOCK_REALTIME);
}

int64_t clock_steady(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

void progress(const char *format, ...)
{
    static int64_t last;
    if (!isatty(STDERR_FILENO) || clock_steady() - last < 100000)
        return;
    last = clock_steady();
    va_list args;
    va_start(args, format);
    fputs("\r\033[K", stderr);
    vfprintf(stderr, format, args);
    va_end(args);
    fflush(stderr);
    progress_shown = true;
}

void progress_done(void)
{
    if (progress_shown)
        fputs("\r\033[K", stderr);
    progress_shown = false;
}

struct time_text time_format(int64_t at)
{
    struct time_text text;
    time_t seconds = (time_t)(at / 1000000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t size = strftime(text.text, sizeof text.text, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text.text + size, sizeof text.text - size, ".%06dZ", (int)(at % 1000000));
    return text;
}
