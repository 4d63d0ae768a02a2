// SPDX-License-Identifier: Apache-2.0
// DIR/last-words: what a process was deciding when it died, written by the dying thread itself. The file has its full
// size before anybody serves, so that writing needs no memory, no lock and no room on the disk.
//
//   struct last_words (the machine's own layout: who reads it stands where it was written) · the message's bytes
//
// It is taken into the quarantine by the next start, or by a tool before that (store/quarantine.h), and then emptied.
#pragma once

#include "codec/fault.h"
#include "codec/ids.h"
#include "codec/pack.h"

enum { LAST_WORDS_MESSAGE_MAX = 1024 * 1024, LAST_WORDS_DEATH_MAX = 600, LAST_WORDS_TYPE_MAX = 64 };

struct last_words {
    uint64_t mark;  // LAST_WORDS_MARK; anything else: nobody died
    uint64_t check; // hash of what follows it in this struct
    int64_t at;
    uint64_t size, hash; // of the message, as it was
    uint64_t stored;     // bytes of it behind this struct: all or none
    uint8_t kind, origin, sender_kind;
    uint8_t key_size, type_size, sender_size;
    uint16_t death_size;
    uint8_t key[KEY_SIZE_MAX], sender[KEY_SIZE_MAX], type[LAST_WORDS_TYPE_MAX], death[LAST_WORDS_DEATH_MAX];
};

// The file with its full size, to write to; -1: `text` says why.
int last_words_open(const char *directory, struct fault_text *text);
// Fills `mark`, `check`, `size`, `hash` and `stored`. Async-signal-safe; a `message` that cannot be read costs only the
// message: what is known without it is written first.
void last_words_write(int file, struct last_words *words, struct bytes message);

// true: somebody died. The message's bytes are appended to `message`.
bool last_words_read(const char *directory, struct last_words *words, struct buffer *message);
// Durable when it returns.
enum fault last_words_clear(const char *directory, struct fault_text *text);
