// SPDX-License-Identifier: Apache-2.0
// The logs of all actors a shop ever had, from its databases or from an exported file, actor by actor or all together
// in the order of time. One thread.
#pragma once

#include "cli/archive.h"
#include "cli/databases.h"

struct history;

// `databases` (their logs are read) or `archive` is NULL. The caller keeps what it gives.
struct history *history_open(const struct databases *databases, const struct archive *archive, struct trouble *trouble);
void history_close(struct history **history);

uint32_t history_count(const struct history *history);
struct actor_id history_actor(const struct history *history, uint32_t index);
// Only rows with from ≤ seq ≤ to, only this actor (UINT32_MAX: all). Before the first row is read.
void history_limit(struct history *history, uint32_t actor, uint64_t from, uint64_t to);

// The row an actor stands on, decoded; NULL: none is left, or trouble. It lives until this actor's next.
const struct log_row *history_row(struct history *history, uint32_t index);
// Its bytes, as they are stored.
struct bytes history_value(const struct history *history, uint32_t index);
void history_next(struct history *history, uint32_t index);

// The actor whose row comes first in time; UINT32_MAX: none.
uint32_t history_first(struct history *history);
int64_t log_row_at(const struct log_row *row);
