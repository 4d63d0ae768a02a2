// SPDX-License-Identifier: Apache-2.0
#include "broker/credit.h"

#include <criterion/criterion.h>
#include <signal.h>

Test(credit, commands_and_bytes_are_both_bounded)
{
    struct credit credit;
    credit_init(&credit, 2, 100);
    cr_assert(credit_take(&credit, 50));
    cr_assert_not(credit_take(&credit, 51));
    cr_assert(credit_take(&credit, 50));
    cr_assert_not(credit_take(&credit, 0));
    credit_give(&credit, 1, 50);
    cr_assert(credit_take(&credit, 50));
}

Test(credit, whoever_is_turned_away_waits_longer_the_more_wait_already)
{
    struct credit credit;
    credit_init(&credit, 10, 100);
    for (int i = 0; i < 10; i++)
        cr_assert(credit_take(&credit, 1));
    cr_assert_eq(credit_retry_after_ms(&credit), RETRY_AFTER_MS_MIN);
    for (int i = 0; i < 5; i++)
        cr_assert_not(credit_take(&credit, 1));
    int64_t half = credit_retry_after_ms(&credit);
    cr_assert(half > RETRY_AFTER_MS_MIN && half < RETRY_AFTER_MS_MAX);
    for (int i = 0; i < 50; i++)
        cr_assert_not(credit_take(&credit, 1));
    cr_assert_eq(credit_retry_after_ms(&credit), RETRY_AFTER_MS_MAX);
    for (int i = 0; i < 10; i++) {
        credit_give(&credit, 10, 10);
        for (int n = 0; n < 10; n++)
            cr_assert(credit_take(&credit, 1));
    }
    cr_assert_eq(credit_retry_after_ms(&credit), RETRY_AFTER_MS_MIN);
}

Test(credit, more_cannot_come_back_than_was_taken, .signal = SIGABRT)
{
    struct credit credit;
    credit_init(&credit, 10, 100);
    credit_take(&credit, 5);
    credit_give(&credit, 1, 6);
}
