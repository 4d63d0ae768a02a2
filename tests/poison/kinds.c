// SPDX-License-Identifier: Apache-2.0
// A souk that dies on purpose, for tests: linked with --wrap=kind_of, so that every handler is asked here first. A key
// says how and by which message:
//
//     poison-HOW@TYPE…     HOW  check, segv, bus, fpe, ill, abort, stack        TYPE  e.g. inventory.commit
//
// A message of TYPE to such a key kills the process while it is decided; any other is decided as ever.
#include "actors/kinds/kind.h"
#include "codec/check.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

const struct kind *__real_kind_of(enum kind_id kind);
const struct kind *__wrap_kind_of(enum kind_id kind);

static bool begins(struct bytes text, const char *with)
{
    return text.size >= strlen(with) && memcmp(text.at, with, strlen(with)) == 0;
}

static int deeper(volatile int depth)
{
    volatile char room[4096];
    room[0] = (char)depth;
    if (depth < 0)
        return 0;
    return deeper(depth + 1) + room[0];
}

static void die(struct bytes how, struct bytes key)
{
    volatile int zero = 0;
    CHECK(!begins(how, "check"), "%.*s", BYTES_FORMAT(key));
    if (begins(how, "segv"))
        *(volatile int *)mmap(NULL, sizeof(int), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) = 1;
    if (begins(how, "bus"))
        raise(SIGBUS);
    if (begins(how, "fpe"))
        raise(SIGFPE);
    if (begins(how, "ill"))
        __builtin_trap();
    if (begins(how, "abort"))
        abort();
    if (begins(how, "stack"))
        deeper(zero);
}

static enum status ask_first(const struct given *given, struct effects *effects)
{
    struct bytes key = given->key;
    if (begins(key, "poison-")) {
        struct bytes how = bytes_of(key.at + 7, key.size - 7);
        const uint8_t *at = memchr(key.at, '@', key.size);
        if (at && begins(bytes_of(at + 1, (size_t)(key.at + key.size - at - 1)), given->def->name))
            die(how, key);
    }
    return __real_kind_of(given->def->kind)->handlers[given->def->type](given, effects);
}

const struct kind *__wrap_kind_of(enum kind_id id)
{
    static handler handlers[KIND_COUNT][MESSAGE_NUMBER_MAX + 1];
    static struct kind kinds[KIND_COUNT]; // actors ask at the same time, and write the same
    const struct kind *kind = __real_kind_of(id);
    for (int i = 0; i <= MESSAGE_NUMBER_MAX; i++)
        handlers[id][i] = kind->handlers[i] ? ask_first : NULL;
    struct kind wrapped = *kind;
    wrapped.handlers = handlers[id];
    kinds[id] = wrapped;
    return &kinds[id];
}
