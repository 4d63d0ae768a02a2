// SPDX-License-Identifier: Apache-2.0
// Each story, told quietly, is what its file says. To write the files: SOUK_WRITE_GOLDEN=1, then read them.
#include "tests/sim/golden.h"
#include "tests/sim/stories.h"
#include "tests/sim/teller.h"

#include <criterion/criterion.h>

static void expect_told(const struct story_def *def)
{
    struct teller teller = {0};
    struct buffer diff = {0};
    struct story *story = story_run(def, &(struct story_options){.teller = &teller});
    cr_expect(story_holds(story), "%s:\n%.*s", def->name, BYTES_FORMAT(buffer_bytes(&story->broken)));
    const char *file = arena_format(&story->arena, "%s.txt", def->name);
    cr_expect(golden_same(file, &teller.text, &diff), "%s is told otherwise than tests/sim/golden/%s has it:\n%.*s",
              def->name, file, BYTES_FORMAT(buffer_bytes(&diff)));
    story_free(&story);
    teller_deinit(&teller);
    buffer_deinit(&diff);
}

Test(golden, every_story_is_told_as_its_file_has_it)
{
    const struct story_def *def;
    for (size_t i = 0; (def = stories_at(i)); i++)
        expect_told(def);
}

// What the process ends with is told as well, so a story with a crash in it is another one.
Test(golden, another_story_is_seen)
{
    struct teller teller = {0};
    struct buffer diff = {0};
    struct story *story = story_run(&story_one_order, &(struct story_options){.teller = &teller, .crash_at = 30});
    cr_expect(story_holds(story));
    if (!getenv("SOUK_WRITE_GOLDEN")) {
        cr_expect_not(golden_same("one-order.txt", &teller.text, &diff));
        cr_expect(memmem(diff.at, diff.size, "the process ends", 16), "%.*s", BYTES_FORMAT(buffer_bytes(&diff)));
    }
    story_free(&story);
    teller_deinit(&teller);
    buffer_deinit(&diff);
}
