// SPDX-License-Identifier: Apache-2.0
// The exported file: written in one go, read by its index. One thread.
#include "cli/archive.h"

#include "codec/check.h"
#include "codec/pack.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char magic[] = "souk log 1\n";
static const char magic_any[] = "souk log ";
static const char end_mark[] = "souk end\n";
enum {
    MAGIC_SIZE = sizeof magic - 1,
    END_SIZE = 8 + sizeof end_mark - 1,
    ROW_HEAD_SIZE = 1 + 8 + 4 + 4,
    INDEX_ENTRY_SIZE = 16,
    NAME_SIZE_MAX = 31
};

static void put_u32(struct buffer *out, uint32_t value)
{
    uint32_t little = htole32(value);
    buffer_append(out, &little, sizeof little);
}

static void put_u64(struct buffer *out, uint64_t value)
{
    uint64_t little = htole64(value);
    buffer_append(out, &little, sizeof little);
}

static uint32_t get_u32(const uint8_t *at)
{
    uint32_t little;
    memcpy(&little, at, sizeof little);
    return le32toh(little);
}

static uint64_t get_u64(const uint8_t *at)
{
    uint64_t little;
    memcpy(&little, at, sizeof little);
    return le64toh(little);
}

// ---- writing

struct archive_writer {
    FILE *out;
    struct trouble *trouble;
    uint64_t offset;
    struct buffer head;
    struct archive_actor actors[KIND_COUNT * ACTORS_MAX];
    uint32_t count;
};

static void write_bytes(struct archive_writer *writer, struct bytes bytes)
{
    if (bytes.size && fwrite(bytes.at, 1, bytes.size, writer->out) != bytes.size)
        trouble_note(writer->trouble, FAULT_IO, "writing the file failed: %s", strerror(errno));
    writer->offset += bytes.size;
}

static void write_head(struct archive_writer *writer)
{
    write_bytes(writer, buffer_bytes(&writer->head));
    buffer_clear(&writer->head);
}

struct archive_writer *archive_writer_new(FILE *out, struct trouble *trouble)
{
    struct archive_writer *writer = calloc(1, sizeof *writer);
    CHECK(writer);
    writer->out = out;
    writer->trouble = trouble;
    write_bytes(writer, bytes_of(magic, MAGIC_SIZE));
    return writer;
}

void archive_writer_free(struct archive_writer **writer)
{
    if (!*writer)
        return;
    buffer_deinit(&(*writer)->head);
    free(*writer);
    *writer = NULL;
}

void archive_begin_actor(struct archive_writer *writer, struct actor_id actor)
{
    struct actor_name name = actor_id_name(actor);
    uint8_t head[2] = {'A', (uint8_t)strlen(name.text)};
    CHECK(writer->count < KIND_COUNT * ACTORS_MAX, "%u", writer->count);
    writer->actors[writer->count++] = (struct archive_actor){.actor = actor, .offset = writer->offset};
    buffer_append(&writer->head, head, sizeof head);
    buffer_append(&writer->head, name.text, strlen(name.text));
    write_head(writer);
}

void archive_write_row(struct archive_writer *writer, uint64_t seq, struct bytes value)
{
    CHECK(writer->count && value.size <= UINT32_MAX, "%zu", value.size);
    buffer_append(&writer->head, "R", 1);
    put_u64(&writer->head, seq);
    put_u32(&writer->head, (uint32_t)value.size);
    put_u32(&writer->head, (uint32_t)hash_of(value));
    write_head(writer);
    write_bytes(writer, value);
    writer->actors[writer->count - 1].rows++;
}

void archive_finish(struct archive_writer *writer)
{
    uint64_t index = writer->offset;
    buffer_append(&writer->head, "I", 1);
    put_u32(&writer->head, writer->count);
    for (uint32_t i = 0; i < writer->count; i++) {
        put_u64(&writer->head, writer->actors[i].offset);
        put_u64(&writer->head, writer->actors[i].rows);
    }
    put_u64(&writer->head, index);
    buffer_append(&writer->head, end_mark, sizeof end_mark - 1);
    write_head(writer);
}

// ---- reading

static bool read_at(FILE *file, uint64_t offset, void *into, size_t size)
{
    return fseeko(file, (off_t)offset, SEEK_SET) == 0 && fread(into, 1, size, file) == size;
}

// The head of an actor's part; moves `offset` on to its first row.
static bool read_name(FILE *file, struct archive_actor *actor)
{
    uint8_t head[2], name[NAME_SIZE_MAX];
    if (!read_at(file, actor->offset, head, sizeof head) || head[0] != 'A' || head[1] > sizeof name ||
        !read_at(file, actor->offset + sizeof head, name, head[1]) ||
        !actor_id_parse(bytes_of(name, head[1]), &actor->actor))
        return false;
    actor->offset += sizeof head + head[1];
    return actor->actor.index < ACTORS_MAX;
}

static bool read_index(FILE *file, uint64_t size, struct archive *archive)
{
    uint8_t end[END_SIZE], head[5], entry[INDEX_ENTRY_SIZE];
    if (size < MAGIC_SIZE + END_SIZE || !read_at(file, size - END_SIZE, end, sizeof end) ||
        memcmp(end + 8, end_mark, sizeof end_mark - 1) != 0)
        return false;
    uint64_t index = get_u64(end);
    if (index < MAGIC_SIZE || index > size - END_SIZE || !read_at(file, index, head, sizeof head) || head[0] != 'I')
        return false;
    archive->count = get_u32(head + 1);
    if (archive->count > KIND_COUNT * ACTORS_MAX ||
        index + sizeof head + (uint64_t)archive->count * INDEX_ENTRY_SIZE != size - END_SIZE)
        return false;
    archive->actors = calloc(archive->count + 1, sizeof *archive->actors);
    CHECK(archive->actors);
    for (uint32_t i = 0; i < archive->count; i++) {
        struct archive_actor *actor = &archive->actors[i];
        if (!read_at(file, index + sizeof head + i * INDEX_ENTRY_SIZE, entry, sizeof entry))
            return false;
        actor->offset = get_u64(entry);
        actor->rows = get_u64(entry + 8);
        if (actor->offset > index || !read_name(file, actor))
            return false;
    }
    return true;
}

static enum fault refuse(enum fault fault, struct fault_text *text, const char *path, const char *why)
{
    snprintf(text->line, sizeof text->line, "%.300s: %s", path, why);
    return fault;
}

static enum fault read_all(FILE *file, struct archive *archive, struct fault_text *text)
{
    char head[MAGIC_SIZE] = {0};
    struct stat status;
    if (fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode))
        return refuse(FAULT_USAGE, text, archive->path, "not a file; a pipe cannot be read, save it first");
    bool any = read_at(file, 0, head, MAGIC_SIZE);
    if (!any || memcmp(head, magic_any, sizeof magic_any - 1) != 0)
        return refuse(FAULT_USAGE, text, archive->path, "not a log that `souk log export` wrote");
    if (memcmp(head, magic, MAGIC_SIZE) != 0)
        return refuse(FAULT_VERSION, text, archive->path, "written by a newer souk; read it with that one");
    if (!read_index(file, (uint64_t)status.st_size, archive))
        return refuse(FAULT_CORRUPTION, text, archive->path, "its end is missing or damaged; export it again");
    return FAULT_NONE;
}

enum fault archive_open(const char *path, struct archive *archive, struct fault_text *text)
{
    *archive = (struct archive){0};
    snprintf(archive->path, sizeof archive->path, "%s", path);
    FILE *file = fopen(path, "rbe");
    if (!file)
        return refuse(FAULT_MISSING, text, path, strerror(errno));
    enum fault fault = read_all(file, archive, text);
    fclose(file);
    if (fault)
        archive_close(archive);
    return fault;
}

void archive_close(struct archive *archive)
{
    free(archive->actors);
    archive->actors = NULL;
    archive->count = 0;
}

struct archive_reader {
    FILE *file;
    struct trouble *trouble;
    struct actor_id actor;
    const char *path;
    uint64_t left; // rows
    uint64_t last_seq;
    struct buffer value;
};

struct archive_reader *archive_reader_open(const struct archive *archive, uint32_t actor, struct trouble *trouble)
{
    struct archive_reader *reader = calloc(1, sizeof *reader);
    CHECK(reader);
    *reader = (struct archive_reader){.trouble = trouble,
                                      .path = archive->path,
                                      .actor = archive->actors[actor].actor,
                                      .left = archive->actors[actor].rows};
    reader->file = fopen(archive->path, "rbe");
    if (!reader->file || fseeko(reader->file, (off_t)archive->actors[actor].offset, SEEK_SET) != 0)
        trouble_note(trouble, FAULT_IO, "%.300s: %s", archive->path, strerror(errno));
    return reader;
}

static bool damaged(struct archive_reader *reader)
{
    trouble_note(reader->trouble, FAULT_CORRUPTION, "%.300s: %s, the row after seq %llu is damaged; export it again",
                 reader->path, actor_id_name(reader->actor).text, (unsigned long long)reader->last_seq);
    return false;
}

bool archive_reader_next(struct archive_reader *reader, uint64_t *seq, struct bytes *value)
{
    uint8_t head[ROW_HEAD_SIZE];
    if (reader->trouble->fault || !reader->left)
        return false;
    if (fread(head, 1, sizeof head, reader->file) != sizeof head || head[0] != 'R')
        return damaged(reader);
    uint32_t size = get_u32(head + 9), check = get_u32(head + 13), done = 0;
    buffer_clear(&reader->value);
    while (done < size) { // in steps, so that a damaged size does not ask for all memory
        size_t step = size - done < 1 << 20 ? size - done : 1 << 20;
        if (fread(buffer_reserve(&reader->value, step), 1, step, reader->file) != step)
            return damaged(reader);
        reader->value.size += step;
        done += (uint32_t)step;
    }
    if ((uint32_t)hash_of(buffer_bytes(&reader->value)) != check)
        return damaged(reader);
    reader->left--;
    *seq = reader->last_seq = get_u64(head + 1);
    *value = buffer_bytes(&reader->value);
    return true;
}

void archive_reader_close(struct archive_reader **reader)
{
    struct archive_reader *it = *reader;
    if (!it)
        return;
    if (it->file)
        fclose(it->file);
    buffer_deinit(&it->value);
    free(it);
    *reader = NULL;
}
