"""Stock over real sockets. Tests named failure_N are real failures of other shops (docs/testing names each source)."""
import subprocess
import sys
import time
import unittest
import uuid

from tests.e2e.shop import ROOT, SLOW, Client, Shop, gbp


class Stock(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = Shop()
        cls.shop.start()
        cls.client = cls.shop.client()

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.shop.__exit__()

    def sku(self, on_hand):
        name = "sku-" + uuid.uuid4().hex[:8]
        if on_hand:
            self.client.call("inventory.receive", name, {"quantity": on_hand})
        return name

    def reserve(self, sku, id, quantity=1, **more):
        return self.client.ask("inventory.reserve", sku, {"reservation_id": id, "quantity": quantity, **more})

    def view(self, sku):
        view = self.client.call("inventory.get", sku)
        self.assertEqual(view["on_hand"] - view["short"],
                         view["received"] + view["restocked"] + view["adjusted"] - view["committed"])
        self.assertEqual(view["available"], max(0, view["on_hand"] - view["reserved"]))
        return view

    def test_failure_1_concurrent_reserves_of_one_unit_have_one_winner(self):
        """medusa #16569: concurrent reserves through the lowest-level call oversubscribe."""
        sku = self.sku(1)
        clients = [self.shop.client() for _ in range(20)]
        for n, client in enumerate(clients):
            for i in range(10):
                client.send("inventory.reserve", sku, {"reservation_id": f"r-{n}-{i}", "quantity": 1})
        answers = [client.receive() for client in clients for _ in range(10)]
        for client in clients:
            client.close()
        self.assertEqual([a[1] for a in answers].count("ok"), 1)
        self.assertEqual([a[1] for a in answers].count("insufficient_stock"), 199)
        self.assertEqual(self.view(sku)["reserved"], 1)
        self.assertEqual(sum(h["quantity"] for h in self.client.call("inventory.holds", sku)["holds"]), 1)

    def test_failure_2_no_sequence_makes_reserved_negative(self):
        """medusa #12401: reserved went negative."""
        sku = self.sku(5)
        for last, first in [("release", "release"), ("release", "commit"), ("commit", "commit"), ("commit", "release")]:
            id = uuid.uuid4().hex
            self.assertEqual(self.reserve(sku, id)[0], "ok")
            status, body = self.client.ask(f"inventory.{first}", sku, {"reservation_id": id})
            self.assertEqual(status, "ok")
            again, again_body = self.client.ask(f"inventory.{last}", sku, {"reservation_id": id})
            if first == last:
                self.assertEqual((again, again_body), (status, body), "a repeat answers as the first time")
            else:
                self.assertEqual(again, "reservation_committed" if first == "commit" else "reservation_released")
            self.assertEqual(self.view(sku)["reserved"], 0)

    def test_failure_3_on_hand_below_reserved_needs_a_word(self):
        """vendure #1738, #3508: stock set to 0 while promises are out."""
        sku = self.sku(10)
        self.reserve(sku, "a-" + sku, 4)
        status, body = self.client.ask("inventory.adjust", sku, {"on_hand": 2, "reason": "counted"})
        self.assertEqual((status, body["reserved"]), ("below_reserved", 4))
        self.client.call("inventory.adjust", sku, {"on_hand": 2, "reason": "counted", "stop_sale": True})
        self.assertEqual(self.reserve(sku, "b-" + sku)[0], "insufficient_stock")
        self.client.call("inventory.commit", sku, {"reservation_id": "a-" + sku})
        view = self.view(sku)
        self.assertEqual((view["on_hand"], view["short"], view["reserved"]), (0, 2, 0))
        self.client.call("inventory.receive", sku, {"quantity": 5})
        view = self.view(sku)
        self.assertEqual((view["on_hand"], view["short"]), (3, 0))

    def test_failure_8_carts_hold_nothing(self):
        """coreshop #820: bots hold stock by adding to carts."""
        sku = self.sku(1)
        self.client.call("cart.add", "bot-" + sku, {"sku": sku, "quantity": 1})
        self.assertEqual(self.view(sku)["available"], 1)

    def test_failure_9_an_expired_hold_is_back_at_the_next_message(self):
        """commercetools: a few minutes; others: a sweeper every minute."""
        sku = self.sku(1)
        status, body = self.reserve(sku, "short-" + sku, ttl_ms=50)
        self.assertEqual(status, "ok")
        self.assertEqual(self.reserve(sku, "early-" + sku)[0], "insufficient_stock")
        time.sleep(max(0, body["expires_at"] / 1e6 - time.time()) + 0.001)
        self.assertEqual(self.reserve(sku, "next-" + sku)[0], "ok")
        status, _ = self.client.ask("inventory.commit", sku, {"reservation_id": "short-" + sku})
        self.assertEqual(status, "reservation_expired")

    def test_extend_moves_the_deadline(self):
        sku = self.sku(1)
        self.reserve(sku, "e-" + sku, ttl_ms=300)
        self.client.call("inventory.extend", sku, {"reservation_id": "e-" + sku, "ttl_ms": 60000})
        time.sleep(0.4)
        self.assertEqual(self.view(sku)["reserved"], 1)

    def test_ten_thousand_holds_due_at_once_end_exactly(self):
        sku = self.sku(10000)
        last = 0
        for chunk in range(10):
            for i in range(1000):
                self.client.send("inventory.reserve", sku, {"reservation_id": f"d{chunk}-{i}", "quantity": 1, "ttl_ms": 2500})
            for _ in range(1000):
                _, status, body = self.client.receive()
                self.assertEqual(status, "ok")
                last = max(last, body["expires_at"])
        time.sleep(max(0, last / 1e6 - time.time()) + 0.01)
        self.assertEqual(self.reserve(sku, "all-" + sku, 10000)[0], "ok")
        view = self.view(sku)
        self.assertEqual((view["reserved"], view["available"]), (10000, 0))

    def test_a_hold_of_an_order_is_not_a_clients(self):
        sku = self.sku(1)
        order = "o-" + sku
        self.client.call("order.place", order, {
            "user_id": "u", "payment_method": "pm_sandbox_action_required",
            "lines": [{"sku": sku, "quantity": 1, "unit_price": gbp(100)}]})
        for verb in ("commit", "release"):
            self.assertEqual(self.client.ask(f"inventory.{verb}", sku, {"reservation_id": order})[0], "not_owner")
        holds = self.client.call("inventory.holds", sku)["holds"]
        self.assertEqual([(h["owner"], h["quantity"]) for h in holds], [("order/" + order, 1)])
        self.client.call("order.cancel", order)

    def test_sold_out_is_exact_from_several_processes(self):
        """Any number of concurrent buyers: 200 units, 200 sold."""
        sku = self.sku(200)
        buyer = (
            "import sys\nfrom tests.e2e.shop import Client, gbp\n"
            "client, sku, who = Client(sys.argv[1]), sys.argv[2], sys.argv[3]\n"
            "for i in range(150):\n"
            "    client.send('order.place', f'{sku}-{who}-{i}', {'user_id': who, 'payment_method': 'pm_card_visa', 'wait_ms': 60000,\n"
            "        'lines': [{'sku': sku, 'quantity': 1, 'unit_price': gbp(500)}]})\n"
            "print(sum(client.receive(60)[1] == 'ok' for _ in range(150)))\n")
        buyers = [subprocess.Popen([sys.executable, "-c", buyer, self.shop.endpoint, sku, f"p{n}"],
                                   stdout=subprocess.PIPE, text=True, cwd=ROOT) for n in range(4)]
        sold = sum(int(b.communicate(timeout=120 * SLOW)[0]) for b in buyers)
        self.shop.settle(self.client)
        view = self.view(sku)
        self.assertEqual((sold, view["on_hand"], view["reserved"], view["committed_orders"]), (200, 0, 0, 200))

    def test_no_reply_for_the_rest_is_forgotten_or_mixed_up(self):
        sku = self.sku(0)
        first = self.client.ask("inventory.receive", sku, {"quantity": 3}, id="once-" + sku)
        self.assertEqual(self.client.ask("inventory.receive", sku, {"quantity": 3}, id="once-" + sku), first)
        status, body = self.client.ask("inventory.receive", sku, {"quantity": 4}, id="once-" + sku)
        self.assertEqual((status, body["field"]), ("request_mismatch", "quantity"))
        self.assertEqual(self.view(sku)["received"], 3)

    def test_a_request_past_its_time_never_takes_effect(self):
        sku = self.sku(1)
        status, _ = self.client.ask("inventory.receive", sku, {"quantity": 1}, meta={"retry_until": 1})
        self.assertEqual(status, "too_late")
        status, _ = self.client.ask("inventory.reserve", sku, {"reservation_id": "late", "quantity": 1},
                                    meta={"retry_until": 1})
        self.assertEqual(status, "too_late")
        self.assertEqual(self.view(sku)["reserved"], 0)


if __name__ == "__main__":
    unittest.main()
