// SPDX-License-Identifier: Apache-2.0
// souk call: one command, its reply as JSON. Only what cannot be sent at all is wrong use; what the node would refuse
// is sent, so that its own words are seen.
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/send_line.h"
#include "client/souk.h"
#include "codec/json.h"

#include <getopt.h>
#include <stdlib.h>

enum { TIMEOUT_MS = 5000, TIMEOUT_MS_MAX = 24 * 3600 * 1000 };

struct call {
    const char *endpoint, *id, *type, *key;
    const struct message_def *def;
    uint32_t timeout_ms; // 0: not given
    struct buffer body;
};

static void print_help(void)
{
    printf(
        "usage: souk call TYPE KEY [FIELD=VALUE… | JSON] [-e ENDPOINT] [--id ID] [--timeout MS]\n\n"
        "Sends one command and prints its reply: {\"id\":…,\"status\":…,\"body\":{…}}. It is sent again under the "
        "same\n"
        "id until it is answered; busy, storage_full and clock are tried again. `souk messages` lists types and fields.\n\n"
        "  FIELD=VALUE          read by the field's type: sku=84077 is text, quantity=3 a number, price=12.99GBP\n"
        "                       money, active=true a bool; lists and maps are JSON: lines='[{\"sku\":\"A\",…}]'\n"
        "  JSON                 the whole body as one object; money is {\"amount\":1299,\"currency\":\"GBP\"}\n"
        "  -e, --endpoint E     the node (default: " ENDPOINT_DEFAULT ")\n"
        "      --id ID          the request's id, 1 to 64 bytes (default: a new one); the same id again is the same "
        "request\n"
        "      --timeout MS     how long to try (default: 5000, and the body's wait_ms for order.place)\n"
        "  -h, --help           this text\n\n"
        "Exit codes: 0 ok, 1 refused, 2 wrong use, 3 no answer: the outcome is unknown, ask again with the same "
        "--id.\n\n"
        "Examples:\n"
        "  souk call inventory.receive 84077 quantity=100\n"
        "  souk call order.place order-1 user_id=u1 payment_method=pm_card_visa \\\n"
        "      lines='[{\"sku\":\"84077\",\"quantity\":2,\"unit_price\":{\"amount\":1299,\"currency\":\"GBP\"}}]'\n");
}

static int read_options(int argc, char **argv, struct call *call)
{
    const struct option_rule options[] = {
        OPTION_ENDPOINT(call->endpoint),
        OPTION_TEXT("id", 0, call->id),
        OPTION_COUNT("timeout", call->timeout_ms, 1, TIMEOUT_MS_MAX),
        {0},
    };
    return options_read("call", print_help, options, argc, argv);
}

static int read_fields(struct call *call, int count, char **arguments, struct arena *arena)
{
    const char *why;
    pack_map(&call->body, (uint32_t)count);
    for (int i = 0; i < count; i++) {
        if (arguments[i][0] == '{' || arguments[i][0] == '[')
            return usage_error("call", "a JSON body stands alone: put everything into it, or use FIELD=VALUE only");
        if (!json_field_read(call->def->body(), arguments[i], &call->body, arena, &why))
            return usage_error("call", "%s: %s", call->type, why);
    }
    return EXIT_OK;
}

static int read_body(struct call *call, int count, char **arguments, struct arena *arena)
{
    const char *why;
    if (count != 1 || (arguments[0][0] != '{' && arguments[0][0] != '['))
        return read_fields(call, count, arguments, arena);
    if (!json_read(bytes_text(arguments[0]), &call->body, arena, &why))
        return usage_error("call", "the body is not JSON: %s", why);
    return EXIT_OK;
}

static int read_command(struct call *call, int count, char **arguments, struct arena *arena)
{
    if (count < 2)
        return usage_error("call", "%s", count ? "KEY is missing" : "TYPE and KEY are missing");
    call->type = arguments[0];
    call->key = arguments[1];
    call->def = message_by_name(bytes_text(call->type));
    if (!call->def)
        return usage_error("call", "there is no type '%s'; `souk messages` lists them", call->type);
    int code = read_body(call, count - 2, arguments + 2, arena);
    if (!code && !call->timeout_ms)
        call->timeout_ms = TIMEOUT_MS + (uint32_t)body_wait_ms(call->def, buffer_bytes(&call->body));
    return code;
}

static int print_reply(const struct souk_reply *reply)
{
    struct buffer out;
    buffer_init(&out);
    output_reply(&out, reply->id, bytes_of(NULL, 0), reply->status, bytes_of(reply->body, reply->body_size));
    output_write(stdout, &out);
    buffer_deinit(&out);
    return output_finish("call", strcmp(reply->status, "ok") == 0 ? EXIT_OK : EXIT_REFUSED);
}

static int ask(const struct call *call)
{
    char new_id[33];
    struct souk_reply reply;
    struct souk_client *client = souk_client_open(call->endpoint);
    if (!client)
        return usage_error("call", "'%s' is not an endpoint such as " ENDPOINT_DEFAULT, call->endpoint);
    souk_request_id(new_id);
    const char *id = call->id ? call->id : new_id;
    int code;
    if (souk_client_call(client, id, call->type, call->key, call->body.at, call->body.size, call->timeout_ms, &reply))
        code = print_reply(&reply);
    else
        code = fail_with(EXIT_NO_ANSWER, "call",
                         "no answer from %s within %d ms: the outcome is unknown; ask again with --id %s",
                         call->endpoint, call->timeout_ms, id);
    souk_client_close(&client);
    return code;
}

int command_call(int argc, char **argv)
{
    struct call call = {.endpoint = ENDPOINT_DEFAULT};
    struct arena arena;
    int code = read_options(argc, argv, &call);
    if (code)
        return code;
    arena_init(&arena);
    buffer_init(&call.body);
    code = read_command(&call, argc - optind, argv + optind, &arena);
    if (!code)
        code = ask(&call);
    buffer_deinit(&call.body);
    arena_deinit(&arena);
    return code;
}
