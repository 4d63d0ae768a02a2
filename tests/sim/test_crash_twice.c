// SPDX-License-Identifier: Apache-2.0
// A process that is killed is killed again while it recovers: at each point after each first crash, and before each
// actor has begun its epoch. tests/sim/golden/points-twice.txt says how many that were.
#include "tests/sim/crashes.h"
#include "tests/sim/golden.h"
#include "tests/sim/stories.h"

#include <criterion/criterion.h>
#include <inttypes.h>

Test(crash_twice, at_each_point_after_each_point)
{
    static const struct {
        const struct story_def *def;
        uint16_t actors;
        uint64_t stride;
    } runs[] = {
        {&story_one_order, 1, 1},  {&story_late_success, 1, 2},    {&story_cancel_against_capture, 3, 7},
        {&story_short_line, 3, 7}, {&story_stock_corrected, 1, 7}, {&story_refund_refused, 1, 11},
    };
    struct crashes crashes = {0};
    struct buffer table = {0}, diff = {0};
    buffer_printf(&table, "%-24s%12s%12s%12s%12s%12s\n", "story", "actors", "points", "stride", "second", "starts");
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        struct story_options options = {.actors = runs[i].actors, .cache_bytes = i % 2 << 20};
        struct crash_counts counts = crashes_twice(&crashes, runs[i].def, options, runs[i].stride * CRASHES_STRIDE);
        buffer_printf(&table, "%-24s%12d%12" PRIu64 "%12" PRIu64 "%12" PRIu64 "%12" PRIu64 "\n", runs[i].def->name,
                      runs[i].actors, counts.points, runs[i].stride, counts.second, counts.starts);
    }
    cr_expect(crashes.broken.size == 0, "%.*s", BYTES_FORMAT(buffer_bytes(&crashes.broken)));
    cr_expect(CRASHES_STRIDE > 1 || golden_same("points-twice.txt", &table, &diff), "%.*s",
              BYTES_FORMAT(buffer_bytes(&diff)));
    buffer_deinit(&table);
    buffer_deinit(&diff);
    buffer_deinit(&crashes.broken);
}
