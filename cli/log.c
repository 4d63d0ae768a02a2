// SPDX-License-Identifier: Apache-2.0
// souk log: what happened, readable; and its export, as one portable file or as commands to send again.
#include "cli/cli.h"
#include "cli/describe.h"
#include "cli/directory.h"
#include "cli/history.h"
#include "cli/options.h"
#include "cli/output.h"
#include "codec/check.h"
#include "codec/envelope.h"
#include "codec/json.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct log_command {
    const char *directory; // or an exported file
    bool snapshot, json, commands;
    const char *export; // FILE or "-"; NULL: show
    const char *actor_name, *key; // NULL: any
    struct actor_id actor;
    bool has_actor;
    struct row_filter filter;
    int64_t from, to; // 0: not given
    struct directory *source;
    struct archive archive;
    struct trouble trouble;
    struct history *history;
};

static void print_help(void)
{
    printf("usage: souk log [-d DIR] [--actor KIND/N] [--key KEY] [--from SEQ] [--to SEQ] [--json]\n"
           "       souk log export [--commands] FILE\n\n"
           "What the actors were told, turn by turn, in the order of time: each message with its sender and body, the\n"
           "events it caused, and where epochs begin. Reads and refusals change nothing and are not logged. DIR may\n"
           "also be a file that `souk log export` wrote.\n\n" DIRECTORY_OPTIONS
           "      --actor KIND/N   only this actor, e.g. inventory/0\n"
           "      --key KEY        only messages and events of this entity\n"
           "      --from, --to SEQ only these rows; numbers are each actor's own\n"
           "      --json           NDJSON, one object for a row: {actor, seq, at, time, digest, chain,\n"
           "                       messages: [{sender, id, type, key, body, digest}],\n"
           "                       events: [{message, type, key, data}]}\n"
           "                       or {actor, seq, at, time, epoch: {number, build, actors, settings, …}}\n"
           "  export FILE          all logs as one file that `souk replay FILE` reads; - is stdout\n"
           "  export --commands FILE\n"
           "                       instead, the commands of clients as NDJSON for `souk send`: {id, type, key, body},\n"
           "                       by the time of their turns; takes --actor, --key, --from and --to\n"
           "  -h, --help           this text\n\n"
           "Exit codes: 0 done, 2 wrong use or a node runs, 3 no snapshot in time, 70 a failure (a hole in a log, or\n"
           "the output cannot be written).\n\n"
           "Examples: souk log -d /var/lib/souk --key o-17\n"
           "          souk log export shop.log && souk replay shop.log\n");
}

static int read_actor(struct log_command *it, const char *text)
{
    it->has_actor = actor_id_parse(bytes_text(text), &it->actor);
    return it->has_actor ? EXIT_OK : usage_error("log", "--actor takes KIND/N, as in inventory/0, not '%s'", text);
}

static int read_arguments(int argc, char **argv, struct log_command *it)
{
    if (optind < argc && strcmp(argv[optind], "export") == 0) {
        if (optind + 2 != argc)
            return usage_error("log", "export takes one FILE (- for stdout)");
        it->export = argv[optind + 1];
    } else if (optind < argc) {
        return usage_error("log", "unexpected argument '%s'", argv[optind]);
    }
    if (it->commands && !it->export)
        return usage_error("log", "--commands belongs to export");
    if (it->export && it->json)
        return usage_error("log", "--json belongs to showing; an export has its own form");
    if (it->export && !it->commands && (it->has_actor || it->key || it->from || it->to))
        return usage_error("log", "an export is whole: --actor, --key, --from and --to go with --commands only");
    return EXIT_OK;
}

static int read_options(int argc, char **argv, struct log_command *it)
{
    const struct option_rule options[] = {
        OPTION_DIRECTORY(it->directory),
        OPTION_FLAG("snapshot", it->snapshot),
        OPTION_TEXT("actor", 0, it->actor_name),
        OPTION_TEXT("key", 0, it->key),
        OPTION_NUMBER("from", it->from, 1, INT64_MAX),
        OPTION_NUMBER("to", it->to, 1, INT64_MAX),
        OPTION_FLAG("commands", it->commands),
        OPTION_JSON(it->json),
        {0},
    };
    int code = options_read("log", print_help, options, argc, argv);
    if (code == EXIT_OK && it->actor_name)
        code = read_actor(it, it->actor_name);
    if (it->key)
        it->filter.key = bytes_text(it->key);
    return code ? code : read_arguments(argc, argv, it);
}

// ---- what is read

static bool is_file(const char *path)
{
    struct stat status;
    return path && stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

static int source_open(struct log_command *it)
{
    struct fault_text text;
    int code;
    if (is_file(it->directory)) {
        code = fault_exit("log", archive_open(it->directory, &it->archive, &text), &text);
        if (code == EXIT_OK)
            it->history = history_open(NULL, &it->archive, &it->trouble);
        return code;
    }
    code = directory_open("log", it->directory, it->snapshot, &it->source);
    if (code == EXIT_OK)
        code = it->has_actor ? directory_open_kind("log", it->source, it->actor.kind)
                             : directory_open_all("log", it->source);
    if (code == EXIT_OK)
        it->history = history_open(&it->source->databases, NULL, &it->trouble);
    progress_done();
    return code;
}

static int limit(struct log_command *it)
{
    uint32_t actor = UINT32_MAX;
    for (uint32_t i = 0; i < history_count(it->history) && it->has_actor; i++) {
        struct actor_id is = history_actor(it->history, i);
        if (is.kind == it->actor.kind && is.index == it->actor.index)
            actor = i;
    }
    if (it->has_actor && actor == UINT32_MAX)
        return fail_with(EXIT_USAGE, "log", "%s has never run here", actor_id_name(it->actor).text);
    history_limit(it->history, actor, (uint64_t)it->from, it->to ? (uint64_t)it->to : INT64_MAX);
    return EXIT_OK;
}

// ---- showing, exporting

// false: it cannot be written.
static bool show_row(struct log_command *it, struct actor_id actor, const struct log_row *row, struct buffer *line)
{
    if (!row_passes(row, &it->filter))
        return true;
    buffer_clear(line);
    if (it->json)
        describe_row_json(actor, row, &it->filter, line);
    else
        describe_row(actor, row, &it->filter, line);
    return output_write(stdout, line);
}

static bool command_write(const struct log_message *message, const struct row_filter *filter, struct buffer *line,
                          FILE *out)
{
    struct cursor cursor = cursor_over(message->request);
    struct request request;
    struct envelope_refusal refusal;
    if (message->origin != LOG_CLIENT || !request_read(&cursor, &request, &refusal))
        return true;
    if (filter->key.size && !bytes_equal(filter->key, request.key))
        return true;
    buffer_clear(line);
    buffer_printf(line, "{\"id\":");
    json_write_text(request.id, line);
    buffer_printf(line, ",\"type\":");
    json_write_text(request.type, line);
    buffer_printf(line, ",\"key\":");
    json_write_text(request.key, line);
    buffer_printf(line, ",\"body\":");
    describe_body(request.body, line);
    buffer_printf(line, "}\n");
    return output_write(out, line);
}

static bool commands_row(struct log_command *it, const struct log_row *row, struct buffer *line, FILE *out)
{
    for (uint32_t i = 0; row->type == LOG_ROW_TURN && i < row->turn.messages_count; i++)
        if (!command_write(&row->turn.messages[i], &it->filter, line, out))
            return false;
    return true;
}

// All rows in the order of time, shown or as commands.
static bool merge(struct log_command *it, FILE *out)
{
    struct buffer line = {0};
    uint32_t index;
    bool good = true;
    uint64_t rows = 0;
    while (good && (index = history_first(it->history)) != UINT32_MAX) {
        const struct log_row *row = history_row(it->history, index);
        good = it->commands ? commands_row(it, row, &line, out)
                            : show_row(it, history_actor(it->history, index), row, &line);
        rows++;
        if (it->commands && out != stdout)
            progress("%" PRIu64 " rows, %s", rows, time_format(log_row_at(row)).text);
        history_next(it->history, index);
    }
    buffer_deinit(&line);
    return good;
}

static bool archive_all(struct log_command *it, FILE *out)
{
    struct archive_writer *writer = archive_writer_new(out, &it->trouble);
    uint64_t rows = 0;
    for (uint32_t i = 0; i < history_count(it->history); i++) {
        const struct log_row *row;
        archive_begin_actor(writer, history_actor(it->history, i));
        for (; (row = history_row(it->history, i)); history_next(it->history, i)) {
            archive_write_row(writer, row->seq, history_value(it->history, i));
            progress("%s: %" PRIu64 " rows", actor_id_name(history_actor(it->history, i)).text, ++rows);
        }
    }
    archive_finish(writer);
    archive_writer_free(&writer);
    return true;
}

static int export_to(struct log_command *it, FILE *out, const char *name)
{
    bool good = it->commands ? merge(it, out) : archive_all(it, out);
    good = fflush(out) == 0 && good;
    progress_done();
    if (it->trouble.fault)
        return fault_exit("log", it->trouble.fault, &it->trouble.text);
    return good ? EXIT_OK : fail_with(EXIT_FAULT, "log", "%s: it cannot be written: %s", name, strerror(errno));
}

static int export(struct log_command *it)
{
    if (strcmp(it->export, "-") == 0)
        return export_to(it, stdout, "stdout");
    FILE *out = fopen(it->export, "wbe");
    if (!out)
        return fail_with(EXIT_USAGE, "log", "%s: %s", it->export, strerror(errno));
    int code = export_to(it, out, it->export);
    if (fclose(out) != 0 && code == EXIT_OK)
        code = fail_with(EXIT_FAULT, "log", "%s: %s", it->export, strerror(errno));
    struct stat status;
    if (code && stat(it->export, &status) == 0 && S_ISREG(status.st_mode))
        remove(it->export); // half a log is none
    return code;
}

static int show(struct log_command *it)
{
    merge(it, stdout);
    int code = output_finish("log", EXIT_OK);
    return it->trouble.fault ? fault_exit("log", it->trouble.fault, &it->trouble.text) : code;
}

int command_log(int argc, char **argv)
{
    struct log_command *it = calloc(1, sizeof *it);
    CHECK(it);
    int code = read_options(argc, argv, it);
    if (code == EXIT_OK)
        code = source_open(it);
    if (code == EXIT_OK)
        code = limit(it);
    if (code == EXIT_OK)
        code = it->export ? export(it) : show(it);
    history_close(&it->history);
    archive_close(&it->archive);
    directory_close(&it->source);
    free(it);
    return code;
}
