// SPDX-License-Identifier: Apache-2.0
// Places an order of two mugs and prints what became of it.
//   cc order.c -o order $(pkg-config --cflags --libs souk msgpack) && ./order tcp://127.0.0.1:5555 o-1001
#include <msgpack.h>
#include <souk.h>
#include <stdio.h>
#include <string.h>

static void text(msgpack_packer *out, const char *value)
{
    msgpack_pack_str_with_body(out, value, strlen(value));
}

int main(int count, char **arguments)
{
    const char *endpoint = count > 1 ? arguments[1] : "tcp://127.0.0.1:5555";
    const char *order = count > 2 ? arguments[2] : "o-1001";
    msgpack_sbuffer body;
    msgpack_packer out;
    msgpack_sbuffer_init(&body);
    msgpack_packer_init(&out, &body, msgpack_sbuffer_write);

    // {user_id, payment_method, lines: [{sku, quantity, unit_price: {amount, currency}}]}
    msgpack_pack_map(&out, 3);
    text(&out, "user_id"), text(&out, "u-7");
    text(&out, "payment_method"), text(&out, "pm_card_visa");
    text(&out, "lines"), msgpack_pack_array(&out, 1), msgpack_pack_map(&out, 3);
    text(&out, "sku"), text(&out, "mug");
    text(&out, "quantity"), msgpack_pack_int64(&out, 2);
    text(&out, "unit_price"), msgpack_pack_map(&out, 2);
    text(&out, "amount"), msgpack_pack_int64(&out, 1299);
    text(&out, "currency"), text(&out, "GBP");

    char id[33];
    souk_request_id(id); // keep it for as long as this order is meant: a repeat is never a second order
    struct souk_client *client = souk_client_open(endpoint);
    struct souk_reply reply;
    if (!client || !souk_client_call(client, id, "order.place", order, body.data, body.size, 30000, &reply)) {
        fprintf(stderr, "no answer from %s: send it again with the same id\n", endpoint);
        return 1;
    }
    printf("%s: %s\n", order, reply.status);
    int code = strcmp(reply.status, "ok") != 0; // the reply lives until the next call
    msgpack_unpacked view;
    msgpack_unpacked_init(&view);
    if (msgpack_unpack_next(&view, (const char *)reply.body, reply.body_size, NULL) == MSGPACK_UNPACK_SUCCESS)
        msgpack_object_print(stdout, view.data), putchar('\n');
    msgpack_unpacked_destroy(&view);
    msgpack_sbuffer_destroy(&body);
    souk_client_close(&client);
    return code;
}
