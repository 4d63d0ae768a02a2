// SPDX-License-Identifier: Apache-2.0
#include "broker/unread.h"

#include <criterion/criterion.h>

enum { MIB = 1024 * 1024, WHOLE = 64 * MIB, SHARE = WHOLE / 8 };

static struct unread *unread;
static struct room *room;
static zmq_msg_t frames[64];
static int count;

static void begin(void)
{
    room = room_new(WHOLE);
    unread = unread_new(WHOLE, room);
}

static void take_all(void)
{
    while (count)
        zmq_msg_close(&frames[--count]);
}

static void end(void)
{
    take_all();
    unread_free(&unread);
    room_free(&room);
}

TestSuite(unread, .init = begin, .fini = end);

static bool send(uint32_t connection, size_t size)
{
    uint8_t route[5] = {0};
    memcpy(route + 1, &connection, sizeof connection);
    cr_assert_lt(count, 64);
    if (!unread_frame(unread, bytes_of(route, sizeof route), size, &frames[count]))
        return false;
    memset(zmq_msg_data(&frames[count]), 'x', size);
    count++;
    return true;
}

Test(unread, a_connection_that_takes_nothing_has_its_share_waiting)
{
    for (int i = 0; i < 7; i++)
        cr_expect(send(1, MIB));
    cr_expect_not(send(1, MIB));
    cr_expect(send(2, MIB), "others go on");
    take_all();
    cr_expect(send(1, MIB));
}

Test(unread, what_waits_is_taken_from_the_room_until_it_is_read)
{
    uint32_t place = room_place(room, bytes_of("\0\1\0\0\0", 5));
    cr_assert(room_left(room, place));
    for (int i = 0; i < 4; i++)
        cr_assert(send(1, MIB));
    cr_expect_not(room_left(room, place), "half of its share");
    take_all();
    cr_expect(room_left(room, place));
}

Test(unread, when_all_is_used_up_who_reads_is_still_served)
{
    for (uint32_t connection = 0; connection < 8; connection++) {
        cr_assert(send(connection, SHARE / 2));
        cr_assert(send(connection, SHARE / 2 - 4096));
    }
    cr_assert(send(100, MIB), "nothing waits for this one");
    cr_expect_not(send(100, MIB));
    cr_expect_not(send(0, 4000));
    zmq_msg_close(&frames[--count]);
    cr_expect(send(100, MIB));
}

Test(unread, beyond_twice_the_whole_nobody_is_sent_anything)
{
    uint32_t connection = 0;
    while (send(connection, 4 * MIB))
        connection++;
    cr_expect_eq(connection, 2 * WHOLE / (4 * MIB) - 1);
    take_all();
    cr_expect(send(connection, 4 * MIB));
}

Test(unread, one_frame_larger_than_the_share_goes_alone)
{
    cr_expect(send(1, SHARE + 1));
    cr_expect_not(send(1, 1));
}

Test(unread, connections_that_took_all_are_forgotten)
{
    for (uint32_t connection = 0; connection < 100000; connection++) {
        cr_assert(send(connection, 10));
        take_all();
    }
    cr_expect_lt(unread_connections(unread), 5000);
}
