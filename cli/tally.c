// SPDX-License-Identifier: Apache-2.0
#include "cli/tally.h"

#include "codec/json.h"

#include <inttypes.h>

static bool is_at(const struct tally *tally, uint32_t index, struct bytes name)
{
    return tally->at[index].size == name.size && memcmp(tally->at[index].name, name.at, name.size) == 0;
}

// `used`: it is not there.
static uint32_t find(const struct tally *tally, struct bytes name)
{
    uint32_t index = 0;
    while (index < tally->used && !is_at(tally, index, name))
        index++;
    return index;
}

void tally_add(struct tally *tally, struct bytes name, uint64_t count)
{
    uint32_t index = find(tally, name);
    if (index == tally->used && (index >= TALLY_MAX - 1 || !name.size || name.size > TALLY_NAME_MAX)) {
        name = BYTES("other");
        index = find(tally, name);
    }
    if (index == tally->used) {
        tally->at[index].size = (uint8_t)name.size;
        memcpy(tally->at[index].name, name.at, name.size);
        tally->used++;
    }
    tally->at[index].count += count;
}

uint64_t tally_total(const struct tally *tally)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < tally->used; i++)
        total += tally->at[i].count;
    return total;
}

uint64_t tally_of(const struct tally *tally, const char *name)
{
    uint32_t index = find(tally, bytes_text(name));
    return index < tally->used ? tally->at[index].count : 0;
}

void tally_json(const struct tally *tally, struct buffer *out)
{
    buffer_printf(out, "{");
    for (uint32_t i = 0; i < tally->used; i++) {
        buffer_printf(out, "%s", i ? "," : "");
        json_write_text(bytes_of(tally->at[i].name, tally->at[i].size), out);
        buffer_printf(out, ":%" PRIu64, tally->at[i].count);
    }
    buffer_printf(out, "}");
}
