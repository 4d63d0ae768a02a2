// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/plants.h"

#include "codec/planted.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#ifdef SOUK_PLANTED

static const struct {
    const char *name, *mistake, *catcher;
    int seeds;
} plants[] = {
#define PLANT(name, mistake, catcher, seeds) [PLANTED_##name] = {#name, mistake, catcher, seeds},
#include "codec/planted.def"
#undef PLANT
};

bool plants_choose(const char *name)
{
    for (size_t i = PLANTED_none + 1; i < sizeof plants / sizeof *plants; i++)
        if (strcmp(plants[i].name, name) == 0)
            planted = (enum planted)i;
    return planted != PLANTED_none;
}

void plants_print(void)
{
    for (size_t i = PLANTED_none + 1; i < sizeof plants / sizeof *plants; i++)
        printf("%s\t%s\t%s\t%d\n", plants[i].name, plants[i].mistake, plants[i].catcher, plants[i].seeds);
}

#else

bool plants_choose(const char *name)
{
    (void)name;
    return false;
}

void plants_print(void)
{
}

#endif
