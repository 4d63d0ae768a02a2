// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/crashes.h"

#include "codec/check.h"

#include <inttypes.h>
#include <stdio.h>

static void tell_command(const struct story_def *def, const struct story_options *options, struct buffer *out)
{
    buffer_printf(out, "tools/stories %s --actors %d --cache %zu", def->name, options->actors, options->cache_bytes);
    if (options->crash_at)
        buffer_printf(out, " --crash-at %" PRIu64, options->crash_at);
    if (options->crash_again_at)
        buffer_printf(out, " --crash-again-at %" PRIu64, options->crash_again_at);
    if (options->start_crash_at)
        buffer_printf(out, " --start-crash-at %d", options->start_crash_at);
    if (options->write_fails_at)
        buffer_printf(out, " --write-fails-at %" PRIu64, options->write_fails_at);
    buffer_printf(out, "\n");
}

// A CHECK of the engine ends the whole test: where it was.
static struct buffer running;

static void last_words(const char *line)
{
    fprintf(stderr, "%s\nin %.*s", line, BYTES_FORMAT(buffer_bytes(&running)));
}

static struct story *run(const struct story_def *def, const struct story_options *options)
{
    buffer_clear(&running);
    tell_command(def, options, &running);
    check_last_words = last_words;
    return story_run(def, options);
}

static bool judged(struct crashes *crashes, const struct story_def *def, const struct story_options *options,
                   struct story *story)
{
    const struct world *world = story->world;
    bool came = !world->crash_at && !world->write_fails_at && !world->start_crash_at;
    bool holds = story_holds(story) && came;
    if (!holds) {
        tell_command(def, options, &crashes->broken);
        buffer_printf(&crashes->broken, "%s%.*s\n", came ? "" : "did not crash\n",
                      BYTES_FORMAT(buffer_bytes(&story->broken)));
        crashes->failures++;
    }
    if (crashes->coverage)
        coverage_add(crashes->coverage, &story->coverage);
    return holds;
}

bool crashes_survived(struct crashes *crashes, const struct story_def *def, const struct story_options *options)
{
    struct story *story = run(def, options);
    bool holds = judged(crashes, def, options, story);
    story_free(&story);
    return holds;
}

static bool goes_on(const struct crashes *crashes)
{
    return crashes->failures < CRASHES_FAILURES_MAX;
}

struct crash_counts crashes_everywhere(struct crashes *crashes, const struct story_def *def,
                                       struct story_options options, uint64_t stride)
{
    struct crash_counts counts = {0};
    struct story *quiet = run(def, &options);
    uint64_t points = quiet->points, commits = quiet->commits;
    story_free(&quiet);
    for (options.crash_at = 1; options.crash_at <= points && goes_on(crashes); options.crash_at += stride)
        counts.points += crashes_survived(crashes, def, &options);
    options.crash_at = 0;
    for (options.write_fails_at = 1; options.write_fails_at <= commits && goes_on(crashes);
         options.write_fails_at += stride)
        counts.commits += crashes_survived(crashes, def, &options);
    return counts;
}

// Every `stride`-th, and not after each first crash the same ones.
static uint64_t first_of(const struct story_options *options, uint64_t stride)
{
    return 1 + options->crash_at % stride;
}

static void crash_again(struct crashes *crashes, const struct story_def *def, struct story_options options,
                        uint64_t recovery, uint64_t stride, struct crash_counts *counts)
{
    for (options.crash_again_at = first_of(&options, stride); options.crash_again_at <= recovery && goes_on(crashes);
         options.crash_again_at += stride)
        counts->second += crashes_survived(crashes, def, &options);
}

static void crash_starting(struct crashes *crashes, const struct story_def *def, struct story_options options,
                           uint16_t actors, uint64_t stride, struct crash_counts *counts)
{
    for (uint64_t at = first_of(&options, stride); at <= actors && goes_on(crashes); at += stride) {
        options.start_crash_at = (uint16_t)at;
        counts->starts += crashes_survived(crashes, def, &options);
    }
}

struct crash_counts crashes_twice(struct crashes *crashes, const struct story_def *def, struct story_options options,
                                  uint64_t stride)
{
    struct crash_counts counts = {0};
    struct story *quiet = run(def, &options);
    uint64_t points = quiet->points;
    story_free(&quiet);
    for (options.crash_at = 1; options.crash_at <= points && goes_on(crashes); options.crash_at += CRASHES_STRIDE) {
        struct story *once = run(def, &options);
        uint64_t recovery = once->points - once->points_at_crash;
        uint16_t actors = once->world->actors_count;
        counts.points += judged(crashes, def, &options, once);
        story_free(&once);
        crash_again(crashes, def, options, recovery, stride, &counts);
        crash_starting(crashes, def, options, actors, stride, &counts);
    }
    return counts;
}
