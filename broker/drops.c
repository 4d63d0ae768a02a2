// SPDX-License-Identifier: Apache-2.0
#include "broker/drops.h"

static const char *const reasons[DROP_COUNT] = {
#define DROP(name) [DROP_##name] = #name,
    DROPS(DROP)
#undef DROP
};

void drops_write(const struct drops *drops, struct buffer *out)
{
    pack_map(out, DROP_COUNT);
    for (int i = 0; i < DROP_COUNT; i++) {
        pack_text(out, reasons[i]);
        pack_int(out, (int64_t)drops->count[i]);
    }
}
