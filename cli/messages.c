// SPDX-License-Identifier: Apache-2.0
// souk messages: what can be said to a node, from the tables of message.def, status.def and event.def.
#include "cli/messages.h"

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/vocabulary.h"

#include <getopt.h>

static void print_help(void)
{
    printf(
        "usage: souk messages [TYPE…] [--json | --markdown]\n\n"
        "The vocabulary: every message with its number, who may send it, whether it changes anything, its fields with\n"
        "their bounds, and its reply. docs/protocol.md says how to speak it.\n\n"
        "  TYPE             only these: inventory.reserve, or all of a kind: inventory\n"
        "      --json       messages, statuses and events for machines; min and max are left out where there is none\n"
        "      --markdown   the generated part of docs/protocol.md\n"
        "  -h, --help       this text\n\n"
        "Exit codes: 0 done, 2 wrong use.\n\n"
        "Example: souk messages --json | jq -r '.messages[] | select(.audience == \"public\") | .type'\n");
}

static void print_field(void *context, const char *path, const struct field *field)
{
    struct buffer *out = context;
    buffer_printf(out, "    %-22s %-8s ", path, field->need == FIELD_REQUIRED ? "required" : "optional");
    vocabulary_type(field, out);
    buffer_append(out, "\n", 1);
}

static void print_fields(const char *what, const struct shape *shape, struct buffer *out)
{
    buffer_printf(out, "  %s%s\n", what, shape->count ? "" : ": no fields");
    vocabulary_walk(shape, print_field, out);
}

static void print_message(const struct message_def *def, struct buffer *out)
{
    buffer_printf(out, "%s\n  %d, %s %s, key: %s; %s\n", def->name, (int)def->type, vocabulary_audience(def),
                  vocabulary_effect(def), vocabulary_key(def), vocabulary_once_sentence(def));
    print_fields("body", def->body(), out);
    if (vocabulary_answers(def))
        print_fields("reply", def->reply(), out);
    else
        buffer_printf(out, "  no reply\n");
    buffer_append(out, "\n", 1);
}

// "inventory" or "inventory.reserve"
static bool is_meant(const struct message_def *def, const char *type)
{
    size_t size = strlen(type);
    return strncmp(def->name, type, size) == 0 && (!def->name[size] || def->name[size] == '.');
}

// false: there is none of that name.
static bool print_meant(const char *type, struct buffer *out)
{
    bool found = false;
    const struct message_def *def;
    for (size_t i = 0; (def = message_at(i)); i++) {
        if (type && !is_meant(def, type))
            continue;
        print_message(def, out);
        found = true;
    }
    return found;
}

static int print_text(int count, char **types, struct buffer *out)
{
    if (!count)
        print_meant(NULL, out);
    for (int i = 0; i < count; i++) {
        if (!print_meant(types[i], out))
            return usage_error("messages", "there is no type or kind '%s'", types[i]);
    }
    return EXIT_OK;
}

int command_messages(int argc, char **argv)
{
    bool json = false, markdown = false;
    const struct option_rule options[] = {OPTION_JSON(json), OPTION_FLAG("markdown", markdown), {0}};
    int code = options_read("messages", print_help, options, argc, argv);
    if (code)
        return code;
    if (json && markdown)
        return usage_error("messages", "--json and --markdown are two answers: choose one");
    if ((json || markdown) && optind < argc)
        return usage_error("messages", "unexpected argument '%s': --json and --markdown print everything",
                           argv[optind]);
    struct buffer out;
    buffer_init(&out);
    if (json)
        messages_json(&out);
    else if (markdown)
        messages_markdown(&out);
    else
        code = print_text(argc - optind, argv + optind, &out);
    if (!code)
        output_write(stdout, &out);
    buffer_deinit(&out);
    return code ? code : output_finish("messages", code);
}
