// SPDX-License-Identifier: Apache-2.0
// What the subcommands share: their table, exit codes, output for people and for machines. One thread.
#pragma once

#include "codec/fault.h"
#include "codec/pack.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { EXIT_OK = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_NO_ANSWER = 3, EXIT_FAULT = 70 };
#define ENDPOINT_DEFAULT "tcp://127.0.0.1:5555"

// Each takes its own argv (argv[0] is the subcommand) and returns the exit code; --help prints its usage on stdout.
int command_serve(int argc, char **argv);
int command_call(int argc, char **argv);
int command_send(int argc, char **argv);
int command_status(int argc, char **argv);
int command_orders(int argc, char **argv);
int command_messages(int argc, char **argv);
int command_log(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_audit(int argc, char **argv);
int command_clock(int argc, char **argv);
int command_quarantine(int argc, char **argv);
int command_topology(int argc, char **argv);
int command_bench(int argc, char **argv);

// "souk COMMAND: TEXT" and where help is, on stderr; returns EXIT_USAGE.
int usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
// "souk COMMAND: TEXT" on stderr; returns `code`.
int fail_with(int code, const char *command, const char *format, ...) __attribute__((format(printf, 3, 4)));

// µs since the epoch, and a clock that never steps, in µs.
int64_t clock_wall(void);
int64_t clock_steady(void);

// One line on stderr that is rewritten, only if stderr is a terminal and at most ten times a second; progress_done clears it.
void progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
void progress_done(void);

// "2026-01-31T12:00:00.000001Z" (UTC), for people and logs.
struct time_text {
    char text[40];
};
struct time_text time_format(int64_t at);
