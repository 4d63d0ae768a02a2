// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include "codec/check.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { RULES_MAX = 16, FIRST_RULE = 256 /* above all letters */ };

struct getopt_table {
    struct option names[RULES_MAX + 2];
    char letters[2 * RULES_MAX + 3];
};

static void add(struct getopt_table *table, int at, const char *name, char letter, bool takes_value, int found)
{
    table->names[at] = (struct option){name, takes_value ? required_argument : no_argument, NULL, found};
    if (letter)
        snprintf(table->letters + strlen(table->letters), 3, takes_value ? "%c:" : "%c", letter);
}

static void make(struct getopt_table *table, const struct option_rule rules[])
{
    int count = 0;
    *table = (struct getopt_table){0};
    for (; rules[count].name; count++) {
        CHECK(count < RULES_MAX, "%s", rules[count].name);
        add(table, count, rules[count].name, rules[count].letter, !rules[count].flag, FIRST_RULE + count);
    }
    add(table, count, "help", 'h', false, 'h');
}

static const struct option_rule *rule_of(const struct option_rule rules[], int found)
{
    if (found >= FIRST_RULE)
        return &rules[found - FIRST_RULE];
    for (const struct option_rule *rule = rules; rule->name; rule++)
        if (rule->letter == found)
            return rule;
    return NULL;
}

static int read_number(const char *command, const struct option_rule *rule, const char *text)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < rule->min || value > rule->max)
        return usage_error(command, "--%s takes a whole number from %lld to %lld, not '%s'", rule->name,
                           (long long)rule->min, (long long)rule->max, text);
    if (rule->count)
        *rule->count = (uint32_t)value;
    else
        *rule->number = value;
    return EXIT_OK;
}

static int read_one(const char *command, const struct option_rule *rule, const char *text)
{
    if (rule->flag)
        *rule->flag = true;
    else if (rule->text)
        *rule->text = text;
    else
        return read_number(command, rule, text);
    return EXIT_OK;
}

int options_read(const char *command, void (*help)(void), const struct option_rule rules[], int argc, char **argv)
{
    struct getopt_table table;
    static char name[64]; // getopt's own complaints begin with argv[0]
    int found, code = EXIT_OK;
    snprintf(name, sizeof name, "souk %s", command);
    argv[0] = name;
    make(&table, rules);
    while (code == EXIT_OK && (found = getopt_long(argc, argv, table.letters, table.names, NULL)) != -1) {
        const struct option_rule *rule = rule_of(rules, found);
        if (found == 'h') {
            help();
            exit(EXIT_OK);
        }
        if (!rule) {
            fprintf(stderr, "Try 'souk %s --help'.\n", command);
            return EXIT_USAGE;
        }
        code = read_one(command, rule, optarg);
    }
    return code;
}

int options_read_all(const char *command, void (*help)(void), const struct option_rule rules[], int argc, char **argv)
{
    int code = options_read(command, help, rules, argc, argv);
    if (code == EXIT_OK && optind < argc)
        return usage_error(command, "unexpected argument '%s'", argv[optind]);
    return code;
}
