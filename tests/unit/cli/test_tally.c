// SPDX-License-Identifier: Apache-2.0
#include "cli/tally.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct tally tally;

Test(tally, statuses_are_counted_in_the_order_they_came)
{
    struct buffer out;
    buffer_init(&out);
    tally_add(&tally, BYTES("ok"), 1);
    tally_add(&tally, BYTES("rejected"), 2);
    tally_add(&tally, BYTES("ok"), 3);
    tally_json(&tally, &out);
    cr_assert(bytes_equal(buffer_bytes(&out), BYTES("{\"ok\":4,\"rejected\":2}")));
    cr_assert_eq(tally_total(&tally), 6);
    cr_assert_eq(tally_of(&tally, "rejected"), 2);
    cr_assert_eq(tally_of(&tally, "none"), 0);
    buffer_deinit(&out);
}

Test(tally, more_names_than_fit_are_counted_together)
{
    char name[32];
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "status_%d", i);
        tally_add(&tally, bytes_text(name), 1);
    }
    cr_assert_eq(tally_total(&tally), 200);
    cr_assert_eq(tally.used, TALLY_MAX);
    cr_assert_eq(tally_of(&tally, "other"), 200 - (TALLY_MAX - 1));
    tally_add(&tally, BYTES("status_3"), 1);
    cr_assert_eq(tally_of(&tally, "status_3"), 2);
}
