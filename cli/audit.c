// SPDX-License-Identifier: Apache-2.0
// souk audit: the command. What is checked and how: cli/audit.h.
#include "cli/audit.h"
#include "cli/cli.h"
#include "cli/directory.h"
#include "cli/options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MEMORY_MB_DEFAULT = 64, MEMORY_MB_MAX = 65536 };

struct audit_command {
    const char *directory;
    bool snapshot, json;
    int64_t memory_mb;
};

static void print_help(void)
{
    printf(
        "usage: souk audit [-d DIR] [--snapshot] [--memory-mb N] [--json]\n\n"
        "Checks the invariants I1–I7 over everything a node has stored, streaming: its memory does not grow with the\n"
        "data. Every order, hold, claim, payment and entry in the provider's book is compared with every other.\n\n"
        "  I1  reserved = the sum of live holds; on_hand ≥ reserved unless sale is stopped\n"
        "  I2  stock is conserved for each SKU; committed_orders = what confirmed orders bought\n"
        "  I3  each hold ends exactly once\n"
        "  I4  one capture for an order at most, and never more than its total, in the provider's own book\n"
        "  I5  a settled order has no hold, no open payment, no claim on a cart\n"
        "  I6  captured: the goods are committed or the money refunded; refused: nothing held, nothing captured\n"
        "  I7  money sums to zero, and the payments' book equals the provider's\n\n" DIRECTORY_OPTIONS
        "      --memory-mb N    for sorting (default: %d); the rest goes to $TMPDIR, else to DIR\n"
        "      --json           one object: {clean, orders, open_orders, skus, holds, carts, explained,\n"
        "                       captured: {payment, sandbox}, refunded: {payment, sandbox}, violations_total,\n"
        "                       violations: [{invariant, keys, message}]}; money in minor units by currency\n"
        "  -h, --help           this text\n\n"
        "Orders under way in a killed or running node may wait for answers to what was done already. That is no\n"
        "violation; it is counted as `explained`.\n\n"
        "Exit codes: 0 clean, 1 an invariant is violated, 2 wrong use or a node runs, 3 no snapshot in time,\n"
        "70 a failure (corruption).\n\n"
        "Example: souk audit -d /var/lib/souk --json | jq .clean\n",
        MEMORY_MB_DEFAULT);
}

static int read_options(int argc, char **argv, struct audit_command *it)
{
    const struct option_rule options[] = {
        OPTION_DIRECTORY(it->directory),
        OPTION_FLAG("snapshot", it->snapshot),
        OPTION_NUMBER("memory-mb", it->memory_mb, 1, MEMORY_MB_MAX),
        OPTION_JSON(it->json),
        {0},
    };
    return options_read_all("audit", print_help, options, argc, argv);
}

static int report(const struct audit_command *it, const struct verdict *verdict)
{
    struct buffer out = {0};
    if (it->json)
        verdict_json(verdict, &out);
    else
        verdict_print(verdict, &out);
    fwrite(out.at, 1, out.size, stdout);
    buffer_deinit(&out);
    if (fflush(stdout) != 0)
        return fail_with(EXIT_FAULT, "audit", "the output could not be written");
    return verdict_clean(verdict) ? EXIT_OK : EXIT_REFUSED;
}

static int run(const struct audit_command *it, const struct directory *directory)
{
    const char *temporary = getenv("TMPDIR");
    struct audit_options options = {
        .memory_bytes = (uint64_t)it->memory_mb * 1024 * 1024,
        .temporary = temporary && *temporary ? temporary : directory->path,
    };
    struct verdict *verdict = verdict_new();
    struct fault_text text;
    enum fault fault = audit_run(&directory->databases, &options, verdict, &text);
    progress_done();
    int code = fault ? fault_exit("audit", fault, &text) : report(it, verdict);
    verdict_free(&verdict);
    return code;
}

int command_audit(int argc, char **argv)
{
    struct audit_command it = {.memory_mb = MEMORY_MB_DEFAULT};
    struct directory *directory = NULL;
    int code = read_options(argc, argv, &it);
    if (code == EXIT_OK)
        code = directory_open("audit", it.directory, it.snapshot, &directory);
    if (code == EXIT_OK)
        code = directory_open_all("audit", directory);
    if (code == EXIT_OK)
        code = run(&it, directory);
    directory_close(&directory);
    return code;
}
