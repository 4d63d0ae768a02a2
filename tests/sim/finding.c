// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/finding.h"

#include <stdarg.h>
#include <stdio.h>

static void add_key(struct finding *finding, enum kind_id kind, struct bytes key)
{
    const char *name = kind < KIND_COUNT ? kind_name(kind) : "souk";
    snprintf(finding->keys[finding->keys_count++], sizeof *finding->keys, "%s/%.*s", name, BYTES_FORMAT(key));
}

void finding_note(struct finding *finding, int invariant, enum kind_id kind, struct bytes key,
                  const struct entity *other, const char *format, ...)
{
    va_list args;
    if (finding->found)
        return;
    *finding = (struct finding){.found = true, .invariant = invariant};
    add_key(finding, kind, key);
    if (other)
        add_key(finding, other->kind, other->key);
    va_start(args, format);
    vsnprintf(finding->text, sizeof finding->text, format, args);
    va_end(args);
}
