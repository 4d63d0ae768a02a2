// SPDX-License-Identifier: Apache-2.0
// A shop of six actors over memory, told by one client. The input is a script of requests, with bodies that are legal
// (made from the body's shape by a seed) or any bytes. Nothing a client says may stop an actor; every request is
// answered by a reply of its type; everything comes to rest; and the log, decided again, is equal.
//
//   request   message (1) · key (1) · how (1): clock, crash, body · legal body: seed (1), else size (1) · bytes
#include "fuzz.h"

#include "actors/shard.h"
#include "cli/replay.h"
#include "codec/envelope.h"

#include <stdio.h>

enum { REQUESTS_MAX = 40, KEYS = 3, ROUNDS_MAX = 2000, TIMERS_AT_ONCE = 16, REST_HOURS = 48 };
enum { HOW_LEGAL = 1, HOW_CRASH = 2, HOW_MINUTE_LATER = 4, HOW_HOUR_LATER = 8, HOW_WITH_NEXT = 16, HOW_CART = 32 };
static const int64_t minute = 60 * INT64_C(1000000);

static struct actor {
    struct store *store;
    struct shard *shard;
    struct outbox outbox;
    struct buffer inbox; // parcels from others
} actors[KIND_COUNT];

static struct settings settings = {
    .remember_hours = 1,
    .reservation_ttl_ms = 90000,
    .cart_ttl_days = 1,
    .cart_lines_max = 4,
    .order_lines_max = 4,
    .order_deadline_ms = 200000,
    .lines_in_flight_max = 8,
    .waiting_max = 4,
    .provider_key_hours = 1,
    .provider = BYTES("sandbox"),
};
static struct owner_map owners = {{1, 1, 1, 1, 1, 1}};
static struct arena arena;
static int64_t now;
static uint64_t epoch;
static uint32_t asked, answered;

// ---- actors begin and end

static void actor_start(enum kind_id kind)
{
    struct actor *actor = &actors[kind];
    struct shard_options options = {.kind = kind_of(kind), .actor = {kind, 0}, .store = actor->store,
                                    .settings = &settings, .owners = &owners, .outbox = &actor->outbox,
                                    .waiters_max = 4, .cache_bytes = 1 << 16};
    struct log_epoch begins = {.at = ++now, .number = epoch, .build = BYTES("fuzz"), .owners = owners,
                               .settings = settings, .quarantine = BYTES("\x90")};
    CHECK(log_tail(actor->store, &options.tail, &arena) == FAULT_NONE, "tail");
    CHECK(shard_open(&options, &actor->shard) == FAULT_NONE, "open");
    CHECK(shard_begin_epoch(actor->shard, &begins, NULL) == FAULT_NONE, "epoch");
}

static void run(enum kind_id kind, const struct incoming *list, uint32_t count);

// Each request of what the runtime made, in a turn of its own.
static void run_own(enum kind_id kind, struct bytes requests)
{
    struct cursor cursor = cursor_over(requests);
    struct incoming in = {.origin = LOG_RUNTIME};
    while (cursor_left(&cursor)) {
        CHECK(cursor_skip(&cursor, &in.request), "no request");
        run(kind, &in, 1);
    }
}

// As after kill -9: what was between actors is lost, what was on disk is asked again.
static void start_all(void)
{
    epoch++;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        shard_close(&actors[kind].shard);
        outbox_clear(&actors[kind].outbox);
        buffer_clear(&actors[kind].inbox);
        actor_start((enum kind_id)kind);
    }
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct buffer resume = {0};
        enum fault fault = FAULT_NONE;
        shard_resume(actors[kind].shard, &resume, NULL, &fault);
        CHECK(fault == FAULT_NONE, "resume");
        run_own((enum kind_id)kind, buffer_bytes(&resume));
        buffer_deinit(&resume);
    }
}

static void open_all(void)
{
    static const struct store_options options;
    now = INT64_C(1700000000000000);
    epoch = asked = answered = 0;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        CHECK(store_memory_open(&options, &actors[kind].store, NULL) == FAULT_NONE, "memory");
    start_all();
}

static void close_all(void)
{
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        shard_close(&actors[kind].shard);
        store_close(&actors[kind].store);
        outbox_clear(&actors[kind].outbox);
        buffer_clear(&actors[kind].inbox);
    }
}

// ---- what a turn sends

static void check_reply(struct bytes bytes)
{
    struct cursor cursor = cursor_over(bytes);
    struct reply reply;
    struct refusal refusal;
    enum status status;
    char id[REQUEST_ID_SIZE_MAX + 1];
    unsigned number = 0;
    CHECK(reply_read(&cursor, &reply) && !cursor_left(&cursor), "a reply that cannot be read");
    CHECK(status_of_name(reply.status, &status), "%.*s", BYTES_FORMAT(reply.status));
    snprintf(id, sizeof id, "%.*s", BYTES_FORMAT(reply.id));
    CHECK(sscanf(id, "message-%u-", &number) == 1, "%s", id);
    const struct shape *shape = message_by_number(number)->reply();
    void *body = arena_alloc(&arena, shape->size + 1);
    if (status == STATUS_ok)
        CHECK(body_decode(shape, reply.body, body, &arena, &refusal), "%s: %s", id, refusal.message);
    answered++;
}

static void deliver(enum kind_id kind)
{
    struct outbox *outbox = &actors[kind].outbox;
    struct cursor frame = cursor_over(buffer_bytes(&outbox->broker));
    struct parcel parcel;
    while (parcel_next(&frame, &parcel))
        if (parcel.origin == PARCEL_REPLY)
            check_reply(parcel.request);
    for (uint32_t i = 0; i < outbox->dirty_count; i++) {
        struct buffer *sent = &outbox->peers[outbox->dirty[i].kind][outbox->dirty[i].index];
        buffer_append(&actors[outbox->dirty[i].kind].inbox, sent->at, sent->size);
    }
    outbox_clear(outbox);
}

// ---- turns

static void run(enum kind_id kind, const struct incoming *list, uint32_t count)
{
    struct shard *shard = actors[kind].shard;
    struct fault_text text = {{0}};
    for (uint32_t consumed = 0; count; list += consumed, count -= consumed) {
        now = shard_time(shard, now);
        CHECK(shard_turn(shard, now, list, count, &consumed, &text) == FAULT_NONE, "%s", text.line);
        deliver(kind);
    }
}

static bool run_inbox(enum kind_id kind)
{
    struct buffer *inbox = &actors[kind].inbox;
    struct incoming list[64];
    struct parcel parcel;
    uint32_t count = 0;
    if (!inbox->size)
        return false;
    struct cursor frame = cursor_over(arena_copy(&arena, buffer_bytes(inbox)));
    buffer_clear(inbox);
    while (parcel_next(&frame, &parcel)) {
        list[count++] = (struct incoming){
            .origin = LOG_PEER, .sender = {parcel.route_kind, parcel.route}, .request = parcel.request};
        if (count == sizeof list / sizeof *list || !cursor_left(&frame)) {
            run(kind, list, count);
            count = 0;
        }
    }
    return true;
}

static bool run_timers(enum kind_id kind)
{
    struct buffer out = {0};
    size_t ends[TIMERS_AT_ONCE];
    uint32_t count = shard_timers(actors[kind].shard, now, TIMERS_AT_ONCE, &out, ends);
    run_own(kind, buffer_bytes(&out));
    bool waits = shard_next(actors[kind].shard) <= now; // for a waiter's time, at least
    if (waits && !count)
        CHECK(shard_turn(actors[kind].shard, now = shard_time(actors[kind].shard, now), NULL, 0, &(uint32_t){0}, NULL) ==
                  FAULT_NONE, "turn");
    deliver(kind);
    buffer_deinit(&out);
    return count || waits;
}

static void quiet(void)
{
    bool busy = true;
    for (int round = 0; busy; round++) {
        CHECK(round < ROUNDS_MAX, "never quiet");
        busy = false;
        for (int kind = 0; kind < KIND_COUNT; kind++) {
            busy |= run_inbox((enum kind_id)kind);
            busy |= run_timers((enum kind_id)kind);
        }
    }
}

// ---- the script

static struct bytes key_of(const struct message_def *def, uint8_t choice)
{
    static const char *const keys[KEYS] = {"a", "b", "c"};
    return def->kind == KIND_COUNT ? BYTES("order/0") : bytes_text(keys[choice % KEYS]);
}

// Skus, carts and orders of a body are few, so that requests meet.
static void make_few(const struct shape *shape, uint8_t *self, struct sample *sample)
{
    for (uint16_t i = 0; i < shape->count; i++) {
        const struct field *field = &shape->fields[i];
        void *member = self + field->offset;
        if (field->type == FIELD_ID && strcmp(field->name, "payment_method") == 0) {
            static const char *const methods[] = {"pm_card_visa", "pm_card_chargeDeclined", "pm_sandbox_late", "cod",
                                                  "pm_sandbox_timeout_then_success", "pm_sandbox_twice",
                                                  "pm_sandbox_flaky", "pm_sandbox_action_required", "none"};
            *(struct bytes *)member = bytes_text(methods[sample_below(sample, 9)]);
        } else if (field->type == FIELD_ID) {
            *(struct bytes *)member = bytes_of(&"abc"[sample_below(sample, KEYS)], 1);
        } else if (field->type == FIELD_INT && strcmp(field->name, "quantity") == 0) {
            *(int64_t *)member = 1 + (int64_t)sample_below(sample, 3) * (sample_below(sample, 20) ? 1 : 400000000);
        } else if (field->type == FIELD_MONEY && sample_below(sample, 8)) {
            *(struct money *)member = (struct money){(int64_t)sample_below(sample, 900), "GBP"};
        } else if (field->type == FIELD_LIST) {
            uint32_t count = *(uint32_t *)(self + field->offset_count);
            for (uint32_t n = 0; n < count; n++)
                make_few(field->shape(), *(uint8_t **)member + n * field->shape()->size, sample);
        }
    }
}

static void write_legal(const struct message_def *def, uint8_t seed, uint8_t how, struct buffer *body)
{
    struct sample sample = {.seed = seed, .arena = &arena, .level = SAMPLE_RANDOM};
    uint8_t *self = sample_of(&sample, def->body(), 1);
    make_few(def->body(), self, &sample);
    if (def->type == MESSAGE_order_place) {
        struct order_place *place = (void *)self;
        place->has_cart_id = how & HOW_CART;
        place->has_lines = !(how & HOW_CART);
        place->has_expected_total = place->has_expected_total && seed % 4 == 0;
        if (place->has_lines && !place->lines_count) {
            place->lines_count = 1;
            place->lines = sample_of(&sample, order_line_shape(), 1);
            make_few(order_line_shape(), (uint8_t *)place->lines, &sample);
        }
    }
    body_encode(def->body(), self, body);
}

static struct bytes write_any(struct bytes *input)
{
    size_t size = fuzz_choice(input);
    size = size < input->size ? size : input->size;
    struct bytes raw = bytes_of(input->at, size);
    *input = bytes_of(input->at + size, input->size - size);
    return raw;
}

// One request as the broker would pass it on. false: it would not.
static bool make(struct bytes *input, uint8_t *how, enum kind_id *kind, struct incoming *in)
{
    const struct message_def *def = message_by_number(fuzz_choice(input) % (MESSAGE_NUMBER_MAX + 1));
    uint8_t key = fuzz_choice(input);
    struct buffer body = {0}, request = {0};
    *how = fuzz_choice(input);
    if (!def || def->audience != AUDIENCE_PUBLIC || def->type == MESSAGE_souk_status)
        return false;
    if (*how & HOW_LEGAL)
        write_legal(def, fuzz_choice(input), *how, &body);
    else
        pack_raw(&body, write_any(input));
    const char *id = arena_format(&arena, "message-%d-%u", def->type, asked % 5 ? asked : key % KEYS);
    request_write(&request, bytes_text(id), def->name, key_of(def, key), buffer_bytes(&body), 0);
    *in = (struct incoming){.origin = LOG_CLIENT, .route = BYTES("route"), .request = arena_copy(&arena, buffer_bytes(&request))};
    *kind = def->kind == KIND_COUNT ? KIND_ORDER : def->kind;
    struct cursor cursor = cursor_over(in->request);
    struct request read;
    struct envelope_refusal refusal;
    bool passes = request_read(&cursor, &read, &refusal) && !cursor_left(&cursor);
    buffer_deinit(&body);
    buffer_deinit(&request);
    return passes;
}

static void play(struct bytes input)
{
    struct incoming in;
    enum kind_id kind;
    uint8_t how;
    for (uint32_t i = 0; i < REQUESTS_MAX && input.size; i++) {
        if (!make(&input, &how, &kind, &in))
            continue;
        asked++;
        run(kind, &in, 1);
        if (how & HOW_CRASH) {
            answered = asked = 0; // who waited is forgotten
            start_all();
        }
        now += how & HOW_HOUR_LATER ? 60 * minute : how & HOW_MINUTE_LATER ? minute : 0;
        if (!(how & HOW_WITH_NEXT))
            quiet();
    }
}

// ---- afterwards

static void check_rest(bool crashed)
{
    for (int hour = 0; hour < REST_HOURS; hour++) {
        quiet();
        now += 60 * minute;
    }
    quiet();
    if (!crashed)
        CHECK(answered == asked, "%u requests, %u answers", asked, answered);
    const struct weight *orders = &actors[KIND_ORDER].shard->weight;
    CHECK(orders->orders <= orders->parked, "%lld orders are open, of them %lld parked", (long long)orders->orders,
          (long long)orders->parked);
}

static void check_replay(void)
{
    static const struct store_options options;
    struct trouble trouble = {0};
    struct databases databases = {.owners = owners, .ever = owners};
    struct replay replay = {.trouble = &trouble};
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        databases.of[kind][0] = actors[kind].store;
        CHECK(store_memory_open(&options, &replay.stores[kind], NULL) == FAULT_NONE, "memory");
    }
    replay.history = history_open(&databases, NULL, &trouble);
    bool equal = replay_run(&replay);
    CHECK(!trouble.fault, "%s", trouble.text.line);
    CHECK(equal, "%.*s", BYTES_FORMAT(buffer_bytes(&replay.difference.text)));
    history_close(&replay.history);
    for (int kind = 0; kind < KIND_COUNT; kind++)
        store_close(&replay.stores[kind]);
    replay_deinit(&replay);
}

void fuzz_one(struct bytes input)
{
    open_all();
    play(input);
    check_rest(epoch > 1);
    check_replay();
    close_all();
    arena_reset(&arena);
}

// ---- seeds: short stories

static void tell(struct buffer *script, enum message_type type, uint8_t key, uint8_t how, uint8_t seed)
{
    uint8_t bytes[] = {(uint8_t)type, key, how | HOW_LEGAL, seed};
    buffer_append(script, bytes, sizeof bytes);
}

void fuzz_seeds(void)
{
    struct buffer script = {0};
    for (uint8_t seed = 0; seed < 24; seed++) {
        buffer_clear(&script);
        for (uint8_t key = 0; key < KEYS; key++) {
            tell(&script, MESSAGE_inventory_receive, key, 0, seed);
            tell(&script, MESSAGE_catalog_put, key, 0, seed);
        }
        tell(&script, MESSAGE_cart_add, 0, 0, seed);
        tell(&script, MESSAGE_order_place, 0, seed % 2 ? HOW_CART : 0, seed);
        tell(&script, MESSAGE_order_place, 1, seed % 3 ? HOW_WITH_NEXT : HOW_CRASH, (uint8_t)(seed * 7));
        tell(&script, seed % 2 ? MESSAGE_order_cancel : MESSAGE_order_ship, seed % 2, 0, seed);
        tell(&script, MESSAGE_inventory_reserve, 0, HOW_HOUR_LATER, seed);
        tell(&script, MESSAGE_inventory_get, 0, 0, seed);
        tell(&script, MESSAGE_payment_confirm, 1, HOW_MINUTE_LATER, seed);
        tell(&script, MESSAGE_order_get, 1, 0, seed);
        fuzz_seed(buffer_bytes(&script));
    }
    const struct message_def *def;
    for (uint32_t i = 0; (def = message_at(i)); i++) {
        uint8_t any[] = {(uint8_t)def->type, 0, 0, 1, 0x80};
        fuzz_seed(bytes_of(any, sizeof any));
    }
    buffer_deinit(&script);
}
