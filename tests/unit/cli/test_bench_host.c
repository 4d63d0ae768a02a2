// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_host.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(bench_host, the_stolen_share_is_in_thousandths_of_all_cores_time)
{
    struct bench_host before = {.all = 1000, .stolen = 10}, after = {.all = 1400, .stolen = 30};
    cr_assert_eq(bench_host_stolen(&before, &after), 50);
    cr_assert_eq(bench_host_stolen(&before, &before), 0);
    cr_assert_eq(bench_host_stolen(&after, &before), 0, "a counter that went back says nothing");
}

Test(bench_host, all_time_holds_that_of_programs)
{
    struct bench_host host;
    unsigned long long user = 0;
    FILE *stat = fopen("/proc/stat", "r");
    cr_assert(stat && fscanf(stat, "cpu %llu", &user) == 1);
    fclose(stat);
    bench_host_look(&host);
    cr_assert_geq(host.all, user);
    cr_assert_leq(host.stolen, host.all);
}
