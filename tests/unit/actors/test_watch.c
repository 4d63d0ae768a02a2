// SPDX-License-Identifier: Apache-2.0
// The watch over a disk that the test sets: this statvfs takes the place of the C library's.
#include "actors/watch.h"

#include "codec/status.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <sys/statvfs.h>

enum { BLOCK = 4096, MIN = 1024 * BLOCK, AGAIN = MIN + MIN / 16 };

static _Atomic int64_t free_bytes;
static _Atomic int lines;
static struct node_clock node_clock;
static struct watch *watch;

int statvfs(const char *path, struct statvfs *disk)
{
    *disk = (struct statvfs){.f_frsize = BLOCK, .f_bavail = (fsblkcnt_t)(free_bytes / BLOCK)};
    return 0;
}

static void count_line(const char *line)
{
    lines++;
}

static void keep_nothing(void *context, const struct clock_note *note) {}

static void start(int64_t bytes)
{
    free_bytes = bytes;
    node_clock_init(&node_clock, &(struct clock_note){0});
    watch = watch_start(&(struct watch_options){
        .path = "/", .free_min_bytes = MIN, .clock = &node_clock, .keep = keep_nothing, .log = count_line});
}

// Whether new things are taken with this much room.
static bool takes(int64_t bytes)
{
    free_bytes = bytes;
    watch_look(watch);
    bool full = watch_view(watch).storage_full;
    cr_expect_eq(watch_view(watch).free_bytes, bytes);
    cr_expect_eq(*watch_closed(watch), full ? STATUS_storage_full : STATUS_ok);
    return !full;
}

static void end(void)
{
    watch_stop(&watch);
    node_clock_deinit(&node_clock);
}

TestSuite(watch, .fini = end, .timeout = 60);

Test(watch, nothing_new_is_taken_with_less_room_than_the_limit)
{
    start(MIN);
    cr_expect_eq(lines, 0);
    cr_expect(takes(MIN));
    cr_expect_not(takes(MIN - BLOCK));
    cr_expect_eq(lines, 1);
}

Test(watch, it_takes_again_only_with_a_sixteenth_more_room)
{
    start(MIN - BLOCK);
    cr_expect_eq(lines, 1);
    cr_expect_not(takes(MIN));
    cr_expect_not(takes(AGAIN - BLOCK));
    cr_expect_eq(lines, 1, "a disk about the limit is told once");
    cr_expect(takes(AGAIN));
    cr_expect_eq(lines, 2);
    cr_expect(takes(MIN), "and then goes on until the limit");
    cr_expect_eq(lines, 2);
}
