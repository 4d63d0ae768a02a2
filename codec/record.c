// SPDX-License-Identifier: Apache-2.0
// The tables of record.def.
#include "codec/record.h"

// The order of these includes matters.
// clang-format off
#include "codec/shape_table.h"
#include "codec/record.def"
#include "codec/shape_done.h"
