// SPDX-License-Identifier: Apache-2.0
// The buffer holds records from its front and their places from its back; a full one is sorted by place and written.
// Merging: a heap over one reader for each run, each with its share of the memory; if there are more runs than shares,
// the oldest are merged into one first.
#include "cli/sorter.h"

#include "codec/check.h"
#include "codec/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READER_SIZE_MIN = 16 * 1024 };

// In the buffer and in the file: sizes, then the bytes.
struct record {
    uint32_t key_size, value_size;
};
#define RECORD_KEY(at) bytes_of((at) + sizeof(struct record), record_at(at).key_size)
#define RECORD_VALUE(at) bytes_of((at) + sizeof(struct record) + record_at(at).key_size, record_at(at).value_size)

struct run {
    off_t from, to;
};

struct reader {
    uint8_t *buffer;
    size_t capacity, size, used; // `used`: where the current record begins
    off_t next, to;
};

struct sorter {
    struct trouble *trouble;
    const char *directory;
    uint8_t *memory;
    size_t capacity, size;
    uint32_t *places; // grow downward from the end of memory
    size_t count, taken;
    int file; // -1: none yet
    off_t end;
    struct run *runs;
    size_t runs_count, runs_written;
    struct reader *readers;
    size_t *heap; // of readers, the least record on top
    size_t heap_count;
    bool sorted, started;
};

static struct record record_at(const uint8_t *at)
{
    struct record record;
    memcpy(&record, at, sizeof record);
    return record;
}

static size_t record_size(const uint8_t *at)
{
    struct record record = record_at(at);
    return sizeof record + record.key_size + record.value_size;
}

static int record_compare(const uint8_t *a, const uint8_t *b)
{
    int order = bytes_compare(RECORD_KEY(a), RECORD_KEY(b));
    return order ? order : bytes_compare(RECORD_VALUE(a), RECORD_VALUE(b));
}

struct sorter *sorter_new(size_t memory_bytes, const char *directory, struct trouble *trouble)
{
    struct sorter *sorter = calloc(1, sizeof *sorter);
    CHECK(sorter);
    sorter->trouble = trouble;
    sorter->directory = directory;
    sorter->capacity = memory_bytes < SORTER_MEMORY_MIN ? SORTER_MEMORY_MIN : memory_bytes & ~(size_t)15;
    if (sorter->capacity > UINT32_MAX - 15)
        sorter->capacity = UINT32_MAX - 15; // places are 32 bits
    sorter->memory = malloc(sorter->capacity);
    CHECK(sorter->memory, "%zu bytes", sorter->capacity);
    sorter->places = (uint32_t *)(void *)(sorter->memory + sorter->capacity);
    sorter->file = -1;
    return sorter;
}

static void readers_free(struct sorter *sorter)
{
    for (size_t i = 0; i < sorter->runs_count && sorter->readers; i++)
        free(sorter->readers[i].buffer);
    free(sorter->readers);
    free(sorter->heap);
    sorter->readers = NULL;
    sorter->heap = NULL;
    sorter->heap_count = 0;
}

void sorter_free(struct sorter **sorter)
{
    struct sorter *it = *sorter;
    if (!it)
        return;
    readers_free(it);
    if (it->file >= 0)
        close(it->file);
    free(it->runs);
    free(it->memory);
    free(it);
    *sorter = NULL;
}

size_t sorter_runs(const struct sorter *sorter)
{
    return sorter->runs_written;
}

// ---- the file

static bool file_open(struct sorter *sorter)
{
    char path[4200];
    if (sorter->file >= 0)
        return true;
    sorter->file = open(sorter->directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (sorter->file < 0) {
        snprintf(path, sizeof path, "%.4000s/souk-sort-XXXXXX", sorter->directory);
        sorter->file = mkostemp(path, O_CLOEXEC);
        if (sorter->file >= 0)
            unlink(path);
    }
    if (sorter->file < 0)
        trouble_note(sorter->trouble, FAULT_IO,
                     "%.200s: no temporary file can be made here (%s); set TMPDIR to a "
                     "directory with room",
                     sorter->directory, strerror(errno));
    return sorter->file >= 0;
}

static void file_write(struct sorter *sorter, const uint8_t *at, size_t size)
{
    while (size && !sorter->trouble->fault) {
        ssize_t done = pwrite(sorter->file, at, size, sorter->end);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            trouble_note(sorter->trouble, FAULT_IO,
                         "%.200s: writing a temporary file failed (%s); set TMPDIR to a "
                         "directory with room",
                         sorter->directory, strerror(errno));
            return;
        }
        at += done;
        size -= (size_t)done;
        sorter->end += done;
    }
}

// Records on their way into the file, in larger pieces.
static void write_through(struct sorter *sorter, struct buffer *out, const uint8_t *record)
{
    buffer_append(out, record, record_size(record));
    if (out->size < 256 * 1024)
        return;
    file_write(sorter, out->at, out->size);
    buffer_clear(out);
}

static void run_begin(struct sorter *sorter, struct run *run)
{
    run->from = sorter->end;
}

static void run_end(struct sorter *sorter, struct run *run, struct buffer *out)
{
    file_write(sorter, out->at, out->size);
    buffer_deinit(out);
    run->to = sorter->end;
    sorter->runs = realloc(sorter->runs, (sorter->runs_count + 1) * sizeof *sorter->runs);
    CHECK(sorter->runs);
    sorter->runs[sorter->runs_count++] = *run;
    sorter->runs_written++;
}

// ---- collecting

static int place_compare(const void *a, const void *b, void *memory)
{
    const uint8_t *base = memory;
    return record_compare(base + *(const uint32_t *)a, base + *(const uint32_t *)b);
}

static void memory_sort(struct sorter *sorter)
{
    if (sorter->count)
        qsort_r(sorter->places, sorter->count, sizeof *sorter->places, place_compare, sorter->memory);
}

static void memory_clear(struct sorter *sorter)
{
    sorter->size = sorter->count = sorter->taken = 0;
    sorter->places = (uint32_t *)(void *)(sorter->memory + sorter->capacity);
}

static void spill(struct sorter *sorter)
{
    struct run run;
    struct buffer out = {0};
    if (!sorter->count || !file_open(sorter))
        return;
    memory_sort(sorter);
    run_begin(sorter, &run);
    for (size_t i = 0; i < sorter->count; i++)
        write_through(sorter, &out, sorter->memory + sorter->places[i]);
    run_end(sorter, &run, &out);
    memory_clear(sorter);
}

void sorter_add(struct sorter *sorter, struct bytes key, struct bytes value)
{
    struct record record = {(uint32_t)key.size, (uint32_t)value.size};
    size_t size = sizeof record + key.size + value.size;
    CHECK(!sorter->sorted && size <= SORTER_RECORD_SIZE_MAX, "%zu bytes", size);
    if (sorter->trouble->fault)
        return;
    if (sorter->size + size + (sorter->count + 1) * sizeof *sorter->places > sorter->capacity)
        spill(sorter);
    if (sorter->trouble->fault)
        return;
    uint8_t *at = sorter->memory + sorter->size;
    memcpy(at, &record, sizeof record);
    if (key.size)
        memcpy(at + sizeof record, key.at, key.size);
    if (value.size)
        memcpy(at + sizeof record + key.size, value.at, value.size);
    *--sorter->places = (uint32_t)sorter->size;
    sorter->size += size;
    sorter->count++;
}

// ---- merging

// The reader's current record; NULL: its run has ended.
static const uint8_t *reader_record(struct sorter *sorter, struct reader *reader)
{
    size_t left = reader->size - reader->used;
    if (left < sizeof(struct record) || left < record_size(reader->buffer + reader->used)) {
        memmove(reader->buffer, reader->buffer + reader->used, left);
        reader->used = 0;
        reader->size = left;
        while (reader->next < reader->to && reader->size < reader->capacity) {
            size_t want = reader->capacity - reader->size;
            if ((off_t)want > reader->to - reader->next)
                want = (size_t)(reader->to - reader->next);
            ssize_t done = pread(sorter->file, reader->buffer + reader->size, want, reader->next);
            if (done < 0 && errno == EINTR)
                continue;
            if (done <= 0) {
                trouble_note(sorter->trouble, FAULT_IO, "%.200s: reading a temporary file failed (%s)",
                             sorter->directory, done ? strerror(errno) : "it ended early");
                return NULL;
            }
            reader->size += (size_t)done;
            reader->next += done;
        }
    }
    return reader->size - reader->used ? reader->buffer + reader->used : NULL;
}

static bool heap_less(const struct sorter *sorter, size_t a, size_t b)
{
    const struct reader *left = &sorter->readers[a], *right = &sorter->readers[b];
    int order = record_compare(left->buffer + left->used, right->buffer + right->used);
    return order ? order < 0 : a < b;
}

static void heap_sink(struct sorter *sorter, size_t at)
{
    for (;;) {
        size_t least = at, left = 2 * at + 1, right = 2 * at + 2;
        if (left < sorter->heap_count && heap_less(sorter, sorter->heap[left], sorter->heap[least]))
            least = left;
        if (right < sorter->heap_count && heap_less(sorter, sorter->heap[right], sorter->heap[least]))
            least = right;
        if (least == at)
            return;
        size_t other = sorter->heap[at];
        sorter->heap[at] = sorter->heap[least];
        sorter->heap[least] = other;
        at = least;
    }
}

// Over the first `count` runs.
static void readers_open(struct sorter *sorter, size_t count)
{
    size_t share = sorter->capacity / count;
    if (share < READER_SIZE_MIN)
        share = READER_SIZE_MIN;
    sorter->readers = calloc(sorter->runs_count, sizeof *sorter->readers);
    sorter->heap = calloc(count, sizeof *sorter->heap);
    CHECK(sorter->readers && sorter->heap);
    for (size_t i = 0; i < count; i++) {
        struct reader *reader = &sorter->readers[i];
        *reader = (struct reader){.capacity = share, .next = sorter->runs[i].from, .to = sorter->runs[i].to};
        reader->buffer = malloc(share);
        CHECK(reader->buffer);
        if (reader_record(sorter, reader))
            sorter->heap[sorter->heap_count++] = i;
    }
    for (size_t i = sorter->heap_count; i-- > 0;)
        heap_sink(sorter, i);
}

// The least record's reader goes on to its next.
static void heap_step(struct sorter *sorter)
{
    struct reader *reader = &sorter->readers[sorter->heap[0]];
    reader->used += record_size(reader->buffer + reader->used);
    if (!reader_record(sorter, reader))
        sorter->heap[0] = sorter->heap[--sorter->heap_count];
    heap_sink(sorter, 0);
}

static const uint8_t *heap_top(const struct sorter *sorter)
{
    const struct reader *reader = &sorter->readers[sorter->heap[0]];
    return reader->buffer + reader->used;
}

// The first `count` runs become one, the last.
static void runs_merge(struct sorter *sorter, size_t count)
{
    struct run run;
    struct buffer out = {0};
    readers_open(sorter, count);
    run_begin(sorter, &run);
    while (sorter->heap_count && !sorter->trouble->fault) {
        write_through(sorter, &out, heap_top(sorter));
        heap_step(sorter);
    }
    readers_free(sorter);
    run_end(sorter, &run, &out);
    memmove(sorter->runs, sorter->runs + count, (sorter->runs_count - count) * sizeof *sorter->runs);
    sorter->runs_count -= count;
}

void sorter_sort(struct sorter *sorter)
{
    CHECK(!sorter->sorted);
    sorter->sorted = true;
    if (!sorter->runs_count) {
        memory_sort(sorter);
        return;
    }
    spill(sorter);
    free(sorter->memory); // the readers take its share
    sorter->memory = NULL;
    size_t fan_in = sorter->capacity / READER_SIZE_MIN;
    while (sorter->runs_count > fan_in && !sorter->trouble->fault)
        runs_merge(sorter, fan_in);
    if (!sorter->trouble->fault)
        readers_open(sorter, sorter->runs_count);
}

bool sorter_next(struct sorter *sorter, struct bytes *key, struct bytes *value)
{
    const uint8_t *record = NULL;
    CHECK(sorter->sorted);
    if (sorter->trouble->fault)
        return false;
    if (sorter->memory) {
        record = sorter->taken < sorter->count ? sorter->memory + sorter->places[sorter->taken++] : NULL;
    } else {
        if (sorter->started && sorter->heap_count)
            heap_step(sorter);
        sorter->started = true;
        record = sorter->heap_count && !sorter->trouble->fault ? heap_top(sorter) : NULL;
    }
    if (!record)
        return false;
    *key = RECORD_KEY(record);
    *value = RECORD_VALUE(record);
    return true;
}
