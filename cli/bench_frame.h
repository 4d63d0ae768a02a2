// SPDX-License-Identifier: Apache-2.0
// Requests of `souk bench`, packed once; for each command only the digits in them are written. Ids, order ids and SKUs
// have a fixed width, so every command of a kind has the same size. Owned by one thread.
//
//   id   RRRRRR P SSSSSSSS XXXX   run, phase, sequence number, slot (the loader's); ascending within a phase
//   SKU  bench-RRRRRR-NNNNNNNN    run, number
// Digits are hexadecimal.
#pragma once

#include "codec/pack.h"

enum {
    BENCH_RUN_SIZE = 6,
    BENCH_ID_SIZE = BENCH_RUN_SIZE + 1 + 8 + 4,
    BENCH_ID_PLACES_MAX = 2,
};

struct bench_frame {
    struct buffer packed; // one request
    uint32_t id_at[BENCH_ID_PLACES_MAX];
    uint32_t id_count;
    uint32_t *sku_at; // of the number's digits
    uint32_t sku_count;
};

// `run` names the run; `phase` tells requests of its parts apart.
void bench_frame_put(struct bench_frame *frame, const char *run, char phase);
void bench_frame_receive(struct bench_frame *frame, const char *run, char phase);
void bench_frame_reserve(struct bench_frame *frame, const char *run, char phase);
void bench_frame_place(struct bench_frame *frame, const char *run, char phase, uint32_t lines);
void bench_frame_deinit(struct bench_frame *frame);

// One request at `at`, packed.size bytes. Line i is about SKU (sku + i) mod skus; sku < skus.
void bench_frame_write(const struct bench_frame *frame, uint8_t *at, uint32_t sequence, uint16_t slot, uint32_t sku,
                       uint32_t skus);
// An id's sequence and slot. false: it is none of this run and phase (the first BENCH_RUN_SIZE + 1 bytes).
bool bench_id_read(const uint8_t *id, const uint8_t *run_and_phase, uint32_t *sequence, uint16_t *slot);
