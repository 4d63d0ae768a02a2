// SPDX-License-Identifier: Apache-2.0
// While a snapshot exists, interrupts are blocked in every thread but one, which waits for them, removes the snapshot
// and ends the process.
#include "cli/snapshot.h"

#include "broker/listener.h"
#include "cli/cli.h"
#include "cli/control.h"
#include "client/souk.h"
#include "codec/check.h"
#include "codec/json.h"
#include "codec/message.h"
#include "store/snapshots.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SNAPSHOT_TIMEOUT_MS = 15000 };

static char doomed[4096];
static int held = -1; // keeps a node that starts meanwhile from sweeping it
static pthread_t watcher;
static bool watching;

static void remove_doomed(void)
{
    int error = access(doomed, F_OK) == 0 ? snapshot_remove(doomed) : 0;
    if (error)
        fprintf(stderr, "souk: %s: cannot be removed (%s); it only takes space\n", doomed, strerror(error));
}

// ---- interrupts

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
    remove_doomed();
    _exit(128 + signal);
}

void snapshot_prepare(void)
{
    sigset_t signals;
    interrupts(&signals);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN); // a reader that goes away ends the output, not the process
}

void snapshot_done(void)
{
    sigset_t signals;
    if (watching) {
        pthread_cancel(watcher);
        pthread_join(watcher, NULL);
        watching = false;
        remove_doomed();
        if (held >= 0)
            close(held);
        held = -1;
    }
    interrupts(&signals);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
}

// ---- asking

static bool reply_path(const struct souk_reply *reply, char *path)
{
    struct snapshot_reply body;
    struct refusal why;
    struct arena arena;
    arena_init(&arena);
    bool good =
        body_decode_lenient(snapshot_reply_shape(), bytes_of(reply->body, reply->body_size), &body, &arena, &why);
    if (good)
        snprintf(path, 4096, "%.*s", BYTES_FORMAT(body.path));
    arena_deinit(&arena);
    return good;
}

static int refused(const char *command, const struct souk_reply *reply)
{
    struct buffer body = {0};
    json_write(bytes_of(reply->body, reply->body_size), &body);
    int code = fail_with(EXIT_FAULT, command, "the node made no snapshot: %s %.*s", reply->status,
                         BYTES_FORMAT(buffer_bytes(&body)));
    buffer_deinit(&body);
    return code;
}

static int ask(const char *command, const char *endpoint, const char *id, const char *name, char *path)
{
    struct souk_reply reply;
    int code = EXIT_OK;
    struct souk_client *client = souk_client_open(endpoint);
    if (!client)
        return fail_with(EXIT_FAULT, command, "%s: not an endpoint", endpoint);
    progress("waiting for the node's snapshot");
    if (!souk_client_call(client, id, "souk.snapshot", name, NULL, 0, SNAPSHOT_TIMEOUT_MS, &reply))
        code =
            fail_with(EXIT_NO_ANSWER, command, "%s: no answer within %d s from the node that has this directory open",
                      endpoint, SNAPSHOT_TIMEOUT_MS / 1000);
    else if (strcmp(reply.status, "ok") != 0)
        code = refused(command, &reply);
    else if (!reply_path(&reply, path))
        code = fail_with(EXIT_FAULT, command, "the node's answer names no path; is it another version?");
    souk_client_close(&client);
    progress_done();
    return code;
}

int snapshot_take(const char *command, const char *directory, char *path)
{
    char endpoint[4200], name[64], id[33];
    int code = control_endpoint(command, directory, endpoint, sizeof endpoint);
    if (code)
        return code;
    if (listener_gone(endpoint))
        return fail_with(EXIT_USAGE, command,
                         "%s: locked, but no node listens there: a tool writes to it, or a node starts or ends; try again later",
                         directory);
    souk_request_id(id);
    snprintf(name, sizeof name, "%s-%.16s", command, id);
    snprintf(doomed, sizeof doomed, "%.3900s/snapshots/%s", directory, name);
    watching = true;
    CHECK(pthread_create(&watcher, NULL, watch, NULL) == 0);
    code = ask(command, endpoint, id, name, path);
    if (code)
        snapshot_done();
    else if (access(doomed, F_OK) == 0)
        snprintf(path, 4096, "%s", doomed); // a node's relative path is relative to where the node runs
    else
        snprintf(doomed, sizeof doomed, "%s", path);
    if (code == EXIT_OK)
        held = snapshot_hold(doomed);
    return code;
}
