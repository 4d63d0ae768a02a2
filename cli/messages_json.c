// SPDX-License-Identifier: Apache-2.0
#include "cli/messages.h"

#include "cli/vocabulary.h"
#include "codec/json.h"

#include <inttypes.h>

static void text_write(const char *name, const char *text, struct buffer *out)
{
    buffer_printf(out, "\"%s\":", name);
    json_write_text(bytes_text(text), out);
}

static void choices_write(const char *choices, struct buffer *out)
{
    buffer_printf(out, ",\"choices\":[\"");
    for (; *choices; choices++) {
        if (*choices == '|')
            buffer_printf(out, "\",\"");
        else
            buffer_append(out, choices, 1);
    }
    buffer_printf(out, "\"]");
}

static bool has_bounds(const struct field *field)
{
    switch ((enum field_type)field->type) {
    case FIELD_ID:
    case FIELD_TEXT:
    case FIELD_INT:
    case FIELD_MONEY:
    case FIELD_LIST:
    case FIELD_MAP:
        return true;
    case FIELD_RAW:
    case FIELD_BITS:
        return true;
    case FIELD_CHOICE:
    case FIELD_BOOL:
    case FIELD_NEST:
        return false;
    }
    return false;
}

static void fields_write(const struct shape *shape, struct buffer *out);

static void field_write(const struct field *field, struct buffer *out)
{
    buffer_printf(out, "{");
    text_write("name", field->name, out);
    buffer_printf(out, ",");
    text_write("type", vocabulary_type_name((enum field_type)field->type), out);
    buffer_printf(out, ",\"required\":%s", field->need == FIELD_REQUIRED ? "true" : "false");
    if (has_bounds(field) && field->min != INT64_MIN)
        buffer_printf(out, ",\"min\":%" PRId64, field->min);
    if (has_bounds(field) && field->max != INT64_MAX)
        buffer_printf(out, ",\"max\":%" PRId64, field->max);
    if (field->type == FIELD_CHOICE)
        choices_write(field->choices, out);
    if (field->type == FIELD_LIST || field->type == FIELD_NEST) {
        buffer_printf(out, ",\"fields\":");
        fields_write(field->shape(), out);
    }
    buffer_printf(out, "}");
}

static void fields_write(const struct shape *shape, struct buffer *out)
{
    buffer_printf(out, "[");
    for (uint16_t i = 0; i < shape->count; i++) {
        buffer_printf(out, "%s", i ? "," : "");
        field_write(&shape->fields[i], out);
    }
    buffer_printf(out, "]");
}

static void message_write(const struct message_def *def, struct buffer *out)
{
    buffer_printf(out, "{");
    text_write("type", def->name, out);
    buffer_printf(out, ",\"number\":%d,", (int)def->type);
    text_write("audience", vocabulary_audience(def), out);
    buffer_printf(out, ",");
    text_write("effect", vocabulary_effect(def), out);
    buffer_printf(out, ",\"new\":%s,", def->effect == EFFECT_NEW ? "true" : "false");
    text_write("once", vocabulary_once(def), out);
    buffer_printf(out, ",");
    text_write("key", vocabulary_key(def), out);
    buffer_printf(out, ",\"body\":");
    fields_write(def->body(), out);
    buffer_printf(out, ",\"reply\":");
    if (vocabulary_answers(def))
        fields_write(def->reply(), out);
    else
        buffer_printf(out, "null");
    buffer_printf(out, "}");
}

static void statuses_write(struct buffer *out)
{
    for (int i = 0; i < STATUS_COUNT; i++) {
        buffer_printf(out, "%s\n{\"number\":%d,", i ? "," : "", i);
        text_write("status", status_name((enum status)i), out);
        buffer_printf(out, ",\"transient\":%s,", status_transient((enum status)i) ? "true" : "false");
        text_write("meaning", status_sentence((enum status)i), out);
        buffer_printf(out, "}");
    }
}

static void events_write(struct buffer *out)
{
    bool some = false;
    for (uint32_t i = 0; i <= EVENT_NUMBER_MAX; i++) {
        const struct event_def *event = event_by_number(i);
        if (!event)
            continue;
        buffer_printf(out, "%s\n{\"number\":%u,", some ? "," : "", i);
        text_write("event", event->name, out);
        buffer_printf(out, ",\"data\":");
        fields_write(event->data(), out);
        buffer_printf(out, "}");
        some = true;
    }
}

void messages_json(struct buffer *out)
{
    const struct message_def *def;
    buffer_printf(out, "{\"messages\":[");
    for (size_t i = 0; (def = message_at(i)); i++) {
        buffer_printf(out, "%s\n", i ? "," : "");
        message_write(def, out);
    }
    buffer_printf(out, "],\n\"statuses\":[");
    statuses_write(out);
    buffer_printf(out, "],\n\"events\":[");
    events_write(out);
    buffer_printf(out, "]}\n");
}
