"""kill -9 and reshape over real sockets and the real disk: what was answered stays, what was open goes on by itself."""
import random
import time
import unittest

from tests.e2e.shop import Shop, gbp


class Load:
    """Orders that are sent again under the same id until they are answered, also by the next process."""

    def __init__(self, shop, orders, seed, window=32):
        self.shop, self.rng, self.window = shop, random.Random(seed), window
        self.skus = [f"sku-{i}" for i in range(12)]
        self.todo = [self.body(i) for i in range(orders)]
        self.flying, self.answers = {}, {}
        self.client = shop.client()

    def stock(self, quantity):
        for sku in self.skus:
            self.client.call("inventory.receive", sku, {"quantity": quantity})

    def body(self, i):
        method = self.rng.choices(["pm_card_visa", "pm_card_chargeDeclined", "pm_sandbox_flaky", "pm_sandbox_twice"],
                                  [80, 10, 5, 5])[0]
        lines = [{"sku": sku, "quantity": self.rng.randint(1, 3), "unit_price": gbp(self.rng.randint(1, 999))}
                 for sku in self.rng.sample(self.skus, self.rng.randint(1, 5))]
        return f"order-{i}", {"user_id": "u", "payment_method": method, "lines": lines, "wait_ms": 60000}

    def send(self, order, body):
        self.client.send("order.place", order, body, id="id-" + order)

    def resend(self):
        for order, body in self.flying.items():
            self.send(order, body)

    def run(self, until):
        """Until so many are answered."""
        quiet = 0
        while len(self.answers) < until:
            while self.todo and len(self.flying) < self.window:
                order, body = self.todo.pop()
                self.flying[order] = body
                self.send(order, body)
            reply = self.client.receive(1)
            if reply is None:
                quiet += 1
                assert quiet < 60, "no answers"
                self.resend()
                continue
            quiet = 0
            order = reply[0].removeprefix("id-")
            if order in self.flying:
                if reply[1] == "busy":
                    self.send(order, self.flying[order])
                    continue
                self.answers[order] = (reply[1], reply[2], self.flying.pop(order))

    def check(self, test):
        """Every acknowledged order is there, once, and answers the same."""
        for order, (status, body, request) in self.answers.items():
            again = self.client.ask("order.place", order, request)
            test.assertEqual(again[0], status, order)
            test.assertEqual(again[1], body, order)


class Crash(unittest.TestCase):
    def test_kill_at_random_moments(self):
        with Shop() as shop:
            load = Load(shop, 400, seed=1)
            load.stock(300)
            for answered in (40, 90, 150, 250, 340):
                load.run(answered)
                shop.kill()
                shop.start()
                load.resend()
            load.run(400)
            shop.settle(load.client)
            load.check(self)
            self.assertEqual(shop.status(load.client)["reasks_total"], 0)
            self.assertEqual(shop.stop(), 0)
            audit = shop.audit()
            self.assertTrue(audit["clean"], audit)
            self.assertEqual(audit["captured"]["payment"], audit["captured"]["sandbox"])
            self.assertTrue(shop.replay()["equal"])

    def test_kill_and_reshape(self):
        with Shop(inventory=2, order=2) as shop:
            load = Load(shop, 300, seed=2)
            load.stock(300)
            for answered, count in ((40, 5), (90, 1), (150, 3), (220, 2)):
                load.run(answered)
                shop.kill()
                shop.reshape(inventory=count, order=count, payment=count, sandbox=count, cart=count, catalog=count)
                shop.start()
                load.resend()
            load.run(300)
            shop.settle(load.client)
            load.check(self)
            self.assertEqual(shop.stop(), 0)
            self.assertTrue(shop.audit()["clean"])
            self.assertTrue(shop.replay()["equal"])

    def test_failure_12_a_crash_between_the_charge_and_its_answer_is_one_charge(self):
        """saleor #14926: kill between provider success and local commit; the restart finds the one charge."""
        with Shop() as shop:
            client = shop.client()
            client.call("inventory.receive", "sku", {"quantity": 50})
            for i in range(10):
                client.send("order.place", f"o{i}", {"user_id": "u", "payment_method": "pm_sandbox_timeout_then_success",
                                                     "lines": [{"sku": "sku", "quantity": 1, "unit_price": gbp(100)}]})
            time.sleep(0.2)
            shop.kill()
            shop.start()
            shop.settle(client)
            for i in range(10):
                status, body = client.ask("payment.get", f"o{i}")
                if status == "ok":
                    self.assertEqual((body["captured"], body["attempts"]), (gbp(100), 1))
            shop.stop()
            self.assertTrue(shop.audit()["clean"])
            client.close()

    def test_failure_13_a_request_whose_worker_died_completes_on_retry(self):
        """medusa #1887: after a crash the idempotency key answers "conflict" until a new cart is made."""
        with Shop() as shop:
            client = shop.client()
            client.call("inventory.receive", "sku", {"quantity": 5})
            client.call("cart.add", "cart", {"sku": "sku", "quantity": 1, "price": gbp(100)})
            body = {"user_id": "u", "payment_method": "pm_sandbox_late", "cart_id": "cart", "wait_ms": 20000}
            client.send("order.place", "order", body, id="place")
            time.sleep(0.3)
            shop.kill()
            shop.start()
            status, view = client.ask("order.place", "order", body, id="place")
            self.assertEqual((status, view["status"]), ("ok", "confirmed"))
            client.close()

    def test_failure_23_events_survive_and_are_in_order(self):
        """vendure #2735: events lost on restart; #1107: inside the transaction or not at all."""
        with Shop(order=1) as shop:
            load = Load(shop, 60, seed=3)
            load.stock(1000)
            load.run(30)
            shop.kill()
            shop.start()
            load.resend()
            load.run(60)
            shop.settle(load.client)
            seen, after, ended = {}, None, 0
            for _ in range(1000):
                page = load.client.call("events.read", "order/0", {"limit": 50, **({"after": after} if after else {})})
                for event in page["events"]:
                    self.assertGreater(event["position"], after or "")
                    after = event["position"]
                    seen.setdefault(event["key"], []).append(event["type"])
                ended += "epoch_end" in page
                if page["next"] == after and not page["events"]:
                    break
                after = page["next"]
            self.assertEqual(ended, 1)
            for order, (status, _, _) in load.answers.items():
                events = seen[order]
                self.assertEqual(events.count("payment_captured"), 1 if status == "ok" else 0, (order, events))
                self.assertEqual(events[0], "order_created")
                if status == "ok":
                    self.assertEqual(events[-1], "order_confirmed")

    def test_open_orders_go_on_although_a_turn_takes_one_message(self):
        with Shop(sandbox="1\nturn_messages_max = 1") as shop:
            client = shop.client()
            client.call("inventory.receive", "sku", {"quantity": 50})
            for i in range(20):
                client.send("order.place", f"o{i}", {"user_id": "u", "payment_method": "pm_sandbox_late", "wait_ms": 0,
                                                     "lines": [{"sku": "sku", "quantity": 1, "unit_price": gbp(100)}]})
            for _ in range(20):
                client.receive()
            shop.kill()
            shop.start()
            self.assertGreater(shop.status(client)["open_orders"], 0)
            shop.settle(client, timeout=20)
            self.assertEqual(shop.status(client)["reasks_total"], 0)
            for i in range(20):
                self.assertEqual(client.call("order.get", f"o{i}")["status"], "confirmed")
            client.close()

    def test_remembered_replies_survive(self):
        with Shop() as shop:
            client = shop.client()
            first = client.ask("inventory.receive", "sku", {"quantity": 7}, id="once")
            cart = client.ask("cart.add", "cart", {"sku": "sku", "quantity": 2}, id="add")
            hold = client.ask("inventory.reserve", "sku", {"reservation_id": "r", "quantity": 3})
            shop.kill()
            shop.start()
            self.assertEqual(client.ask("inventory.receive", "sku", {"quantity": 7}, id="once"), first)
            self.assertEqual(client.ask("cart.add", "cart", {"sku": "sku", "quantity": 2}, id="add"), cart)
            self.assertEqual(client.ask("inventory.reserve", "sku", {"reservation_id": "r", "quantity": 3}), hold)
            self.assertEqual(client.call("inventory.get", "sku")["received"], 7)
            self.assertEqual(client.ask("inventory.receive", "sku", {"quantity": 8}, id="once")[0], "request_mismatch")
            client.close()

    def test_a_client_hold_dies_over_a_restart_and_an_orders_does_not(self):
        with Shop() as shop:
            client = shop.client()
            client.call("inventory.receive", "sku", {"quantity": 2})
            client.call("inventory.reserve", "sku", {"reservation_id": "r", "quantity": 1, "ttl_ms": 300})
            client.call("order.place", "o", {"user_id": "u", "payment_method": "pm_sandbox_action_required",
                                             "lines": [{"sku": "sku", "quantity": 1, "unit_price": gbp(1)}]})
            shop.kill()
            time.sleep(0.4)
            shop.start()
            stock = client.call("inventory.get", "sku")
            self.assertEqual((stock["reserved"], stock["available"]), (1, 1))
            client.close()


if __name__ == "__main__":
    unittest.main()
