// SPDX-License-Identifier: Apache-2.0
// What topology.toml may say: one row for each key with its type and bounds. Of several mistakes the first in the file
// is reported. toml++ stays behind topology_toml.h. Any thread.
#include "broker/topology.h"

#include "broker/endpoint.h"
#include "broker/topology_toml.h"
#include "codec/check.h"
#include "codec/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum rule_type { RULE_INTEGER, RULE_BOOLEAN, RULE_PATH, RULE_ENDPOINT_OR_NONE, RULE_ENDPOINTS, RULE_PROVIDER };

struct rule {
    const char *section, *key;
    enum rule_type type;
    size_t offset; // in struct topology
    int64_t min, max;
};

enum { FILE_SIZE_MAX = 1024 * 1024, REASON_SIZE_MAX = 384 };

#define MIB INT64_C(1048576)
#define DAY_MS (24 * 3600 * INT64_C(1000))

#define MEMBER(section_, key_, member_) .section = section_, .key = key_, .offset = offsetof(struct topology, member_)
#define INTEGER(s, m, min_, max_)                                                                                      \
    {                                                                                                                  \
        MEMBER(#s, #m, s.m), .type = RULE_INTEGER, .min = min_, .max = max_                                            \
    }
#define ACTORS(key_, kind)                                                                                             \
    {                                                                                                                  \
        MEMBER("actors", key_, actors.count[kind]), .type = RULE_INTEGER, .min = 1, .max = 64                          \
    }
#define OTHER(s, m, type_)                                                                                             \
    {                                                                                                                  \
        MEMBER(#s, #m, s.m), .type = type_                                                                             \
    }

static const struct rule rules[] = {
    OTHER(broker, listen, RULE_ENDPOINTS),
    OTHER(broker, events, RULE_ENDPOINT_OR_NONE),
    INTEGER(broker, commands_in_flight_max, 1024, 16 * MIB),
    INTEGER(broker, bytes_in_flight_max, MIB, 1024 * 1024 * MIB),
    OTHER(store, path, RULE_PATH),
    INTEGER(store, memory_mb, 32, MIB),
    OTHER(store, sync, RULE_BOOLEAN),
    INTEGER(store, remember_hours, 1, 24 * 366),
    INTEGER(store, log_max_gb, 1, MIB),
    INTEGER(store, free_min_mb, 1, MIB),
    ACTORS("catalog", KIND_CATALOG),
    ACTORS("inventory", KIND_INVENTORY),
    ACTORS("cart", KIND_CART),
    ACTORS("order", KIND_ORDER),
    ACTORS("payment", KIND_PAYMENT),
    ACTORS("sandbox", KIND_SANDBOX),
    INTEGER(actors, turn_messages_max, 1, 65536),
    INTEGER(inventory, reservation_ttl_ms, 1, TTL_MS_MAX),
    INTEGER(cart, ttl_days, 1, 3660),
    INTEGER(cart, lines_max, 1, CART_LINES_MAX),
    INTEGER(order, lines_max, 1, ORDER_LINES_MAX),
    INTEGER(order, deadline_ms, 100, 30 * DAY_MS),
    INTEGER(order, lines_in_flight_max, 1, 10 * MIB),
    INTEGER(order, waiting_max, 1, 10 * MIB),
    INTEGER(order, waiters_max, 1, 10 * MIB),
    OTHER(payment, provider, RULE_PROVIDER),
    INTEGER(payment, provider_key_hours, 1, 23), // providers forget a key after about 24
};

enum { RULE_COUNT = sizeof rules / sizeof *rules };
_Static_assert(KIND_COUNT == 6, "a row in `rules` for each kind");

// ---- one reading

struct reading {
    struct topology *topology;
    const char *file;
    char directory[4096]; // of the file, absolute
    char section[64];
    bool section_known;
    struct toml_position first; // of the mistakes so far; line 0: none
    struct fault_text *text;
};

static void __attribute__((format(printf, 3, 4)))
refuse(struct reading *reading, struct toml_position at, const char *format, ...)
{
    struct toml_position first = reading->first;
    if (first.line && (first.line < at.line || (first.line == at.line && first.column <= at.column)))
        return;
    char reason[REASON_SIZE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    reading->first = at;
    snprintf(reading->text->line, sizeof reading->text->line, "%s:%u:%u: %s", reading->file, at.line, at.column,
             reason);
}

static const struct rule *rule_find(const char *section, const char *key)
{
    for (int i = 0; i < RULE_COUNT; i++) {
        if (strcmp(rules[i].section, section) == 0 && strcmp(rules[i].key, key) == 0)
            return &rules[i];
    }
    return NULL;
}

// Sections, or the keys of one: "path, memory_mb, sync".
static void list_known(const char *section, char *list, size_t size)
{
    size_t used = 0;
    list[0] = 0;
    for (int i = 0; i < RULE_COUNT && used < size; i++) {
        bool of_it = section && strcmp(rules[i].section, section) == 0;
        bool new_section = !section && (i == 0 || strcmp(rules[i].section, rules[i - 1].section) != 0);
        if (of_it || new_section)
            used += (size_t)snprintf(list + used, size - used, "%s%s", used ? ", " : "",
                                     section ? rules[i].key : rules[i].section);
    }
}

// ---- values

static void *member(struct reading *reading, const struct rule *rule)
{
    return (char *)reading->topology + rule->offset;
}

static bool type_is(struct reading *reading, const struct rule *rule, const struct toml_value *value,
                    enum toml_type type)
{
    static const char *const names[] = {
        [TOML_STRING] = "a string", [TOML_INTEGER] = "an integer", [TOML_BOOLEAN] = "true or false",
        [TOML_FLOAT] = "a float",   [TOML_TIME] = "a time",        [TOML_ARRAY] = "an array",
        [TOML_TABLE] = "a table",
    };
    if (value->type == type)
        return true;
    refuse(reading, value->position, "%s.%s must be %s, not %s", rule->section, rule->key, names[type],
           names[value->type]);
    return false;
}

static void read_integer(struct reading *reading, const struct rule *rule, const struct toml_value *value)
{
    if (!type_is(reading, rule, value, TOML_INTEGER))
        return;
    if (value->integer < rule->min || value->integer > rule->max)
        refuse(reading, value->position, "%s.%s must be %lld to %lld, not %lld", rule->section, rule->key,
               (long long)rule->min, (long long)rule->max, (long long)value->integer);
    *(int64_t *)member(reading, rule) = value->integer;
}

static void read_boolean(struct reading *reading, const struct rule *rule, const struct toml_value *value)
{
    if (type_is(reading, rule, value, TOML_BOOLEAN))
        *(bool *)member(reading, rule) = value->boolean;
}

static void read_path(struct reading *reading, const struct rule *rule, const struct toml_value *value)
{
    if (!type_is(reading, rule, value, TOML_STRING))
        return;
    char *path = member(reading, rule);
    size_t size = sizeof reading->topology->store.path;
    bool absolute = value->size && value->text[0] == '/';
    if (!text_valid(bytes_of(value->text, value->size)) || !value->size)
        refuse(reading, value->position, "%s.%s must name a directory", rule->section, rule->key);
    else if ((size_t)snprintf(path, size, "%s%s%s", absolute ? "" : reading->directory, absolute ? "" : "/",
                              value->text) >= size)
        refuse(reading, value->position, "%s.%s is too long", rule->section, rule->key);
}

static bool read_endpoint(struct reading *reading, const struct rule *rule, const struct toml_value *value,
                          char endpoint[ENDPOINT_SIZE_MAX])
{
    if (!type_is(reading, rule, value, TOML_STRING))
        return false;
    struct bytes written = bytes_of(value->text, value->size);
    const char *why = endpoint_resolve(written, reading->directory, endpoint);
    if (why)
        refuse(reading, value->position, "%s.%s: %s", rule->section, rule->key, why);
    return !why;
}

static void read_endpoint_or_none(struct reading *reading, const struct rule *rule, const struct toml_value *value)
{
    char *endpoint = member(reading, rule);
    if (value->type == TOML_STRING && !value->size)
        endpoint[0] = 0;
    else
        read_endpoint(reading, rule, value, endpoint);
}

static void read_endpoints(struct reading *reading, const struct rule *rule, const struct toml_value *value)
{
    struct topology *topology = reading->topology;
    if (!type_is(reading, rule, value, TOML_ARRAY))
        return;
    if (value->count < 1 || value->count > LISTEN_MAX) {
        refuse(reading, value->position, "%s.%s must hold 1 to %d endpoints, not %zu", rule->section, rule->key,
               LISTEN_MAX, value->count);
        return;
    }
    topology->broker.listen_count = 0;
    for (size_t i = 0; i < value->count; i++) {
        struct toml_value item = toml_item(value, i);
        char *endpoint = topology->broker.listen[i];
        if (!read_endpoint(reading, rule, &item, endpoint))
            return;
        for (size_t other = 0; other < i && !endpoint_is_wildcard(endpoint); other++) {
            if (strcmp(topology->broker.listen[other], endpoint) == 0)
                refuse(reading, item.position, "%s.%s names %s twice", rule->section, rule->key, endpoint);
        }
        topology->broker.listen_count++;
    }
}

static void read_provider(struct reading *reading, const struct rule *rule, const struct toml_value *value)
{
    if (!type_is(reading, rule, value, TOML_STRING))
        return;
    if (!bytes_equal(bytes_of(value->text, value->size), BYTES("sandbox")))
        refuse(reading, value->position, "%s.%s must be \"sandbox\": no other provider is built in", rule->section,
               rule->key);
}

// ---- the walk

static void visit_section(void *context, const char *name, bool is_table, struct toml_position position)
{
    struct reading *reading = context;
    char known[256];
    list_known(name, known, sizeof known);
    reading->section_known = is_table && known[0];
    snprintf(reading->section, sizeof reading->section, "%s", name);
    if (reading->section_known)
        return;
    if (known[0]) {
        refuse(reading, position, "%s must be a table: [%s]", name, name);
        return;
    }
    list_known(NULL, known, sizeof known);
    refuse(reading, position, "unknown %s \"%.64s\"; the tables are %s", is_table ? "table" : "key outside any table",
           name, known);
}

static void visit_value(void *context, const char *name, struct toml_position position, const struct toml_value *value)
{
    struct reading *reading = context;
    if (!reading->section_known)
        return;
    const struct rule *rule = rule_find(reading->section, name);
    if (!rule) {
        char known[256];
        list_known(reading->section, known, sizeof known);
        refuse(reading, position, "unknown key \"%.64s\" in [%s]; its keys are %s", name, reading->section, known);
        return;
    }
    switch (rule->type) {
    case RULE_INTEGER:
        return read_integer(reading, rule, value);
    case RULE_BOOLEAN:
        return read_boolean(reading, rule, value);
    case RULE_PATH:
        return read_path(reading, rule, value);
    case RULE_ENDPOINT_OR_NONE:
        return read_endpoint_or_none(reading, rule, value);
    case RULE_ENDPOINTS:
        return read_endpoints(reading, rule, value);
    case RULE_PROVIDER:
        return read_provider(reading, rule, value);
    }
}

static void visit_broken(void *context, const char *why, struct toml_position position)
{
    refuse(context, position, "%s", why);
}

// ---- the whole

static void current_directory(char directory[4096])
{
    if (!getcwd(directory, 4096))
        snprintf(directory, 4096, ".");
}

// false: too long.
static bool directory_of(const char *file, char directory[4096])
{
    const char *slash = strrchr(file, '/');
    int size = slash ? (int)(slash - file) : 0;
    if (file[0] == '/')
        return snprintf(directory, 4096, "%.*s", size, file) < 4096;
    char current[4096];
    current_directory(current);
    return snprintf(directory, 4096, "%s%s%.*s", current, size ? "/" : "", size, file) < 4096;
}

void topology_default(struct topology *topology)
{
    char current[4096];
    current_directory(current);
    *topology = (struct topology){
        .broker = {{"tcp://127.0.0.1:5555"}, 1, "tcp://127.0.0.1:5556", 65536, 268435456},
        .store = {.memory_mb = 512, .sync = true, .remember_hours = 24, .log_max_gb = 50, .free_min_mb = 1024},
        .actors = {{[KIND_CATALOG] = 1,
                    [KIND_INVENTORY] = 2,
                    [KIND_CART] = 1,
                    [KIND_ORDER] = 2,
                    [KIND_PAYMENT] = 1,
                    [KIND_SANDBOX] = 1},
                   .turn_messages_max = 1024},
        .inventory = {.reservation_ttl_ms = 900000},
        .cart = {.ttl_days = 30, .lines_max = 500},
        .order = {.lines_max = 2000,
                  .deadline_ms = 900000,
                  .lines_in_flight_max = 100000,
                  .waiting_max = 100000,
                  .waiters_max = 100000},
        .payment = {.provider = "sandbox", .provider_key_hours = 20},
    };
    int size = snprintf(topology->store.path, sizeof topology->store.path, "%s/data", current);
    CHECK(size < (int)sizeof topology->store.path, "%s", current);
}

enum fault topology_parse(const char *toml, size_t size, const char *name, struct topology *topology,
                          struct fault_text *text)
{
    struct topology read;
    struct reading reading = {.topology = &read, .file = name, .text = text};
    topology_default(&read);
    if ((size_t)snprintf(read.file, sizeof read.file, "%s", name) >= sizeof read.file ||
        !directory_of(name, reading.directory) ||
        (size_t)snprintf(read.store.path, sizeof read.store.path, "%s/data", reading.directory) >=
            sizeof read.store.path) {
        snprintf(text->line, sizeof text->line, "%.64s…: the path is too long", name);
        return FAULT_USAGE;
    }
    struct toml_visitor visitor = {&reading, visit_section, visit_value, visit_broken};
    toml_walk(toml, size, &visitor);
    if (reading.first.line)
        return FAULT_USAGE;
    *topology = read;
    return FAULT_NONE;
}

static enum fault failed(const char *path, enum fault fault, const char *why, struct fault_text *text)
{
    snprintf(text->line, sizeof text->line, "%s: %s", path, why);
    return fault;
}

enum fault topology_load(const char *path, struct topology *topology, struct fault_text *text)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return failed(path, errno == ENOENT ? FAULT_MISSING : FAULT_IO, strerror(errno), text);
    char *toml = malloc(FILE_SIZE_MAX + 1);
    CHECK(toml, "out of memory");
    size_t size = fread(toml, 1, FILE_SIZE_MAX + 1, file);
    enum fault fault;
    if (ferror(file))
        fault = failed(path, FAULT_IO, strerror(errno), text);
    else if (size > FILE_SIZE_MAX)
        fault = failed(path, FAULT_USAGE, "the file is larger than 1 MiB", text);
    else
        fault = topology_parse(toml, size, path, topology, text);
    free(toml);
    fclose(file);
    return fault;
}
