// SPDX-License-Identifier: Apache-2.0
// souk serve: a node. Puts topology, actors and broker together, waits for a signal. Begins in order: addresses are
// bound → the directory is locked, reshaped, its actors open → the broker serves. Ends in order: refuse new
// requests → actors finish their turn and answer who waits → replies go out → close.
#include "cli/cli.h"
#include "cli/directory.h"
#include "cli/files.h"
#include "cli/options.h"

#include "actors/memory.h"
#include "actors/node.h"
#include "broker/broker.h"
#include "broker/topology.h"
#include "broker/unread.h"
#include "codec/check.h"
#include "souk_build.h"

#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { FILES_LOW = 16384, SOCKETS_MAX = 60000, BEFORE_SHARE = 4 };

struct serve {
    struct topology topology;
    const char *topology_path; // NULL: ./topology.toml, else defaults
    const char *directory;     // NULL: the file's
    bool unsafe, insecure;
    uint32_t files; // that the process may have open
    void *zmq;
    struct room *room;
    struct node *node;
    struct broker *broker;
    struct broker_options broker_options;
    const char *listen[LISTEN_MAX];
};

static void print_help(void)
{
    printf("usage: souk serve [-t FILE] [-d DIR] [--unsafe] [--insecure]\n\n"
           "Runs a node until SIGTERM or SIGINT. Prints `ready ENDPOINT…` on stdout when it serves; logs go to stderr.\n\n"
           "  -t, --topology FILE  the shop's shape (default: ./topology.toml, else built-in values)\n"
           "  -d, --directory DIR  where its data live (wins over store.path of the file)\n"
           "      --unsafe         allow store.sync = false: a power cut may lose what was answered\n"
           "      --insecure       allow listening beyond loopback and ipc: there are no keys yet\n"
           "  -h, --help           this text\n\n"
           "Changing the numbers in [actors] and starting again reshapes the shop.\n"
           "Exit codes: 0 ended by a signal, 2 wrong use or a wrong topology, 70 a failure.\n\n"
           "Example: souk serve -t topology.toml -d /var/lib/souk\n");
}

static void log_line(const char *line)
{
    fprintf(stderr, "%s souk serve: %s\n", time_format(clock_wall()).text, line);
}

static void fail_line(const char *line)
{
    log_line(line);
    _exit(EXIT_FAULT);
}

static void log_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void log_format(const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    log_line(line);
}

static int read_options(int argc, char **argv, struct serve *serve)
{
    const struct option_rule options[] = {
        OPTION_TEXT("topology", 't', serve->topology_path),
        OPTION_DIRECTORY(serve->directory),
        OPTION_FLAG("unsafe", serve->unsafe),
        OPTION_FLAG("insecure", serve->insecure),
        {0},
    };
    return options_read_all("serve", print_help, options, argc, argv);
}

// An endpoint that others than this machine can reach; NULL: there is none.
static const char *public_endpoint(const struct topology *topology)
{
    for (uint32_t i = 0; i < topology->broker.listen_count; i++)
        if (topology_endpoint_is_public(topology->broker.listen[i]))
            return topology->broker.listen[i];
    return topology_endpoint_is_public(topology->broker.events) ? topology->broker.events : NULL;
}

static int read_topology(struct serve *serve)
{
    struct fault_text text;
    const char *path = serve->topology_path;
    topology_default(&serve->topology);
    if (!path && access("topology.toml", F_OK) == 0)
        path = "topology.toml";
    if (path && topology_load(path, &serve->topology, &text))
        return fail_with(EXIT_USAGE, "serve", "%s", text.line);
    if (serve->directory && !serve->directory[0])
        return usage_error("serve", "--directory must name one");
    if (serve->directory)
        snprintf(serve->topology.store.path, sizeof serve->topology.store.path, "%s", serve->directory);
    if (!serve->topology.store.sync && !serve->unsafe)
        return usage_error("serve", "%s: store.sync = false can lose what was answered; say --unsafe to mean it",
                           path ? path : "defaults");
    const char *public = public_endpoint(&serve->topology);
    if (public && !serve->insecure)
        return usage_error("serve", "%s listens beyond this machine, and there are no keys yet; say --insecure to mean it",
                           public);
    log_format("souk %s (%s), topology %s, data in %s", SOUK_VERSION, SOUK_BUILD, path ? path : "built-in",
               serve->topology.store.path);
    return EXIT_OK;
}

static struct owner_map wanted_owners(const struct topology *topology)
{
    struct owner_map map;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        map.count[kind] = (uint16_t)topology->actors.count[kind];
    return map;
}

static struct settings settings_of(const struct topology *topology)
{
    return (struct settings){
        .remember_hours = topology->store.remember_hours,
        .reservation_ttl_ms = topology->inventory.reservation_ttl_ms,
        .cart_ttl_days = topology->cart.ttl_days,
        .cart_lines_max = topology->cart.lines_max,
        .order_lines_max = topology->order.lines_max,
        .order_deadline_ms = topology->order.deadline_ms,
        .lines_in_flight_max = topology->order.lines_in_flight_max,
        .waiting_max = topology->order.waiting_max,
        .provider_key_hours = topology->payment.provider_key_hours,
        .provider = bytes_text(topology->payment.provider),
    };
}

static int open_node(struct serve *serve)
{
    const struct topology *topology = &serve->topology;
    struct node_options options = {
        .zmq = serve->zmq,
        .path = topology->store.path,
        .free_min_bytes = topology->store.free_min_mb * 1024 * 1024,
        .memory_bytes = (uint64_t)topology->store.memory_mb * 1024 * 1024,
        .files = files_for_tables(serve->files),
        .sync = topology->store.sync,
        .wanted = wanted_owners(topology),
        .settings = settings_of(topology),
        .turn_messages_max = (uint32_t)topology->actors.turn_messages_max,
        .waiters_max = (uint32_t)topology->order.waiters_max,
        .room = serve->room,
        .build = SOUK_VERSION " " SOUK_BUILD,
        .log = log_line,
        .fail = fail_line,
    };
    struct fault_text text;
    enum fault fault = node_open(&options, &serve->node, &text);
    if (fault == FAULT_LOCKED)
        return fail_with(EXIT_USAGE, "serve", "%s", text.line);
    return fault ? fail_with(EXIT_FAULT, "serve", "%s", text.line) : EXIT_OK;
}

// An address that is taken is found before anything changes.
static int bind_broker(struct serve *serve)
{
    const struct topology *topology = &serve->topology;
    for (uint32_t i = 0; i < topology->broker.listen_count; i++)
        serve->listen[i] = topology->broker.listen[i];
    serve->broker_options = (struct broker_options){
        .context = serve->zmq,
        .listen = serve->listen,
        .listen_count = topology->broker.listen_count,
        .descriptors_max = serve->files / BEFORE_SHARE,
        .events = topology->broker.events[0] ? topology->broker.events : NULL,
        .commands_in_flight_max = topology->broker.commands_in_flight_max,
        .bytes_in_flight_max = topology->broker.bytes_in_flight_max,
        .room = serve->room,
    };
    struct fault_text text;
    enum fault fault = broker_bind(&serve->broker_options, &serve->broker, &text);
    if (fault == FAULT_LOCKED)
        return fail_with(EXIT_USAGE, "serve", "%s; end what listens there, or change broker.listen or .events", text.line);
    return fault_exit("serve", fault, &text);
}

static void tell_memory(const struct serve *serve)
{
    struct owner_map ever;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        ever.count[kind] = node_actors(serve->node, kind);
    uint64_t given = (uint64_t)serve->topology.store.memory_mb << 20;
    uint64_t taken = memory_taken(given, node_owners(serve->node), &ever);
    if (taken > given)
        log_format("store.memory_mb is %llu: too little for so many actors, whose caches and buffers may take %llu MiB",
                   (unsigned long long)given >> 20, (unsigned long long)taken >> 20);
}

static void divide_files(struct serve *serve)
{
    uint32_t databases = 0;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        databases += node_actors(serve->node, kind);
    uint32_t needed = files_needed(serve->files, databases);
    serve->broker_options.descriptors_max = files_for_connections(serve->files, databases);
    if (serve->files < FILES_LOW)
        log_format("at most %u files may be open, the node may need %u of them: it takes about %u connections; "
                   "raise `ulimit -n`",
                   serve->files, needed, serve->files > needed ? serve->files - needed : 0);
}

static int start_broker(struct serve *serve)
{
    struct broker_options *options = &serve->broker_options;
    divide_files(serve);
    tell_memory(serve);
    char control[4200];
    snprintf(control, sizeof control, "ipc://%s/control.sock", serve->topology.store.path);
    options->control = control;
    options->owner = node_owner;
    options->owner_context = serve->node;
    options->status = node_status;
    options->status_context = serve->node;
    options->control_request = node_control;
    options->control_context = serve->node;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        options->actors[kind] = node_actors(serve->node, kind);
        options->serving[kind] = node_owners(serve->node)->count[kind];
    }
    if (strlen(control) > 6 + 107) { // sun_path
        log_format("%s is too long for a socket: --snapshot will not work on this node", control + 6);
        options->control = NULL;
    }
    struct fault_text text;
    if (broker_start(serve->broker, options, &text))
        return fail_with(EXIT_FAULT, "serve", "%s", text.line);
    return EXIT_OK;
}

static void print_ready(const struct serve *serve)
{
    printf("ready");
    for (uint32_t i = 0; i < serve->topology.broker.listen_count; i++)
        printf(" %s", broker_endpoint(serve->broker, i));
    printf("\n");
    fflush(stdout);
    log_format("epoch %llu serves", (unsigned long long)node_epoch(serve->node));
}

// ---- how large the log has grown

static int64_t bytes_seen;

static int add_file(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    if (type == FTW_F && walk->level > 1)
        bytes_seen += status->st_blocks * 512;
    return 0;
}

// Logs are kept whole; all an operator can do yet is to be told in time. Once for each GiB.
static void watch_log(const struct serve *serve)
{
    static int64_t told;
    bytes_seen = 0;
    nftw(serve->topology.store.path, add_file, 16, FTW_PHYS);
    int64_t gib = bytes_seen >> 30;
    if (gib < serve->topology.store.log_max_gb || gib <= told)
        return;
    told = gib;
    log_format("%s takes %lld GiB, store.log_max_gb is %lld: logs are kept whole and nothing is pruned; see to more space",
               serve->topology.store.path, (long long)gib, (long long)serve->topology.store.log_max_gb);
}

static int wait_for_signal(const struct serve *serve, const sigset_t *signals)
{
    for (;;) {
        const struct timespec minute = {.tv_sec = 60};
        watch_log(serve);
        int signal = sigtimedwait(signals, NULL, &minute);
        if (signal > 0)
            return signal;
    }
}

static int serve_until_told(struct serve *serve, const sigset_t *signals)
{
    int code = start_broker(serve);
    node_go(serve->node);
    if (code == EXIT_OK) {
        print_ready(serve);
        int signal = wait_for_signal(serve, signals);
        log_format("%s: ending", strsignal(signal));
        broker_refuse(serve->broker);
    }
    node_stop(serve->node);
    return code;
}

static int run(struct serve *serve, const sigset_t *signals)
{
    int64_t in_flight_max = serve->topology.broker.bytes_in_flight_max;
    serve->room = room_new((uint64_t)(in_flight_max > UNREAD_MIN ? in_flight_max : UNREAD_MIN));
    int code = bind_broker(serve);
    if (code == EXIT_OK)
        code = open_node(serve);
    if (serve->node)
        code = serve_until_told(serve, signals);
    broker_stop(&serve->broker);
    node_close(&serve->node);
    room_free(&serve->room);
    if (code == EXIT_OK)
        log_line("ended");
    return code;
}

int command_serve(int argc, char **argv)
{
    struct serve *serve = calloc(1, sizeof *serve);
    CHECK(serve);
    sigset_t signals;
    int code = read_options(argc, argv, serve);
    if (code == EXIT_OK)
        code = read_topology(serve);
    if (code == EXIT_OK) {
        serve->files = files_raise();
        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        pthread_sigmask(SIG_BLOCK, &signals, NULL); // every thread inherits it; sigwait takes them
        signal(SIGPIPE, SIG_IGN);
        serve->zmq = zmq_ctx_new();
        CHECK(serve->zmq);
        zmq_ctx_set(serve->zmq, ZMQ_MAX_SOCKETS, SOCKETS_MAX);
        code = run(serve, &signals);
        zmq_ctx_term(serve->zmq);
    }
    free(serve);
    return code;
}
