// SPDX-License-Identifier: Apache-2.0
#include "logbook.h"

#include "cli/describe.h"
#include "cli/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct logbook book;
static struct trouble trouble;
static char path[] = "/tmp/souk-test-archive-XXXXXX";

// Two actors with a few turns each, exported.
static void export_book(void)
{
    logbook_init(&book);
    stage_open(&book.stage, KIND_INVENTORY, 2);
    logbook_start(&book);
    for (int i = 0; i < 8; i++)
        logbook_receive(&book, arena_format(&book.arena, "sku-%d", i), 1 + i);
    trouble = (struct trouble){0};
    FILE *file = fdopen(mkstemp(path), "wb");
    struct history *history = history_open(&book.stage.databases, NULL, &trouble);
    struct archive_writer *writer = archive_writer_new(file, &trouble);
    for (uint32_t i = 0; i < history_count(history); i++) {
        archive_begin_actor(writer, history_actor(history, i));
        for (const struct log_row *row; (row = history_row(history, i)); history_next(history, i))
            archive_write_row(writer, row->seq, history_value(history, i));
    }
    archive_finish(writer);
    archive_writer_free(&writer);
    history_close(&history);
    fclose(file);
    cr_assert(eq(int, trouble.fault, FAULT_NONE), "%s", trouble.text.line);
}

static void done(void)
{
    unlink(path);
    logbook_deinit(&book);
}

static void damage(long from_end, uint8_t byte)
{
    FILE *file = fopen(path, "r+b");
    fseek(file, -from_end, SEEK_END);
    fwrite(&byte, 1, 1, file);
    fclose(file);
}

Test(archive, what_is_written_is_read_again_row_for_row)
{
    struct archive archive;
    struct fault_text text;
    export_book();
    cr_assert(eq(int, archive_open(path, &archive, &text), FAULT_NONE), "%s", text.line);
    struct history *there = history_open(&book.stage.databases, NULL, &trouble);
    struct history *here = history_open(NULL, &archive, &trouble);
    cr_assert(eq(u32, history_count(here), KIND_COUNT + 1));
    uint32_t rows = 0;
    for (uint32_t i = 0; i < history_count(here); i++) {
        cr_assert(eq(str, actor_id_name(history_actor(here, i)).text, actor_id_name(history_actor(there, i)).text));
        while (history_row(there, i)) {
            cr_assert(history_row(here, i) != NULL && history_row(here, i)->seq == history_row(there, i)->seq);
            cr_assert(bytes_equal(history_value(here, i), history_value(there, i)));
            history_next(here, i);
            history_next(there, i);
            rows++;
        }
        cr_assert(history_row(here, i) == NULL);
    }
    cr_assert(eq(u32, rows, 8 + 3)); // and three epochs
    cr_assert(eq(int, trouble.fault, FAULT_NONE), "%s", trouble.text.line);
    history_close(&here);
    history_close(&there);
    archive_close(&archive);
    done();
}

Test(archive, all_actors_together_come_by_time)
{
    struct archive archive;
    struct fault_text text;
    export_book();
    cr_assert(eq(int, archive_open(path, &archive, &text), FAULT_NONE));
    struct history *history = history_open(NULL, &archive, &trouble);
    int64_t last = 0;
    uint32_t index, rows = 0;
    for (; (index = history_first(history)) != UINT32_MAX; history_next(history, index), rows++) {
        cr_assert(ge(i64, log_row_at(history_row(history, index)), last));
        last = log_row_at(history_row(history, index));
    }
    cr_assert(eq(u32, rows, 11));
    history_close(&history);
    archive_close(&archive);
    done();
}

Test(archive, a_damaged_row_of_any_actor_ends_them_all)
{
    export_book();
    struct buffer key = {0};
    keys_seq(&key, 1);
    store_put(book.stage.databases.of[KIND_INVENTORY][1], FAMILY_LOG, buffer_bytes(&key), BYTES("none"));
    cr_assert(eq(int, store_commit(book.stage.databases.of[KIND_INVENTORY][1], NULL), FAULT_NONE));
    struct history *history = history_open(&book.stage.databases, NULL, &trouble);
    for (uint32_t index; (index = history_first(history)) != UINT32_MAX; history_next(history, index))
        cr_assert(history_row(history, index) != NULL);
    cr_assert(eq(int, trouble.fault, FAULT_CORRUPTION));
    history_close(&history);
    buffer_deinit(&key);
    done();
}

Test(archive, rows_can_be_limited_to_an_actor_and_a_range)
{
    export_book();
    struct history *history = history_open(&book.stage.databases, NULL, &trouble);
    history_limit(history, 1, 2, 3); // inventory/0
    uint32_t index = history_first(history), rows = 0;
    cr_assert(eq(u32, index, 1));
    cr_assert(eq(u64, history_row(history, index)->seq, 2));
    for (; history_first(history) != UINT32_MAX; rows++)
        history_next(history, 1);
    cr_assert(eq(u32, rows, 2));
    history_close(&history);
    done();
}

Test(archive, a_file_that_was_cut_off_is_refused)
{
    struct archive archive;
    struct fault_text text;
    export_book();
    cr_assert(eq(int, truncate(path, 300), 0));
    cr_assert(eq(int, archive_open(path, &archive, &text), FAULT_CORRUPTION));
    cr_assert(eq(int, truncate(path, 5), 0));
    cr_assert(eq(int, archive_open(path, &archive, &text), FAULT_USAGE));
    cr_assert(eq(int, archive_open("/nowhere/at/all", &archive, &text), FAULT_MISSING));
    cr_assert(eq(int, archive_open("/tmp", &archive, &text), FAULT_USAGE));
    done();
}

Test(archive, a_damaged_row_is_named)
{
    struct archive archive;
    struct fault_text text;
    export_book();
    damage(600, 0xff);
    cr_assert(eq(int, archive_open(path, &archive, &text), FAULT_NONE), "%s", text.line);
    struct history *history = history_open(NULL, &archive, &trouble);
    for (uint32_t i = 0; i < history_count(history); i++)
        while (history_row(history, i))
            history_next(history, i);
    cr_assert(eq(int, trouble.fault, FAULT_CORRUPTION));
    cr_assert(strstr(trouble.text.line, "is damaged") != NULL, "%s", trouble.text.line);
    history_close(&history);
    archive_close(&archive);
    done();
}

Test(archive, another_version_is_told_from_rubbish)
{
    struct archive archive;
    struct fault_text text;
    export_book();
    FILE *file = fopen(path, "r+b");
    fputs("souk log 9\n", file);
    fclose(file);
    cr_assert(eq(int, archive_open(path, &archive, &text), FAULT_VERSION));
    file = fopen(path, "r+b");
    fputs("something else", file);
    fclose(file);
    cr_assert(eq(int, archive_open(path, &archive, &text), FAULT_USAGE));
    done();
}

// ---- rows as text

Test(describe, a_row_is_one_object_with_its_messages_and_events)
{
    struct buffer out = {0};
    struct row_filter filter = {0};
    logbook_init(&book);
    logbook_receive(&book, "A", 7);
    trouble = (struct trouble){0};
    struct history *history = history_open(&book.stage.databases, NULL, &trouble);
    history_limit(history, 1, 2, 2);
    describe_row_json(history_actor(history, 1), history_row(history, 1), &filter, &out);
    const char *parts[] = {
        "{\"actor\":\"inventory/0\",\"seq\":2,", "\"sender\":\"client\",\"id\":\"id-1\"",
        "\"type\":\"inventory.receive\",\"key\":\"A\",\"body\":{\"quantity\":7}",
        "\"events\":[{\"message\":0,\"type\":\"stock_changed\",\"key\":\"A\",\"data\":{\"on_hand\":7"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        cr_assert(memmem(out.at, out.size, parts[i], strlen(parts[i])) != NULL, "%.*s",
                  BYTES_FORMAT(buffer_bytes(&out)));
    filter.key = BYTES("B");
    cr_assert(not(row_passes(history_row(history, 1), &filter)));
    filter.key = BYTES("A");
    cr_assert(row_passes(history_row(history, 1), &filter));
    history_close(&history);
    buffer_deinit(&out);
    logbook_deinit(&book);
}

Test(describe, a_long_body_is_cut_between_characters)
{
    struct buffer body = {0}, out = {0};
    pack_map(&body, 1);
    pack_text(&body, "title");
    char text[400] = {0};
    for (size_t i = 0; i + 2 < sizeof text; i += 2)
        memcpy(text + i, "é", 2);
    pack_text(&body, text);
    describe_body_short(buffer_bytes(&body), &out);
    cr_assert(le(sz, out.size, SHORT_BODY_MAX + 3));
    cr_assert(text_valid(buffer_bytes(&out)));
    buffer_deinit(&body);
    buffer_deinit(&out);
}
