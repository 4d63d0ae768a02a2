// SPDX-License-Identifier: Apache-2.0
#include "cli/directory.h"

#include "broker/topology.h"
#include "cli/cli.h"
#include "client/souk.h"
#include "codec/check.h"
#include "codec/json.h"

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SNAPSHOT_TIMEOUT_MS = 60000, SOCKET_PATH_MAX = 107 };

int fault_exit(const char *command, enum fault fault, const struct fault_text *text)
{
    switch (fault) {
    case FAULT_NONE:
        return EXIT_OK;
    case FAULT_LOCKED:
    case FAULT_MISSING:
    case FAULT_USAGE:
        return fail_with(EXIT_USAGE, command, "%s", text->line);
    case FAULT_IO:
    case FAULT_CORRUPTION:
    case FAULT_VERSION:
        break;
    }
    return fail_with(EXIT_FAULT, command, "%s", text->line);
}

int directory_default(const char *command, char *path)
{
    struct topology *topology = calloc(1, sizeof *topology);
    CHECK(topology);
    struct fault_text text;
    int code = EXIT_OK;
    topology_default(topology);
    if (access("topology.toml", F_OK) == 0 && topology_load("topology.toml", topology, &text))
        code = fail_with(EXIT_USAGE, command, "%s", text.line);
    snprintf(path, 4096, "%s", topology->store.path);
    free(topology);
    return code;
}

// ---- snapshots

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    return remove(path);
}

static void remove_tree(const char *path)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        fprintf(stderr, "souk: %s: cannot be removed (%s); it only takes space\n", path, strerror(errno));
}

// The snapshot that an interrupt has to remove. One at a time.
static char doomed[4096];
static pthread_t watcher;

static void interrupts(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGHUP);
}

static void *watch(void *unused)
{
    sigset_t signals;
    int signal = 0;
    interrupts(&signals);
    sigwait(&signals, &signal);
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    remove_tree(doomed);
    _exit(128 + signal);
}

static void watch_begin(const char *path)
{
    sigset_t signals;
    interrupts(&signals);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN); // a reader that goes away ends the output, not the process
    snprintf(doomed, sizeof doomed, "%s", path);
    CHECK(pthread_create(&watcher, NULL, watch, NULL) == 0);
}

static void watch_end(void)
{
    sigset_t signals;
    pthread_cancel(watcher);
    pthread_join(watcher, NULL);
    interrupts(&signals);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

static bool reply_path(const struct souk_reply *reply, char *path, size_t size)
{
    struct snapshot_reply body;
    struct refusal why;
    struct arena arena;
    arena_init(&arena);
    bool good =
        body_decode_lenient(snapshot_reply_shape(), bytes_of(reply->body, reply->body_size), &body, &arena, &why);
    if (good)
        snprintf(path, size, "%.*s", BYTES_FORMAT(body.path));
    arena_deinit(&arena);
    return good;
}

static int refused(const char *command, const struct souk_reply *reply)
{
    struct buffer body = {0};
    json_write(bytes_of(reply->body, reply->body_size), &body);
    int code = fail_with(EXIT_REFUSED, command, "the node made no snapshot: %s %.*s", reply->status,
                         BYTES_FORMAT(buffer_bytes(&body)));
    buffer_deinit(&body);
    return code;
}

// Asks the node that runs in `path`; `made` (4096 bytes) becomes the checkpoint's path.
static int snapshot_ask(const char *command, const char *path, char *made)
{
    char endpoint[4200], name[64], id[33], *real = realpath(path, NULL);
    struct souk_reply reply;
    snprintf(endpoint, sizeof endpoint, "ipc://%.4000s/control.sock", real ? real : path);
    free(real);
    if (strlen(endpoint) > 6 + SOCKET_PATH_MAX)
        snprintf(endpoint, sizeof endpoint, "ipc://%.4000s/control.sock", path);
    if (strlen(endpoint) > 6 + SOCKET_PATH_MAX)
        return fail_with(EXIT_USAGE, command,
                         "%s: too long for a socket's path; change into a directory above it and "
                         "give a relative one",
                         endpoint + 6);
    if (access(endpoint + 6, F_OK) != 0)
        return fail_with(EXIT_USAGE, command,
                         "%s: locked, but no node listens there: another tool reads it now; try again later", path);
    souk_request_id(id);
    snprintf(name, sizeof name, "%s-%.16s", command, id);
    struct souk_client *client = souk_client_open(endpoint);
    if (!client)
        return fail_with(EXIT_FAULT, command, "%s: not an endpoint", endpoint);
    int code = EXIT_OK;
    progress("waiting for the node's snapshot");
    uint8_t empty_map = 0x80;
    if (!souk_client_call(client, id, "souk.snapshot", name, &empty_map, 1, SNAPSHOT_TIMEOUT_MS, &reply))
        code = fail_with(EXIT_NO_ANSWER, command,
                         "%s: no answer within %d s; is it a node that has this directory open, or another tool?",
                         endpoint, SNAPSHOT_TIMEOUT_MS / 1000);
    else if (strcmp(reply.status, "ok") != 0)
        code = refused(command, &reply);
    else if (!reply_path(&reply, made, 4096))
        code = fail_with(EXIT_FAULT, command, "the node's answer names no path; is it another version?");
    souk_client_close(&client);
    progress_done();
    return code;
}

static int snapshot_open(const char *command, struct directory *directory)
{
    char made[4096];
    struct fault_text text;
    int code = snapshot_ask(command, directory->path, made);
    if (code)
        return code;
    snprintf(directory->path, sizeof directory->path, "%s", made);
    directory->is_snapshot = true;
    watch_begin(made);
    return fault_exit(command, shop_open(made, false, true, &directory->shop, &text), &text);
}

// ---- opening

static int shop_lock(const char *command, struct directory *directory, bool snapshot)
{
    struct fault_text text;
    enum fault fault = shop_open(directory->path, false, false, &directory->shop, &text);
    if (fault == FAULT_LOCKED && snapshot)
        return snapshot_open(command, directory);
    if (fault == FAULT_LOCKED)
        return fail_with(EXIT_USAGE, command,
                         "%s: a node runs here (or another tool reads it). Stop it, or say --snapshot to work on a "
                         "checkpoint that the node makes now",
                         directory->path);
    return fault_exit(command, fault, &text);
}

int directory_open(const char *command, const char *path, bool snapshot, struct directory **directory)
{
    struct directory *it = calloc(1, sizeof *it);
    CHECK(it);
    int code = EXIT_OK;
    if (path)
        snprintf(it->path, sizeof it->path, "%s", path);
    else
        code = directory_default(command, it->path);
    if (code == EXIT_OK)
        code = shop_lock(command, it, snapshot);
    if (code) {
        directory_close(&it);
        return code;
    }
    it->databases.owners = shop_record(it->shop)->owners;
    it->databases.ever = shop_record(it->shop)->ever;
    *directory = it;
    return EXIT_OK;
}

int directory_open_kind(const char *command, struct directory *directory, enum kind_id kind)
{
    for (uint16_t index = 0; index < directory->databases.ever.count[kind]; index++) {
        struct actor_id actor = {kind, index};
        struct shop_database_path path = shop_database(directory->shop, actor);
        struct fault_text text;
        struct store_options options = {.path = path.text, .read_only = true};
        progress("opening %s", actor_id_name(actor).text);
        enum fault fault = store_rocks_open(&options, &directory->databases.of[kind][index], &text);
        if (fault)
            return fault_exit(command, fault, &text);
    }
    return EXIT_OK;
}

int directory_open_all(const char *command, struct directory *directory)
{
    int code = EXIT_OK;
    for (int kind = 0; kind < KIND_COUNT && code == EXIT_OK; kind++)
        code = directory_open_kind(command, directory, kind);
    return code;
}

void directory_close(struct directory **directory)
{
    struct directory *it = *directory;
    if (!it)
        return;
    for (int kind = 0; kind < KIND_COUNT; kind++)
        for (int index = 0; index < ACTORS_MAX; index++)
            store_close(&it->databases.of[kind][index]);
    shop_close(&it->shop);
    if (it->is_snapshot) {
        watch_end();
        remove_tree(it->path);
    }
    free(it);
    *directory = NULL;
}
