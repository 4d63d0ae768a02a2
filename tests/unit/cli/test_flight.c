// SPDX-License-Identifier: Apache-2.0
#include "cli/flight.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct flight flight;

static struct flight_request *take(const char *id)
{
    struct flight_request *request = flight_take(&flight);
    buffer_append(&request->encoded, id, strlen(id));
    request->id = buffer_bytes(&request->encoded);
    return request;
}

static void add(const char *id)
{
    flight_add(&flight, take(id));
}

static bool has(const char *id)
{
    struct flight_request *request = flight_find(&flight, bytes_text(id));
    if (request)
        cr_assert(bytes_equal(request->id, bytes_text(id)));
    return request;
}

// Every one in use stands where it says it does.
static void check_order(void)
{
    for (uint32_t i = 0; i < flight.count; i++)
        cr_assert_eq(flight_at(&flight, i)->place, i);
}

Test(flight, what_is_on_its_way_is_found_until_it_is_removed)
{
    flight_init(&flight, 4);
    add("a");
    add("b");
    cr_assert(has("a") && has("b") && !has("c"));
    cr_assert_eq(flight.size, 2);
    flight_remove(&flight, flight_find(&flight, BYTES("a")));
    cr_assert(!has("a") && has("b"));
    cr_assert_eq(flight.count, 1);
    flight_deinit(&flight);
}

Test(flight, one_that_is_held_back_survives_what_comes_and_goes)
{
    flight_init(&flight, 4);
    add("a");
    add("b");
    struct flight_request *held = take("a");
    cr_assert_neq(flight_find(&flight, BYTES("a")), held);
    flight_remove(&flight, flight_find(&flight, BYTES("b")));
    flight_remove(&flight, flight_find(&flight, BYTES("a")));
    flight_add(&flight, held);
    cr_assert_eq(flight_find(&flight, BYTES("a")), held);
    check_order();
    add("c");
    add("d");
    add("e");
    cr_assert(has("a") && has("c") && has("d") && has("e"));
    check_order();
    flight_deinit(&flight);
}

Test(flight, many_come_and_go_in_any_order)
{
    enum { MAX = 300, STEPS = 30000 };
    bool in[1000] = {false};
    uint32_t number = 12345, count = 0;
    char id[16];
    flight_init(&flight, MAX);
    for (int i = 0; i < STEPS; i++) {
        number = number * 1664525 + 1013904223;
        uint32_t name = (number >> 12) % 1000;
        snprintf(id, sizeof id, "id-%u", name);
        cr_assert_eq(has(id), in[name]);
        if (in[name]) {
            flight_remove(&flight, flight_find(&flight, bytes_text(id)));
            in[name] = false;
            count--;
        } else if (count < MAX) {
            add(id);
            in[name] = true;
            count++;
        }
        cr_assert_eq(flight.count, count);
    }
    check_order();
    flight_deinit(&flight);
}
