"""A node as its operator meets it: what it says when logs grow, and how it divides memory after reshapes."""
import contextlib
import os
import pathlib
import re
import subprocess
import time
import unittest

from tests.e2e.shop import SLOW, SOUK, NotStarted, Shop, gbp, souk


class Operations(unittest.TestCase):
    def wait_for(self, shop, words):
        end = time.monotonic() + 20 * SLOW
        while words not in shop.log_text() and time.monotonic() < end:
            time.sleep(0.05)
        self.assertIn(words, shop.log_text())

    def test_a_log_beyond_log_max_gb_is_told_and_nothing_is_pruned(self):
        with Shop(store="log_max_gb = 1") as shop:
            shop.stop()
            self.assertNotIn("log_max_gb", shop.log_text())
            filler = shop.data / "order-0" / "filler"  # stands for a log of years
            with open(filler, "wb") as file:
                os.posix_fallocate(file.fileno(), 0, 2**30)
            shop.start()
            self.wait_for(shop, "takes 1 GiB, store.log_max_gb is 1: logs are kept whole and nothing is pruned")
            shop.stop()
            self.assertEqual(filler.stat().st_size, 2**30)
            filler.unlink()

    def contents(self, directory):
        return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}

    def stranger(self):
        """Options that make a command another user's, if we may and that one finds the program."""
        nobody = dict(user=65534, group=65534, extra_groups=[])
        try:
            souk("--version", check=0, cwd="/", **nobody)
        except PermissionError:
            return {}
        return nobody

    def test_tools_only_read(self):
        """Neither a right to write is needed, nor is a byte of what they look at changed."""
        with Shop() as shop, contextlib.closing(shop.client()) as client:
            client.call("inventory.receive", "tea", {"quantity": 5})
            client.call("order.place", "o", {"user_id": "u", "payment_method": "pm_card_visa", "wait_ms": 20000,
                                             "lines": [{"sku": "tea", "quantity": 1, "unit_price": gbp(100)}]})
            shop.kill()
            shop.directory.chmod(0o755)
            before = self.contents(shop.data)
            stranger = self.stranger()
            for command in (("audit",), ("log",), ("log", "--key", "o"), ("orders",), ("replay",), ("topology", "check")):
                souk(*command, "-d", shop.data, check=0, cwd="/", **stranger)
                self.assertEqual(self.contents(shop.data), before, command)
            shop.start()

    def test_a_node_does_not_start_where_a_tool_reads(self):
        with Shop() as shop, contextlib.closing(shop.client()) as client:
            for i in range(2000):
                client.send("inventory.receive", f"sku-{i}", {"quantity": 1})
            for _ in range(2000):
                client.receive()
            shop.kill()
            with subprocess.Popen([SOUK, "log", "-d", str(shop.data), "--json"], stdout=subprocess.PIPE) as tool:
                self.assertTrue(tool.stdout.readline()) # the rest does not fit in the pipe: it waits for its reader
                self.assertTrue(shop.audit()["clean"], "others may read, too")
                with self.assertRaisesRegex(NotStarted, "a node or a tool has this shop open"):
                    shop.start()
                tool.stdout.read()
            shop.start()

    def buffers_of(self, shop, actor):
        """Bytes of write buffers that a database was opened with, as RocksDB notes it."""
        newest = max((shop.data / actor).glob("OPTIONS-*"), key=lambda path: path.name)
        return int(re.search(r"^\s*db_write_buffer_size=(\d+)$", newest.read_text(), re.M)[1])

    def test_retired_actors_take_little_memory_from_those_that_serve(self):
        mib = 2**20
        with Shop() as shop:
            shop.kill()
            for count in (6, 1):
                shop.reshape(cart=count)
                file = shop.directory / "topology.toml"
                file.write_text(file.read_text().replace("memory_mb = 128", "memory_mb = 832"))
                shop.start()
                least = 6 * mib * (1 + 6 - count)  # of meta and of those that are retired
                share = (832 * mib - least) // (7 + count)  # two of inventory and order, one of each other
                database = share - share // 8
                self.assertEqual(self.buffers_of(shop, "cart-0"), database // 2)
                self.assertEqual(self.buffers_of(shop, "order-1"), database // 2)
                self.assertNotIn("too little", shop.log_text())
                shop.kill()
            for retired in range(1, 6):
                self.assertEqual(self.buffers_of(shop, f"cart-{retired}"), 4 * mib, "the least there is")

    def test_many_actors_take_little_memory_and_too_little_is_told(self):
        many = dict(catalog=16, inventory=16, cart=16, order=16, payment=16, sandbox=16)
        with Shop(**many) as shop:
            words = "store.memory_mb is 128: too little for so many actors, whose caches and buffers may take 597 MiB"
            self.wait_for(shop, words)
            self.assertIn(words, souk("topology", "check", "-t", shop.directory / "topology.toml", check=0).stdout)
            status = pathlib.Path(f"/proc/{shop.process.pid}/status").read_text()
            if "asan" not in SOUK:
                self.assertLess(int(re.search(r"VmRSS:\s*(\d+) kB", status)[1]), 300 * 1024)
            with contextlib.closing(shop.client()) as client:
                client.call("inventory.receive", "tea", {"quantity": 1})
            self.assertEqual(shop.stop(), 0)


if __name__ == "__main__":
    unittest.main()
