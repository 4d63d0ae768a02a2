// SPDX-License-Identifier: Apache-2.0
#include "cli/ndjson.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

static char path[] = "/tmp/souk-ndjson-XXXXXX";
static struct ndjson ndjson;

static void open_text(const void *text, size_t size)
{
    int fd = mkstemp(path);
    cr_assert_eq(write(fd, text, size), (ssize_t)size);
    close(fd);
    cr_assert(ndjson_open(&ndjson, path));
    unlink(path);
}

static void expect_line(const char *text, uint64_t number)
{
    struct bytes line;
    cr_assert_eq(ndjson_next(&ndjson, &line), NDJSON_LINE);
    cr_assert(bytes_equal(line, bytes_text(text)), "'%.*s' is not '%s'", BYTES_FORMAT(line), text);
    cr_assert_eq(ndjson.line, number);
}

static void expect_end(enum ndjson_next end)
{
    struct bytes line;
    cr_assert_eq(ndjson_next(&ndjson, &line), end);
    ndjson_close(&ndjson);
}

Test(ndjson, blank_lines_are_counted_but_not_handed_out)
{
    static const char text[] = "one\n\n \t\r\n{\"two\":2}\r\n\n";
    open_text(text, sizeof text - 1);
    expect_line("one", 1);
    expect_line("{\"two\":2}\r", 4);
    expect_end(NDJSON_END);
}

Test(ndjson, the_last_line_needs_no_end)
{
    open_text("a\nb", 3);
    expect_line("a", 1);
    expect_line("b", 2);
    expect_end(NDJSON_END);
}

Test(ndjson, an_empty_file_has_no_lines)
{
    open_text("", 0);
    expect_end(NDJSON_END);
}

Test(ndjson, a_file_that_does_not_exist_is_told)
{
    cr_assert_not(ndjson_open(&ndjson, "/nonexistent/file"));
}

Test(ndjson, lines_of_every_length_cross_the_buffers_ends)
{
    size_t size = 0, lines = 700;
    char *text = malloc(lines * lines);
    for (size_t i = 1; i <= lines; i++) {
        memset(text + size, 'a' + (int)(i % 26), i);
        size += i;
        text[size++] = '\n';
    }
    open_text(text, size);
    struct bytes line;
    for (size_t i = 1; i <= lines; i++) {
        cr_assert_eq(ndjson_next(&ndjson, &line), NDJSON_LINE);
        cr_assert_eq(line.size, i);
        cr_assert_eq(line.at[0], 'a' + (int)(i % 26));
        cr_assert_eq(line.at[i - 1], 'a' + (int)(i % 26));
    }
    expect_end(NDJSON_END);
    free(text);
}

static void long_line(size_t size, enum ndjson_next expected)
{
    char *text = malloc(size + 2);
    memset(text, 'x', size);
    memcpy(text + size, "\ny", 2);
    open_text(text, size + 2);
    struct bytes line;
    cr_assert_eq(ndjson_next(&ndjson, &line), expected);
    cr_assert_eq(ndjson.line, 1);
    ndjson_close(&ndjson);
    free(text);
}

Test(ndjson, the_longest_line_is_read_and_a_longer_one_is_told)
{
    long_line(NDJSON_LINE_MAX, NDJSON_LINE);
}

Test(ndjson, a_line_that_is_too_long_is_told)
{
    long_line(NDJSON_LINE_MAX + 1, NDJSON_TOO_LONG);
}

Test(ndjson, a_line_without_any_end_is_not_read_for_ever)
{
    long_line(3 * NDJSON_LINE_MAX, NDJSON_TOO_LONG);
}

Test(ndjson, a_slow_pipe_keeps_nobody_waiting)
{
    int ends[2];
    struct bytes line;
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    cr_assert(ndjson_open(&ndjson, "-"));
    cr_assert_eq(ndjson_next(&ndjson, &line), NDJSON_NOTHING_YET);
    cr_assert_eq(write(ends[1], "ha", 2), 2);
    cr_assert_eq(ndjson_next(&ndjson, &line), NDJSON_NOTHING_YET);
    cr_assert_eq(write(ends[1], "lf\nrest", 7), 7);
    expect_line("half", 1);
    cr_assert_eq(ndjson_next(&ndjson, &line), NDJSON_NOTHING_YET);
    close(ends[1]);
    expect_line("rest", 2);
    expect_end(NDJSON_END);
}
