"""A message whose decision kills the process costs one entity, not the shop: a build of souk that dies of some keys
(tests/poison/kinds.c), restarts, and the healthy build that takes over."""
import json
import os
import signal
import time
import unittest

from tests.e2e.shop import POISON, SLOW, SOUK, Shop, gbp, souk

SANITIZED = None if SLOW == 1 else 1  # [:SANITIZED and n]: all, or the first n under a sanitizer, where starts are slow
LINE = {"sku": "tea", "quantity": 1, "unit_price": gbp(100)}


def place(*lines, wait_ms=2000):
    return {"user_id": "u", "payment_method": "pm_card_visa", "lines": list(lines) or [LINE], "wait_ms": wait_ms}


def line(sku):
    return {**LINE, "sku": sku}


class PoisonShop(Shop):
    def __enter__(self):
        self.program = POISON
        super().__enter__()
        self.asks = self.client()
        self.asks.call("inventory.receive", "tea", {"quantity": 100})
        return self

    def __exit__(self, *_):
        self.asks.close()
        super().__exit__()

    def poison(self, type, key, body=None):
        """Sends what kills, and waits until it has."""
        self.asks.send(type, key, body, id="deadly-" + key[:50])
        return self.died()

    def listed(self, *arguments):
        return json.loads(souk("quarantine", "list", "-d", self.data, "--json", *arguments, check=0).stdout)["quarantined"]

    def until(self, wanted, read):
        end = time.monotonic() + 30 * SLOW
        while (seen := read()) != wanted:
            assert time.monotonic() < end, f"{seen}, not {wanted}"
            time.sleep(0.02)

    def heal(self, kind, key):
        """The healthy build takes over, with this entity."""
        souk("quarantine", "clear", kind, key, "-d", self.data, check=0)
        self.program = SOUK
        self.start()

    def judge(self, test, books_equal=True):
        test.assertEqual(self.stop(), 0)
        audit = self.audit()
        test.assertTrue(audit["clean"], audit)
        if books_equal:
            test.assertEqual(audit["captured"]["payment"], audit["captured"]["sandbox"])
        test.assertTrue(self.replay()["equal"])


class Poison(unittest.TestCase):
    def test_a_poison_message_costs_its_entity_only(self):
        key = "poison-check@inventory.receive-1"
        with PoisonShop() as shop:
            self.assertNotEqual(shop.poison("inventory.receive", key, {"quantity": 1}), 0)
            shop.start()
            for _ in range(3):  # the client sends it again: no crash loop
                status, body = shop.asks.ask("inventory.receive", key, {"quantity": 1}, id="deadly-" + key)
                self.assertEqual((status, body["entity"]), ("quarantined", "inventory/" + key))
                self.assertIn("souk quarantine clear", body["message"])
            self.assertEqual(shop.asks.ask("inventory.get", key)[0], "quarantined")
            self.assertEqual(shop.asks.call("order.place", "o", place())["status"], "confirmed")
            self.assertEqual(shop.status(shop.asks)["quarantined"], 1)
            self.assertIn("quarantined      1", souk("status", "-e", shop.endpoint, check=0).stdout)
            row, = shop.listed("--snapshot")
            self.assertEqual((row["kind"], row["key"], row["type"], row["sender"], row["seen"]),
                             ("inventory", key, "inventory.receive", "client", False))
            self.assertIn("CHECK", row["death"])
            souk("quarantine", "list", "-d", shop.data, check=2)
            souk("quarantine", "clear", "inventory", key, "-d", shop.data, check=2)
            shop.judge(self)
            shop.heal("inventory", key)
            self.assertEqual(shop.asks.call("inventory.receive", key, {"quantity": 1})["on_hand"], 1)
            self.assertEqual(shop.status(shop.asks)["quarantined"], 0)
            shop.judge(self)

    def test_every_way_of_dying_is_caught_and_told(self):
        with PoisonShop() as shop:
            ways = (("check", "CHECK"), ("segv", "SIGSEGV"), ("stack", "SIGSEGV"), ("bus", "SIGBUS"), ("fpe", "SIGFPE"),
                    ("ill", "SIGILL"), ("abort", "SIGABRT"))[:SANITIZED and 3]
            for how, name in ways:
                key = f"poison-{how}@cart.add-1"
                code = shop.poison("cart.add", key, {"sku": "tea", "quantity": 1})
                self.assertNotEqual(code, 0, how)
                row, = [row for row in shop.listed() if row["key"] == key]  # before any start
                self.assertTrue(row["message"], row)
                self.assertIn(name, row["death"], how)
                souk("quarantine", "accept", "-d", shop.data, check=0)
                shop.start()
                self.assertEqual(shop.asks.ask("cart.get", key)[0], "quarantined", how)
            self.assertEqual(shop.asks.call("cart.add", "cart", {"sku": "tea", "quantity": 1})["version"], 1)
            self.assertEqual(len(shop.listed("--snapshot")), len(ways))
            shop.judge(self)

    def test_the_message_is_decided_again_in_a_process_of_its_own(self):
        key = "poison-segv@inventory.reserve-1"
        with PoisonShop() as shop:
            shop.asks.call("inventory.receive", key, {"quantity": 2})
            shop.poison("inventory.reserve", key, {"reservation_id": "r", "quantity": 2})
            replay = lambda program, *more, check: json.loads(
                souk("replay", "--message", *more, "-d", shop.data, "--json", check=check, program=program).stdout)
            died = replay(POISON, check=1)
            self.assertTrue(died["died"])
            if not SANITIZED:  # a sanitizer ends it in its own way
                self.assertEqual(died["signal"], "SIGSEGV")
            decided = replay(SOUK, f"inventory/{key}", check=0)
            self.assertEqual((decided["died"], decided["status"], decided["type"]), (False, "ok", "inventory.reserve"))
            souk("replay", "--message", "order/none", "-d", shop.data, check=2)
            shop.heal("inventory", key)
            self.assertEqual(shop.asks.call("inventory.get", key)["reserved"], 0)
            shop.stop()
            souk("replay", "--message", "-d", shop.data, check=2)

    def test_an_open_order_waits_for_a_poison_sku_and_completes_when_it_is_cleared(self):
        for type, seen in (("inventory.reserve", "created"), ("inventory.commit", "confirmed")):
            sku = f"poison-check@{type}-mug"
            with self.subTest(type=type), PoisonShop() as shop:
                shop.asks.call("inventory.receive", sku, {"quantity": 5})
                shop.poison("order.place", "o", place(LINE, line(sku)))
                shop.start()
                status, view = shop.asks.ask("order.place", "o", place(LINE, line(sku)), id="deadly-o")
                self.assertEqual((status, view["status"]), ("ok", seen))
                self.assertEqual(shop.asks.call("order.place", "p", place())["status"], "confirmed")
                shop.until(1, lambda: shop.status(shop.asks)["open_orders"])
                shop.judge(self)
                shop.heal("inventory", sku)
                shop.settle(shop.asks)
                self.assertEqual(shop.asks.call("order.get", "o")["status"], "confirmed")
                self.assertEqual(shop.asks.call("inventory.get", sku)["committed"], 1)
                self.assertEqual(shop.status(shop.asks)["reasks_total"], 0)
                shop.judge(self)

    def test_a_poison_order_is_left_as_it_stands_until_it_is_cleared(self):
        types = ("order.answer", "payment.outcome", "order.payment", "payment.charge", "sandbox.operate")
        for type in types[:SANITIZED and 2]:
            order, kind = f"poison-abort@{type}-1", type.split(".")[0]
            with self.subTest(type=type), PoisonShop() as shop:
                shop.poison("order.place", order, place())
                shop.start()
                status, body = shop.asks.ask(f"{'payment' if kind == 'payment' else 'order'}.get", order)
                if kind != "sandbox":
                    self.assertEqual((status, body.get("entity")), ("quarantined", f"{kind}/{order}"))
                self.assertEqual(shop.asks.call("order.place", "p", place())["status"], "confirmed")
                shop.judge(self, books_equal=False)  # a capture may be on its way; only its order asks for it again
                shop.heal(kind, order)
                shop.settle(shop.asks)
                view = shop.asks.call("order.place", order, place(), id="deadly-" + order)
                self.assertEqual(view["status"], "confirmed")
                self.assertEqual(shop.asks.call("payment.get", order)["captured"], gbp(100))
                shop.judge(self)

    def test_an_order_that_kills_every_start_kills_one(self):
        order = "poison-fpe@order.resume-1"
        with PoisonShop() as shop:
            late = {**place(wait_ms=0), "payment_method": "pm_sandbox_late"}
            shop.asks.call("order.place", order, late)
            shop.kill()
            try:
                shop.start()  # it dies as soon as it serves, perhaps before
                shop.died()
            except AssertionError:
                pass
            shop.start()
            self.assertEqual(shop.asks.ask("order.get", order)[0], "quarantined")
            shop.judge(self)
            shop.heal("order", order)
            shop.settle(shop.asks)
            self.assertEqual(shop.asks.call("order.get", order)["status"], "confirmed")
            shop.judge(self)

    def test_more_than_three_deaths_in_ten_minutes_stay_down(self):
        with PoisonShop() as shop:
            for i in range(4):
                shop.poison("cart.add", f"poison-abort@cart.add-{i}", {"sku": "tea", "quantity": 1})
                if i < 3:
                    shop.start()
            for _ in range(2):
                with self.assertRaises(AssertionError) as down:
                    shop.start()
                self.assertIn("exit 70", str(down.exception))
            for part in ("staying down", "cart/poison-abort@cart.add-0", "souk replay --message", "souk quarantine"):
                self.assertIn(part, shop.log_text())
            self.assertEqual([row["seen"] for row in shop.listed()], [False] * 4)
            souk("quarantine", "accept", "-d", shop.data, check=0)
            shop.start()
            self.assertEqual(shop.asks.ask("cart.get", "poison-abort@cart.add-3")[0], "quarantined")
            self.assertEqual(shop.asks.call("order.place", "o", place())["status"], "confirmed")
            shop.judge(self)

    def test_a_death_that_is_nobodys_fault_quarantines_nothing(self):
        with PoisonShop() as shop:
            for sent in (signal.SIGSEGV, signal.SIGABRT):
                for i in range(50):
                    shop.asks.send("inventory.receive", f"sku-{i}", {"quantity": 1})
                os.kill(shop.process.pid, sent)
                self.assertNotEqual(shop.died(), 0)
                self.assertEqual(shop.listed(), [])
                shop.start()
                self.assertEqual(shop.status(shop.asks)["quarantined"], 0)
            shop.judge(self)

    def test_the_command_says_what_is_wrong(self):
        with PoisonShop() as shop:
            shop.stop()
            for arguments in ((), ("lift",), ("clear", "order"), ("clear", "box", "k"), ("list", "more"), ("clear", "order", "k", "--json")):
                self.assertIn("Try", souk("quarantine", *arguments, "-d", shop.data, check=2).stderr)
            self.assertIn("not in quarantine", souk("quarantine", "clear", "order", "k", "-d", shop.data, check=1).stderr)
            self.assertIn("0 in quarantine", souk("quarantine", "list", "-d", shop.data, check=0).stdout)
            self.assertIn("usage:", souk("quarantine", "--help", check=0).stdout)


if __name__ == "__main__":
    unittest.main()
