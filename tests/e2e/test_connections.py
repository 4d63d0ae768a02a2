"""Clients that cost more than they should: what they take is bounded, and what others need is there."""
import contextlib
import resource
import socket
import struct
import unittest

import msgpack

from tests.e2e.shop import SLOW, Shop

FILES = 400
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16) + b"\x00" + bytes(31)


def few_files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))


def address(endpoint):
    host, port = endpoint.removeprefix("tcp://").split(":")
    return host, int(port)


def ready(kind):
    """ZMTP's READY of a socket of this type."""
    body = b"\x05READY\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind
    return b"\x04" + bytes([len(body)]) + body


def handshaken(endpoint, kind=b"DEALER"):
    """A connection that has said everything a client must and nothing else; None: it was not taken."""
    connection = socket.create_connection(address(endpoint), timeout=10 * SLOW)
    try:
        connection.sendall(GREETING + ready(kind))
        if connection.recv(1, socket.MSG_PEEK):
            return connection
    except ConnectionError:
        pass
    connection.close()
    return None


class Connections(unittest.TestCase):
    def reserve(self, client, bundles):
        """So much is written that the databases of inventory begin new files."""
        under_way = 0
        for bundle in range(bundles + 8):
            if bundle < bundles:
                client.send_raw(msgpack.packb([2, [[1, f"{bundle}-{i}", "inventory.reserve", f"sku-{i}",
                                                    {"reservation_id": f"r{bundle}", "quantity": 1}] for i in range(256)]]))
                under_way += 256
            while under_way and (under_way > 8 * 256 or bundle >= bundles):
                replies = client.receive()
                self.assertIsNotNone(replies, "the node answers no more")
                self.assertEqual({status for _, status, _ in replies}, {"ok"})
                under_way -= len(replies)

    def test_idle_connections_leave_the_databases_their_files(self):
        shop = Shop()
        with contextlib.ExitStack() as stack:
            stack.callback(shop.__exit__)
            shop.start(preexec_fn=few_files)
            client = stack.enter_context(contextlib.closing(shop.client()))
            for sku in range(256):
                client.call("inventory.receive", f"sku-{sku}", {"quantity": 1000})
            connections = [handshaken(shop.endpoint) for _ in range(500)]
            taken = [stack.enter_context(connection) for connection in connections if connection]
            self.assertGreater(len(taken), 16)
            self.assertLess(len(taken), FILES // 2, "the others were told off")
            self.reserve(client, 200)
            self.assertGreaterEqual(shop.status(client)["dropped"]["accept_failed"], 500 - len(taken))
            for connection in taken:
                connection.close()
            with contextlib.closing(shop.client()) as other:
                self.assertEqual(other.call("inventory.get", "sku-0")["reserved"], 200)
            self.assertEqual(shop.stop(), 0)


if __name__ == "__main__":
    unittest.main()
