// SPDX-License-Identifier: Apache-2.0
// A parcel is this head, the route, the request; the next one follows without a gap.
#include "codec/parcel.h"

#include "codec/check.h"
#include "codec/cursor.h"

struct parcel_head {
    uint8_t origin, flags, route_kind, route_size;
    uint32_t request_size;
};
_Static_assert(sizeof(struct parcel_head) == 8, "no padding between threads");

void parcel_write(struct buffer *out, const struct parcel *parcel)
{
    CHECK(parcel->route.size <= UINT8_MAX, "%zu", parcel->route.size);
    CHECK(parcel->request.size <= UINT32_MAX, "%zu", parcel->request.size);
    struct parcel_head head = {
        .origin = (uint8_t)parcel->origin,
        .flags = parcel->flags,
        .route_kind = parcel->route_kind,
        .route_size = (uint8_t)parcel->route.size,
        .request_size = (uint32_t)parcel->request.size,
    };
    buffer_reserve(out, sizeof head + parcel->route.size + parcel->request.size);
    buffer_append(out, &head, sizeof head);
    buffer_append(out, parcel->route.at, parcel->route.size);
    buffer_append(out, parcel->request.at, parcel->request.size);
}

bool parcel_next(struct cursor *frame, struct parcel *parcel)
{
    struct parcel_head head;
    size_t left = cursor_left(frame);
    if (!left)
        return false;
    CHECK(left >= sizeof head, "%zu bytes left", left);
    memcpy(&head, frame->at, sizeof head);
    CHECK(head.origin >= PARCEL_CLIENT && head.origin <= PARCEL_EVENT, "%u", head.origin);
    CHECK(left - sizeof head >= (size_t)head.route_size + head.request_size, "%zu bytes left", left);
    const uint8_t *route = frame->at + sizeof head, *request = route + head.route_size;
    *parcel = (struct parcel){
        .origin = (enum parcel_origin)head.origin,
        .flags = head.flags,
        .route_kind = head.route_kind,
        .route = bytes_of(route, head.route_size),
        .request = bytes_of(request, head.request_size),
    };
    frame->at = request + head.request_size;
    return true;
}
