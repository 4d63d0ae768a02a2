// SPDX-License-Identifier: Apache-2.0
#include "broker/topology.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static enum fault parse(const char *toml, struct topology *topology, struct fault_text *text)
{
    text->line[0] = 0;
    return topology_parse(toml, strlen(toml), "/etc/souk/shop.toml", topology, text);
}

static void check_defaults(const struct topology *topology)
{
    cr_assert_eq(topology->broker.listen_count, 1);
    cr_assert_str_eq(topology->broker.listen[0], "tcp://127.0.0.1:5555");
    cr_assert_str_eq(topology->broker.events, "tcp://127.0.0.1:5556");
    cr_assert_eq(topology->broker.commands_in_flight_max, 65536);
    cr_assert_eq(topology->broker.bytes_in_flight_max, 268435456);
    cr_assert_eq(topology->store.memory_mb, 512);
    cr_assert(topology->store.sync);
    cr_assert_eq(topology->store.remember_hours, 24);
    cr_assert_eq(topology->store.log_max_gb, 50);
    cr_assert_eq(topology->store.free_min_mb, 1024);
    static const int64_t counts[KIND_COUNT] = {1, 2, 1, 2, 1, 1};
    for (int kind = 0; kind < KIND_COUNT; kind++)
        cr_assert_eq(topology->actors.count[kind], counts[kind], "kind %d", kind);
    cr_assert_eq(topology->actors.turn_messages_max, 1024);
    cr_assert_eq(topology->inventory.reservation_ttl_ms, 900000);
    cr_assert_eq(topology->cart.ttl_days, 30);
    cr_assert_eq(topology->cart.lines_max, 500);
    cr_assert_eq(topology->order.lines_max, 2000);
    cr_assert_eq(topology->order.deadline_ms, 900000);
    cr_assert_eq(topology->order.lines_in_flight_max, 100000);
    cr_assert_eq(topology->order.waiting_max, 100000);
    cr_assert_eq(topology->order.waiters_max, 100000);
    cr_assert_str_eq(topology->payment.provider, "sandbox");
    cr_assert_eq(topology->payment.provider_key_hours, 20);
}

Test(topology, an_empty_file_means_the_defaults)
{
    struct topology topology;
    struct fault_text text;
    cr_assert_eq(parse("", &topology, &text), FAULT_NONE, "%s", text.line);
    check_defaults(&topology);
    cr_assert_str_eq(topology.file, "/etc/souk/shop.toml");
    cr_assert_str_eq(topology.store.path, "/etc/souk/data");
}

Test(topology, the_file_in_the_repository_says_the_defaults)
{
    struct topology topology;
    struct fault_text text;
    char path[4096], expected[8192];
    snprintf(path, sizeof path, "%s", __FILE__);
    char *tests = strstr(path, "tests/unit");
    cr_assert(tests);
    *tests = 0;
    snprintf(expected, sizeof expected, "%sdata", path);
    snprintf(tests, sizeof path - (size_t)(tests - path), "topology.toml");
    cr_assert_eq(topology_load(path, &topology, &text), FAULT_NONE, "%s", text.line);
    check_defaults(&topology);
    cr_assert_str_eq(topology.store.path, expected);
}

Test(topology, what_a_file_says_replaces_the_default)
{
    struct topology topology;
    struct fault_text text;
    static const char toml[] =
        "[broker]\n"
        "listen = [\"tcp://10.0.0.7:7000\", \"tcp://*:*\", \"ipc://run/souk\", \"ipc:///run/souk\"]\n"
        "events = \"\"\n"
        "[store]\npath = \"/var/souk\"\nsync = false\nmemory_mb = 32\n"
        "[actors]\ninventory = 64\nturn_messages_max = 1\n"
        "[order]\nlines_max = 1\n";
    cr_assert_eq(parse(toml, &topology, &text), FAULT_NONE, "%s", text.line);
    cr_assert_eq(topology.broker.listen_count, 4);
    cr_assert_str_eq(topology.broker.listen[0], "tcp://10.0.0.7:7000");
    cr_assert_str_eq(topology.broker.listen[1], "tcp://*:*");
    cr_assert_str_eq(topology.broker.listen[2], "ipc:///etc/souk/run/souk");
    cr_assert_str_eq(topology.broker.listen[3], "ipc:///run/souk");
    cr_assert_str_eq(topology.broker.events, "");
    cr_assert_str_eq(topology.store.path, "/var/souk");
    cr_assert_not(topology.store.sync);
    cr_assert_eq(topology.store.memory_mb, 32);
    cr_assert_eq(topology.actors.count[KIND_INVENTORY], 64);
    cr_assert_eq(topology.actors.count[KIND_CATALOG], 1);
    cr_assert_eq(topology.actors.turn_messages_max, 1);
    cr_assert_eq(topology.order.lines_max, 1);
}

static const struct refused {
    const char *toml;
    const char *where; // LINE:COLUMN
    const char *why;   // is in the reason
} refused[] = {
    // not TOML
    {"[store\npath = 1\n", "1:", ""},
    {"[store]\npath = \"data\"\npath = \"other\"\n", "3:", ""},
    {"[store]\nmemory_mb = 99999999999999999999\n", "2:", ""},
    // unknown
    {"[stroe]\npath = \"data\"\n", "1:2", "unknown table \"stroe\"; the tables are broker, store, actors"},
    {"memory_mb = 5\n", "1:1", "unknown key outside any table \"memory_mb\""},
    {"store = 5\n", "1:1", "store must be a table"},
    {"[[store]]\npath = \"data\"\n", "1:", "store must be a table"},
    {"[store]\nmemroy_mb = 5\n", "2:1", "unknown key \"memroy_mb\" in [store]; its keys are path, memory_mb"},
    {"[store]\npath = \"x\"\n[store.deep]\nx = 1\n", "3:8", "unknown key \"deep\" in [store]"},
    {"[inventory]\nlines_max = 5\n", "2:1", "unknown key \"lines_max\" in [inventory]"},
    {"[actors]\nholds = 5\n", "2:1", "unknown key \"holds\" in [actors]"},
    {"[=store]\n", "1:2", "expected bare key starting character or string delimiter, saw '='"},
    {"[[=store]]\n", "1:3", "expected bare key starting character or string delimiter, saw '='"},
    {"store = {path \xc3\xa9 = 1}\n", "1:15", "expected"},
    // wrong types
    {"[store]\npath = 5\n", "2:8", "store.path must be a string, not an integer"},
    {"[store]\nmemory_mb = 512.0\n", "2:13", "store.memory_mb must be an integer, not a float"},
    {"[store]\nmemory_mb = \"512\"\n", "2:13", "must be an integer, not a string"},
    {"[store]\nsync = 1\n", "2:8", "store.sync must be true or false, not an integer"},
    {"[store]\nsync = 2020-01-01\n", "2:8", "not a time"},
    {"[cart]\nlines_max = { a = 1 }\n", "2:", "cart.lines_max must be an integer, not a table"},
    {"[broker]\nlisten = \"tcp://127.0.0.1:1\"\n", "2:10", "broker.listen must be an array, not a string"},
    {"[broker]\nlisten = [5]\n", "2:11", "broker.listen must be a string, not an integer"},
    {"[broker]\nevents = [\"tcp://127.0.0.1:1\"]\n", "2:10", "broker.events must be a string, not an array"},
    {"[payment]\nprovider = true\n", "2:12", "payment.provider must be a string"},
    // impossible values
    {"[store]\nmemory_mb = 31\n", "2:13", "store.memory_mb must be 32 to 1048576, not 31"},
    {"[store]\nremember_hours = 0\n", "2:18", "store.remember_hours must be 1 to 8784, not 0"},
    {"[store]\npath = \"\"\n", "2:8", "store.path must name a directory"},
    {"[store]\npath = \"a\\u0000b\"\n", "2:8", "store.path must name a directory"},
    {"[broker]\ncommands_in_flight_max = 1023\n", "2:26", "must be 1024 to 16777216, not 1023"},
    {"[broker]\nbytes_in_flight_max = -1\n", "2:23", "must be 1048576 to 1099511627776, not -1"},
    {"[actors]\ncart = 0\n", "2:8", "actors.cart must be 1 to 64, not 0"},
    {"[actors]\norder = 65\n", "2:9", "actors.order must be 1 to 64, not 65"},
    {"[actors]\nturn_messages_max = 65537\n", "2:21", "actors.turn_messages_max must be 1 to 65536, not 65537"},
    {"[inventory]\nreservation_ttl_ms = 0\n", "2:22", "must be 1 to 2592000000, not 0"},
    {"[cart]\nlines_max = 2001\n", "2:13", "cart.lines_max must be 1 to 2000, not 2001"},
    {"[order]\nlines_max = 2001\n", "2:13", "order.lines_max must be 1 to 2000, not 2001"},
    {"[order]\ndeadline_ms = 99\n", "2:15", "order.deadline_ms must be 100 to"},
    {"[payment]\nprovider = \"stripe\"\n", "2:12", "payment.provider must be \"sandbox\""},
    {"[payment]\nprovider_key_hours = 24\n", "2:22", "payment.provider_key_hours must be 1 to 23, not 24"},
    // endpoints
    {"[broker]\nlisten = []\n", "2:10", "broker.listen must hold 1 to 8 endpoints, not 0"},
    {"[broker]\nlisten = [\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"]\n", "2:10", "1 to 8 endpoints, not 9"},
    {"[broker]\nlisten = [\"tcp://127.0.0.1:1\",\n  \"tcp://127.0.0.1:1\"]\n", "3:3",
     "broker.listen names tcp://127.0.0.1:1 twice"},
    {"[broker]\nlisten = [\"\"]\n", "2:11", "an endpoint is 1 to 255 bytes long"},
    {"[broker]\nlisten = [\"127.0.0.1:5555\"]\n", "2:11", "an endpoint is tcp://HOST:PORT or ipc://PATH"},
    {"[broker]\nlisten = [\"inproc://x\"]\n", "2:11", "an endpoint is tcp://HOST:PORT or ipc://PATH"},
    {"[broker]\nlisten = [\"tcp://127.0.0.1\"]\n", "2:11", "a tcp endpoint is tcp://HOST:PORT"},
    {"[broker]\nlisten = [\"tcp://127.0.0.1:\"]\n", "2:11", "PORT in tcp://HOST:PORT must be 0 to 65535 or *"},
    {"[broker]\nlisten = [\"tcp://127.0.0.1:65536\"]\n", "2:11", "PORT in tcp://HOST:PORT"},
    {"[broker]\nlisten = [\"tcp://127.0.0.1:55x\"]\n", "2:11", "PORT in tcp://HOST:PORT"},
    {"[broker]\nlisten = [\"tcp://127.0.0.256:1\"]\n", "2:11", "HOST in tcp://HOST:PORT"},
    {"[broker]\nlisten = [\"tcp://:1\"]\n", "2:11", "HOST in tcp://HOST:PORT"},
    {"[broker]\nlisten = [\"tcp://localhost:1\"]\n", "2:11", "write tcp://127.0.0.1:PORT"},
    {"[broker]\nlisten = [\"tcp://[::1]:1\"]\n", "2:11", "IPv6"},
    {"[broker]\nlisten = [\"ipc://\"]\n", "2:11", "PATH in ipc://PATH"},
    {"[broker]\nevents = \"udp://127.0.0.1:1\"\n", "2:10", "broker.events: an endpoint is"},
};

Test(topology, every_mistake_is_refused_with_its_place_and_reason)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct topology topology = {.store.memory_mb = -7};
        struct fault_text text;
        char where[64];
        cr_assert_eq(parse(refused[i].toml, &topology, &text), FAULT_USAGE, "accepted: %s", refused[i].toml);
        snprintf(where, sizeof where, "/etc/souk/shop.toml:%s", refused[i].where);
        cr_expect_eq(strncmp(text.line, where, strlen(where)), 0, "%s for %s", text.line, refused[i].toml);
        cr_expect(strstr(text.line, refused[i].why), "%s lacks \"%s\"", text.line, refused[i].why);
        cr_expect_null(strchr(text.line, '\n'), "%s", text.line);
        cr_assert_eq(topology.store.memory_mb, -7, "a refused file changed the topology");
    }
}

Test(topology, of_several_mistakes_the_first_in_the_file_is_reported)
{
    struct topology topology;
    struct fault_text text;
    cr_assert_eq(parse("[store]\nsync = 7\nmemory_mb = 1\n[actors]\ncart = 0\n", &topology, &text), FAULT_USAGE);
    cr_assert(strstr(text.line, ":2:8: store.sync"), "%s", text.line);
}

Test(topology, a_reason_of_any_length_fits)
{
    struct topology topology;
    struct fault_text text;
    char toml[4096];
    memset(toml, 'k', sizeof toml);
    memcpy(toml, "[store]\n", 8);
    snprintf(toml + sizeof toml - 8, 8, " = 1\n");
    cr_assert_eq(topology_parse(toml, strlen(toml), "f", &topology, &text), FAULT_USAGE);
    cr_assert(strstr(text.line, "f:2:1: unknown key"), "%s", text.line);
}

Test(topology, a_file_that_is_not_there_is_missing)
{
    struct topology topology;
    struct fault_text text;
    cr_assert_eq(topology_load("/nowhere/topology.toml", &topology, &text), FAULT_MISSING);
    cr_assert(strstr(text.line, "/nowhere/topology.toml: No such file"), "%s", text.line);
    cr_assert_eq(topology_load("/", &topology, &text), FAULT_IO);
}

Test(topology, paths_are_relative_to_the_file)
{
    struct topology topology;
    struct fault_text text;
    char directory[] = "/tmp/souk-topology-XXXXXX", path[64], expected[64];
    cr_assert(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/shop.toml", directory);
    FILE *file = fopen(path, "w");
    fputs("[store]\npath = \"deep/down\"\n", file);
    fclose(file);
    snprintf(expected, sizeof expected, "%s/deep/down", directory);
    cr_assert_eq(topology_load(path, &topology, &text), FAULT_NONE, "%s", text.line);
    cr_assert_str_eq(topology.store.path, expected);
    cr_assert_eq(chdir(directory), 0);
    cr_assert_eq(topology_load("shop.toml", &topology, &text), FAULT_NONE, "%s", text.line);
    cr_assert_str_eq(topology.store.path, expected);
    unlink(path);
    rmdir(directory);
}

Test(topology, an_endpoint_is_public_unless_it_is_loopback_or_ipc)
{
    static const char *const public_ones[] = {"tcp://*:1", "tcp://0.0.0.0:1", "tcp://10.1.2.3:1", "tcp://eth0:1",
                                              "tcp://128.0.0.1:1"};
    static const char *const private_ones[] = {"tcp://127.0.0.1:1", "tcp://127.9.9.9:*", "tcp://lo:1", "ipc:///run/x",
                                               "tcp://localhost:1", "tcp://[::1]:1",     "inproc://x"};
    for (size_t i = 0; i < sizeof public_ones / sizeof *public_ones; i++)
        cr_expect(topology_endpoint_is_public(public_ones[i]), "%s", public_ones[i]);
    for (size_t i = 0; i < sizeof private_ones / sizeof *private_ones; i++)
        cr_expect_not(topology_endpoint_is_public(private_ones[i]), "%s", private_ones[i]);
}
