// SPDX-License-Identifier: Apache-2.0
// From one life of the process to the next: other numbers of actors, entities that come into quarantine and leave it.
#include "tests/sim/isolation.h"
#include "tests/sim/whereabouts.h"

#include <criterion/criterion.h>

#define GBP(pence) ((struct money){pence, "GBP"})

static struct world *world;
static struct finding finding;

static void receive(const char *sku)
{
    world_say(world, arena_format(&world->texts, "r-%s", sku), MESSAGE_inventory_receive, sku,
              &(struct inventory_receive){.quantity = 5});
    world_run(world);
}

static void place(const char *id, const char *sku)
{
    struct order_line line = {bytes_text(sku), .quantity = 2, .unit_price = GBP(500), .has_unit_price = true};
    struct order_place body = {.user_id = BYTES("u"),
                               .payment_method = BYTES("pm_card_visa"),
                               .lines = &line,
                               .lines_count = 1,
                               .has_lines = true};
    world_say(world, id, MESSAGE_order_place, id, &body);
    world_run(world);
}

static bool is_open(const char *id)
{
    struct order order;
    return world_record(world, KIND_ORDER, FAMILY_OPEN, bytes_text(id), BYTES(""), order_shape(), &order, &world->texts);
}

static void open_shop(void)
{
    finding = (struct finding){0};
    world = world_new(&(struct world_options){.actors = {2, 2, 2, 2, 2, 2}});
    receive("mug");
}

// After `points` more an order's process ends. false: it came to its end.
static bool order_until(uint64_t points)
{
    world->crash_at = world->points + points;
    place("O-1", "mug");
    return !world->up;
}

// The same rows at their owners as before, and nothing elsewhere.
static void start(const struct whereabouts *before)
{
    world_start(world);
    struct whereabouts after = whereabouts_take(world, &finding);
    cr_assert_eq(after.rows, before->rows);
    cr_assert_eq(after.sum, before->sum);
    cr_assert_not(finding.found, "%s", finding.text);
}

static void want(uint16_t actors)
{
    for (int kind = 0; kind < KIND_COUNT; kind++)
        world->wanted.count[kind] = actors;
}

Test(reshape, an_order_goes_on_among_other_actors_wherever_it_was)
{
    uint64_t points = 0;
    for (bool crashed = true; crashed;) {
        open_shop();
        crashed = order_until(++points);
        world_crash(world);
        struct whereabouts before = whereabouts_take(world, &finding);
        want(1 + (uint16_t)(points % WORLD_ACTORS_MAX));
        start(&before);
        cr_assert(world->up);
        world->crash_at = 0;
        place("O-1", "mug");
        cr_expect_str_eq(world_status(world, "O-1"), "ok", "point %d", (int)points);
        cr_expect_not(is_open("O-1"), "point %d", (int)points);
        world_free(&world);
    }
    cr_expect_gt(points, 20);
}

Test(reshape, a_write_that_fails_anywhere_in_a_start_moves_nothing_or_all)
{
    int failed = 0, moved = 0;
    for (int database = 1; database <= 31; database++)
        for (unsigned nth = 1; nth <= 6; nth++) {
            open_shop();
            cr_assert(order_until(12));
            struct whereabouts before = whereabouts_take(world, &finding);
            want(5);
            world->shelf.fails_open = database;
            world->shelf.fails_nth = nth;
            start(&before);
            failed += !world->up;
            moved += !world->up && world->owners.count[KIND_ORDER] == 5;
            if (!world->up && nth % 2)
                want(3); // something else, after all
            if (!world->up)
                start(&before);
            cr_assert(world->up);
            place("O-1", "mug");
            cr_expect_str_eq(world_status(world, "O-1"), "ok", "write %u of database %d", nth, database);
            world_free(&world);
        }
    cr_expect_gt(failed, 20);
    cr_expect_gt(moved, 1, "and some after the owner map");
    cr_expect_lt(moved, failed);
}

Test(reshape, databases_that_own_nothing_any_more_keep_their_logs_and_serve_again)
{
    open_shop();
    static const uint16_t counts[] = {5, 1, 4, 2, 5};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        place(arena_format(&world->texts, "O-%d", (int)i), "mug");
        world_crash(world);
        struct whereabouts before = whereabouts_take(world, &finding);
        want(counts[i]);
        start(&before);
        cr_expect_eq(world->ever.count[KIND_ORDER], 5);
    }
    cr_expect_str_eq(world_status(world, "O-1"), "ok");
    world_free(&world);
}

Test(quarantine, who_waits_for_it_waits_and_all_others_go_on)
{
    struct isolation isolation;
    struct stock stock;
    open_shop();
    receive("tea");
    isolation_init(&isolation, world, &finding);
    world_crash(world);
    isolation_put(&isolation, KIND_INVENTORY, BYTES("mug"));
    world_start(world);
    place("O-1", "mug");
    place("O-2", "tea");
    world_say(world, "g", MESSAGE_inventory_get, "mug", NULL);
    world_run(world);
    cr_expect_str_eq(world_status(world, "g"), "quarantined");
    cr_expect_str_eq(world_status(world, "O-2"), "ok");
    cr_expect(is_open("O-1"));
    cr_expect_not(is_open("O-2"));
    world_crash(world);
    isolation_lift(&isolation, 0);
    world_start(world);
    world_run(world);
    cr_expect_not(is_open("O-1"));
    cr_assert(world_record(world, KIND_INVENTORY, FAMILY_HEAD, BYTES("mug"), BYTES(""), stock_shape(), &stock, &world->texts));
    cr_expect_eq(stock.committed, 2);
    cr_expect_not(finding.found, "%s", finding.text);
    isolation_deinit(&isolation);
    world_free(&world);
}

// The judge itself: a row that changes meanwhile is told.
Test(quarantine, a_row_that_changes_meanwhile_is_found)
{
    struct isolation isolation;
    open_shop();
    isolation_init(&isolation, world, &finding);
    world_crash(world);
    isolation_put(&isolation, KIND_INVENTORY, BYTES("mug"));
    buffer_clear(&world->quarantine); // nobody tells the next epoch
    pack_array(&world->quarantine, 0);
    world_start(world);
    place("O-1", "mug");
    world_crash(world);
    isolation_lift(&isolation, 0);
    cr_expect(finding.found);
    isolation_deinit(&isolation);
    world_free(&world);
}
