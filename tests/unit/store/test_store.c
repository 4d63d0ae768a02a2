// SPDX-License-Identifier: Apache-2.0
// The contract of store.h: every ON_BOTH test runs against both backends. Then what only a disk can show.
#include "codec/record.h"
#include "place.h"

static struct arena arena;
static struct fault_text text;
static _Atomic int64_t horizon;

static void fini(void)
{
    arena_deinit(&arena);
    place_remove();
}

TestSuite(memory, .init = place_make, .fini = fini, .timeout = 120);
TestSuite(rocks, .init = place_make, .fini = fini, .timeout = 120);

static struct store *open_memory(void)
{
    struct store *store;
    struct store_options options = {.horizon = &horizon};
    store_memory_open(&options, &store, &text);
    return store;
}

static struct store_options at(const char *name)
{
    return (struct store_options){.path = place_path(name), .sync = true, .create = true, .horizon = &horizon};
}

static struct store *open_rocks(void)
{
    return place_open(at("db"));
}

#define ON_BOTH(fact)                                                                                                  \
    static void fact(struct store *store);                                                                             \
    Test(memory, fact)                                                                                                 \
    {                                                                                                                  \
        struct store *store = open_memory();                                                                           \
        fact(store);                                                                                                   \
        store_close(&store);                                                                                           \
    }                                                                                                                  \
    Test(rocks, fact)                                                                                                  \
    {                                                                                                                  \
        struct store *store = open_rocks();                                                                            \
        fact(store);                                                                                                   \
        store_close(&store);                                                                                           \
    }                                                                                                                  \
    static void fact(struct store *store)

static struct bytes get(struct store *store, enum family family, const char *key)
{
    struct bytes value;
    struct store_key asked = {family, bytes_text(key)};
    cr_assert_eq(store_get(store, 1, &asked, &value, &arena), FAULT_NONE);
    return value;
}

static bool holds(struct store *store, enum family family, const char *key, const char *value)
{
    struct bytes found = get(store, family, key);
    return found.at && bytes_equal(found, bytes_text(value));
}

// "a b c" for the keys a scan gives.
static const char *keys_of(struct store *store, enum family family, const char *from, const char *to, bool descending)
{
    static char line[256];
    size_t size = 0;
    struct bytes key, value;
    enum fault fault;
    line[0] = 0;
    struct store_scan *scan = store_scan_open(store, family, bytes_text(from), bytes_text(to), descending);
    while (store_scan_next(scan, &key, &value, &fault))
        size += (size_t)snprintf(line + size, sizeof line - size, "%s%.*s", size ? " " : "", BYTES_FORMAT(key));
    cr_assert_eq(fault, FAULT_NONE);
    cr_assert_not(store_scan_next(scan, &key, &value, &fault), "the end stays the end");
    store_scan_close(&scan);
    cr_assert_null(scan);
    return line;
}

// ---- reading what was written ----

ON_BOTH(a_committed_row_is_found_and_an_absent_one_is_not)
{
    place_put(store, FAMILY_HEAD, "a", "1");
    place_commit(store);
    cr_assert(holds(store, FAMILY_HEAD, "a", "1"));
    cr_assert_null(get(store, FAMILY_HEAD, "b").at);
    cr_assert_null(get(store, FAMILY_OPEN, "a").at, "families are apart");
}

ON_BOTH(an_empty_value_is_a_row)
{
    place_put(store, FAMILY_OPEN, "a", "");
    place_commit(store);
    struct bytes value = get(store, FAMILY_OPEN, "a");
    cr_assert_not_null(value.at);
    cr_assert_eq(value.size, 0);
    struct store_key keys[2] = {{FAMILY_OPEN, BYTES("a")}, {FAMILY_OPEN, BYTES("b")}};
    struct bytes values[2];
    cr_assert_eq(store_get(store, 2, keys, values, &arena), FAULT_NONE);
    cr_assert_not_null(values[0].at);
    cr_assert_null(values[1].at);
}

ON_BOTH(many_keys_of_many_families_are_answered_each_in_its_place)
{
    place_put(store, FAMILY_HEAD, "a", "head a");
    place_put(store, FAMILY_CHILD, "a", "child a");
    place_put(store, FAMILY_CHILD, "b", "child b");
    place_put(store, FAMILY_LOG, "a", "log a");
    place_commit(store);
    static const struct {
        enum family family;
        const char *key, *value; // NULL: absent
    } table[] = {{FAMILY_CHILD, "b", "child b"}, {FAMILY_HEAD, "z", NULL},      {FAMILY_HEAD, "a", "head a"},
                 {FAMILY_CHILD, "b", "child b"}, {FAMILY_LOG, "a", "log a"},    {FAMILY_CHILD, "a", "child a"},
                 {FAMILY_HEAD, "z", NULL},       {FAMILY_HEAD, "", NULL},       {FAMILY_DUE, "a", NULL},
                 {FAMILY_HEAD, "a", "head a"},   {FAMILY_CHILD, "aa", NULL},    {FAMILY_META, "nothing", NULL},
                 {FAMILY_CHILD, "c", NULL},      {FAMILY_REMEMBERED, "a", NULL}};
    enum { COUNT = sizeof table / sizeof *table };
    struct store_key keys[COUNT];
    struct bytes values[COUNT];
    for (int i = 0; i < COUNT; i++)
        keys[i] = (struct store_key){table[i].family, bytes_text(table[i].key)};
    cr_assert_eq(store_get(store, COUNT, keys, values, &arena), FAULT_NONE);
    for (int i = 0; i < COUNT; i++)
        cr_assert(table[i].value ? values[i].at && bytes_equal(values[i], bytes_text(table[i].value)) : !values[i].at,
                  "%d", i);
    cr_assert_eq(store_get(store, 0, NULL, NULL, &arena), FAULT_NONE);
}

ON_BOTH(keys_with_the_same_first_bytes_are_told_apart)
{
    place_put(store, FAMILY_HEAD, "12345678", "short");
    place_put(store, FAMILY_HEAD, "123456789", "longer");
    place_commit(store);
    struct store_key keys[] = {{FAMILY_HEAD, BYTES("123456789")},
                               {FAMILY_HEAD, BYTES("1234567")},
                               {FAMILY_HEAD, BYTES("12345678")},
                               {FAMILY_HEAD, BYTES("1234567\0")},
                               {FAMILY_HEAD, BYTES("123456789")}};
    struct bytes values[5];
    cr_assert_eq(store_get(store, 5, keys, values, &arena), FAULT_NONE);
    cr_assert(bytes_equal(values[0], BYTES("longer")));
    cr_assert_null(values[1].at);
    cr_assert(bytes_equal(values[2], BYTES("short")));
    cr_assert_null(values[3].at);
    cr_assert(bytes_equal(values[4], BYTES("longer")));
}

ON_BOTH(a_scan_gives_the_rows_within_its_bounds_in_both_directions)
{
    const char *const keys[] = {"b", "a", "d", "c", "bb"};
    for (int i = 0; i < 5; i++)
        place_put(store, FAMILY_DUE, keys[i], keys[i]);
    place_put(store, FAMILY_CHILD, "bbb", "of another family");
    place_commit(store);
    static const struct {
        const char *from, *to, *ascending, *descending;
    } table[] = {
        {"", "", "a b bb c d", "d c bb b a"},
        {"b", "", "b bb c d", "d c bb b"},
        {"", "c", "a b bb", "bb b a"},
        {"b", "c", "b bb", "bb b"},
        {"ba", "bz", "bb", "bb"},
        {"b", "b", "", ""},
        {"e", "", "", ""},
        {"", "a", "", ""},
        {"c", "b", "", ""},
        {"aa", "cc", "b bb c", "c bb b"},
        {"", "zzz", "a b bb c d", "d c bb b a"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        cr_assert_str_eq(keys_of(store, FAMILY_DUE, table[i].from, table[i].to, false), table[i].ascending, "%zu", i);
        cr_assert_str_eq(keys_of(store, FAMILY_DUE, table[i].from, table[i].to, true), table[i].descending, "%zu", i);
    }
}

ON_BOTH(a_scan_may_be_left_before_its_end)
{
    struct bytes key, value;
    enum fault fault;
    place_put(store, FAMILY_DUE, "a", "1");
    place_put(store, FAMILY_DUE, "b", "2");
    place_commit(store);
    struct store_scan *scan = store_scan_open(store, FAMILY_DUE, BYTES(""), BYTES(""), false);
    cr_assert(store_scan_next(scan, &key, &value, &fault));
    cr_assert(bytes_equal(value, BYTES("1")));
    store_scan_close(&scan);
}

ON_BOTH(a_scan_goes_on_over_a_commit)
{
    struct bytes key, value;
    enum fault fault;
    int count = 0;
    for (char name[] = "a"; name[0] <= 'e'; name[0]++)
        place_put(store, FAMILY_DUE, name, name);
    place_commit(store);
    struct store_scan *scan = store_scan_open(store, FAMILY_DUE, BYTES(""), BYTES(""), false);
    while (store_scan_next(scan, &key, &value, &fault)) {
        store_delete(store, FAMILY_DUE, key);
        place_commit(store);
        count++;
    }
    store_scan_close(&scan);
    cr_assert_eq(count, 5);
    cr_assert_str_eq(keys_of(store, FAMILY_DUE, "", "", false), "");
}

// ---- S1, S3 ----

ON_BOTH(rows_are_seen_when_committed_and_not_before)
{
    place_put(store, FAMILY_HEAD, "a", "1");
    place_put(store, FAMILY_LOG, "l", "1");
    cr_assert_null(get(store, FAMILY_HEAD, "a").at);
    cr_assert_str_eq(keys_of(store, FAMILY_LOG, "", "", false), "");
    place_commit(store);
    cr_assert(holds(store, FAMILY_HEAD, "a", "1"));
    cr_assert(holds(store, FAMILY_LOG, "l", "1"));
    store_delete(store, FAMILY_HEAD, BYTES("a"));
    cr_assert(holds(store, FAMILY_HEAD, "a", "1"));
    place_commit(store);
    cr_assert_null(get(store, FAMILY_HEAD, "a").at);
}

ON_BOTH(the_last_word_on_a_row_counts)
{
    place_put(store, FAMILY_HEAD, "a", "1");
    place_put(store, FAMILY_HEAD, "a", "2");
    place_put(store, FAMILY_HEAD, "b", "1");
    store_delete(store, FAMILY_HEAD, BYTES("b"));
    store_delete(store, FAMILY_HEAD, BYTES("c"));
    place_put(store, FAMILY_HEAD, "c", "1");
    place_commit(store);
    cr_assert(holds(store, FAMILY_HEAD, "a", "2"));
    cr_assert_null(get(store, FAMILY_HEAD, "b").at);
    cr_assert(holds(store, FAMILY_HEAD, "c", "1"));
}

ON_BOTH(the_caller_keeps_the_bytes_it_puts)
{
    char key[] = "k", value[] = "v";
    place_put(store, FAMILY_HEAD, key, value);
    key[0] = value[0] = 'x';
    place_commit(store);
    cr_assert(holds(store, FAMILY_HEAD, "k", "v"));
    cr_assert_null(get(store, FAMILY_HEAD, "x").at);
}

ON_BOTH(an_empty_commit_does_nothing)
{
    place_commit(store);
    cr_assert_eq(store_counts(store).commits, 0);
}

ON_BOTH(what_was_written_is_counted)
{
    place_put(store, FAMILY_HEAD, "ab", "123");
    place_put(store, FAMILY_LOG, "l", "12345");
    place_put(store, FAMILY_META, "m", "");
    store_delete(store, FAMILY_CHILD, BYTES("cd"));
    cr_assert_eq(store_counts(store).puts, 0, "not yet committed");
    place_commit(store);
    struct store_counts counts = store_counts(store);
    cr_assert_eq(counts.commits, 1);
    cr_assert_eq(counts.puts, 1);
    cr_assert_eq(counts.deletes, 1);
    cr_assert_eq(counts.bytes, 5 + 6 + 1 + 2);
}

Test(memory, a_failed_commit_leaves_the_rows_as_they_were)
{
    struct store *store = open_memory();
    place_put(store, FAMILY_HEAD, "a", "1");
    place_commit(store);
    store_memory_fail(store, 2);
    place_put(store, FAMILY_HEAD, "a", "2");
    place_commit(store);
    place_put(store, FAMILY_HEAD, "a", "3");
    place_put(store, FAMILY_CHILD, "b", "3");
    store_delete(store, FAMILY_HEAD, BYTES("a"));
    cr_assert_eq(store_commit(store, &text), FAULT_IO);
    cr_assert_str_not_empty(text.line);
    cr_assert(holds(store, FAMILY_HEAD, "a", "2"));
    cr_assert_null(get(store, FAMILY_CHILD, "b").at);
    cr_assert_eq(store_counts(store).commits, 2);
    place_commit(store);
    cr_assert(holds(store, FAMILY_HEAD, "a", "2"), "the failed batch is gone");
    store_close(&store);
}

// ---- clear, copy ----

ON_BOTH(a_cleared_range_is_empty_and_the_rest_stays)
{
    for (char name[] = "a"; name[0] <= 'f'; name[0]++) {
        place_put(store, FAMILY_HEAD, name, name);
        place_put(store, FAMILY_CHILD, name, name);
    }
    place_commit(store);
    cr_assert_eq(store_clear(store, FAMILY_HEAD, BYTES("b"), BYTES("d"), &text), FAULT_NONE, "%s", text.line);
    cr_assert_str_eq(keys_of(store, FAMILY_HEAD, "", "", false), "a d e f");
    cr_assert_eq(store_clear(store, FAMILY_HEAD, BYTES("b"), BYTES("d"), &text), FAULT_NONE, "again");
    cr_assert_eq(store_clear(store, FAMILY_HEAD, BYTES("e"), BYTES(""), &text), FAULT_NONE, "%s", text.line);
    cr_assert_str_eq(keys_of(store, FAMILY_HEAD, "", "", true), "d a");
    cr_assert_str_eq(keys_of(store, FAMILY_CHILD, "", "", false), "a b c d e f");
    cr_assert_eq(store_clear(store, FAMILY_HEAD, BYTES(""), BYTES("\0"), &text), FAULT_NONE, "only the empty key");
    place_put(store, FAMILY_HEAD, "c", "new");
    place_commit(store);
    cr_assert_str_eq(keys_of(store, FAMILY_HEAD, "", "", false), "a c d");
    cr_assert_eq(store_clear(store, FAMILY_HEAD, BYTES(""), BYTES(""), &text), FAULT_NONE, "%s", text.line);
    cr_assert_str_eq(keys_of(store, FAMILY_HEAD, "", "", false), "");
}

static void expect_copy(struct store *source, struct store *target)
{
    for (char name[] = "a"; name[0] <= 'f'; name[0]++)
        place_put(source, FAMILY_CHILD, name, name);
    place_commit(source);
    place_put(target, FAMILY_CHILD, "a", "its own");
    place_put(target, FAMILY_CHILD, "z", "its own");
    place_commit(target);
    cr_assert_eq(store_copy(target, source, FAMILY_CHILD, BYTES("b"), BYTES("e"), &text), FAULT_NONE, "%s", text.line);
    cr_assert_str_eq(keys_of(target, FAMILY_CHILD, "", "", false), "a b c d z");
    cr_assert(holds(target, FAMILY_CHILD, "c", "c"));
    cr_assert(holds(target, FAMILY_CHILD, "a", "its own"));
    cr_assert_eq(store_copy(target, source, FAMILY_CHILD, BYTES("x"), BYTES(""), &text), FAULT_NONE, "nothing there");
    cr_assert_eq(store_copy(target, source, FAMILY_DUE, BYTES(""), BYTES(""), &text), FAULT_NONE, "nothing there");
    // Rows that came by a copy are rows like others.
    place_put(target, FAMILY_CHILD, "b", "newer");
    store_delete(target, FAMILY_CHILD, BYTES("c"));
    place_commit(target);
    cr_assert(holds(target, FAMILY_CHILD, "b", "newer"));
    cr_assert_str_eq(keys_of(target, FAMILY_CHILD, "", "", false), "a b d z");
    // Back to where the range was emptied before.
    cr_assert_eq(store_clear(source, FAMILY_CHILD, BYTES("b"), BYTES("e"), &text), FAULT_NONE);
    cr_assert_eq(store_copy(source, target, FAMILY_CHILD, BYTES("b"), BYTES("e"), &text), FAULT_NONE, "%s", text.line);
    cr_assert_str_eq(keys_of(source, FAMILY_CHILD, "", "", false), "a b d e f");
    cr_assert(holds(source, FAMILY_CHILD, "b", "newer"));
}

Test(memory, rows_are_copied_between_stores)
{
    struct store *source = open_memory(), *target = open_memory();
    expect_copy(source, target);
    store_close(&source);
    store_close(&target);
}

Test(rocks, rows_are_copied_between_stores)
{
    struct store *source = open_rocks(), *target = place_open(at("target"));
    expect_copy(source, target);
    store_close(&target);
    target = place_open(at("target"));
    cr_assert_str_eq(keys_of(target, FAMILY_CHILD, "", "", false), "a b d z", "durable");
    store_close(&source);
    store_close(&target);
}

Test(rocks, rows_are_copied_from_and_to_memory)
{
    struct store *memory = open_memory(), *rocks = open_rocks();
    expect_copy(memory, rocks);
    store_close(&memory);
    memory = open_memory();
    cr_assert_eq(store_clear(rocks, FAMILY_CHILD, BYTES(""), BYTES(""), &text), FAULT_NONE);
    expect_copy(rocks, memory);
    store_close(&memory);
    store_close(&rocks);
}

// Rows in the memtable, on level 0 and on the bottom, table files wholly inside and across the bounds: whatever the way
// they are dropped, nothing older may come back.
Test(rocks, clearing_leaves_no_older_version_behind)
{
    struct store_options options = at("db");
    char key[16], value[64];
    struct store *store = place_open(options), *other = place_open(at("other"));
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 3000; i++) {
            snprintf(key, sizeof key, "%06d", i);
            snprintf(value, sizeof value, "round %d of %d", round, i);
            place_put(round % 2 ? other : store, FAMILY_HEAD, key, value);
        }
        place_commit(round % 2 ? other : store);
        if (round % 2) {
            cr_assert_eq(store_clear(store, FAMILY_HEAD, BYTES("001000"), BYTES("002000"), &text), FAULT_NONE);
            cr_assert_eq(place_count(store, FAMILY_HEAD, BYTES(""), BYTES("")), 2000);
            cr_assert_eq(store_copy(store, other, FAMILY_HEAD, BYTES("001000"), BYTES("002000"), &text), FAULT_NONE,
                         "%s", text.line);
            cr_assert(holds(store, FAMILY_HEAD, "001000", round == 1 ? "round 1 of 1000" : value) || round > 1);
        }
        store_close(&store);
        store = place_open(options); // what was in memory is flushed
        cr_assert_eq(place_count(store, FAMILY_HEAD, BYTES(""), BYTES("")), 3000, "round %d", round);
    }
    cr_assert(holds(store, FAMILY_HEAD, "001000", "round 5 of 1000"));
    cr_assert(holds(store, FAMILY_HEAD, "001999", "round 5 of 1999"));
    cr_assert(holds(store, FAMILY_HEAD, "000999", "round 4 of 999"));
    cr_assert(holds(store, FAMILY_HEAD, "002000", "round 4 of 2000"));
    store_clear(store, FAMILY_HEAD, BYTES("001000"), BYTES("002000"), &text);
    store_close(&store);
    store_close(&other);
    store = place_open(options);
    cr_assert_eq(place_count(store, FAMILY_HEAD, BYTES(""), BYTES("")), 2000);
    cr_assert_null(get(store, FAMILY_HEAD, "001500").at);
    cr_assert(holds(store, FAMILY_HEAD, "002000", "round 4 of 2000"), "the bound itself is not cleared");
    store_close(&store);
}

Test(rocks, a_table_file_that_ends_at_the_bound_is_not_dropped)
{
    struct store *source = open_rocks(), *target = place_open(at("target"));
    for (char name[] = "a"; name[0] <= 'e'; name[0]++)
        place_put(source, FAMILY_HEAD, name, name);
    place_commit(source);
    cr_assert_eq(store_copy(target, source, FAMILY_HEAD, BYTES("a"), BYTES("f"), &text), FAULT_NONE, "%s", text.line);
    cr_assert_eq(store_clear(target, FAMILY_HEAD, BYTES("a"), BYTES("e"), &text), FAULT_NONE, "%s", text.line);
    cr_assert_str_eq(keys_of(target, FAMILY_HEAD, "", "", false), "e");
    store_close(&source);
    store_close(&target);
}

// ---- S4 ----

static void put_record(struct store *store, enum family family, const char *key, int64_t forget_at)
{
    struct buffer value = {0};
    struct due_hold record = {.at = 1, .has_at = true, .child = BYTES("c"), .has_child = true};
    record_encode(due_hold_shape(), &record, forget_at, &value);
    store_put(store, family, bytes_text(key), buffer_bytes(&value));
    buffer_deinit(&value);
}

static void put_records(struct store *store)
{
    static const enum family families[] = {FAMILY_HEAD, FAMILY_OPEN, FAMILY_CHILD, FAMILY_DUE, FAMILY_REMEMBERED};
    for (int i = 0; i < 5; i++) {
        put_record(store, families[i], "never", 0);
        put_record(store, families[i], "at 100", 100);
        put_record(store, families[i], "at 101", 101);
        place_put(store, families[i], "no record", "x");
    }
    place_commit(store);
}

static bool forgotten(struct store *store, enum family family)
{
    cr_assert_not_null(get(store, family, "never").at);
    cr_assert_not_null(get(store, family, "at 101").at);
    cr_assert_not_null(get(store, family, "no record").at);
    return !get(store, family, "at 100").at;
}

Test(memory, a_row_is_forgotten_as_soon_as_it_may_be)
{
    struct store *store = open_memory();
    put_records(store);
    cr_assert_not(forgotten(store, FAMILY_HEAD));
    atomic_store(&horizon, 100);
    cr_assert(forgotten(store, FAMILY_HEAD));
    cr_assert(forgotten(store, FAMILY_CHILD));
    cr_assert(forgotten(store, FAMILY_REMEMBERED));
    cr_assert_not(forgotten(store, FAMILY_OPEN));
    cr_assert_not(forgotten(store, FAMILY_DUE));
    cr_assert_eq(place_count(store, FAMILY_HEAD, BYTES(""), BYTES("")), 3);
    store_close(&store);
}

static bool forgotten_everywhere(struct store *store)
{
    return forgotten(store, FAMILY_HEAD) && forgotten(store, FAMILY_CHILD) && forgotten(store, FAMILY_REMEMBERED);
}

// Each opening turns what waits in the log into a table file; enough of those around a row and RocksDB compacts.
Test(rocks, a_row_is_forgotten_by_compaction)
{
    bool gone = false;
    struct store *store = open_rocks();
    atomic_store(&horizon, 100);
    put_records(store);
    for (int i = 0; i < 40 && !gone; i++) {
        for (int family = 0; family < FAMILY_LOG; family++) {
            place_put(store, family, "", "first");
            place_put(store, family, "zzz", "last");
        }
        place_commit(store);
        store_close(&store);
        store = open_rocks();
        for (int wait = 0; wait < 10 && !gone; wait++) {
            usleep(10000);
            gone = forgotten_everywhere(store);
        }
    }
    cr_assert(gone);
    cr_assert_not(forgotten(store, FAMILY_OPEN));
    cr_assert_not(forgotten(store, FAMILY_DUE));
    store_close(&store);
}

// ---- both alike ----

static void change_both(struct store *a, struct store *b, uint64_t *seed)
{
    for (uint64_t i = place_next(seed) % 40; i; i--) {
        char key[8], value[24];
        enum family family = place_next(seed) % FAMILY_META;
        snprintf(key, sizeof key, "%u", (unsigned)(place_next(seed) % 200));
        snprintf(value, sizeof value, "%llx", (unsigned long long)place_next(seed));
        bool delete = place_next(seed) % 3 == 0;
        struct store *both[] = {a, b};
        for (int j = 0; j < 2; j++)
            if (delete)
                store_delete(both[j], family, bytes_text(key));
            else
                place_put(both[j], family, key, value);
    }
    place_commit(a);
    place_commit(b);
}

static void compare_scan(struct store *a, struct store *b, uint64_t *seed)
{
    char from[8], to[8];
    snprintf(from, sizeof from, "%u", (unsigned)(place_next(seed) % 200));
    snprintf(to, sizeof to, "%u", (unsigned)(place_next(seed) % 200));
    enum family family = place_next(seed) % FAMILY_META;
    bool descending = place_next(seed) % 2, bounded = place_next(seed) % 2;
    struct bytes key[2], value[2];
    enum fault fault;
    struct store_scan *one = store_scan_open(a, family, bytes_text(from), bytes_text(bounded ? to : ""), descending);
    struct store_scan *two = store_scan_open(b, family, bytes_text(from), bytes_text(bounded ? to : ""), descending);
    bool more;
    do {
        more = store_scan_next(one, &key[0], &value[0], &fault);
        cr_assert_eq(store_scan_next(two, &key[1], &value[1], &fault), more);
        if (more)
            cr_assert(bytes_equal(key[0], key[1]) && bytes_equal(value[0], value[1]));
    } while (more);
    store_scan_close(&one);
    store_scan_close(&two);
}

static void compare_get(struct store *a, struct store *b, uint64_t *seed)
{
    enum { COUNT = 60 };
    static char names[COUNT][8];
    struct store_key keys[COUNT];
    struct bytes values[2][COUNT];
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "%u", (unsigned)(place_next(seed) % 200));
        keys[i] = (struct store_key){place_next(seed) % FAMILY_META, bytes_text(names[i])};
    }
    cr_assert_eq(store_get(a, COUNT, keys, values[0], &arena), FAULT_NONE);
    cr_assert_eq(store_get(b, COUNT, keys, values[1], &arena), FAULT_NONE);
    for (int i = 0; i < COUNT; i++) {
        cr_assert_eq(!values[0][i].at, !values[1][i].at);
        cr_assert(bytes_equal(values[0][i], values[1][i]));
    }
    arena_reset(&arena);
}

Test(rocks, behaves_as_memory_does)
{
    uint64_t seed = 20240607;
    struct store *memory = open_memory(), *rocks = open_rocks();
    for (int i = 0; i < 400; i++) {
        change_both(memory, rocks, &seed);
        compare_get(memory, rocks, &seed);
        compare_scan(memory, rocks, &seed);
        if (i % 100 == 99) {
            store_close(&rocks);
            rocks = open_rocks();
        }
    }
    store_close(&memory);
    store_close(&rocks);
}
