"""Bad input over real sockets: each gets its named refusal or is dropped with a counted reason; the node serves on."""
import contextlib
import json
import os
import random
import re
import resource
import socket
import subprocess
import time
import unittest

import msgpack
import zmq

from tests.e2e.shop import SLOW, SOUK, Shop, gbp, souk

# ZMTP 3.0 (rfc.zeromq.org/spec/23): signature, version 3.0, mechanism NULL; then READY with the socket's type
ZMTP_GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL" + bytes(16) + bytes(32)
ZMTP_READY = b"\x04\x1c\x05READY\x0bSocket-Type\x00\x00\x00\x06DEALER"
LONG = "x" * 200
NOT_UTF8 = "\udcff"  # packed as a str of the one byte 0xff
BAD_VALUES = {
    "int": ["1", 1.5, -1, 0, 2**62, True, None, b"\xff", [1], {}],
    "str": [1, "", LONG * 200, "a\x00b", "line\nbreak", b"\x80\x81", NOT_UTF8, "tea" + NOT_UTF8, None, [], {}],
    "money": [1, "12", {"amount": -1, "currency": "GBP"}, {"amount": 1}, {"amount": 1, "currency": "XXX"},
              {"amount": 1, "currency": NOT_UTF8}, {"amount": 1.5, "currency": "GBP"}, {"amount": 1, "currency": "GBP", "more": 1}, None],
    "list": [1, {}, "x", [1], [{}], None],
    "map": [1, [], "x", {"k": 1}, {1: "v"}, {"k": "v" * 300}, {"k": NOT_UTF8}, {NOT_UTF8: "v"}, None],
    "bool": [1, "true", None],
}


def pack(value):
    return msgpack.packb(value, use_bin_type=True, unicode_errors="surrogateescape")


class Protocol(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = Shop()
        cls.shop.start()
        cls.client = cls.shop.client()
        cls.vocabulary = json.loads(souk("messages", "--json", check=0).stdout)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.shop.kill()
        cls.shop.__exit__()

    def tearDown(self):
        self.assertEqual(self.client.ask("souk.status", "x")[0], "ok", "the node serves on")

    def raw(self, *frames):
        client = self.shop.client()
        client.send_raw(*frames)
        reply = client.receive(5)
        client.close()
        return reply

    def test_a_frame_that_is_no_request_is_invalid(self):
        for frame in [b"", b"\xc1", b"hello", pack(1), pack([]), pack({}), pack([1]), pack([1, "id"]),
                      pack([1, "id", "catalog.get", "k"]), pack([1, "id", "catalog.get", "k", {}, {}, 1]),
                      pack([1, 5, "catalog.get", "k", {}]), pack([1, "", "catalog.get", "k", {}]),
                      pack([1, "x" * 65, "catalog.get", "k", {}]), pack([1, "id", 5, "k", {}]),
                      pack([1, "id", "catalog.get", "", {}]), pack([1, "id", "catalog.get", "x" * 129, {}]),
                      pack([1, NOT_UTF8, "catalog.get", "k", {}]), pack([1, "id", NOT_UTF8, "k", {}]),
                      pack([1, "id", "catalog.get", NOT_UTF8, {}]), pack([1, "id", "catalog.get", "k", {NOT_UTF8: 1}]),
                      pack([1, "id", "catalog.get", "a\nb", {}]), pack([1, "id", "catalog.get", "k", []]),
                      pack([1, "id", "catalog.get", "k", {}]) + b"\x01", pack([1, "id", "catalog.get", "k", {}, []]),
                      pack([1, "id", "catalog.get", "k", {}, {"unknown": 1}])]:
            reply = self.raw(frame)
            self.assertIsNotNone(reply, frame)
            self.assertEqual(reply[1], "invalid", (frame, reply))
            self.assertIn("field", reply[2], frame)
            self.assertIn("message", reply[2], frame)

    def test_another_version_is_named(self):
        self.assertEqual(self.raw(pack([9, "id", "catalog.get", "k", {}]))[1], "unsupported_version")

    def test_an_unknown_type_is_invalid_in_field_type(self):
        status, body = self.client.ask("catalog.burn", "k")
        self.assertEqual((status, body["field"]), ("invalid", "type"))

    def test_peer_types_from_outside_are_forbidden(self):
        peers = [m for m in self.vocabulary["messages"] if m["audience"] == "peer"]
        self.assertGreater(len(peers), 5)
        for message in peers:
            self.assertEqual(self.client.ask(message["type"], "k")[0], "forbidden", message["type"])

    def test_a_frame_of_600_kib_is_too_large(self):
        reply = self.raw(pack([1, "id", "catalog.put", "k", {"title": "x" * 600 * 1024}]))
        self.assertEqual(reply[1], "too_large")

    def test_a_frame_of_100_mb_cuts_the_connection(self):
        client = self.shop.client()
        client.send_raw(b"\x00" * (100 << 20))
        self.assertIsNone(client.receive(1))
        client.close()

    def test_a_bundle_is_answered_each_once(self):
        self.client.send_raw(pack([2, [[1, f"b{i}", "cart.get", f"cart-{i}", {}] for i in range(100)]]))
        ids = []
        while len(ids) < 100:
            reply = self.client.receive(5)
            self.assertIsInstance(reply, list)
            ids += [one[0] for one in reply]
        self.assertEqual(sorted(ids), sorted(f"b{i}" for i in range(100)))

    def test_bad_bundles_are_invalid(self):
        one = [1, "id", "cart.get", "c", {}]
        for frame in [pack([2, []]), pack([2, [one] * 1025]), pack([2, [[2, [one]]]]), pack([2, 1])]:
            reply = self.raw(frame)
            reply = reply[0] if isinstance(reply, list) else reply
            self.assertEqual(reply[1], "invalid", frame)
        self.assertEqual(self.raw(b"", pack([2, [one]]))[1], "invalid")  # behind a delimiter

    def test_a_req_socket_is_served(self):
        req = zmq.Context.instance().socket(zmq.REQ)
        req.setsockopt(zmq.LINGER, 0)
        req.connect(self.shop.endpoint)
        req.send(pack([1, "r", "cart.get", "c", {}]))
        self.assertTrue(req.poll(5000))
        self.assertEqual(msgpack.unpackb(req.recv())[:3], [1, "r", "ok"])
        req.close()

    def bodies(self, message):
        """One legal body for a message, from the vocabulary."""
        def legal(field):
            kind = field["type"]
            if kind == "choice":
                return field["choices"][0]
            if kind == "list":
                return [{f["name"]: legal(f) for f in field["fields"] if f["required"]}]
            return {"id": "some-id", "text": "text", "integer": max(1, field.get("min", 1)), "boolean": True,
                    "money": gbp(100), "map": {"k": "v"}}[kind]
        return {f["name"]: legal(f) for f in message["body"] if f["required"]}

    def wrong(self, fields, body):
        """(the body with one thing wrong, the field that is to be named)"""
        yield {**body, "no_such_field": 1}, "no_such_field"
        yield {**body, NOT_UTF8: 1}, ""
        for field in fields:
            name = field["name"]
            if field["required"]:
                yield {k: v for k, v in body.items() if k != name}, name
            kind = {"id": "str", "text": "str", "choice": "str", "integer": "int", "boolean": "bool"}.get(field["type"], field["type"])
            for bad in BAD_VALUES[kind]:
                if not self.acceptable(field, kind, bad):
                    yield {**body, name: bad}, name
            if kind == "list":
                item = self.bodies({"body": field["fields"]})
                for bad, inner in self.wrong(field["fields"], item):
                    yield {**body, name: [item, bad]}, f"{name}[1].{inner}".rstrip(".")

    def test_each_field_of_each_message_refuses_what_is_wrong(self):
        checked = 0
        for message in self.vocabulary["messages"]:
            if message["audience"] != "public":
                continue
            key = "order/0" if message["type"] == "events.read" else "bad-input"
            for body, name in self.wrong(message["body"], self.bodies(message)):
                self.client.send_raw(pack([1, "bad", message["type"], key, body]))
                _, status, reply = self.client.receive()
                self.assertEqual(status, "invalid", (message["type"], name, body, reply))
                self.assertTrue(reply["field"].startswith(name), (message["type"], reply, name, body))
                checked += 1
        self.assertGreater(checked, 500)

    @staticmethod
    def acceptable(field, kind, value):
        if kind == "int" and isinstance(value, int) and not isinstance(value, bool):
            return field["min"] <= value <= field.get("max", 2**63 - 1)
        if kind == "str" and isinstance(value, str):
            if field["type"] == "text":
                return field["min"] <= len(value) <= field["max"] and "\x00" not in value
        return False

    def test_random_and_truncated_frames_change_nothing(self):
        rng = random.Random(1)
        whole = pack([1, "id", "inventory.receive", "fuzz-sku", {"quantity": 1}])
        client = self.shop.client()
        for cut in range(len(whole)):
            client.send_raw(whole[:cut])
        for _ in range(2000):
            client.send_raw(bytes(rng.randrange(256) for _ in range(rng.randrange(64))))
            broken = bytearray(whole)
            broken[rng.randrange(8)] = 0xC1
            client.send_raw(bytes(broken))
        client.close()
        self.assertEqual(self.client.ask("inventory.get", "fuzz-sku")[0], "not_found")

    def test_silent_connections_cost_little(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        count = min(10000, hard - 200)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 20000), hard))
        host, port = self.shop.endpoint.removeprefix("tcp://").split(":")
        sockets = []
        try:
            for _ in range(count):
                one = socket.create_connection((host, int(port)), timeout=10)
                one.sendall(ZMTP_GREETING + ZMTP_READY)  # a ZeroMQ peer, and then silence
                sockets.append(one)
            self.assertEqual(self.client.ask("cart.get", "c")[0], "ok")
            if "asan" not in SOUK:
                self.assertLess(self.resident_kb(), 900 * 1024, "kB resident with silent connections")
        finally:
            for one in sockets:
                one.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def resident_kb(self):
        with open(f"/proc/{self.shop.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def test_a_client_that_never_reads_is_dropped_and_counted(self):
        self.client.call("catalog.put", "large", {"title": "t", "price": gbp(1), "description": "x" * 16000})
        silent = zmq.Context.instance().socket(zmq.DEALER)
        silent.setsockopt(zmq.LINGER, 0)
        silent.setsockopt(zmq.RCVHWM, 1)
        silent.setsockopt(zmq.RCVBUF, 4096)
        silent.connect(self.shop.endpoint)
        frame = pack([1, "never-read", "catalog.get", "large", {}])
        for _ in range(200):  # few at a time: what the actor cannot take is busy, a small reply
            for _ in range(1000):
                silent.send(frame)
            time.sleep(0.1 * SLOW)
            dropped = self.client.call("souk.status", "x")["dropped"]
            if dropped["client_slow"] > 0:
                break
        self.assertGreater(dropped["client_slow"], 0)
        if "asan" not in SOUK:
            self.assertLess(self.resident_kb(), 400 * 1024)
        silent.close()

    def test_a_client_that_comes_back_under_its_name_is_served(self):
        clients = []
        for _ in range(2):
            client = zmq.Context.instance().socket(zmq.DEALER)
            client.setsockopt(zmq.LINGER, 0)
            client.setsockopt(zmq.IDENTITY, b"worker-1")
            client.connect(self.shop.endpoint)
            client.send(pack([1, "named", "cart.get", "c", {}]))
            self.assertTrue(client.poll(5000), "an answer")
            client.recv()
            clients.append(client)
        for client in clients:
            client.close()

    def test_retry_until_beyond_what_is_remembered_is_refused(self):
        far = int((time.time() + 1000 * 3600) * 1e6)
        status, body = self.client.ask("inventory.receive", "far", {"quantity": 1}, meta={"retry_until": far})
        self.assertEqual((status, body["field"]), ("invalid", "meta.retry_until"))

    def test_an_unknown_field_of_meta_is_named(self):
        for name, field in (("priority", "meta.priority"), ("x" * 65, "meta")):
            status, body = self.client.ask("cart.get", "c", meta={name: 1})
            self.assertEqual((status, body["field"]), ("invalid", field))

    def test_two_nodes_on_one_directory(self):
        second = souk("serve", "-t", self.shop.directory / "topology.toml", check=2)
        self.assertIn("data", second.stderr)

    def test_a_start_at_an_occupied_address_changes_nothing(self):
        with Shop() as shop:
            shop.kill()
            text = (shop.directory / "topology.toml").read_text()
            self.assertEqual(shop.replay()["epochs"], 1)
            for key, address in (("listen", f'["{self.shop.endpoint}"]'), ("events", f'"{self.shop.endpoint}"')):
                taken = re.sub(f"(?m)^{key} = .*$", f"{key} = {address}", text).replace("cart = 1", "cart = 5")
                (shop.directory / "taken.toml").write_text(taken)
                refused = souk("serve", "-t", shop.directory / "taken.toml", check=2)
                self.assertIn("in use", refused.stderr)
                souk("serve", "-t", shop.directory / "taken.toml", "-d", shop.directory / "new", check=2)
                self.assertFalse((shop.directory / "new").exists())
                self.assertFalse((shop.data / "cart-1").exists())
            self.assertEqual(shop.replay()["epochs"], 1)
            shop.start()
            with contextlib.closing(shop.client()) as client:
                self.assertEqual(shop.status(client)["epoch"], 2)


if __name__ == "__main__":
    unittest.main()
