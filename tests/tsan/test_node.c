// SPDX-License-Identifier: Apache-2.0
// A whole node under ThreadSanitizer, in one process with its clients: shoppers over TCP, each with a client of its own,
// and an operator who takes snapshots. It ends in the middle of it, and starts again with other numbers of actors.
#include "actors/node.h"
#include "broker/broker.h"
#include "broker/topology.h"
#include "client/souk.h"
#include "codec/check.h"
#include "tests/tsan/handover.h"

#include <ftw.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { LIVES = 3, SHOPPERS = 3, IN_FLIGHT_MAX = 64, LIFE_MS = 400, ANSWERS_WANTED = 200, SKUS = 3 };

struct house {
    void *zmq;
    char path[64], endpoint[ENDPOINT_SIZE_MAX], control[ENDPOINT_SIZE_MAX];
    struct node *node;
    struct broker_options options;
    struct broker *broker;
    atomic_bool ending;
    _Atomic uint32_t answers, snapshots;
};

struct shopper {
    struct house *house;
    uint32_t number, seed;
    uint32_t flying;
    pthread_t thread;
};

static void sleep_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L}, NULL);
}

// ---- the node, put together as `souk serve` does

static void log_line(const char *line)
{
}

static void fail_line(const char *line)
{
    CHECK(false, "%s", line);
}

static void open_node(struct house *house, uint16_t actors)
{
    struct node_options options = {
        .zmq = house->zmq,
        .path = house->path,
        .memory_bytes = 64 * 1024 * 1024,
        .sync = false,
        .wanted = {{1, actors, 1, actors, 1, 1}},
        .settings = {.remember_hours = 1, .reservation_ttl_ms = 50, .cart_ttl_days = 1, .cart_lines_max = 10,
                     .order_lines_max = 10, .order_deadline_ms = 200, .lines_in_flight_max = 1000, .waiting_max = 1000,
                     .provider_key_hours = 1, .provider = BYTES("sandbox")},
        .turn_messages_max = 64,
        .waiters_max = 100,
        .build = "test",
        .log = log_line,
        .fail = fail_line,
    };
    struct fault_text text;
    CHECK(node_open(&options, &house->node, &text) == FAULT_NONE, "%s", text.line);
}

static void bind_broker(struct house *house)
{
    static const char *const listen[] = {"tcp://127.0.0.1:*"};
    struct fault_text text;
    house->options = (struct broker_options){
        .context = house->zmq,
        .listen = listen,
        .listen_count = 1,
        .commands_in_flight_max = 1024,
        .bytes_in_flight_max = 1024 * 1024,
    };
    CHECK(broker_bind(&house->options, &house->broker, &text) == FAULT_NONE, "%s", text.line);
    snprintf(house->endpoint, sizeof house->endpoint, "%s", broker_endpoint(house->broker, 0));
}

static void start_broker(struct house *house)
{
    struct broker_options *options = &house->options;
    struct fault_text text;
    options->control = house->control;
    options->owner = node_owner;
    options->status = node_status;
    options->control_request = node_control;
    options->owner_context = options->status_context = options->control_context = house->node;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        options->actors[kind] = node_actors(house->node, kind);
        options->serving[kind] = node_owners(house->node)->count[kind];
    }
    CHECK(broker_start(house->broker, options, &text) == FAULT_NONE, "%s", text.line);
}

static void end(struct house *house)
{
    broker_refuse(house->broker);
    node_stop(house->node);
    broker_stop(&house->broker);
    node_close(&house->node);
}

// ---- those who ask

static void write_money(struct buffer *body, int64_t amount)
{
    pack_map(body, 2);
    pack_text(body, "amount");
    pack_int(body, amount);
    pack_text(body, "currency");
    pack_text(body, "GBP");
}

static void write_order(struct shopper *shopper, const char *sku, struct buffer *body)
{
    static const char *const methods[] = {"pm_card_visa", "pm_card_chargeDeclined", "pm_sandbox_late",
                                          "pm_sandbox_twice", "pm_sandbox_flaky", "cod"};
    pack_map(body, 3);
    pack_text(body, "user_id");
    pack_text(body, "u");
    pack_text(body, "payment_method");
    pack_text(body, methods[rand_r(&shopper->seed) % 6]);
    pack_text(body, "lines");
    pack_array(body, 1);
    pack_map(body, 3);
    pack_text(body, "sku");
    pack_text(body, sku);
    pack_text(body, "quantity");
    pack_int(body, 1);
    pack_text(body, "unit_price");
    write_money(body, 100);
}

static void write_quantity(struct buffer *body, const char *name, const char *value)
{
    pack_map(body, name ? 2 : 1);
    pack_text(body, "quantity");
    pack_int(body, 1);
    if (name) {
        pack_text(body, name);
        pack_text(body, value);
    }
}

static void ask(struct shopper *shopper, struct souk_client *client)
{
    struct buffer body = {0};
    char id[33], key[16];
    uint32_t what = (uint32_t)rand_r(&shopper->seed) % 8;
    snprintf(key, sizeof key, "sku-%d", rand_r(&shopper->seed) % SKUS);
    souk_request_id(id);
    const char *type = "inventory.get", *to = key;
    if (what == 0) {
        type = "inventory.receive";
        write_quantity(&body, NULL, NULL);
    } else if (what == 1) {
        type = "inventory.reserve";
        write_quantity(&body, "reservation_id", id);
    } else if (what == 2) {
        type = "cart.add";
        write_quantity(&body, "sku", key);
    } else if (what <= 4) {
        type = "order.place";
        write_order(shopper, key, &body);
        to = id;
    } else if (what == 5) {
        type = "souk.status";
    } else if (what == 6) {
        type = "events.read";
        to = "order/0";
    }
    shopper->flying += souk_client_send(client, id, type, to, body.at, body.size, 0, NULL);
    buffer_deinit(&body);
}

static void take_answers(struct shopper *shopper, struct souk_client *client)
{
    struct souk_reply reply;
    bool waits = shopper->flying >= IN_FLIGHT_MAX;
    while (souk_client_receive(client, waits ? 50 : 0, &reply)) {
        shopper->flying -= shopper->flying > 0;
        atomic_fetch_add(&shopper->house->answers, 1);
        waits = false;
    }
    if (waits) { // nobody answers any more
        souk_client_reconnect(client);
        shopper->flying = 0;
    }
}

static void *shop(void *context)
{
    struct shopper *shopper = context;
    struct souk_client *client = souk_client_open(shopper->house->endpoint);
    CHECK(client, "%s", shopper->house->endpoint);
    while (!atomic_load(&shopper->house->ending)) {
        souk_client_bundle_begin(client);
        for (int i = rand_r(&shopper->seed) % 8; i >= 0; i--)
            ask(shopper, client);
        souk_client_bundle_end(client);
        take_answers(shopper, client);
    }
    souk_client_close(&client);
    return NULL;
}

static void *take_snapshots(void *context)
{
    struct house *house = context;
    struct souk_client *client = souk_client_open(house->control);
    CHECK(client, "%s", house->control);
    while (!atomic_load(&house->ending)) {
        struct souk_reply reply;
        char id[33];
        souk_request_id(id);
        souk_client_send(client, id, "souk.snapshot", id, NULL, 0, 0, NULL);
        if (souk_client_receive(client, 200, &reply) && strcmp(reply.status, "ok") == 0)
            atomic_fetch_add(&house->snapshots, 1);
        sleep_ms(20);
    }
    souk_client_close(&client);
    return NULL;
}

// ---- one life of the node

static void live(struct house *house, uint32_t life)
{
    struct shopper shoppers[SHOPPERS];
    pthread_t operator;
    atomic_store(&house->ending, false);
    bind_broker(house);
    open_node(house, (uint16_t)(life % 2 + 1));
    start_broker(house);
    node_go(house->node);
    for (uint32_t i = 0; i < SHOPPERS; i++) {
        shoppers[i] = (struct shopper){.house = house, .number = i, .seed = life * SHOPPERS + i};
        CHECK(pthread_create(&shoppers[i].thread, NULL, shop, &shoppers[i]) == 0, "no thread");
    }
    CHECK(pthread_create(&operator, NULL, take_snapshots, house) == 0, "no thread");
    sleep_ms(LIFE_MS + (int)(life * 37 % 100));
    end(house);
    atomic_store(&house->ending, true);
    for (uint32_t i = 0; i < SHOPPERS; i++)
        pthread_join(shoppers[i].thread, NULL);
    pthread_join(operator, NULL);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    return remove(path);
}

int main(int argc, char **argv)
{
    static struct house house;
    uint32_t lives = handover_rounds(argc, argv, LIVES);
    snprintf(house.path, sizeof house.path, "/tmp/souk-tsan-XXXXXX");
    CHECK(mkdtemp(house.path), "%s", house.path);
    snprintf(house.control, sizeof house.control, "ipc://%s/control.sock", house.path);
    house.zmq = zmq_ctx_new();
    for (uint32_t life = 0; life < lives; life++)
        live(&house, life);
    zmq_ctx_term(house.zmq);
    CHECK(house.answers >= ANSWERS_WANTED && house.snapshots, "%u answers, %u snapshots", house.answers, house.snapshots);
    printf("%u lives, %u answers, %u snapshots\n", lives, house.answers, house.snapshots);
    nftw(house.path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
