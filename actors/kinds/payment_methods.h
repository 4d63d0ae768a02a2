// SPDX-License-Identifier: Apache-2.0
// The payment methods an order may name. `cod` (cash on delivery) asks no provider; the others are the sandbox's, each
// a provider that behaves in its own way. Data only; any thread.
#pragma once

#include "codec/bytes.h"

#define PAYMENT_METHODS(METHOD)                                                                                        \
    METHOD(CARD_VISA, "pm_card_visa", "succeeds at once")                                                              \
    METHOD(CARD_DECLINED, "pm_card_chargeDeclined", "every authorization is declined")                                 \
    METHOD(TIMEOUT_THEN_SUCCESS, "pm_sandbox_timeout_then_success", "done at once, but the first answer is lost")      \
    METHOD(LATE, "pm_sandbox_late", "answers after 2 s")                                                               \
    METHOD(TWICE, "pm_sandbox_twice", "answers twice")                                                                 \
    METHOD(FLAKY, "pm_sandbox_flaky", "fails twice and does nothing, then succeeds")                                   \
    METHOD(ACTION_REQUIRED, "pm_sandbox_action_required", "the shopper must confirm")                                  \
    METHOD(COD, "cod", "cash on delivery: no provider")

enum payment_method {
    METHOD_UNKNOWN,
#define METHOD(name, text, sentence) METHOD_##name,
    PAYMENT_METHODS(METHOD)
#undef METHOD
};

static inline enum payment_method payment_method_of(struct bytes name)
{
#define METHOD(method, text, sentence)                                                                                 \
    if (bytes_equal(name, BYTES(text)))                                                                                \
        return METHOD_##method;
    PAYMENT_METHODS(METHOD)
#undef METHOD
    return METHOD_UNKNOWN;
}
