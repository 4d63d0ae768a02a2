// SPDX-License-Identifier: Apache-2.0
#include "broker/credit.h"

#include "codec/check.h"
#include "codec/planted.h"

void credit_init(struct credit *credit, uint64_t commands_max, uint64_t size_max)
{
    *credit = (struct credit){.commands_max = commands_max, .size_max = size_max};
}

bool credit_take(struct credit *credit, size_t size)
{
    if (credit->commands + PLANTED(credit_short) >= credit->commands_max || credit->size + size > credit->size_max) {
        credit->turned_away++;
        return false;
    }
    credit->commands++;
    credit->size += size;
    return true;
}

void credit_give(struct credit *credit, uint64_t commands, uint64_t size)
{
    CHECK(commands <= credit->commands, "%llu of %llu commands", (unsigned long long)commands,
          (unsigned long long)credit->commands);
    CHECK(size <= credit->size, "%llu of %llu bytes", (unsigned long long)size, (unsigned long long)credit->size);
    credit->commands -= commands;
    credit->size -= size;
    credit->turned_away -= commands < credit->turned_away ? commands : credit->turned_away;
}

int64_t credit_retry_after_ms(const struct credit *credit)
{
    uint64_t outside = credit->turned_away < credit->commands_max ? credit->turned_away : credit->commands_max;
    return RETRY_AFTER_MS_MIN + (int64_t)((RETRY_AFTER_MS_MAX - RETRY_AFTER_MS_MIN) * outside / credit->commands_max);
}
