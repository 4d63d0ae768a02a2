// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include "cli/cli.h"
#include "codec/json.h"

#include <errno.h>

void output_reply(struct buffer *out, const char *id, struct bytes key, const char *status, struct bytes body)
{
    buffer_printf(out, "{\"id\":");
    json_write_text(bytes_text(id), out);
    if (key.size) {
        buffer_printf(out, ",\"key\":");
        json_write_text(key, out);
    }
    buffer_printf(out, ",\"status\":");
    json_write_text(bytes_text(status), out);
    buffer_printf(out, ",\"body\":");
    if (!json_write(body, out))
        buffer_printf(out, "null");
    buffer_printf(out, "}\n");
}

bool output_write(FILE *file, const struct buffer *out)
{
    return fwrite(out->at, 1, out->size, file) == out->size;
}

int output_finish(const char *command, int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    return errno == EPIPE ? EXIT_FAULT : fail_with(EXIT_FAULT, command, "cannot write the output: %s", strerror(errno));
}
