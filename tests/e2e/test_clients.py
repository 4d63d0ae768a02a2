"""Clients in other languages speak to a node; together they never oversell."""
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

from tests.e2e.shop import ROOT, SLOW, Shop, gbp

BUILD = pathlib.Path(os.environ.get("SOUK_BUILD_DIR", ROOT / "build/release"))


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = Shop()
        cls.shop.start()
        cls.client = cls.shop.client()
        # npm writes beside package.json: work on a copy below the build directory
        cls.javascript = BUILD / "javascript-client"
        shutil.copytree(ROOT / "examples/clients/javascript", cls.javascript, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("node_modules", "package-lock.json"))
        if not (cls.javascript / "node_modules/zeromq").exists():
            subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], cwd=cls.javascript, check=True,
                           stdin=subprocess.DEVNULL, timeout=300)
        cls.languages = {
            "python": ["/usr/bin/python3", str(ROOT / "examples/clients/python/order.py")],
            "javascript": ["node", str(cls.javascript / "order.js")],
        }

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.shop.__exit__()

    def stocked(self, sku, quantity):
        self.client.call("catalog.put", sku, {"title": sku, "price": gbp(150)})
        self.client.call("inventory.receive", sku, {"quantity": quantity})

    def start(self, language, order, *lines):
        return subprocess.Popen([*self.languages[language], self.shop.endpoint, order, *lines],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def test_each_language_places_an_order(self):
        self.stocked("tea", 100)
        for language in self.languages:
            process = self.start(language, f"order-{language}", "tea:2")
            out, err = process.communicate(timeout=60 * SLOW)
            self.assertEqual(process.returncode, 0, err)
            reply = json.loads(out)
            self.assertEqual((reply["status"], reply["body"]["total"]), ("ok", gbp(300)))

    def test_the_installed_c_library_places_an_order(self):
        """cmake --install, pkg-config, cc: as a service would."""
        prefix = BUILD / "installed"
        subprocess.run(["cmake", "--install", str(BUILD), "--prefix", str(prefix)], check=True, stdout=subprocess.DEVNULL)
        self.assertTrue((prefix / "include/souk.h").exists())
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "souk", "msgpack"], check=True, capture_output=True, text=True,
                               env={**os.environ, "PKG_CONFIG_PATH": str(next(prefix.rglob("souk.pc")).parent)}).stdout.split()
        sanitize = ["-fsanitize=address,undefined"] if "asan" in str(BUILD) else []
        subprocess.run(["gcc", "-o", str(prefix / "order"), str(ROOT / "examples/clients/c/order.c"), *flags, *sanitize], check=True)
        self.stocked("mug", 5)
        done = subprocess.run([str(prefix / "order"), self.shop.endpoint, "order-c"], capture_output=True, text=True, timeout=60 * SLOW)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.client.call("order.get", "order-c")["status"], "confirmed")

    def test_buyers_in_several_languages_buy_exactly_what_is_there(self):
        def buy(language, number):
            buyer = self.start(language, f"scarce-{language}-{number}", "scarce:1")
            buyer.communicate(timeout=90 * SLOW)
            return buyer.returncode

        self.stocked("scarce", 200)
        with concurrent.futures.ThreadPoolExecutor(16) as crowd:
            bought = [crowd.submit(buy, language, number) for number in range(110) for language in self.languages]
            codes = [each.result() for each in bought]
        self.assertEqual(codes.count(0), 200, codes)
        self.shop.settle(self.client)
        stock = self.client.call("inventory.get", "scarce")
        self.assertEqual((stock["on_hand"], stock["reserved"], stock["committed_orders"]), (0, 0, 200))


if __name__ == "__main__":
    unittest.main()
