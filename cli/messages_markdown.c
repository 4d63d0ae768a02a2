// SPDX-License-Identifier: Apache-2.0
// The tables of docs/protocol.md. A test compares them with the page, so this text and the page change together.
#include "cli/messages.h"

#include "cli/vocabulary.h"

static void field_row(void *context, const char *path, const struct field *field)
{
    struct buffer *out = context;
    buffer_printf(out, "| `%s` | ", path);
    vocabulary_type(field, out);
    buffer_printf(out, " | %s |\n", field->need == FIELD_REQUIRED ? "yes" : "");
}

static void fields_table(const char *what, const char *there, const struct shape *shape, struct buffer *out)
{
    if (!shape->count) {
        buffer_printf(out, "%s: no fields.\n\n", what);
        return;
    }
    buffer_printf(out, "| %s | type | %s |\n|---|---|---|\n", what, there);
    vocabulary_walk(shape, field_row, out);
    buffer_printf(out, "\n");
}

static void message_section(const struct message_def *def, struct buffer *out)
{
    buffer_printf(out, "### %s\n\nNumber %d, a %s; key: `%s`; %s%s.\n\n", def->name, (int)def->type,
                  vocabulary_effect(def), vocabulary_key(def), vocabulary_once_sentence(def),
                  def->effect == EFFECT_NEW ? "; refused while nothing new is taken (`storage_full`, `clock`)" : "");
    fields_table("body", "required", def->body(), out);
    fields_table("reply", "always there", def->reply(), out);
}

static void statuses_table(struct buffer *out)
{
    buffer_printf(out, "## Statuses\n\nIn order of precedence: of several reasons the first is named. What is marked "
                       "transient may go away by itself.\n\n| status | meaning | |\n|---|---|---|\n");
    for (int i = 0; i < STATUS_COUNT; i++)
        buffer_printf(out, "| `%s` | %s | %s |\n", status_name((enum status)i), status_sentence((enum status)i),
                      status_transient((enum status)i) ? "transient" : "");
    buffer_printf(out, "\n");
}

static void events_table(struct buffer *out)
{
    buffer_printf(out, "## Events\n\n| event | number | data |\n|---|---|---|\n");
    for (uint32_t i = 0; i <= EVENT_NUMBER_MAX; i++) {
        const struct event_def *event = event_by_number(i);
        if (!event)
            continue;
        buffer_printf(out, "| `%s` | %u | ", event->name, i);
        const struct shape *data = event->data();
        for (uint16_t f = 0; f < data->count; f++)
            buffer_printf(out, "%s`%s`%s", f ? ", " : "", data->fields[f].name,
                          data->fields[f].need == FIELD_REQUIRED ? "" : "?");
        buffer_printf(out, " |\n");
    }
    buffer_printf(out, "\n");
}

static void peers_list(struct buffer *out)
{
    const struct message_def *def;
    buffer_printf(out, "## Between actors\n\nThese are `forbidden` from outside:");
    for (size_t i = 0, listed = 0; (def = message_at(i)); i++) {
        if (def->audience == AUDIENCE_PEER)
            buffer_printf(out, "%s `%s` (%d)", listed++ ? "," : "", def->name, (int)def->type);
    }
    buffer_printf(out, ".\n");
}

void messages_markdown(struct buffer *out)
{
    const struct message_def *def;
    statuses_table(out);
    buffer_printf(out, "## Messages\n\n");
    for (size_t i = 0; (def = message_at(i)); i++) {
        if (def->audience == AUDIENCE_PUBLIC)
            message_section(def, out);
    }
    events_table(out);
    peers_list(out);
}
