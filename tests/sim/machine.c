// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/machine.h"

#include "tests/sim/world.h"

static struct machine *the_machine;

static void read_clocks(int64_t *wall, int64_t *boot)
{
    *boot = the_machine->now;
    *wall = WORLD_STARTED_AT + the_machine->now + the_machine->off;
}

void machine_init(struct machine *machine)
{
    *machine = (struct machine){0};
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

static bool differs(int64_t step, int64_t kept)
{
    int64_t apart = step - kept;
    return (step == 0) != (kept == 0) || apart > CLOCK_STEP_MAX_US || apart < -CLOCK_STEP_MAX_US;
}

enum status machine_look(struct machine *machine)
{
    int64_t step = machine_step(machine);
    if (differs(step, machine->kept.step))
        machine->kept = node_clock_note(&machine->clock);
    return machine->full ? STATUS_storage_full : step ? STATUS_clock : STATUS_ok;
}

void machine_accept(struct machine *machine)
{
    node_clock_accept(&machine->clock);
    machine->kept = node_clock_note(&machine->clock);
}
