// SPDX-License-Identifier: Apache-2.0
#include "actors/dying.h"

#include "actors/shard.h"
#include "codec/check.h"
#include "store/last_words.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { STACK_SIZE = 64 * 1024 };

static const struct {
    int number;
    const char *name;
} signals[] = {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGFPE, "SIGFPE"}, {SIGILL, "SIGILL"}, {SIGABRT, "SIGABRT"}};
enum { SIGNAL_COUNT = sizeof signals / sizeof *signals };

static struct sigaction before[SIGNAL_COUNT];
static int file = -1;
static atomic_flag spoken = ATOMIC_FLAG_INIT; // the first death is the one that counts
static struct last_words words;
static _Thread_local const char *check_line; // of the CHECK that fails in this thread

static void note_check(const char *line)
{
    check_line = line;
}

// ---- in the handler: only async-signal-safe calls

static uint8_t keep(uint8_t *to, size_t max, struct bytes from)
{
    size_t size = from.size < max ? from.size : max;
    if (size)
        memcpy(to, from.at, size);
    return (uint8_t)size;
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void speak(const struct decision *decision, const char *death)
{
    const struct incoming *in = decision->in;
    size_t size = strlen(death);
    words.at = now_us();
    words.kind = (uint8_t)decision->def->kind;
    words.origin = (uint8_t)in->origin;
    words.sender_kind = (uint8_t)in->sender.kind;
    words.key_size = keep(words.key, sizeof words.key, decision->request.key);
    words.type_size = keep(words.type, sizeof words.type, decision->request.type);
    words.sender_size = keep(words.sender, sizeof words.sender, in->sender.key);
    words.death_size = (uint16_t)(size < sizeof words.death ? size : sizeof words.death);
    memcpy(words.death, death, words.death_size);
    last_words_write(file, &words, in->request);
}

static void handle(int number, siginfo_t *info, void *unused)
{
    const struct decision *decision = shard_decided_now();
    bool sent = info->si_code <= 0, foreign = sent && info->si_pid != getpid();
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        sigaction(signals[i].number, &before[i], NULL); // D3; also for what goes wrong in here
        if (signals[i].number == number && decision && !foreign && !atomic_flag_test_and_set(&spoken))
            speak(decision, check_line ? check_line : signals[i].name);
    }
    if (sent) // it would not come again by itself
        raise(number);
}

// ---- around it

enum fault dying_prepare(const char *directory, struct fault_text *text)
{
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    file = last_words_open(directory, text);
    if (file < 0)
        return FAULT_IO;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < SIGNAL_COUNT; i++)
        sigaddset(&action.sa_mask, signals[i].number);
    for (int i = 0; i < SIGNAL_COUNT; i++)
        sigaction(signals[i].number, &action, &before[i]);
    check_last_words = note_check;
    return FAULT_NONE;
}

void dying_done(void)
{
    if (file < 0)
        return;
    check_last_words = NULL;
    for (int i = 0; i < SIGNAL_COUNT; i++)
        sigaction(signals[i].number, &before[i], NULL);
    close(file);
    file = -1;
}

void dying_stack_open(struct dying_stack *stack)
{
    stack->memory = malloc(STACK_SIZE);
    CHECK(stack->memory);
    sigaltstack(&(stack_t){.ss_sp = stack->memory, .ss_size = STACK_SIZE}, NULL);
}

void dying_stack_close(struct dying_stack *stack)
{
    sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
    free(stack->memory);
    stack->memory = NULL;
}
