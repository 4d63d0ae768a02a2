// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/closing.h"

#include "codec/check.h"
#include "tests/sim/run.h"

#define SECOND_US INT64_C(1000000)
#define HOUR_US (3600 * SECOND_US)
#define LOOKS_EVERY_US (SECOND_US / 4)

// ---- drawing

void closing_draw(struct closing *closing, uint64_t seed, bool clock_jumps, int64_t busy_us)
{
    struct chance *chance = &closing->chance;
    *chance = (struct chance){seed * UINT64_C(0xd1342543de82ef95) + 3};
    bool fills = chance_permille(chance, 300), steps = chance_permille(chance, 400) && !clock_jumps;
    closing->fills = fills ? (int)chance_spread(chance, 1, 8) : 0;
    closing->steps = steps ? (int)chance_spread(chance, 1, 6) : 0;
    closing->full_us = chance_spread(chance, SECOND_US, busy_us);
    closing->doubt_us = chance_spread(chance, SECOND_US, busy_us);
    closing->step_us = chance_spread(chance, 2 * CLOCK_STEP_MAX_US, 48 * HOUR_US);
    closing->accepts = (int)chance_range(chance, 0, 1000);
    closing->stays = (fills || steps) && chance_permille(chance, 300);
    machine_init(&closing->machine);
    closing->looked_time = machine_time(&closing->machine);
}

int64_t closing_behind_us(const struct closing *closing)
{
    return 2 * (closing->steps + closing->stays) * closing->step_us; // noted by one process, another way by the next
}

// So long it stays closed when nothing else goes wrong any more.
static int64_t stays_us(const struct run *run)
{
    return run->world->options.settings.order_deadline_ms * 1000 + 2 * HOUR_US;
}

// After a step back that was accepted time goes at half its pace.
int64_t closing_rest_us(const struct run *run)
{
    int64_t slow = run->closing.steps ? run->world->options.settings.order_deadline_ms * 1000 : 0;
    return slow + (run->closing.stays ? stays_us(run) : 0);
}

static void spread(struct run *run, int count, enum closing_event event)
{
    while (count-- > 0)
        run_note_closing(run, chance_below(&run->closing.chance, run->mood.busy_us), event);
}

void closing_begin(struct run *run)
{
    spread(run, run->closing.fills, CLOSING_FILL);
    spread(run, run->closing.steps, CLOSING_STEP);
}

// When the other faults stop, closing_calm sees to it.
static void note_end(struct run *run, int64_t after_us, enum closing_event event)
{
    int64_t left = run->mood.busy_us - run->now;
    run_note_closing(run, after_us < left ? after_us : left, event);
}

static void tell(struct run *run, enum sim_fault fault, const char *what, int64_t us)
{
    run->auditor.coverage.faults[fault]++;
    trace_line(&run->auditor.trace, run->world->clock, "──── %s (%lld s)", what, (long long)(us / SECOND_US));
}

// ---- the watch

static void clock_from_here(struct run *run)
{
    run->closing.looked_now = run->now;
    run->closing.looked_time = machine_time(&run->closing.machine);
    run->closing.looked_off = run->closing.machine.off;
    run->world->clock = run_clock(run);
}

// K1, K2: a step is not followed, and time goes on, at half its pace at least.
static void judge_time(struct run *run)
{
    const struct closing *closing = &run->closing;
    int64_t passed = run->now - closing->looked_now, time = machine_time(&run->closing.machine) - closing->looked_time;
    if (time > passed + CLOCK_STEP_MAX_US || time < passed / 2 - CLOCK_STEP_MAX_US)
        finding_note(&run->auditor.finding, 3, KIND_INVENTORY, BYTES("-"), NULL,
                     "in %lld s the shop's time went by %lld s, and nobody has accepted the clock",
                     (long long)(passed / SECOND_US), (long long)(time / SECOND_US));
    clock_from_here(run);
}

static void look(struct run *run)
{
    struct closing *closing = &run->closing;
    if (!run->world->up)
        return;
    judge_time(run);
    run->world->closed = machine_look(&closing->machine);
    if (closing->cure_noted || closing->opens || machine_step(&closing->machine) == 0)
        return;
    closing->cure_noted = true;
    note_end(run, chance_range(&closing->chance, LOOKS_EVERY_US, closing->doubt_us + LOOKS_EVERY_US), CLOSING_CURE);
}

static void look_soon(struct run *run)
{
    run_note_closing(run, chance_range(&run->closing.chance, 0, LOOKS_EVERY_US), CLOSING_LOOK);
}

// K3: a step forward that was kept and that nobody has accepted.
static void judge_start(struct run *run, int64_t moved)
{
    const struct closing *closing = &run->closing;
    if (closing->machine.kept.step > CLOCK_STEP_MAX_US && closing->machine.off == closing->looked_off &&
        moved > CLOCK_STEP_MAX_US)
        finding_note(&run->auditor.finding, 3, KIND_INVENTORY, BYTES("-"), NULL,
                     "a start followed a step of the clock: by %lld s", (long long)(moved / SECOND_US));
}

void closing_start(struct run *run)
{
    struct machine *machine = &run->closing.machine;
    int64_t before = machine_time(machine);
    machine_start(machine, run->closing.steps ? world_last_turn(run->world) : 0);
    int64_t moved = machine_time(machine) - before;
    judge_start(run, moved);
    clock_from_here(run);
    run->auditor.clock_jumped |= moved > SECOND_US || moved < -SECOND_US;
    run->world->closed = machine_look(machine);
    run->auditor.coverage.faults[FAULT_STEP_OUTLIVED] += machine_step(machine) != 0;
    look_soon(run);
}

// ---- the disk

static void fill(struct run *run)
{
    run->closing.machine.free_bytes = 0;
    tell(run, FAULT_DISK_FULL, "little room on the disk", 0);
    look_soon(run);
}

static void empty(struct run *run)
{
    run->closing.machine.free_bytes = MACHINE_FREE_MUCH;
    look_soon(run);
}

// ---- the clock

static void step(struct run *run)
{
    struct chance *chance = &run->closing.chance;
    bool back = chance_permille(chance, 500);
    int64_t by = chance_spread(chance, CLOCK_STEP_MAX_US + SECOND_US, run->closing.step_us);
    run->closing.machine.off += back ? -by : by;
    tell(run, back ? FAULT_STEP_BACK : FAULT_STEP_FORWARD, "the wall clock steps", back ? -by : by);
    look_soon(run);
    if (machine_step(&run->closing.machine))
        return;
    run->auditor.clock_jumped = true; // two steps together are less than a minute: that is followed
    run->world->clock = run_clock(run);
    run_schedule(run);
}

static void accept(struct run *run)
{
    judge_time(run);
    tell(run, FAULT_STEP_ACCEPTED, "souk clock accept", machine_step(&run->closing.machine));
    machine_accept(&run->closing.machine);
    run->auditor.clock_jumped = true;
    clock_from_here(run);
    look(run);
    run_schedule(run);
}

static void come_back(struct run *run)
{
    struct machine *machine = &run->closing.machine;
    int64_t step = machine_step(machine);
    tell(run, FAULT_STEP_UNDONE, "the wall clock comes back", -step);
    machine->off -= step;
    look_soon(run);
}

static void cure(struct run *run)
{
    struct closing *closing = &run->closing;
    if (run->world->up && machine_step(&closing->machine) != 0)
        (chance_permille(&closing->chance, closing->accepts) ? accept : come_back)(run);
}

// ---- the end

static void open_up(struct run *run)
{
    run->closing.opens = false;
    empty(run);
    cure(run);
}

void closing_calm(struct run *run)
{
    struct closing *closing = &run->closing;
    if (!closing->stays)
        return open_up(run);
    closing->opens = true;
    run->auditor.coverage.faults[FAULT_CLOSED_LAST]++;
    if (closing->fills)
        fill(run);
    if (closing->steps && machine_step(&closing->machine) == 0)
        step(run);
    run_note_closing(run, stays_us(run), CLOSING_OPEN);
}

// What waited for somebody in quarantine has its own time (lives.h).
static void judge_ended(struct run *run)
{
    if (!run->lives.rest_us && !run_nothing_is_open(run))
        finding_note(&run->auditor.finding, 15, KIND_ORDER, BYTES("-"), NULL,
                     "for %lld s nothing new was taken, and an order is still open", (long long)(stays_us(run) / SECOND_US));
}

void closing_happen(struct run *run, enum closing_event event)
{
    struct closing *closing = &run->closing;
    switch (event) {
    case CLOSING_FILL:
        fill(run);
        note_end(run, chance_range(&closing->chance, 1, closing->full_us), CLOSING_EMPTY);
        break;
    case CLOSING_EMPTY:
        if (!run->calm)
            empty(run);
        break;
    case CLOSING_STEP:
        step(run);
        break;
    case CLOSING_CURE:
        closing->cure_noted = false;
        if (!run->calm)
            cure(run);
        break;
    case CLOSING_LOOK:
        look(run);
        break;
    case CLOSING_OPEN:
        judge_ended(run);
        open_up(run);
        break;
    }
}
