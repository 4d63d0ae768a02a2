// SPDX-License-Identifier: Apache-2.0
// Chooses a planted fault (codec/planted.h) for this process. One thread.
#pragma once

#include <stdbool.h>

// false: there is none of this name in this build.
bool plants_choose(const char *name);
// One line for each: its name, the mistake. None in a usual build.
void plants_print(void);
