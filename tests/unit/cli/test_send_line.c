// SPDX-License-Identifier: Apache-2.0
#include "cli/send_line.h"

#include "codec/cursor.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct arena arena;
static struct buffer encoded;
static struct send_line out;
static const char *why;

static void open_all(void)
{
    arena_init(&arena);
    buffer_init(&encoded);
}

static void close_all(void)
{
    buffer_deinit(&encoded);
    arena_deinit(&arena);
}

TestSuite(send_line, .init = open_all, .fini = close_all);

static bool read_with(const char *line, const char *prefix)
{
    return send_line_read(bytes_text(line), bytes_text(prefix), &arena, &encoded, &out, &why);
}

static void expect(struct bytes bytes, const char *text)
{
    cr_assert(bytes_equal(bytes, bytes_text(text)), "'%.*s' is not '%s'", BYTES_FORMAT(bytes), text);
}

Test(send_line, a_line_becomes_the_request_it_says)
{
    cr_assert(read_with("{\"body\":{\"quantity\":7},\"key\":\"A\",\"type\":\"inventory.receive\",\"id\":\"i\",\"meta\":"
                        "{\"retry_until\":9,\"traceparent\":\"t\"}}",
                        ""));
    expect(out.request.id, "i");
    expect(out.request.type, "inventory.receive");
    expect(out.request.key, "A");
    expect(out.request.traceparent, "t");
    cr_assert_eq(out.request.retry_until, 9);
    cr_assert_eq(body_number(out.request.body, "quantity", 0), 7);
    cr_assert_eq(out.def->type, MESSAGE_inventory_receive);
    cr_assert_eq(out.wait_ms, 0);
    cr_assert_eq(out.request.raw.size, encoded.size);
}

Test(send_line, a_prefix_renames_id_key_and_body_and_drops_retry_until)
{
    cr_assert(
        read_with("{\"id\":\"i\",\"type\":\"cart.add\",\"key\":\"c\",\"body\":{\"sku\":\"A\",\"quantity\":1},\"meta\":"
                  "{\"retry_until\":9,\"traceparent\":\"t\"}}",
                  "p-"));
    expect(out.request.id, "p-i");
    expect(out.request.key, "p-c");
    expect(out.request.traceparent, "t");
    cr_assert_eq(out.request.retry_until, 0);
    struct cursor cursor = cursor_over(out.request.body);
    struct bytes name, value;
    uint32_t count;
    cr_assert(cursor_map(&cursor, &count) && cursor_str(&cursor, &name) && cursor_str(&cursor, &value));
    expect(value, "p-A");
}

Test(send_line, an_actor_is_no_entity_and_keeps_its_name)
{
    cr_assert(read_with("{\"id\":\"i\",\"type\":\"events.read\",\"key\":\"order/0\",\"body\":{}}", "p-"));
    expect(out.request.id, "p-i");
    expect(out.request.key, "order/0");
}

Test(send_line, an_order_may_take_its_time)
{
    static const struct {
        const char *body;
        int64_t wait_ms;
    } table[] = {{"{}", 2000},
                 {"{\"wait_ms\":60000}", 60000},
                 {"{\"wait_ms\":0}", 0},
                 {"{\"wait_ms\":-1}", 0},
                 {"{\"wait_ms\":70000}", 0},
                 {"{\"wait_ms\":\"x\"}", 2000}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char line[128];
        snprintf(line, sizeof line, "{\"id\":\"i\",\"type\":\"order.place\",\"key\":\"o\",\"body\":%s}", table[i].body);
        cr_assert(read_with(line, ""));
        cr_assert_eq(out.wait_ms, table[i].wait_ms, "%s", table[i].body);
    }
}

Test(send_line, a_bad_body_is_the_nodes_business)
{
    cr_assert(read_with("{\"id\":\"i\",\"type\":\"inventory.receive\",\"key\":\"A\",\"body\":{\"no\":[1,{}]}}", ""));
    cr_assert(read_with("{\"id\":\"i\",\"type\":\"cart.claim\",\"key\":\"A\",\"body\":{}}", ""));
}

Test(send_line, what_is_no_command_is_told_with_the_reason)
{
    static const struct {
        const char *line, *why;
    } table[] = {
        {"", "column"},
        {"{\"id\":\"i\"", "column"},
        {"[1]", "object"},
        {"7", "object"},
        {"{\"type\":\"cart.get\",\"key\":\"c\",\"body\":{}}", "id is missing"},
        {"{\"id\":\"i\",\"key\":\"c\",\"body\":{}}", "type is missing"},
        {"{\"id\":\"i\",\"type\":\"cart.get\",\"body\":{}}", "key is missing"},
        {"{\"id\":\"i\",\"type\":\"cart.get\",\"key\":\"c\"}", "body is missing"},
        {"{\"id\":\"i\",\"type\":\"cart.get\",\"key\":\"c\",\"body\":{},\"at\":1}", "no field at"},
        {"{\"id\":\"i\",\"type\":\"cart.nope\",\"key\":\"c\",\"body\":{}}", "no type cart.nope"},
        {"{\"id\":\"i\",\"type\":7,\"key\":\"c\",\"body\":{}}", "type must be"},
        {"{\"id\":\"\",\"type\":\"cart.get\",\"key\":\"c\",\"body\":{}}", "id must be"},
        {"{\"id\":7,\"type\":\"cart.get\",\"key\":\"c\",\"body\":{}}", "id must be"},
        {"{\"id\":\"i\",\"type\":\"cart.get\",\"key\":\"\",\"body\":{}}", "key must be"},
        {"{\"id\":\"i\",\"type\":\"cart.get\",\"key\":\"c\",\"body\":[]}", "body must be"},
        {"{\"id\":\"i\",\"type\":\"cart.get\",\"key\":\"c\",\"body\":null}", "body must be"},
        {"{\"id\":\"i\",\"type\":\"cart.get\",\"key\":\"c\",\"body\":{},\"meta\":{\"x\":1}}", "meta"},
        {"{\"id\":\"i\",\"type\":\"cart.get\",\"key\":\"c\",\"body\":{},\"meta\":[]}", "meta"},
        {"{\"id\":\"i\",\"type\":\"cart.get\",\"key\":\"c\",\"body\":{\"a\":1.5}}", "whole numbers"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        cr_assert_not(read_with(table[i].line, ""), "%s", table[i].line);
        cr_assert(strstr(why, table[i].why), "%s: %s", table[i].line, why);
    }
}

Test(send_line, a_prefix_that_makes_an_id_too_long_is_told)
{
    char line[256], id[65];
    memset(id, 'i', 64);
    id[64] = 0;
    snprintf(line, sizeof line, "{\"id\":\"%s\",\"type\":\"cart.get\",\"key\":\"c\",\"body\":{}}", id);
    cr_assert(read_with(line, ""));
    cr_assert_not(read_with(line, "p"));
    cr_assert(strstr(why, "with the prefix"), "%s", why);
}

Test(send_line, a_request_that_no_frame_holds_is_told)
{
    static char line[SEND_LINE_MAX + 256], text[SEND_LINE_MAX + 1];
    memset(text, 'x', SEND_LINE_MAX);
    snprintf(line, sizeof line, "{\"id\":\"i\",\"type\":\"cart.get\",\"key\":\"c\",\"body\":{\"x\":\"%s\"}}", text);
    cr_assert_not(read_with(line, ""));
    cr_assert(strstr(why, "512 KiB"), "%s", why);
}
