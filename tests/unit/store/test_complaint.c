// SPDX-License-Identifier: Apache-2.0
#include "store/complaint.h"

#include <criterion/criterion.h>

Test(complaint, each_has_its_fault_and_its_advice)
{
    static const struct {
        const char *error;
        enum fault fault;
        const char *advice; // part of it
    } table[] = {
        {"IO error: While lock file: /d/LOCK: Resource temporarily unavailable", FAULT_LOCKED, "another process"},
        {"IO error: lock hold by current process, acquire time 1 acquiring thread 2: /d/LOCK: No locks available",
         FAULT_LOCKED, "this process"},
        {"IO error: While lock file: /d/LOCK: Permission denied", FAULT_IO, "right"},
        {"IO error: No such file or directory: While mkdir if missing: /d/e: No such file or directory", FAULT_IO,
         "above"},
        {"Corruption: checksum mismatch", FAULT_CORRUPTION, "copy"},
        {"IO error: No such file or directory: While open a file for random read: /d/000007.sst: No such file or "
         "directory",
         FAULT_CORRUPTION, "missing"},
        {"Invalid argument: Column families not opened: index", FAULT_VERSION, "newer"},
        {"IO error: No space left on device: While appending to file: /d/000009.log: No space left on device", FAULT_IO,
         "full"},
        {"IO error: While fdatasync: /Corruption/000009.log: Input/output error", FAULT_IO, "recovery"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *advice = NULL;
        cr_assert_eq(complaint_fault(table[i].error, &advice), table[i].fault, "%s", table[i].error);
        cr_assert(strstr(advice, table[i].advice), "%s: %s", table[i].error, advice);
    }
}
