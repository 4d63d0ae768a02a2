// SPDX-License-Identifier: Apache-2.0
// A process that dies of a decision (a CHECK, or a signal of the processor) writes down which, so that the next start
// can put that entity in quarantine. One process has one; actors' threads register while they run.
//
//   D1  what can be written was opened before: dying takes no memory and no lock, and leaves no other trace
//   D2  a death outside any decision writes nothing
//   D3  the signal then takes its usual course: the exit status, a core dump and a sanitizer's report stay as they are
#pragma once

#include "codec/fault.h"

#include <stdbool.h>

// Opens DIR/last-words and takes SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT.
enum fault dying_prepare(const char *directory, struct fault_text *text);
void dying_done(void);

// Where a handler runs when the thread's own stack is what ended. Opened and closed by the thread itself.
struct dying_stack {
    void *memory;
};
void dying_stack_open(struct dying_stack *stack);
void dying_stack_close(struct dying_stack *stack);
