// SPDX-License-Identifier: Apache-2.0
// Each story again, with a crash at each of its points and with each of its commits failing: what it promises holds.
// tests/sim/golden/points.txt says how many points that were, so that none is lost unseen (SOUK_WRITE_GOLDEN=1).
#include "codec/check.h"
#include "tests/sim/edges.h"
#include "tests/sim/golden.h"
#include "tests/sim/stories.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>

static struct {
    const char *story;
    struct story_options options;
} running;
static struct coverage quiet_edges, crashed_edges;

static void last_words(const char *line)
{
    (void)line;
    fprintf(stderr, "in: tools/stories %s --actors %d --cache %zu --crash-at %" PRIu64 " (failing commit %" PRIu64 ")\n",
            running.story, running.options.actors, running.options.cache_bytes, running.options.crash_at,
            running.options.write_fails_at);
}

// false: it does not hold, or the crash did not come.
static bool survives(const struct story_def *def, const struct story_options *options)
{
    running.story = def->name;
    running.options = *options;
    struct story *story = story_run(def, options);
    bool crashed = !story->world->crash_at && !story->world->write_fails_at, holds = story_holds(story);
    cr_expect(crashed && holds, "tools/stories %s --actors %d --cache %zu --crash-at %d (failing commit %d)%s:\n%.*s",
              def->name, options->actors, options->cache_bytes, (int)options->crash_at, (int)options->write_fails_at,
              crashed ? "" : " did not crash", BYTES_FORMAT(buffer_bytes(&story->broken)));
    coverage_add(&crashed_edges, &story->coverage);
    story_free(&story);
    return crashed && holds;
}

struct hits {
    uint64_t points, commits;
};

static struct hits crash_everywhere(const struct story_def *def, struct story_options options)
{
    enum { FAILURES_MAX = 3 };
    struct hits hits = {0};
    int failures = 0;
    struct story *quiet = story_run(def, &options);
    uint64_t points = quiet->points, commits = quiet->commits;
    cr_expect(story_holds(quiet), "%s:\n%.*s", def->name, BYTES_FORMAT(buffer_bytes(&quiet->broken)));
    coverage_add(&quiet_edges, &quiet->coverage);
    story_free(&quiet);
    for (options.crash_at = 1; options.crash_at <= points && failures < FAILURES_MAX; options.crash_at++) {
        bool survived = survives(def, &options);
        hits.points += survived;
        failures += !survived;
    }
    options.crash_at = 0;
    for (options.write_fails_at = 1; options.write_fails_at <= commits && failures < FAILURES_MAX; options.write_fails_at++) {
        bool survived = survives(def, &options);
        hits.commits += survived;
        failures += !survived;
    }
    return hits;
}

static void expect_points(const char *file, struct story_options options)
{
    const struct story_def *def;
    struct buffer table = {0}, diff = {0};
    check_last_words = last_words;
    buffer_printf(&table, "%-24s%12s%12s\n", "story", "points", "commits");
    for (size_t i = 0; (def = stories_at(i)); i++) {
        struct hits hits = crash_everywhere(def, options);
        buffer_printf(&table, "%-24s%12" PRIu64 "%12" PRIu64 "\n", def->name, hits.points, hits.commits);
    }
    cr_expect(golden_same(file, &table, &diff), "%.*s", BYTES_FORMAT(buffer_bytes(&diff)));
    buffer_deinit(&table);
    buffer_deinit(&diff);
}

Test(crash_points, with_one_actor_of_each_kind)
{
    struct buffer edges = {0}, diff = {0};
    expect_points("points-1.txt", (struct story_options){.actors = 1});
    cr_expect(edges_tell(&quiet_edges, &crashed_edges, &edges), "%.*s", BYTES_FORMAT(buffer_bytes(&edges)));
    cr_expect(golden_same("edges.txt", &edges, &diff), "%.*s", BYTES_FORMAT(buffer_bytes(&diff)));
    buffer_deinit(&edges);
    buffer_deinit(&diff);
}

Test(crash_points, with_one_actor_of_each_kind_and_caches)
{
    expect_points("points-1.txt", (struct story_options){.actors = 1, .cache_bytes = 1 << 20});
}

Test(crash_points, with_three_actors_of_each_kind)
{
    expect_points("points-3.txt", (struct story_options){.actors = 3});
}

Test(crash_points, with_three_actors_of_each_kind_and_caches)
{
    expect_points("points-3.txt", (struct story_options){.actors = 3, .cache_bytes = 1 << 20});
}
