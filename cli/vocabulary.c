// SPDX-License-Identifier: Apache-2.0
#include "cli/vocabulary.h"

#include <inttypes.h>
#include <stdio.h>

enum { PATH_MAX_SIZE = 256 };

static void range_write(const char *what, int64_t min, int64_t max, const char *unit, struct buffer *out)
{
    buffer_printf(out, "%s", what);
    if (min == INT64_MIN && max == INT64_MAX)
        return;
    if (max == INT64_MAX)
        buffer_printf(out, ", %" PRId64 " or more%s", min, unit);
    else
        buffer_printf(out, ", %" PRId64 " to %" PRId64 "%s", min, max, unit);
}

static void choices_write(const char *choices, struct buffer *out)
{
    buffer_printf(out, "one of ");
    for (; *choices; choices++) {
        if (*choices == '|')
            buffer_printf(out, ", ");
        else
            buffer_append(out, choices, 1);
    }
}

void vocabulary_type(const struct field *field, struct buffer *out)
{
    switch ((enum field_type)field->type) {
    case FIELD_ID:
        range_write("id", field->min, field->max, " bytes", out);
        break;
    case FIELD_TEXT:
        range_write("text", field->min, field->max, " bytes", out);
        break;
    case FIELD_CHOICE:
        choices_write(field->choices, out);
        break;
    case FIELD_INT:
        range_write("integer", field->min, field->max, "", out);
        break;
    case FIELD_MAP:
        buffer_printf(out, "map of text to text, up to %d entries of up to %d bytes", MAP_ENTRIES_MAX, MAP_TEXT_MAX);
        break;
    case FIELD_LIST:
        range_write("list", field->min, field->max, " of:", out);
        break;
    case FIELD_RAW:
        buffer_printf(out, "any value of up to %" PRId64 " bytes", field->max);
        break;
    case FIELD_BITS:
        buffer_printf(out, "binary, up to %" PRId64 " bytes", field->max);
        break;
    case FIELD_BOOL:
    case FIELD_MONEY:
    case FIELD_NEST:
        buffer_printf(out, "%s", vocabulary_type_name((enum field_type)field->type));
        break;
    }
}

const char *vocabulary_type_name(enum field_type type)
{
    switch (type) {
    case FIELD_ID:
        return "id";
    case FIELD_TEXT:
        return "text";
    case FIELD_CHOICE:
        return "choice";
    case FIELD_INT:
        return "integer";
    case FIELD_BOOL:
        return "boolean";
    case FIELD_MONEY:
        return "money";
    case FIELD_MAP:
        return "map";
    case FIELD_LIST:
        return "list";
    case FIELD_NEST:
        return "object";
    case FIELD_RAW:
        return "any";
    case FIELD_BITS:
        return "binary";
    }
    return "";
}

const char *vocabulary_key(const struct message_def *def)
{
    switch (def->kind) {
    case KIND_CATALOG:
    case KIND_INVENTORY:
        return "sku";
    case KIND_CART:
        return "cart_id";
    case KIND_ORDER:
    case KIND_PAYMENT:
    case KIND_SANDBOX:
        return "order_id";
    case KIND_COUNT:
        break;
    }
    return def->type == MESSAGE_events_read ? "KIND/N" : "any";
}

const char *vocabulary_audience(const struct message_def *def)
{
    return def->audience == AUDIENCE_PUBLIC ? "public" : "peer";
}

const char *vocabulary_effect(const struct message_def *def)
{
    return def->effect == EFFECT_READ ? "read" : "command";
}

const char *vocabulary_once(const struct message_def *def)
{
    switch (def->once) {
    case ONCE_BY_ID:
        return "record";
    case ONCE_BY_REQUEST:
        return "request";
    case ONCE_ANY:
        return "none";
    }
    return "";
}

const char *vocabulary_once_sentence(const struct message_def *def)
{
    switch (def->once) {
    case ONCE_BY_ID:
        return "repeats meet the record that the first one made or ended";
    case ONCE_BY_REQUEST:
        return "repeats are known by their request_id";
    case ONCE_ANY:
        return def->effect == EFFECT_READ ? "may be repeated freely" : "internal";
    }
    return "";
}

bool vocabulary_answers(const struct message_def *def)
{
    return def->reply != no_answer_shape;
}

typedef void visit_function(void *context, const char *path, const struct field *field);

static void walk(const struct shape *shape, const char *above, visit_function *visit, void *context)
{
    char path[PATH_MAX_SIZE];
    for (uint16_t i = 0; i < shape->count; i++) {
        const struct field *field = &shape->fields[i];
        snprintf(path, sizeof path, "%s%s", above, field->name);
        visit(context, path, field);
        if (field->type != FIELD_LIST && field->type != FIELD_NEST)
            continue;
        snprintf(path, sizeof path, "%s%s%s.", above, field->name, field->type == FIELD_LIST ? "[]" : "");
        walk(field->shape(), path, visit, context);
    }
}

void vocabulary_walk(const struct shape *shape, visit_function *visit, void *context)
{
    walk(shape, "", visit, context);
}
