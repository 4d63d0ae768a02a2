// SPDX-License-Identifier: Apache-2.0
// An exported log, read as `souk replay FILE` reads it. The first byte chooses: 0 the file as it is, else its rows are
// the input, and everything around them is as souk writes it, so that the fuzzer need not guess checks and offsets.
#include "fuzz.h"

#include "cli/history.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static struct arena arena;

static void put(FILE *file, struct bytes bytes)
{
    CHECK(fwrite(bytes.at, 1, bytes.size, file) == bytes.size, "a file in memory cannot be written");
}

// Actors and rows of the input: a byte says how long each row is.
static void put_rows(FILE *file, struct bytes input)
{
    struct trouble trouble = {0};
    struct archive_writer *writer = archive_writer_new(file, &trouble);
    uint64_t seq = 0;
    archive_begin_actor(writer, (struct actor_id){KIND_CART, 0});
    while (input.size) {
        size_t size = fuzz_choice(&input);
        if (size == 0xff)
            archive_begin_actor(writer, (struct actor_id){fuzz_choice(&input) % KIND_COUNT, (uint16_t)(++seq % 3)});
        size = size < input.size ? size : input.size;
        archive_write_row(writer, ++seq, bytes_of(input.at, size));
        input = bytes_of(input.at + size, input.size - size);
        if (seq > 100)
            break; // the index has room for so many actors
    }
    archive_finish(writer);
    archive_writer_free(&writer);
    CHECK(!trouble.fault, "%s", trouble.text.line);
}

static uint32_t read_all(struct archive *archive)
{
    struct trouble trouble = {0};
    struct history *history = history_open(NULL, archive, &trouble);
    uint32_t rows = 0, index;
    CHECK(history_count(history) == archive->count, "%u", archive->count);
    while ((index = history_first(history)) != UINT32_MAX) {
        const struct log_row *row = history_row(history, index);
        CHECK(row && (row->type == LOG_ROW_TURN || row->type == LOG_ROW_EPOCH), "%u", index);
        history_value(history, index);
        history_next(history, index);
        rows++;
    }
    CHECK(!trouble.fault || trouble.text.line[0], "%d", (int)trouble.fault);
    history_close(&history);
    return rows;
}

static void take(int descriptor, bool written)
{
    char path[64];
    struct archive archive;
    struct fault_text text = {{0}};
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    enum fault fault = archive_open(path, &archive, &text);
    CHECK(!(written && fault), "%s", text.line);
    if (fault) {
        CHECK(text.line[0] && !archive.actors, "%d", (int)fault);
        return;
    }
    read_all(&archive);
    archive_close(&archive);
}

void fuzz_one(struct bytes input)
{
    uint8_t rows = fuzz_choice(&input);
    int descriptor = memfd_create("archive", MFD_CLOEXEC);
    FILE *file = fdopen(descriptor, "wb");
    CHECK(file, "no file in memory");
    if (rows)
        put_rows(file, input);
    else
        put(file, input);
    fflush(file);
    take(descriptor, rows);
    fclose(file);
}

static struct bytes epoch_row(struct buffer *row)
{
    struct sample sample = {.seed = 1, .arena = &arena, .level = SAMPLE_MOST};
    struct settings *settings = sample_of(&sample, settings_shape(), 1);
    struct log_epoch epoch = {.at = 1, .number = 1, .build = BYTES("b"), .owners = {{1, 1, 1, 1, 1, 1}},
                              .settings = *settings, .quarantine = BYTES("\x90")};
    buffer_clear(row);
    log_epoch_encode(&epoch, row);
    return buffer_bytes(row);
}

static struct bytes turn_row(struct buffer *row)
{
    struct log_message message = {.origin = LOG_CLIENT, .request = BYTES("\x95\x01\xa1i\xa8" "cart.get\xa1k\x80")};
    struct log_turn turn = {.at = 2, .messages = &message, .messages_count = 1};
    buffer_clear(row);
    log_turn_encode(&turn, row);
    return buffer_bytes(row);
}

static void seed_file(void)
{
    char *content;
    size_t size;
    FILE *file = open_memstream(&content, &size);
    struct trouble trouble = {0};
    struct buffer row = {0};
    struct archive_writer *writer = archive_writer_new(file, &trouble);
    archive_begin_actor(writer, (struct actor_id){KIND_CART, 0});
    archive_write_row(writer, 1, epoch_row(&row));
    archive_write_row(writer, 2, turn_row(&row));
    archive_begin_actor(writer, (struct actor_id){KIND_ORDER, 1});
    archive_finish(writer);
    archive_writer_free(&writer);
    fclose(file);
    fuzz_seed_chosen(0, bytes_of(content, size));
    free(content);
    buffer_deinit(&row);
}

void fuzz_seeds(void)
{
    struct buffer row = {0}, rows = {0};
    for (int i = 0; i < 2; i++) {
        struct bytes one = i ? turn_row(&row) : epoch_row(&row);
        uint8_t size = (uint8_t)one.size;
        buffer_append(&rows, &size, 1);
        buffer_append(&rows, one.at, one.size);
        fuzz_seed_chosen(1, buffer_bytes(&rows));
    }
    seed_file();
    buffer_deinit(&row);
    buffer_deinit(&rows);
}
