// SPDX-License-Identifier: Apache-2.0
// A disk that fails on demand, between a process and the C library (LD_PRELOAD). It looks at files below DISK_ROOT only,
// writes every operation that changes the disk to DISK_TRACE, and does to them what DISK_FAULTS says. What an unlink or
// a rename would destroy is kept under another name in DISK_BACKUP, so that a power cut can be played afterwards
// (disk.py).
//
//   DISK_FAULTS   rules OPERATION:KIND:N=ACTION with blanks between them. Of the operations that match, the Nth; `N+`:
//                 from the Nth on
//     OPERATION   create write sync rename link unlink truncate allocate mkdir rmdir send; `any`: all but send
//     KIND        wal table manifest current directory snapshot other; `any`
//                 of a send: the how manyth of this turn it is, since the commit's sync (1: nothing has left yet)
//     ACTION      eio enospc   it fails
//                 short        half is written, and said so
//                 torn         half is written, then it fails with ENOSPC
//                 die after    kill -9 before it; after it
//                 tear         half is written, then kill -9
//                 lie          a sync is answered and not done
//   DISK_SERVING  rules count only what comes after the first message that followed a commit
//   DISK_SPACE    so many bytes may be written; then ENOSPC
//
// A line of the trace: operation, kind, inode, size or backup, path, second path; tabs between them. A sync is told
// after it is done, everything else before. Any thread.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILES_MAX = 65536, RULES_MAX = 16, LINE_SIZE = 2048 };

enum operation { CREATE, WRITE, SYNC, RENAME, LINK, UNLINK, TRUNCATE, ALLOCATE, MKDIR, RMDIR, SEND, OPERATIONS };
static const char *const operations[] = {"create", "write",    "sync",  "rename", "link", "unlink",
                                         "truncate", "allocate", "mkdir", "rmdir",  "send"};
enum action { NONE, EIO_, ENOSPC_, SHORT, TORN, DIE, AFTER, TEAR, LIE, ACTIONS };
static const char *const actions[] = {"", "eio", "enospc", "short", "torn", "die", "after", "tear", "lie"};

struct rule {
    char text[64], operation[16], kind[16];
    long first;
    bool onwards;
    enum action action;
    long seen;
};

static struct {
    const char *root, *backup;
    int trace;
    struct rule rules[RULES_MAX];
    int rules_count;
    _Atomic bool counting;
    bool bounded;
    _Atomic long space;
    long backups;
    pthread_mutex_t lock;
    char *paths[FILES_MAX]; // of open files below the root
} disk = {.trace = -1, .lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local int sends = -1; // of this turn; -1: none was committed

// ---- setting up

static void complain(const char *what)
{
    fprintf(stderr, "disk: %s\n", what);
    _exit(99);
}

static void rule_read(char *text)
{
    struct rule *rule = &disk.rules[disk.rules_count++];
    char action[16], more;
    snprintf(rule->text, sizeof rule->text, "%s", text);
    int fields = sscanf(text, "%15[^:]:%15[^:]:%ld%c", rule->operation, rule->kind, &rule->first, &more);
    rule->onwards = fields == 4 && more == '+';
    const char *equals = strchr(text, '=');
    if (fields != 4 || !equals || sscanf(equals + 1, "%15s", action) != 1)
        complain(text);
    for (int i = 1; i < ACTIONS; i++)
        if (strcmp(actions[i], action) == 0)
            rule->action = i;
    if (!rule->action)
        complain(text);
}

__attribute__((constructor)) static void set_up(void)
{
    const char *trace = getenv("DISK_TRACE"), *faults = getenv("DISK_FAULTS"), *space = getenv("DISK_SPACE");
    disk.root = getenv("DISK_ROOT");
    disk.backup = getenv("DISK_BACKUP");
    if (!disk.root)
        return;
    if (trace)
        disk.trace = (int)syscall(SYS_openat, AT_FDCWD, trace, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    disk.counting = !getenv("DISK_SERVING");
    if (space) {
        disk.bounded = true;
        disk.space = atol(space);
    }
    char *rest = NULL, *rules = faults ? strdup(faults) : NULL;
    for (char *rule = rules ? strtok_r(rules, " ", &rest) : NULL; rule; rule = strtok_r(NULL, " ", &rest)) {
        if (disk.rules_count == RULES_MAX)
            complain("too many rules");
        rule_read(rule);
    }
    free(rules);
}

// The C library's own.
#define REAL(name)                                                                                                     \
    static __typeof__(&name) real;                                                                                     \
    if (!real)                                                                                                         \
        real = (__typeof__(&name))dlsym(RTLD_NEXT, #name);

// ---- telling

static bool below_root(const char *path)
{
    size_t size = disk.root ? strlen(disk.root) : 0;
    return size && path && strncmp(path, disk.root, size) == 0 && (path[size] == '/' || path[size] == 0);
}

static bool ends(const char *text, const char *with)
{
    size_t size = strlen(text), tail = strlen(with);
    return size >= tail && strcmp(text + size - tail, with) == 0;
}

static const char *kind_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    struct stat status;
    if (strstr(path, "/snapshots/"))
        return "snapshot";
    if (ends(name, ".log"))
        return "wal";
    if (ends(name, ".sst") || strcmp(name, "incoming") == 0)
        return "table";
    if (strncmp(name, "MANIFEST-", 9) == 0)
        return "manifest";
    if (strcmp(name, "CURRENT") == 0 || ends(name, ".dbtmp"))
        return "current";
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode) ? "directory" : "other";
}

static void tell(const char *operation, const char *kind, uint64_t inode, int64_t size, const char *path,
                 const char *second)
{
    char line[LINE_SIZE];
    int error = errno;
    int length = snprintf(line, sizeof line, "%s\t%s\t%lu\t%ld\t%s\t%s\n", operation, kind, (unsigned long)inode,
                          (long)size, path, second ? second : "");
    if (disk.trace >= 0 && length > 0 && length < (int)sizeof line)
        syscall(SYS_write, disk.trace, line, (size_t)length);
    errno = error;
}

static uint64_t inode_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? status.st_ino : 0;
}

// Keeps what this name stands for; -1: nothing.
static long keep(const char *path)
{
    char name[LINE_SIZE];
    long number = -1;
    struct stat status;
    if (!disk.backup || lstat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return number;
    pthread_mutex_lock(&disk.lock);
    snprintf(name, sizeof name, "%s/%ld", disk.backup, disk.backups);
    REAL(link);
    if (real(path, name) == 0)
        number = disk.backups++;
    pthread_mutex_unlock(&disk.lock);
    return number;
}

// ---- what is to be done

static _Noreturn void die(void)
{
    for (;;)
        syscall(SYS_kill, getpid(), SIGKILL);
}

static bool matches(const struct rule *rule, enum operation operation, const char *kind)
{
    bool any = strcmp(rule->operation, "any") == 0 && operation != SEND;
    return (any || strcmp(rule->operation, operations[operation]) == 0) &&
           (strcmp(rule->kind, "any") == 0 || strcmp(rule->kind, kind) == 0);
}

// Counts this operation. The action of the first rule that is due.
static enum action due(enum operation operation, const char *kind)
{
    enum action action = NONE;
    pthread_mutex_lock(&disk.lock);
    for (int i = 0; i < disk.rules_count; i++) {
        struct rule *rule = &disk.rules[i];
        if (!disk.counting || !matches(rule, operation, kind))
            continue;
        rule->seen++;
        if (action == NONE && (rule->seen == rule->first || (rule->onwards && rule->seen > rule->first))) {
            action = rule->action;
            tell("fault", kind, 0, 0, rule->text, operations[operation]);
        }
    }
    pthread_mutex_unlock(&disk.lock);
    if (action == DIE)
        die();
    return action;
}

// The result of an operation that either fails or is done.
static bool refused(enum action action)
{
    if (action == EIO_ || action == ENOSPC_ || action == TORN) {
        errno = action == EIO_ ? EIO : ENOSPC;
        return true;
    }
    return false;
}

static void done(enum action action)
{
    if (action == AFTER || action == TEAR)
        die();
}

static bool full(void)
{
    if (!disk.bounded || atomic_load(&disk.space) > 0)
        return false;
    errno = ENOSPC;
    return true;
}

// ---- files

static const char *file_path(int file)
{
    return file >= 0 && file < FILES_MAX ? disk.paths[file] : NULL;
}

static void file_forget(int file)
{
    if (file < 0 || file >= FILES_MAX || !disk.paths[file])
        return;
    free(disk.paths[file]);
    disk.paths[file] = NULL;
}

static int open_as(const char *path, int flags, mode_t mode)
{
    REAL(open);
    if (!below_root(path))
        return real(path, flags, mode);
    struct stat status;
    bool creates = (flags & O_CREAT) && lstat(path, &status) != 0;
    enum action action = NONE;
    if (creates) {
        const char *kind = kind_of(path);
        tell("create", kind, 0, -1, path, NULL);
        action = due(CREATE, kind);
        if (refused(action) || full())
            return -1;
    }
    int file = real(path, flags, mode);
    if (creates)
        done(action);
    file_forget(file);
    char name[64], found[LINE_SIZE];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t size = file >= 0 && file < FILES_MAX ? readlink(name, found, sizeof found - 1) : -1;
    if (size > 0) {
        found[size] = 0;
        disk.paths[file] = below_root(found) ? strdup(found) : NULL;
    }
    return file;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_as(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open_as(path, flags, mode);
}

int close(int file)
{
    REAL(close);
    file_forget(file);
    return real(file);
}

// The C library closes a stream's file by itself; nothing of ours is written through one.
FILE *fdopen(int file, const char *mode)
{
    REAL(fdopen);
    file_forget(file);
    return real(file, mode);
}

static size_t allowed(size_t size)
{
    if (!disk.bounded)
        return size;
    long left = atomic_fetch_sub(&disk.space, (long)size);
    return left >= (long)size ? size : left > 0 ? (size_t)left : 0;
}

ssize_t write(int file, const void *bytes, size_t size)
{
    REAL(write);
    const char *path = file_path(file);
    if (!path)
        return real(file, bytes, size);
    struct stat status;
    const char *kind = kind_of(path);
    tell("write", kind, fstat(file, &status) == 0 ? status.st_ino : 0, (int64_t)size, path, NULL);
    enum action action = due(WRITE, kind);
    size_t fits = allowed(size);
    bool half = action == SHORT || action == TORN || action == TEAR;
    ssize_t written = fits ? real(file, bytes, half ? (size + 1) / 2 : fits) : -1;
    done(action);
    if (!fits)
        errno = ENOSPC;
    return refused(action) ? -1 : written;
}

static int sync_as(int file, int (*real)(int))
{
    const char *path = file_path(file);
    if (!path)
        return real(file);
    struct stat status;
    fstat(file, &status);
    const char *kind = kind_of(path);
    enum action action = due(SYNC, kind);
    if (refused(action))
        return -1;
    int result = action == LIE ? 0 : real(file);
    if (result == 0) {
        tell(action == LIE ? "lie" : "sync", kind, status.st_ino, status.st_size, path, NULL);
        if (strcmp(kind, "wal") == 0)
            sends = 0;
    }
    done(action);
    return result;
}

int fsync(int file)
{
    REAL(fsync);
    return sync_as(file, real);
}

int fdatasync(int file)
{
    REAL(fdatasync);
    return sync_as(file, real);
}

int ftruncate(int file, off_t size)
{
    REAL(ftruncate);
    const char *path = file_path(file);
    if (!path)
        return real(file, size);
    struct stat status;
    const char *kind = kind_of(path);
    tell("truncate", kind, fstat(file, &status) == 0 ? status.st_ino : 0, size, path, NULL);
    enum action action = due(TRUNCATE, kind);
    int result = refused(action) ? -1 : real(file, size);
    done(action);
    return result;
}

int fallocate(int file, int mode, off_t from, off_t size)
{
    REAL(fallocate);
    const char *path = file_path(file);
    if (!path)
        return real(file, mode, from, size);
    enum action action = due(ALLOCATE, kind_of(path));
    int result = refused(action) || full() ? -1 : real(file, mode, from, size);
    done(action);
    return result;
}

// ---- names

// Before an operation on names: told, counted. false: it fails.
static bool begin(enum operation operation, enum action *action, const char *path, const char *second, long backup)
{
    const char *kind = kind_of(path);
    tell(operations[operation], kind, inode_of(path), backup, path, second);
    *action = due(operation, kind);
    return !refused(*action);
}

int rename(const char *from, const char *to)
{
    REAL(rename);
    enum action action;
    if (!below_root(from) && !below_root(to))
        return real(from, to);
    int result = begin(RENAME, &action, from, to, keep(to)) ? real(from, to) : -1;
    done(action);
    return result;
}

int link(const char *from, const char *to)
{
    REAL(link);
    enum action action;
    if (!below_root(to))
        return real(from, to);
    int result = begin(LINK, &action, to, from, -1) ? real(from, to) : -1;
    done(action);
    return result;
}

int unlink(const char *path)
{
    REAL(unlink);
    enum action action;
    if (!below_root(path))
        return real(path);
    int result = begin(UNLINK, &action, path, NULL, keep(path)) ? real(path) : -1;
    done(action);
    return result;
}

int mkdir(const char *path, mode_t mode)
{
    REAL(mkdir);
    enum action action;
    struct stat status;
    if (!below_root(path) || lstat(path, &status) == 0)
        return real(path, mode);
    int result = begin(MKDIR, &action, path, NULL, -1) && !full() ? real(path, mode) : -1;
    done(action);
    return result;
}

int rmdir(const char *path)
{
    REAL(rmdir);
    enum action action;
    if (!below_root(path))
        return real(path);
    int result = begin(RMDIR, &action, path, NULL, -1) ? real(path) : -1;
    done(action);
    return result;
}

// ---- messages between threads: after a commit they make it visible

int zmq_send(void *socket, const void *bytes, size_t size, int flags);
int zmq_send(void *socket, const void *bytes, size_t size, int flags)
{
    REAL(zmq_send);
    if (!disk.root || sends < 0)
        return real(socket, bytes, size, flags);
    char kind[16];
    snprintf(kind, sizeof kind, "%d", ++sends);
    disk.counting = true;
    enum action action = due(SEND, kind);
    int result = real(socket, bytes, size, flags);
    done(action);
    return result;
}

struct zmq_msg_t;
int zmq_msg_recv(struct zmq_msg_t *message, void *socket, int flags);
int zmq_msg_recv(struct zmq_msg_t *message, void *socket, int flags)
{
    REAL(zmq_msg_recv);
    sends = -1; // the next turn
    return real(message, socket, flags);
}
