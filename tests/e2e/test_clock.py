"""A wall clock that steps by hours, under a running node and over a restart: nothing ends early, what is open goes on,
nothing new is taken until somebody has looked."""
import json
import os
import pathlib
import signal
import struct
import time
import unittest

from tests.crash.disk import LIBRARY, Disk
from tests.e2e.shop import SLOW, SOUK, Shop, gbp, souk

SKEW = pathlib.Path(SOUK).with_name("libsouk_skew.so")
HOUR = 3600
LINE = {"sku": "tea", "quantity": 1, "unit_price": gbp(100)}


def place(method="pm_card_visa", wait_ms=2000):
    return {"user_id": "u", "payment_method": method, "lines": [LINE], "wait_ms": wait_ms}


class SkewedShop(Shop):
    def __enter__(self):
        self.skew_file = self.directory / "skew"
        self.step_to(0)
        options = os.environ.get("ASAN_OPTIONS", "")
        self.environment = {**os.environ, "LD_PRELOAD": str(SKEW), "SOUK_CLOCK_SKEW": str(self.skew_file),
                            "ASAN_OPTIONS": ":".join(filter(None, [options, "verify_asan_link_order=0"]))}
        super().__enter__()
        self.asks = self.client()
        self.asks.call("inventory.receive", "tea", {"quantity": 100})
        return self

    def __exit__(self, *_):
        self.asks.close()
        super().__exit__()

    def step_to(self, seconds):
        """The wall clock is wrong by so much from now on."""
        self.skew = seconds
        with open(self.skew_file, "r+b" if self.skew_file.exists() else "wb") as file:
            file.write(struct.pack("<q", int(seconds * 1e6)))

    def until(self, what, timeout=30):
        end = time.monotonic() + timeout * SLOW
        while not what():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.02)

    def until_doubted(self, seconds):
        self.until(lambda: abs(self.status(self.asks)["clock_step"] / 1e6 - seconds) < 60)

    def until_believed(self):
        self.until(lambda: self.status(self.asks)["clock_step"] == 0)

    def clock(self, word="status", check=0):
        return json.loads(souk("clock", word, "-d", self.data, "--json", check=check).stdout)

    def node_ahead(self):
        """The node's time against the right one, in s."""
        reading = self.clock(check=None)
        return (reading["now"] - reading["wall"]) / 1e6 + self.skew

    def takes_new(self, n=[0]):
        n[0] += 1
        return self.asks.ask("cart.add", f"cart-{n[0]}", {"sku": "tea", "quantity": 1})[0]

    def refuses_new(self, test):
        for type, key, body in (("order.place", "refused", place()), ("cart.add", "refused", {"sku": "tea", "quantity": 1}),
                                ("inventory.reserve", "tea", {"reservation_id": "refused", "quantity": 1})):
            status, reply = self.asks.ask(type, key, body)
            test.assertEqual(status, "clock", type)
            test.assertGreater(reply["retry_after_ms"], 0)
            test.assertIn("souk clock accept", reply["message"])

    def judge(self, test):
        self.settle(self.asks)
        test.assertEqual(self.stop(), 0)
        test.assertTrue(self.audit()["clean"])
        test.assertTrue(self.replay()["equal"])


class Live(unittest.TestCase):
    def test_a_step_forward_ends_nothing_until_it_is_accepted(self):
        with SkewedShop() as shop:
            asks = shop.asks
            asks.call("inventory.reserve", "tea", {"reservation_id": "r", "quantity": 7})
            asks.call("order.place", "waiting", place("pm_sandbox_action_required"))
            asks.call("order.place", "late", place("pm_sandbox_late", wait_ms=0))
            shop.step_to(5 * HOUR)
            shop.until_doubted(5 * HOUR)
            shop.refuses_new(self)
            self.assertAlmostEqual(shop.clock(check=1)["step"] / 1e6, 5 * HOUR, delta=60)
            self.assertLess(abs(shop.node_ahead()), 60)
            self.assertIn("stepped by +", souk("status", "-e", shop.endpoint, check=0).stdout)
            self.assertEqual(shop.log_text().count("the wall clock has stepped"), 1)
            # Holds and deadlines are hours away still; what is open goes on.
            self.assertEqual(asks.call("inventory.holds", "tea", {})["holds"][0]["reservation_id"], "r")
            asks.call("inventory.extend", "tea", {"reservation_id": "r", "ttl_ms": 60000})
            shop.until(lambda: asks.call("order.get", "late")["status"] == "confirmed")
            self.assertEqual(asks.call("order.get", "waiting")["status"], "payment_action_required")
            asks.call("payment.confirm", "waiting", {"outcome": "succeeded"})
            shop.until(lambda: asks.call("order.get", "waiting")["status"] == "confirmed")
            self.assertEqual(asks.call("order.cancel", "late", {})["status"], "cancelling")
            shop.settle(asks)
            self.assertEqual(shop.clock("accept")["step"], 0)
            self.assertEqual(shop.takes_new(), "ok")
            self.assertEqual(asks.call("inventory.get", "tea")["reserved"], 0, "its minute is over by the accepted clock")
            self.assertGreater(shop.node_ahead(), 4 * HOUR)
            self.assertIn("is accepted", shop.log_text())
            shop.judge(self)

    def test_a_step_back_ends_nothing_and_time_goes_on(self):
        with SkewedShop() as shop:
            asks = shop.asks
            asks.call("inventory.reserve", "tea", {"reservation_id": "r", "quantity": 7, "ttl_ms": 1500})
            asks.call("order.place", "late", place("pm_sandbox_late", wait_ms=0))
            shop.step_to(-5 * HOUR)
            shop.until_doubted(-5 * HOUR)
            shop.refuses_new(self)
            self.assertLess(abs(shop.node_ahead()), 60)
            shop.until(lambda: asks.call("order.get", "late")["status"] == "confirmed")
            shop.until(lambda: asks.call("inventory.get", "tea")["reserved"] == 0)  # by the old time, which goes on
            shop.clock("accept")
            self.assertEqual(shop.takes_new(), "ok")
            # Time never goes back, and timers fire: this one's provider keeps silent first.
            self.assertLess(abs(shop.node_ahead()), 60)
            status, view = asks.ask("order.place", "slow", place("pm_sandbox_timeout_then_success", wait_ms=30000))
            self.assertEqual((status, view["status"]), ("ok", "confirmed"))
            times = [at["at"] for order in ("late", "slow") for at in asks.call("order.get", order)["history"]]
            self.assertEqual(times, sorted(times))
            shop.judge(self)

    def test_a_clock_that_comes_back_by_itself_is_believed_again(self):
        with SkewedShop() as shop:
            for seconds in (3 * HOUR, -3 * HOUR, 61 * 24 * HOUR):
                shop.step_to(seconds)
                shop.until_doubted(seconds)
                self.assertEqual(shop.takes_new(), "clock")
                shop.step_to(0)
                shop.until_believed()
                self.assertEqual(shop.takes_new(), "ok")
            self.assertEqual(shop.log_text().count("believed again"), 3)
            shop.judge(self)

    def test_less_than_a_minute_is_followed(self):
        with SkewedShop() as shop:
            for seconds in (50, 10, 55, 20):
                shop.step_to(seconds)
                time.sleep(0.6)
                self.assertEqual(shop.takes_new(), "ok")
            self.assertNotIn("stepped", shop.log_text())
            shop.judge(self)


class Restart(unittest.TestCase):
    def test_a_clock_before_the_last_turn_is_not_believed(self):
        with SkewedShop() as shop:
            asks = shop.asks
            asks.call("inventory.reserve", "tea", {"reservation_id": "r", "quantity": 7})
            asks.call("order.place", "late", place("pm_sandbox_late", wait_ms=0))
            shop.kill()
            shop.step_to(-3 * HOUR)
            shop.start()
            shop.refuses_new(self)  # from the first message on
            self.assertLess(abs(shop.node_ahead()), 60)
            shop.until(lambda: asks.call("order.get", "late")["status"] == "confirmed")
            self.assertEqual(asks.call("inventory.get", "tea")["reserved"], 7)
            shop.clock("accept")
            self.assertEqual(shop.takes_new(), "ok")
            # What was accepted stays so; a second step is a second one.
            shop.kill()
            shop.start()
            self.assertEqual(shop.takes_new(), "ok")
            self.assertLess(abs(shop.node_ahead()), 60)
            shop.kill()
            shop.step_to(-6 * HOUR)
            shop.start()
            self.assertEqual(shop.takes_new(), "clock")
            shop.kill()
            shop.step_to(0)
            shop.start()
            self.assertEqual(shop.takes_new(), "ok")
            shop.judge(self)

    def test_a_gap_forward_is_downtime(self):
        with SkewedShop() as shop:
            shop.asks.call("inventory.reserve", "tea", {"reservation_id": "r", "quantity": 7})
            shop.kill()
            shop.step_to(3 * HOUR)
            shop.start()
            self.assertEqual(shop.takes_new(), "ok")
            self.assertEqual(shop.asks.call("inventory.get", "tea")["reserved"], 0)
            shop.judge(self)

    def test_a_step_that_nobody_accepted_outlives_a_restart(self):
        with SkewedShop() as shop:
            shop.asks.call("inventory.reserve", "tea", {"reservation_id": "r", "quantity": 7})
            shop.step_to(3 * HOUR)
            shop.until_doubted(3 * HOUR)
            shop.kill()
            shop.start()
            shop.refuses_new(self)
            self.assertLess(abs(shop.node_ahead()), 60)
            self.assertEqual(shop.asks.call("inventory.get", "tea")["reserved"], 7)
            shop.kill()
            shop.step_to(0)  # set right while the node was down
            shop.start()
            self.assertEqual(shop.takes_new(), "ok")
            self.assertEqual(shop.asks.call("inventory.get", "tea")["reserved"], 7)
            shop.judge(self)

    def test_a_second_step_while_one_is_doubted_outlives_a_restart(self):
        with SkewedShop() as shop:
            shop.asks.call("inventory.reserve", "tea", {"reservation_id": "r", "quantity": 7})
            for hours in (3, 6):
                shop.step_to(hours * HOUR)
                shop.until_doubted(hours * HOUR)
            shop.kill()
            shop.start()
            shop.refuses_new(self)
            self.assertLess(abs(shop.node_ahead()), 60)
            self.assertEqual(shop.asks.call("inventory.get", "tea")["reserved"], 7)
            shop.judge(self)


class Unkept(unittest.TestCase):
    """What is to outlive the process cannot be written."""

    def restart(self, shop, faults=""):
        """On a disk that does this to DIR/meta; the disk."""
        shop.kill()
        disk = Disk(shop.data / "meta", faults)
        self.enterContext(disk)
        sound = shop.environment
        shop.environment = {**disk.environment(), **sound, "LD_PRELOAD": f"{SKEW} {LIBRARY}"}
        shop.start()
        shop.environment = sound
        return disk

    def fail_after_start(self, shop, operation, error, nth=1):
        """The nth write or sync of DIR/meta that comes after the start fails."""
        started = self.restart(shop).count(operation, "wal")
        return self.restart(shop, f"{operation}:wal:{started + nth}={error}")

    def ended(self, shop, disk):
        code = shop.died()
        self.assertTrue(disk.fired())
        if code != -signal.SIGABRT:  # RocksDB's own attempt at recovery may be quicker (test_disk.py)
            self.assertEqual(code, 70)
            self.assertRegex(shop.log_text(), r"(?m)^\d{4}-\S+Z souk serve: .*/meta: .*; ending$")

    def doubts_from_the_start(self, shop):
        shop.start()
        shop.refuses_new(self)
        self.assertEqual(shop.asks.call("inventory.get", "tea")["reserved"], 7)

    def test_a_step_whose_note_is_not_synced_ends_the_node_and_is_still_doubted(self):
        with SkewedShop() as shop:
            shop.asks.call("inventory.reserve", "tea", {"reservation_id": "r", "quantity": 7})
            disk = self.fail_after_start(shop, "sync", "eio")
            shop.step_to(5 * HOUR)
            self.ended(shop, disk)
            self.doubts_from_the_start(shop)

    def test_a_step_whose_note_is_not_written_ends_the_node(self):
        with SkewedShop() as shop:
            shop.asks.call("inventory.reserve", "tea", {"reservation_id": "r", "quantity": 7})
            disk = self.fail_after_start(shop, "write", "torn")
            shop.step_to(5 * HOUR)
            self.ended(shop, disk)
            shop.step_to(0)  # nothing else is left to know it by
            shop.start()
            self.assertEqual(shop.takes_new(), "ok")
            self.assertEqual(shop.asks.call("inventory.get", "tea")["reserved"], 7)

    def test_what_is_accepted_and_not_kept_is_not_answered(self):
        with SkewedShop() as shop:
            shop.asks.call("inventory.reserve", "tea", {"reservation_id": "r", "quantity": 7})
            disk = self.fail_after_start(shop, "write", "torn", nth=2)
            shop.step_to(5 * HOUR)
            shop.until_doubted(5 * HOUR)
            self.assertEqual(souk("clock", "accept", "-d", shop.data).returncode, 3)
            self.ended(shop, disk)
            self.doubts_from_the_start(shop)


class Command(unittest.TestCase):
    def test_its_answers_take_no_room_from_clients(self):
        with SkewedShop() as shop:
            for _ in range(3):
                shop.clock()
            for _ in range(300):
                shop.asks.send("inventory.receive", "tea", {"quantity": 1})
            self.assertEqual({shop.asks.receive(30)[1] for _ in range(300)}, {"ok"})

    def test_it_reads_a_clock_that_is_right_and_says_what_is_wrong(self):
        with SkewedShop() as shop:
            self.assertEqual(shop.clock()["step"], 0)
            self.assertIn("node's time", souk("clock", "status", "-d", shop.data, check=0).stdout)
            self.assertEqual(shop.clock("accept")["step"], 0)
            for arguments in ((), ("adjust",), ("status", "accept")):
                souk("clock", *arguments, "-d", shop.data, check=2)
            self.assertEqual(shop.asks.ask("souk.clock", "k")[0], "forbidden")
            self.assertEqual(shop.asks.ask("souk.clock_accept", "k")[0], "forbidden")
            shop.judge(self)
            souk("clock", "status", "-d", shop.data / "nowhere", check=2)

    def test_where_no_node_runs_it_says_so(self):
        with SkewedShop() as shop:
            shop.stop()
            self.assertFalse((shop.data / "control.sock").exists(), "removed at a clean end")
            shop.start()
            self.assertEqual(shop.clock()["step"], 0)
            self.assertEqual(shop.status(shop.asks)["dropped"]["handshake_failed"], 0, "looking is no connection")
            shop.kill()
            self.assertTrue((shop.data / "control.sock").exists(), "left behind")
            for word in ("status", "accept"):
                self.assertIn("no node runs there", souk("clock", word, "-d", shop.data, check=2).stderr)
            shop.start()
            self.assertEqual(shop.clock()["step"], 0)


if __name__ == "__main__":
    unittest.main()
