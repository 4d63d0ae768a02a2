// SPDX-License-Identifier: Apache-2.0
// The world itself: a story runs, the same calls give the same end, a crash at any point loses nothing.
#include "tests/sim/world.h"

#include <criterion/criterion.h>

#define GBP(pence) ((struct money){pence, "GBP"})

static void receive(struct world *world, int64_t quantity)
{
    world_say(world, "r1", MESSAGE_inventory_receive, "mug", &(struct inventory_receive){.quantity = quantity});
    world_run(world);
}

static void place(struct world *world)
{
    struct order_line line = {BYTES("mug"), .quantity = 2, .unit_price = GBP(500), .has_unit_price = true};
    struct order_place body = {.user_id = BYTES("u"),
                               .payment_method = BYTES("pm_card_visa"),
                               .lines = &line,
                               .lines_count = 1,
                               .has_lines = true};
    world_say(world, "p1", MESSAGE_order_place, "O-1", &body);
    world_run(world);
}

static int64_t committed(struct world *world)
{
    struct stock stock = {0};
    struct arena arena;
    arena_init(&arena);
    world_record(world, KIND_INVENTORY, FAMILY_HEAD, BYTES("mug"), BYTES(""), stock_shape(), &stock, &arena);
    arena_deinit(&arena);
    return stock.reserved ? -1 : stock.committed;
}

Test(world, an_order_runs_to_its_end)
{
    struct world *world = world_new(&(struct world_options){0});
    receive(world, 5);
    cr_expect_str_eq(world_status(world, "r1"), "ok");
    place(world);
    cr_expect_str_eq(world_status(world, "p1"), "ok");
    cr_expect_eq(committed(world), 2);
    world_free(&world);
}

Test(world, an_order_survives_a_crash_at_every_point)
{
    struct world *world = world_new(&(struct world_options){0});
    receive(world, 5);
    uint64_t before = world->points;
    place(world);
    uint64_t after = world->points;
    world_free(&world);
    cr_assert_gt(after - before, 20);
    for (uint64_t n = before + 1; n <= after; n++) {
        world = world_new(&(struct world_options){0});
        receive(world, 5);
        world->crash_at = n;
        place(world);
        cr_assert_not(world->up, "%d", (int)n);
        world_start(world);
        place(world);
        cr_expect_str_eq(world_status(world, "p1"), "ok", "point %d", (int)n);
        cr_expect_eq(committed(world), 2, "point %d", (int)n);
        world_free(&world);
    }
}
