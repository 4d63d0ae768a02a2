// SPDX-License-Identifier: Apache-2.0
#include "store/trim.h"

#include "place.h"

enum { KIB = 1024, PIECE = 256 * KIB };

static void file_make(const char *name, size_t size)
{
    int fd = open(place_path(name), O_CREAT | O_WRONLY, 0600);
    cr_assert(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
    close(fd);
}

static off_t size_of(const char *name) // -1: not there
{
    struct stat status;
    return stat(place_path(name), &status) == 0 ? status.st_size : -1;
}

static void archive_make(void)
{
    place_make();
    cr_assert(mkdir(place_path("archive"), 0700) == 0);
}

Test(trim, cuts_twice_what_was_written_in_pieces, .init = archive_make, .fini = place_remove)
{
    struct trim trim;
    trim_init(&trim, place);
    file_make("archive/000007.log", 10 * PIECE);
    trim_step(&trim, PIECE / 2 - 1);
    cr_assert_eq(size_of("archive/000007.log"), 10 * PIECE, "not a piece yet");
    trim_step(&trim, 1);
    cr_assert_eq(size_of("archive/000007.log"), -1);
    cr_assert_eq(size_of("spent"), 9 * PIECE);
    trim_step(&trim, 4 * PIECE);
    cr_assert_eq(size_of("spent"), PIECE);
    trim_step(&trim, PIECE);
    cr_assert_eq(size_of("spent"), -1);
    trim_deinit(&trim);
}

Test(trim, one_file_after_the_other, .init = archive_make, .fini = place_remove)
{
    struct trim trim;
    trim_init(&trim, place);
    file_make("archive/000007.log", PIECE);
    file_make("archive/000008.log", 0);
    file_make("archive/000009.log", PIECE + 1);
    trim_step(&trim, 100 * PIECE);
    cr_assert_eq(size_of("spent"), -1);
    cr_assert(rmdir(place_path("archive")) == 0, "empty");
    trim_deinit(&trim);
}

Test(trim, what_a_checkpoint_links_to_stays_whole, .init = archive_make, .fini = place_remove)
{
    struct trim trim;
    trim_init(&trim, place);
    file_make("archive/000007.log", 10 * PIECE);
    cr_assert(link(place_path("archive/000007.log"), place_path("linked")) == 0);
    trim_step(&trim, PIECE);
    cr_assert_eq(size_of("linked"), 10 * PIECE);
    cr_assert_eq(size_of("spent"), -1);
    trim_deinit(&trim);
}

Test(trim, what_an_earlier_process_left_is_gone_at_once, .init = archive_make, .fini = place_remove)
{
    struct trim trim;
    file_make("spent", PIECE);
    file_make("archive/000007.log", PIECE);
    file_make("archive/000008.log", PIECE);
    trim_init(&trim, place);
    cr_assert_eq(size_of("spent"), -1);
    cr_assert(rmdir(place_path("archive")) == 0, "empty");
    trim_step(&trim, 10 * PIECE);
    trim_deinit(&trim);
}

// Write-ahead logs of a real database end as archive/ and spent, and do not pile up there.
Test(trim, a_database_keeps_little_of_its_finished_logs, .init = place_make, .fini = place_remove)
{
    char value[64 * KIB] = {0};
    struct store *store = place_open((struct store_options){.path = place, .create = true});
    bool spent = false;
    for (int i = 0; i < 600; i++) {
        char key[16];
        snprintf(key, sizeof key, "%08d", i);
        store_put(store, FAMILY_LOG, bytes_text(key), bytes_of(value, sizeof value));
        place_commit(store);
        spent |= size_of("spent") > 0;
    }
    cr_assert(spent, "RocksDB moved finished logs to archive/");
    store_close(&store);
    cr_assert_eq(size_of("spent"), -1);
    cr_assert(rmdir(place_path("archive")) == 0, "empty");
}
