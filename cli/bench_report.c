// SPDX-License-Identifier: Apache-2.0
#include "cli/bench.h"

#include "cli/output.h"
#include "codec/json.h"

#include <inttypes.h>
#include <stdio.h>

static int64_t per_second(const struct bench *bench)
{
    return bench->result.us ? (int64_t)bench->result.ok_in_time * 1000000 / bench->result.us : 0;
}

// A quotient with two decimals.
struct ratio_text {
    char text[32];
};
static struct ratio_text ratio(int64_t sum, int64_t count)
{
    struct ratio_text text;
    int64_t hundredths = count > 0 ? sum * 100 / count : 0;
    snprintf(text.text, sizeof text.text, "%" PRId64 ".%02" PRId64, hundredths / 100, hundredths % 100);
    return text;
}

// How many percent of the cores' time the machine's host took.
static struct ratio_text stolen_percent(const struct bench *bench)
{
    return ratio(bench_host_stolen(&bench->host_before, &bench->host_after), 10);
}

static int64_t commands_of(const struct bench *bench)
{
    return (int64_t)bench->result.answered;
}

static void print_load(const struct bench_options *options)
{
    bool checkout = options->kind == BENCH_CHECKOUT;
    printf("%s, %u SKU%s", checkout ? "checkout" : "reserve", options->skus, options->skus == 1 ? "" : "s");
    if (checkout)
        printf(", %u line%s", options->lines, options->lines == 1 ? "" : "s");
    printf(", %u client%s, window %u, %u in a frame, ", options->clients, options->clients == 1 ? "" : "s",
           options->window, options->bundle);
    if (options->rate)
        printf("%" PRId64 " each second", options->rate);
    else
        printf("as fast as answered");
    printf(", %" PRId64 " s, %s\n\n", options->seconds, options->endpoint);
}

static void print_work(const struct bench *bench)
{
    struct bench_work work = bench_work_of(bench);
    int64_t commands = commands_of(bench);
    if (!work.known)
        return;
    const char *each = bench->options.kind == BENCH_CHECKOUT ? "an order" : "a command";
    printf("written for %s      %s puts, %s deletes, %s bytes\n", each, ratio(work.puts, commands).text,
           ratio(work.deletes, commands).text, ratio(work.bytes, commands).text);
    printf("messages in a commit     %s\n", ratio(work.messages, work.commits).text);
}

void bench_print_table(const struct bench *bench)
{
    const struct histogram *latency = &bench->result.latency, *sync = &bench->sync;
    print_load(&bench->options);
    printf("ok each second           %" PRId64 "\n", per_second(bench));
    printf("answered after, ms       p50 %s, p99 %s, p99.9 %s, max %s\n", ms_format(histogram_at(latency, 500)).text,
           ms_format(histogram_at(latency, 990)).text, ms_format(histogram_at(latency, 999)).text,
           ms_format(latency->max).text);
    printf("answers                 ");
    for (uint32_t i = 0; i < bench->result.statuses.used; i++)
        printf(" %.*s %" PRIu64, (int)bench->result.statuses.at[i].size, bench->result.statuses.at[i].name,
               bench->result.statuses.at[i].count);
    printf("; sent again after busy %" PRIu64 ", without answer %u\n", bench->result.resent, bench->result.unanswered);
    print_work(bench);
    printf("loader, CPU a command    %s µs\n", ratio(bench->result.cpu_us, commands_of(bench)).text);
    printf("this disk, 4 KiB sync    p50 %s ms, p99 %s ms\n", ms_format(histogram_at(sync, 500)).text,
           ms_format(histogram_at(sync, 990)).text);
    printf("taken by the host        %s %% of the cores' time\n", stolen_percent(bench).text);
}

static void load_json(const struct bench_options *options, struct buffer *out)
{
    buffer_printf(out, "{\"bench\":\"%s\",\"endpoint\":", options->kind == BENCH_CHECKOUT ? "checkout" : "reserve");
    json_write_text(bytes_text(options->endpoint), out);
    buffer_printf(out, ",\"skus\":%u,\"lines\":%u,\"clients\":%u,\"window\":%u,\"bundle\":%u,\"rate\":%" PRId64,
                  options->skus, options->lines, options->clients, options->window, options->bundle, options->rate);
}

static void work_json(const struct bench *bench, struct buffer *out)
{
    struct bench_work work = bench_work_of(bench);
    int64_t commands = commands_of(bench);
    if (!work.known)
        return;
    buffer_printf(out, ",\"puts_per_command\":%s,\"deletes_per_command\":%s,\"bytes_per_command\":%s",
                  ratio(work.puts, commands).text, ratio(work.deletes, commands).text,
                  ratio(work.bytes, commands).text);
    buffer_printf(out, ",\"messages_per_commit\":%s,\"commits\":%" PRId64, ratio(work.messages, work.commits).text,
                  work.commits);
}

void bench_print_json(const struct bench *bench)
{
    const struct bench_result *result = &bench->result;
    const struct histogram *latency = &result->latency, *sync = &bench->sync;
    struct buffer out;
    buffer_init(&out);
    load_json(&bench->options, &out);
    buffer_printf(&out, ",\"seconds\":%" PRId64 ".%06" PRId64 ",\"commands\":%" PRIu64 ",\"per_second\":%" PRId64,
                  result->us / 1000000, result->us % 1000000, result->answered, per_second(bench));
    buffer_printf(&out, ",\"p50_ms\":%s,\"p99_ms\":%s", ms_format(histogram_at(latency, 500)).text,
                  ms_format(histogram_at(latency, 990)).text);
    buffer_printf(&out, ",\"p999_ms\":%s,\"max_ms\":%s", ms_format(histogram_at(latency, 999)).text,
                  ms_format(latency->max).text);
    buffer_printf(&out, ",\"counts\":");
    tally_json(&result->statuses, &out);
    buffer_printf(&out, ",\"resent\":%" PRIu64 ",\"unanswered\":%u", result->resent, result->unanswered);
    work_json(bench, &out);
    buffer_printf(&out, ",\"loader_cpu_us\":%s", ratio(result->cpu_us, commands_of(bench)).text);
    buffer_printf(&out, ",\"sync_p50_ms\":%s,\"sync_p99_ms\":%s", ms_format(histogram_at(sync, 500)).text,
                  ms_format(histogram_at(sync, 990)).text);
    buffer_printf(&out, ",\"stolen_percent\":%s,\"build\":", stolen_percent(bench).text);
    json_write_text(bench->before.build, &out);
    buffer_printf(&out, "}\n");
    output_write(stdout, &out);
    buffer_deinit(&out);
}
