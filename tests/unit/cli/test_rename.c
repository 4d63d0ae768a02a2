// SPDX-License-Identifier: Apache-2.0
#include "cli/rename.h"

#include "codec/json.h"
#include "codec/message.h"

#include <criterion/criterion.h>

static const struct {
    const char *type, *body, *renamed;
} table[] = {
    {"inventory.reserve", "{\"reservation_id\":\"r\",\"quantity\":1}", "{\"reservation_id\":\"p-r\",\"quantity\":1}"},
    {"cart.add", "{\"sku\":\"A\",\"quantity\":2}", "{\"sku\":\"p-A\",\"quantity\":2}"},
    {"order.place", "{\"user_id\":\"u\",\"payment_method\":\"pm\",\"cart_id\":\"c\"}",
     "{\"user_id\":\"u\",\"payment_method\":\"pm\",\"cart_id\":\"p-c\"}"},
    {"order.place",
     "{\"lines\":[{\"sku\":\"A\",\"quantity\":1},{\"sku\":\"B\",\"unit_price\":{\"amount\":1,\"currency\":\"GBP\"}}]}",
     "{\"lines\":[{\"sku\":\"p-A\",\"quantity\":1},{\"sku\":\"p-B\",\"unit_price\":{\"amount\":1,\"currency\":\"GBP\"}}"
     "]}"},
    {"cart.claim", "{\"order_id\":\"o\"}", "{\"order_id\":\"p-o\"}"},
    // A name like an entity's in a map of the shopper's own is a text.
    {"catalog.put", "{\"title\":\"t\",\"attributes\":{\"sku\":\"A\"}}",
     "{\"title\":\"t\",\"attributes\":{\"sku\":\"A\"}}"},
    {"catalog.put", "{\"seller\":\"s\"}", "{\"seller\":\"s\"}"},
    // What the shape does not expect stays as it is: the node judges it.
    {"cart.add", "{\"sku\":7,\"no\":{\"sku\":\"A\"}}", "{\"sku\":7,\"no\":{\"sku\":\"A\"}}"},
    {"order.place", "{\"lines\":\"A\"}", "{\"lines\":\"A\"}"},
    {"order.place", "{\"lines\":[\"A\",null]}", "{\"lines\":[\"A\",null]}"},
    {"inventory.get", "{}", "{}"},
    {"inventory.get", "[1]", "[1]"},
};

Test(rename, a_body_names_other_entities)
{
    struct arena arena;
    const char *why;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct buffer body, renamed, text;
        buffer_init(&body);
        buffer_init(&renamed);
        buffer_init(&text);
        cr_assert(json_read(bytes_text(table[i].body), &body, &arena, &why), "%s", table[i].body);
        rename_body(message_by_name(bytes_text(table[i].type))->body(), buffer_bytes(&body), BYTES("p-"), &renamed);
        cr_assert(json_write(buffer_bytes(&renamed), &text));
        cr_assert(bytes_equal(buffer_bytes(&text), bytes_text(table[i].renamed)), "%s became %.*s", table[i].body,
                  (int)text.size, (const char *)text.at);
        buffer_deinit(&body);
        buffer_deinit(&renamed);
        buffer_deinit(&text);
    }
    arena_deinit(&arena);
}

// Whoever adds an ID field to a client's command must decide whether it names an entity.
Test(rename, every_id_of_a_clients_command_is_decided)
{
    static const char *const not_entities[] = {"seller", "user_id", "payment_method", "after"};
    const struct message_def *def;
    for (size_t i = 0; (def = message_at(i)); i++) {
        const struct shape *shape = def->body();
        for (uint16_t f = 0; f < shape->count && def->audience == AUDIENCE_PUBLIC; f++) {
            bool decided = shape->fields[f].type != FIELD_ID || rename_touches(&shape->fields[f]);
            for (size_t n = 0; n < sizeof not_entities / sizeof *not_entities; n++)
                decided |= strcmp(shape->fields[f].name, not_entities[n]) == 0;
            cr_assert(decided, "%s: %s", def->name, shape->fields[f].name);
        }
    }
}
