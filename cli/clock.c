// SPDX-License-Identifier: Apache-2.0
// souk clock: what a running node thinks of its wall clock, and an operator's word on a step.
#include "broker/listener.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "cli/directory.h"
#include "cli/options.h"
#include "cli/output.h"
#include "client/souk.h"
#include "codec/json.h"
#include "codec/message.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>

enum { TIMEOUT_MS = 5000 };

struct clock_command {
    const char *directory;
    bool json, accept;
};

static void print_help(void)
{
    printf("usage: souk clock status|accept [-d DIR] [--json]\n\n"
           "A wall clock that steps by more than 60 s, or that at the start is before the last turn in the logs, is not\n"
           "believed: time goes on as it was, so nothing ends early or late; nothing new is taken (`clock`); what is open\n"
           "goes on. That ends when the wall clock is set right, or when you accept it as it is.\n\n"
           "  status           the wall clock, the node's time, and the step\n"
           "  accept           believe the wall clock from now on. After a step forward, what fell due meanwhile ends now;\n"
           "                   after a step back, time goes on at half its pace until the wall clock has caught up\n\n"
           "  -d, --directory DIR  of the running node (default: store.path of ./topology.toml, else ./data)\n"
           "      --json           {wall, now, step}: in µs\n"
           "  -h, --help           this text\n\n"
           "Exit codes: 0 done, 1 refused, or status: the clock is not believed, 2 wrong use or no node runs there,\n"
           "3 no answer within 5 s, 70 a failure.\n\n"
           "Example: souk clock status -d /var/lib/souk\n");
}

static int read_words(int argc, char **argv, struct clock_command *it)
{
    if (optind + 1 != argc)
        return usage_error("clock", "status or accept?");
    it->accept = strcmp(argv[optind], "accept") == 0;
    return it->accept || strcmp(argv[optind], "status") == 0
               ? EXIT_OK
               : usage_error("clock", "'%s' is neither status nor accept", argv[optind]);
}

static int print_reading(const struct clock_command *it, struct bytes body)
{
    struct clock_view view;
    struct refusal refusal;
    struct arena arena;
    struct buffer out = {0};
    arena_init(&arena);
    bool read = body_decode_lenient(clock_view_shape(), body, &view, &arena, &refusal);
    arena_deinit(&arena);
    if (!read)
        return fail_with(EXIT_FAULT, "clock", "the node's answer cannot be read; is it another version?");
    if (it->json)
        buffer_printf(&out, "{\"wall\":%" PRId64 ",\"now\":%" PRId64 ",\"step\":%" PRId64 "}\n", view.wall, view.now, view.step);
    else
        buffer_printf(&out, "wall clock   %s\nnode's time  %s\n", time_format(view.wall).text, time_format(view.now).text);
    if (!it->json && view.step)
        buffer_printf(&out, "stepped by   %+" PRId64 " s: nothing new is taken; set the clock right, or `souk clock accept`\n",
                      view.step / 1000000);
    output_write(stdout, &out);
    buffer_deinit(&out);
    return output_finish("clock", view.step && !it->accept ? EXIT_REFUSED : EXIT_OK);
}

static int ask(const struct clock_command *it, const char *endpoint)
{
    struct souk_reply reply;
    char id[33];
    int code;
    struct souk_client *client = souk_client_open(endpoint);
    if (!client)
        return fail_with(EXIT_FAULT, "clock", "%s: not an endpoint", endpoint);
    souk_request_id(id);
    if (!souk_client_call(client, id, it->accept ? "souk.clock_accept" : "souk.clock", "clock", NULL, 0, TIMEOUT_MS, &reply))
        code = fail_with(EXIT_NO_ANSWER, "clock", "%s: no answer within %d s: does a node run there?", endpoint, TIMEOUT_MS / 1000);
    else if (strcmp(reply.status, "ok") != 0)
        code = fail_with(EXIT_REFUSED, "clock", "%s answered %s", endpoint, reply.status);
    else
        code = print_reading(it, bytes_of(reply.body, reply.body_size));
    souk_client_close(&client);
    return code;
}

int command_clock(int argc, char **argv)
{
    struct clock_command it = {0};
    const struct option_rule options[] = {OPTION_DIRECTORY(it.directory), OPTION_JSON(it.json), {0}};
    char directory[4096], endpoint[4200];
    int code = options_read("clock", print_help, options, argc, argv);
    if (code == EXIT_OK)
        code = read_words(argc, argv, &it);
    if (code == EXIT_OK && !it.directory)
        code = directory_default("clock", directory);
    if (code == EXIT_OK)
        code = control_endpoint("clock", it.directory ? it.directory : directory, endpoint, sizeof endpoint);
    if (code == EXIT_OK && listener_gone(endpoint))
        return fail_with(EXIT_USAGE, "clock", "%s: no node runs there", it.directory ? it.directory : directory);
    return code ? code : ask(&it, endpoint);
}
