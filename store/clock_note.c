// SPDX-License-Identifier: Apache-2.0
#include "store/clock_note.h"

#include "store/backend.h"

enum fault clock_note_load(struct shop *shop, struct clock_note *note, struct fault_text *text)
{
    struct store_key key = {FAMILY_META, BYTES("clock")};
    struct bytes value;
    struct arena arena;
    arena_init(&arena);
    *note = (struct clock_note){0};
    enum fault fault = store_get(shop_meta(shop), 1, &key, &value, &arena);
    if (!fault && value.at && !record_decode(clock_note_shape(), value, note, &arena))
        fault = FAULT_CORRUPTION;
    arena_deinit(&arena);
    return fault ? store_fault(fault, text, "%s/meta: the clock's row cannot be read; restore this directory from a copy",
                               shop_path(shop))
                 : FAULT_NONE;
}

enum fault clock_note_save(struct shop *shop, const struct clock_note *note, struct fault_text *text)
{
    struct buffer value = {0};
    record_encode(clock_note_shape(), note, 0, &value);
    store_put(shop_meta(shop), FAMILY_META, BYTES("clock"), buffer_bytes(&value));
    buffer_deinit(&value);
    return store_commit(shop_meta(shop), text);
}
