// SPDX-License-Identifier: Apache-2.0
// souk bench: prepares stock of its own on a node, loads it, and prints what came out beside what the disk can do.
#include "cli/bench.h"

#include "cli/bench_disk.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/output.h"
#include "client/souk.h"
#include "codec/envelope.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
    STATUS_TIMEOUT_MS = 5000,
    SECONDS_MAX = 24 * 3600,
    RATE_MAX = 10000000,
    PREPARE_WINDOW_MAX = 1024,
    WINDOW_RESERVE = 1024,
    WINDOW_CHECKOUT = 256,
    SKUS_CHECKOUT = 1000,
};

static void print_help(void)
{
    printf(
        "usage: souk bench reserve|checkout [--skus N] [--lines N] [--clients N] [--window N] [--bundle N] [--rate N]\n"
        "                  [--seconds N] [-e ENDPOINT] [--sync-dir DIR] [--json]\n\n"
        "Measures a node: receives stock for SKUs of its own (bench-RUN-…), then reserves one piece with each command, "
        "or\n"
        "places orders with given prices and waits until they are confirmed. Beside the figures stands how long this\n"
        "disk takes to make 4 KiB durable, measured before the load, and how much of the cores' time a virtual machine's\n"
        "host took for others during it (st of top). The stock, holds and orders stay on the node.\n\n"
        "      --skus N         SKUs, chosen by chance, 1 to 10000000 (default: 1 for reserve, 1000 for checkout)\n"
        "      --lines N        lines of an order, 1 to 2000 (checkout only; default: 1)\n"
        "      --clients N      connections, 1 to 256 (default: 1)\n"
        "      --window N       commands on their way at once, all clients together, 1 to 65536 (default: 1024 for\n"
        "                       reserve, 256 for checkout; 65536 with --rate)\n"
        "      --bundle N       commands in one frame, 1 to 1024 (default: 1)\n"
        "      --rate N         N commands each second, answered or not: times count from when a command was due\n"
        "                       (default: the next as soon as one is answered)\n"
        "      --seconds N      how long (default: 10)\n"
        "  -e, --endpoint E     the node (default: " ENDPOINT_DEFAULT ")\n"
        "      --sync-dir DIR   which disk to measure (default: that of the current directory)\n"
        "      --json           for machines: per_second, p50_ms, p99_ms, sync_p50_ms, sync_p99_ms, stolen_percent and more\n"
        "  -h, --help           this text\n\n"
        "per_second counts commands answered ok within the time. puts, deletes and bytes are what the node's actors "
        "wrote\n"
        "for each command, the log included in bytes. A node that goes away ends the run: nothing is sent again (souk send "
        "does).\n\n"
        "Exit codes: 0 measured, 1 something was refused (busy does not count: it is sent again), 2 wrong use, 3 no "
        "answer,\n"
        "70 a failure.\n\n"
        "Examples: souk bench reserve --seconds 5\n"
        "          souk bench checkout --lines 10 --rate 2000 --json\n");
}

// ---- options

static int choose_kind(int count, char **words, struct bench_options *bench)
{
    if (!count)
        return usage_error("bench", "what is to be measured is missing: reserve or checkout");
    if (count > 1)
        return usage_error("bench", "unexpected argument '%s'", words[1]);
    if (strcmp(words[0], "reserve") == 0)
        bench->kind = BENCH_RESERVE;
    else if (strcmp(words[0], "checkout") == 0)
        bench->kind = BENCH_CHECKOUT;
    else
        return usage_error("bench", "there is no bench '%s', only reserve and checkout", words[0]);
    return EXIT_OK;
}

static int set_defaults(struct bench_options *bench)
{
    bool checkout = bench->kind == BENCH_CHECKOUT;
    if (bench->lines && !checkout)
        return usage_error("bench", "--lines is for checkout");
    if (!bench->lines)
        bench->lines = 1;
    if (!bench->skus)
        bench->skus = !checkout ? 1 : bench->lines > SKUS_CHECKOUT ? bench->lines : SKUS_CHECKOUT;
    if (!bench->window)
        bench->window = bench->rate ? BENCH_WINDOW_MAX : checkout ? WINDOW_CHECKOUT : WINDOW_RESERVE;
    if (bench->window < bench->bundle)
        return usage_error("bench", "a --bundle of %u needs a --window of as many or more, not %u", bench->bundle,
                           bench->window);
    if (bench->window < bench->clients)
        return usage_error("bench", "%u --clients need a --window of as many or more, not %u", bench->clients,
                           bench->window);
    return EXIT_OK;
}

static int read_options(int argc, char **argv, struct bench_options *bench)
{
    const struct option_rule options[] = {
        OPTION_COUNT("skus", bench->skus, 1, BENCH_SKUS_MAX),
        OPTION_COUNT("lines", bench->lines, 1, ORDER_LINES_MAX),
        OPTION_COUNT("clients", bench->clients, 1, BENCH_CLIENTS_MAX),
        OPTION_COUNT("window", bench->window, 1, BENCH_WINDOW_MAX),
        OPTION_COUNT("bundle", bench->bundle, 1, BUNDLE_MAX),
        OPTION_NUMBER("rate", bench->rate, 1, RATE_MAX),
        OPTION_NUMBER("seconds", bench->seconds, 1, SECONDS_MAX),
        OPTION_ENDPOINT(bench->endpoint),
        OPTION_TEXT("sync-dir", 0, bench->sync_directory),
        OPTION_JSON(bench->json),
        {0},
    };
    int code = options_read("bench", print_help, options, argc, argv);
    if (code == EXIT_OK)
        code = choose_kind(argc - optind, argv + optind, bench);
    return code ? code : set_defaults(bench);
}

// ---- the node's own figures

static int read_status(struct bench *bench, struct status_view *view)
{
    char id[33];
    struct souk_reply reply;
    struct refusal refusal;
    const char *endpoint = bench->options.endpoint;
    struct souk_client *client = souk_client_open(endpoint);
    int code = EXIT_OK;
    if (!client)
        return usage_error("bench", "'%s' is not an endpoint such as " ENDPOINT_DEFAULT, endpoint);
    souk_request_id(id);
    if (!souk_client_call(client, id, "souk.status", "bench", NULL, 0, STATUS_TIMEOUT_MS, &reply)) {
        code = fail_with(EXIT_NO_ANSWER, "bench", "no answer from %s within 5 s: does a node listen there?", endpoint);
    } else {
        struct bytes body = arena_copy(&bench->arena, bytes_of(reply.body, reply.body_size));
        if (!body_decode_lenient(status_view_shape(), body, view, &bench->arena, &refusal))
            code = fail_with(EXIT_FAULT, "bench", "souk.status was answered with %s; its field %s: %s", reply.status,
                             refusal.field, refusal.message);
    }
    souk_client_close(&client);
    return code;
}

struct bench_work bench_work_of(const struct bench *bench)
{
    struct bench_work work = {.known = bench->after.actors_count > 0};
    for (uint32_t i = 0; i < bench->after.actors_count; i++) {
        const struct actor_view *after = &bench->after.actors[i], *before = &bench->before.actors[i];
        if (i >= bench->before.actors_count || !after->has_puts || !bytes_equal(after->name, before->name)) {
            work.known = false;
            break;
        }
        work.messages += after->messages - before->messages;
        work.commits += after->commits - before->commits;
        work.puts += after->puts - before->puts;
        work.deletes += after->deletes - before->deletes;
        work.bytes += after->bytes - before->bytes;
    }
    return work;
}

// ---- the run

static void name_run(char run[BENCH_RUN_SIZE + 1])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t random[BENCH_RUN_SIZE];
    while (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        ;
    for (int i = 0; i < BENCH_RUN_SIZE; i++)
        run[i] = letters[random[i] % 32];
    run[BENCH_RUN_SIZE] = 0;
}

// Says which status came instead of ok.
static int judge(const char *what, const struct bench_result *result)
{
    for (uint32_t i = 0; i < result->statuses.used; i++) {
        if (!bytes_equal(bytes_of(result->statuses.at[i].name, result->statuses.at[i].size), BYTES("ok")))
            return fail_with(EXIT_REFUSED, "bench", "%s: %llu of %llu were answered %.*s", what,
                             (unsigned long long)result->statuses.at[i].count, (unsigned long long)result->answered,
                             (int)result->statuses.at[i].size, result->statuses.at[i].name);
    }
    if (result->unanswered)
        return fail_with(EXIT_NO_ANSWER, "bench", "%s: %u have no answer, and nothing has come for 10 s", what,
                         result->unanswered);
    return EXIT_OK;
}

// One command for each SKU.
static int prepare(struct bench *bench, struct bench_load *load, char phase,
                   void (*pack)(struct bench_frame *frame, const char *run, char phase), const char *label)
{
    struct bench_frame frame;
    pack(&frame, bench->run, phase);
    struct bench_phase each = {&frame, .name = phase, .each_sku = true, .limit = bench->options.skus, .label = label};
    bench_load_run(load, &each, &bench->result);
    bench_frame_deinit(&frame);
    return judge(label, &bench->result);
}

static int measure(struct bench *bench, struct bench_load *load)
{
    struct bench_frame frame;
    bool checkout = bench->options.kind == BENCH_CHECKOUT;
    if (checkout)
        bench_frame_place(&frame, bench->run, 'm', bench->options.lines);
    else
        bench_frame_reserve(&frame, bench->run, 'm');
    int code = EXIT_OK;
    if (frame.packed.size * bench->options.bundle + 8 > FRAME_SIZE_MAX)
        code = usage_error("bench",
                           "%u commands of %zu bytes are more than a frame of 512 KiB holds; use a smaller --bundle",
                           bench->options.bundle, frame.packed.size);
    if (!code)
        code = read_status(bench, &bench->before);
    if (!code) {
        struct bench_phase phase = {&frame, .name = 'm', .rate = bench->options.rate,
                                    .time_us = bench->options.seconds * 1000000,
                                    .label = checkout ? "checkout" : "reserve"};
        bench_load_run(load, &phase, &bench->result);
        code = read_status(bench, &bench->after);
    }
    bench_frame_deinit(&frame);
    return code;
}

static int load_and_measure(struct bench *bench)
{
    const struct bench_options *options = &bench->options;
    struct bench_load_options prepare_with = {options->endpoint, 1, PREPARE_WINDOW_MAX, 1, options->skus, bench->run};
    struct bench_load_options load_with = {options->endpoint, options->clients, options->window,
                                           options->bundle,   options->skus,    bench->run};
    struct bench_load *load = bench_load_new(&prepare_with);
    if (!load)
        return usage_error("bench", "'%s' is not an endpoint such as " ENDPOINT_DEFAULT, options->endpoint);
    int code = options->kind == BENCH_CHECKOUT ? prepare(bench, load, 'p', bench_frame_put, "catalog.put") : EXIT_OK;
    if (!code)
        code = prepare(bench, load, 'r', bench_frame_receive, "inventory.receive");
    bench_load_free(&load);
    if (code)
        return code;
    load = bench_load_new(&load_with);
    code = measure(bench, load);
    bench_load_free(&load);
    return code;
}

static int run(struct bench *bench)
{
    int code = read_status(bench, &bench->before);
    if (code)
        return code;
    if (!bench_disk_measure(bench->options.sync_directory, &bench->sync))
        return fail_with(EXIT_FAULT, "bench", "cannot measure the disk in %s: %s; choose another by --sync-dir",
                         bench->options.sync_directory, strerror(errno));
    bench_host_look(&bench->host_before);
    code = load_and_measure(bench);
    if (code)
        return code;
    bench_host_look(&bench->host_after);
    if (bench->options.json)
        bench_print_json(bench);
    else
        bench_print_table(bench);
    return output_finish("bench", judge("measured", &bench->result));
}

int command_bench(int argc, char **argv)
{
    static struct bench bench; // large
    bench.options = (struct bench_options){
        .endpoint = ENDPOINT_DEFAULT, .sync_directory = ".", .clients = 1, .bundle = 1, .seconds = 10};
    int code = read_options(argc, argv, &bench.options);
    if (code)
        return code;
    arena_init(&bench.arena);
    name_run(bench.run);
    code = run(&bench);
    arena_deinit(&bench.arena);
    return code;
}
