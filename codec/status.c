// SPDX-License-Identifier: Apache-2.0
// The table of status.def.
#include "codec/status.h"

#include "codec/check.h"

enum { LASTING_DEFINITE, LASTING_TRANSIENT };

static const struct {
    struct bytes name;
    const char *sentence;
    int lasting;
} statuses[STATUS_COUNT] = {
#define STATUS(number, name, lasting, sentence) [number] = {BYTES(#name), sentence, LASTING_##lasting},
#include "codec/status.def"
#undef STATUS
};

const char *status_name(enum status status)
{
    CHECK((unsigned)status < STATUS_COUNT, "%d", (int)status);
    return (const char *)statuses[status].name.at;
}

bool status_of_name(struct bytes name, enum status *status)
{
    for (int i = 0; i < STATUS_COUNT; i++) {
        if (bytes_equal(name, statuses[i].name)) {
            *status = (enum status)i;
            return true;
        }
    }
    return false;
}

bool status_transient(enum status status)
{
    CHECK((unsigned)status < STATUS_COUNT, "%d", (int)status);
    return statuses[status].lasting == LASTING_TRANSIENT;
}

const char *status_sentence(enum status status)
{
    CHECK((unsigned)status < STATUS_COUNT, "%d", (int)status);
    return statuses[status].sentence;
}
