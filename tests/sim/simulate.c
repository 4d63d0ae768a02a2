// SPDX-License-Identifier: Apache-2.0
// The simulator's command: many seeds in as many processes as there are cores. What fails is run once more, alone, with
// its story told.
#include "tests/sim/run.h"

#include "codec/check.h"
#include "tests/sim/plants.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JOBS_MAX = 64, FILE_SEEDS_MAX = 4096 };

struct worker {
    _Atomic uint64_t seed; // under way
    struct coverage coverage;
    struct finding finding;
    pid_t pid;
};

// Between the processes.
struct board {
    _Atomic uint64_t next, done;
    atomic_bool stop;
    struct worker workers[JOBS_MAX];
};

static struct options {
    uint64_t first, count, seeds[FILE_SEEDS_MAX];
    uint32_t seeds_count; // of a file; 0: first, first + 1, …
    double minutes;
    int jobs, lines;
    bool json, one;
} options = {.first = 1, .count = 100, .lines = 120};

static struct board *board;
static struct worker *me;   // in a worker
static struct run *running; // for last words
static bool telling;

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_help(void)
{
    printf("usage: tools/simulate [--seed S | --file FILE] [--seeds N] [--minutes M] [--jobs J] [--lines L] [--json]\n\n"
           "Runs the whole shop on one thread under a seed: shoppers, operators, a wire and a provider that misbehave,\n"
           "crashes at any point, a clock that jumps. A model and an auditor look after every turn; at the end everything\n"
           "must come to rest. What fails prints its seed, the broken invariant and the story of the keys involved, and\n"
           "is the same every time.\n\n"
           "      --seed S        only this seed\n"
           "      --file FILE     the seeds of a file: one at the start of each line, the rest says what it found\n"
           "      --seeds N       as many seeds (100), from --from on\n"
           "      --from S        the first of them (1)\n"
           "      --minutes M     instead: until that much time has passed\n"
           "      --jobs J        processes (one for each core)\n"
           "      --lines L       lines of the story, its end (120)\n"
           "      --json          what was covered as one JSON object\n"
           "      --plant NAME    with this planted fault; --plants lists them (tools/plants builds them in)\n"
           "  -h, --help          this text\n\n"
           "Exit codes: 0 nothing found, 1 a broken invariant, 2 wrong use.\n");
}

static int usage(const char *format, const char *what)
{
    fprintf(stderr, "simulate: ");
    fprintf(stderr, format, what);
    fprintf(stderr, "\nTry 'tools/simulate --help'.\n");
    return 2;
}

static bool read_file(const char *path)
{
    char line[1024];
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    while (fgets(line, sizeof line, file) && options.seeds_count < FILE_SEEDS_MAX) {
        char *end;
        uint64_t seed = strtoull(line, &end, 10);
        if (end != line)
            options.seeds[options.seeds_count++] = seed;
    }
    fclose(file);
    options.count = options.seeds_count;
    return true;
}

static bool number(const char *text, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoull(text, &end, 10);
    return !errno && end != text && !*end && text[0] != '-';
}

static int read_options(int argc, char **argv)
{
    static const struct option known[] = {
        {"seed", required_argument, NULL, 's'},    {"seeds", required_argument, NULL, 'n'},
        {"from", required_argument, NULL, 'f'},    {"minutes", required_argument, NULL, 'm'},
        {"jobs", required_argument, NULL, 'j'},    {"lines", required_argument, NULL, 'l'},
        {"file", required_argument, NULL, 'F'},    {"json", no_argument, NULL, 'J'},
        {"plant", required_argument, NULL, 'p'},   {"plants", no_argument, NULL, 'P'},
        {"help", no_argument, NULL, 'h'},          {0},
    };
    uint64_t value = 0;
    int option;
    options.jobs = (int)sysconf(_SC_NPROCESSORS_ONLN);
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        if (option == 'h' || option == 'P') {
            (option == 'h' ? print_help : plants_print)();
            exit(0);
        }
        if (option == '?')
            return usage("%s", "unknown option");
        if (option == 'p' && !plants_choose(optarg))
            return usage("no planted fault '%s' in this build", optarg);
        if (option != 'J' && option != 'F' && option != 'p' && !number(optarg, &value))
            return usage("'%s' is no whole number", optarg);
        if (option == 'F' && !read_file(optarg))
            return usage("%s cannot be read", optarg);
        options.json |= option == 'J';
        options.one |= option == 's';
        options.first = option == 's' || option == 'f' ? value : options.first;
        options.count = option == 'n' ? value : option == 's' ? 1 : options.count;
        options.minutes = option == 'm' ? (double)value : options.minutes;
        options.jobs = option == 'j' ? (int)value : options.jobs;
        options.lines = option == 'l' ? (int)value : options.lines;
    }
    if (optind < argc)
        return usage("unexpected argument '%s'", argv[optind]);
    if (options.jobs < 1 || options.jobs > JOBS_MAX)
        return usage("%s", "--jobs is 1 to 64");
    return 0;
}

// ---- one seed

static void tell_story(const struct trace *trace)
{
    struct bytes text = buffer_bytes(&trace->text);
    size_t from = text.size;
    int lines = 0;
    while (from > 0 && (text.at[from - 1] != '\n' || lines++ <= options.lines))
        from--;
    if (from)
        printf("… (%zu bytes before; --lines shows more)\n", from);
    printf("%.*s", (int)(text.size - from), (const char *)text.at + from);
    fflush(stdout);
}

// The engine's own CHECK ends the process: the keys of the messages under way say whose story it is.
static void last_words(const char *line)
{
    struct finding finding = {.found = true};
    if (telling) {
        tell_story(&running->auditor.trace);
        fflush(stdout);
        _exit(1);
    }
    snprintf(finding.text, sizeof finding.text, "%s", line);
    const struct core *core = running && running->world ? running->world->deciding : NULL;
    for (uint32_t i = 0; core && i < core->count && finding.keys_count < FINDING_KEYS_MAX; i++) {
        struct cursor cursor = cursor_over(core->list[i].request);
        struct request request;
        struct envelope_refusal refusal;
        if (request_read(&cursor, &request, &refusal))
            snprintf(finding.keys[finding.keys_count++], sizeof *finding.keys, "%s/%.*s",
                     kind_name(core->options.shard.actor.kind), BYTES_FORMAT(request.key));
    }
    me->finding = finding;
    atomic_store(&board->stop, true);
    _exit(3);
}

static void run_one(uint64_t seed, const struct trace *trace)
{
    static struct run run;
    running = &run;
    run_seed(&run, seed, trace);
}

static void work(int index, double until)
{
    me = &board->workers[index];
    check_last_words = last_words;
    if (!freopen("/dev/null", "w", stderr))
        _exit(70);
    while (!atomic_load(&board->stop) && (!options.minutes || now_s() < until)) {
        uint64_t turn = atomic_fetch_add(&board->next, 1);
        if (!options.minutes && turn >= options.count)
            break;
        uint64_t seed = options.seeds_count ? options.seeds[turn % options.seeds_count] : options.first + turn;
        atomic_store(&me->seed, seed);
        run_one(seed, NULL);
        coverage_add(&me->coverage, &running->auditor.coverage);
        if (running->auditor.finding.found) {
            me->finding = running->auditor.finding;
            atomic_store(&board->stop, true);
            _exit(1);
        }
        run_deinit(running);
        running = NULL;
        atomic_fetch_add(&board->done, 1);
    }
    exit(0);
}

// ---- all

static void story_key(struct trace *trace, const char *key)
{
    char *to = trace->keys[trace->keys_count++];
    const char *slash = strchr(key, '/');
    bool money = strncmp(key, "payment/", 8) == 0 || strncmp(key, "sandbox/", 8) == 0;
    if (money)
        snprintf(to, sizeof *trace->keys, "order%s", slash);
    else
        snprintf(to, sizeof *trace->keys, "%s", key);
}

static void report(const struct worker *worker)
{
    const struct finding *finding = &worker->finding;
    uint64_t seed = atomic_load(&worker->seed);
    struct trace trace = {.on = true};
    if (finding->invariant)
        printf("seed %" PRIu64 ": I%d is broken: %s\n", seed, finding->invariant, finding->text);
    else
        printf("seed %" PRIu64 ": %s\n", seed, finding->found ? finding->text : "the process ended without a word");
    for (int i = 0; i < finding->keys_count; i++) {
        printf("  %s\n", finding->keys[i]);
        story_key(&trace, finding->keys[i]);
    }
    printf("again: tools/simulate --seed %" PRIu64 "\n\n", seed);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        telling = true;
        check_last_words = last_words;
        if (!freopen("/dev/null", "w", stderr))
            _exit(70);
        run_one(seed, &trace);
        tell_story(&running->auditor.trace);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
}

static void show_progress(double started)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%" PRIu64 " seeds, %.0f s ", atomic_load(&board->done), now_s() - started);
}

// false: a worker found something, or died.
static bool wait_for_workers(double started)
{
    int left = options.jobs;
    bool fine = true;
    while (left) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid > 0) {
            left--;
            bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
            fine &= well;
            if (!well)
                atomic_store(&board->stop, true);
            for (int i = 0; i < options.jobs && !well; i++)
                if (board->workers[i].pid == pid)
                    board->workers[i].finding.found |= true;
        } else {
            show_progress(started);
            usleep(20000);
        }
    }
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r                              \r");
    return fine;
}

static void print_coverage(double seconds)
{
    struct coverage sum = {0};
    struct buffer text = {0};
    for (int i = 0; i < options.jobs; i++)
        coverage_add(&sum, &board->workers[i].coverage);
    if (options.json)
        coverage_json(&sum, seconds, &text);
    else
        coverage_print(&sum, seconds, &text);
    printf("%.*s%s", (int)text.size, (const char *)text.at, options.json ? "\n" : "");
    buffer_deinit(&text);
}

int main(int argc, char **argv)
{
    int wrong = read_options(argc, argv);
    if (wrong)
        return wrong;
    if (options.one || options.count < (uint64_t)options.jobs)
        options.jobs = options.one ? 1 : options.jobs;
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(board != MAP_FAILED);
    double started = now_s();
    fflush(stdout);
    for (int i = 0; i < options.jobs; i++) {
        board->workers[i].pid = fork();
        CHECK(board->workers[i].pid >= 0);
        if (board->workers[i].pid == 0)
            work(i, started + options.minutes * 60);
    }
    bool fine = wait_for_workers(started);
    for (int i = 0; i < options.jobs; i++)
        if (board->workers[i].finding.found)
            report(&board->workers[i]);
    print_coverage(now_s() - started);
    return fine ? 0 : 1;
}
