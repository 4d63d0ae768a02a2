// SPDX-License-Identifier: Apache-2.0
// What the log leads to against what the databases hold: row by row, byte by byte. A row that may be forgotten by now
// may be missing on either side.
#include "cli/cli.h"
#include "cli/describe.h"
#include "cli/replay.h"
#include "codec/json.h"

#include <inttypes.h>

struct compare {
    struct replay *replay;
    struct databases scratch;
    const struct databases *databases;
    enum kind_id kind;
    enum family family;
    uint64_t rows;
    struct state_difference *difference;
};

static bool may_be_forgotten(const struct compare *it, struct bytes value)
{
    bool forgets = it->family == FAMILY_HEAD || it->family == FAMILY_CHILD || it->family == FAMILY_REMEMBERED;
    int64_t forget_at = forgets ? record_forget_at(value) : 0;
    int64_t last_at = it->replay->last_at[it->kind], until = it->replay->forgotten_until;
    return forget_at > 0 && forget_at <= (until > last_at ? until : last_at);
}

static void describe_value(const struct compare *it, struct bytes value, struct buffer *out)
{
    static const enum place places[FAMILY_COUNT] = {
        [FAMILY_HEAD] = PLACE_HEAD, [FAMILY_OPEN] = PLACE_OPEN, [FAMILY_CHILD] = PLACE_CHILD, [FAMILY_DUE] = PLACE_DUE};
    struct arena arena;
    if (!value.at) {
        buffer_printf(out, "null");
        return;
    }
    if (it->family == FAMILY_REMEMBERED) {
        buffer_printf(out, "\"%zu bytes\"", value.size);
        return;
    }
    arena_init(&arena);
    describe_record(it->kind, places[it->family], value, &arena, out);
    arena_deinit(&arena);
}

static bool differs(struct compare *it, const struct table *where, struct bytes stored, struct bytes replayed)
{
    struct buffer *json = &it->difference->json, *text = &it->difference->text;
    buffer_printf(json, "{\"family\":\"%s\",\"entity\":", family_name(it->family));
    struct buffer name = {0};
    buffer_printf(&name, "%s/%.*s", kind_name(it->kind), BYTES_FORMAT(where->key));
    json_write_text(buffer_bytes(&name), json);
    buffer_printf(text, "%.*s, %s:", BYTES_FORMAT(buffer_bytes(&name)), family_name(it->family));
    buffer_deinit(&name);
    buffer_printf(json, ",\"stored\":");
    describe_value(it, stored, json);
    buffer_printf(json, ",\"replayed\":");
    describe_value(it, replayed, json);
    buffer_printf(json, "}");
    buffer_printf(text, "\n    stored    ");
    describe_value(it, stored, text);
    buffer_printf(text, "\n    replayed  ");
    describe_value(it, replayed, text);
    buffer_printf(text, "\n");
    return false;
}

static int row_compare(const struct table *a, const struct table *b)
{
    if (table_ended(a) || table_ended(b))
        return table_ended(a) - table_ended(b);
    int order = bytes_compare(a->entity, b->entity);
    return order ? order : bytes_compare(a->rest, b->rest);
}

static bool compare_family(struct compare *it)
{
    struct table stored, replayed;
    bool same = true;
    table_open(&stored, it->databases, it->kind, it->family, it->replay->trouble);
    table_open(&replayed, &it->scratch, it->kind, it->family, it->replay->trouble);
    while (same && !(table_ended(&stored) && table_ended(&replayed))) {
        int order = row_compare(&stored, &replayed);
        if (order == 0 && !bytes_equal(stored.value, replayed.value))
            same = differs(it, &stored, stored.value, replayed.value);
        if (order < 0 && !may_be_forgotten(it, stored.value))
            same = differs(it, &stored, stored.value, (struct bytes){0});
        if (order > 0 && !may_be_forgotten(it, replayed.value))
            same = differs(it, &replayed, (struct bytes){0}, replayed.value);
        if (order <= 0)
            table_next(&stored);
        if (order >= 0)
            table_next(&replayed);
        it->rows++;
        progress("comparing %s, %s: %" PRIu64 " rows", kind_name(it->kind), family_name(it->family), it->rows);
    }
    table_close(&stored);
    table_close(&replayed);
    return same;
}

bool replay_compare(struct replay *replay, const struct databases *databases, uint64_t *rows,
                    struct state_difference *difference)
{
    static const enum family families[] = {FAMILY_HEAD, FAMILY_OPEN, FAMILY_CHILD, FAMILY_DUE, FAMILY_REMEMBERED};
    struct compare it = {.replay = replay, .databases = databases, .difference = difference};
    bool same = true;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        it.scratch.owners.count[kind] = 1;
        it.scratch.of[kind][0] = replay->stores[kind];
    }
    for (int kind = 0; kind < KIND_COUNT && same; kind++)
        for (size_t i = 0; i < sizeof families / sizeof *families && same; i++) {
            it.kind = kind;
            it.family = families[i];
            same = compare_family(&it);
        }
    if (rows)
        *rows = it.rows;
    return same && !replay->trouble->fault;
}
