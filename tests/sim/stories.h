// SPDX-License-Identifier: Apache-2.0
// The stories: every way a checkout can go. Told in tests/sim/golden/, run with a crash at every point by
// test_crash_points.c. One thread.
#pragma once

#include "tests/sim/story.h"

// In the order in which they are best read; NULL behind the last.
const struct story_def *stories_at(size_t index);
const struct story_def *stories_named(const char *name);

// ---- the stories' own files
extern const struct story_def story_one_order, story_catalog_prices, story_last_unit, story_short_line,
    story_reservation_expires, story_cart_twice, story_stock_corrected, story_cash_on_delivery; // stories_goods.c
extern const struct story_def story_decline, story_capture_refused, story_shopper_acts, story_shopper_is_gone,
    story_killed, story_provider_stammers, story_late_success, story_provider_silent, story_key_forgotten,
    story_refund_refused; // stories_money.c
extern const struct story_def story_cancel_early, story_cancel_while_paying, story_cancel_against_capture,
    story_cancel_after_capture, story_impatient, story_disk_hangs; // stories_cancel.c
