// SPDX-License-Identifier: Apache-2.0
#include "codec/planted.h"

#ifdef SOUK_PLANTED
enum planted planted;
#endif
