// SPDX-License-Identifier: Apache-2.0
#include "actors/kinds/kind.h"

#include "codec/check.h"

static const struct kind *const kinds[KIND_COUNT] = {
    [KIND_CATALOG] = &kind_catalog, [KIND_INVENTORY] = &kind_inventory, [KIND_CART] = &kind_cart,
    [KIND_ORDER] = &kind_order,     [KIND_PAYMENT] = &kind_payment,     [KIND_SANDBOX] = &kind_sandbox,
};

const struct kind *kind_of(enum kind_id id)
{
    CHECK((uint32_t)id < KIND_COUNT, "%d", (int)id);
    return kinds[id];
}
