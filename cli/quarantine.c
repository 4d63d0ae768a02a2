// SPDX-License-Identifier: Apache-2.0
// souk quarantine: entities about which nobody decides, because a decision about them ended a process.
#include "cli/cli.h"
#include "cli/directory.h"
#include "cli/options.h"
#include "cli/output.h"
#include "codec/json.h"
#include "store/quarantine.h"

#include <endian.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct quarantine_command {
    const char *directory;
    bool snapshot, json;
    const char *word; // list, clear, accept
    struct entity entity;
};

static void print_help(void)
{
    printf("usage: souk quarantine list [-d DIR] [--snapshot] [--json]\n"
           "       souk quarantine clear KIND KEY [-d DIR]\n"
           "       souk quarantine accept [-d DIR]\n\n"
           "A process that dies while it decides a message (a CHECK, a signal) writes down which one. The next start puts\n"
           "the entity in quarantine: clients of it get `quarantined`, other entities wait for it, all else goes on.\n\n"
           "  list             what is there: the message, and what it died of\n"
           "  clear KIND KEY   lift it: from the next start on it is decided about again, and who waited asks again\n"
           "  accept           you know of all that are there: start without them. More than 3 deaths within 10 minutes\n"
           "                   that nobody has seen keep a node down\n\n" DIRECTORY_OPTIONS
           "                       (list only: what is changed has to be a stopped node's)\n"
           "      --json           one object: {quarantined: [{kind, key, type, origin, sender, at, time, death, size,\n"
           "                       hash, message, seen}]}; message: is it kept for `souk replay --message`?\n"
           "  -h, --help           this text\n\n"
           "Why did it die? `souk replay --message KIND/KEY` decides the message again, after the log, in a process of its\n"
           "own. Lift the quarantine when a build can decide it.\n\n"
           "Exit codes: 0 done, 1 no such entity in quarantine, 2 wrong use or a node runs, 3 no snapshot in time,\n"
           "70 a failure.\n\n"
           "Example: souk quarantine clear order o-17 -d /var/lib/souk\n");
}

static int read_words(int argc, char **argv, struct quarantine_command *it)
{
    if (optind == argc)
        return usage_error("quarantine", "list, clear or accept?");
    it->word = argv[optind++];
    bool clear = strcmp(it->word, "clear") == 0, list = strcmp(it->word, "list") == 0;
    if (!clear && !list && strcmp(it->word, "accept") != 0)
        return usage_error("quarantine", "'%s' is none of list, clear, accept", it->word);
    if (clear && optind + 2 != argc)
        return usage_error("quarantine", "clear takes KIND KEY, as in `clear order o-17`");
    if (clear && !kind_of_name(bytes_text(argv[optind]), &it->entity.kind))
        return usage_error("quarantine", "'%s' is none of catalog, inventory, cart, order, payment, sandbox", argv[optind]);
    if (clear)
        it->entity.key = bytes_text(argv[optind + 1]);
    else if (optind < argc)
        return usage_error("quarantine", "unexpected argument '%s'", argv[optind]);
    return !list && (it->snapshot || it->json) ? usage_error("quarantine", "--snapshot and --json go with list only")
                                               : EXIT_OK;
}

static int read_options(int argc, char **argv, struct quarantine_command *it)
{
    const struct option_rule options[] = {
        OPTION_DIRECTORY(it->directory),
        OPTION_FLAG("snapshot", it->snapshot),
        OPTION_JSON(it->json),
        {0},
    };
    int code = options_read("quarantine", print_help, options, argc, argv);
    return code ? code : read_words(argc, argv, it);
}

// ---- list

static uint64_t hash_read(struct bytes hash)
{
    uint64_t little = 0;
    memcpy(&little, hash.at, hash.size < sizeof little ? hash.size : sizeof little);
    return le64toh(little);
}

static void sender_write(const struct quarantined *row, struct buffer *out)
{
    if (row->has_sender)
        buffer_printf(out, "%.*s/%.*s", BYTES_FORMAT(row->sender_kind), BYTES_FORMAT(row->sender));
    else
        buffer_append(out, row->origin.at, row->origin.size);
}

static void text_field(struct buffer *out, const char *name, struct bytes value)
{
    buffer_printf(out, "\"%s\":", name);
    json_write_text(value, out);
    buffer_printf(out, ",");
}

static void row_json(const struct quarantined *row, struct buffer *out)
{
    struct buffer sender = {0};
    sender_write(row, &sender);
    buffer_printf(out, "{");
    text_field(out, "kind", row->kind);
    text_field(out, "key", row->key);
    text_field(out, "type", row->type);
    text_field(out, "origin", row->origin);
    text_field(out, "sender", buffer_bytes(&sender));
    text_field(out, "death", row->death);
    buffer_printf(out,
                  "\"at\":%" PRId64 ",\"time\":\"%s\",\"size\":%" PRId64 ",\"hash\":\"%016" PRIx64
                  "\",\"message\":%s,\"seen\":%s}",
                  row->at, time_format(row->at).text, row->size, hash_read(row->hash),
                  row->has_message ? "true" : "false", row->seen ? "true" : "false");
    buffer_deinit(&sender);
}

static void row_text(const struct quarantined *row, struct buffer *out)
{
    buffer_printf(out, "%.*s/%.*s  since %s%s\n    died of %.*s from ", BYTES_FORMAT(row->kind), BYTES_FORMAT(row->key),
                  time_format(row->at).text, row->seen ? ", seen" : "", BYTES_FORMAT(row->type));
    sender_write(row, out);
    buffer_printf(out, " (%" PRId64 " bytes, %016" PRIx64 "): %.*s\n", row->size, hash_read(row->hash),
                  BYTES_FORMAT(row->death));
}

static int list(const struct quarantine_command *it, const struct quarantine *quarantine)
{
    struct buffer out = {0};
    if (it->json)
        buffer_printf(&out, "{\"quarantined\":[");
    for (uint32_t i = 0; i < quarantine->count; i++) {
        if (it->json && i)
            buffer_printf(&out, ",");
        (it->json ? row_json : row_text)(&quarantine->list[i], &out);
    }
    if (it->json)
        buffer_printf(&out, "]}\n");
    else
        buffer_printf(&out, "%s%" PRIu32 " in quarantine\n", quarantine->count ? "\n" : "", quarantine->count);
    output_write(stdout, &out);
    buffer_deinit(&out);
    return output_finish("quarantine", EXIT_OK);
}

// ---- the command

static int obey(const struct quarantine_command *it, struct shop *shop, const struct quarantine *quarantine)
{
    struct fault_text text;
    if (strcmp(it->word, "list") == 0)
        return list(it, quarantine);
    if (strcmp(it->word, "accept") == 0)
        return fault_exit("quarantine", quarantine_accept(shop, &text), &text);
    if (!quarantine_find(quarantine, it->entity))
        return fail_with(EXIT_REFUSED, "quarantine", "%s/%.*s is not in quarantine; `souk quarantine list` shows what is",
                         kind_name(it->entity.kind), BYTES_FORMAT(it->entity.key));
    return fault_exit("quarantine", quarantine_clear(shop, it->entity, &text), &text);
}

static int run(const struct quarantine_command *it, struct directory *directory)
{
    struct quarantine quarantine = {0};
    struct fault_text text;
    bool taken;
    enum fault fault = FAULT_NONE;
    if (!directory->is_snapshot) // of a process that died and was not started again
        fault = quarantine_take_last_words(directory->shop, &taken, &text);
    if (fault == FAULT_NONE)
        fault = quarantine_load(directory->shop, &quarantine, &text);
    int code = fault ? fault_exit("quarantine", fault, &text) : obey(it, directory->shop, &quarantine);
    quarantine_deinit(&quarantine);
    return code;
}

int command_quarantine(int argc, char **argv)
{
    struct quarantine_command it = {0};
    struct directory *directory = NULL;
    int code = read_options(argc, argv, &it);
    if (code == EXIT_OK)
        code = directory_open_to_write("quarantine", it.directory, it.snapshot, &directory);
    if (code == EXIT_OK)
        code = run(&it, directory);
    directory_close(&directory);
    return code;
}
