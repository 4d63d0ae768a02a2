// SPDX-License-Identifier: Apache-2.0
// Who may have how many of the descriptors that the process may open. One thread.
#pragma once

#include <stdint.h>

// Raises the limit of open files as far as it is useful and allowed; what it is then.
uint32_t files_raise(void);
// Of these, for the tables of all databases together; the databases share them by their number.
uint32_t files_for_tables(uint32_t limit);
// What a node with so many databases may come to need for itself.
uint32_t files_needed(uint32_t limit, uint32_t databases);
// Its databases are open: the first descriptor that no connection may have, so that there is one for whatever else
// the node will open. A limit that is too low leaves a few to connections all the same.
uint32_t files_for_connections(uint32_t limit, uint32_t databases);
