// SPDX-License-Identifier: Apache-2.0
// Read top down: clients, moving, what a story may do, what it expects, running. What is judged at the end: judge.c.
#include "tests/sim/story.h"

#include "codec/check.h"
#include "tests/sim/judge.h"
#include "tests/sim/teller.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define TELL(story, function, ...)                                                                                     \
    do {                                                                                                               \
        if ((story)->options.teller)                                                                                   \
            function((story)->options.teller, ##__VA_ARGS__);                                                          \
    } while (0)

// ---- clients

static struct said *said_of(const struct story *story, struct bytes id)
{
    struct said *said = story->said;
    while (said && !bytes_equal(bytes_text(said->id), id))
        said = said->next;
    CHECK(said, "%.*s", BYTES_FORMAT(id));
    return said;
}

static void send(struct story *story, const struct said *said)
{
    world_receive(story->world, bytes_text(said->who), said->frame);
}

// Oldest first.
static void send_unanswered(struct story *story, const struct said *said)
{
    if (!said)
        return;
    send_unanswered(story, said->next);
    if (!said->status[0])
        send(story, said);
}

const struct said *story_say(struct story *story, const char *who, enum message_type type, const char *key,
                             const void *body)
{
    static const char nothing[4096];
    const struct message_def *def = message_by_number(type);
    struct buffer encoded = {0}, frame = {0};
    struct said *said = arena_alloc(&story->arena, sizeof *said);
    *said = (struct said){.next = story->said,
                          .who = who,
                          .id = arena_format(&story->arena, "%s-%" PRIu32, who, ++story->said_count),
                          .key = arena_format(&story->arena, "%s", key),
                          .def = def,
                          .at = story->world->clock,
                          .status = ""};
    body_encode(def->body(), body ? body : nothing, &encoded);
    request_write(&frame, bytes_text(said->id), def->name, bytes_text(key), buffer_bytes(&encoded), 0);
    said->frame = arena_copy(&story->arena, buffer_bytes(&frame));
    story->said = said;
    send(story, said);
    buffer_deinit(&encoded);
    buffer_deinit(&frame);
    return said;
}

static void replied(void *context, struct bytes route, struct bytes id, struct bytes status, struct bytes body)
{
    struct story *story = context;
    struct said *said = said_of(story, id);
    bool first = !said->status[0];
    if (first) {
        said->status = arena_format(&story->arena, "%.*s", BYTES_FORMAT(status));
        said->body = arena_copy(&story->arena, body);
    } else if (story->repeating) {
        judge_repeat(story, said, status, body);
    }
    if (!story->repeating)
        TELL(story, teller_replied, story->world->clock, said, body);
    CHECK(bytes_equal(route, bytes_text(said->who)), "%s got the answer of %s", said->id, said->who);
}

// ---- the world's witness

static enum order_step *step_of(struct story *story, struct bytes id)
{
    int i = 0;
    while (story->orders[i].id && !bytes_equal(bytes_text(story->orders[i].id), id))
        i++;
    CHECK(i < STORY_ORDERS_MAX - 1);
    if (!story->orders[i].id)
        story->orders[i].id = arena_format(&story->arena, "%.*s", BYTES_FORMAT(id));
    return &story->orders[i].step;
}

static void decided(void *context, const struct world_decision *decision)
{
    struct story *story = context;
    model_decided(&story->model, decision);
    if (!story->repeating)
        TELL(story, teller_decided, decision);
    if (decision->actor.kind != KIND_ORDER)
        return;
    enum order_step *step = step_of(story, decision->request.key);
    coverage_decided(&story->coverage, decision, *step);
    *step = coverage_step(decision, *step);
}

static void crashed(void *context)
{
    struct story *story = context;
    struct world *world = story->world;
    if (story->options.crash_again_at)
        world->crash_at = world->points + story->options.crash_again_at;
    world->start_crash_at = story->options.start_crash_at;
    story->options.crash_again_at = story->options.start_crash_at = 0;
    story->points_at_crash = world->points;
    provider_sim_disconnect(&story->provider);
    TELL(story, teller_line, story->world->clock, "the process ends");
}

static void started(void *context)
{
    struct story *story = context;
    if (story->world && story->world->epoch > 1)
        TELL(story, teller_line, story->world->clock, "the process starts");
}

// ---- moving

static bool move_frame(struct world *world)
{
    uint16_t places[WORLD_PLACES], count = 0;
    while (count < world->actors_count) {
        places[count] = count;
        count++;
    }
    places[count++] = WORLD_BROKER;
    places[count++] = WORLD_CONNECTOR;
    for (uint16_t from = 0; from < count; from++)
        for (uint16_t to = 0; to < count; to++)
            if (world->pipes[places[from]][places[to]].count && world_move(world, places[from], places[to]))
                return true;
    return false;
}

static bool has_due(const struct story *story, uint16_t number, int64_t *due)
{
    *due = world_due(story->world, number);
    return !story->stalled[story->world->actors[number].id.kind] && *due <= story->world->clock;
}

// One thing happens; false: nothing is left to do at this clock.
static bool step(struct story *story)
{
    struct world *world = story->world;
    int64_t due;
    if (!world->up) {
        world_start(world);
        if (world->up)
            send_unanswered(story, story->said);
        return true;
    }
    world_connector(world);
    if (!world->up || move_frame(world))
        return true;
    for (uint16_t i = 0; i < world->actors_count; i++)
        if (has_due(story, i, &due) && world_turn(world, i, 0))
            return true;
    return false;
}

static void set_clock(struct story *story, int64_t at)
{
    story->world->clock = story->provider.now = at;
}

// One thing, or the clock moves to what falls due next; false: nothing does until then.
static bool move(struct story *story, int64_t until)
{
    struct world *world = story->world;
    int64_t next, due;
    if (step(story))
        return true;
    next = provider_sim_next(&story->provider);
    for (uint16_t i = 0; i < world->actors_count; i++)
        if (!has_due(story, i, &due) && !story->stalled[world->actors[i].id.kind] && due < next)
            next = due;
    if (next > until || next <= world->clock)
        return false;
    set_clock(story, next);
    return true;
}

void story_pass(struct story *story, int64_t us)
{
    enum { MOVES_MAX = 1000000 };
    int64_t until = story->world->clock + us;
    uint32_t moves = 0;
    while (move(story, until))
        CHECK(++moves < MOVES_MAX, "it never comes to rest");
    set_clock(story, until);
    while (step(story))
        CHECK(++moves < MOVES_MAX, "it never comes to rest");
}

// ---- what is stored

static bool record_of(struct story *story, enum kind_id kind, enum family family, const char *key,
                      const struct shape *shape, void *record)
{
    return world_record(story->world, kind, family, bytes_text(key), BYTES(""), shape, record, &story->arena);
}

static bool order_of(struct story *story, const char *id, struct order *order)
{
    return record_of(story, KIND_ORDER, FAMILY_OPEN, id, order_shape(), order) ||
           record_of(story, KIND_ORDER, FAMILY_HEAD, id, order_shape(), order);
}

const char *story_order_status(struct story *story, const char *order_id)
{
    struct order order;
    if (!order_of(story, order_id, &order))
        return "";
    return arena_format(&story->arena, "%.*s", BYTES_FORMAT(order.status));
}

static bool order_is_at(struct story *story, const char *id, const char *step)
{
    struct order order;
    return order_of(story, id, &order) && bytes_equal(order.step, bytes_text(step));
}

static bool payment_is(struct story *story, const char *id, const char *state)
{
    struct payment payment;
    return record_of(story, KIND_PAYMENT, FAMILY_HEAD, id, payment_shape(), &payment) &&
           bytes_equal(payment.state, bytes_text(state));
}

static void until(struct story *story, const char *id, const char *what,
                  bool (*is)(struct story *story, const char *id, const char *what))
{
    int64_t latest = story->world->clock + SECOND;
    while (!is(story, id, what))
        if (!move(story, latest)) {
            story_expect(story, story->world->crashes > 0, "%s never came to be %s", id, what);
            return;
        }
}

void story_until_order(struct story *story, const char *order_id, const char *step)
{
    until(story, order_id, step, order_is_at);
}

void story_until_payment(struct story *story, const char *order_id, const char *state)
{
    until(story, order_id, state, payment_is);
}

static bool is_captured(struct story *story, const char *id, const char *what)
{
    struct model_order *order = model_order(&story->model, bytes_text(id));
    (void)what;
    return order && model_sums(&story->model, order).captures > 0;
}

void story_until_captured(struct story *story, const char *order_id)
{
    until(story, order_id, "captured", is_captured);
}

void story_stall(struct story *story, enum kind_id kind, bool stalled)
{
    story->stalled[kind] = stalled;
    story->has_stalled |= stalled;
}

void story_kill(struct story *story)
{
    world_crash(story->world);
}

void story_be_off(struct story *story, int64_t us)
{
    story_kill(story);
    set_clock(story, story->world->clock + us);
}

void story_note(struct story *story, const char *text)
{
    TELL(story, teller_note, text);
}

// ---- what must be true

void story_expect(struct story *story, bool true_, const char *format, ...)
{
    char line[512];
    va_list args;
    if (true_)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    buffer_printf(&story->broken, "%s\n", line);
}

void story_expect_answer(struct story *story, const struct said *said, const char *status)
{
    story_expect(story, strcmp(said->status, status) == 0, "%s %s: answered '%s', should be '%s'", said->def->name,
                 said->key, said->status, status);
}

void story_expect_order(struct story *story, const char *order_id, const char *status)
{
    const char *is = story_order_status(story, order_id);
    story_expect(story, strcmp(is, status) == 0, "%s is '%s', should be '%s'", order_id, is, status);
}

void story_expect_stock(struct story *story, const char *sku, int64_t on_hand, int64_t reserved, int64_t committed)
{
    struct stock is = {0};
    record_of(story, KIND_INVENTORY, FAMILY_HEAD, sku, stock_shape(), &is);
    story_expect(story, is.on_hand == on_hand && is.reserved == reserved && is.committed == committed,
                 "%s: on hand %" PRId64 ", reserved %" PRId64 ", committed %" PRId64 "; should be %" PRId64 ", %" PRId64
                 ", %" PRId64,
                 sku, is.on_hand, is.reserved, is.committed, on_hand, reserved, committed);
}

void story_expect_money(struct story *story, const char *order_id, int64_t captured, int64_t refunded)
{
    struct model_order *order = model_order(&story->model, bytes_text(order_id));
    struct provider_sums sums = order ? model_sums(&story->model, order) : (struct provider_sums){0};
    story_expect(story, sums.captured == captured && sums.refunded == refunded,
                 "%s: the provider captured %" PRId64 " and refunded %" PRId64 "; should be %" PRId64 " and %" PRId64,
                 order_id, sums.captured, sums.refunded, captured, refunded);
}

// ---- running

static struct settings settings_of(const struct story_def *def)
{
    return (struct settings){.remember_hours = 24,
                             .reservation_ttl_ms = 900000,
                             .cart_ttl_days = 30,
                             .cart_lines_max = 500,
                             .order_lines_max = 2000,
                             .order_deadline_ms = def->deadline_ms ? def->deadline_ms : 900000,
                             .lines_in_flight_max = 100000,
                             .waiting_max = 100000,
                             .provider_key_hours = def->provider_key_hours ? def->provider_key_hours : 20};
}

static void open_world(struct story *story)
{
    const struct story_options *options = &story->options;
    struct world_options of = {
        .settings = settings_of(story->def),
        .turn_messages_max = 64, // more than any story says at once
        .cache_bytes = options->cache_bytes,
        .provider = story->def->outside ? &provider_sim_driver : NULL,
        .provider_self = &story->provider,
        .witness = {.context = story, .decided = decided, .replied = replied, .crashed = crashed, .started = started},
    };
    for (int kind = 0; kind < KIND_COUNT; kind++)
        of.actors[kind] = options->actors ? options->actors : 1;
    provider_sim_init(&story->provider,
                      &(struct provider_sim_options){.chance = {1}, .latency_us = 1, .key_us = 24 * HOUR});
    story->world = world_new(&of);
    story->world->keep_replies = false;
    story->world->crash_at = options->crash_at;
    story->world->write_fails_at = options->write_fails_at;
    set_clock(story, story->world->clock);
    model_init(&story->model, &story->world->options.settings, story->def->outside ? &story->provider : NULL,
               &story->finding);
}

struct story *story_run(const struct story_def *def, const struct story_options *options)
{
    struct story *story = calloc(1, sizeof *story);
    CHECK(story);
    story->def = def;
    story->options = *options;
    arena_init(&story->arena);
    open_world(story);
    TELL(story, teller_begin, story);
    def->tell(story);
    story_pass(story, MINUTE);
    TELL(story, teller_end);
    story->points = story->world->points;
    story->commits = story->world->commits;
    story_judge(story);
    return story;
}

void story_free(struct story **story)
{
    struct story *it = *story;
    it->options.teller = NULL;
    world_free(&it->world);
    model_deinit(&it->model);
    provider_sim_deinit(&it->provider);
    buffer_deinit(&it->broken);
    arena_deinit(&it->arena);
    free(it);
    *story = NULL;
}
