// SPDX-License-Identifier: Apache-2.0
// The structs of record.def. Any thread.
#pragma once

#include "codec/message.h"

// The order of these includes matters.
// clang-format off
#include "codec/shape_struct.h"
#include "codec/record.def"
#include "codec/shape_done.h"
