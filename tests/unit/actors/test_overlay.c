// SPDX-License-Identifier: Apache-2.0
// What a turn sees of its rows: over the memory store, alone and with a cache, and against a plain model.
#include "actors/overlay.h"
#include "codec/check.h"
#include "codec/record.h"
#include "store/keys.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static struct store *store;
static struct cache *cache;
static struct arena turn, texts;
static struct overlay overlay;
static struct fault_text text;

static void open_all(void)
{
    arena_init(&turn);
    arena_init(&texts);
    store_memory_open(&(struct store_options){0}, &store, &text);
    cache = cache_new(1 << 20);
    overlay_init(&overlay, store, cache, &turn);
    overlay_begin(&overlay, 1000);
}

static void close_all(void)
{
    overlay_deinit(&overlay);
    cache_free(&cache);
    store_close(&store);
    arena_deinit(&turn);
    arena_deinit(&texts);
}

TestSuite(overlay, .init = open_all, .fini = close_all, .timeout = 120);

// ---- rows: a record is what an order may hold of a SKU

static struct bytes row_key(const char *entity, const char *child)
{
    struct buffer key;
    buffer_init(&key);
    keys_child(&key, bytes_text(entity), bytes_text(child));
    struct bytes copy = arena_copy(&texts, buffer_bytes(&key));
    buffer_deinit(&key);
    return copy;
}

static struct bytes row_value(int64_t number, int64_t forget_at)
{
    struct buffer value;
    buffer_init(&value);
    record_encode(order_item_shape(), &(struct order_item){.sku = BYTES("x"), .quantity = number}, forget_at, &value);
    struct bytes copy = arena_copy(&texts, buffer_bytes(&value));
    buffer_deinit(&value);
    return copy;
}

// 0: absent.
static int64_t number_of(struct bytes value)
{
    struct order_item item;
    if (!value.at)
        return 0;
    CHECK(record_decode(order_item_shape(), value, &item, &texts), "%zu bytes", value.size);
    return item.quantity;
}

static int64_t get(enum family family, const char *entity, const char *child)
{
    return number_of(overlay_get(&overlay, family, row_key(entity, child)));
}

static void put(enum family family, const char *entity, const char *child, int64_t number)
{
    overlay_put(&overlay, family, row_key(entity, child), row_value(number, 0));
}

static void store_now(enum family family, struct bytes key, struct bytes value)
{
    store_put(store, family, key, value);
    CHECK(store_commit(store, &text) == FAULT_NONE, "%s", text.line);
}

static void begin(int64_t at)
{
    arena_reset(&turn);
    overlay_begin(&overlay, at);
}

static void commit(void)
{
    overlay_flush(&overlay);
    CHECK(store_commit(store, &text) == FAULT_NONE, "%s", text.line);
    overlay_committed(&overlay);
}

// "a=1 b=2", a "+" behind it if there is more; `from` NULL: from the entity's first child.
static const char *scan(const char *entity, const char *from, const char *to, uint32_t max)
{
    struct overlay_found *found;
    struct buffer behind, out;
    struct bytes more;
    buffer_init(&behind);
    buffer_init(&out);
    struct bytes all = row_key(entity, "");
    if (to)
        buffer_append(&behind, row_key(entity, to).at, row_key(entity, to).size);
    else
        keys_after(&behind, all);
    const struct overlay_range range = {all, from ? row_key(entity, from) : all, buffer_bytes(&behind), max, NULL};
    uint32_t count = overlay_scan(&overlay, FAMILY_CHILD, &range, &found, &more);
    for (uint32_t i = 0; i < count; i++)
        buffer_printf(&out, "%s%.*s=%" PRId64, i ? " " : "",
                      BYTES_FORMAT(bytes_of(found[i].key.at + all.size, found[i].key.size - all.size)),
                      number_of(found[i].value));
    buffer_printf(&out, "%s", more.at ? " +" : "");
    const char *copy = arena_format(&texts, "%.*s", BYTES_FORMAT(buffer_bytes(&out)));
    buffer_deinit(&behind);
    buffer_deinit(&out);
    return copy;
}

// ---- O1: read once

Test(overlay, a_row_is_read_once_a_turn)
{
    store_now(FAMILY_HEAD, row_key("mug", ""), row_value(1, 0));
    overlay_want(&overlay, FAMILY_HEAD, row_key("mug", ""));
    overlay_want(&overlay, FAMILY_HEAD, row_key("tea", ""));
    overlay_fetch(&overlay);
    store_now(FAMILY_HEAD, row_key("mug", ""), row_value(2, 0)); // nobody does this; it shows what is read when
    store_now(FAMILY_HEAD, row_key("tea", ""), row_value(2, 0));
    cr_expect_eq(get(FAMILY_HEAD, "mug", ""), 1);
    cr_expect_eq(get(FAMILY_HEAD, "tea", ""), 0, "known to be absent");
    overlay_want(&overlay, FAMILY_HEAD, row_key("mug", ""));
    overlay_fetch(&overlay);
    cr_expect_eq(get(FAMILY_HEAD, "mug", ""), 1);
}

Test(overlay, a_row_nobody_wanted_is_read_when_asked_for)
{
    store_now(FAMILY_CHILD, row_key("mug", "a"), row_value(1, 0));
    cr_expect_eq(get(FAMILY_CHILD, "mug", "a"), 1);
    store_now(FAMILY_CHILD, row_key("mug", "a"), row_value(2, 0));
    cr_expect_eq(get(FAMILY_CHILD, "mug", "a"), 1);
    begin(1001);
    cr_expect_eq(get(FAMILY_CHILD, "mug", "a"), 2, "no commit was told: the next turn reads again");
}

Test(overlay, a_wanted_row_is_read_when_asked_for_before_the_fetch)
{
    store_now(FAMILY_HEAD, row_key("mug", ""), row_value(1, 0));
    store_now(FAMILY_HEAD, row_key("tea", ""), row_value(2, 0));
    overlay_want(&overlay, FAMILY_HEAD, row_key("mug", ""));
    overlay_want(&overlay, FAMILY_HEAD, row_key("tea", ""));
    cr_expect_eq(get(FAMILY_HEAD, "mug", ""), 1);
    cr_expect_eq(overlay.wanted, 0, "in one go with the others");
    cr_expect_eq(get(FAMILY_HEAD, "tea", ""), 2);
}

Test(overlay, families_are_apart)
{
    put(FAMILY_HEAD, "mug", "", 1);
    put(FAMILY_OPEN, "mug", "", 2);
    put(FAMILY_CHILD, "mug", "", 3);
    cr_expect_eq(get(FAMILY_HEAD, "mug", ""), 1);
    cr_expect_eq(get(FAMILY_OPEN, "mug", ""), 2);
    cr_expect_eq(get(FAMILY_CHILD, "mug", ""), 3);
    cr_expect_eq(get(FAMILY_REMEMBERED, "mug", ""), 0);
}

// ---- dirty rows

Test(overlay, what_is_put_or_deleted_is_seen_by_get)
{
    store_now(FAMILY_HEAD, row_key("mug", ""), row_value(1, 0));
    put(FAMILY_HEAD, "mug", "", 2);
    cr_expect_eq(get(FAMILY_HEAD, "mug", ""), 2);
    overlay_delete(&overlay, FAMILY_HEAD, row_key("mug", ""));
    cr_expect_eq(get(FAMILY_HEAD, "mug", ""), 0);
    put(FAMILY_HEAD, "mug", "", 3);
    cr_expect_eq(get(FAMILY_HEAD, "mug", ""), 3);
}

Test(overlay, written_is_what_this_turn_has_put)
{
    store_now(FAMILY_DUE, row_key("mug", "a"), row_value(1, 0));
    cr_expect_not(overlay_written(&overlay, FAMILY_DUE, row_key("mug", "a")));
    cr_expect_eq(get(FAMILY_DUE, "mug", "a"), 1);
    cr_expect_not(overlay_written(&overlay, FAMILY_DUE, row_key("mug", "a")), "it was only looked at");
    put(FAMILY_DUE, "mug", "a", 2);
    cr_expect(overlay_written(&overlay, FAMILY_DUE, row_key("mug", "a")));
    cr_expect_not(overlay_written(&overlay, FAMILY_CHILD, row_key("mug", "a")));
    overlay_delete(&overlay, FAMILY_DUE, row_key("mug", "a"));
    cr_expect_not(overlay_written(&overlay, FAMILY_DUE, row_key("mug", "a")));
}

Test(overlay, a_wanted_row_that_is_written_before_the_fetch_keeps_what_was_written)
{
    store_now(FAMILY_HEAD, row_key("mug", ""), row_value(1, 0));
    overlay_want(&overlay, FAMILY_HEAD, row_key("mug", ""));
    overlay_want(&overlay, FAMILY_HEAD, row_key("tea", ""));
    put(FAMILY_HEAD, "mug", "", 2);
    overlay_fetch(&overlay);
    cr_expect_eq(get(FAMILY_HEAD, "mug", ""), 2);
    cr_expect_eq(overlay.wanted, 0);
}

Test(overlay, a_scan_sees_what_this_turn_changed)
{
    store_now(FAMILY_CHILD, row_key("mug", "b"), row_value(1, 0));
    store_now(FAMILY_CHILD, row_key("mug", "d"), row_value(1, 0));
    store_now(FAMILY_CHILD, row_key("mug", "f"), row_value(1, 0));
    put(FAMILY_CHILD, "mug", "c", 2);
    put(FAMILY_CHILD, "mug", "d", 3);
    put(FAMILY_CHILD, "mug", "a", 4);
    put(FAMILY_CHILD, "tea", "c", 9);
    put(FAMILY_DUE, "mug", "c", 9);
    overlay_delete(&overlay, FAMILY_CHILD, row_key("mug", "f"));
    put(FAMILY_CHILD, "mug", "gone", 5);
    overlay_delete(&overlay, FAMILY_CHILD, row_key("mug", "gone"));
    cr_expect_str_eq(scan("mug", NULL, NULL, 10), "a=4 b=1 c=2 d=3");
    cr_expect_str_eq(scan("tea", NULL, NULL, 10), "c=9");
}

Test(overlay, a_scan_keeps_its_range_and_its_limit)
{
    store_now(FAMILY_CHILD, row_key("mug", "b"), row_value(1, 0));
    store_now(FAMILY_CHILD, row_key("mug", "d"), row_value(1, 0));
    store_now(FAMILY_CHILD, row_key("mug", "f"), row_value(1, 0));
    put(FAMILY_CHILD, "mug", "a", 2);
    put(FAMILY_CHILD, "mug", "e", 2);
    put(FAMILY_CHILD, "mug", "g", 2);
    cr_expect_str_eq(scan("mug", "b", "f", 10), "b=1 d=1 e=2");
    cr_expect_str_eq(scan("mug", NULL, NULL, 6), "a=2 b=1 d=1 e=2 f=1 g=2", "exactly as many: no more");
    cr_expect_str_eq(scan("mug", NULL, NULL, 5), "a=2 b=1 d=1 e=2 f=1 +");
    cr_expect_str_eq(scan("mug", NULL, NULL, 1), "a=2 +");
    cr_expect_str_eq(scan("mug", "c", NULL, 2), "d=1 e=2 +");
    cr_expect_str_eq(scan("mug", "b", "b", 2), "");
}

Test(overlay, deleted_rows_do_not_use_up_a_scans_limit)
{
    for (int i = 0; i < 20; i++)
        store_now(FAMILY_CHILD, row_key("mug", arena_format(&texts, "%02d", i)), row_value(i + 1, 0));
    for (int i = 0; i < 18; i++)
        overlay_delete(&overlay, FAMILY_CHILD, row_key("mug", arena_format(&texts, "%02d", i)));
    cr_expect_str_eq(scan("mug", NULL, NULL, 2), "18=19 19=20");
}

// ---- forgotten

Test(overlay, a_row_to_be_forgotten_by_now_is_absent)
{
    static const enum family families[] = {FAMILY_HEAD, FAMILY_CHILD, FAMILY_REMEMBERED, FAMILY_OPEN, FAMILY_DUE};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        store_now(families[i], row_key("mug", "a"), row_value(7, 2000));
    begin(1999);
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        cr_expect_eq(get(families[i], "mug", "a"), 7, "%s", family_name(families[i]));
    cr_expect_str_eq(scan("mug", NULL, NULL, 9), "a=7");
    overlay_committed(&overlay);
    for (int64_t at = 2000; at < 2002; at++) { // from the cache, then from what it kept of that
        begin(at);
        for (size_t i = 0; i < 3; i++)
            cr_expect_eq(get(families[i], "mug", "a"), 0, "%s", family_name(families[i]));
        cr_expect_eq(get(FAMILY_OPEN, "mug", "a"), 7, "an open record is never forgotten");
        cr_expect_eq(get(FAMILY_DUE, "mug", "a"), 7);
        cr_expect_str_eq(scan("mug", NULL, NULL, 9), "");
        overlay_committed(&overlay);
    }
}

Test(overlay, a_forgotten_row_can_be_made_anew)
{
    store_now(FAMILY_CHILD, row_key("mug", "a"), row_value(7, 900));
    cr_expect_eq(get(FAMILY_CHILD, "mug", "a"), 0);
    put(FAMILY_CHILD, "mug", "a", 8);
    cr_expect_str_eq(scan("mug", NULL, NULL, 9), "a=8");
    commit();
    begin(1001);
    cr_expect_eq(get(FAMILY_CHILD, "mug", "a"), 8);
}

// ---- O2: flush

static const char *committed(enum family family)
{
    struct store_scan *rows = store_scan_open(store, family, (struct bytes){0}, (struct bytes){0}, false);
    struct bytes key, value;
    enum fault fault = FAULT_NONE;
    struct buffer out;
    buffer_init(&out);
    while (store_scan_next(rows, &key, &value, &fault))
        buffer_printf(&out, "%" PRId64 " ", number_of(value));
    store_scan_close(&rows);
    const char *copy = arena_format(&texts, "%.*s", BYTES_FORMAT(buffer_bytes(&out)));
    buffer_deinit(&out);
    return copy;
}

Test(overlay, only_dirty_rows_are_written_once_with_their_last_value)
{
    store_now(FAMILY_CHILD, row_key("mug", "a"), row_value(1, 0));
    store_now(FAMILY_CHILD, row_key("mug", "b"), row_value(2, 0));
    struct store_counts before = store_counts(store);
    get(FAMILY_CHILD, "mug", "a");
    for (int i = 1; i <= 5; i++)
        put(FAMILY_CHILD, "mug", "c", i * 10);
    overlay_delete(&overlay, FAMILY_CHILD, row_key("mug", "b"));
    put(FAMILY_HEAD, "mug", "", 9);
    cr_expect_eq(overlay_flush(&overlay), 3);
    cr_expect_str_eq(committed(FAMILY_CHILD), "1 2 ", "not before the commit");
    cr_assert_eq(store_commit(store, &text), FAULT_NONE);
    cr_expect_str_eq(committed(FAMILY_CHILD), "1 50 ");
    cr_expect_str_eq(committed(FAMILY_HEAD), "9 ");
    cr_expect_eq(store_counts(store).puts, before.puts + 2);
    cr_expect_eq(store_counts(store).deletes, before.deletes + 1);
}

Test(overlay, a_turn_that_only_read_has_nothing_to_flush)
{
    store_now(FAMILY_HEAD, row_key("mug", ""), row_value(1, 0));
    get(FAMILY_HEAD, "mug", "");
    get(FAMILY_CHILD, "mug", "none");
    scan("mug", NULL, NULL, 5);
    cr_expect_eq(overlay_flush(&overlay), 0);
}

// ---- the cache

Test(overlay, after_a_commit_the_cache_answers_for_the_store)
{
    store_now(FAMILY_HEAD, row_key("read", ""), row_value(1, 0));
    get(FAMILY_HEAD, "read", "");
    get(FAMILY_HEAD, "none", "");
    put(FAMILY_HEAD, "put", "", 2);
    store_now(FAMILY_HEAD, row_key("gone", ""), row_value(3, 0));
    overlay_delete(&overlay, FAMILY_HEAD, row_key("gone", ""));
    commit();
    for (const char *const *it = (const char *const[]){"read", "none", "put", "gone", NULL}; *it; it++)
        store_now(FAMILY_HEAD, row_key(*it, ""), row_value(99, 0)); // shows who answers
    begin(1001);
    overlay_want(&overlay, FAMILY_HEAD, row_key("read", ""));
    cr_expect_eq(overlay.wanted, 0, "nothing is left to fetch");
    cr_expect_eq(get(FAMILY_HEAD, "read", ""), 1);
    cr_expect_eq(get(FAMILY_HEAD, "none", ""), 0);
    cr_expect_eq(get(FAMILY_HEAD, "put", ""), 2);
    cr_expect_eq(get(FAMILY_HEAD, "gone", ""), 0);
}

Test(overlay, what_was_not_committed_is_not_in_the_cache)
{
    store_now(FAMILY_HEAD, row_key("mug", ""), row_value(1, 0));
    put(FAMILY_HEAD, "mug", "", 2);
    begin(1001);
    cr_expect_eq(get(FAMILY_HEAD, "mug", ""), 1);
}

// ---- weighed rows

static uint32_t by_number(struct bytes value)
{
    return (uint32_t)number_of(value);
}

static uint32_t scan_weighed(uint32_t max, bool *more)
{
    struct overlay_found *found;
    struct buffer end;
    struct bytes behind, entity = row_key("mug", "");
    buffer_init(&end);
    keys_after(&end, entity);
    const struct overlay_range range = {entity, entity, buffer_bytes(&end), max, by_number};
    uint32_t count = overlay_scan(&overlay, FAMILY_CHILD, &range, &found, &behind);
    *more = behind.at != NULL;
    buffer_deinit(&end);
    return count;
}

Test(overlay, a_weighed_scan_copies_no_more_than_it_finds)
{
    enum { ROWS = 1000, WEIGHT = 1000 };
    bool more;
    for (int i = 0; i < ROWS; i++)
        put(FAMILY_CHILD, "mug", arena_format(&texts, "%06d", i), WEIGHT);
    cr_expect_eq(scan_weighed(2 * WEIGHT, &more), 2);
    commit();
    begin(1001);
    size_t before = turn.total;
    cr_expect_eq(scan_weighed(2 * WEIGHT, &more), 2);
    cr_expect(more);
    cr_expect_eq(scan_weighed(2 * WEIGHT + 1, &more), 3);
    cr_expect_lt(turn.total - before, 2000, "%zu", turn.total - before);
    cr_expect_eq(scan_weighed(ROWS * WEIGHT, &more), ROWS);
    cr_expect_not(more);
}

// ---- many rows

Test(overlay, the_table_grows_with_the_rows_of_a_turn)
{
    enum { MANY = 20000 };
    for (int i = 0; i < MANY; i++)
        put(FAMILY_CHILD, "mug", arena_format(&texts, "%06d", i), i + 1);
    cr_expect(overlay.table_size >= MANY * 2, "%u", overlay.table_size);
    for (int i = 0; i < MANY; i += 7)
        cr_assert_eq(get(FAMILY_CHILD, "mug", arena_format(&texts, "%06d", i)), i + 1);
    struct overlay_found *found;
    struct bytes behind, entity = row_key("mug", "");
    const struct overlay_range range = {entity, entity, (struct bytes){0}, MANY, NULL};
    uint32_t count = overlay_scan(&overlay, FAMILY_CHILD, &range, &found, &behind);
    cr_expect_eq(count, MANY);
    cr_expect_not(behind.at);
    begin(1001);
    for (int i = 0; i < MANY; i += 7)
        cr_assert_eq(get(FAMILY_CHILD, "mug", arena_format(&texts, "%06d", i)), 0,
                     "nothing is left of the turn before");
}

// ---- against a model

enum { ENTITIES = 4, CHILDREN = 40, TURNS = 400 };
struct model {
    int64_t committed[ENTITIES][CHILDREN], now[ENTITIES][CHILDREN]; // 0: absent
    int64_t forget[ENTITIES][CHILDREN], forget_now[ENTITIES][CHILDREN];
};

static uint64_t random_below(uint64_t *seed, uint64_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed >> 33) % below;
}

static int64_t model_get(const struct model *model, int entity, int child, int64_t at)
{
    int64_t forget = model->forget_now[entity][child];
    return forget && forget <= at ? 0 : model->now[entity][child];
}

static void model_check_scan(const struct model *model, uint64_t *seed, int entity, const char *name)
{
    int first = (int)random_below(seed, CHILDREN), limit = 1 + (int)random_below(seed, CHILDREN), shown = 0;
    struct buffer expected;
    buffer_init(&expected);
    for (int child = first; child < CHILDREN; child++) {
        int64_t number = model_get(model, entity, child, overlay.at);
        if (!number)
            continue;
        if (shown++ == limit) {
            buffer_printf(&expected, " +");
            break;
        }
        buffer_printf(&expected, "%s%02d=%" PRId64, shown > 1 ? " " : "", child, number);
    }
    const char *is = scan(name, arena_format(&texts, "%02d", first), NULL, (uint32_t)limit);
    cr_assert_str_eq(is, arena_format(&texts, "%.*s", BYTES_FORMAT(buffer_bytes(&expected))));
    buffer_deinit(&expected);
}

static void model_step(struct model *model, uint64_t *seed)
{
    int entity = (int)random_below(seed, ENTITIES), child = (int)random_below(seed, CHILDREN);
    const char *name = arena_format(&texts, "e%d", entity);
    struct bytes key = row_key(name, arena_format(&texts, "%02d", child));
    int64_t number = 1 + (int64_t)random_below(seed, 1000), forget = 0;
    switch (random_below(seed, 6)) {
    case 0:
    case 1:
        if (random_below(seed, 4) == 0)
            forget = overlay.at + 1 + (int64_t)random_below(seed, 50);
        overlay_put(&overlay, FAMILY_CHILD, key, arena_copy(&turn, row_value(number, forget)));
        model->now[entity][child] = number;
        model->forget_now[entity][child] = forget;
        break;
    case 2:
        overlay_delete(&overlay, FAMILY_CHILD, key);
        model->now[entity][child] = model->forget_now[entity][child] = 0;
        break;
    case 3:
        overlay_want(&overlay, FAMILY_CHILD, key);
        break;
    case 4:
        cr_assert_eq(number_of(overlay_get(&overlay, FAMILY_CHILD, key)), model_get(model, entity, child, overlay.at));
        break;
    default:
        model_check_scan(model, seed, entity, name);
        break;
    }
}

static void model_run(uint64_t seed)
{
    struct model model = {0};
    for (int64_t at = 1001; at < 1001 + TURNS; at++) {
        begin(at);
        memcpy(model.now, model.committed, sizeof model.now);
        memcpy(model.forget_now, model.forget, sizeof model.forget);
        for (uint64_t steps = random_below(&seed, 60); steps; steps--)
            model_step(&model, &seed);
        overlay_fetch(&overlay);
        commit();
        memcpy(model.committed, model.now, sizeof model.now);
        memcpy(model.forget, model.forget_now, sizeof model.forget);
        arena_reset(&texts);
    }
}

Test(overlay, does_what_a_plain_model_does_without_a_cache)
{
    overlay.cache = NULL;
    model_run(1);
}

Test(overlay, does_what_a_plain_model_does_with_a_cache)
{
    model_run(2);
}

Test(overlay, does_what_a_plain_model_does_with_a_cache_that_is_always_full)
{
    cache_free(&cache);
    cache = cache_new(4096);
    overlay.cache = cache;
    model_run(3);
}
