"""topology.toml at its limits: each number at its lowest and its highest serves an order, one beyond is refused by name."""
import concurrent.futures
import contextlib
import re
import unittest

from tests.e2e.shop import SOUK, Shop, gbp, souk

MIB, DAY_MS = 2**20, 24 * 3600 * 1000
LIMITS = {
    "broker.commands_in_flight_max": (1024, 16 * MIB),
    "broker.bytes_in_flight_max": (MIB, MIB * MIB),
    "store.memory_mb": (32, MIB),
    "store.remember_hours": (1, 24 * 366),
    "store.log_max_gb": (1, MIB),
    "store.free_min_mb": (1, MIB),
    "actors.catalog": (1, 64),
    "actors.inventory": (1, 64),
    "actors.cart": (1, 64),
    "actors.order": (1, 64),
    "actors.payment": (1, 64),
    "actors.sandbox": (1, 64),
    "actors.turn_messages_max": (1, 65536),
    "inventory.reservation_ttl_ms": (1, 30 * DAY_MS),
    "cart.ttl_days": (1, 3660),
    "cart.lines_max": (1, 2000),
    "order.lines_max": (1, 2000),
    "order.deadline_ms": (100, 30 * DAY_MS),
    "order.lines_in_flight_max": (1, 10 * MIB),
    "order.waiting_max": (1, 10 * MIB),
    "order.waiters_max": (1, 10 * MIB),
    "payment.provider_key_hours": (1, 23),
}
OTHER_KEYS = {"broker.listen", "broker.events", "store.path", "store.sync", "payment.provider"}


def topology(values):
    sections = {"broker": 'listen = ["tcp://127.0.0.1:*"]\nevents = ""\n'}
    for key, value in values.items():
        section, name = key.split(".")
        sections[section] = sections.get(section, "") + f"{name} = {value}\n"
    return "".join(f"[{section}]\n{lines}" for section, lines in sections.items())


class Topology(unittest.TestCase):
    def serve_one_order(self, shop, values):
        with contextlib.closing(shop.client()) as client:
            client.call("inventory.receive", "tea", {"quantity": 100})
            for attempt in range(20):  # a deadline of 100 ms may pass on a slow machine
                client.call("cart.add", f"c{attempt}", {"sku": "tea", "quantity": 1, "price": gbp(100)})
                status, body = client.ask("order.place", f"o{attempt}", {
                    "user_id": "u", "payment_method": "pm_card_visa", "cart_id": f"c{attempt}", "wait_ms": 20000})
                if status != "reservation_expired":
                    break
            self.assertEqual((status, body.get("status")), ("ok", "confirmed"), (values, body))

    def start(self, values):
        with contextlib.ExitStack() as stack:
            shop = Shop()
            stack.callback(shop.__exit__)
            (shop.directory / "topology.toml").write_text(topology(values))
            shop.start()
            if values.get("store.free_min_mb") != MIB:  # no disk has as much to spare
                self.serve_one_order(shop, values)
            self.assertEqual(shop.stop(), 0)

    def start_each(self, values):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            started = {key: pool.submit(self.start, {key: value}) for key, value in values.items()}
            for key, future in started.items():
                with self.subTest(key):
                    future.result()

    @unittest.skipIf("asan" in SOUK, "it takes long; all together are enough for a sanitizer")
    def test_each_at_its_lowest_serves_an_order(self):
        self.start_each({key: low for key, (low, _) in LIMITS.items()})

    @unittest.skipIf("asan" in SOUK, "it takes long; all together are enough for a sanitizer")
    def test_each_at_its_highest_serves_an_order(self):
        self.start_each({key: high for key, (_, high) in LIMITS.items()})

    def test_all_at_their_lowest_serve_an_order(self):
        self.start({key: low for key, (low, _) in LIMITS.items()})

    def test_all_but_actors_at_their_highest_serve_an_order(self):
        self.start({key: high for key, (_, high) in LIMITS.items() if high != 64 and key != "store.free_min_mb"})

    def test_every_number_has_its_limits_here(self):
        known = set()
        with Shop() as shop:
            for section in ("broker", "store", "actors", "inventory", "cart", "order", "payment"):
                file = shop.directory / "unknown.toml"
                file.write_text(f"[{section}]\nno_such_key = 1\n")
                listed = re.search(r"its keys are (.*)$", souk("topology", "check", "-t", file, check=2).stderr, re.M)
                known |= {f"{section}.{name}" for name in listed[1].split(", ")}
        self.assertEqual(known, set(LIMITS) | OTHER_KEYS)

    def test_one_beyond_is_refused_by_name(self):
        with Shop() as shop:
            file = shop.directory / "beyond.toml"
            for key, (low, high) in LIMITS.items():
                for value in (low - 1, high + 1):
                    file.write_text(topology({key: value}))
                    for command in (("topology", "check"), ("serve",)):
                        said = souk(*command, "-t", file, check=2).stderr
                        self.assertIn(f"{key} must be {low} to {high}, not {value}", said)


if __name__ == "__main__":
    unittest.main()
