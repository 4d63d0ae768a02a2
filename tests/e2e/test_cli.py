"""The client commands of the program, against a node: call, send, status, bench."""
import json
import pathlib
import re
import subprocess
import threading
import time
import unittest

from tests.e2e.shop import SLOW, SOUK, Shop, gbp, souk


def command(id, type, key, body=None, **more):
    return json.dumps({"id": id, "type": type, "key": key, "body": body or {}, **more}) + "\n"


def receive(id, key, quantity=1):
    return command(id, "inventory.receive", key, {"quantity": quantity})


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def order(id, sku, **more):
    return command(id, "order.place", id, {"user_id": "u", "payment_method": "pm_card_visa", "lines": [
        {"sku": sku, "quantity": 1, "unit_price": gbp(100)}], **more})


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = Shop()
        cls.shop.start()

    @classmethod
    def tearDownClass(cls):
        cls.shop.__exit__()

    def call(self, *arguments, check=0):
        done = souk("call", *arguments, "-e", self.shop.endpoint, check=check)
        return json.loads(done.stdout) if done.stdout else done.stderr

    def send(self, text, *options, check=0):
        """(summary, replies, what it said)"""
        replies = self.shop.directory / "replies"
        done = souk("send", "-", "-e", self.shop.endpoint, "--replies", replies, *options, check=check, input=text)
        return json.loads(done.stdout), read_lines(replies), done.stderr

    def bench(self, *arguments, check=0):
        done = souk("bench", *arguments, "-e", self.shop.endpoint, "--seconds", 1, "--json", "--sync-dir",
                    self.shop.directory, check=check)
        return json.loads(done.stdout)

    # ---- call

    def test_fields_are_read_by_the_schema(self):
        self.call("catalog.put", "F", "title=84077", "price=12.99GBP", "active=false", 'attributes={"a":"b"}')
        body = self.call("catalog.get", "F")["body"]
        self.assertEqual((body["title"], body["price"], body["active"], body["attributes"]),
                         ("84077", gbp(1299), False, {"a": "b"}))

    def test_a_body_may_be_json_and_an_id_makes_it_the_same_request(self):
        for _ in range(2):
            reply = self.call("inventory.receive", "J", '{"quantity":3}', "--id", "call-json-1")
            self.assertEqual(reply, {"id": "call-json-1", "status": "ok",
                                     "body": {"on_hand": 3, "available": 3, "version": 1}})

    def test_the_nodes_refusals_are_seen(self):
        for arguments, status, field in ((("inventory.receive", "R", "quantity=0"), "invalid", "quantity"),
                                         (("inventory.receive", "R", '{"nope":1}'), "invalid", "nope"),
                                         (("cart.claim", "R", "order_id=o"), "forbidden", "type"),
                                         (("order.get", "nobody"), "not_found", None)):
            reply = self.call(*arguments, check=1)
            self.assertEqual((reply["status"], reply["body"].get("field")), (status, field))
            self.assertTrue(reply["body"]["message"])

    def test_wrong_use_is_told(self):
        for arguments, words in (((), "TYPE"), (("inventory.get",), "KEY"), (("inventory.nope", "k"), "inventory.nope"),
                                 (("inventory.receive", "k", "quantity=x"), "quantity"),
                                 (("inventory.receive", "k", "amount=1"), "no field amount"),
                                 (("inventory.receive", "k", "quantity"), "FIELD=VALUE"),
                                 (("inventory.receive", "k", "{"), "JSON"),
                                 (("inventory.receive", "k", "--nope"), "nope"),
                                 (("inventory.receive", "k", "--timeout", "0"), "--timeout")):
            self.assertIn(words, self.call(*arguments, check=2))
        souk("call", "inventory.get", "k", "-e", "nonsense", check=2)

    def test_no_answer_is_3(self):
        began = time.monotonic()
        souk("call", "inventory.get", "k", "-e", "tcp://127.0.0.1:1", "--timeout", 200, check=3)
        souk("status", "-e", "tcp://127.0.0.1:1", check=3)
        self.assertLess(time.monotonic() - began, 10 * SLOW)

    # ---- status, help

    def test_status_for_people_and_machines(self):
        view = json.loads(souk("status", "-e", self.shop.endpoint, "--json", check=0).stdout)
        self.assertEqual({"build", "epoch", "open_orders", "actors", "dropped"} - set(view), set())
        table = souk("status", "-e", self.shop.endpoint, check=0).stdout
        for actor in view["actors"]:
            self.assertIn(actor["name"], table)

    def test_every_command_helps(self):
        for name in ("call", "send", "status", "messages", "bench"):
            text = souk(name, "--help", check=0).stdout
            for words in (f"usage: souk {name}", "--help", "Exit codes", "Example"):
                self.assertIn(words, text, name)
            souk(name, "--no-such-option", check=2)

    def test_a_reader_that_leaves_is_no_crash(self):
        done = subprocess.run(f"'{SOUK}' messages --json | head -c 10", shell=True, capture_output=True)
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    # ---- send

    def test_one_after_another_keeps_the_files_order(self):
        text = "".join(receive(f"order-{i:02}-0000000", "one") for i in range(30))
        summary, replies, _ = self.send(text)
        self.assertEqual([reply["id"] for reply in replies], [f"order-{i:02}-0000000" for i in range(30)])
        self.assertEqual([reply["body"]["on_hand"] for reply in replies], list(range(1, 31)))
        self.assertEqual(summary["counts"], {"ok": 30})
        self.assertEqual(set(replies[0]), {"id", "key", "status", "body"})
        self.assertTrue(0 < summary["p50_ms"] <= summary["p99_ms"] <= summary["max_ms"])

    def test_many_at_once_in_bundles_and_at_a_rate(self):
        for name, options in (("w", ("--window", 64)), ("b", ("--window", 256, "--bundle", 16)),
                              ("r", ("--window", 64, "--rate", 2000))):
            text = "".join(receive(f"{name}-{i}-0000000000", f"{name}{i % 7}") for i in range(1000))
            summary, replies, _ = self.send(text, *options)
            self.assertEqual((summary["counts"], len(replies)), ({"ok": 1000}, 1000))
            self.assertEqual(self.call("inventory.get", f"{name}0")["body"]["received"], 143)
        self.assertGreater(summary["seconds"], 0.49)

    def test_a_bad_line_is_named_and_what_came_before_is_awaited(self):
        for bad, words in (("nonsense\n", "column"), ('{"id":"x"}\n', "missing"),
                           (command("x", "order.nope", "k"), "order.nope"), (command("", "order.get", "k"), "id must"),
                           (command("x", "order.get", "k", meta={"no": 1}), "meta"),
                           (command("x", "order.get", "k", at=1), "no field at")):
            summary, replies, said = self.send(receive("bad-1", "bad") + "\n" + bad + receive("bad-2", "bad"),
                                               "--window", 8, check=2)
            self.assertEqual([reply["id"] for reply in replies], ["bad-1"])
            self.assertIn("line 3", said)
            self.assertIn(words, said)
        self.assertEqual(self.call("inventory.get", "bad")["body"]["received"], 1)

    def test_lines_with_one_id_go_one_after_the_other(self):
        summary, replies, _ = self.send(receive("same", "S") * 5 + receive("same", "S", 2) + receive("other", "S"),
                                        "--window", 64)
        self.assertEqual(summary["counts"], {"ok": 6, "request_mismatch": 1})
        self.assertEqual(self.call("inventory.get", "S")["body"]["received"], 2)

    def test_a_prefix_makes_a_load_of_a_log(self):
        text = receive("pre-1", "P", 10) + command("pre-2", "cart.add", "c", {"sku": "P", "quantity": 2, "price": gbp(7)}) + \
            command("pre-3", "order.place", "o", {"user_id": "u", "payment_method": "pm_card_visa", "cart_id": "c",
                                                  "expected_total": gbp(14)}, meta={"retry_until": 5}) + \
            command("pre-4", "inventory.reserve", "P", {"reservation_id": "r", "quantity": 1})
        self.send(command("put", "catalog.put", "x-P", {"title": "t", "price": gbp(7)}))
        _, replies, _ = self.send(text, "--prefix", "x-")
        self.assertEqual([reply["status"] for reply in replies], ["ok"] * 4, replies)
        self.assertEqual([(reply["id"], reply["key"]) for reply in replies],
                         [("x-pre-1", "x-P"), ("x-pre-2", "x-c"), ("x-pre-3", "x-o"), ("x-pre-4", "x-P")])
        self.assertEqual(self.call("inventory.holds", "x-P")["body"]["holds"][0]["reservation_id"], "x-r")

    def test_a_slow_pipe_is_sent_as_it_comes(self):
        process = subprocess.Popen([SOUK, "send", "-", "-e", self.shop.endpoint, "--window", "8"], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write(receive("slow-1", "slow"))
        process.stdin.flush()
        time.sleep(0.5 * SLOW)
        self.assertEqual(self.call("inventory.get", "slow")["body"]["received"], 1)
        out, _ = process.communicate(receive("slow-2", "slow").rstrip("\n"))
        self.assertEqual((process.returncode, json.loads(out)["counts"]), (0, {"ok": 2}))

    def test_giving_up_is_3_and_an_unreadable_file_is_2(self):
        done = souk("send", "-", "-e", "tcp://127.0.0.1:1", "--timeout", 1, "--window", 4, check=3,
                    input="".join(receive(f"g{i}", "g") for i in range(9)))
        self.assertEqual((json.loads(done.stdout)["counts"], json.loads(done.stdout)["unanswered"]), ({}, 4))
        self.assertIn("line 1", done.stderr)
        souk("send", self.shop.directory / "nothing", check=2)
        souk("send", check=2)
        souk("send", "-", "--bundle", 9, "--window", 8, check=2, input="")

    def test_replies_that_cannot_be_written_are_told(self):
        text = "".join(receive(f"full-{i}", "full") for i in range(3000))
        done = souk("send", "-", "-e", self.shop.endpoint, "--window", 64, "--replies", "/dev/full", check=70, input=text)
        self.assertIn("/dev/full", done.stderr)

    def test_memory_does_not_grow_with_the_file(self):
        def peak(count):
            path, most = self.shop.directory / "long.ndjson", 0
            path.write_text("".join(command(f"m-{i}", "inventory.get", "m") for i in range(count)))
            process = subprocess.Popen([SOUK, "send", str(path), "-e", self.shop.endpoint, "--window", "64"],
                                       stdout=subprocess.DEVNULL)
            while process.poll() is None:
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                most = max([most, *(int(kib) for kib in re.findall(r"VmHWM:\s+(\d+) kB", status))])
                time.sleep(0.01)
            self.assertEqual(process.returncode, 0)
            return most
        if SLOW == 1:  # sanitizers keep what was freed
            short, long = peak(20000), peak(200000)
            self.assertLess(long, short + 2048, "KiB")

    # ---- bench

    def test_bench_measures_and_prints_the_disks_own_figure_beside(self):
        for arguments in (("reserve", "--window", 64), ("reserve", "--bundle", 16, "--skus", 10, "--clients", 3),
                          ("reserve", "--rate", 500), ("checkout", "--lines", 3, "--skus", 5),
                          ("checkout", "--bundle", 4, "--rate", 100)):
            figures = self.bench(*arguments)
            self.assertGreater(figures["per_second"], 0)
            self.assertEqual(set(figures["counts"]), {"ok"})
            self.assertEqual(figures["unanswered"], 0)
            self.assertTrue(0 < figures["p50_ms"] <= figures["p99_ms"] <= figures["max_ms"], figures)
            self.assertTrue(0 < figures["sync_p50_ms"] <= figures["sync_p99_ms"], figures)
            self.assertTrue(0 <= figures["stolen_percent"] < 100, figures)
            self.assertGreaterEqual(figures["puts_per_command"], 1)
            if "--rate" in arguments:
                self.assertAlmostEqual(figures["commands"], arguments[-1], delta=arguments[-1] / 10)

    def test_bench_reserves_what_it_says(self):
        def decided():
            view = json.loads(souk("status", "-e", self.shop.endpoint, "--json", check=0).stdout)
            return sum(actor["messages"] for actor in view["actors"] if actor["name"].startswith("inventory/"))
        before = decided()
        figures = self.bench("reserve", "--skus", 1, "--window", 32)
        self.assertEqual(decided() - before, figures["commands"] + 1)

    def test_bench_says_what_is_wrong(self):
        souk("bench", check=2)
        souk("bench", "nothing", check=2)
        souk("bench", "reserve", "--lines", 3, check=2)
        souk("bench", "checkout", "--lines", 2000, "--bundle", 64, "-e", self.shop.endpoint, check=2)
        souk("bench", "reserve", "-e", "nonsense", check=2)
        self.assertIn("--sync-dir", souk("bench", "reserve", "-e", self.shop.endpoint, "--sync-dir", "/nonexistent",
                                         check=70).stderr)


class Restarts(unittest.TestCase):
    """What is on its way when the node goes is answered by the next one."""

    def run_over_a_kill(self, text, count, *options, away=0.5):
        with Shop() as shop:
            souk("call", "inventory.receive", "K", "quantity=100000", "-e", shop.endpoint, check=0)
            path, replies = shop.directory / "orders.ndjson", shop.directory / "replies"
            path.write_text(text)
            process = subprocess.Popen([SOUK, "send", str(path), "-e", shop.endpoint, "--replies", str(replies), *options],
                                       stdout=subprocess.PIPE, text=True)
            while not replies.exists() or len(replies.read_bytes().splitlines()) < count // 4:
                time.sleep(0.005)
            shop.kill()
            time.sleep(away)
            shop.start()
            out, _ = process.communicate(timeout=50 * SLOW)
            summary = json.loads(out)
            self.assertEqual((process.returncode, summary["counts"]), (0, {"ok": count}))
            self.assertEqual(len({reply["id"] for reply in read_lines(replies)}), count)
            stock = json.loads(souk("call", "inventory.get", "K", "-e", shop.endpoint, check=0).stdout)["body"]
            self.assertEqual(stock["committed"] + stock["reserved"], count)
            return summary

    def test_orders_that_may_wait_a_minute_are_not_waited_for_after_a_kill(self):
        text = "".join(order(f"wait-{i}-00000000", "K", wait_ms=60000) for i in range(4000))
        self.assertGreater(self.run_over_a_kill(text, 4000, "--window", "64")["resent"], 0)

    def test_a_node_that_is_away_for_long_is_found_again(self):
        text = "".join(order(f"long-{i}-00000000", "K") for i in range(2000))
        self.run_over_a_kill(text, 2000, "--window", "256", "--bundle", "16", away=5)

    def test_a_node_that_comes_late_is_waited_for(self):
        with Shop() as shop:
            shop.kill()
            later = threading.Timer(2, shop.start)
            later.start()
            done = souk("send", "-", "-e", shop.endpoint, check=0, input=receive("late", "L"))
            later.join()
            self.assertEqual(json.loads(done.stdout)["counts"], {"ok": 1})


class Busy(unittest.TestCase):
    def test_busy_is_sent_again_until_it_is_not(self):
        with Shop(broker="commands_in_flight_max = 1024") as shop:
            text = "".join(receive(f"busy-{i}-00000000", f"B{i % 50}") for i in range(30000))
            done = souk("send", "-", "-e", shop.endpoint, "--window", 20000, check=0, input=text)
            self.assertEqual(json.loads(done.stdout)["counts"], {"ok": 30000})
            stock = sum(json.loads(souk("call", "inventory.get", f"B{i}", "-e", shop.endpoint, check=0).stdout)
                        ["body"]["received"] for i in range(50))
            self.assertEqual(stock, 30000)
            figures = json.loads(souk("bench", "reserve", "--window", 20000, "--seconds", 1, "--json", "-e", shop.endpoint,
                                      "--sync-dir", shop.directory, check=0).stdout)
            self.assertEqual(figures["unanswered"], 0)
            self.assertGreater(figures["resent"], 0)


if __name__ == "__main__":
    unittest.main()
