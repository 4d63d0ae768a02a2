// SPDX-License-Identifier: Apache-2.0
// Each story again, with a crash at each of its points and with each of its commits failing: what it promises holds.
// tests/sim/golden/points-*.txt say how many points that were, so that none is lost unseen (SOUK_WRITE_GOLDEN=1).
#include "tests/sim/crashes.h"
#include "tests/sim/edges.h"
#include "tests/sim/golden.h"
#include "tests/sim/stories.h"

#include <criterion/criterion.h>
#include <inttypes.h>

static void expect_golden(const char *file, const struct buffer *text)
{
    struct buffer diff = {0};
    cr_expect(CRASHES_STRIDE > 1 || golden_same(file, text, &diff), "%.*s", BYTES_FORMAT(buffer_bytes(&diff)));
    buffer_deinit(&diff);
}

// `stride` 1: all of them, and as many as the file says.
static void expect_points(const char *file, const struct story_options *options, uint64_t stride,
                          struct coverage *crashed)
{
    const struct story_def *def;
    struct crashes crashes = {.coverage = crashed};
    struct buffer table = {0};
    buffer_printf(&table, "%-24s%12s%12s\n", "story", "points", "commits");
    for (size_t i = 0; (def = stories_at(i)); i++) {
        crashes.failures = 0;
        struct crash_counts counts = crashes_everywhere(&crashes, def, *options, stride * CRASHES_STRIDE);
        buffer_printf(&table, "%-24s%12" PRIu64 "%12" PRIu64 "\n", def->name, counts.points, counts.commits);
    }
    cr_expect(crashes.broken.size == 0, "%.*s", BYTES_FORMAT(buffer_bytes(&crashes.broken)));
    if (stride == 1)
        expect_golden(file, &table);
    buffer_deinit(&table);
    buffer_deinit(&crashes.broken);
}

static void expect_edges(const struct coverage *crashed)
{
    const struct story_def *def;
    struct coverage quiet = {0};
    struct crashes crashes = {.coverage = &quiet};
    struct buffer edges = {0};
    for (size_t i = 0; (def = stories_at(i)); i++)
        crashes_survived(&crashes, def, &(struct story_options){0});
    cr_expect(edges_tell(&quiet, crashed, &edges), "%.*s", BYTES_FORMAT(buffer_bytes(&edges)));
    expect_golden("edges.txt", &edges);
    buffer_deinit(&edges);
    buffer_deinit(&crashes.broken);
}

Test(crash_points, with_one_actor_of_each_kind)
{
    struct coverage crashed = {0};
    expect_points("points-1.txt", &(struct story_options){.actors = 1}, 1, &crashed);
    if (CRASHES_STRIDE == 1)
        expect_edges(&crashed);
}

Test(crash_points, with_three_actors_of_each_kind_and_caches)
{
    expect_points("points-3.txt", &(struct story_options){.actors = 3, .cache_bytes = 1 << 20}, 1, NULL);
}

Test(crash_points, with_caches)
{
    expect_points(NULL, &(struct story_options){.actors = 1, .cache_bytes = 1 << 20}, 5, NULL);
}

Test(crash_points, with_three_actors_of_each_kind)
{
    expect_points(NULL, &(struct story_options){.actors = 3}, 5, NULL);
}
