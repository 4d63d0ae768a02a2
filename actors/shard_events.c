// SPDX-License-Identifier: Apache-2.0
// events.read: what happened, from this actor's own log. A position is "SEQ-INDEX" in hexadecimal, so positions of one
// actor order as text. A read stops before an epoch's end until it is asked again from there: a reader finishes an
// epoch of all actors of a kind before it goes on (DESIGN §9). Actor's thread.
#include "actors/shard.h"

#include "codec/check.h"

#include <stdio.h>
#include <stdlib.h>

enum { READ_ROWS_MAX = 4096, READ_SIZE_MAX = 256 * 1024, EVENTS_DEFAULT = 100, INDEX_ROW_DONE = 0xffff };
enum { LOG_SIZE_MAX = 8 * 1024 * 1024 /* until the first event */, ROW_COST = 32 };

struct position {
    uint64_t seq;
    uint32_t index; // the last one read in this row; INDEX_ROW_DONE: all of it
};

static bool position_parse(struct bytes text, struct position *position)
{
    if (text.size != 21 || text.at[16] != '-')
        return false;
    static const char digits[] = "0123456789abcdef"; // strtoull takes signs, blanks and 0x as well
    char copy[22] = {0};
    memcpy(copy, text.at, text.size);
    if (strspn(copy, digits) != 16 || strspn(copy + 17, digits) != 4)
        return false;
    position->seq = strtoull(copy, NULL, 16);
    position->index = (uint32_t)strtoul(copy + 17, NULL, 16);
    return position->seq < UINT64_MAX;
}

static struct bytes position_text(struct shard *shard, struct position position)
{
    return bytes_text(
        arena_format(&shard->arena, "%016llx-%04x", (unsigned long long)position.seq, position.index));
}

struct page {
    struct shard *shard;
    struct event_view *events;
    uint32_t count, max;
    size_t size;
    struct position next;
};

static bool page_full(const struct page *page)
{
    return page->count == page->max || page->size >= READ_SIZE_MAX;
}

static void page_turn(struct page *page, const struct log_row *row, const struct position *after)
{
    struct arena *arena = &page->shard->arena;
    for (uint32_t i = 0; i < row->turn.events_count; i++) {
        const struct log_event *event = &row->turn.events[i];
        struct position here = {row->seq, i};
        if (row->seq == after->seq && i <= after->index)
            continue;
        if (page_full(page))
            return;
        page->events[page->count++] = (struct event_view){
            .position = position_text(page->shard, here),
            .type = bytes_text(event_by_number(event->type)->name),
            .key = arena_copy(arena, event->key),
            .at = row->turn.at,
            .data = arena_copy(arena, event->data),
        };
        page->size += event->key.size + event->data.size + 64;
        page->next = here;
    }
    page->next = (struct position){row->seq, INDEX_ROW_DONE};
}

enum status shard_events_read(struct shard *shard, const struct events_read *body, struct buffer *reply)
{
    struct position after = {0, INDEX_ROW_DONE};
    if (body->has_after && !position_parse(body->after, &after)) {
        refusal_body_write(reply, "after", "not a position that events.read gave");
        return STATUS_invalid;
    }
    struct page page = {.shard = shard,
                        .max = body->has_limit ? (uint32_t)body->limit : EVENTS_DEFAULT,
                        .next = after};
    page.events = arena_alloc(&shard->arena, page.max * sizeof *page.events);
    struct events_reply out = {0};
    struct log_reader *reader =
        log_reader_open(shard->options.store, after.index == INDEX_ROW_DONE ? after.seq + 1 : after.seq, UINT64_MAX);
    struct log_row row;
    enum fault fault = FAULT_NONE;
    size_t read = 0;
    for (uint32_t rows = 0; (!page.count || rows < READ_ROWS_MAX) && read < LOG_SIZE_MAX && !page_full(&page); rows++) {
        if (!log_reader_next(reader, &row, &fault))
            break;
        read += row.size + ROW_COST;
        if (row.type == LOG_ROW_TURN) {
            page_turn(&page, &row, &after);
            continue;
        }
        bool ends_one = row.seq > 1;
        if (ends_one && page.count)
            break;
        page.next = (struct position){row.seq, INDEX_ROW_DONE};
        if (ends_one) {
            out.has_epoch_end = true;
            out.epoch_end = (int64_t)row.epoch.number - 1;
            break;
        }
    }
    log_reader_close(&reader);
    shard->log_read += read;
    CHECK(fault == FAULT_NONE, "fault %d in the log", fault);
    out.events = page.events;
    out.events_count = page.count;
    out.next = position_text(shard, page.next);
    body_encode(events_reply_shape(), &out, reply);
    return STATUS_ok;
}
