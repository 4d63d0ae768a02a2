// SPDX-License-Identifier: Apache-2.0
#include "actors/clock.h"

#include "codec/planted.h"

#include <time.h>

static int64_t read_one(clockid_t which)
{
    struct timespec now;
    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

// A thread may be held up between two readings: then once more.
static void read_both(int64_t *wall, int64_t *boot)
{
    enum { APART_MAX_US = 1000, TRIES = 1000 };
    for (int i = 0; i < TRIES; i++) {
        *boot = read_one(CLOCK_BOOTTIME);
        *wall = read_one(CLOCK_REALTIME);
        if (read_one(CLOCK_BOOTTIME) - *boot <= APART_MAX_US)
            return;
    }
}

// ---- with the lock held

static int64_t positive(int64_t value)
{
    return value > 0 ? value : 0;
}

static int64_t lead_at(const struct node_clock *clock, int64_t boot)
{
    return positive(clock->lead - positive(boot - clock->lead_from) / 2);
}

static int64_t time_at(const struct node_clock *clock, int64_t boot)
{
    return boot + clock->offset + lead_at(clock, boot);
}

// The wall clock is right, and time at least `least`.
static void believe(struct node_clock *clock, int64_t wall, int64_t boot, int64_t least)
{
    clock->offset = wall - boot;
    clock->lead = positive(least - wall);
    clock->lead_from = boot;
    clock->step = 0;
}

// The wall clock is wrong: it is `time`.
static void doubt(struct node_clock *clock, int64_t wall, int64_t boot, int64_t time)
{
    clock->offset = time - boot;
    clock->lead = 0;
    clock->lead_from = boot;
    clock->step = wall - time;
}

static struct clock_reading look(struct node_clock *clock)
{
    int64_t wall, boot;
    clock->read(&wall, &boot);
    int64_t step = wall - boot - clock->offset;
    bool stepped = !PLANTED(step_followed) && (step > CLOCK_STEP_MAX_US || step < -CLOCK_STEP_MAX_US);
    clock->step = stepped ? step : 0;
    if (!stepped)
        clock->offset += step;
    return (struct clock_reading){.wall = wall, .now = time_at(clock, boot), .step = clock->step};
}

// ---- at start

// How far time may be ahead of the believed clock without anything being wrong: an accepted step back, not yet caught up.
static int64_t known_lead(const struct clock_note *note, int64_t wall)
{
    return note->lead ? positive(note->lead - positive(wall - note->at) / 2) : 0;
}

void node_clock_init(struct node_clock *clock, const struct clock_note *note)
{
    int64_t wall, boot;
    if (!clock->read)
        clock->read = read_both;
    pthread_mutex_init(&clock->lock, NULL);
    clock->note = *note;
    clock->from_note = note->step > CLOCK_STEP_MAX_US;
    clock->read(&wall, &boot);
    believe(clock, wall, boot, wall);
    if (clock->from_note) {
        doubt(clock, wall, boot, wall - note->step);
        clock->lead = known_lead(note, wall);
    }
}

void node_clock_deinit(struct node_clock *clock)
{
    pthread_mutex_destroy(&clock->lock);
}

int64_t node_clock_meet(struct node_clock *clock, int64_t last_at)
{
    int64_t wall, boot;
    pthread_mutex_lock(&clock->lock);
    clock->read(&wall, &boot);
    if (clock->from_note && last_at > time_at(clock, boot) + CLOCK_STEP_MAX_US) { // it was set right meanwhile
        clock->from_note = false;
        believe(clock, wall, boot, wall);
    }
    int64_t now = time_at(clock, boot);
    if (last_at > now && last_at - wall > CLOCK_STEP_MAX_US + known_lead(&clock->note, wall))
        doubt(clock, wall, boot, last_at);
    else if (last_at > now && clock->step == 0)
        believe(clock, wall, boot, last_at);
    now = time_at(clock, boot);
    pthread_mutex_unlock(&clock->lock);
    return now;
}

// ---- while it runs

struct clock_reading node_clock_read(struct node_clock *clock)
{
    pthread_mutex_lock(&clock->lock);
    struct clock_reading reading = look(clock);
    pthread_mutex_unlock(&clock->lock);
    return reading;
}

int64_t node_clock_now(struct node_clock *clock)
{
    return node_clock_read(clock).now;
}

struct clock_reading node_clock_accept(struct node_clock *clock)
{
    int64_t wall, boot;
    pthread_mutex_lock(&clock->lock);
    clock->read(&wall, &boot);
    believe(clock, wall, boot, time_at(clock, boot));
    struct clock_reading reading = look(clock);
    pthread_mutex_unlock(&clock->lock);
    return reading;
}

struct clock_note node_clock_note(struct node_clock *clock)
{
    int64_t wall, boot;
    pthread_mutex_lock(&clock->lock);
    clock->read(&wall, &boot);
    struct clock_note note = {.step = clock->step, .lead = lead_at(clock, boot), .at = wall};
    pthread_mutex_unlock(&clock->lock);
    return note;
}
