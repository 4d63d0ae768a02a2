// SPDX-License-Identifier: Apache-2.0
// What only a disk can show: kills, torn and flipped bytes, locks, versions, looking on.
#include "place.h"
#include "store/keys.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>

static struct fault_text text;

TestSuite(disk, .init = place_make, .fini = place_remove, .timeout = 120);

static struct store_options at(const char *name)
{
    return (struct store_options){.path = place_path(name), .sync = true, .create = true};
}

static enum fault open_fault(struct store_options options)
{
    struct store *store = NULL;
    text.line[0] = 0;
    enum fault fault = store_rocks_open(&options, &store, &text);
    cr_assert_eq(!fault, store != NULL);
    if (fault)
        cr_assert(strstr(text.line, options.path), "the text names the directory: %s", text.line);
    store_close(&store);
    return fault;
}

static uint64_t rows(struct store_options options)
{
    struct store *store = place_open(options);
    uint64_t count = place_count(store, FAMILY_LOG, BYTES(""), BYTES(""));
    uint64_t heads = place_count(store, FAMILY_HEAD, BYTES(""), BYTES(""));
    cr_assert_eq(count, heads, "a batch is whole or absent");
    store_close(&store);
    return count;
}

// Commits rows and ends without closing, as if killed.
static void write_and_die(void *context)
{
    struct store *store = place_open(at("db"));
    for (uint64_t seq = 1; seq <= *(uint64_t *)context; seq++) {
        struct buffer key = {0};
        keys_seq(&key, seq);
        store_put(store, FAMILY_LOG, buffer_bytes(&key), BYTES("some turn of the shop, long enough to be found again"));
        store_put(store, FAMILY_HEAD, buffer_bytes(&key), BYTES("some head"));
        place_commit(store);
    }
    _exit(7);
}

static void killed_after(uint64_t commits)
{
    cr_assert_eq(place_child(write_and_die, &commits), 7);
}

// The write-ahead log that holds rows: the largest.
static const char *wal_path(off_t *size)
{
    static char path[512];
    DIR *directory = opendir(place_path("db"));
    *size = -1;
    for (struct dirent *entry; (entry = readdir(directory));) {
        char candidate[512];
        struct stat what;
        snprintf(candidate, sizeof candidate, "%.200s/%.250s", place_path("db"), entry->d_name);
        size_t length = strlen(entry->d_name);
        if (length < 4 || strcmp(entry->d_name + length - 4, ".log") != 0 || stat(candidate, &what) != 0 ||
            what.st_size <= *size)
            continue;
        *size = what.st_size;
        snprintf(path, sizeof path, "%s", candidate);
    }
    closedir(directory);
    return path;
}

Test(disk, what_was_committed_is_there_after_a_kill)
{
    killed_after(100);
    cr_assert_eq(rows(at("db")), 100);
    cr_assert_eq(rows(at("db")), 100);
}

Test(disk, a_torn_last_write_is_dropped_whole)
{
    off_t size;
    killed_after(100);
    const char *path = wal_path(&size);
    cr_assert_eq(truncate(path, size - 10), 0);
    cr_assert_eq(rows(at("db")), 99);
}

Test(disk, a_flipped_byte_refuses_to_open_and_says_what_to_do)
{
    off_t size;
    uint8_t byte;
    killed_after(100);
    int file = open(wal_path(&size), O_RDWR);
    cr_assert_eq(pread(file, &byte, 1, size / 2), 1);
    byte ^= 0x10;
    cr_assert_eq(pwrite(file, &byte, 1, size / 2), 1);
    close(file);
    cr_assert_eq(open_fault(at("db")), FAULT_CORRUPTION, "%s", text.line);
    cr_assert(strstr(text.line, "restore"), "%s", text.line);
    cr_assert_eq(open_fault(at("db")), FAULT_CORRUPTION, "and stays so");
}

static void open_without_room(void *unused)
{
    const struct rlimit nothing = {0, 0};
    signal(SIGXFSZ, SIG_IGN);
    CHECK(setrlimit(RLIMIT_FSIZE, &nothing) == 0);
    _exit(open_fault(at("db")) == FAULT_IO ? 7 : 1);
}

Test(disk, a_disk_that_takes_nothing_is_a_fault_and_not_an_abort)
{
    killed_after(10);
    cr_assert_eq(place_child(open_without_room, NULL), 7);
    cr_assert_eq(rows(at("db")), 10);
}

Test(disk, a_missing_table_file_refuses_to_open)
{
    killed_after(10);
    rows(at("db"));
    DIR *directory = opendir(place_path("db"));
    for (struct dirent *entry; (entry = readdir(directory));)
        if (strstr(entry->d_name, ".sst"))
            unlinkat(dirfd(directory), entry->d_name, 0);
    closedir(directory);
    cr_assert_eq(open_fault(at("db")), FAULT_CORRUPTION, "%s", text.line);
}

// D3: what recovery read is in table files when open returns, so another loss of the write-ahead log is harmless.
Test(disk, a_recovered_tail_is_durable_before_open_returns)
{
    off_t size;
    killed_after(50);
    struct store *store = place_open(at("db"));
    store_close(&store);
    const char *path = wal_path(&size);
    cr_assert_lt(size, 200, "the new log holds only the version: %lld", (long long)size);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(rows(at("db")), 50);
}

Test(disk, a_database_that_is_not_there_is_missing)
{
    struct store_options options = at("db");
    options.create = false;
    cr_assert_eq(open_fault(options), FAULT_MISSING);
    options.read_only = true;
    options.create = true;
    cr_assert_eq(open_fault(options), FAULT_MISSING, "looking on creates nothing");
    cr_assert_neq(access(options.path, F_OK), 0);
}

Test(disk, an_unknown_version_refuses_to_open)
{
    struct store *store = place_open(at("db"));
    place_put(store, FAMILY_META, "version", "\x63");
    place_commit(store);
    store_close(&store);
    cr_assert_eq(open_fault(at("db")), FAULT_VERSION);
    cr_assert(strstr(text.line, "99"), "%s", text.line);
    struct store_options options = at("db");
    options.read_only = true;
    cr_assert_eq(open_fault(options), FAULT_VERSION);
}

Test(disk, a_second_opening_in_this_process_is_locked_out)
{
    struct store *store = place_open(at("db"));
    cr_assert_eq(open_fault(at("db")), FAULT_LOCKED, "%s", text.line);
    store_close(&store);
    cr_assert_eq(open_fault(at("db")), FAULT_NONE);
}

static void list(const char *path, char *out, size_t size)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        used += (size_t)snprintf(out + used, size - used, "%s\n", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

Test(disk, looking_on_writes_nothing_and_needs_no_lock)
{
    static char before[4096], after[4096];
    struct store_options options = at("db"), look = options;
    look.create = false;
    look.read_only = true;
    struct store *store = place_open(options);
    place_put(store, FAMILY_HEAD, "a", "1");
    place_commit(store);
    list(options.path, before, sizeof before);
    struct store *other = place_open(look);
    cr_assert_eq(place_count(other, FAMILY_HEAD, BYTES(""), BYTES("")), 1, "also what is only in the write-ahead log");
    place_put(store, FAMILY_HEAD, "b", "1");
    place_commit(store);
    cr_assert_eq(place_count(other, FAMILY_HEAD, BYTES(""), BYTES("")), 1, "as it was when opened");
    store_close(&other);
    list(options.path, after, sizeof after);
    cr_assert_str_eq(before, after);
    store_close(&store);
}

Test(disk, a_checkpoint_is_a_database_of_its_own)
{
    struct store *store = place_open(at("db"));
    place_put(store, FAMILY_HEAD, "a", "1");
    place_commit(store);
    cr_assert_eq(store_checkpoint(store, place_path("copy"), &text), FAULT_NONE, "%s", text.line);
    cr_assert_neq(store_checkpoint(store, place_path("copy"), &text), FAULT_NONE, "there is one already");
    place_put(store, FAMILY_HEAD, "b", "1");
    place_commit(store);
    store_close(&store);
    struct store *copy = place_open(at("copy"));
    cr_assert_eq(place_count(copy, FAMILY_HEAD, BYTES(""), BYTES("")), 1);
    store_close(&copy);
}

Test(disk, a_leftover_of_an_unfinished_copy_is_removed)
{
    struct store *store = place_open(at("db"));
    store_close(&store);
    close(open(place_path("db/incoming"), O_CREAT | O_WRONLY, 0600));
    cr_assert_eq(open_fault(at("db")), FAULT_NONE);
    cr_assert_neq(access(place_path("db/incoming"), F_OK), 0);
}

// More than one table file's worth.
Test(disk, a_large_range_is_copied_whole)
{
    static uint8_t value[64 * 1024];
    uint64_t seed = 1;
    struct store *source = place_open(at("db")), *target = place_open(at("target"));
    for (uint64_t i = 0; i < 1500; i++) {
        struct buffer key = {0};
        keys_seq(&key, i);
        for (size_t j = 0; j < sizeof value; j += 8) {
            uint64_t random = place_next(&seed);
            memcpy(value + j, &random, 8);
        }
        store_put(source, FAMILY_CHILD, buffer_bytes(&key), bytes_of(value, sizeof value));
        buffer_deinit(&key);
        if (i % 50 == 49)
            place_commit(source);
    }
    cr_assert_eq(store_copy(target, source, FAMILY_CHILD, BYTES(""), BYTES(""), &text), FAULT_NONE, "%s", text.line);
    cr_assert_eq(place_count(target, FAMILY_CHILD, BYTES(""), BYTES("")), 1500);
    store_close(&source);
    store_close(&target);
}

Test(disk, a_database_closes_while_it_flushes_and_compacts)
{
    enum { ROWS = 40000, TIMES = 5 };
    static uint8_t value[256];
    struct store_options options = at("db");
    options.memory_bytes = 1; // tables of a few hundred KB
    options.sync = false;
    uint64_t seed = 1;
    for (int time = 0; time < TIMES; time++) {
        struct store *store = place_open(options);
        for (uint32_t i = 0; i < ROWS; i++) {
            uint64_t random = place_next(&seed);
            memcpy(value, &random, sizeof random);
            store_put(store, FAMILY_CHILD, bytes_of(&random, sizeof random), bytes_of(value, sizeof value));
            if (i % 100 == 99)
                place_commit(store);
        }
        store_close(&store);
    }
    struct store *store = place_open(options);
    cr_assert_eq(place_count(store, FAMILY_CHILD, BYTES(""), BYTES("")), TIMES * ROWS);
    store_close(&store);
}
