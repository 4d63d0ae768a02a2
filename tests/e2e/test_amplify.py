"""Few bytes that ask for much: who reads loses nothing, and nobody else waits for it."""
import unittest

import msgpack

from tests.e2e.shop import Shop, gbp

LINES, ASKED = 1000, 400


def pack(value):
    return msgpack.packb(value, use_bin_type=True)


class Amplify(unittest.TestCase):
    def setUp(self):
        self.shop = Shop(broker="bytes_in_flight_max = 67108864")
        self.shop.start()
        self.client = self.shop.client()

    def tearDown(self):
        self.client.close()
        self.shop.kill()
        self.shop.__exit__()

    def receive_all(self, client, count):
        """Reads until so many replies are there: {id: status}, in the order they came."""
        replies = {}
        while len(replies) < count:
            frame = client.receive(20)
            self.assertIsNotNone(frame, f"{len(replies)} of {count} replies came")
            for id, status, _ in frame if isinstance(frame, list) else [frame]:
                self.assertNotIn(id, replies)
                replies[id] = status
        return replies

    def test_a_bundle_that_asks_for_more_than_may_wait_gets_every_reply_or_busy(self):
        lines = [{"sku": f"{n:0100}", "quantity": 1, "unit_price": gbp(1)} for n in range(LINES)]
        self.client.ask("order.place", "long", {"user_id": "u", "payment_method": "cod", "lines": lines})
        reader, other = self.shop.client(), self.shop.client()
        left, rounds = [f"g{n}" for n in range(ASKED)], 0
        while left:
            reader.send_raw(pack([2, [[1, id, "order.get", "long", {}] for id in left]]))
            if not rounds:
                self.assertEqual(other.ask("order.get", "none", timeout=10)[0], "not_found")
            replies = self.receive_all(reader, len(left))
            self.assertLessEqual(set(replies.values()), {"ok", "busy"})
            left = [id for id in left if replies[id] == "busy"]
            rounds += 1
            self.assertLess(rounds, 200)
        self.assertEqual(self.shop.status(self.client)["dropped"]["client_slow"], 0)
        for client in (reader, other):
            client.close()

    def test_a_bundle_of_event_reads_stops_neither_others_nor_the_end(self):
        for first in range(0, 20000, 1000):
            self.client.send_raw(pack([2, [[1, f"r{n}", "inventory.receive", "mug", {"quantity": 1}]
                                           for n in range(first, first + 1000)]]))
            self.receive_all(self.client, 1000)
        actor = next(f"inventory/{n}" for n in (0, 1) if self.client.call("events.read", f"inventory/{n}")["events"])
        reader = self.shop.client()
        reader.send_raw(pack([2, [[1, f"e{n}", "events.read", actor, {"limit": 1000}] for n in range(1024)]]))
        reader.send_raw(pack([1, "other", "inventory.get", "mug", {}]))
        self.assertNotEqual(list(self.receive_all(reader, 1025))[-1], "other", "it was answered in between")
        reader.close()
