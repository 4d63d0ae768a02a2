// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/run.h"

#include "codec/check.h"
#include "tests/sim/shoppers.h"

#include <stdio.h>
#include <stdlib.h>

#define SECOND_US INT64_C(1000000)
#define HOUR_US (3600 * SECOND_US)

enum { AUDITED_TURNS = 2000 };

enum what {
    REQUEST, REPLY, MOVE, TURN, CONNECTOR, WAKE, CRASH, START, JUMP, AWAY, CLOSING, RESOLVE, CALM, LIFT, BURST
};
static const char *const what_names[] = {"a request", "a reply", "a frame", "a turn",  "the provider", "a shopper",
                                         "a crash",   "a start", "a jump",  "an outage", "the disk or the clock",
                                         "an operator", "calm", "the end of a quarantine", "a burst"};

// A frame to a client, or from one.
struct letter {
    size_t size;
    uint8_t id_size, status_size;
    uint8_t at[]; // a request; or id, status, body
};

int64_t run_clock(struct run *run)
{
    run->closing.machine.now = run->now;
    return machine_time(&run->closing.machine) + run->skew;
}

static void at(struct run *run, int64_t after, enum what what, uint32_t a, uint32_t b, void *data)
{
    agenda_add(&run->agenda, run->now + (after > 0 ? after : 0), what, a, b, data);
}

static bool goes_wrong(struct run *run, int permille, enum sim_fault fault)
{
    if (run->calm || !chance_permille(&run->wire, permille))
        return false;
    run->auditor.coverage.faults[fault]++;
    return true;
}

// ---- turns

static void schedule_turn(struct run *run, uint16_t number)
{
    int64_t due = world_due(run->world, number);
    if (due == INT64_MAX)
        return;
    int64_t when = due == INT64_MIN ? run->now + chance_range(&run->wire, 0, run->mood.turn_us)
                                    : run->now + due - run_clock(run); // or later, if time is slow: noted again then
    when = when < run->now ? run->now : when;
    if (when >= run->turn_at[number])
        return;
    run->turn_at[number] = when;
    at(run, when - run->now, TURN, number, 0, NULL);
}

void run_schedule(struct run *run)
{
    for (uint16_t i = 0; i < WORLD_PLACES; i++)
        run->turn_at[i] = INT64_MAX;
    for (uint16_t i = 0; i < run->world->actors_count; i++)
        schedule_turn(run, i);
}

void run_note_closing(struct run *run, int64_t after_us, enum closing_event event)
{
    at(run, after_us, CLOSING, event, 0, NULL);
}

static void take_turn(struct run *run, uint16_t number)
{
    if (run->turn_at[number] != run->now)
        return; // noted for another time since
    run->turn_at[number] = INT64_MAX;
    uint32_t max = run->mood.turn_max && chance_permille(&run->wire, 500)
                       ? (uint32_t)chance_range(&run->wire, 1, run->mood.turn_max)
                       : 0;
    world_turn(run->world, number, max);
    schedule_turn(run, number);
}

// ---- what the world tells

static void on_decided(void *context, const struct world_decision *decision)
{
    auditor_decided(&((struct run *)context)->auditor, decision);
}

static void on_turned(void *context, uint16_t number)
{
    auditor_turned(&((struct run *)context)->auditor, number);
}

static void on_sent(void *context, uint16_t from, uint16_t to)
{
    struct run *run = context;
    auditor_frame_sent(&run->auditor, from, to);
    if (to == WORLD_BROKER)
        auditor_left(&run->auditor, from);
    at(run, chance_range(&run->wire, 0, run->mood.pipe_us), MOVE, from, to, NULL);
}

static void on_arrived(void *context, uint16_t from, uint16_t to, const struct parcel *parcel)
{
    auditor_frame_arrived(&((struct run *)context)->auditor, from, to, parcel);
}

static void on_replied(void *context, struct bytes route, struct bytes id, struct bytes status, struct bytes body)
{
    struct run *run = context;
    unsigned shopper;
    char text[16];
    auditor_replied(&run->auditor, route, id, status, body);
    snprintf(text, sizeof text, "%.*s", BYTES_FORMAT(route));
    if (sscanf(text, "c%u", &shopper) != 1 || goes_wrong(run, run->mood.reply_dropped, FAULT_REPLY_DROPPED))
        return;
    int copies = goes_wrong(run, run->mood.reply_twice, FAULT_REPLY_TWICE) ? 2 : 1;
    while (copies--) {
        bool late = goes_wrong(run, run->mood.reply_delayed, FAULT_REPLY_DELAYED);
        struct letter *letter = malloc(sizeof *letter + id.size + status.size + body.size);
        CHECK(letter);
        *letter = (struct letter){id.size + status.size + body.size, (uint8_t)id.size, (uint8_t)status.size};
        memcpy(letter->at, id.at, id.size);
        memcpy(letter->at + id.size, status.at, status.size);
        if (body.size)
            memcpy(letter->at + id.size + status.size, body.at, body.size);
        at(run, chance_range(&run->wire, 1, late ? run->mood.delay_us : run->mood.latency_us), REPLY, shopper, 0, letter);
    }
}

static void on_crashed(void *context)
{
    struct run *run = context;
    auditor_crashed(&run->auditor);
    provider_sim_disconnect(&run->provider);
    bool long_one = chance_permille(&run->trouble, 100);
    int64_t down = long_one ? run->mood.down_us * 20 : run->mood.down_us;
    run->auditor.coverage.faults[FAULT_LONG_OUTAGE] += long_one;
    at(run, run->calm ? SECOND_US : chance_range(&run->trouble, 1000, down), START, 0, 0, NULL);
}

// ---- the wire of clients

void run_send(struct run *run, uint32_t shopper, struct bytes frame)
{
    if (goes_wrong(run, run->mood.request_dropped, FAULT_REQUEST_DROPPED))
        return;
    int copies = goes_wrong(run, run->mood.request_twice, FAULT_REQUEST_TWICE) ? 2 : 1;
    while (copies--) {
        bool late = goes_wrong(run, run->mood.request_delayed, FAULT_REQUEST_DELAYED);
        struct letter *letter = malloc(sizeof *letter + frame.size);
        CHECK(letter);
        *letter = (struct letter){.size = frame.size};
        memcpy(letter->at, frame.at, frame.size);
        at(run, chance_range(&run->wire, 1, late ? run->mood.delay_us : run->mood.latency_us), REQUEST, shopper, 0,
           letter);
    }
}

void run_wake(struct run *run, uint32_t shopper, int64_t after_us)
{
    at(run, after_us, WAKE, shopper, 0, NULL);
}

void run_burst(struct run *run, uint32_t number, int64_t after_us)
{
    at(run, after_us, BURST, number, 0, NULL);
}

static void note_arrivals(struct run *run, struct bytes route, struct bytes frame)
{
    struct cursor cursor = cursor_over(frame);
    struct request request;
    struct envelope_refusal refusal;
    bool bundled;
    uint32_t count = frame_open(&cursor, &bundled, &refusal);
    while (count-- && request_read(&cursor, &request, &refusal))
        auditor_arrived(&run->auditor, route, &request);
}

void run_arrive(struct run *run, const char *route, struct bytes frame)
{
    if (!run->world->up)
        return;
    note_arrivals(run, bytes_text(route), frame);
    world_receive(run->world, bytes_text(route), frame);
}

static void arrive(struct run *run, uint32_t shopper, const struct letter *letter)
{
    char route[16];
    snprintf(route, sizeof route, "c%u", shopper);
    run_arrive(run, route, bytes_of(letter->at, letter->size));
}

static void answer(struct run *run, uint32_t shopper, const struct letter *letter)
{
    const uint8_t *status = letter->at + letter->id_size, *body = status + letter->status_size;
    shopper_answered(run, shopper, bytes_of(letter->at, letter->id_size), bytes_of(status, letter->status_size),
                     bytes_of(body, (size_t)(letter->at + letter->size - body)));
}

// ---- trouble

static void crash(struct run *run)
{
    struct world *world = run->world;
    if (run->calm || !world->up)
        return;
    int64_t how = chance_below(&run->trouble, 10);
    if (how < 2)
        world_crash(world);
    else if (how < 4)
        world->write_fails_at = world->commits + 1 + (uint64_t)chance_below(&run->trouble, 8);
    else
        world->crash_at = world->points + 1 + (uint64_t)chance_below(&run->trouble, 40);
}

static void start(struct run *run)
{
    if (run->world->up)
        return;
    run->world->crash_at = run->world->write_fails_at = 0;
    lives_change(run);
    closing_start(run);
    world_start(run->world);
    lives_changed(run);
    trace_line(&run->auditor.trace, run->world->clock, "──── epoch %d", (int)run->world->epoch);
    run_schedule(run);
}

// Backward no more than what a provider remembers a key longer than the payment relies on it.
static void jump(struct run *run)
{
    bool back = run->mood.jumps_back && run->jumped_back < HOUR_US && chance_permille(&run->trouble, 500);
    int64_t by = chance_range(&run->trouble, 0, 2) ? chance_range(&run->trouble, SECOND_US, 100 * SECOND_US)
                                                   : chance_range(&run->trouble, SECOND_US, back ? HOUR_US : 4 * HOUR_US);
    if (run->calm)
        return;
    run->skew += back ? -by : by;
    run->jumped_back += back ? by : 0;
    run->auditor.clock_jumped = true;
    run->auditor.coverage.faults[back ? FAULT_CLOCK_BACK : FAULT_CLOCK_FORWARD]++;
    run->world->clock = run_clock(run);
    trace_line(&run->auditor.trace, run->world->clock, "──── the clock jumps by %lld s", (long long)(back ? -by : by) / SECOND_US);
    run_schedule(run);
}

static void calm_down(struct run *run)
{
    run->calm = true;
    run->provider.healthy = true;
    run->provider.away_until = 0;
    run->world->crash_at = run->world->write_fails_at = 0;
    start(run);
    int64_t isolated_us = lives_calm(run);
    if (isolated_us)
        at(run, isolated_us, LIFT, 0, 0, NULL);
    closing_calm(run);
}

static void look_at_provider(struct run *run)
{
    if (!run->outside)
        return;
    world_connector(run->world);
    struct provider_result nobody_hears;
    while (!run->world->up && provider_sim_driver.collect(&run->provider, 0, &nobody_hears)) {
    }
    if (run->provider.resent_forgotten)
        finding_note(&run->auditor.finding, 4, KIND_PAYMENT, bytes_text(run->provider.resent_forgotten), NULL,
                     "an operation is sent again under a key that the provider has forgotten");
    int64_t next = provider_sim_next(&run->provider);
    if (next < INT64_MAX)
        at(run, next - run->now, CONNECTOR, 0, 0, NULL);
}

// ---- time goes on

static void happen(struct run *run, struct agenda_item *item)
{
    switch ((enum what)item->what) {
    case REQUEST:
        arrive(run, item->a, item->data);
        break;
    case REPLY:
        answer(run, item->a, item->data);
        break;
    case MOVE:
        if (world_move(run->world, (uint16_t)item->a, (uint16_t)item->b)) {
            if (item->b < run->world->actors_count)
                schedule_turn(run, (uint16_t)item->b);
            if (item->b == WORLD_CONNECTOR)
                look_at_provider(run);
        }
        break;
    case TURN:
        take_turn(run, (uint16_t)item->a);
        break;
    case CONNECTOR:
        look_at_provider(run);
        break;
    case WAKE:
        shopper_wake(run, item->a);
        break;
    case CRASH:
        crash(run);
        break;
    case START:
        start(run);
        break;
    case JUMP:
        jump(run);
        break;
    case AWAY:
        if (!run->calm)
            run->provider.away_until = run->now + chance_range(&run->trouble, SECOND_US, run->mood.away_us);
        break;
    case CLOSING:
        closing_happen(run, item->a);
        break;
    case RESOLVE:
        shoppers_resolve(run);
        break;
    case CALM:
        calm_down(run);
        break;
    case LIFT:
        lives_lift(run);
        break;
    case BURST:
        bursts_happen(run, item->a);
        break;
    }
    free(item->data);
}

bool run_nothing_is_open(const struct run *run)
{
    if (run->auditor.isolation.count)
        return false;
    for (uint16_t i = 0; i < run->world->actors_count; i++)
        if (!run->world->up || run->world->actors[i].core.shard->weight.orders ||
            run->world->actors[i].core.shard->reasks > 100000)
            return false;
    return true;
}

static int64_t rest_by(const struct run *run)
{
    return run->mood.busy_us + run->world->options.settings.order_deadline_ms * 1000 + run->jumped_back +
           run->mood.think_us + closing_rest_us(run) + 4 * HOUR_US + run->lives.rest_us;
}

static void pass_time(struct run *run)
{
    struct agenda_item item;
    while (!run->auditor.finding.found && agenda_take(&run->agenda, &item)) {
        run->now = item.at;
        run->provider.now = run->now;
        run->world->clock = run_clock(run);
        if (item.what == RESOLVE && !(run->calm && !run->closing.opens && run_nothing_is_open(run)))
            at(run, 600 * SECOND_US, RESOLVE, 0, 0, NULL);
        happen(run, &item);
        if (run->now <= rest_by(run))
            continue;
        finding_note(&run->auditor.finding, 15, KIND_ORDER, BYTES("-"), NULL,
                     "the faults stopped %lld s ago, and something still moves (%s)",
                     (long long)((run->now - run->mood.busy_us) / SECOND_US), what_names[item.what]);
    }
}

// ---- drawing

static int sometimes(struct chance *chance, int permille, int64_t most)
{
    return chance_permille(chance, permille) ? (int)chance_spread(chance, 1, most) : 0;
}

static void draw_wire(struct mood *mood, struct chance *chance)
{
    mood->request_dropped = sometimes(chance, 500, 200);
    mood->request_twice = sometimes(chance, 500, 300);
    mood->request_delayed = sometimes(chance, 500, 200);
    mood->reply_dropped = sometimes(chance, 500, 200);
    mood->reply_twice = sometimes(chance, 300, 200);
    mood->reply_delayed = sometimes(chance, 400, 200);
    mood->latency_us = chance_spread(chance, 10, 50000);
    mood->delay_us = chance_spread(chance, 1000, 120 * SECOND_US);
    bool slow = chance_permille(chance, 400); // so that much happens while an order is on its way
    mood->pipe_us = chance_spread(chance, 1, slow ? 4 * SECOND_US : 20000);
    mood->turn_us = chance_spread(chance, 1, slow ? SECOND_US : 20000);
    mood->turn_max = chance_permille(chance, 400) ? (int)chance_spread(chance, 1, 32) : 0;
}

static void draw_trouble(struct mood *mood, struct chance *chance)
{
    bool days = chance_permille(chance, 100); // long enough for a provider to forget
    mood->busy_us = days ? chance_range(chance, 8 * HOUR_US, 40 * HOUR_US)
                         : chance_spread(chance, SECOND_US, 600 * SECOND_US);
    mood->crashes = chance_permille(chance, 750) ? (int)chance_range(chance, 1, 40) : 0;
    mood->outages = days ? 6 : sometimes(chance, 500, 6);
    mood->jumps = sometimes(chance, 300, 10);
    mood->jumps_back = chance_permille(chance, 300);
    mood->down_us = chance_spread(chance, 10000, 60 * SECOND_US);
    mood->away_us = days ? chance_range(chance, HOUR_US, 10 * HOUR_US) : chance_spread(chance, SECOND_US, HOUR_US);
    mood->retry_until = sometimes(chance, 500, 300);
    mood->gives_up = sometimes(chance, 500, 200);
}

static void draw_shop(struct mood *mood, struct chance *chance)
{
    mood->shoppers = (int)chance_range(chance, 3, 40);
    mood->budget = (int)chance_range(chance, 3, 25);
    mood->skus = (int)chance_spread(chance, 1, 30);
    mood->carts = (int)chance_range(chance, 1, 12);
    mood->lines_max = (int)chance_spread(chance, 1, 12);
    if (chance_permille(chance, 40)) { // few orders, very long
        mood->lines_max = 300;
        mood->skus = 300;
        mood->shoppers = (int)chance_range(chance, 1, 3);
        mood->budget = (int)chance_range(chance, 1, 3);
    }
    mood->hot_units = (int)chance_spread(chance, 1, 3000);
    mood->scarce = (int)chance_range(chance, 0, 600 / mood->lines_max);
    mood->think_us = mood->busy_us / (mood->budget * chance_range(chance, 1, 10));
    mood->patience_us = chance_spread(chance, 200000, 20 * SECOND_US);
}

static void draw_settings(struct world_options *options, struct chance *chance)
{
    options->settings = (struct settings){
        .remember_hours = chance_range(chance, 1, 24),
        .reservation_ttl_ms = chance_spread(chance, 1000, 900000),
        .cart_ttl_days = chance_range(chance, 1, 30),
        .cart_lines_max = chance_permille(chance, 800) ? 500 : chance_range(chance, 1, 20),
        .order_lines_max = chance_permille(chance, 900) ? 2000 : chance_range(chance, 1, 20),
        .order_deadline_ms = chance_spread(chance, 5000, 900000),
        .lines_in_flight_max = chance_permille(chance, 700) ? 100000 : chance_spread(chance, 1, 600),
        .waiting_max = chance_permille(chance, 800) ? 100000 : chance_spread(chance, 1, 20),
        .provider_key_hours = chance_permille(chance, 500) ? 1 : chance_range(chance, 1, 20),
    };
    for (int kind = 0; kind < KIND_COUNT; kind++)
        options->actors[kind] = (uint16_t)chance_range(chance, 1, 3);
    options->turn_messages_max = (uint32_t)chance_spread(chance, 4, 1024);
    options->waiters_max = chance_permille(chance, 800) ? 1000 : (uint32_t)chance_spread(chance, 1, 20);
    options->cache_bytes = (size_t)chance_spread(chance, 0, 1 << 20);
    options->commands_in_flight_max = chance_permille(chance, 800) ? 0 : (uint64_t)chance_spread(chance, 1, 64);
}

static void draw_provider(struct provider_sim_options *options, const struct mood *mood, int64_t behind_us,
                          const struct settings *settings, struct chance *chance)
{
    int64_t margin = behind_us + (mood->jumps_back ? 3 * HOUR_US : HOUR_US / 2); // souk's clock may run behind
    *options = (struct provider_sim_options){
        .chance = chance_fork(chance),
        .latency_us = chance_spread(chance, 100, SECOND_US),
        .late_us = chance_spread(chance, SECOND_US, 600 * SECOND_US),
        .key_us = settings->provider_key_hours * HOUR_US + margin,
    };
    for (int fault = 0; fault <= PROVIDER_DECLINED; fault++)
        options->permille[fault] = sometimes(chance, 500, 300);
    bool forgets = mood->busy_us > options->key_us; // then it is away for as long as that, now and then
    options->permille[PROVIDER_VANISHED] = forgets ? (int)chance_range(chance, 10, 200) : sometimes(chance, 300, 30);
    options->vanish_us = forgets ? options->key_us + HOUR_US : mood->away_us;
}

static void spread(struct run *run, int count, enum what what)
{
    while (count-- > 0)
        at(run, chance_below(&run->trouble, run->mood.busy_us), what, 0, 0, NULL);
}

static void draw(struct run *run)
{
    struct chance all = {run->seed * UINT64_C(0x2545f4914f6cdd1d) + 1};
    struct world_options options = {
        .witness = {run, on_decided, on_turned, on_sent, on_arrived, NULL, on_replied, on_crashed, NULL}};
    struct provider_sim_options provider;
    run->wire = chance_fork(&all);
    run->trouble = chance_fork(&all);
    run->people = chance_fork(&all);
    lives_draw(run);
    draw_wire(&run->mood, &all);
    draw_trouble(&run->mood, &all);
    draw_shop(&run->mood, &all);
    draw_settings(&options, &all);
    closing_draw(&run->closing, run->seed, run->mood.jumps > 0, run->mood.busy_us);
    draw_provider(&provider, &run->mood, closing_behind_us(&run->closing), &options.settings, &all);
    run->outside = chance_permille(&all, 700);
    provider_sim_init(&run->provider, &provider);
    if (run->outside) {
        options.provider = &provider_sim_driver;
        options.provider_self = &run->provider;
    }
    bursts_draw(run, &options);
    run->world = world_new(&options);
    run->world->keep_replies = false;
    auditor_init(&run->auditor, run->world, run->outside ? &run->provider : NULL);
    run->auditor.audit_every = run->auditor.turns_to_audit = (uint64_t)chance_spread(&all, 50, 5000);
    run->auditor.each_turn = run->seed % 25 == 0 ? AUDITED_TURNS : 0;
    run->auditor.turn_us = run->mood.turn_us;
    run->auditor.coverage.seeds = 1;
    run->auditor.coverage.sandbox_seeds = !run->outside;
}

static void count(struct run *run)
{
    struct coverage *coverage = &run->auditor.coverage;
    coverage->turns = run->world->turns;
    coverage->messages = run->world->messages;
    coverage->commits = run->world->commits;
    coverage->points = run->world->points;
    coverage->virtual_seconds = (uint64_t)(run->now / SECOND_US);
    memcpy(coverage->provider_faults, run->provider.faults, sizeof coverage->provider_faults);
}

void run_seed(struct run *run, uint64_t seed, const struct trace *trace)
{
    *run = (struct run){.seed = seed};
    draw(run);
    if (trace)
        run->auditor.trace = *trace;
    run->orders = calloc(RUN_ORDERS_MAX, sizeof *run->orders);
    CHECK(run->orders);
    run_schedule(run);
    shoppers_open(run);
    shoppers_fill_shelves(run);
    spread(run, run->mood.crashes, CRASH);
    spread(run, run->mood.jumps, JUMP);
    closing_begin(run);
    spread(run, run->outside ? run->mood.outages : 0, AWAY);
    bursts_open(run);
    at(run, run->mood.busy_us, CALM, 0, 0, NULL);
    at(run, 600 * SECOND_US, RESOLVE, 0, 0, NULL);
    pass_time(run);
    if (!run->auditor.finding.found)
        auditor_rest(&run->auditor);
    count(run);
}

void run_deinit(struct run *run)
{
    shoppers_close(run);
    world_free(&run->world);
    auditor_deinit(&run->auditor);
    provider_sim_deinit(&run->provider);
    machine_deinit(&run->closing.machine);
    agenda_deinit(&run->agenda);
    free(run->orders);
}
