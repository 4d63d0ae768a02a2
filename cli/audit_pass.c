// SPDX-License-Identifier: Apache-2.0
// What the audit's passes share, and the order they run in. One thread.
#include "cli/audit_pass.h"

#include "codec/check.h"

void hold_note_write(struct buffer *out, const struct hold_note *note)
{
    uint8_t head[2] = {(uint8_t)note->state, note->expires};
    buffer_append(out, head, sizeof head);
    buffer_append(out, &note->quantity, sizeof note->quantity);
    buffer_append(out, note->sku.at, note->sku.size);
}

void hold_note_read(struct bytes value, struct hold_note *note)
{
    enum { HEAD = 2, ALL = HEAD + sizeof note->quantity };
    CHECK(value.size >= ALL, "%zu", value.size);
    *note = (struct hold_note){.state = value.at[0], .expires = value.at[1]};
    memcpy(&note->quantity, value.at + HEAD, sizeof note->quantity);
    note->sku = bytes_of(value.at + ALL, value.size - ALL);
}

void sorted_next(struct sorted *sorted)
{
    sorted->ended = !sorter_next(sorted->sorter, &sorted->key, &sorted->value);
}

void sorted_open(struct sorted *sorted, struct sorter *sorter)
{
    *sorted = (struct sorted){.sorter = sorter};
    sorter_sort(sorter);
    sorted_next(sorted);
}

bool sorted_at(const struct sorted *sorted, struct bytes key)
{
    return !sorted->ended && bytes_equal(sorted->key, key);
}

void audit_add(struct audit *audit, struct sorter *sorter, struct bytes key, struct bytes value)
{
    buffer_clear(&audit->key);
    keys_entity(&audit->key, key);
    sorter_add(sorter, buffer_bytes(&audit->key), value);
}

enum fault audit_run(const struct databases *databases, const struct audit_options *options, struct verdict *verdict,
                     struct fault_text *text)
{
    struct trouble trouble = {0};
    struct audit audit = {.databases = databases, .verdict = verdict, .trouble = &trouble};
    size_t share = options->memory_bytes / 3;
    audit.holds = sorter_new(share, options->temporary, &trouble);
    audit.claims = sorter_new(share, options->temporary, &trouble);
    audit.sales = sorter_new(share, options->temporary, &trouble);
    arena_init(&audit.arena);
    audit_stock(&audit);
    audit_carts(&audit);
    audit_orders(&audit);
    sorter_free(&audit.holds);
    sorter_free(&audit.claims);
    audit_sales(&audit);
    sorter_free(&audit.sales);
    arena_deinit(&audit.arena);
    buffer_deinit(&audit.key);
    buffer_deinit(&audit.value);
    *text = trouble.text;
    return trouble.fault;
}
