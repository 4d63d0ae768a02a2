// SPDX-License-Identifier: Apache-2.0
// A payment provider outside: the contract its driver implements. The embedded sandbox is not one of these (it is a
// kind of actors); drivers that speak HTTP come here.
//
//   P1  one thing per key: an operation whose provider_key was taken before has no second effect and gets the first
//       outcome again
//   P2  silence is not a refusal: a driver that cannot tell says nothing; the payment asks again with the same key
#pragma once

#include "codec/message.h"

struct provider_call {
    struct bytes order_id;
    struct provider_operation operation;
};
struct provider_result {
    struct bytes order_id;
    struct provider_outcome outcome;
};

struct provider {
    const char *name; // as in [payment] provider
    // NULL: cannot be used; `why` says what to do.
    void *(*open)(char *why, size_t why_size);
    // Starts an operation and returns at once. Copies what it keeps.
    void (*begin)(void *self, const struct provider_call *call);
    // The next finished operation, waiting at most timeout_ms; false: none. Borrowed until the next call.
    bool (*collect)(void *self, int timeout_ms, struct provider_result *result);
    void (*close)(void *self);
};

// NULL: no driver of this name.
const struct provider *provider_by_name(struct bytes name);
