// SPDX-License-Identifier: Apache-2.0
// A row of the log. What decodes, written again, decodes to the same and is written the same from then on.
#include "fuzz.h"

#include "store/log.h"

static struct arena arena;

static bool take(struct bytes value, struct buffer *again)
{
    struct log_row row;
    if (!log_row_decode(7, value, &row, &arena))
        return false;
    CHECK(row.seq == 7, "%llu", (unsigned long long)row.seq);
    buffer_clear(again);
    if (row.type == LOG_ROW_TURN)
        log_turn_encode(&row.turn, again);
    else
        log_epoch_encode(&row.epoch, again);
    return true;
}

void fuzz_one(struct bytes input)
{
    struct buffer canonical = {0}, again = {0};
    if (take(input, &canonical)) {
        CHECK(take(buffer_bytes(&canonical), &again), "a row is refused as it was written");
        CHECK(bytes_equal(buffer_bytes(&canonical), buffer_bytes(&again)), "%zu bytes", canonical.size);
    }
    buffer_deinit(&canonical);
    buffer_deinit(&again);
    arena_reset(&arena);
}

static void seed_turn(uint32_t messages, uint32_t events)
{
    struct log_message message[3] = {
        {.origin = LOG_CLIENT, .request = BYTES("\x95\x01\xa1i\xa8" "cart.get\xa1k\x80"), .digest = 1},
        {.origin = LOG_PEER, .sender = {KIND_ORDER, BYTES("order-1")}, .request = BYTES("\x95"), .digest = 2},
        {.origin = LOG_RUNTIME, .request = BYTES(""), .digest = 3},
    };
    struct log_event event[2] = {{.message = 0, .type = EVENT_stock_changed, .key = BYTES("sku"), .data = BYTES("\x80")},
                                 {.message = 0, .type = EVENT_order_created, .key = BYTES("order-1")}};
    struct log_turn turn = {.at = 5, .messages = message, .messages_count = messages, .events = event, .events_count = events};
    struct buffer row = {0};
    log_turn_encode(&turn, &row);
    fuzz_seed(buffer_bytes(&row));
    buffer_deinit(&row);
}

void fuzz_seeds(void)
{
    struct buffer row = {0};
    struct sample sample = {.seed = 1, .arena = &arena, .level = SAMPLE_MOST};
    struct settings *settings = sample_of(&sample, settings_shape(), 1);
    struct log_epoch epoch = {.at = 1, .number = 2, .build = BYTES("build"), .owners = {{1, 2, 3, 4, 5, 64}},
                              .settings = *settings, .quarantine = BYTES("\x90")};
    log_epoch_encode(&epoch, &row);
    fuzz_seed(buffer_bytes(&row));
    for (uint32_t messages = 0; messages <= 3; messages++)
        seed_turn(messages, messages ? messages - 1 : 0);
    buffer_deinit(&row);
}
