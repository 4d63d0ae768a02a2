// SPDX-License-Identifier: Apache-2.0
// The quarantine: entities about which nobody decides, because a decision about them ended a process. Rows of DIR/meta,
// one for each entity; every epoch's record names them. Used by one thread, before actors run, and by tools.
//
//   Q1  an entity gets here by DIR/last-words only, and leaves it by an operator's word only
//   Q2  what an epoch's record names stays as it is for that epoch: a change takes effect with the next start
//   Q3  more than QUARANTINE_DEATHS_MAX deaths within QUARANTINE_SPAN_US that no operator has seen: no node starts
#pragma once

#include "codec/record.h"
#include "store/shop.h"

enum { QUARANTINE_MAX = 1000, QUARANTINE_DEATHS_MAX = 3 };
#define QUARANTINE_SPAN_US (INT64_C(600) * 1000000)

struct quarantine {
    struct quarantined *list; // by kind's name and key
    uint32_t count;
    struct arena arena;
};

// What DIR/last-words says becomes a row, durably, and the file is emptied. `taken`: something was there.
enum fault quarantine_take_last_words(struct shop *shop, bool *taken, struct fault_text *text);
// Free it with quarantine_deinit, whatever was returned.
enum fault quarantine_load(struct shop *shop, struct quarantine *quarantine, struct fault_text *text);
void quarantine_deinit(struct quarantine *quarantine);
// NULL: it is not there.
const struct quarantined *quarantine_find(const struct quarantine *quarantine, struct entity entity);
// FAULT_USAGE if Q3 (or QUARANTINE_MAX) keeps the node down; `text` names the entities and what to do.
enum fault quarantine_admits(const struct quarantine *quarantine, const char *path, struct fault_text *text);

// Lifts it, durably. The entity has to be there.
enum fault quarantine_clear(struct shop *shop, struct entity entity, struct fault_text *text);
// From now on all that are there count as seen (Q3).
enum fault quarantine_accept(struct shop *shop, struct fault_text *text);

// As an epoch's record names it: a msgpack array of [kind, key].
void quarantine_pack(const struct quarantine *quarantine, struct buffer *out);
