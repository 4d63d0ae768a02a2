"""Clients that cost more than they should: what they take is bounded, and what others need is there."""
import contextlib
import os
import pathlib
import re
import resource
import socket
import struct
import time
import unittest

import msgpack
import zmq

from tests.e2e.shop import SLOW, Shop

FILES, MIB = 400, 2**20
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(16) + b"\x00" + bytes(31)


def few_files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES))


def connect(endpoint):
    scheme, where = endpoint.split("://")
    if scheme == "tcp":
        host, port = where.split(":")
        return socket.create_connection((host, int(port)), timeout=10 * SLOW)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(10 * SLOW)
    connection.connect(where)
    return connection


def ready(kind):
    """ZMTP's READY of a socket of this type."""
    body = b"\x05READY\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind
    return b"\x04" + bytes([len(body)]) + body


def handshaken(endpoint, kind=b"DEALER"):
    """A connection that has said everything a client must and nothing else; None: it was not taken."""
    connection = connect(endpoint)
    try:
        connection.sendall(GREETING + ready(kind))
        if connection.recv(1, socket.MSG_PEEK):
            return connection
    except ConnectionError:
        pass
    connection.close()
    return None


def subscribe(connection, topic):
    """Whether it is still there."""
    head = b"\x00" + bytes([len(topic) + 1]) if len(topic) < 255 else b"\x02" + struct.pack(">Q", len(topic) + 1)
    try:
        connection.sendall(head + b"\x01" + topic)
    except ConnectionError:
        return False
    return True


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

    def memory_of(self, shop):
        status = pathlib.Path(f"/proc/{shop.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) * 1024

    def test_subscribers_take_little_memory_and_are_served_again(self):
        shop = Shop()
        events = f"ipc://{shop.directory}/events"
        file = shop.directory / "topology.toml"
        file.write_text(file.read_text().replace('events = "tcp://127.0.0.1:*"', f'events = "{events}"'))
        with shop, contextlib.closing(shop.client()) as client:
            before = self.memory_of(shop)
            with handshaken(events, b"SUB") as long:
                self.assertFalse(all(subscribe(long, os.urandom(MIB)) for _ in range(10)), "each is too long")
            for _ in range(5):
                with handshaken(events, b"SUB") as many:
                    count = 0
                    while count < 20000 and subscribe(many, os.urandom(60)):
                        count += 1
            dropped = shop.status(client)["dropped"]
            self.assertGreater(dropped["subscribers_cut"], 0)
            self.assertLess(self.memory_of(shop) - before, 100 * MIB * SLOW)  # sanitizers keep what was freed
            self.hears(shop, client, events)

    def hears(self, shop, client, events):
        reader = zmq.Context.instance().socket(zmq.SUB)
        with contextlib.closing(reader):
            reader.setsockopt(zmq.LINGER, 0)
            reader.subscribe("inventory/")
            reader.connect(events)
            end = time.monotonic() + 30 * SLOW
            while not reader.poll(100):
                self.assertLess(time.monotonic(), end, "no hint")
                client.call("inventory.receive", "tea", {"quantity": 1})
            actor, position = reader.recv_multipart()
            self.assertRegex(actor.decode(), "^inventory/[01]$")
            self.assertTrue(position)


if __name__ == "__main__":
    unittest.main()
