// SPDX-License-Identifier: Apache-2.0
// A row that cannot be read ends the turn and, by its fault, the process: nothing is decided without it and kept.
#include "store/backend.h"
#include "tests/unit/actors/till.h"

static struct till till;
static struct store_backend failing;
static const struct store_backend *working;
static enum fault fails_with;

static enum fault get_failing(struct store *store, size_t count, const struct store_key keys[], struct bytes values[],
                              struct arena *arena)
{
    enum fault fault = working->get(store, count, keys, values, arena);
    return fault ? fault : fails_with;
}

static void open_inventory(void)
{
    till_open(&till, KIND_INVENTORY);
    working = till.store->backend;
    failing = *working;
    failing.get = get_failing;
    till_receive(&till, "mug", 5);
    till_crash(&till); // nothing is cached
}

static void close_till(void)
{
    till_close(&till);
}

TestSuite(shard_unreadable, .init = open_inventory, .fini = close_till, .timeout = 60);

static void expect_fault(enum fault fault, const char *advice)
{
    uint64_t rows = till.shard->seq, state = till_state(till.store, FAMILY_HEAD, FAMILY_LOG);
    fails_with = fault;
    till.store->backend = &failing;
    till_client(&till, "r", MESSAGE_inventory_receive, "mug", &(struct inventory_receive){.quantity = 5});
    till_client(&till, "s", MESSAGE_inventory_receive, "tea", &(struct inventory_receive){.quantity = 5});
    cr_expect_eq(till_turn(&till), fault);
    cr_expect(strstr(till.text.line, advice), "%s", till.text.line);
    till.store->backend = working;
    cr_expect_eq(till.shard->seq, rows);
    cr_expect_eq(till_state(till.store, FAMILY_HEAD, FAMILY_LOG), state);
}

Test(shard_unreadable, a_disk_that_does_not_read_is_named_and_nothing_is_written)
{
    expect_fault(FAULT_IO, "kernel's log");
    till_crash(&till);
    cr_expect_eq(till_stock(&till, "mug").on_hand, 5);
}

Test(shard_unreadable, a_row_that_is_not_as_it_was_written_is_not_decided_upon)
{
    expect_fault(FAULT_CORRUPTION, "restore the directory from a copy");
}
