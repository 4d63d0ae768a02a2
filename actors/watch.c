// SPDX-License-Identifier: Apache-2.0
#include "actors/watch.h"

#include "actors/watch_judge.h"
#include "codec/check.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>

enum { LOOK_MS = 250 };

struct watch {
    struct watch_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    _Atomic int closed;
    _Atomic int64_t free_bytes;
    _Atomic bool full;
    _Atomic int64_t step;
    struct clock_note kept;
};

static void tell(const struct watch *watch, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(const struct watch *watch, const char *format, ...)
{
    char line[600];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    watch->options.log(line);
}

// ---- the disk

static void look_at_disk(struct watch *watch)
{
    struct statvfs disk;
    int64_t min = watch->options.free_min_bytes;
    if (statvfs(watch->options.path, &disk) != 0)
        return; // a write will say more
    int64_t available = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
    bool was = watch->full, is = watch_judge_full(was, available, min);
    watch->free_bytes = available;
    watch->full = is;
    if (is && !was)
        tell(watch, "%.300s: %lld MiB free, store.free_min_mb is %lld: nothing new is taken until there is more room; what is open goes on",
             watch->options.path, (long long)available >> 20, (long long)min >> 20);
    if (was && !is)
        tell(watch, "%.300s: %lld MiB free: everything is taken again", watch->options.path, (long long)available >> 20);
}

// ---- the clock

static void keep(struct watch *watch)
{
    watch->kept = node_clock_note(watch->options.clock);
    watch->options.keep(watch->options.context, &watch->kept);
}

static void tell_clock(const struct watch *watch, int64_t step)
{
    if (step)
        tell(watch,
             "the wall clock has stepped by %+lld s: nothing new is taken, what is open goes on by the old time; set the "
             "clock right, or see `souk clock status` and say `souk clock accept`",
             (long long)(step / 1000000));
    else
        tell(watch, "the wall clock is believed again: everything is taken");
}

// Kept before it is shown.
static void look_at_clock(struct watch *watch)
{
    struct clock_reading reading = node_clock_read(watch->options.clock);
    if (watch_judge_step(reading.step, watch->kept.step))
        keep(watch);
    if (watch_judge_step(reading.step, watch->step))
        tell_clock(watch, reading.step);
    watch->step = reading.step;
}

static void look(struct watch *watch)
{
    look_at_disk(watch);
    look_at_clock(watch);
    watch->closed = watch_judge_closed(watch->full, watch->step);
}

void watch_look(struct watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    look(watch);
    pthread_mutex_unlock(&watch->lock);
}

struct clock_reading watch_accept_clock(struct watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    struct clock_reading reading = node_clock_accept(watch->options.clock);
    keep(watch);
    if (watch->step)
        tell(watch, "the wall clock is accepted, %+lld s from the old time", (long long)(watch->step / 1000000));
    watch->step = reading.step;
    look(watch);
    pthread_mutex_unlock(&watch->lock);
    return reading;
}

// ---- the thread

static struct timespec in_a_moment(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_nsec += LOOK_MS * 1000000L;
    at.tv_sec += at.tv_nsec / 1000000000L;
    at.tv_nsec %= 1000000000L;
    return at;
}

static void *run(void *context)
{
    struct watch *watch = context;
    pthread_setname_np(pthread_self(), "watch");
    pthread_mutex_lock(&watch->lock);
    while (!watch->stopping) {
        struct timespec until = in_a_moment();
        pthread_cond_timedwait(&watch->changed, &watch->lock, &until);
        if (!watch->stopping)
            look(watch);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

struct watch *watch_start(const struct watch_options *options)
{
    pthread_condattr_t attributes;
    struct watch *watch = calloc(1, sizeof *watch);
    CHECK(watch);
    watch->options = *options;
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    watch->kept = options->clock->note;
    look(watch);
    CHECK(pthread_create(&watch->thread, NULL, run, watch) == 0);
    return watch;
}

void watch_stop(struct watch **watch)
{
    struct watch *it = *watch;
    if (!it)
        return;
    pthread_mutex_lock(&it->lock);
    it->stopping = true;
    pthread_cond_signal(&it->changed);
    pthread_mutex_unlock(&it->lock);
    pthread_join(it->thread, NULL);
    pthread_mutex_destroy(&it->lock);
    pthread_cond_destroy(&it->changed);
    free(it);
    *watch = NULL;
}

const _Atomic int *watch_closed(const struct watch *watch)
{
    return &watch->closed;
}

struct watch_view watch_view(const struct watch *watch)
{
    return (struct watch_view){.free_bytes = watch->free_bytes, .storage_full = watch->full, .clock_step = watch->step};
}
