// SPDX-License-Identifier: Apache-2.0
// Each story, told quietly, is what its file says. To write the files: SOUK_WRITE_GOLDEN=1, then read them.
#include "tests/sim/golden.h"
#include "tests/sim/stories.h"
#include "tests/sim/teller.h"

#include <criterion/criterion.h>
#include <stdio.h>

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

Test(golden, every_story_is_in_the_reading_list)
{
    const struct story_def *def;
    struct buffer page = {0};
    golden_read("../../../docs/one-order.md", &page);
    pack_raw(&page, bytes_of("", 1));
    for (size_t i = 0; (def = stories_at(i)); i++) {
        char link[128];
        snprintf(link, sizeof link, "golden/%s.txt)", def->name);
        cr_expect(strstr((const char *)page.at, link), "docs/one-order.md does not name %s", def->name);
    }
    buffer_deinit(&page);
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
