// SPDX-License-Identifier: Apache-2.0
// The logs of a shop in one portable file, written by `souk log export` and read by `souk replay`. Numbers are little
// endian; a row's value is the one of the database's log (store/log.h), which says its own version.
//
//   "souk log 1\n"                                   what this is, and the format's version
//   for each actor   'A' · size (1) · "KIND/N" · its rows, ascending by seq
//     each row       'R' · seq (8) · size (4) · check (4): the low half of XXH3_64bits of the value · the value
//   index            'I' · count (4), for each actor: offset of its 'A' (8) · rows (8)
//   end              offset of 'I' (8) · "souk end\n"
//
// It is written in one go, so it may go to a pipe; to be read it must be a file. A file without its end was cut off.
// One thread.
#pragma once

#include "cli/databases.h"

#include <stdio.h>

struct archive_writer;

// Writes the head. The caller keeps `out`, and flushes it.
struct archive_writer *archive_writer_new(FILE *out, struct trouble *trouble);
void archive_writer_free(struct archive_writer **writer);
void archive_begin_actor(struct archive_writer *writer, struct actor_id actor);
void archive_write_row(struct archive_writer *writer, uint64_t seq, struct bytes value);
// Index and end.
void archive_finish(struct archive_writer *writer);

struct archive {
    char path[4096];
    uint32_t count;
    struct archive_actor {
        struct actor_id actor;
        uint64_t offset, rows; // where its rows begin
    } * actors;
};
// FAULT_MISSING, FAULT_USAGE (not such a file), FAULT_VERSION, FAULT_CORRUPTION (cut off).
enum fault archive_open(const char *path, struct archive *archive, struct fault_text *text);
void archive_close(struct archive *archive);

// Rows of one actor, from the first. Each reader has the file open by itself.
struct archive_reader;
struct archive_reader *archive_reader_open(const struct archive *archive, uint32_t actor, struct trouble *trouble);
// false: after the last, or trouble. The value lives until the next call.
bool archive_reader_next(struct archive_reader *reader, uint64_t *seq, struct bytes *value);
void archive_reader_close(struct archive_reader **reader);
