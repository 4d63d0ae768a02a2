// SPDX-License-Identifier: Apache-2.0
#include "store/snapshots.h"

#include "place.h"

TestSuite(snapshots, .init = place_make, .fini = place_remove);

static void leave(const char *name)
{
    char file[64];
    mkdir(place_path("snapshots"), 0700);
    mkdir(place_path(name), 0700);
    snprintf(file, sizeof file, "%s/meta", name);
    mkdir(place_path(file), 0700);
    snprintf(file, sizeof file, "%s/meta/CURRENT", name);
    FILE *out = fopen(place_path(file), "w");
    cr_assert(out);
    fclose(out);
}

static bool exists(const char *name)
{
    return access(place_path(name), F_OK) == 0;
}

Test(snapshots, what_nobody_holds_is_swept)
{
    leave("snapshots/audit-1");
    leave("snapshots/log-2");
    char directory[4096];
    snprintf(directory, sizeof directory, "%s", place_path("."));
    cr_expect_eq(snapshots_sweep(directory), 2);
    cr_expect_not(exists("snapshots/audit-1"));
    cr_expect(exists("snapshots"));
    cr_expect_eq(snapshots_sweep(directory), 0);
}

Test(snapshots, what_a_tool_reads_stays)
{
    char directory[4096];
    leave("snapshots/audit-1");
    leave("snapshots/log-2");
    snprintf(directory, sizeof directory, "%s", place_path("."));
    int held = snapshot_hold(place_path("snapshots/log-2"));
    cr_assert_geq(held, 0);
    cr_expect_eq(snapshots_sweep(directory), 1);
    cr_expect(exists("snapshots/log-2/meta/CURRENT"));
    close(held);
    cr_expect_eq(snapshots_sweep(directory), 1);
}

Test(snapshots, nothing_is_there)
{
    cr_expect_eq(snapshots_sweep(place_path("nowhere")), 0);
    cr_expect_eq(snapshot_hold(place_path("nowhere")), -1);
    cr_expect_neq(snapshot_remove(place_path("nowhere")), 0);
}
