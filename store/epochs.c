// SPDX-License-Identifier: Apache-2.0
#include "store/epochs.h"

#include "store/backend.h"
#include "store/keys.h"

#include <inttypes.h>

enum fault epochs_read(struct store *database, const char *name, uint64_t *epoch)
{
    struct arena arena;
    struct bytes value;
    struct store_key key = {FAMILY_META, bytes_text(name)};
    *epoch = 0;
    arena_init(&arena);
    enum fault fault = store_get(database, 1, &key, &value, &arena);
    if (!fault && value.at && !keys_read_seq(value, epoch))
        fault = FAULT_CORRUPTION;
    arena_deinit(&arena);
    return fault;
}

void epochs_write(struct store *database, const char *name, uint64_t epoch)
{
    struct buffer value = {0};
    keys_seq(&value, epoch);
    store_put(database, FAMILY_META, bytes_text(name), buffer_bytes(&value));
    buffer_deinit(&value);
}

void epochs_note(struct store *database, uint64_t epoch)
{
    epochs_write(database, "seen", epoch);
}

enum fault epochs_match(struct store *database, const char *path, uint64_t served, uint64_t begun,
                        struct fault_text *text)
{
    uint64_t seen;
    enum fault fault = epochs_read(database, "seen", &seen);
    if (fault)
        return store_fault(fault, text, "%s: the epoch it has seen cannot be read; restore it from a copy", path);
    if (seen > begun)
        return store_fault(FAULT_CORRUPTION, text,
                           "%s: it has seen epoch %" PRIu64 ", and DIR/meta knows of %" PRIu64
                           " only: they are not of the same moment; restore the whole directory from one copy",
                           path, seen, begun);
    if (seen < served)
        return store_fault(FAULT_CORRUPTION, text,
                           "%s: it has seen epoch %" PRIu64 ", and the shop has served epoch %" PRIu64
                           ": answered work is missing; restore the whole directory from one copy",
                           path, seen, served);
    return FAULT_NONE;
}
