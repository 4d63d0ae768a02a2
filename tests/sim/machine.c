// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/machine.h"

#include "actors/watch_judge.h"
#include "tests/sim/world.h"

static struct machine *the_machine;

static void read_clocks(int64_t *wall, int64_t *boot)
{
    *boot = the_machine->now;
    *wall = WORLD_STARTED_AT + the_machine->now + the_machine->off;
}

void machine_init(struct machine *machine)
{
    *machine = (struct machine){.free_bytes = MACHINE_FREE_MUCH};
    the_machine = machine;
    machine_start(machine, 0);
}

void machine_deinit(struct machine *machine)
{
    if (machine->running)
        node_clock_deinit(&machine->clock);
    machine->running = false;
}

void machine_start(struct machine *machine, int64_t last_at)
{
    machine_deinit(machine);
    machine->clock = (struct node_clock){.read = read_clocks};
    node_clock_init(&machine->clock, &machine->kept);
    node_clock_meet(&machine->clock, last_at);
    machine->full = false;
    machine->running = true;
}

int64_t machine_time(struct machine *machine)
{
    return node_clock_now(&machine->clock);
}

int64_t machine_step(struct machine *machine)
{
    return node_clock_read(&machine->clock).step;
}

enum status machine_look(struct machine *machine)
{
    int64_t step = machine_step(machine);
    machine->full = watch_judge_full(machine->full, machine->free_bytes, MACHINE_FREE_MIN);
    if (watch_judge_step(step, machine->kept.step))
        machine->kept = node_clock_note(&machine->clock);
    return watch_judge_closed(machine->full, step);
}

void machine_accept(struct machine *machine)
{
    node_clock_accept(&machine->clock);
    machine->kept = node_clock_note(&machine->clock);
}
