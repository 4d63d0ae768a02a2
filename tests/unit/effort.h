// SPDX-License-Identifier: Apache-2.0
// How much a test does of what it could do without end. Sanitizers make everything slow: there it does a quarter.
#pragma once

#ifdef __SANITIZE_ADDRESS__
enum { EFFORT = 1 };
#else
enum { EFFORT = 4 };
#endif
