// SPDX-License-Identifier: Apache-2.0
#include "provider/exchange.h"

#include "codec/check.h"
#include "codec/envelope.h"

void provider_call_read(struct bytes request, struct provider_call *call, struct arena *arena)
{
    struct cursor cursor = cursor_over(request);
    struct request read;
    struct envelope_refusal why;
    struct refusal refusal;
    CHECK(request_read(&cursor, &read, &why), "%s", why.message);
    call->order_id = read.key;
    CHECK(body_decode(provider_operation_shape(), read.body, &call->operation, arena, &refusal), "%s",
          refusal.message);
}

void provider_result_write(const struct provider_result *result, struct buffer *frame)
{
    struct buffer body, request;
    buffer_init(&body);
    buffer_init(&request);
    body_encode(provider_outcome_shape(), &result->outcome, &body);
    request_write(&request, REQUEST_ID_NONE, "payment.outcome", result->order_id, buffer_bytes(&body), 0);
    parcel_write(frame, &(struct parcel){.origin = PARCEL_PEER,
                                         .route_kind = KIND_SANDBOX,
                                         .route = result->order_id,
                                         .request = buffer_bytes(&request)});
    buffer_deinit(&body);
    buffer_deinit(&request);
}
