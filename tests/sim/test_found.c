// SPDX-License-Identifier: Apache-2.0
// What seeds found in the engine, each told as the shortest story that shows it.
#include "tests/sim/world.h"

#include <criterion/criterion.h>

#define GBP(pence) ((struct money){pence, "GBP"})
#define MINUTE_US INT64_C(60000000)

static struct world *world;

static uint16_t actor(enum kind_id kind)
{
    return world->lanes.first[kind];
}

static void step_to(uint16_t from, uint16_t to)
{
    world_move(world, from, to);
    world_turn(world, to, 0);
}

static void step(enum kind_id from, enum kind_id to)
{
    step_to(from == KIND_COUNT ? WORLD_BROKER : actor(from), actor(to));
}

static bool stored(enum kind_id kind, enum family family, const char *key, const char *child, const struct shape *shape,
                   void *record)
{
    return world_record(world, kind, family, bytes_text(key), bytes_text(child), shape, record, &world->texts);
}

static void place(const char *order, const char *cart)
{
    struct order_line line = {BYTES("mug"), .quantity = 1, .unit_price = GBP(500), .has_unit_price = true};
    struct order_place body = {.user_id = BYTES("u"), .payment_method = BYTES("cod"), .lines = &line};
    body.lines_count = body.has_lines = !cart;
    body.has_cart_id = cart;
    body.cart_id = bytes_text(cart ? cart : "");
    world_say(world, order, MESSAGE_order_place, order, &body);
}

// The clock jumps while stock has not answered: the order asks again. The first answer is a refusal; before the second
// reserve is decided the unit comes back.
Test(found, goods_asked_for_twice_are_not_held_after_a_refusal)
{
    struct hold hold;
    world = world_new(&(struct world_options){0});
    world_say(world, "r", MESSAGE_inventory_receive, "mug", &(struct inventory_receive){.quantity = 1});
    world_run(world);
    world_say(world, "h", MESSAGE_inventory_reserve, "mug",
              &(struct inventory_reserve){.reservation_id = BYTES("h"), .quantity = 1});
    world_run(world);

    place("O-1", NULL);
    step(KIND_COUNT, KIND_ORDER);
    world->clock += MINUTE_US + 1;
    world_turn(world, actor(KIND_ORDER), 0);
    cr_assert_eq(world->pipes[actor(KIND_ORDER)][actor(KIND_INVENTORY)].count, 2);
    step(KIND_ORDER, KIND_INVENTORY); // refused
    world_say(world, "b", MESSAGE_inventory_release, "mug", &(struct reservation_ref){.reservation_id = BYTES("h")});
    step(KIND_COUNT, KIND_INVENTORY);
    step(KIND_ORDER, KIND_INVENTORY); // granted
    cr_assert(stored(KIND_INVENTORY, FAMILY_CHILD, "mug", "oO-1", hold_shape(), &hold));
    world_run(world);
    place("O-1", NULL);
    world_run(world);
    cr_expect_str_eq(world_status(world, "O-1"), "insufficient_stock");
    cr_expect_not(stored(KIND_INVENTORY, FAMILY_CHILD, "mug", "oO-1", hold_shape(), &hold));
    world_free(&world);
}

// An order id of this actor.
static const char *order_of(uint16_t number)
{
    for (int i = 0;; i++) {
        const char *id = arena_format(&world->texts, "O-%d", i);
        if (world_owner(world, KIND_ORDER, bytes_text(id)) == number)
            return id;
    }
}

// The same with a cart: another order has it at the first claim and has given it back at the second.
Test(found, a_cart_asked_for_twice_is_not_claimed_after_a_refusal)
{
    struct cart cart;
    world = world_new(&(struct world_options){.actors = {[KIND_ORDER] = 2}});
    uint16_t first = actor(KIND_ORDER), second = first + 1;
    world_say(world, "a", MESSAGE_cart_add, "C", &(struct cart_add){.sku = BYTES("moon"), .quantity = 1});
    world_run(world);
    place(order_of(first), "C");
    step_to(WORLD_BROKER, first);
    step_to(first, actor(KIND_CART)); // claimed
    place(order_of(second), "C");
    step_to(WORLD_BROKER, second);
    world->clock += MINUTE_US + 1;
    world_turn(world, second, 0); // asks again
    cr_assert_eq(world->pipes[second][actor(KIND_CART)].count, 2);
    step_to(second, actor(KIND_CART)); // refused
    step_to(actor(KIND_CART), first);  // its lines; asks for a price
    step_to(first, actor(KIND_CATALOG));
    step_to(actor(KIND_CATALOG), first); // unknown: gives the cart back
    step_to(first, actor(KIND_CART));
    world_run(world);
    cr_assert(stored(KIND_CART, FAMILY_HEAD, "C", "", cart_shape(), &cart));
    cr_expect_not(cart.has_claim);
    world_free(&world);
}
