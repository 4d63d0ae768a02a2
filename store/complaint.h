// SPDX-License-Identifier: Apache-2.0
// RocksDB reports what went wrong as text. What that means for us, and for the person who has to do something about it.
// Any thread.
#pragma once

#include "codec/fault.h"

// Never FAULT_NONE: what is not known is FAULT_IO. `advice` lives for ever.
enum fault complaint_fault(const char *error, const char **advice);
