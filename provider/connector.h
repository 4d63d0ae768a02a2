// SPDX-License-Identifier: Apache-2.0
// The thread between payment actors and a provider outside. Takes `sandbox.operate` requests (the vocabulary's one
// provider operation) at inproc://provider and sends each outcome to the payment's actor as `payment.outcome`. Remembers
// nothing: what is lost with the process, payments ask again under the same key.
#pragma once

#include "provider/provider.h"

struct connector;

struct connector_options {
    void *zmq;
    const struct provider *provider;
    // The inbox of the actor that owns a payment; the text lives as long as the connector.
    const char *(*payment_inbox)(void *context, struct bytes order_id);
    void *context;
};

#define CONNECTOR_ENDPOINT "inproc://provider"

// Opens the driver and binds the endpoint before it returns. NULL: `why` says what to do.
struct connector *connector_start(const struct connector_options *options, char *why, size_t why_size);
// Joins; operations under way are left to the provider.
void connector_stop(struct connector **connector);
