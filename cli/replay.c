// SPDX-License-Identifier: Apache-2.0
// souk replay: the command. How it works: cli/replay.h.
#include "cli/replay.h"

#include "cli/cli.h"
#include "cli/directory.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/replay_message.h"
#include "codec/check.h"
#include "codec/json.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SCRATCH_MEMORY_MB = 64 };

struct replay_command {
    const char *directory, *file, *into;
    bool snapshot, json, log_only;
    bool message;             // decide again what ended a process
    const char *message_name; // KIND/KEY; NULL: the last
    struct directory *source; // NULL: a file
    struct archive archive;
    struct shop *scratch; // --into
    struct trouble trouble;
    struct replay replay;
    bool equal, state_compared, state_equal;
    uint64_t state_rows;
    struct state_difference state;
    struct quarantine quarantine;
    double seconds;
};

static void print_help(void)
{
    printf(
        "usage: souk replay [-d DIR | FILE] [--into DIR] [--log-only] [--json]\n"
        "       souk replay --message [KIND/KEY] [-d DIR] [--json]\n\n"
        "Decides the logged messages again, epoch by epoch, with this build, and compares digest after digest: equal\n"
        "means this build decides exactly as the one that served. Otherwise it shows the first turn that differs,\n"
        "message by message: what was logged, and what this build wants. Of a directory it also compares what the\n"
        "log leads to with what the databases hold, row by row.\n\n" DIRECTORY_OPTIONS
        "      FILE             instead: a file that `souk log export FILE` wrote\n"
        "      --into DIR       replay into a new directory, one actor of each kind: for data larger than memory, and\n"
        "                       to look at with `souk audit` and `souk orders` (it has state, but no log)\n"
        "      --log-only       do not compare with the databases\n"
        "      --json           one object: {equal, epochs, turns, messages, seconds, messages_per_second,\n"
        "                       first_difference, state: {equal, rows, first_difference}}\n"
        "      --message        after the log, the message that ended a process (see `souk quarantine list`; KIND/KEY or\n"
        "                       the last one) in a process of its own: does it die with this build, too? With --json\n"
        "                       {entity, type, origin, died, signal, line, status}\n"
        "  -h, --help           this text\n\n"
        "A log that is damaged (a hole, a broken chain) is a failure, and is named by actor and seq.\n\n"
        "Exit codes: 0 equal (the message is decided), 1 a difference (it dies again), 2 wrong use or a node runs, 3 no snapshot in time,\n"
        "70 a failure (corruption).\n\n"
        "Example: souk replay -d /var/lib/souk\n");
}

static int read_options(int argc, char **argv, struct replay_command *it)
{
    const struct option_rule options[] = {
        OPTION_DIRECTORY(it->directory),
        OPTION_FLAG("snapshot", it->snapshot),
        OPTION_TEXT("into", 0, it->into),
        OPTION_FLAG("log-only", it->log_only),
        OPTION_FLAG("message", it->message),
        OPTION_JSON(it->json),
        {0},
    };
    int code = options_read("replay", print_help, options, argc, argv);
    if (code)
        return code;
    if (optind < argc)
        it->file = argv[optind++];
    if (optind < argc)
        return usage_error("replay", "unexpected argument '%s'", argv[optind]);
    if (it->message && (it->into || it->log_only))
        return usage_error("replay", "--message takes -d DIR, --snapshot and --json only");
    if (it->message) {
        it->message_name = it->file;
        it->file = NULL;
    }
    if (it->file && (it->directory || it->snapshot))
        return usage_error("replay", "either FILE or -d DIR, not both");
    return EXIT_OK;
}

// ---- what is read

static int source_open(struct replay_command *it)
{
    struct fault_text text;
    if (it->file) {
        int code = fault_exit("replay", archive_open(it->file, &it->archive, &text), &text);
        if (code == EXIT_OK)
            it->replay.history = history_open(NULL, &it->archive, &it->trouble);
        return code;
    }
    // Last words that no start has taken yet become a row of DIR/meta.
    int code = (it->message ? directory_open_to_write : directory_open)("replay", it->directory, it->snapshot, &it->source);
    if (code == EXIT_OK)
        code = directory_open_all("replay", it->source);
    if (code == EXIT_OK)
        it->replay.history = history_open(&it->source->databases, NULL, &it->trouble);
    return code;
}

// ---- where it goes

static void scratch_memory(struct replay_command *it)
{
    struct store_options options = {0};
    for (int kind = 0; kind < KIND_COUNT; kind++)
        CHECK(store_memory_open(&options, &it->replay.stores[kind], NULL) == FAULT_NONE);
}

// A shop of one actor for each kind, so that every other command can read it.
static enum fault scratch_make(struct replay_command *it, struct fault_text *text)
{
    struct owner_map one;
    uint64_t memory = (uint64_t)SCRATCH_MEMORY_MB * 1024 * 1024;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        one.count[kind] = 1;
    enum fault fault = shop_open(it->into, true, false, &it->scratch, text);
    if (fault == FAULT_NONE)
        fault = shop_reshape(it->scratch, &one, memory, false, NULL, text);
    for (int kind = 0; kind < KIND_COUNT && fault == FAULT_NONE; kind++) {
        struct shop_database_path path = shop_database(it->scratch, (struct actor_id){kind, 0});
        struct store_options options = {.path = path.text, .memory_bytes = memory / 2};
        fault = store_rocks_open(&options, &it->replay.stores[kind], text);
    }
    return fault;
}

static int scratch_open(struct replay_command *it)
{
    struct fault_text text;
    if (!it->into) {
        scratch_memory(it);
        return EXIT_OK;
    }
    if (access(it->into, F_OK) == 0 && rmdir(it->into) != 0)
        return fail_with(EXIT_USAGE, "replay", "%s exists and is not an empty directory; name a new one", it->into);
    return fault_exit("replay", scratch_make(it, &text), &text);
}

static int scratch_close(struct replay_command *it)
{
    struct fault_text text;
    enum fault fault = FAULT_NONE;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        store_close(&it->replay.stores[kind]);
    if (it->scratch)
        fault = shop_begin_epoch(it->scratch, it->replay.last_epoch, clock_wall(), &text);
    shop_close(&it->scratch);
    return fault_exit("replay", fault, &text);
}

// ---- the report

static uint64_t rate(const struct replay_command *it)
{
    return it->seconds > 0 ? (uint64_t)((double)it->replay.messages / it->seconds) : 0;
}

static void report_json(struct replay_command *it, struct buffer *out)
{
    struct difference *first = &it->replay.difference;
    bool equal = it->equal && (!it->state_compared || it->state_equal);
    buffer_printf(out,
                  "{\"equal\":%s,\"epochs\":%" PRIu64 ",\"turns\":%" PRIu64 ",\"messages\":%" PRIu64
                  ",\"seconds\":%.3f,\"messages_per_second\":%" PRIu64 ",\"first_difference\":",
                  equal ? "true" : "false", it->replay.epochs, it->replay.turns, it->replay.messages, it->seconds,
                  rate(it));
    if (first->found)
        buffer_append(out, first->json.at, first->json.size);
    else
        buffer_printf(out, "null");
    buffer_printf(out, ",\"state\":");
    if (it->state_compared) {
        buffer_printf(out,
                      "{\"equal\":%s,\"rows\":%" PRIu64 ",\"first_difference\":", it->state_equal ? "true" : "false",
                      it->state_rows);
        if (it->state_equal)
            buffer_printf(out, "null");
        else
            buffer_append(out, it->state.json.at, it->state.json.size);
        buffer_printf(out, "}");
    } else {
        buffer_printf(out, "null");
    }
    buffer_printf(out, "}\n");
}

static void report_text(struct replay_command *it, struct buffer *out)
{
    buffer_printf(out,
                  "%" PRIu64 " epochs, %" PRIu64 " turns, %" PRIu64 " messages in %.1f s: %" PRIu64 " messages/s\n",
                  it->replay.epochs, it->replay.turns, it->replay.messages, it->seconds, rate(it));
    if (it->equal)
        buffer_printf(out, "equal: this build decides exactly as the one that served\n");
    else
        buffer_printf(out, "different: the first turn that differs is\n\n%.*s",
                      BYTES_FORMAT(buffer_bytes(&it->replay.difference.text)));
    if (it->state_compared && it->state_equal)
        buffer_printf(out, "equal: the databases hold what the log leads to (%" PRIu64 " rows)\n", it->state_rows);
    else if (it->state_compared)
        buffer_printf(out, "different: the databases do not hold what the log leads to; the first row is\n\n%.*s",
                      BYTES_FORMAT(buffer_bytes(&it->state.text)));
}

static int report(struct replay_command *it)
{
    struct buffer out = {0};
    if (it->json)
        report_json(it, &out);
    else
        report_text(it, &out);
    output_write(stdout, &out);
    buffer_deinit(&out);
    return output_finish("replay", it->equal && (!it->state_compared || it->state_equal) ? EXIT_OK : EXIT_REFUSED);
}

// ---- the message that ended a process

static void outcome_json(const struct quarantined *row, const struct message_outcome *outcome, struct buffer *out)
{
    buffer_printf(out, "{\"entity\":");
    struct buffer name = {0};
    buffer_printf(&name, "%.*s/%.*s", BYTES_FORMAT(row->kind), BYTES_FORMAT(row->key));
    json_write_text(buffer_bytes(&name), out);
    buffer_deinit(&name);
    buffer_printf(out, ",\"type\":\"%.*s\",\"origin\":\"%.*s\",\"died\":%s,\"signal\":", BYTES_FORMAT(row->type),
                  BYTES_FORMAT(row->origin), outcome->died ? "true" : "false");
    buffer_printf(out, outcome->signal ? "\"SIG%s\"" : "null", outcome->signal ? sigabbrev_np(outcome->signal) : "");
    buffer_printf(out, ",\"line\":");
    json_write_text(buffer_bytes(&outcome->said), out);
    buffer_printf(out, ",\"status\":");
    if (outcome->died)
        buffer_printf(out, "null}\n");
    else
        buffer_printf(out, "\"%.*s\"}\n", BYTES_FORMAT(buffer_bytes(&outcome->status)));
}

static void outcome_text(const struct quarantined *row, const struct message_outcome *outcome, struct buffer *out)
{
    buffer_printf(out, "%.*s/%.*s: %.*s from a %.*s ", BYTES_FORMAT(row->kind), BYTES_FORMAT(row->key),
                  BYTES_FORMAT(row->type), BYTES_FORMAT(row->origin));
    if (!outcome->died)
        buffer_printf(out, "is decided by this build: %.*s\n`souk quarantine clear %.*s %.*s` lifts the quarantine\n",
                      BYTES_FORMAT(buffer_bytes(&outcome->status)), BYTES_FORMAT(row->kind), BYTES_FORMAT(row->key));
    else
        buffer_printf(out, "ends this build, too, by %s%s\n%.*s\n", outcome->signal ? "SIG" : "itself",
                      outcome->signal ? sigabbrev_np(outcome->signal) : "", BYTES_FORMAT(buffer_bytes(&outcome->said)));
}

static int message_report(struct replay_command *it, const struct quarantined *row)
{
    struct message_outcome outcome;
    struct buffer out = {0};
    replay_message_run(&it->replay, row, &outcome);
    (it->json ? outcome_json : outcome_text)(row, &outcome, &out);
    output_write(stdout, &out);
    buffer_deinit(&out);
    int code = output_finish("replay", outcome.died ? EXIT_REFUSED : EXIT_OK);
    message_outcome_deinit(&outcome);
    return code;
}

// Before the log is replayed: is there such a message at all?
static int message_find(struct replay_command *it, const struct quarantined **row)
{
    struct fault_text text;
    enum fault fault = FAULT_NONE;
    bool taken;
    if (!it->source->is_snapshot)
        fault = quarantine_take_last_words(it->source->shop, &taken, &text);
    if (fault == FAULT_NONE)
        fault = quarantine_load(it->source->shop, &it->quarantine, &text);
    if (fault)
        return fault_exit("replay", fault, &text);
    if (!(*row = replay_message_find(&it->quarantine, it->message_name)))
        return EXIT_USAGE;
    if ((*row)->size && !(*row)->has_message)
        return fail_with(EXIT_FAULT, "replay", "the message had %" PRId64 " bytes and was not kept", (*row)->size);
    return EXIT_OK;
}

static int run_message(struct replay_command *it)
{
    const struct quarantined *row = NULL;
    int code = message_find(it, &row);
    if (code)
        return code;
    it->equal = replay_run(&it->replay);
    progress_done();
    if (it->trouble.fault)
        return fault_exit("replay", it->trouble.fault, &it->trouble.text);
    return it->equal ? message_report(it, row) : report(it);
}

static int run(struct replay_command *it)
{
    int64_t started = clock_steady();
    it->replay.trouble = &it->trouble;
    it->replay.forgotten_until = clock_wall();
    if (it->message)
        return run_message(it);
    it->equal = replay_run(&it->replay);
    it->seconds = (double)(clock_steady() - started) / 1e6;
    it->state_compared = it->equal && it->source && !it->log_only;
    if (it->state_compared)
        it->state_equal = replay_compare(&it->replay, &it->source->databases, &it->state_rows, &it->state);
    progress_done();
    if (it->trouble.fault)
        return fault_exit("replay", it->trouble.fault, &it->trouble.text);
    return report(it);
}

int command_replay(int argc, char **argv)
{
    struct replay_command *it = calloc(1, sizeof *it);
    CHECK(it);
    int code = read_options(argc, argv, it);
    if (code == EXIT_OK)
        code = source_open(it);
    if (code == EXIT_OK)
        code = scratch_open(it);
    if (code == EXIT_OK)
        code = run(it);
    int closed = scratch_close(it);
    history_close(&it->replay.history);
    archive_close(&it->archive);
    directory_close(&it->source);
    replay_deinit(&it->replay);
    quarantine_deinit(&it->quarantine);
    buffer_deinit(&it->state.json);
    buffer_deinit(&it->state.text);
    free(it);
    return code ? code : closed;
}
