"""Checkout over real sockets. Tests named failure_N are real failures of other shops, with their sources."""
import random
import threading
import time
import unittest
import uuid

from tests.e2e.shop import SLOW, Shop, gbp


class Orders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = Shop()
        cls.shop.start()
        cls.client = cls.shop.client()

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        if cls.shop.process:
            assert cls.shop.stop() == 0
            audit = cls.shop.audit()
            assert audit["clean"] and audit["captured"]["payment"] == audit["captured"]["sandbox"], audit
            assert cls.shop.replay()["equal"]
        cls.shop.__exit__()

    def name(self, what):
        return f"{what}-{uuid.uuid4().hex[:10]}"

    def sku(self, on_hand=100, price=None):
        sku = self.name("sku")
        if price:
            self.client.call("catalog.put", sku, {"title": sku, "price": gbp(price)})
        if on_hand:
            self.client.call("inventory.receive", sku, {"quantity": on_hand})
        return sku

    def body(self, *lines, method="pm_card_visa", price=100, **more):
        return {"user_id": "u1", "payment_method": method, "wait_ms": 30000,
                "lines": [{"sku": sku, "quantity": n, **({"unit_price": gbp(price)} if price else {})} for sku, n in lines],
                **more}

    def place(self, *lines, order=None, **options):
        order = order or self.name("order")
        status, body = self.client.ask("order.place", order, self.body(*lines, **options))
        return order, status, body

    def stock(self, sku):
        return self.client.call("inventory.get", sku)

    def wait(self, order, *statuses):
        end = time.monotonic() + 20 * SLOW
        while time.monotonic() < end:
            view = self.client.call("order.get", order)
            if view["status"] in statuses:
                return view
            time.sleep(0.01)
        self.fail(f"{order} is {view['status']}, not {statuses}")

    # ---- the saga

    def test_an_order_goes_from_created_to_delivered(self):
        sku = self.sku()
        order, status, body = self.place((sku, 2), price=250)
        self.assertEqual((status, body["status"], body["stage"], body["total"]), ("ok", "confirmed", "paid", gbp(500)))
        self.assertEqual(self.client.ask("order.deliver", order)[0], "not_shipped")
        self.assertEqual(self.client.call("order.ship", order, {"carrier": "post"}), {"status": "shipped"})
        self.assertEqual(self.client.call("order.ship", order, {"carrier": "post"}), {"status": "shipped"})
        self.assertEqual(self.client.ask("order.ship", order, {"carrier": "van"})[0], "request_mismatch")
        self.assertEqual(self.client.ask("order.cancel", order)[0], "already_shipped")
        self.assertEqual(self.client.call("order.deliver", order), {"status": "delivered"})
        view = self.client.call("order.get", order)
        self.assertEqual([h["status"] for h in view["history"]],
                         ["created", "inventory_reserved", "payment_authorized", "confirmed", "shipped", "delivered"])
        self.assertEqual(view["stage"], "delivered")

    def test_prices_come_from_the_catalog_unless_given(self):
        sku = self.sku(price=1234)
        _, status, body = self.place((sku, 2), price=None)
        self.assertEqual((status, body["total"]), ("ok", gbp(2468)))
        _, status, body = self.place((sku, 1), price=None, expected_total=gbp(1000))
        self.assertEqual((status, body["expected"], body["total"]), ("price_changed", gbp(1000), gbp(1234)))
        self.client.call("catalog.put", sku, {"title": "off", "price": gbp(1), "active": False})
        _, status, body = self.place((sku, 1), price=None)
        self.assertEqual((status, body["reason"]), ("rejected", "inactive_sku"))
        self.assertEqual(self.stock(sku)["reserved"], 0)

    def test_refusals_are_named_and_recorded(self):
        sku = self.sku(1)
        cases = [
            (self.body((self.name("never"), 1)), "rejected", "unknown_sku"),
            (self.body((self.name("never"), 1), price=None), "rejected", "unknown_sku"),
            (self.body((sku, 1), method="cash_in_an_envelope"), "rejected", "payment_method"),
            (self.body((sku, 10**9), (self.name("x"), 10**9), price=2**62), "rejected", "overflow"),
            ({"user_id": "u", "payment_method": "cod", "lines": [
                {"sku": sku, "quantity": 1, "unit_price": gbp(1)},
                {"sku": sku, "quantity": 1, "unit_price": {"amount": 1, "currency": "EUR"}}]}, "rejected", "currency"),
            ({"user_id": "u", "payment_method": "cod", "cart_id": self.name("empty")}, "rejected", "cart_empty"),
        ]
        for body, status, reason in cases:
            order = self.name("order")
            answer = self.client.ask("order.place", order, body)
            self.assertEqual((answer[0], answer[1].get("reason")), (status, reason), body)
            self.assertEqual(self.client.ask("order.place", order, body), answer, "a recorded order answers the same")
            self.assertEqual(self.client.call("order.get", order)["status"], "rejected")
        order, status, body = self.place((sku, 3))
        self.assertEqual((status, body["shortages"]), ("insufficient_stock", [{"sku": sku, "requested": 3, "available": 1}]))
        self.assertEqual(self.client.call("order.get", order)["status"], "out_of_stock")

    def test_both_or_neither_of_cart_and_lines_is_invalid(self):
        for more in ({}, {"cart_id": "c", "lines": [{"sku": "s", "quantity": 1}]}):
            status, body = self.client.ask("order.place", self.name("o"), {"user_id": "u", "payment_method": "cod", **more})
            self.assertEqual(status, "invalid")

    def test_cash_on_delivery_and_free_orders_need_no_provider(self):
        sku = self.sku()
        for options in ({"method": "cod"}, {"price": 0}):
            body = {"user_id": "u", "payment_method": options.get("method", "pm_card_visa"),
                    "lines": [{"sku": sku, "quantity": 1, "unit_price": gbp(options.get("price", 100))}]}
            order = self.name("order")
            self.assertEqual(self.client.call("order.place", order, body)["stage"], "paid")
            self.assertEqual(self.client.ask("payment.get", order)[0], "not_found")

    def test_every_sandbox_method_ends_as_its_name_says(self):
        for method, status in [("pm_card_visa", "ok"), ("pm_card_chargeDeclined", "payment_declined"),
                               ("pm_sandbox_timeout_then_success", "ok"), ("pm_sandbox_late", "ok"),
                               ("pm_sandbox_twice", "ok"), ("pm_sandbox_flaky", "ok")]:
            sku = self.sku(1)
            order, got, body = self.place((sku, 1), method=method)
            self.assertEqual(got, status, (method, body))
            captured = self.client.call("payment.get", order)["captured"]["amount"]
            self.assertEqual(captured, 100 if status == "ok" else 0, method)
        self.shop.settle(self.client)

    def test_the_shopper_acts(self):
        for outcome, end in (("succeeded", "confirmed"), ("failed", "payment_failed")):
            sku = self.sku(1)
            order, status, body = self.place((sku, 1), method="pm_sandbox_action_required")
            self.assertEqual((status, body["status"], body["stage"]), ("ok", "payment_action_required", "pending_payment"))
            self.client.call("payment.confirm", order, {"outcome": outcome})
            self.wait(order, end)
            self.shop.settle(self.client)
            self.assertEqual(self.stock(sku)["reserved"], 0)

    def test_cancel_before_and_after_the_capture(self):
        sku = self.sku(2)
        order, _, _ = self.place((sku, 1), method="pm_sandbox_action_required")
        self.assertIn(self.client.call("order.cancel", order, {"reason": "mind"})["status"], ("cancelling", "cancelled"))
        self.wait(order, "cancelled")
        self.assertEqual(self.client.call("payment.get", order)["captured"]["amount"], 0)
        order, _, _ = self.place((sku, 1))
        self.client.call("order.cancel", order)
        self.wait(order, "cancelled")
        self.shop.settle(self.client)
        payment = self.client.call("payment.get", order)
        self.assertEqual((payment["captured"], payment["refunded"]), (gbp(100), gbp(100)))
        stock = self.stock(sku)
        self.assertEqual((stock["available"], stock["restocked"], stock["reserved"]), (2, 1, 0))
        self.assertEqual(self.client.ask("order.ship", order)[0], "not_confirmed")
        self.assertEqual(self.client.ask("order.cancel", self.name("none"))[0], "not_found")

    def test_an_order_from_a_cart_takes_the_cart(self):
        a, b, cart = self.sku(), self.sku(price=300), self.name("cart")
        self.client.call("cart.add", cart, {"sku": a, "quantity": 2, "price": gbp(150)})
        self.client.call("cart.add", cart, {"sku": b, "quantity": 1})
        body = {"user_id": "u", "payment_method": "pm_card_visa", "cart_id": cart}
        placed = self.client.call("order.place", self.name("order"), body)
        self.assertEqual(placed["total"], gbp(600))
        self.shop.settle(self.client)
        self.assertEqual(self.client.call("cart.get", cart)["lines"], [])

    def test_a_claimed_cart_meets_a_second_order(self):
        sku, cart, order = self.sku(), self.name("cart"), self.name("order")
        self.client.call("cart.add", cart, {"sku": sku, "quantity": 2, "price": gbp(150)})
        body = {"user_id": "u", "payment_method": "pm_sandbox_action_required", "cart_id": cart}
        self.client.call("order.place", order, body)
        status, refused = self.client.ask("order.place", self.name("second"), body)
        self.assertEqual((status, refused["order_id"]), ("cart_claimed", order))
        self.client.call("cart.add", cart, {"sku": sku, "quantity": 5})
        self.client.call("payment.confirm", order, {"outcome": "succeeded"})
        self.wait(order, "confirmed")
        self.shop.settle(self.client)
        self.assertEqual([(l["sku"], l["quantity"]) for l in self.client.call("cart.get", cart)["lines"]], [(sku, 5)])

    # ---- once, and only once

    def test_200_copies_of_one_place_are_one_order(self):
        sku, order = self.sku(10), self.name("order")
        body = self.body((sku, 1))
        clients = [self.shop.client() for _ in range(20)]
        for client in clients:
            for _ in range(10):
                client.send("order.place", order, body)
        answers = [client.receive(30)[1:] for client in clients for _ in range(10)]
        for client in clients:
            client.close()
        self.assertEqual(len(answers), 200)
        self.assertTrue(all(a == answers[0] for a in answers), "200 equal answers")
        self.shop.settle(self.client)
        payment = self.client.call("payment.get", order)
        self.assertEqual((payment["captured"], payment["attempts"]), (gbp(100), 1))
        self.assertEqual(self.stock(sku)["on_hand"], 9)

    def test_other_content_under_one_order_id_is_named(self):
        sku, order = self.sku(10), self.name("order")
        self.place((sku, 1), order=order)
        for body, field in ((self.body((sku, 2)), "lines"), (self.body((sku, 1), method="cod"), "payment_method"),
                            ({**self.body((sku, 1)), "user_id": "other"}, "user_id")):
            status, refused = self.client.ask("order.place", order, body)
            self.assertEqual((status, refused["field"]), ("order_exists", field))
        self.assertEqual(self.client.ask("order.place", order, {**self.body((sku, 1)), "wait_ms": 5})[0], "ok")

    # ---- FAILURES

    def test_failure_4_the_second_buyer_of_the_last_item_is_not_charged(self):
        """vendure #3065."""
        sku = self.sku(1)
        results = [self.place((sku, 1)) for _ in range(2)]
        self.assertEqual(sorted(r[1] for r in results), ["insufficient_stock", "ok"])
        loser = next(r[0] for r in results if r[1] != "ok")
        self.assertEqual(self.client.ask("payment.get", loser)[0], "not_found")

    def test_failure_5_after_many_orders_holds_and_commits_are_those_of_the_orders(self):
        """saleor #5334: of 100 concurrent orders one or two miss an allocation."""
        rng, skus = random.Random(5), [self.sku(60) for _ in range(5)]
        sent = {}
        for i in range(150):
            lines = [(sku, rng.randint(1, 3)) for sku in rng.sample(skus, rng.randint(1, 4))]
            method = rng.choice(["pm_card_visa", "pm_card_visa", "pm_card_chargeDeclined"])
            order = self.name("order")
            sent[self.client.send("order.place", order, self.body(*lines, method=method))] = lines
        sold = {sku: 0 for sku in skus}
        for _ in range(150):
            id, status, _ = self.client.receive(30)
            for sku, n in sent[id] if status == "ok" else []:
                sold[sku] += n
        self.shop.settle(self.client)
        for sku in skus:
            stock = self.stock(sku)
            self.assertEqual((stock["committed_orders"], stock["reserved"], stock["on_hand"]), (sold[sku], 0, 60 - sold[sku]))

    def test_failure_6_a_declined_payment_gives_the_goods_back_before_it_answers(self):
        """woocommerce #55396: holds stayed after the payment failed."""
        sku = self.sku(1)
        for _ in range(5):
            self.assertEqual(self.place((sku, 1), method="pm_card_chargeDeclined")[1], "payment_declined")
            self.assertEqual(self.stock(sku)["available"], 1)
        self.assertEqual(self.place((sku, 1))[1], "ok")

    def test_failure_6_goods_stay_held_while_the_buyer_may_still_pay(self):
        """woocommerce #55396, the other way: holds were released although the buyer retried."""
        sku = self.sku(1)
        order, status, body = self.place((sku, 1), method="pm_sandbox_action_required")
        self.assertEqual(body["status"], "payment_action_required")
        self.assertEqual(self.place((sku, 1))[1], "insufficient_stock")
        self.client.call("payment.confirm", order, {"outcome": "succeeded"})
        self.wait(order, "confirmed")
        sku = self.sku(1)
        body = {**self.body((sku, 1), method="pm_sandbox_flaky"), "wait_ms": 0}
        order = self.name("order")
        self.assertEqual(self.client.ask("order.place", order, body)[0], "ok")
        self.assertEqual(self.place((sku, 1))[1], "insufficient_stock")
        self.wait(order, "confirmed")

    def test_failure_10_two_completions_of_one_cart_are_one_order(self):
        """medusa #13301: client confirm and webhook complete the same cart; the loser refunds the winner."""
        for _ in range(25):
            sku, cart = self.sku(10), self.name("cart")
            self.client.call("cart.add", cart, {"sku": sku, "quantity": 1, "price": gbp(100)})
            orders = [self.name("order") for _ in range(4)]
            ids = {self.client.send("order.place", order, {"user_id": "u", "payment_method": "pm_sandbox_twice", "cart_id": cart}): order
                   for order in orders}
            answers = [self.client.receive(30) for _ in orders]
            won = [ids[a[0]] for a in answers if a[1] == "ok"]
            self.assertEqual(len(won), 1, answers)
            self.assertTrue(all(a[1] in ("ok", "cart_claimed", "rejected") for a in answers), answers)
            payment = self.client.call("payment.get", won[0])
            self.assertEqual((payment["captured"], payment["refunded"]), (gbp(100), gbp(0)))

    def test_failure_11_and_14_a_second_answer_of_the_provider_changes_nothing(self):
        """mercurjs #1418, mollie/PrestaShop #493, medusa #4798: duplicate webhooks."""
        sku = self.sku(3)
        order, status, _ = self.place((sku, 1), method="pm_sandbox_twice")
        self.assertEqual(status, "ok")
        self.shop.settle(self.client)
        self.assertEqual(self.client.call("payment.get", order)["captured"], gbp(100))
        self.assertEqual(self.stock(sku)["on_hand"], 2)

    def test_failure_12_a_timeout_after_success_is_not_a_second_charge(self):
        """saleor #14926, woocommerce-gateway-stripe #3725, solidus_stripe #44."""
        order, status, _ = self.place((self.sku(1), 1), method="pm_sandbox_timeout_then_success")
        self.assertEqual(status, "ok")
        self.assertEqual(self.client.call("payment.get", order)["captured"], gbp(100))

    def test_failure_18_the_lines_sum_to_the_total_in_every_currency(self):
        """medusa #14818, vendure #2662, umbraco #126."""
        for currency, price in (("JPY", 333), ("GBP", 1999), ("KWD", 12345)):
            sku, order = self.sku(), self.name("order")
            money = lambda amount: {"amount": amount, "currency": currency}
            self.client.call("order.place", order, {"user_id": "u", "payment_method": "pm_card_visa", "lines": [
                {"sku": sku, "quantity": 3, "unit_price": money(price)}, {"sku": sku, "quantity": 1, "unit_price": money(1)}]})
            view = self.client.call("order.get", order)
            self.assertEqual(view["total"], money(3 * price + 1))
            self.assertEqual(sum(a["amount"]["amount"] for a in view["amounts"]), 3 * price + 1)
            self.assertEqual(self.client.call("payment.get", order)["captured"], money(3 * price + 1))

    def test_failure_19_parallel_cart_changes_are_all_visible(self):
        """shopware #8724, vendure #3398: quick parallel adds lose a line though each was answered 200."""
        cart = self.name("cart")
        clients = [self.shop.client() for _ in range(50)]
        for n, client in enumerate(clients):
            client.send("cart.add", cart, {"sku": f"s{n}", "quantity": n + 1})
        self.assertTrue(all(client.receive()[1] == "ok" for client in clients))
        for client in clients:
            client.close()
        lines = self.client.call("cart.get", cart)["lines"]
        self.assertEqual({l["sku"]: l["quantity"] for l in lines}, {f"s{n}": n + 1 for n in range(50)})

    def test_failure_20_orders_in_opposite_line_order_never_stall(self):
        """saleor #14649, openfoodnetwork #6400: deadlocks between checkouts."""
        skus = [self.sku(2000) for _ in range(6)]
        lines = [(sku, 1) for sku in skus]
        ids = [self.client.send("order.place", self.name("order"), self.body(*(lines if i % 2 else lines[::-1])))
               for i in range(300)]
        answers = [self.client.receive(60) for _ in ids]
        self.assertTrue(all(a and a[1] == "ok" for a in answers))

    def test_failure_21_a_thousand_lines_are_one_order(self):
        """medusa #12964: minutes for an order; vendure #226: 5 s at 200 lines."""
        skus = [self.name("sku") for _ in range(1000)]
        for sku in skus:
            self.client.send("inventory.receive", sku, {"quantity": 2})
        for _ in skus:
            self.assertEqual(self.client.receive()[1], "ok")
        order, status, body = self.place(*[(sku, 1) for sku in skus])
        self.assertEqual((status, body["total"], len(body["lines"])), ("ok", gbp(100000), 1000))
        self.shop.settle(self.client)

    def test_waiting_ends_with_the_view_as_it_stands(self):
        order = self.name("order")
        body = {**self.body((self.sku(1), 1), method="pm_sandbox_late"), "wait_ms": 100}
        status, view = self.client.ask("order.place", order, body)
        self.assertEqual((status, view["stage"]), ("ok", "pending_payment"))
        self.wait(order, "confirmed")


class Limits(unittest.TestCase):
    def test_too_many_open_lines_are_busy_and_change_nothing(self):
        with Shop(order_settings="lines_in_flight_max = 8\nwaiting_max = 4", order=1) as shop:
            client = shop.client()
            client.call("inventory.receive", "sku", {"quantity": 1000})
            body = {"user_id": "u", "payment_method": "pm_sandbox_action_required", "wait_ms": 100,
                    "lines": [{"sku": "sku", "quantity": 1, "unit_price": gbp(1)}]}
            for i in range(20):
                client.send("order.place", f"o{i}", body)
            answers = [client.receive() for _ in range(20)]
            busy = [a for a in answers if a[1] == "busy"]
            self.assertEqual(len(busy), 16, "all that are taken come to wait")
            self.assertTrue(all(a[2]["retry_after_ms"] > 0 for a in busy))
            self.assertEqual(shop.status(client)["open_orders"], 4)
            client.close()

    def test_what_may_wait_is_shared_by_the_order_actors(self):
        with Shop(order_settings="waiting_max = 4", order=2) as shop:
            client = shop.client()
            client.call("inventory.receive", "sku", {"quantity": 1000})
            body = {"user_id": "u", "payment_method": "pm_sandbox_action_required", "wait_ms": 100,
                    "lines": [{"sku": "sku", "quantity": 1, "unit_price": gbp(1)}]}
            for i in range(40):
                client.send("order.place", f"o{i}", body)
            self.assertEqual(sum(client.receive()[1] == "busy" for _ in range(40)), 36)
            self.assertEqual(shop.status(client)["open_orders"], 4)
            client.close()

    def test_a_deadline_before_the_capture_releases_and_voids(self):
        with Shop(order_settings="deadline_ms = 1000") as shop:
            client = shop.client()
            client.call("inventory.receive", "sku", {"quantity": 1})
            client.call("order.place", "o", {"user_id": "u", "payment_method": "pm_sandbox_action_required",
                                             "lines": [{"sku": "sku", "quantity": 1, "unit_price": gbp(1)}]})
            shop.settle(client)
            self.assertEqual(client.call("order.get", "o")["status"], "reservation_expired")
            self.assertEqual(client.call("inventory.get", "sku")["available"], 1)
            self.assertEqual(client.call("payment.get", "o")["captured"]["amount"], 0)
            client.close()

    def test_sigterm_answers_who_waits(self):
        with Shop() as shop:
            client = shop.client()
            client.call("inventory.receive", "sku", {"quantity": 1})
            client.send("order.place", "o", {"user_id": "u", "payment_method": "pm_sandbox_late", "wait_ms": 60000,
                                             "lines": [{"sku": "sku", "quantity": 1, "unit_price": gbp(1)}]})
            time.sleep(0.5 * SLOW)
            self.assertEqual(shop.stop(), 0)
            reply = client.receive(5)
            self.assertEqual((reply[1], reply[2]["stage"]), ("ok", "pending_payment"))
            shop.start()
            shop.settle(client)
            self.assertEqual(client.call("order.get", "o")["status"], "confirmed")
            client.close()


if __name__ == "__main__":
    unittest.main()
