// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <criterion/criterion.h>
#include <getopt.h>

static struct given {
    bool json;
    const char *directory;
    uint32_t window;
    int64_t rate;
} given;

static void help(void)
{
}

typedef int (*reader)(const char *, void (*)(void), const struct option_rule[], int, char **);

// `words` end with NULL; argv[0] is the command's name.
static int read_with(reader read, const char *const words[])
{
    static char *argv[16];
    const struct option_rule rules[] = {
        OPTION_JSON(given.json),
        OPTION_DIRECTORY(given.directory),
        OPTION_COUNT("window", given.window, 1, 100),
        OPTION_NUMBER("rate", given.rate, -5, INT64_MAX),
        {0},
    };
    int argc = 1;
    argv[0] = "command";
    for (; words[argc - 1]; argc++)
        argv[argc] = (char *)words[argc - 1];
    argv[argc] = NULL;
    given = (struct given){.window = 7};
    optind = 0; // getopt begins anew
    opterr = 0;
    return read("command", help, rules, argc, argv);
}

#define READ(...) read_with(options_read, (const char *const[]){__VA_ARGS__, NULL})
#define READ_ALL(...) read_with(options_read_all, (const char *const[]){__VA_ARGS__, NULL})

Test(options, values_go_where_the_table_says)
{
    cr_expect_eq(READ("--json", "-d", "/shop", "file", "--window", "100", "--rate=-5"), EXIT_OK);
    cr_expect(given.json);
    cr_expect_str_eq(given.directory, "/shop");
    cr_expect_eq(given.window, 100);
    cr_expect_eq(given.rate, -5);
    cr_expect_eq(optind, 7, "what is no option comes last");
    cr_expect_eq(READ("--directory", "/other"), EXIT_OK);
    cr_expect_str_eq(given.directory, "/other");
    cr_expect_eq(given.window, 7, "what is not given stays");
    cr_expect_eq(READ("--rate", "9223372036854775807"), EXIT_OK);
    cr_expect_eq(given.rate, INT64_MAX);
}

Test(options, mistakes_are_wrong_use)
{
    static const char *const numbers[] = {"", "0", "101", "-1", "x", "1x", "9223372036854775808", "1.5"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        cr_expect_eq(READ("--window", numbers[i]), EXIT_USAGE, "%s", numbers[i]);
        cr_expect_eq(given.window, 7, "%s", numbers[i]);
    }
    cr_expect_eq(READ("--nonsense"), EXIT_USAGE);
    cr_expect_eq(READ("-x"), EXIT_USAGE);
    cr_expect_eq(READ("--directory"), EXIT_USAGE);
    cr_expect_eq(READ("--json=yes"), EXIT_USAGE);
    cr_expect_eq(READ_ALL("--json", "file"), EXIT_USAGE);
    cr_expect_eq(READ_ALL("--json"), EXIT_OK);
}

Test(options, help_ends_the_process, .exit_code = EXIT_OK)
{
    READ("-h");
    cr_assert_fail("-h");
}
