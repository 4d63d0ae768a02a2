// SPDX-License-Identifier: Apache-2.0
// How a shopper asks and asks again; what each sort of person does is in people.c.
#include "tests/sim/people.h"

#include "cli/send_line.h"
#include "codec/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

// ---- asking

static void request_add(struct shopper *shopper, const struct ask *ask)
{
    char mistaken[16];
    struct run *run = shopper->run;
    const struct message_def *def = message_by_number(ask->type);
    static const char nothing[4096];
    struct buffer body = {0}, request = {0};
    struct question *question = &shopper->questions[shopper->questions_count++];
    CHECK(shopper->questions_count <= QUESTIONS_MAX);
    memcpy(mistaken, shopper->questions[0].id, sizeof mistaken);
    snprintf(question->id, sizeof question->id, "r%u", ++run->ids);
    if (ask->same_id)
        memcpy(question->id, mistaken, sizeof mistaken);
    question->answered = false;
    body_encode(def->body(), ask->body ? ask->body : nothing, &body);
    int64_t until = 0;
    if (!ask->same_id && chance_permille(&run->people, run->mood.retry_until))
        until = run_clock(run) + chance_spread(&run->people, 100000, 3600 * INT64_C(1000000));
    request_write(&request, bytes_text(question->id), def->name, bytes_text(ask->key), buffer_bytes(&body), until);
    if (!ask->same_id)
        auditor_sent(&run->auditor, buffer_bytes(&request));
    question->from = shopper->requests.size;
    buffer_append(&shopper->requests, request.at, request.size);
    question->to = shopper->requests.size;
    buffer_deinit(&body);
    buffer_deinit(&request);
}

// How many questions have no answer.
static uint32_t waits(const struct shopper *shopper)
{
    uint32_t open = 0;
    for (uint32_t i = 0; i < shopper->questions_count; i++)
        open += !shopper->questions[i].answered;
    return open;
}

// Each time twice as long, up to a minute.
static int64_t longer(int64_t us, int tries)
{
    int64_t most = 60000000, more = us << (tries < 9 ? tries : 9);
    return more < most ? more : most;
}

static void send(struct shopper *shopper)
{
    struct run *run = shopper->run;
    struct buffer frame = {0};
    uint32_t open = waits(shopper);
    if (open > 1)
        bundle_head_write(&frame, open);
    for (uint32_t i = 0; i < shopper->questions_count; i++) {
        const struct question *question = &shopper->questions[i];
        if (!question->answered)
            buffer_append(&frame, shopper->requests.at + question->from, question->to - question->from);
    }
    run_send(run, shopper->index, buffer_bytes(&frame));
    int64_t patience = longer(run->mood.patience_us, shopper->tries);
    shopper->tries++;
    shopper->asks_again_at = run->now + patience;
    run_wake(run, shopper->index, patience);
    buffer_deinit(&frame);
}

void shopper_ask(struct shopper *shopper, enum message_type type, const char *key, const void *body)
{
    request_add(shopper, &(struct ask){type, key, body, false});
}

void shopper_mistakes(struct shopper *shopper, enum message_type type, const char *key, const void *body)
{
    request_add(shopper, &(struct ask){type, key, body, true});
}

// ---- their time

static int64_t think(struct run *run)
{
    return chance_range(&run->people, 1, run->calm ? 1000000 : run->mood.think_us);
}

static void next_person(struct shopper *shopper)
{
    struct run *run = shopper->run;
    shopper->person = NULL;
    if (run->calm || shopper->budget-- <= 0)
        return;
    shopper->person = person_draw(run);
    shopper->step = 0;
    shopper->last = STATUS_ok;
    shopper->view[0] = '\0';
}

static void go_on(struct shopper *shopper)
{
    struct run *run = shopper->run;
    shopper->questions_count = 0;
    shopper->tries = 0;
    buffer_clear(&shopper->requests);
    if (!shopper->person)
        next_person(shopper);
    if (!shopper->person)
        return;
    shopper->person(shopper);
    shopper->step++;
    if (shopper->questions_count) {
        send(shopper);
        return;
    }
    shopper->person = NULL; // done
    run_wake(run, shopper->index, think(run));
}

void shopper_wake(struct run *run, uint32_t index)
{
    struct shopper *shopper = &run->shoppers[index];
    if (!waits(shopper)) {
        if (run->now >= shopper->next_at)
            go_on(shopper);
        return;
    }
    if (run->now < shopper->asks_again_at)
        return;
    if (!run->calm && chance_permille(&run->people, run->mood.gives_up)) {
        shopper->questions_count = 0;
        shopper->person = NULL;
        shopper->next_at = run->now;
        go_on(shopper);
    } else {
        send(shopper);
    }
}

static void remember_view(struct shopper *shopper, struct bytes body)
{
    struct arena arena;
    struct order_placed view;
    struct refusal refusal;
    arena_init(&arena);
    if (body_decode_lenient(order_placed_shape(), body, &view, &arena, &refusal))
        snprintf(shopper->view, sizeof shopper->view, "%.*s", BYTES_FORMAT(view.status));
    arena_deinit(&arena);
}

// As long as they were told, if they were turned away; who hears `busy` is less patient.
static int64_t told_to_wait(enum status status, struct bytes body)
{
    return status == STATUS_busy ? 0 : body_number(body, "retry_after_ms", 0) * 1000;
}

void shopper_answered(struct run *run, uint32_t index, struct bytes id, struct bytes name, struct bytes body)
{
    struct shopper *shopper = &run->shoppers[index];
    struct question *question = NULL;
    enum status status;
    for (uint32_t i = 0; i < shopper->questions_count; i++)
        if (bytes_equal(bytes_text(shopper->questions[i].id), id) && !shopper->questions[i].answered)
            question = &shopper->questions[i];
    if (!question || !status_of_name(name, &status))
        return;
    if (status_transient(status)) { // the same again, a little later
        shopper->asks_again_at = run->now + told_to_wait(status, body) +
                                 longer(chance_range(&run->people, 10000, 500000), shopper->tries);
        run_wake(run, index, shopper->asks_again_at - run->now);
        return;
    }
    question->answered = true;
    shopper->last = status;
    remember_view(shopper, body);
    if (waits(shopper))
        return;
    shopper->next_at = run->now + think(run);
    run_wake(run, index, shopper->next_at - run->now);
}

// ---- the shop opens

void shoppers_open(struct run *run)
{
    run->shoppers = calloc((size_t)run->mood.shoppers, sizeof *run->shoppers);
    CHECK(run->shoppers);
    for (int i = 0; i < run->mood.shoppers; i++) {
        run->shoppers[i] = (struct shopper){.run = run, .index = (uint32_t)i, .budget = run->mood.budget};
        run_wake(run, (uint32_t)i, think(run));
    }
}

void shoppers_close(struct run *run)
{
    for (int i = 0; i < run->mood.shoppers && run->shoppers; i++)
        buffer_deinit(&run->shoppers[i].requests);
    free(run->shoppers);
}

// Said and done at once, before anything can go wrong.
static void say_now(struct run *run, enum message_type type, const char *key, const void *body)
{
    char id[32];
    snprintf(id, sizeof id, "s%u", ++run->ids);
    struct buffer encoded = {0}, request = {0};
    body_encode(message_by_number(type)->body(), body, &encoded);
    request_write(&request, bytes_text(id), message_by_number(type)->name, bytes_text(key), buffer_bytes(&encoded), 0);
    auditor_sent(&run->auditor, buffer_bytes(&request));
    struct cursor cursor = cursor_over(buffer_bytes(&request));
    struct request read;
    struct envelope_refusal refusal;
    if (run->world->up && request_read(&cursor, &read, &refusal))
        auditor_arrived(&run->auditor, BYTES("setup"), &read);
    world_receive(run->world, BYTES("setup"), buffer_bytes(&request));
    buffer_deinit(&encoded);
    buffer_deinit(&request);
}

void shoppers_fill_shelves(struct run *run)
{
    run->world->clock = run_clock(run);
    for (int i = 0; i < run->mood.skus; i++) {
        char sku[16];
        person_sku(sku, i);
        bool hot = chance_permille(&run->people, run->mood.scarce);
        struct inventory_receive receive = {
            .quantity = hot ? chance_range(&run->people, 1, 3) : chance_range(&run->people, 1, run->mood.hot_units)};
        struct catalog_put put = person_product(run);
        if (!chance_permille(&run->people, 30))
            say_now(run, MESSAGE_inventory_receive, sku, &receive);
        if (!chance_permille(&run->people, 50))
            say_now(run, MESSAGE_catalog_put, sku, &put);
        world_run(run->world);
    }
}

// ---- parked payments

static struct bytes truth(const struct run *run, const char *order_id, struct bytes operation)
{
    const struct model_order *order = model_order(&run->auditor.model, bytes_text(order_id));
    struct provider_sums sums = model_sums(&run->auditor.model, order);
    int done = bytes_equal(operation, BYTES("authorize")) ? sums.authorizations
               : bytes_equal(operation, BYTES("capture")) ? sums.captures
               : bytes_equal(operation, BYTES("void"))    ? sums.voids
                                                          : sums.refunds;
    return done ? BYTES("succeeded") : BYTES("failed");
}

void shoppers_resolve(struct run *run)
{
    struct arena arena;
    struct payment payment;
    arena_init(&arena);
    for (uint32_t i = 0; i < run->orders_count && run->world->up; i++) {
        if (!world_record(run->world, KIND_PAYMENT, FAMILY_HEAD, bytes_text(run->orders[i]), BYTES(""), payment_shape(),
                          &payment, &arena) ||
            !payment.parked)
            continue;
        struct payment_resolve resolve = {.outcome = truth(run, run->orders[i], payment.open.kind),
                                          .reason = BYTES("the provider's book says so")};
        say_now(run, MESSAGE_payment_resolve, run->orders[i], &resolve);
    }
    arena_deinit(&arena);
}
