// SPDX-License-Identifier: Apache-2.0
#include "cli/histogram.h"

#include <criterion/criterion.h>

static struct histogram histogram;

// No whole number is further than 1 % from the middle of its bucket.
Test(histogram, a_value_comes_back_within_one_percent)
{
    uint64_t value = 1;
    for (int i = 0; i < 4000 && value < (uint64_t)1 << 62; i++) {
        struct histogram *one = calloc(1, sizeof *one);
        histogram_add(one, (int64_t)value);
        histogram_add(one, (int64_t)(value + value / 2)); // so that the maximum does not bound it
        uint64_t back = histogram_at(one, 500), off = back > value ? back - value : value - back;
        cr_assert_leq(off * 100, value, "%lu came back as %lu", (unsigned long)value, (unsigned long)back);
        free(one);
        value += value / 97 + 1;
    }
}

Test(histogram, small_values_are_exact)
{
    for (int i = 1; i <= 100; i++)
        histogram_add(&histogram, i);
    cr_assert_eq(histogram_at(&histogram, 500), 50);
    cr_assert_eq(histogram_at(&histogram, 990), 99);
    cr_assert_eq(histogram_at(&histogram, 1000), 100);
    cr_assert_eq(histogram_at(&histogram, 1), 1);
    cr_assert_eq(histogram.max, 100);
}

Test(histogram, a_percentile_is_never_above_the_maximum)
{
    histogram_add(&histogram, 1000001);
    cr_assert_eq(histogram_at(&histogram, 999), histogram.max);
    cr_assert_eq(histogram_at(&histogram, 1000), 1000001);
}

Test(histogram, nothing_counted_is_zero)
{
    cr_assert_eq(histogram_at(&histogram, 990), 0);
}

Test(histogram, the_extremes_have_their_buckets)
{
    histogram_add(&histogram, -5);
    cr_assert_eq(histogram_at(&histogram, 1000), 0);
    histogram_add(&histogram, INT64_MAX);
    cr_assert_eq(histogram.max, (uint64_t)INT64_MAX);
    cr_assert_gt(histogram_at(&histogram, 1000), (uint64_t)1 << 62);
}

Test(histogram, microseconds_are_written_as_milliseconds)
{
    cr_assert_str_eq(ms_format(0).text, "0.000");
    cr_assert_str_eq(ms_format(999).text, "0.999");
    cr_assert_str_eq(ms_format(1234567).text, "1234.567");
}
