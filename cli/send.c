// SPDX-License-Identifier: Apache-2.0
// souk send: many commands from a file; see send.h for what holds while they are on their way.
#include "cli/send.h"

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>

enum { WINDOW_MAX = 65536, RATE_MAX = 10000000, TIMEOUT_S_MAX = 30 * 24 * 3600, PREFIX_SIZE_MAX = 32 };

static void print_help(void)
{
    printf(
        "usage: souk send FILE|- [-e ENDPOINT] [--window N] [--rate N] [--bundle N] [--replies FILE] [--prefix P]\n"
        "                 [--timeout S]\n\n"
        "Sends a file of commands, one JSON object on each line: {\"id\":…,\"type\":…,\"key\":…,\"body\":{…}}, and "
        "meta if\n"
        "wanted. A command is sent again under its id until it is answered, also across a restart of the node; "
        "busy,\n"
        "storage_full and clock are sent again after retry_after_ms. At the end one line of JSON is printed:\n"
        "  "
        "{\"counts\":{\"ok\":2},\"seconds\":0.012,\"p50_ms\":1.1,\"p99_ms\":2.2,\"max_ms\":2.2,\"resent\":0,"
        "\"unanswered\":0}\n\n"
        "  FILE                 - is standard input; the file may be of any length\n"
        "  -e, --endpoint E     the node (default: " ENDPOINT_DEFAULT ")\n"
        "      --window N       at most N on their way, 1 to 65536 (default: 1: strictly one after another; with more\n"
        "                       there is no order between lines, except between those with the same id)\n"
        "      --rate N         N each second, no faster (default: as fast as they are answered); times then count\n"
        "                       from when a line was due\n"
        "      --bundle N       up to N commands in one frame, 1 to 1024 (default: 1)\n"
        "      --replies FILE   write every reply: {\"id\":…,\"key\":…,\"status\":…,\"body\":{…}}\n"
        "      --prefix P       send other names: P goes before every id and key, and in bodies before sku, cart_id,\n"
        "                       order_id and reservation_id (also inside lines); user_id, payment_method and texts\n"
        "                       stay; meta.retry_until is left out, since it was the original's (at most 32 bytes)\n"
        "      --timeout S      give up when a command has no answer after S seconds (default: never)\n"
        "  -h, --help           this text\n\n"
        "Exit codes: 0 all are answered, whatever the status; 2 wrong use, or a line that is no command (named by its\n"
        "number; nothing after it is sent, what was sent before is still awaited); 3 gave up; 70 a failure.\n\n"
        "Example: souk send orders.ndjson --window 256 --replies orders.replies\n");
}

static int read_options(int argc, char **argv, struct send_options *send)
{
    int64_t timeout_s = 0;
    const struct option_rule options[] = {
        OPTION_ENDPOINT(send->endpoint),
        OPTION_COUNT("window", send->window, 1, WINDOW_MAX),
        OPTION_NUMBER("rate", send->rate, 1, RATE_MAX),
        OPTION_COUNT("bundle", send->bundle, 1, BUNDLE_MAX),
        OPTION_TEXT("replies", 0, send->replies),
        OPTION_TEXT("prefix", 0, send->prefix),
        OPTION_NUMBER("timeout", timeout_s, 1, TIMEOUT_S_MAX),
        {0},
    };
    int code = options_read("send", print_help, options, argc, argv);
    if (code)
        return code;
    if (send->prefix && !key_valid(bytes_text(send->prefix), PREFIX_SIZE_MAX))
        return usage_error("send", "--prefix takes 1 to %d bytes without control characters", PREFIX_SIZE_MAX);
    if (optind == argc)
        return usage_error("send", "FILE is missing; - is standard input");
    if (optind + 1 < argc)
        return usage_error("send", "unexpected argument '%s'", argv[optind + 1]);
    if (send->bundle > send->window)
        return usage_error("send", "a --bundle of %u needs a --window of as many or more, not %u", send->bundle,
                           send->window);
    send->path = argv[optind];
    send->prefix = send->prefix ? send->prefix : "";
    send->timeout_us = timeout_s * 1000000;
    return EXIT_OK;
}

static int print_summary(const struct send *send)
{
    struct buffer out;
    int64_t us = send->ended - send->began;
    buffer_init(&out);
    buffer_printf(&out, "{\"counts\":");
    tally_json(&send->answered, &out);
    buffer_printf(&out, ",\"seconds\":%lld.%06lld", (long long)(us / 1000000), (long long)(us % 1000000));
    buffer_printf(&out, ",\"p50_ms\":%s", ms_format(histogram_at(&send->latency, 500)).text);
    buffer_printf(&out, ",\"p99_ms\":%s", ms_format(histogram_at(&send->latency, 990)).text);
    buffer_printf(&out, ",\"max_ms\":%s", ms_format(send->latency.max).text);
    buffer_printf(&out, ",\"resent\":%llu,\"unanswered\":%u}\n", (unsigned long long)send->copies, send->flight.count);
    output_write(stdout, &out);
    buffer_deinit(&out);
    return output_finish("send", send->code);
}

int command_send(int argc, char **argv)
{
    static struct send send; // large
    struct send_options options = {.endpoint = ENDPOINT_DEFAULT, .window = 1, .bundle = 1};
    int code = read_options(argc, argv, &options);
    if (code)
        return code;
    signal(SIGPIPE, SIG_IGN); // whoever reads the replies may go: that is said and ends in order
    code = send_open(&send, &options);
    if (!code) {
        send_run(&send);
        code = print_summary(&send);
    }
    send_close(&send);
    return code;
}
