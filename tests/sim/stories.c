// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/stories.h"

static const struct story_def *const stories[] = {
    &story_one_order,
    &story_catalog_prices,
    &story_last_unit,
    &story_short_line,
    &story_cart_twice,
    &story_cash_on_delivery,
    &story_reservation_expires,
    &story_stock_corrected,
    &story_decline,
    &story_capture_refused,
    &story_shopper_acts,
    &story_shopper_is_gone,
    &story_cancel_early,
    &story_cancel_while_paying,
    &story_cancel_against_capture,
    &story_cancel_after_capture,
    &story_killed,
    &story_provider_stammers,
    &story_late_success,
    &story_provider_silent,
    &story_key_forgotten,
    &story_refund_refused,
    &story_disk_hangs,
    &story_impatient,
};

const struct story_def *stories_at(size_t index)
{
    return index < sizeof stories / sizeof *stories ? stories[index] : NULL;
}

const struct story_def *stories_named(const char *name)
{
    for (size_t i = 0; i < sizeof stories / sizeof *stories; i++)
        if (strcmp(stories[i]->name, name) == 0)
            return stories[i];
    return NULL;
}
