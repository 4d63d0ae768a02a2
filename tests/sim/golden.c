// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/golden.h"

#include "codec/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void path_of(const char *name, char path[static 512])
{
    const char *here = __FILE__;
    snprintf(path, 512, "%.*s/golden/%s", (int)(strrchr(here, '/') - here), here, name);
}

static void write_file(const char *path, const struct buffer *text)
{
    FILE *file = fopen(path, "w");
    CHECK(file && fwrite(text->at, 1, text->size, file) == text->size && fclose(file) == 0, "%s", path);
}

static void read_all(FILE *file, struct buffer *out)
{
    char part[4096];
    size_t size;
    while ((size = fread(part, 1, sizeof part, file)) > 0)
        buffer_append(out, part, size);
}

static bool read_command(const char *command, struct buffer *out)
{
    FILE *file = popen(command, "r");
    CHECK(file, "%s", command);
    read_all(file, out);
    return pclose(file) == 0;
}

void golden_read(const char *name, struct buffer *out)
{
    char path[512];
    path_of(name, path);
    FILE *file = fopen(path, "r");
    CHECK(file, "%s", path);
    read_all(file, out);
    fclose(file);
}

bool golden_same(const char *name, const struct buffer *text, struct buffer *diff)
{
    char path[512], is[] = "/tmp/souk-golden-XXXXXX", command[1200];
    path_of(name, path);
    if (getenv("SOUK_WRITE_GOLDEN")) {
        write_file(path, text);
        return true;
    }
    int fd = mkstemp(is);
    CHECK(fd >= 0, "%s", is);
    close(fd);
    write_file(is, text);
    snprintf(command, sizeof command, "diff -u --label golden/%s --label told '%s' %s 2>&1", name, path, is);
    bool same = read_command(command, diff);
    unlink(is);
    return same;
}
