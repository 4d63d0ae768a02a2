// SPDX-License-Identifier: Apache-2.0
// Planted faults: realistic mistakes in the engine by which tools/plants shows what tests/sim finds. PLANTED(name) is
// a constant 0, and its branch not compiled, in every build but that of the preset `planted`; there one fault at a
// time can be chosen.
#pragma once

enum planted {
    PLANTED_none,
#define PLANT(name, description, catcher, seeds) PLANTED_##name,
#include "codec/planted.def"
#undef PLANT
};

#ifdef SOUK_PLANTED
extern enum planted planted;
#define PLANTED(name) (planted == PLANTED_##name)
#else
#define PLANTED(name) (PLANTED_none == PLANTED_##name)
#endif
