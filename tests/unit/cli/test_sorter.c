// SPDX-License-Identifier: Apache-2.0
#include "cli/sorter.h"

#include "codec/check.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// A number that looks like chance.
static uint64_t mix(uint64_t n)
{
    n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9ULL;
    n = (n ^ (n >> 27)) * 0x94d049bb133111ebULL;
    return n ^ (n >> 31);
}

// Adds `count` records with keys by chance and checks that they come back sorted, each once. Returns the runs.
static size_t round_trip(size_t memory, uint32_t count, size_t value_size)
{
    struct trouble trouble = {0};
    struct sorter *sorter = sorter_new(memory, "/tmp", &trouble);
    uint8_t *value = calloc(1, value_size + sizeof(uint32_t)), *seen = calloc(1, count);
    CHECK(value && seen);
    for (uint32_t i = 0; i < count; i++) {
        char key[32];
        int size = snprintf(key, sizeof key, "%llu", (unsigned long long)(mix(i) % (count / 2 + 1)));
        memcpy(value, &i, sizeof i);
        sorter_add(sorter, bytes_of(key, (size_t)size), bytes_of(value, value_size + sizeof i));
    }
    sorter_sort(sorter);
    struct bytes got_key, got_value;
    char last[32] = "";
    uint32_t got = 0, number;
    while (sorter_next(sorter, &got_key, &got_value)) {
        cr_assert(bytes_compare(bytes_text(last), got_key) <= 0, "%s before %.*s", last, BYTES_FORMAT(got_key));
        snprintf(last, sizeof last, "%.*s", BYTES_FORMAT(got_key));
        memcpy(&number, got_value.at, sizeof number);
        cr_assert(number < count && !seen[number], "record %u", number);
        seen[number] = 1;
        got++;
    }
    cr_assert(eq(u32, got, count));
    cr_assert(eq(int, trouble.fault, FAULT_NONE), "%s", trouble.text.line);
    size_t runs = sorter_runs(sorter);
    sorter_free(&sorter);
    free(value);
    free(seen);
    return runs;
}

Test(sorter, what_fits_is_sorted_in_memory)
{
    cr_assert(eq(sz, round_trip(1 << 20, 1000, 8), 0));
}

Test(sorter, what_does_not_fit_goes_through_runs)
{
    size_t runs = round_trip(SORTER_MEMORY_MIN, 5000, 20);
    cr_assert(runs > 1);
    cr_assert(runs < 8);
}

Test(sorter, more_runs_than_memory_for_readers_are_merged_in_rounds)
{
    cr_assert(round_trip(SORTER_MEMORY_MIN, 20000, 100) > 40); // four readers fit
}

Test(sorter, large_records_cross_the_readers_buffers)
{
    round_trip(SORTER_MEMORY_MIN, 500, 3900);
}

Test(sorter, nothing_added_is_nothing)
{
    struct trouble trouble = {0};
    struct sorter *sorter = sorter_new(0, "/tmp", &trouble);
    struct bytes key, value;
    sorter_sort(sorter);
    cr_assert(not(sorter_next(sorter, &key, &value)));
    sorter_free(&sorter);
}

Test(sorter, equal_keys_come_by_value)
{
    struct trouble trouble = {0};
    struct sorter *sorter = sorter_new(0, "/tmp", &trouble);
    struct bytes key, value;
    sorter_add(sorter, BYTES("k"), BYTES("b"));
    sorter_add(sorter, BYTES("k"), BYTES(""));
    sorter_add(sorter, BYTES("k"), BYTES("a"));
    sorter_sort(sorter);
    cr_assert(sorter_next(sorter, &key, &value) && value.size == 0);
    cr_assert(sorter_next(sorter, &key, &value) && bytes_equal(value, BYTES("a")));
    cr_assert(sorter_next(sorter, &key, &value) && bytes_equal(value, BYTES("b")));
    sorter_free(&sorter);
}

Test(sorter, a_directory_that_takes_no_files_is_trouble_not_a_wrong_answer)
{
    struct trouble trouble = {0};
    struct sorter *sorter = sorter_new(0, "/proc/nowhere", &trouble);
    struct bytes key, value;
    uint8_t record[1000] = {0};
    for (int i = 0; i < 200; i++)
        sorter_add(sorter, BYTES("k"), bytes_of(record, sizeof record));
    sorter_sort(sorter);
    cr_assert(not(sorter_next(sorter, &key, &value)));
    cr_assert(eq(int, trouble.fault, FAULT_IO));
    sorter_free(&sorter);
}
