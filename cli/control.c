// SPDX-License-Identifier: Apache-2.0
#include "cli/control.h"

#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCHEME_SIZE = 6 /* ipc:// */, SOCKET_PATH_MAX = 107 };

int control_endpoint(const char *command, const char *directory, char *endpoint, size_t size)
{
    char *real = realpath(directory, NULL);
    snprintf(endpoint, size, "ipc://%.4000s/control.sock", real ? real : directory);
    free(real);
    if (strlen(endpoint) > SCHEME_SIZE + SOCKET_PATH_MAX) // the relative one may fit
        snprintf(endpoint, size, "ipc://%.4000s/control.sock", directory);
    if (strlen(endpoint) <= SCHEME_SIZE + SOCKET_PATH_MAX)
        return EXIT_OK;
    return fail_with(EXIT_USAGE, command,
                     "%s: too long for a socket's path; change into a directory above it and give a relative one",
                     endpoint + SCHEME_SIZE);
}
