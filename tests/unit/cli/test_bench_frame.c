// SPDX-License-Identifier: Apache-2.0
#include "cli/bench_frame.h"

#include "codec/arena.h"
#include "codec/cursor.h"
#include "codec/envelope.h"

#include <criterion/criterion.h>

static struct bench_frame frame;
static struct request request;
static struct arena arena;
static uint8_t packed[FRAME_SIZE_MAX];

static const struct message_def *write_and_read(uint32_t sequence, uint16_t slot, uint32_t sku, uint32_t skus)
{
    struct envelope_refusal refusal;
    bench_frame_write(&frame, packed, sequence, slot, sku, skus);
    struct cursor cursor = cursor_over(bytes_of(packed, frame.packed.size));
    cr_assert(request_read(&cursor, &request, &refusal), "%s", refusal.message);
    cr_assert_eq(cursor_left(&cursor), 0);
    return message_by_name(request.type);
}

static void expect(struct bytes bytes, const char *text)
{
    cr_assert(bytes_equal(bytes, bytes_text(text)), "'%.*s' is not '%s'", BYTES_FORMAT(bytes), text);
}

static void decode(const struct message_def *def, void *out)
{
    struct refusal refusal;
    cr_assert(body_decode(def->body(), request.body, out, &arena, &refusal), "%s: %s", refusal.field, refusal.message);
}

Test(bench_frame, a_reserve_is_what_the_node_expects)
{
    struct inventory_reserve body;
    arena_init(&arena);
    bench_frame_reserve(&frame, "abcdef", 'm');
    const struct message_def *def = write_and_read(0x89abcdef, 0xffee, 0x1234, 0x2000);
    cr_assert_eq(def->type, MESSAGE_inventory_reserve);
    decode(def, &body);
    expect(request.id, "abcdefm89abcdefffee");
    expect(body.reservation_id, "abcdefm89abcdefffee");
    expect(request.key, "bench-abcdef-00001234");
    cr_assert_eq(body.quantity, 1);
    bench_frame_deinit(&frame);
    arena_deinit(&arena);
}

Test(bench_frame, an_orders_lines_are_about_skus_in_a_row)
{
    struct order_place body;
    arena_init(&arena);
    bench_frame_place(&frame, "abcdef", 'm', 3);
    const struct message_def *def = write_and_read(1, 2, 8, 10);
    cr_assert_eq(def->type, MESSAGE_order_place);
    decode(def, &body);
    expect(request.key, "abcdefm000000010002");
    cr_assert_eq(body.lines_count, 3);
    expect(body.lines[0].sku, "bench-abcdef-00000008");
    expect(body.lines[1].sku, "bench-abcdef-00000009");
    expect(body.lines[2].sku, "bench-abcdef-00000000");
    cr_assert_eq(body.wait_ms, WAIT_MS_MAX);
    cr_assert(body.lines[2].has_unit_price);
    bench_frame_deinit(&frame);
    arena_deinit(&arena);
}

Test(bench_frame, goods_are_put_and_received)
{
    struct catalog_put put;
    struct inventory_receive receive;
    arena_init(&arena);
    bench_frame_put(&frame, "abcdef", 'p');
    decode(write_and_read(7, 0, 7, 10), &put);
    expect(request.key, "bench-abcdef-00000007");
    bench_frame_deinit(&frame);
    bench_frame_receive(&frame, "abcdef", 'r');
    decode(write_and_read(7, 0, 7, 10), &receive);
    expect(request.id, "abcdefr000000070000");
    cr_assert_eq(receive.quantity, QUANTITY_MAX);
    bench_frame_deinit(&frame);
    arena_deinit(&arena);
}

Test(bench_frame, an_id_tells_its_sequence_and_slot_and_whose_it_is)
{
    uint32_t sequence;
    uint16_t slot;
    const uint8_t *mark = (const uint8_t *)"abcdefm";
    cr_assert(bench_id_read((const uint8_t *)"abcdefm89abcdefffee", mark, &sequence, &slot));
    cr_assert_eq(sequence, 0x89abcdef);
    cr_assert_eq(slot, 0xffee);
    cr_assert_not(bench_id_read((const uint8_t *)"abcdefr89abcdefffee", mark, &sequence, &slot));
    cr_assert_not(bench_id_read((const uint8_t *)"abcdefm89abcdefffeg", mark, &sequence, &slot));
    cr_assert_not(bench_id_read((const uint8_t *)"abcdefm89abcdEfffee", mark, &sequence, &slot));
}
