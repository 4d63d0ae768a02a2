// SPDX-License-Identifier: Apache-2.0
// souk COMMAND …: finds the command. Each lives in a file of its name.
#include "cli/cli.h"

#include "souk_build.h"

#include <string.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct command commands[] = {
    {"serve", command_serve, "run a node"},
    {"call", command_call, "send one command, print the reply"},
    {"send", command_send, "send many commands from a file"},
    {"status", command_status, "what runs on a node and what waits"},
    {"orders", command_orders, "open or parked orders of a node's directory"},
    {"messages", command_messages, "the vocabulary"},
    {"log", command_log, "what happened, readable; export it"},
    {"replay", command_replay, "decide the log again and compare"},
    {"audit", command_audit, "check every invariant over all data"},
    {"clock", command_clock, "the wall clock as a node sees it; accept a step"},
    {"quarantine", command_quarantine, "entities that ended a process: show, lift"},
    {"topology", command_topology, "check a topology file; show who owns what"},
    {"bench", command_bench, "measure a node"},
};

static void print_help(FILE *out)
{
    fprintf(out, "usage: souk COMMAND [ARGUMENT…]\n\n"
                 "The transactional heart of a shop: catalog, stock, carts, orders, payments.\n\nCommands:\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\n`souk COMMAND --help` tells more. `souk --version` prints the version.\n"
                 "Exit codes: 0 done, 1 refused or a difference found, 2 wrong use, 3 no answer, 70 a failure.\n");
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("souk %s (%s)\n", SOUK_VERSION, SOUK_BUILD);
        return EXIT_OK;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "souk: '%s' is not a command; see souk --help\n", argv[1]);
    return EXIT_USAGE;
}
