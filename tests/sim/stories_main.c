// SPDX-License-Identifier: Apache-2.0
// tools/stories: tells a story, if wished with a crash in it.
#include "codec/check.h"
#include "tests/sim/crashes.h"
#include "tests/sim/plants.h"
#include "tests/sim/stories.h"
#include "tests/sim/teller.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_help(void)
{
    printf(
        "usage: tools/stories [--list] [NAME] [OPTION]…\n\n"
        "Tells one of the checkout's stories line by line, run by the shop's own code on one thread, and judges it:\n"
        "the model, the audit, every actor's log decided again.\n\n"
        "      --list              the stories' names and titles\n"
        "      --crash-at N        the N-th thing to become durable or visible does not happen: the process ends\n"
        "                          there, starts again, and clients say again what they have no answer to\n"
        "      --crash-again-at N  the N-th thing after that does not happen either\n"
        "      --start-crash-at N  the start after that ends before the N-th actor has begun its epoch\n"
        "      --write-fails-at N  the N-th commit fails, which ends the process too\n"
        "      --everywhere        not told but judged: quietly, with a crash at each point, with each commit failing;\n"
        "                          without NAME every story\n"
        "      --plant NAME        with this planted fault (tools/plants)\n"
        "      --actors N          of each kind (default: 1, at most %d)\n"
        "      --cache BYTES       of each actor (default: none)\n"
        "  -h, --help              this text\n\n"
        "Exit codes: 0 the story holds, 1 it does not, 2 wrong use.\n\n"
        "Example: tools/stories late-success --crash-at 17\n",
        WORLD_ACTORS_MAX);
}

static void print_list(void)
{
    const struct story_def *def;
    for (size_t i = 0; (def = stories_at(i)); i++)
        printf("%-24s%s\n", def->name, def->title);
}

static uint64_t number(const char *text, uint64_t max)
{
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno || *end || end == text || value > max) {
        fprintf(stderr, "stories: '%s' is not a number up to %" PRIu64 "\n", text, max);
        exit(2);
    }
    return value;
}

static int tell(const struct story_def *def, struct story_options *options)
{
    struct teller teller = {0};
    options->teller = &teller;
    struct story *story = story_run(def, options);
    printf("%.*s", BYTES_FORMAT(buffer_bytes(&teller.text)));
    printf("\n%" PRIu64 " points, %" PRIu64 " commits, %" PRIu64 " crashes\n", story->points, story->commits,
           story->world->crashes);
    fflush(stdout);
    bool holds = story_holds(story);
    fprintf(stderr, "%.*s", BYTES_FORMAT(buffer_bytes(&story->broken)));
    story_free(&story);
    teller_deinit(&teller);
    return holds ? 0 : 1;
}

static bool everywhere(const struct story_def *def, const struct story_options *options)
{
    struct crashes crashes = {0};
    struct crash_counts counts = {0};
    if (crashes_survived(&crashes, def, options))
        counts = crashes_everywhere(&crashes, def, *options, 1);
    bool holds = crashes.broken.size == 0;
    printf("%-24s%s after %" PRIu64 " points and %" PRIu64 " commits\n%.*s", def->name, holds ? "holds" : "is broken",
           counts.points, counts.commits, BYTES_FORMAT(buffer_bytes(&crashes.broken)));
    fflush(stdout);
    buffer_deinit(&crashes.broken);
    return holds;
}

// Until one does not hold.
static int judge(const char *name, const struct story_options *options)
{
    const struct story_def *def = NULL;
    bool holds = true;
    for (size_t i = 0; holds && (def = stories_at(i)); i++)
        if (!name || strcmp(def->name, name) == 0)
            holds = everywhere(def, options);
    return holds ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"list", no_argument, NULL, 'l'},
        {"crash-at", required_argument, NULL, 'c'},
        {"crash-again-at", required_argument, NULL, 'C'},
        {"actors", required_argument, NULL, 'a'},
        {"start-crash-at", required_argument, NULL, 's'},
        {"write-fails-at", required_argument, NULL, 'w'},
        {"cache", required_argument, NULL, 'm'},
        {"everywhere", no_argument, NULL, 'e'},
        {"plant", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct story_options with = {0};
    bool all_points = false;
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'l' || option == 'h') {
            (option == 'l' ? print_list : print_help)();
            return 0;
        }
        if (option == 'c')
            with.crash_at = number(optarg, UINT32_MAX);
        else if (option == 'C')
            with.crash_again_at = number(optarg, UINT32_MAX);
        else if (option == 'w')
            with.write_fails_at = number(optarg, UINT32_MAX);
        else if (option == 's')
            with.start_crash_at = (uint16_t)number(optarg, KIND_COUNT * WORLD_ACTORS_MAX);
        else if (option == 'a')
            with.actors = (uint16_t)number(optarg, WORLD_ACTORS_MAX);
        else if (option == 'm')
            with.cache_bytes = number(optarg, UINT32_MAX);
        else if (option == 'e')
            all_points = true;
        else if (option != 'p' || !plants_choose(optarg))
            return 2;
    }
    const struct story_def *def = stories_named(optind < argc ? argv[optind] : "one-order");
    if (!def || optind + 1 < argc) {
        fprintf(stderr, "stories: no such story; --list names them\n");
        return 2;
    }
    if (all_points)
        return judge(argv[optind], &with);
    return tell(def, &with);
}
