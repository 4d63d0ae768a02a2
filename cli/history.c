// SPDX-License-Identifier: Apache-2.0
// Every actor's log as a chapter; whoever reads it checks that seq has no hole and that rows decode. One thread.
#include "cli/history.h"

#include "codec/check.h"
#include "store/keys.h"

#include <stdlib.h>

struct chapter { // one actor's
    struct actor_id actor;
    struct store *store;            // or
    struct archive_reader *archive; // …
    struct store_scan *scan;
    bool skipped, started, ended;
    uint64_t last_seq;
    struct bytes value;
    struct log_row row;
    struct arena arena;
};

struct history {
    struct trouble *trouble;
    struct chapter *chapters;
    uint32_t count;
    uint64_t from, to;
};

int64_t log_row_at(const struct log_row *row)
{
    return row->type == LOG_ROW_TURN ? row->turn.at : row->epoch.at;
}

static struct chapter *chapter_add(struct history *history, struct actor_id actor)
{
    history->chapters = realloc(history->chapters, (history->count + 1) * sizeof *history->chapters);
    CHECK(history->chapters);
    struct chapter *chapter = &history->chapters[history->count++];
    *chapter = (struct chapter){.actor = actor};
    arena_init(&chapter->arena);
    return chapter;
}

struct history *history_open(const struct databases *databases, const struct archive *archive, struct trouble *trouble)
{
    struct history *history = calloc(1, sizeof *history);
    CHECK(history);
    *history = (struct history){.trouble = trouble, .from = 1, .to = UINT64_MAX};
    for (int kind = 0; kind < KIND_COUNT && databases; kind++)
        for (uint16_t index = 0; index < databases->ever.count[kind]; index++)
            if (databases->of[kind][index])
                chapter_add(history, (struct actor_id){kind, index})->store = databases->of[kind][index];
    for (uint32_t i = 0; archive && i < archive->count; i++)
        chapter_add(history, archive->actors[i].actor)->archive = archive_reader_open(archive, i, trouble);
    return history;
}

void history_close(struct history **history)
{
    struct history *it = *history;
    if (!it)
        return;
    for (uint32_t i = 0; i < it->count; i++) {
        store_scan_close(&it->chapters[i].scan);
        archive_reader_close(&it->chapters[i].archive);
        arena_deinit(&it->chapters[i].arena);
    }
    free(it->chapters);
    free(it);
    *history = NULL;
}

uint32_t history_count(const struct history *history)
{
    return history->count;
}

struct actor_id history_actor(const struct history *history, uint32_t index)
{
    return history->chapters[index].actor;
}

void history_limit(struct history *history, uint32_t actor, uint64_t from, uint64_t to)
{
    history->from = from;
    history->to = to;
    for (uint32_t i = 0; i < history->count; i++)
        history->chapters[i].skipped = actor != UINT32_MAX && i != actor;
}

// ---- reading

static void chapter_start(const struct history *history, struct chapter *chapter)
{
    struct buffer from = {0}, behind = {0};
    chapter->started = true;
    if (!chapter->store)
        return;
    keys_seq(&from, history->from);
    if (history->to < UINT64_MAX)
        keys_seq(&behind, history->to + 1);
    chapter->scan = store_scan_open(chapter->store, FAMILY_LOG, buffer_bytes(&from), buffer_bytes(&behind), false);
    chapter->last_seq = history->from ? history->from - 1 : 0;
    buffer_deinit(&from);
    buffer_deinit(&behind);
}

// The next row's bytes, from wherever they come.
static bool chapter_read(struct history *history, struct chapter *chapter, uint64_t *seq)
{
    struct bytes key;
    enum fault fault = FAULT_NONE;
    if (chapter->archive)
        return archive_reader_next(chapter->archive, seq, &chapter->value);
    if (!store_scan_next(chapter->scan, &key, &chapter->value, &fault)) {
        if (fault)
            trouble_note(history->trouble, fault, "%s: its log cannot be read after seq %llu; restore it from a copy",
                         actor_id_name(chapter->actor).text, (unsigned long long)chapter->last_seq);
        return false;
    }
    if (!keys_read_seq(key, seq))
        *seq = 0; // a hole, then
    return true;
}

static void chapter_next(struct history *history, struct chapter *chapter)
{
    uint64_t seq = 0;
    do {
        chapter->ended = chapter->skipped || history->trouble->fault || !chapter_read(history, chapter, &seq);
        if (chapter->ended)
            return;
        if (seq != chapter->last_seq + 1) {
            trouble_note(history->trouble, FAULT_CORRUPTION,
                         "%s: seq %llu is missing in its log; restore it from a copy",
                         actor_id_name(chapter->actor).text, (unsigned long long)chapter->last_seq + 1);
            chapter->ended = true;
            return;
        }
        chapter->last_seq = seq;
        chapter->ended = seq > history->to;
    } while (seq < history->from && !chapter->ended);
    arena_reset(&chapter->arena);
    if (chapter->ended || log_row_decode(seq, chapter->value, &chapter->row, &chapter->arena))
        return;
    trouble_note(history->trouble, FAULT_CORRUPTION, "%s: seq %llu of its log does not decode; restore it from a copy",
                 actor_id_name(chapter->actor).text, (unsigned long long)seq);
    chapter->ended = true;
}

const struct log_row *history_row(struct history *history, uint32_t index)
{
    struct chapter *chapter = &history->chapters[index];
    if (!chapter->started) {
        chapter_start(history, chapter);
        chapter_next(history, chapter);
    }
    return chapter->ended || history->trouble->fault ? NULL : &chapter->row;
}

struct bytes history_value(const struct history *history, uint32_t index)
{
    return history->chapters[index].value;
}

void history_next(struct history *history, uint32_t index)
{
    struct chapter *chapter = &history->chapters[index];
    CHECK(chapter->started);
    if (!chapter->ended)
        chapter_next(history, chapter);
}

uint32_t history_first(struct history *history)
{
    uint32_t first = UINT32_MAX;
    int64_t at = 0;
    for (uint32_t i = 0; i < history->count; i++) {
        const struct log_row *row = history_row(history, i);
        if (row && (first == UINT32_MAX || log_row_at(row) < at)) {
            first = i;
            at = log_row_at(row);
        }
    }
    return history->trouble->fault ? UINT32_MAX : first;
}
