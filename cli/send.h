// SPDX-License-Identifier: Apache-2.0
// A run of `souk send`: lines of a file become requests, at most `window` on their way, each sent again under its id
// until it is answered. Owned by one thread.
//
//   S1  a line is sent only when all lines before it were read and found good
//   S2  two lines with one id are sent one after the other
//   S3  memory is bounded by the window and FLIGHT_SIZE_MAX, whatever the length of the file
#pragma once

#include "cli/flight.h"
#include "cli/histogram.h"
#include "cli/ndjson.h"
#include "cli/send_line.h"
#include "cli/send_link.h"
#include "cli/tally.h"

#include <stdio.h>

enum { FLIGHT_SIZE_MAX = 64 * 1024 * 1024 };

struct send_options {
    const char *path; // "-": stdin
    const char *endpoint;
    const char *replies; // NULL: not wanted
    const char *prefix;  // "": none
    uint32_t window, bundle;
    int64_t rate;       // each second; 0: as fast as they are answered
    int64_t timeout_us; // 0: never gives up
};

struct send {
    struct send_options options;
    struct ndjson input;
    struct arena arena; // of one line
    struct flight flight;
    struct send_link link;
    FILE *replies;
    struct buffer text; // a reply as JSON
    struct tally answered;
    struct histogram latency;
    struct flight_request *held; // read, but its id is on its way already (not in `flight` yet)
    uint64_t lines;              // taken from the input
    uint64_t copies;             // sent again
    int64_t began, ended;        // µs of clock_steady
    int64_t flushed;             // replies, last
    int64_t scan_at;             // when something in flight is due
    uint32_t bundled;            // in the bundle that is being collected
    bool input_ended;
    int code; // what was met on the way: EXIT_OK, EXIT_USAGE (bad line), EXIT_NO_ANSWER, EXIT_FAULT
};

// EXIT_OK, or the exit code after saying why.
int send_open(struct send *send, const struct send_options *options);
void send_close(struct send *send);
// Until everything that was read is answered or given up; sets send->code.
void send_run(struct send *send);
