// SPDX-License-Identifier: Apache-2.0
// topology.toml. What is refused is refused with file, line, column and reason; what is accepted is within its bounds.
#include "fuzz.h"

#include "broker/topology.h"

#include <stdio.h>

static void check_refused(const char *line)
{
    char file[8] = "";
    unsigned row = 0, column = 0;
    int read = 0;
    CHECK(sscanf(line, "%5[a-z]:%u:%u: %n", file, &row, &column, &read) == 3 && read && line[read], "%s", line);
    CHECK(strcmp(file, "fuzz") == 0 && row && column, "%s", line);
}

static void check_accepted(const struct topology *topology)
{
    CHECK(topology->broker.listen_count >= 1 && topology->broker.listen_count <= LISTEN_MAX, "listen");
    for (uint32_t i = 0; i < topology->broker.listen_count; i++)
        CHECK(memchr(topology->broker.listen[i], 0, ENDPOINT_SIZE_MAX) && topology->broker.listen[i][0], "listen");
    for (uint32_t i = 0; i < topology->broker.listen_count; i++)
        topology_endpoint_is_public(topology->broker.listen[i]);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        CHECK(topology->actors.count[kind] >= 1 && topology->actors.count[kind] <= 64, "%s", kind_name(kind));
    CHECK(topology->actors.turn_messages_max >= 1 && topology->actors.turn_messages_max <= 65536, "turn");
    CHECK(topology->store.path[0] && memchr(topology->store.path, 0, sizeof topology->store.path), "path");
    CHECK(topology->store.memory_mb > 0 && topology->store.remember_hours > 0, "store");
    CHECK(topology->cart.lines_max > 0 && topology->order.lines_max > 0, "lines");
    CHECK(strcmp(topology->payment.provider, "sandbox") == 0, "%s", topology->payment.provider);
}

void fuzz_one(struct bytes input)
{
    static struct topology topology;
    struct fault_text text = {{0}};
    topology_default(&topology);
    enum fault fault = topology_parse((const char *)input.at, input.size, "fuzz", &topology, &text);
    if (fault)
        check_refused(text.line);
    else
        check_accepted(&topology);
}

void fuzz_seeds(void)
{
    static const char *const texts[] = {
        "",
        "[broker]\nlisten = [\"tcp://127.0.0.1:5555\", \"ipc:///tmp/a.sock\", \"tcp://[::1]:*\"]\n"
        "events = \"tcp://127.0.0.1:5556\"\ncommands_in_flight_max = 65536\nbytes_in_flight_max = 268435456\n",
        "[broker]\nevents = \"\"\n",
        "[store]\npath = \"data\"\nmemory_mb = 512\nsync = true\nremember_hours = 24\nlog_max_gb = 50\nfree_min_mb = 1024\n",
        "[actors]\ncatalog = 1\ninventory = 2\ncart = 1\norder = 2\npayment = 1\nsandbox = 64\nturn_messages_max = 1024\n",
        "[inventory]\nreservation_ttl_ms = 900_000\n[cart]\nttl_days = 0x1e\nlines_max = 500\n",
        "[order]\nlines_max = 2000\ndeadline_ms = 900000\nlines_in_flight_max = 100000\nwaiting_max = 100000\n"
        "waiters_max = 100000\n",
        "[payment]\nprovider = \"sandbox\"\nprovider_key_hours = 20\n",
        "[payment]\nprovider = 'nobody' # a comment\n",
        "store.path = \"\"\"a\nb\"\"\"\n",
        "store = {path = \"x\", sync = false}\n",
        "[store]\nmemory_mb = 1.5\npath = 2024-01-01T00:00:00Z\n[[actors]]\n",
        "[store]\nsync = \"\\u0000\\U0001F600\"\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        fuzz_seed(bytes_text(texts[i]));
}
