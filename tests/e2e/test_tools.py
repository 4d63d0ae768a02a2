"""The commands that work on a node's directory and files: log, replay, audit, orders, topology; and every --help."""
import contextlib
import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

from tests.e2e.shop import ROOT, SLOW, SOUK, NotStarted, Shop, gbp, souk


class Tools(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = Shop()
        cls.shop.start()
        cls.work = pathlib.Path(tempfile.mkdtemp(dir=cls.shop.directory))

    @classmethod
    def tearDownClass(cls):
        cls.shop.__exit__()

    def test_every_command_has_help(self):
        for command in ("serve", "call", "send", "status", "orders", "messages", "log", "replay", "audit", "topology", "bench"):
            text = souk(command, "--help", check=0).stdout
            self.assertIn("usage", text.lower(), command)
            self.assertIn("xample", text, command)
            self.assertTrue(souk(command, "--no-such-option", check=2).stderr.startswith(f"souk {command}: "), command)
        self.assertRegex(souk("--version", check=0).stdout, r"^souk \d")
        souk("no-such-command", check=2)

    def test_each_build_names_the_commit_that_it_is_made_of(self):
        build = pathlib.Path(os.environ.get("SOUK_BUILD_DIR", pathlib.Path(SOUK).parent))
        commit = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--tags"],
                                capture_output=True, text=True).stdout.strip() or "unknown"
        header = build / "generated/souk_build.h"
        header.write_text("of an earlier build\n")
        written = []
        for _ in range(2):
            subprocess.run(["cmake", "--build", str(build), "--target", "souk_build"], check=True, capture_output=True)
            self.assertIn(f'"{commit}"', header.read_text())
            written.append(header.stat().st_mtime_ns)
        self.assertEqual(written[0], written[1], "nothing is compiled again for the same commit")

    def test_a_running_node_is_refused_unless_snapshot(self):
        client = self.shop.client()
        client.call("inventory.receive", "snap", {"quantity": 3})
        for command in ("log", "replay", "audit"):
            self.assertIn("--snapshot", souk(command, "-d", self.shop.data, check=2).stderr, command)
            self.assertTrue(souk(command, "-d", self.shop.data, "--snapshot", "--json", check=0).stdout)
        self.assertEqual(list((self.shop.data / "snapshots").glob("*")), [], "checkpoints are removed")
        client.close()

    def test_what_a_killed_tool_left_is_swept_at_the_next_start(self):
        with Shop() as shop:
            left, read = shop.data / "snapshots" / "audit-killed", shop.data / "snapshots" / "log-reading"
            for directory in (left, read):
                (directory / "meta").mkdir(parents=True)
            held = os.open(read, os.O_RDONLY)
            fcntl.flock(held, fcntl.LOCK_SH)
            shop.kill()
            shop.start()
            self.assertEqual((left.exists(), read.exists()), (False, True))
            self.assertIn("removed 1 snapshots that tools had left", shop.log_text())
            os.close(held)
            shop.kill()
            shop.start()
            self.assertFalse(read.exists())

    def test_a_start_that_is_refused_sweeps_nothing(self):
        with Shop() as shop:
            database, earlier = shop.data / "inventory-0", shop.directory / "earlier"
            self.assertEqual(shop.stop(), 0)
            shutil.copytree(database, earlier)
            shop.start()
            self.assertEqual(shop.stop(), 0)
            shutil.rmtree(database)
            shutil.copytree(earlier, database)
            left = shop.data / "snapshots" / "audit-killed" / "meta"
            left.mkdir(parents=True)
            with self.assertRaises(NotStarted):
                shop.start()
            self.assertTrue(left.exists())

    def test_a_tool_holds_the_snapshot_that_it_reads(self):
        with Shop() as shop:
            with contextlib.closing(shop.client()) as client:
                for i in range(2000):
                    client.send("inventory.receive", f"held-{i}", {"quantity": 1})
                for _ in range(2000):
                    client.receive()
            tool = subprocess.Popen([SOUK, "log", "-d", str(shop.data), "--snapshot", "--json"], stdout=subprocess.PIPE)
            self.assertTrue(tool.stdout.readline()) # the rest does not fit in the pipe: it waits for its reader
            shop.kill()
            shop.start()
            self.assertNotIn("snapshots that tools had left", shop.log_text())
            for line in tool.stdout:
                json.loads(line)
            tool.stdout.close()
            self.assertEqual(tool.wait(60), 0)
            self.assertEqual(list((shop.data / "snapshots").glob("*")), [])

    def test_a_snapshot_under_load_is_a_consistent_cut(self):
        """All actors pause at once, so nobody's effect is there without its cause."""
        client = self.shop.client()
        client.call("inventory.receive", "busy", {"quantity": 5000})
        body = {"user_id": "u", "payment_method": "pm_card_visa", "wait_ms": 60000,
                "lines": [{"sku": "busy", "quantity": 1, "unit_price": gbp(100)}]}
        for i in range(3000):
            client.send("order.place", f"busy-{i}", body)
        for _ in range(3):
            report = json.loads(souk("audit", "-d", self.shop.data, "--snapshot", "--json", check=0).stdout)
            self.assertTrue(report["clean"], report)
        for _ in range(3000):
            self.assertEqual(client.receive(60)[1], "ok")
        client.close()

    def test_a_snapshot_that_fails_is_a_failure_at_once(self):
        with Shop() as shop:
            shutil.rmtree(shop.data / "snapshots", ignore_errors=True)
            (shop.data / "snapshots").touch()
            began = time.monotonic()
            for command in (("audit",), ("log",), ("replay",), ("orders", "--open")):
                said = souk(*command, "-d", shop.data, "--snapshot", check=70).stderr
                self.assertIn("snapshot_failed", said)
                self.assertIn("snapshots", said)
            self.assertLess(time.monotonic() - began, 15 * SLOW, "nothing is asked again")
            with contextlib.closing(shop.client()) as client:
                client.call("inventory.receive", "tea", {"quantity": 1})

    def test_a_node_ends_although_snapshots_are_asked_for(self):
        with Shop() as shop:
            for _ in range(2):
                asking = [subprocess.Popen([SOUK, "orders", "--open", "--snapshot", "-d", str(shop.data)],
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(3)]
                time.sleep(0.05)
                self.assertEqual(shop.stop(), 0)
                for one in asking:
                    one.wait()
                shop.start()

    def test_a_directory_that_a_tool_writes_to_gives_no_snapshot(self):
        with Shop() as shop:
            shop.kill()  # its socket is left behind
            with open(shop.data / "meta" / "LOCK", "r+b") as lock:
                fcntl.lockf(lock, fcntl.LOCK_EX)
                self.assertIn("no node listens there", souk("audit", "-d", shop.data, "--snapshot", check=2).stderr)

    def test_log_export_replay_and_send_again(self):
        with Shop() as shop:
            client = shop.client()
            client.call("inventory.receive", "sku", {"quantity": 9})
            client.call("order.place", "o1", {"user_id": "u", "payment_method": "pm_card_visa",
                                              "lines": [{"sku": "sku", "quantity": 2, "unit_price": gbp(250)}]})
            client.call("order.place", "o2", {"user_id": "u", "payment_method": "pm_sandbox_action_required",
                                              "lines": [{"sku": "sku", "quantity": 1, "unit_price": gbp(250)}]})
            client.close()
            shop.stop()
            text = souk("log", "-d", shop.data, "--key", "o1", check=0).stdout
            for word in ("order.place", "payment.charge", "payment_captured"):
                self.assertIn(word, text)
            rows = souk("log", "-d", shop.data, "--json", "--actor", "payment/0", "--from", "2", check=0).stdout.splitlines()
            self.assertTrue(all(json.loads(row)["actor"] == "payment/0" for row in rows) and rows)
            self.assertIn("o2", souk("orders", "--open", "-d", shop.data, check=0).stdout)
            file = self.work / "export.log"
            souk("log", "export", file, "-d", shop.data, check=0)
            self.assertTrue(json.loads(souk("replay", file, "--json", check=0).stdout)["equal"])
            self.assertTrue(json.loads(souk("replay", "-d", shop.data, "--into", self.work / "scratch", "--json", check=0).stdout)["equal"])
            commands = self.work / "again.ndjson"
            souk("log", "export", "--commands", commands, "-d", shop.data, check=0)
            done = souk("send", commands, "-e", self.shop.endpoint, "--prefix", "again-", check=0)
            self.assertEqual(json.loads(done.stdout)["counts"], {"ok": 3})

    def test_serve_says_what_is_wrong_with_its_places(self):
        path = self.work / "places.toml"
        path.write_text(f'[broker]\nlisten = ["ipc://{self.work}/no/such/place"]\n')
        self.assertIn("no/such/place", souk("serve", "-t", path, "-d", self.work / "new", check=2).stderr)
        path.write_text('[broker]\nlisten = ["tcp://127.0.0.1:*"]\nevents = ""\n')
        self.assertIn("--directory", souk("serve", "-t", path, "-d", "", check=2).stderr)
        for directory in (path, path / "below"):
            self.assertIn(f"{path}: a file is in the way", souk("serve", "-t", path, "-d", directory, check=70).stderr)

    def test_topology_mistakes_have_line_and_column(self):
        path = self.work / "bad.toml"
        for text, where in (("[broker]\nlisten = 5\n", ":2:"), ("[actors]\ninventory = 0\n", ":2:"),
                            ("[actors]\n\nwarehouses = 2\n", ":3:"), ("[nonsense]\n", ":1:"), ("[store\n", ":1:"),
                            ("[payment]\nprovider = \"nobody\"\n", ":2:")):
            path.write_text(text)
            for command in (("topology", "check", "-t", path), ("serve", "-t", path)):
                self.assertIn(where, souk(*command, check=2).stderr, (text, command))
        path.write_text("[store]\nsync = false\n")
        self.assertIn("--unsafe", souk("serve", "-t", path, check=2).stderr)
        for public in ('listen = ["tcp://0.0.0.0:5999"]', 'listen = ["tcp://127.0.0.1:*"]\nevents = "tcp://*:5999"'):
            path.write_text(f"[broker]\n{public}\n")
            self.assertIn("--insecure", souk("serve", "-t", path, check=2).stderr)
        souk("topology", "check", "-t", self.shop.directory / "topology.toml", check=0)


if __name__ == "__main__":
    unittest.main()
