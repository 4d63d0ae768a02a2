// SPDX-License-Identifier: Apache-2.0
#include "store/tuning.h"

#include <criterion/criterion.h>

enum { MIB = 1024 * 1024 };

Test(tuning, memory_is_split_within_bounds)
{
    for (uint64_t memory = 0; memory <= 16384ull * MIB; memory = memory ? memory * 2 : MIB) {
        struct tuning_share share = tuning_share(memory);
        cr_assert(share.buffer >= MIB && share.buffer <= 64 * MIB);
        cr_assert(share.log_buffer >= share.buffer && share.log_buffer <= 64 * MIB);
        cr_assert(share.wal >= 4 * MIB && share.wal <= 32 * MIB);
        uint64_t expected = memory > TUNING_MEMORY_MIN ? memory : memory ? TUNING_MEMORY_MIN : 32 * MIB;
        cr_assert_eq(share.buffers + share.cache, expected, "%llu", (unsigned long long)memory);
    }
}

Test(tuning, only_families_asked_by_key_pay_for_filters)
{
    struct tuning_share share = tuning_share(0);
    for (int family = 0; family < FAMILY_COUNT; family++) {
        struct buffer text = {0};
        tuning_write(&text, family, &share);
        bool filter = strstr((const char *)text.at, "memtable_whole_key_filtering=true") != NULL;
        cr_assert_eq(filter, family != FAMILY_DUE && family != FAMILY_LOG && family != FAMILY_META, "%s",
                     family_name(family));
        cr_assert(strstr((const char *)text.at, "kTolerateCorruptedTailRecords"));
        buffer_deinit(&text);
    }
}
