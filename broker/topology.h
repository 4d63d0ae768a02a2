// SPDX-License-Identifier: Apache-2.0
// topology.toml: what an operator decides (DESIGN §10), checked. toml++ stays behind topology.cc. Any thread.
#pragma once

#include "codec/fault.h"
#include "codec/ids.h"

#include <stdint.h>

enum { LISTEN_MAX = 8, ENDPOINT_SIZE_MAX = 256 };

struct topology {
    char file[4096]; // "" for the built-in defaults
    struct {
        char listen[LISTEN_MAX][ENDPOINT_SIZE_MAX];
        uint32_t listen_count;
        char events[ENDPOINT_SIZE_MAX]; // "" none
        int64_t commands_in_flight_max;
        int64_t bytes_in_flight_max;
    } broker;
    struct {
        char path[4096]; // absolute; relative ones in the file are relative to the file
        int64_t memory_mb;
        bool sync;
        int64_t remember_hours;
        int64_t log_max_gb;
        int64_t free_min_mb;
    } store;
    struct {
        int64_t count[KIND_COUNT]; // 1 … 64 each
        int64_t turn_messages_max; // 1 … 65536
    } actors;
    struct {
        int64_t reservation_ttl_ms;
    } inventory;
    struct {
        int64_t ttl_days, lines_max;
    } cart;
    struct {
        int64_t lines_max, deadline_ms, lines_in_flight_max, waiting_max, waiters_max;
    } order;
    struct {
        char provider[64];
        int64_t provider_key_hours;
    } payment;
};

// The values of DESIGN §10; store.path is "data" below the current directory.
void topology_default(struct topology *topology);
// Absent keys keep their default. FAULT_MISSING: no such file. FAULT_USAGE: "FILE:LINE:COLUMN: what and why" for a
// syntax error, unknown key or table, wrong type, impossible value (bounds, endpoint form, unknown provider).
enum fault topology_load(const char *path, struct topology *topology, struct fault_text *text);
// The same from text, for tests and fuzzing; `name` stands for the file in messages.
enum fault topology_parse(const char *toml, size_t size, const char *name, struct topology *topology,
                          struct fault_text *text);
// Does an endpoint listen beyond loopback and ipc? ("tcp://*:1", "tcp://0.0.0.0:…", any other address)
bool topology_endpoint_is_public(const char *endpoint);
