// SPDX-License-Identifier: Apache-2.0
#include "store/last_words.h"

#include "store/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LAST_WORDS_MARK UINT64_C(0x317364726f77206b) // "k words1"
enum { PATH_MAX_SIZE = 4200, FILE_SIZE = sizeof(struct last_words) + LAST_WORDS_MESSAGE_MAX };
_Static_assert(sizeof(struct last_words) == 56 + 2 * KEY_SIZE_MAX + LAST_WORDS_TYPE_MAX + LAST_WORDS_DEATH_MAX,
               "no holes: it is hashed and stored as it lies in memory");

static int file_open(const char *directory, int flags)
{
    char path[PATH_MAX_SIZE];
    snprintf(path, sizeof path, "%.4000s/last-words", directory);
    return open(path, flags | O_CLOEXEC, 0600);
}

int last_words_open(const char *directory, struct fault_text *text)
{
    int file = file_open(directory, O_RDWR | O_CREAT);
    int error = file < 0 ? errno : posix_fallocate(file, 0, FILE_SIZE);
    if (!error)
        return file;
    if (file >= 0)
        close(file);
    store_fault(FAULT_IO, text, "%s/last-words: cannot be made %d bytes long: %s", directory, (int)FILE_SIZE,
                strerror(error));
    return -1;
}

// ---- while dying: only async-signal-safe calls

static uint64_t check_of(const struct last_words *words)
{
    size_t from = offsetof(struct last_words, at);
    return hash_of(bytes_of((const uint8_t *)words + from, sizeof *words - from));
}

static void write_head(int file, struct last_words *words)
{
    words->mark = LAST_WORDS_MARK;
    words->check = check_of(words);
    if (pwrite(file, words, sizeof *words, 0) < 0)
        return; // nobody is left to be told
}

void last_words_write(int file, struct last_words *words, struct bytes message)
{
    words->size = message.size;
    words->hash = words->stored = 0;
    write_head(file, words);
    bool fits = message.size <= LAST_WORDS_MESSAGE_MAX;
    if (fits && pwrite(file, message.at, message.size, sizeof *words) == (ssize_t)message.size)
        words->stored = message.size;
    words->hash = hash_of(message);
    write_head(file, words);
}

// ---- afterwards

static bool legal(const struct last_words *words)
{
    return words->mark == LAST_WORDS_MARK && words->check == check_of(words) && words->kind < KIND_COUNT &&
           words->sender_kind < KIND_COUNT && words->key_size <= KEY_SIZE_MAX && words->sender_size <= KEY_SIZE_MAX &&
           words->type_size <= LAST_WORDS_TYPE_MAX && words->death_size <= LAST_WORDS_DEATH_MAX &&
           words->stored <= LAST_WORDS_MESSAGE_MAX;
}

bool last_words_read(const char *directory, struct last_words *words, struct buffer *message)
{
    int file = file_open(directory, O_RDONLY);
    if (file < 0)
        return false;
    bool read = pread(file, words, sizeof *words, 0) == (ssize_t)sizeof *words && legal(words);
    if (read && words->stored) {
        ssize_t size = pread(file, buffer_reserve(message, words->stored), words->stored, sizeof *words);
        message->size += size == (ssize_t)words->stored ? words->stored : 0;
    }
    close(file);
    return read;
}

enum fault last_words_clear(const char *directory, struct fault_text *text)
{
    uint64_t nothing = 0;
    int file = file_open(directory, O_WRONLY);
    bool cleared = file >= 0 && pwrite(file, &nothing, sizeof nothing, 0) == sizeof nothing && fdatasync(file) == 0;
    int error = errno;
    if (file >= 0)
        close(file);
    return cleared ? FAULT_NONE
                   : store_fault(FAULT_IO, text, "%s/last-words: cannot be emptied: %s", directory, strerror(error));
}
