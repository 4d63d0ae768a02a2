// SPDX-License-Identifier: Apache-2.0
// souk status: what runs on a node and what waits.
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"
#include "client/souk.h"
#include "codec/json.h"
#include "codec/message.h"

#include <inttypes.h>
#include <stdlib.h>

enum { TIMEOUT_MS = 2000 };

static void print_help(void)
{
    printf("usage: souk status [-e ENDPOINT] [--json]\n\n"
           "What runs on a node and what waits: open orders, parked payments, what was dropped, and every actor.\n\n"
           "  -e, --endpoint E     the node (default: " ENDPOINT_DEFAULT ")\n"
           "      --json           the body of souk.status, for machines (`souk messages` describes it)\n"
           "  -h, --help           this text\n\n"
           "Exit codes: 0 done, 1 refused, 2 wrong use, 3 no answer within 2 s, 70 a failure.\n\n"
           "Example: souk status --json | jq .open_orders\n");
}

// How many there are of each reason, without those that never happened.
static void print_dropped(struct bytes dropped)
{
    struct cursor cursor = cursor_over(dropped);
    struct bytes reason;
    uint32_t count, shown = 0;
    int64_t times;
    printf("dropped          ");
    if (cursor_map(&cursor, &count)) {
        while (count-- && cursor_str(&cursor, &reason) && cursor_int(&cursor, &times)) {
            if (times)
                printf("%s%.*s %" PRId64, shown++ ? ", " : "", BYTES_FORMAT(reason), times);
        }
    }
    printf("%s\n", shown ? "" : "nothing");
}

static void print_actors(const struct status_view *view)
{
    printf("\n%-16s %12s %8s %12s %12s %12s %12s %16s\n", "actor", "turns", "inbox", "messages", "commits", "puts",
           "deletes", "bytes");
    for (uint32_t i = 0; i < view->actors_count; i++) {
        const struct actor_view *actor = &view->actors[i];
        printf("%-16.*s %12" PRId64 " %8" PRId64, BYTES_FORMAT(actor->name), actor->turns, actor->inbox);
        if (actor->has_messages)
            printf(" %12" PRId64 " %12" PRId64 " %12" PRId64 " %12" PRId64 " %16" PRId64, actor->messages,
                   actor->commits, actor->puts, actor->deletes, actor->bytes);
        printf("\n");
    }
}

static int print_table(struct bytes body)
{
    struct status_view view;
    struct refusal refusal;
    struct arena arena;
    int code = EXIT_OK;
    arena_init(&arena);
    if (body_decode_lenient(status_view_shape(), body, &view, &arena, &refusal)) {
        printf("build            %.*s\n", BYTES_FORMAT(view.build));
        printf("epoch            %" PRId64 "\n", view.epoch);
        printf("open orders      %" PRId64 " with %" PRId64 " lines, %" PRId64 " waiting\n", view.open_orders,
               view.open_lines, view.waiting_orders);
        printf("parked payments  %" PRId64 "%s\n", view.parked_payments,
               view.parked_payments ? ": see `souk orders --parked`" : "");
        if (view.has_free_bytes)
            printf("disk             %" PRId64 " MiB free%s\n", view.free_bytes >> 20,
                   view.storage_full ? ": storage_full, nothing new is taken" : "");
        if (view.clock_step)
            printf("clock            stepped by %+" PRId64 " s: nothing new is taken until `souk clock accept`\n",
                   view.clock_step / 1000000);
        printf("quarantined      %" PRId64 "%s\n", view.quarantined,
               view.quarantined ? ": see `souk quarantine list --snapshot`" : "");
        printf("re-asked         %" PRId64 "%s\n", view.reasks_total, view.reasks_total ? ": this is a bug" : "");
        print_dropped(view.dropped);
        print_actors(&view);
    } else {
        code = fail_with(EXIT_FAULT, "status", "the answer's field %s is not as expected: %s; use --json",
                         refusal.field, refusal.message);
    }
    arena_deinit(&arena);
    return code;
}

static int print_json(struct bytes body)
{
    struct buffer out;
    buffer_init(&out);
    bool legal = json_write(body, &out);
    buffer_append(&out, "\n", 1);
    if (legal)
        output_write(stdout, &out);
    buffer_deinit(&out);
    return legal ? EXIT_OK : fail_with(EXIT_FAULT, "status", "the answer's body is not a legal value");
}

static int ask(const char *endpoint, bool json)
{
    char id[33];
    struct souk_reply reply;
    int code;
    struct souk_client *client = souk_client_open(endpoint);
    if (!client)
        return usage_error("status", "'%s' is not an endpoint such as " ENDPOINT_DEFAULT, endpoint);
    souk_request_id(id);
    if (!souk_client_call(client, id, "souk.status", "status", NULL, 0, TIMEOUT_MS, &reply))
        code = fail_with(EXIT_NO_ANSWER, "status", "no answer from %s within 2 s: does a node listen there?", endpoint);
    else if (strcmp(reply.status, "ok") != 0)
        code = fail_with(EXIT_REFUSED, "status", "%s answered %s", endpoint, reply.status);
    else if (json)
        code = print_json(bytes_of(reply.body, reply.body_size));
    else
        code = print_table(bytes_of(reply.body, reply.body_size));
    souk_client_close(&client);
    return code == EXIT_OK ? output_finish("status", code) : code;
}

int command_status(int argc, char **argv)
{
    const char *endpoint = ENDPOINT_DEFAULT;
    bool json = false;
    const struct option_rule options[] = {OPTION_ENDPOINT(endpoint), OPTION_JSON(json), {0}};
    int code = options_read_all("status", print_help, options, argc, argv);
    return code ? code : ask(endpoint, json);
}
