// SPDX-License-Identifier: Apache-2.0
// Reading a shop that no node serves, without writing a byte: whoever holds it keeps nodes from starting there, and finds
// one that runs. Several may hold it at once. A right to read is enough, and so is a disk that is mounted read-only.
// One thread.
#pragma once

#include "codec/fault.h"

// `held` becomes a descriptor that holds DIR until it is closed; -1: DIR has no lock to hold, so no node has served
// there. FAULT_LOCKED: a node runs.
enum fault shop_hold(const char *path, int *held, struct fault_text *text);
