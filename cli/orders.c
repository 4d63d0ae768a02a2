// SPDX-License-Identifier: Apache-2.0
// souk orders: what waits, and for what. Reads the open orders only, so it costs what is open, not what ever was.
#include "cli/cli.h"
#include "cli/directory.h"
#include "cli/options.h"
#include "codec/json.h"
#include "codec/record.h"
#include "store/keys.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { WAITING_SHOWN = 3 };

struct orders_command {
    const char *directory;
    bool snapshot, json, parked;
    int64_t now;
    struct trouble trouble;
    struct arena arena;
    struct buffer out;
    uint64_t count;
};

static void print_help(void)
{
    printf("usage: souk orders --open|--parked [-d DIR] [--snapshot] [--json]\n\n"
           "What waits in a node's directory, and for what: one line for each open order.\n\n"
           "      --open           every order that is not settled (the default)\n"
           "      --parked         those whose payment waits for an operator (see payment.resolve)\n" DIRECTORY_OPTIONS
           "      --json           NDJSON, one object for an order: order, status, step, created_at, age_ms, "
           "deadline_at,\n"
           "                       lines, waiting (SKUs), cart_waiting, payment, parked, total\n"
           "  -h, --help           this text\n\n"
           "Exit codes: 0 done, 2 wrong use or a node runs, 3 no snapshot in time,\n"
           "70 a failure.\n\n"
           "Example: souk orders --parked -d /var/lib/souk\n");
}

static int read_options(int argc, char **argv, struct orders_command *it)
{
    bool open = false;
    const struct option_rule options[] = {
        OPTION_FLAG("open", open),
        OPTION_FLAG("parked", it->parked),
        OPTION_DIRECTORY(it->directory),
        OPTION_FLAG("snapshot", it->snapshot),
        OPTION_JSON(it->json),
        {0},
    };
    int code = options_read_all("orders", print_help, options, argc, argv);
    if (code == EXIT_OK && open && it->parked)
        code = usage_error("orders", "--open or --parked, not both");
    return code;
}

// ---- one order

struct open_order {
    struct bytes key;
    struct order record;
    struct order_content content;
};

static bool waits(const struct open_order *order, uint32_t item)
{
    struct bytes bits = order->record.waiting;
    return item / 8 < bits.size && (bits.at[item / 8] >> (item % 8) & 1);
}

static uint32_t waiting_count(const struct open_order *order)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < order->content.items_count; i++)
        count += waits(order, i);
    return count;
}

struct age_text {
    char text[32];
};

static struct age_text age_format(int64_t age_us)
{
    struct age_text text;
    int64_t seconds = age_us > 0 ? age_us / 1000000 : 0;
    if (seconds < 60)
        snprintf(text.text, sizeof text.text, "%" PRId64 "s", seconds);
    else if (seconds < 3600)
        snprintf(text.text, sizeof text.text, "%" PRId64 "m%02ds", seconds / 60, (int)(seconds % 60));
    else if (seconds < 86400)
        snprintf(text.text, sizeof text.text, "%" PRId64 "h%02dm", seconds / 3600, (int)(seconds / 60 % 60));
    else
        snprintf(text.text, sizeof text.text, "%" PRId64 "d%02dh", seconds / 86400, (int)(seconds / 3600 % 24));
    return text;
}

static void print_row(struct orders_command *it, const struct open_order *order)
{
    const struct order *record = &order->record;
    struct bytes payment = record->parked ? BYTES("parked") : record->payment;
    if (!it->count)
        printf("%-36s %-24s %-11s %8s %6s  %-16s %s\n", "ORDER", "STATUS", "STEP", "AGE", "LINES", "PAYMENT",
               "WAITS FOR");
    printf("%-36.*s %-24.*s %-11.*s %8s %6" PRId64 "  %-16.*s", BYTES_FORMAT(order->key), BYTES_FORMAT(record->status),
           BYTES_FORMAT(record->step), age_format(it->now - record->created_at).text, record->lines_count,
           BYTES_FORMAT(payment));
    if (record->cart_waiting)
        printf(" cart/%.*s", BYTES_FORMAT(order->content.cart_id));
    uint32_t waiting = waiting_count(order), shown = 0;
    for (uint32_t i = 0; i < order->content.items_count && shown < WAITING_SHOWN; i++)
        if (waits(order, i)) {
            printf(" %.*s", BYTES_FORMAT(order->content.items[i].sku));
            shown++;
        }
    if (waiting > shown)
        printf(" and %" PRIu32 " more", waiting - shown);
    printf("\n");
}

static void text_field(struct buffer *out, const char *name, struct bytes value)
{
    buffer_printf(out, "\"%s\":", name);
    json_write_text(value, out);
    buffer_printf(out, ",");
}

static void print_json(struct orders_command *it, const struct open_order *order)
{
    const struct order *record = &order->record;
    struct buffer *out = &it->out;
    bool first = true;
    buffer_clear(out);
    buffer_printf(out, "{");
    text_field(out, "order", order->key);
    text_field(out, "status", record->status);
    text_field(out, "step", record->step);
    buffer_printf(out,
                  "\"created_at\":%" PRId64 ",\"age_ms\":%" PRId64 ",\"deadline_at\":%" PRId64 ",\"lines\":%" PRId64
                  ",\"waiting\":[",
                  record->created_at, (it->now - record->created_at) / 1000, record->deadline_at, record->lines_count);
    for (uint32_t i = 0; i < order->content.items_count; i++) {
        if (!waits(order, i))
            continue;
        buffer_printf(out, "%s", first ? "" : ",");
        json_write_text(order->content.items[i].sku, out);
        first = false;
    }
    buffer_printf(out, "],\"cart_waiting\":%s,", record->cart_waiting ? "true" : "false");
    text_field(out, "payment", record->payment);
    if (record->has_total)
        buffer_printf(out, "\"total\":{\"amount\":%" PRId64 ",\"currency\":\"%s\"},", record->total.amount,
                      record->total.currency);
    buffer_printf(out, "\"parked\":%s}\n", record->parked ? "true" : "false");
    fwrite(out->at, 1, out->size, stdout);
}

// What was asked for lies beside the order, in the same database; while claiming, in the order itself.
static bool load_content(struct orders_command *it, const struct databases *databases, const struct table *open,
                         struct open_order *order)
{
    struct store_key key = {FAMILY_CHILD, open->entity};
    struct bytes value = {0};
    order->content = order->record.content;
    if (order->record.has_content)
        return true;
    uint16_t owner = owner_of(&databases->owners, KIND_ORDER, open->slot);
    enum fault fault = store_get(databases->of[KIND_ORDER][owner], 1, &key, &value, &it->arena);
    return !fault && value.at && record_decode(order_content_shape(), value, &order->content, &it->arena);
}

static void list(struct orders_command *it, const struct databases *databases)
{
    struct table open;
    table_open(&open, databases, KIND_ORDER, FAMILY_OPEN, &it->trouble);
    for (; !table_ended(&open); table_next(&open)) {
        struct open_order order = {.key = open.key};
        arena_reset(&it->arena);
        if (!record_decode(order_shape(), open.value, &order.record, &it->arena) ||
            !load_content(it, databases, &open, &order)) {
            table_corrupt(&open);
            break;
        }
        if (it->parked && !order.record.parked)
            continue;
        if (it->json)
            print_json(it, &order);
        else
            print_row(it, &order);
        it->count++;
    }
    table_close(&open);
    if (!it->json && !it->trouble.fault)
        printf("%s%" PRIu64 " %s\n", it->count ? "\n" : "", it->count, it->parked ? "parked" : "open");
}

int command_orders(int argc, char **argv)
{
    struct orders_command it = {.now = clock_wall()};
    struct directory *directory = NULL;
    int code = read_options(argc, argv, &it);
    if (code == EXIT_OK)
        code = directory_open("orders", it.directory, it.snapshot, &directory);
    if (code == EXIT_OK)
        code = directory_open_kind("orders", directory, KIND_ORDER);
    progress_done();
    if (code == EXIT_OK) {
        arena_init(&it.arena);
        list(&it, &directory->databases);
        arena_deinit(&it.arena);
        buffer_deinit(&it.out);
        code = it.trouble.fault ? fault_exit("orders", it.trouble.fault, &it.trouble.text) : EXIT_OK;
    }
    directory_close(&directory);
    return code;
}
