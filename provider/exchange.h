// SPDX-License-Identifier: Apache-2.0
// What travels between payment actors and whoever drives a provider outside: an operation as a `sandbox.operate` request
// (the vocabulary's one provider operation), its outcome as a `payment.outcome` parcel. Any thread.
#pragma once

#include "codec/parcel.h"
#include "provider/provider.h"

// Borrows from the request and the arena. CHECKs: only payments write them.
void provider_call_read(struct bytes request, struct provider_call *call, struct arena *arena);
// Appends the parcel for the payment's actor.
void provider_result_write(const struct provider_result *result, struct buffer *frame);
