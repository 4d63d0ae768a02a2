// SPDX-License-Identifier: Apache-2.0
// Read top down: the process (stores and actors open and close), the wires, a turn, looking. Scripts are in script.c.
#include "tests/sim/world.h"

#include "codec/check.h"
#include "provider/exchange.h"
#include "store/epochs.h"

#include <stdio.h>
#include <stdlib.h>

#define TELL(world, what, ...)                                                                                         \
    do {                                                                                                               \
        if ((world)->options.witness.what)                                                                             \
            (world)->options.witness.what((world)->options.witness.context, ##__VA_ARGS__);                            \
    } while (0)

const char *const world_death_names[DEATHS] = {
    [DEATH_KILLED] = "crash between turns",
    [DEATH_BEFORE_COMMIT] = "crash before the commit",
    [DEATH_WRITE] = "write refused",
    [DEATH_BEFORE_DELIVERY] = "crash after the commit, before delivery",
    [DEATH_AMID_DELIVERY] = "crash amid delivery",
    [DEATH_IN_BROKER] = "crash in the broker",
    [DEATH_STARTING] = "write refused at a start",
};

// ---- points

// One more thing happens; false: the process ended just before it.
static bool point(struct world *world, enum world_death death)
{
    if (world->dying)
        return false;
    if (world->points + 1 == world->crash_at) {
        world->dying = true;
        world->death = death;
        world->crash_at = 0;
        return false;
    }
    world->points++;
    return true;
}

static void die_if_dying(struct world *world)
{
    if (world->dying)
        world_crash(world);
}

// ---- wires

static void put(struct world *world, uint16_t from, uint16_t to, struct bytes frame)
{
    queue_put(&world->pipes[from][to], frame);
    TELL(world, sent, from, to);
}

static bool take(void *context, enum inbox_lane lane, struct parcel *parcel)
{
    struct world_actor *actor = context;
    struct queue *queue = &actor->lanes[lane];
    if (!queue->first)
        return false;
    CHECK(parcel_next(&actor->cursors[lane], parcel));
    if (cursor_left(&actor->cursors[lane]) > 0)
        return true;
    queue_move(&actor->spent, queue_take(queue));
    if (queue->first)
        actor->cursors[lane] = cursor_over(queue_bytes(queue->first));
    return true;
}

static void release(void *context)
{
    queue_clear(&((struct world_actor *)context)->spent);
}

static void tell_turn(struct world_actor *actor)
{
    struct world *world = actor->world;
    for (uint32_t i = 0; i < world->decisions_count; i++)
        TELL(world, decided, &world->decisions[i]);
    TELL(world, turned, actor->number);
}

// The turn is durable.
static void deliver(void *context, struct outbox *outbox)
{
    struct world_actor *actor = context;
    struct world *world = actor->world;
    bool committed = store_counts(actor->store).commits != actor->commits;
    world->points += committed;
    world->commits += committed;
    tell_turn(actor);
    enum world_death death = DEATH_BEFORE_DELIVERY;
    for (uint32_t i = 0; i < outbox->dirty_count && point(world, death); i++, death = DEATH_AMID_DELIVERY) {
        struct actor_id to = outbox->dirty[i];
        put(world, actor->number, (uint16_t)(world->lanes.first[to.kind] + to.index),
            buffer_bytes(&outbox->peers[to.kind][to.index]));
    }
    death = outbox->dirty_count ? DEATH_AMID_DELIVERY : DEATH_BEFORE_DELIVERY;
    if (outbox->provider.size && point(world, death))
        put(world, actor->number, WORLD_CONNECTOR, buffer_bytes(&outbox->provider));
    death = outbox->provider.size ? DEATH_AMID_DELIVERY : death;
    if (outbox->broker.size && point(world, death))
        put(world, actor->number, WORLD_BROKER, buffer_bytes(&outbox->broker));
}

// ---- the broker: its intake and its outgoing are production code; here is the thread's loop without sockets

void front_send(struct front *front, uint8_t flags, struct bytes route, struct bytes head, struct bytes rest,
                uint32_t replies)
{
    struct world *world = (struct world *)((char *)front - offsetof(struct world, front));
    if (!point(world, DEATH_IN_BROKER))
        return;
    struct cursor cursor = cursor_over(rest.size ? rest : head); // `head` begins a bundle if there is more
    struct reply reply;
    while (cursor_left(&cursor) > 0) {
        CHECK(reply_read(&cursor, &reply));
        if (world->keep_replies) {
            struct world_reply *kept = arena_alloc(&world->texts, sizeof *kept);
            *kept = (struct world_reply){arena_copy(&world->texts, reply.id), arena_copy(&world->texts, reply.status),
                                         arena_copy(&world->texts, reply.body), world->replies};
            world->replies = kept;
        }
        TELL(world, replied, route, reply.id, reply.status, reply.body);
    }
}

static uint16_t owner(void *context, enum kind_id kind, uint16_t slot)
{
    return owner_of(&((struct world *)context)->owners, kind, slot);
}

static void status(void *context, struct bytes dropped, struct buffer *body)
{
    (void)context;
    (void)dropped;
    pack_map(body, 0);
}

static void broker_open(struct world *world)
{
    uint64_t commands = world->options.commands_in_flight_max ? world->options.commands_in_flight_max : UINT32_MAX;
    struct lanes *lanes = &world->lanes;
    world->broker = (struct broker_options){
        .owner = owner, .owner_context = world, .status = status, .status_context = world};
    lanes->count = world->actors_count;
    lanes->at = calloc(lanes->count, sizeof *lanes->at);
    CHECK(lanes->at);
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        lanes->actors[kind] = world->broker.actors[kind] = world->ever.count[kind];
        world->broker.serving[kind] = world->owners.count[kind];
    }
    for (uint16_t i = 0; i < lanes->count; i++)
        credit_init(&lanes->at[i].credit, commands, UINT64_MAX / 2);
    world->drops = (struct drops){0};
    intake_init(world->intake, &world->broker, lanes, &world->drops);
    outgoing_init(world->outgoing, &world->front);
}

static void broker_close(struct world *world)
{
    for (uint16_t i = 0; i < world->lanes.count; i++)
        buffer_deinit(&world->lanes.at[i].frame);
    free(world->lanes.at);
    intake_deinit(world->intake);
    outgoing_deinit(world->outgoing);
}

static void broker_take(struct world *world, const struct parcel *parcel)
{
    if (parcel->origin == PARCEL_REPLY)
        outgoing_reply(world->outgoing, parcel->flags, parcel->route, parcel->request);
    if (parcel->origin == PARCEL_CREDIT)
        lanes_give_back(&world->lanes, parcel->request);
}

void world_receive(struct world *world, struct bytes route, struct bytes frame)
{
    if (!world->up)
        return;
    intake_take(world->intake, &(struct arrival){.route = route, .frame = frame}, world->outgoing);
    outgoing_flush(world->outgoing);
    for (uint16_t i = 0; i < world->lanes.count && !world->dying; i++) {
        struct buffer *lane = &world->lanes.at[i].frame;
        if (lane->size && point(world, DEATH_IN_BROKER))
            put(world, WORLD_BROKER, i, buffer_bytes(lane));
        buffer_clear(lane);
    }
    die_if_dying(world);
}

// ---- a frame arrives

static void call_provider(struct world *world, const struct parcel *parcel)
{
    struct provider_call call;
    struct arena arena;
    arena_init(&arena);
    provider_call_read(parcel->request, &call, &arena);
    TELL(world, called, &call);
    world->options.provider->begin(world->options.provider_self, &call);
    arena_deinit(&arena);
}

static void arrive(struct world *world, uint16_t from, uint16_t to, const struct parcel *parcel)
{
    TELL(world, arrived, from, to, parcel);
    if (to == WORLD_BROKER)
        broker_take(world, parcel);
    else if (to == WORLD_CONNECTOR)
        call_provider(world, parcel);
}

bool world_move(struct world *world, uint16_t from, uint16_t to)
{
    struct queue_frame *frame = world->up ? queue_take(&world->pipes[from][to]) : NULL;
    struct parcel parcel;
    if (!frame)
        return false;
    struct cursor cursor = cursor_over(queue_bytes(frame));
    enum inbox_lane lane = from == WORLD_BROKER ? INBOX_CLIENTS : INBOX_PEERS;
    while (parcel_next(&cursor, &parcel))
        arrive(world, from, to, &parcel);
    if (to < world->actors_count) {
        struct world_actor *actor = &world->actors[to];
        if (!actor->lanes[lane].first)
            actor->cursors[lane] = cursor_over(queue_bytes(frame));
        queue_move(&actor->lanes[lane], frame);
    } else {
        free(frame);
    }
    if (to == WORLD_BROKER)
        outgoing_flush(world->outgoing);
    die_if_dying(world);
    return true;
}

void world_connector(struct world *world)
{
    const struct provider *provider = world->options.provider;
    struct provider_result result;
    struct buffer frame = {0};
    while (world->up && provider && provider->collect(world->options.provider_self, 0, &result)) {
        buffer_clear(&frame);
        provider_result_write(&result, &frame);
        if (point(world, DEATH_IN_BROKER))
            put(world, WORLD_CONNECTOR, world_owner(world, KIND_PAYMENT, result.order_id), buffer_bytes(&frame));
        die_if_dying(world);
    }
    buffer_deinit(&frame);
}

// ---- a turn

static void decided(void *context, const struct incoming *in, enum status status, const struct effects *effects,
                    bool logged)
{
    struct world_actor *actor = context;
    struct world *world = actor->world;
    if (world->decisions_count == world->decisions_capacity) {
        world->decisions_capacity = world->decisions_capacity * 2 + 64;
        world->decisions = realloc(world->decisions, world->decisions_capacity * sizeof *world->decisions);
        CHECK(world->decisions);
    }
    struct arena *arena = &actor->core.shard->arena; // lives until the next turn
    struct world_decision *decision = &world->decisions[world->decisions_count++];
    struct effect *list = arena_alloc(arena, (effects->count + 1) * sizeof *list);
    if (effects->count)
        memcpy(list, effects->list, effects->count * sizeof *list);
    *decision = (struct world_decision){.actor = actor->id,
                                        .at = actor->core.shard->overlay.at,
                                        .in = *in,
                                        .status = status,
                                        .effects = list,
                                        .effects_count = effects->count,
                                        .reply = effects->reply,
                                        .kept = effects->kept,
                                        .waits = effects->wait,
                                        .logged = logged,
                                        .open = actor->core.shard->weight};
    struct cursor cursor = cursor_over(in->request);
    struct envelope_refusal refusal;
    CHECK(request_read(&cursor, &decision->request, &refusal), "%s", refusal.message);
    decision->def = message_by_name(decision->request.type);
}

// What to arm, so that the commit of this turn is the one that does not happen.
static void arm_store(struct world *world, struct world_actor *actor)
{
    bool fails = world->points + 1 == world->crash_at || world->commits + 1 == world->write_fails_at;
    store_memory_fail(actor->store, fails);
}

bool world_turn(struct world *world, uint16_t number, uint32_t max)
{
    struct world_actor *actor = &world->actors[number];
    struct fault_text text;
    if (!world->up)
        return false;
    uint32_t usual = actor->core.options.turn_messages_max;
    actor->core.options.turn_messages_max = max && max < usual ? max : usual;
    bool selected = core_select(&actor->core, world->clock);
    actor->core.options.turn_messages_max = usual;
    if (!selected)
        return false;
    actor->commits = store_counts(actor->store).commits;
    world->decisions_count = 0;
    world->deciding = &actor->core;
    arm_store(world, actor);
    uint64_t messages = actor->core.shard->messages;
    enum fault fault = core_turn(&actor->core, world->clock, &text);
    store_memory_fail(actor->store, 0);
    world->deciding = NULL;
    if (fault) {
        world->death = world->commits + 1 == world->write_fails_at ? DEATH_WRITE : DEATH_BEFORE_COMMIT;
        world->crash_at = world->write_fails_at = 0;
        world->dying = true;
    } else {
        world->turns++;
        world->messages += actor->core.shard->messages - messages;
    }
    die_if_dying(world);
    return true;
}

int64_t world_due(const struct world *world, uint16_t number)
{
    const struct world_actor *actor = &world->actors[number];
    if (!world->up)
        return INT64_MAX;
    return actor->lanes[INBOX_PEERS].first || actor->lanes[INBOX_CLIENTS].first ? INT64_MIN : core_next(&actor->core);
}

// ---- the process

static void actor_begin(struct world *world, struct world_actor *actor)
{
    struct fault_text text;
    struct core_options options = {.shard = {.kind = kind_of(actor->id.kind),
                                             .actor = actor->id,
                                             .store = actor->store,
                                             .settings = &world->options.settings,
                                             .owners = &world->owners,
                                             .quarantine = world->log_epoch.quarantine,
                                             .witness = decided,
                                             .witness_context = actor,
                                             .waiters_max = world->options.waiters_max,
                                             .cache_bytes = world->options.cache_bytes,
                                             .horizon = actor->horizon},
                                   .wires = {actor, take, release, deliver},
                                   .number = actor->number,
                                   .turn_messages_max = world->options.turn_messages_max};
    atomic_store(actor->horizon, 0);
    CHECK(core_open(&actor->core, &options) == FAULT_NONE);
    CHECK(core_begin(&actor->core, &world->log_epoch, &text) == FAULT_NONE, "%s", text.line);
    actor->open = true;
}

static void actor_end(struct world *world, struct world_actor *actor)
{
    for (int lane = 0; lane < INBOX_LANES; lane++)
        queue_clear(&actor->lanes[lane]);
    queue_clear(&actor->spent);
    if (!actor->open)
        return;
    world->reasks += actor->core.shard->reasks;
    core_close(&actor->core);
    actor->open = false;
}

void world_crash(struct world *world)
{
    if (!world->up)
        return;
    if (!world->dying)
        world->death = DEATH_KILLED;
    world->up = world->dying = false;
    world->crashes++;
    for (uint16_t i = 0; i < world->actors_count; i++)
        actor_end(world, &world->actors[i]);
    for (int from = 0; from < WORLD_PLACES; from++)
        for (int to = 0; to < WORLD_PLACES; to++)
            queue_clear(&world->pipes[from][to]);
    broker_close(world);
    shop_close(&world->shop);
    TELL(world, crashed);
}

// The actors of the databases there are, none of them open.
static void actors_list(struct world *world)
{
    world->owners = shop_record(world->shop)->owners;
    world->ever = shop_record(world->shop)->ever;
    world->actors_count = 0;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        world->lanes.first[kind] = world->actors_count;
        for (uint16_t index = 0; index < world->ever.count[kind]; index++) {
            struct actor_id id = {kind, index};
            struct shelved *database = memory_shelf_find(&world->shelf, shop_database(world->shop, id).text);
            struct world_actor *actor = &world->actors[world->actors_count];
            *actor = (struct world_actor){.world = world,
                                          .id = id,
                                          .number = world->actors_count++,
                                          .store = database->store,
                                          .horizon = &database->horizon};
        }
    }
}

// As a node does it (actors/node.c). false: a write failed.
static bool shop_begin(struct world *world)
{
    struct fault_text text;
    CHECK(shop_open_on(&world->shelf.shelf, "shop", true, false, &world->shop, &text) == FAULT_NONE, "%s", text.line);
    enum fault fault = shop_reshape(world->shop, &world->wanted, 1 << 20, true, NULL, &text);
    actors_list(world);
    const struct shop_record *record = shop_record(world->shop);
    for (uint16_t i = 0; i < world->actors_count && !fault; i++)
        CHECK(epochs_match(world->actors[i].store, "database", record->served, record->epoch, &text) == FAULT_NONE, "%s",
              text.line);
    world->epoch = record->epoch + 1;
    if (!fault)
        fault = shop_begin_epoch(world->shop, world->epoch, world->clock, &text);
    CHECK(!fault || fault == FAULT_IO, "%s", text.line);
    return !fault;
}

static void start_failed(struct world *world)
{
    shop_close(&world->shop);
    memory_shelf_heal(&world->shelf);
    world->death = DEATH_STARTING;
    world->crashes++;
    TELL(world, crashed);
}

void world_start(struct world *world)
{
    struct fault_text text;
    CHECK(!world->up);
    if (!shop_begin(world)) {
        start_failed(world);
        return;
    }
    world->log_epoch = (struct log_epoch){.at = world->clock,
                                          .number = world->epoch,
                                          .build = BYTES("sim"),
                                          .owners = world->owners,
                                          .settings = world->options.settings,
                                          .quarantine = buffer_bytes(&world->quarantine)};
    memory_shelf_heal(&world->shelf);
    broker_open(world);
    for (uint16_t i = 0; i < world->actors_count && !world->dying; i++) {
        world->dying = i + 1 == world->start_crash_at;
        if (!world->dying)
            actor_begin(world, &world->actors[i]);
    }
    world->up = true;
    if (world->dying) {
        world->start_crash_at = 0;
        world_crash(world);
        return;
    }
    CHECK(shop_serve_epoch(world->shop, &text) == FAULT_NONE, "%s", text.line);
    TELL(world, started);
}

static void defaults(struct world_options *options)
{
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        options->actors[kind] = options->actors[kind] ? options->actors[kind] : 1;
        CHECK(options->actors[kind] <= WORLD_ACTORS_MAX);
    }
    if (!options->settings.remember_hours)
        options->settings = (struct settings){.remember_hours = 24,
                                              .reservation_ttl_ms = 900000,
                                              .cart_ttl_days = 30,
                                              .cart_lines_max = 500,
                                              .order_lines_max = 2000,
                                              .order_deadline_ms = 900000,
                                              .lines_in_flight_max = 100000,
                                              .waiting_max = 100000,
                                              .provider_key_hours = 20};
    if (!options->settings.provider.size)
        options->settings.provider = options->provider ? bytes_text(options->provider->name) : BYTES("sandbox");
    if (!options->turn_messages_max)
        options->turn_messages_max = 1024;
    if (!options->waiters_max)
        options->waiters_max = 1000;
}

struct world *world_new(const struct world_options *options)
{
    struct world *world = calloc(1, sizeof *world);
    CHECK(world);
    world->options = *options;
    defaults(&world->options);
    world->clock = WORLD_STARTED_AT;
    world->keep_replies = true;
    arena_init(&world->texts);
    pack_array(&world->quarantine, 0);
    world->intake = calloc(1, sizeof *world->intake);
    world->outgoing = calloc(1, sizeof *world->outgoing);
    world->actors = calloc(WORLD_PLACES, sizeof *world->actors);
    CHECK(world->intake && world->outgoing && world->actors);
    memory_shelf_init(&world->shelf);
    memcpy(world->wanted.count, world->options.actors, sizeof world->wanted.count);
    world_start(world);
    return world;
}

void world_free(struct world **world)
{
    struct world *it = *world;
    it->options.witness = (struct world_witness){0};
    world_crash(it);
    memory_shelf_deinit(&it->shelf);
    buffer_deinit(&it->quarantine);
    arena_deinit(&it->texts);
    free(it->decisions);
    free(it->intake);
    free(it->outgoing);
    free(it->actors);
    free(it);
    *world = NULL;
}

// ---- looking

uint16_t world_owner(const struct world *world, enum kind_id kind, struct bytes key)
{
    return (uint16_t)(world->lanes.first[kind] + owner_of(&world->owners, kind, slot_of(key)));
}

const char *world_place_name(const struct world *world, uint16_t place, char text[static 32])
{
    if (place == WORLD_BROKER)
        return "broker";
    if (place == WORLD_CONNECTOR)
        return "provider";
    snprintf(text, 32, "%s", actor_id_name(world->actors[place].id).text);
    return text;
}

bool world_record(const struct world *world, enum kind_id kind, enum family family, struct bytes key,
                  struct bytes child, const struct shape *shape, void *record, struct arena *arena)
{
    struct buffer row = {0};
    struct bytes value;
    keys_child(&row, key, child);
    struct store_key at = {family, buffer_bytes(&row)};
    CHECK(store_get(world->actors[world_owner(world, kind, key)].store, 1, &at, &value, arena) == FAULT_NONE);
    buffer_deinit(&row);
    if (!value.at)
        return false;
    CHECK(record_decode(shape, value, record, arena), "%s %.*s", kind_name(kind), BYTES_FORMAT(key));
    return true;
}

void world_databases(const struct world *world, struct databases *databases)
{
    *databases = (struct databases){.owners = world->owners, .ever = world->ever};
    for (uint16_t i = 0; i < world->actors_count; i++)
        databases->of[world->actors[i].id.kind][world->actors[i].id.index] = world->actors[i].store;
}
