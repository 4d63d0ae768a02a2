// SPDX-License-Identifier: Apache-2.0
#include "broker/limit.h"

#include <criterion/criterion.h>

static struct limit limit;

static void begin(void)
{
    limit_init(&limit);
}

static void end(void)
{
    limit_deinit(&limit);
}

TestSuite(limit, .init = begin, .fini = end);

// As libzmq names connections: a zero and a number.
static bool allows(uint32_t connection, int64_t now_ms)
{
    uint8_t route[5] = {0};
    memcpy(route + 1, &connection, sizeof connection);
    return limit_allows(&limit, bytes_of(route, sizeof route), now_ms);
}

Test(limit, a_connection_has_its_share_of_each_window)
{
    for (int64_t window = 0; window < 3; window++) {
        for (int i = 0; i < LIMIT_PER_WINDOW; i++)
            cr_expect(allows(7, window * LIMIT_WINDOW_MS + i));
        cr_expect_not(allows(7, window * LIMIT_WINDOW_MS + LIMIT_WINDOW_MS - 1));
    }
}

Test(limit, nobody_pays_for_a_neighbour)
{
    enum { NOISY = 20000 };
    for (uint32_t connection = 0; connection < NOISY; connection++)
        for (int i = 0; i < LIMIT_PER_WINDOW + 1; i++)
            cr_assert_eq(allows(connection, 5), i < LIMIT_PER_WINDOW, "connection %u", connection);
    for (uint32_t connection = NOISY; connection < 2 * NOISY; connection++)
        cr_assert(allows(connection, 5), "connection %u", connection);
}

Test(limit, a_window_remembers_so_many_connections)
{
    for (uint32_t connection = 0; connection < LIMIT_CONNECTIONS_MAX; connection++)
        cr_assert(allows(connection, 5));
    cr_expect_not(allows(LIMIT_CONNECTIONS_MAX, 5));
    cr_expect(allows(0, 5));
    cr_expect(allows(LIMIT_CONNECTIONS_MAX, 5 + LIMIT_WINDOW_MS));
}
