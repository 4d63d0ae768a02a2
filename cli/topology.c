// SPDX-License-Identifier: Apache-2.0
// souk topology check: is the file good, who would own what, and what would move in a directory that exists. Changes
// nothing; a node may run.
#include "broker/topology.h"

#include "actors/memory.h"
#include "cli/cli.h"
#include "cli/directory.h"
#include "cli/options.h"
#include "codec/check.h"
#include "codec/json.h"
#include "store/keys.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct topology_command {
    const char *file;      // NULL: ./topology.toml, else built-in
    const char *directory; // NULL: the file's
    bool json;
    struct topology topology;
    struct owner_map wanted, now, ever;
    bool exists; // there is a shop
    uint64_t epoch;
    struct buffer out;
    uint32_t moves;
};

static void print_help(void)
{
    printf(
        "usage: souk topology check [-t FILE] [-d DIR] [--json]\n\n"
        "Validates a topology file, shows which actor owns which slots (a key's slot: XXH3_64 mod 1024), and what a\n"
        "start with it would move between the databases of DIR. Says so if store.memory_mb is too little. Reads only; a node may run on DIR.\n\n"
        "  -t, --topology FILE  the file (default: ./topology.toml, else the built-in values)\n"
        "  -d, --directory DIR  a node's directory (default: the file's store.path)\n"
        "      --json           one object: {valid, file, directory, exists, epoch, actors: [{name, from, to}],\n"
        "                       memory_taken_mb, moves: [{source, target, from, to}]}, slots from ≤ slot < to; or {valid: false, "
        "message}\n"
        "  -h, --help           this text\n\n"
        "Exit codes: 0 valid, 2 wrong use or an invalid file, 70 a failure.\n\n"
        "Example: souk topology check -t new.toml -d /var/lib/souk\n");
}

static int read_options(int argc, char **argv, struct topology_command *it)
{
    const struct option_rule options[] = {
        OPTION_TEXT("topology", 't', it->file),
        OPTION_DIRECTORY(it->directory),
        OPTION_JSON(it->json),
        {0},
    };
    int code = options_read("topology", print_help, options, argc, argv);
    if (code == EXIT_OK && (optind + 1 != argc || strcmp(argv[optind], "check") != 0))
        code = usage_error("topology", "say `souk topology check`");
    return code;
}

static int invalid(struct topology_command *it, const char *why)
{
    if (it->json) {
        buffer_printf(&it->out, "{\"valid\":false,\"message\":");
        json_write_text(bytes_text(why), &it->out);
        printf("%.*s}\n", BYTES_FORMAT(buffer_bytes(&it->out)));
        buffer_deinit(&it->out);
    }
    return fail_with(EXIT_USAGE, "topology", "%s", why);
}

static int load(struct topology_command *it)
{
    struct fault_text text;
    topology_default(&it->topology);
    if (!it->file && access("topology.toml", F_OK) == 0)
        it->file = "topology.toml";
    if (it->file && topology_load(it->file, &it->topology, &text))
        return invalid(it, text.line);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        it->wanted.count[kind] = it->ever.count[kind] = (uint16_t)it->topology.actors.count[kind];
    if (!it->directory)
        it->directory = it->topology.store.path;
    return EXIT_OK;
}

// Read-only, so that a node may run; a directory without a shop is no mistake.
static int load_shop(struct topology_command *it)
{
    struct shop *shop = NULL;
    struct fault_text text;
    enum fault fault = shop_open(it->directory, false, true, &shop, &text);
    if (fault == FAULT_MISSING)
        return EXIT_OK;
    if (fault)
        return fault_exit("topology", fault, &text);
    it->now = shop_record(shop)->owners;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        if (it->ever.count[kind] < shop_record(shop)->ever.count[kind])
            it->ever.count[kind] = shop_record(shop)->ever.count[kind];
    it->epoch = shop_record(shop)->epoch;
    it->exists = it->epoch > 0;
    shop_close(&shop);
    return EXIT_OK;
}

// ---- output

static void move_json(void *context, struct actor_id source, struct actor_id target, uint32_t from, uint32_t to)
{
    struct topology_command *it = context;
    buffer_printf(&it->out, "%s{\"source\":\"%s\",\"target\":\"%s\",\"from\":%u,\"to\":%u}", it->moves++ ? "," : "",
                  actor_id_name(source).text, actor_id_name(target).text, from, to);
}

static void move_print(void *context, struct actor_id source, struct actor_id target, uint32_t from, uint32_t to)
{
    struct topology_command *it = context;
    it->moves++;
    buffer_printf(&it->out, "  %-14s → %-14s slots %4u–%4u\n", actor_id_name(source).text, actor_id_name(target).text,
                  from, to - 1);
}

static void actors_json(struct topology_command *it)
{
    bool first = true;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (uint16_t index = 0; index < it->wanted.count[kind]; index++) {
            struct actor_id actor = {kind, index};
            uint32_t from, to;
            owner_range(&it->wanted, actor, &from, &to);
            buffer_printf(&it->out, "%s{\"name\":\"%s\",\"from\":%u,\"to\":%u}", first ? "" : ",",
                          actor_id_name(actor).text, from, to);
            first = false;
        }
}

static uint64_t memory_taken_mb(const struct topology_command *it)
{
    return memory_taken((uint64_t)it->topology.store.memory_mb << 20, &it->wanted, &it->ever) >> 20;
}

static void report_memory(struct topology_command *it)
{
    uint64_t taken = memory_taken_mb(it);
    if (taken > (uint64_t)it->topology.store.memory_mb)
        buffer_printf(&it->out, "\nstore.memory_mb is %lld: too little for so many actors, whose caches and buffers may take %llu MiB\n",
                      (long long)it->topology.store.memory_mb, (unsigned long long)taken);
}

static void report_json(struct topology_command *it)
{
    buffer_printf(&it->out, "{\"valid\":true,\"file\":");
    if (it->file)
        json_write_text(bytes_text(it->file), &it->out);
    else
        buffer_printf(&it->out, "null");
    buffer_printf(&it->out, ",\"directory\":");
    json_write_text(bytes_text(it->directory), &it->out);
    buffer_printf(&it->out, ",\"exists\":%s,\"epoch\":%llu,\"actors\":[", it->exists ? "true" : "false",
                  (unsigned long long)it->epoch);
    actors_json(it);
    buffer_printf(&it->out, "],\"memory_taken_mb\":%llu,\"moves\":[", (unsigned long long)memory_taken_mb(it));
    if (it->exists)
        shop_plan(&it->now, &it->wanted, move_json, it);
    buffer_printf(&it->out, "]}\n");
}

static void report_moves(struct topology_command *it)
{
    if (!it->exists) {
        buffer_printf(&it->out, "\n%s: no shop yet; the first start makes it\n", it->directory);
        return;
    }
    buffer_printf(&it->out, "\n%s, epoch %llu: a start with this file moves\n", it->directory,
                  (unsigned long long)it->epoch);
    shop_plan(&it->now, &it->wanted, move_print, it);
    if (!it->moves)
        buffer_printf(&it->out, "  nothing\n");
}

static void report_print(struct topology_command *it)
{
    buffer_printf(&it->out, "%s: valid\n\n", it->file ? it->file : "built-in topology");
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (uint16_t index = 0; index < it->wanted.count[kind]; index++) {
            struct actor_id actor = {kind, index};
            uint32_t from, to;
            owner_range(&it->wanted, actor, &from, &to);
            buffer_printf(&it->out, "  %-14s slots %4u–%4u\n", actor_id_name(actor).text, from, to - 1);
        }
    report_memory(it);
    report_moves(it);
}

int command_topology(int argc, char **argv)
{
    struct topology_command *it = calloc(1, sizeof *it);
    CHECK(it);
    int code = read_options(argc, argv, it);
    if (code == EXIT_OK)
        code = load(it);
    if (code == EXIT_OK)
        code = load_shop(it);
    if (code == EXIT_OK) {
        if (it->json)
            report_json(it);
        else
            report_print(it);
        fwrite(it->out.at, 1, it->out.size, stdout);
        buffer_deinit(&it->out);
    }
    free(it);
    return code;
}
