// SPDX-License-Identifier: Apache-2.0
#include "actors/watch_judge.h"

#include "actors/clock.h"

bool watch_judge_full(bool was, int64_t free_bytes, int64_t free_min_bytes)
{
    return free_bytes < (was ? free_min_bytes + free_min_bytes / 16 : free_min_bytes);
}

bool watch_judge_step(int64_t step, int64_t known)
{
    int64_t apart = step - known;
    return (step == 0) != (known == 0) || apart > CLOCK_STEP_MAX_US || apart < -CLOCK_STEP_MAX_US;
}

enum status watch_judge_closed(bool full, int64_t step)
{
    return full ? STATUS_storage_full : step ? STATUS_clock : STATUS_ok;
}
