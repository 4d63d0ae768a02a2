// SPDX-License-Identifier: Apache-2.0
// `souk send --prefix`: gives what a body names other names, so that commands of one shop's log can be sent to another
// beside what is there. Any thread.
#pragma once

#include "codec/pack.h"
#include "codec/schema.h"

// Is it an ID field whose value names an entity or a hold: sku, cart_id, order_id, reservation_id? (Not user_id,
// payment_method, seller or `after`: nothing here is kept under those.)
bool rename_touches(const struct field *field);
// The body with `prefix` before the value of each such field, in lines too; appended. What the shape does not expect is
// copied as it is: the node judges it.
void rename_body(const struct shape *shape, struct bytes body, struct bytes prefix, struct buffer *out);
