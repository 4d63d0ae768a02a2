// SPDX-License-Identifier: Apache-2.0
// What a turn wants to leave: one frame for each actor and one for the broker, in order, and nothing after a clear.
#include "actors/outbox.h"

#include <criterion/criterion.h>

static struct outbox outbox;

static void open_outbox(void)
{
    outbox_init(&outbox);
}

static void close_outbox(void)
{
    outbox_deinit(&outbox);
}

TestSuite(outbox, .init = open_outbox, .fini = close_outbox, .timeout = 60);

static const uint8_t empty_map[] = {0x80};
#define EMPTY bytes_of(empty_map, sizeof empty_map)

static void send(enum kind_id kind, uint16_t index, const char *key)
{
    outbox_request(&outbox, (struct actor_id){kind, index}, (struct entity){KIND_ORDER, BYTES("O1")}, "cart.claim",
                   bytes_text(key), EMPTY);
}

static uint32_t parcels_in(const struct buffer *buffer)
{
    struct cursor frame = cursor_over(buffer_bytes(buffer));
    struct parcel parcel;
    uint32_t count = 0;
    while (parcel_next(&frame, &parcel))
        count++;
    return count;
}

Test(outbox, is_empty_at_first)
{
    cr_expect_eq(outbox.broker.size, 0);
    cr_expect_eq(outbox.provider.size, 0);
    cr_expect_eq(outbox.dirty_count, 0);
    outbox_clear(&outbox);
}

Test(outbox, a_reply_goes_to_the_broker_on_its_route)
{
    struct parcel parcel;
    struct reply reply;
    outbox_reply(&outbox, BYTES("route"), PARCEL_DELIMITED, BYTES("id"), STATUS_not_found, EMPTY);
    struct cursor frame = cursor_over(buffer_bytes(&outbox.broker));
    cr_assert(parcel_next(&frame, &parcel));
    cr_expect_eq(parcel.origin, PARCEL_REPLY);
    cr_expect_eq(parcel.flags, PARCEL_DELIMITED);
    cr_expect(bytes_equal(parcel.route, BYTES("route")));
    struct cursor cursor = cursor_over(parcel.request);
    cr_assert(reply_read(&cursor, &reply));
    cr_expect(bytes_equal(reply.id, BYTES("id")));
    cr_expect(bytes_equal(reply.status, BYTES("not_found")));
    cr_expect(bytes_equal(reply.body, EMPTY));
    cr_expect_not(parcel_next(&frame, &parcel));
}

Test(outbox, a_request_names_who_sends_and_who_is_meant)
{
    struct parcel parcel;
    struct request request;
    struct envelope_refusal why;
    send(KIND_CART, 3, "C1");
    struct cursor frame = cursor_over(buffer_bytes(&outbox.peers[KIND_CART][3]));
    cr_assert(parcel_next(&frame, &parcel));
    cr_expect_eq(parcel.origin, PARCEL_PEER);
    cr_expect_eq(parcel.route_kind, KIND_ORDER);
    cr_expect(bytes_equal(parcel.route, BYTES("O1")));
    struct cursor cursor = cursor_over(parcel.request);
    cr_assert(request_read(&cursor, &request, &why));
    cr_expect(bytes_equal(request.type, BYTES("cart.claim")));
    cr_expect(bytes_equal(request.key, BYTES("C1")));
    cr_expect(bytes_equal(request.id, REQUEST_ID_NONE));
}

Test(outbox, all_for_one_actor_is_one_frame_in_order)
{
    static const char *const keys[] = {"C1", "C2", "C3"};
    struct parcel parcel;
    for (int i = 0; i < 3; i++) {
        send(KIND_CART, 0, keys[i]);
        send(KIND_CART, 1, keys[i]);
    }
    send(KIND_INVENTORY, 63, "mug");
    cr_expect_eq(outbox.dirty_count, 3);
    cr_expect_eq(outbox.parcels, 7);
    struct cursor frame = cursor_over(buffer_bytes(&outbox.peers[KIND_CART][1]));
    for (int i = 0; i < 3; i++) {
        struct request request;
        struct envelope_refusal why;
        cr_assert(parcel_next(&frame, &parcel));
        struct cursor cursor = cursor_over(parcel.request);
        cr_assert(request_read(&cursor, &request, &why));
        cr_expect(bytes_equal(request.key, bytes_text(keys[i])));
    }
    cr_expect_not(parcel_next(&frame, &parcel));
}

Test(outbox, everything_for_the_broker_is_one_frame_in_order)
{
    static const enum parcel_origin origins[] = {PARCEL_REPLY, PARCEL_EVENT, PARCEL_REPLY, PARCEL_CREDIT};
    struct parcel_credit credit = {.commands = 7, .size = 99, .actor = 4};
    struct parcel parcel;
    outbox_reply(&outbox, BYTES("r"), 0, BYTES("a"), STATUS_ok, EMPTY);
    outbox_event(&outbox, (struct actor_id){KIND_ORDER, 12}, BYTES("position"));
    outbox_reply(&outbox, BYTES("r"), 0, BYTES("b"), STATUS_ok, EMPTY);
    outbox_credit(&outbox, &credit);
    struct cursor frame = cursor_over(buffer_bytes(&outbox.broker));
    for (int i = 0; i < 4; i++) {
        cr_assert(parcel_next(&frame, &parcel));
        cr_expect_eq(parcel.origin, origins[i]);
        if (parcel.origin == PARCEL_EVENT) {
            cr_expect(bytes_equal(parcel.route, BYTES("order/12")));
            cr_expect(bytes_equal(parcel.request, BYTES("position")));
        }
    }
    struct parcel_credit back;
    cr_assert_eq(parcel.request.size, sizeof back);
    memcpy(&back, parcel.request.at, sizeof back);
    cr_expect(back.commands == 7 && back.size == 99 && back.actor == 4);
}

Test(outbox, an_operation_goes_to_the_provider_under_its_orders_key)
{
    struct parcel parcel;
    struct request request;
    struct envelope_refusal why;
    outbox_provider(&outbox, (struct entity){KIND_PAYMENT, BYTES("O1")}, EMPTY);
    cr_expect_eq(outbox.dirty_count, 0);
    struct cursor frame = cursor_over(buffer_bytes(&outbox.provider));
    cr_assert(parcel_next(&frame, &parcel));
    struct cursor cursor = cursor_over(parcel.request);
    cr_assert(request_read(&cursor, &request, &why));
    cr_expect(bytes_equal(request.key, BYTES("O1")));
    cr_expect(bytes_equal(request.type, BYTES("sandbox.operate")));
}

Test(outbox, after_a_clear_nothing_is_left_and_the_next_turn_begins_anew)
{
    for (int turn = 0; turn < 3; turn++) {
        for (uint16_t index = 0; index < ACTORS_MAX; index++)
            for (int kind = 0; kind < KIND_COUNT; kind++)
                send((enum kind_id)kind, index, "C1");
        outbox_reply(&outbox, BYTES("r"), 0, BYTES("a"), STATUS_ok, EMPTY);
        outbox_provider(&outbox, (struct entity){KIND_PAYMENT, BYTES("O1")}, EMPTY);
        cr_expect_eq(outbox.dirty_count, KIND_COUNT * ACTORS_MAX);
        cr_expect_eq(parcels_in(&outbox.peers[KIND_SANDBOX][63]), 1);
        outbox_clear(&outbox);
        cr_expect_eq(outbox.dirty_count, 0);
        cr_expect_eq(outbox.parcels, 0);
        cr_expect_eq(outbox.broker.size, 0);
        cr_expect_eq(outbox.provider.size, 0);
        cr_expect_eq(outbox.peers[KIND_SANDBOX][63].size, 0);
        cr_expect_eq(outbox.peers[KIND_CATALOG][0].size, 0);
    }
}
