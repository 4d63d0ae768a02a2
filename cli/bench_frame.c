// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_frame.h"

#include "codec/check.h"
#include "codec/message.h"

#include <stdio.h>
#include <stdlib.h>

enum { SKU_DIGITS = 8, SKU_SIZE = sizeof "bench-" - 1 + BENCH_RUN_SIZE + 1 + SKU_DIGITS, PRICE = 1299 };

// ---- packing

static void begin(struct bench_frame *frame, uint32_t skus)
{
    *frame = (struct bench_frame){.sku_at = calloc(skus, sizeof *frame->sku_at)};
    CHECK(frame->sku_at, "out of memory");
    buffer_init(&frame->packed);
    pack_array(&frame->packed, 5);
    pack_int(&frame->packed, 1);
}

static void pack_id(struct bench_frame *frame, const char *run, char phase)
{
    char id[BENCH_ID_SIZE + 1];
    snprintf(id, sizeof id, "%s%c%012d", run, phase, 0);
    pack_str(&frame->packed, bytes_of(id, BENCH_ID_SIZE));
    frame->id_at[frame->id_count++] = (uint32_t)(frame->packed.size - BENCH_ID_SIZE);
}

static void pack_sku(struct bench_frame *frame, const char *run)
{
    char sku[SKU_SIZE + 1];
    snprintf(sku, sizeof sku, "bench-%s-%08d", run, 0);
    pack_str(&frame->packed, bytes_of(sku, SKU_SIZE));
    frame->sku_at[frame->sku_count++] = (uint32_t)(frame->packed.size - SKU_DIGITS);
}

static void pack_price(struct bench_frame *frame)
{
    pack_map(&frame->packed, 2);
    pack_text(&frame->packed, "amount");
    pack_int(&frame->packed, PRICE);
    pack_text(&frame->packed, "currency");
    pack_text(&frame->packed, "GBP");
}

static void pack_head(struct bench_frame *frame, const char *type, const char *run, char phase)
{
    begin(frame, 1);
    pack_id(frame, run, phase);
    pack_text(&frame->packed, type);
    pack_sku(frame, run);
}

void bench_frame_put(struct bench_frame *frame, const char *run, char phase)
{
    pack_head(frame, "catalog.put", run, phase);
    pack_map(&frame->packed, 2);
    pack_text(&frame->packed, "title");
    pack_text(&frame->packed, "Something to measure with");
    pack_text(&frame->packed, "price");
    pack_price(frame);
}

void bench_frame_receive(struct bench_frame *frame, const char *run, char phase)
{
    pack_head(frame, "inventory.receive", run, phase);
    pack_map(&frame->packed, 1);
    pack_text(&frame->packed, "quantity");
    pack_int(&frame->packed, QUANTITY_MAX);
}

void bench_frame_reserve(struct bench_frame *frame, const char *run, char phase)
{
    pack_head(frame, "inventory.reserve", run, phase);
    pack_map(&frame->packed, 2);
    pack_text(&frame->packed, "reservation_id");
    pack_id(frame, run, phase);
    pack_text(&frame->packed, "quantity");
    pack_int(&frame->packed, 1);
}

void bench_frame_place(struct bench_frame *frame, const char *run, char phase, uint32_t lines)
{
    begin(frame, lines);
    struct buffer *out = &frame->packed;
    pack_id(frame, run, phase);
    pack_text(out, "order.place");
    pack_id(frame, run, phase); // the order's
    pack_map(out, 4);
    pack_text(out, "user_id");
    pack_text(out, "bench");
    pack_text(out, "payment_method");
    pack_text(out, "pm_card_visa");
    pack_text(out, "wait_ms");
    pack_int(out, WAIT_MS_MAX);
    pack_text(out, "lines");
    pack_array(out, lines);
    for (uint32_t i = 0; i < lines; i++) {
        pack_map(out, 3);
        pack_text(out, "sku");
        pack_sku(frame, run);
        pack_text(out, "quantity");
        pack_int(out, 1);
        pack_text(out, "unit_price");
        pack_price(frame);
    }
}

void bench_frame_deinit(struct bench_frame *frame)
{
    buffer_deinit(&frame->packed);
    free(frame->sku_at);
    *frame = (struct bench_frame){0};
}

// ---- digits

static char pairs[256][2];
static uint8_t values[256]; // of a digit; 16: none

static __attribute__((constructor)) void digits_index(void)
{
    static const char digits[] = "0123456789abcdef";
    memset(values, 16, sizeof values);
    for (int i = 0; i < 16; i++)
        values[(uint8_t)digits[i]] = (uint8_t)i;
    for (int i = 0; i < 256; i++) {
        pairs[i][0] = digits[i >> 4];
        pairs[i][1] = digits[i & 15];
    }
}

static inline void write32(uint8_t *at, uint32_t number)
{
    memcpy(at, pairs[number >> 24], 2);
    memcpy(at + 2, pairs[number >> 16 & 255], 2);
    memcpy(at + 4, pairs[number >> 8 & 255], 2);
    memcpy(at + 6, pairs[number & 255], 2);
}

static inline bool read_digits(const uint8_t *at, uint32_t count, uint32_t *number)
{
    uint32_t read = 0, wrong = 0;
    for (uint32_t i = 0; i < count; i++) {
        read = read << 4 | values[at[i]];
        wrong |= values[at[i]];
    }
    *number = read;
    return wrong < 16;
}

void bench_frame_write(const struct bench_frame *frame, uint8_t *at, uint32_t sequence, uint16_t slot, uint32_t sku,
                       uint32_t skus)
{
    memcpy(at, frame->packed.at, frame->packed.size);
    for (uint32_t i = 0; i < frame->id_count; i++) {
        uint8_t *digits = at + frame->id_at[i] + BENCH_RUN_SIZE + 1;
        write32(digits, sequence);
        memcpy(digits + 8, pairs[slot >> 8], 2);
        memcpy(digits + 10, pairs[slot & 255], 2);
    }
    for (uint32_t i = 0; i < frame->sku_count; i++) {
        write32(at + frame->sku_at[i], sku);
        sku = sku + 1 < skus ? sku + 1 : 0;
    }
}

bool bench_id_read(const uint8_t *id, const uint8_t *run_and_phase, uint32_t *sequence, uint16_t *slot)
{
    uint32_t low;
    if (memcmp(id, run_and_phase, BENCH_RUN_SIZE + 1) != 0 || !read_digits(id + BENCH_RUN_SIZE + 1, 8, sequence) ||
        !read_digits(id + BENCH_RUN_SIZE + 9, 4, &low))
        return false;
    *slot = (uint16_t)low;
    return true;
}
