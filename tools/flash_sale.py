#!/usr/bin/env python3
"""The show behind tools/demo: a flash sale on one SKU beside ordinary trade, and a kill -9 in the middle.

usage: tools/flash_sale.py [--souk PATH] [--buyers N] [--units N] [--others N] [--keep]
"""
import argparse
import json
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOT = "HEADPHONES-BLACK"


def money(pence):
    return {"amount": pence, "currency": "GBP"}


def catalog(skus):
    for sku, title, price, units in skus:
        yield {"id": f"put-{sku}", "type": "catalog.put", "key": sku, "body": {"title": title, "price": money(price)}}
        yield {"id": f"receive-{sku}", "type": "inventory.receive", "key": sku, "body": {"quantity": units}}


def orders(skus, buyers, others):
    rng = random.Random(7)
    hot, rest = skus[0], skus[1:]
    plan = [True] * buyers + [False] * others
    rng.shuffle(plan)
    for number, on_sale in enumerate(plan):
        picked = [hot] if on_sale else rng.sample(rest, rng.randint(1, 4))
        declined = not on_sale and rng.random() < 0.08
        yield {"id": f"place-{number}", "type": "order.place", "key": f"order-{number:05d}", "body": {
            "user_id": f"shopper-{rng.randrange(4000)}", "wait_ms": 60000,
            "payment_method": "pm_card_chargeDeclined" if declined else "pm_card_visa",
            "lines": [{"sku": sku, "quantity": 1, "unit_price": money(price)} for sku, _, price, _ in picked]}}


def write(path, commands):
    with open(path, "w") as out:
        for command in commands:
            out.write(json.dumps(command) + "\n")


class Show:
    def __init__(self, arguments):
        self.souk = str(pathlib.Path(arguments.souk).resolve())
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="souk-demo-"))
        self.endpoint = None
        self.node = None

    def start(self):
        """The repo's topology.toml, on a free port."""
        text = (ROOT / "topology.toml").read_text()
        listen = self.endpoint or "tcp://127.0.0.1:*"
        lines = [f'listen = ["{listen}"]' if line.startswith("listen") else 'events = "tcp://127.0.0.1:*"' if line.startswith("events")
                 else line for line in text.splitlines()]
        (self.directory / "topology.toml").write_text("\n".join(lines) + "\n")
        began = time.monotonic()
        self.node = subprocess.Popen([self.souk, "serve", "-t", str(self.directory / "topology.toml"), "-d", str(self.directory / "data")],
                                     stdout=subprocess.PIPE, stderr=open(self.directory / "node.log", "ab"), text=True)
        line = self.node.stdout.readline()
        if not line.startswith("ready"):
            sys.exit(f"the node did not start; see {self.directory}/node.log")
        self.endpoint = line.split()[1]
        return time.monotonic() - began

    def send(self, name, *options):
        return subprocess.Popen([self.souk, "send", str(self.directory / f"{name}.ndjson"), "-e", self.endpoint,
                                 "--replies", str(self.directory / f"{name}.replies"), *options], stdout=subprocess.PIPE, text=True)

    def call(self, type, key):
        done = subprocess.run([self.souk, "call", type, key, "-e", self.endpoint], capture_output=True, text=True)
        return json.loads(done.stdout)["body"]

    def tool(self, name):
        done = subprocess.run([self.souk, name, "-d", str(self.directory / "data"), "--json"], capture_output=True, text=True)
        return json.loads(done.stdout)

    def replies(self, name):
        path = self.directory / f"{name}.replies"
        with open(path) as lines:
            for line in lines:
                yield json.loads(line)


def count_lines(path):
    try:
        with open(path, "rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 16), b""))
    except FileNotFoundError:
        return 0


def run_sale(show, total):
    """Returns the send's summary and how long the second start took."""
    sale = show.send("sale", "--window", "256")
    while count_lines(show.directory / "sale.replies") < total // 2:
        if sale.poll() is not None:
            sys.exit("the sale ended before the kill")
        time.sleep(0.01)
    show.node.send_signal(signal.SIGKILL)
    show.node.wait()
    print("\r\033[K  kill -9 in the middle of the sale …", flush=True)
    again = show.start()
    print(f"  … and serving again {again:.2f} s after the start; the buyers just go on", flush=True)
    return json.loads(sale.communicate()[0]), again


def settle(show):
    for _ in range(3000):
        if show.call("souk.status", "shop")["open_orders"] == 0:
            return
        time.sleep(0.02)
    sys.exit("orders are still open after a minute")


def report(show, arguments, summary):
    stock = show.call("inventory.get", HOT)
    hot = sum(1 for reply in show.replies("sale") if reply["status"] == "ok" and reply["body"]["lines"][0]["sku"] == HOT)
    confirmed = sum(1 for reply in show.replies("sale") if reply["status"] == "ok")
    show.node.send_signal(signal.SIGTERM)
    show.node.wait()
    print("  auditing and replaying what happened …", flush=True)
    audit, replay = show.tool("audit"), show.tool("replay")
    twice = sum(1 for v in audit["violations"] if v["invariant"] == "I4")
    placed = sum(summary["counts"].values())
    rows = [
        ("buyers of the hot SKU", f"{arguments.buyers:,}, units {arguments.units:,}"),
        ("sold", f"{stock['committed_orders']:,} (answered ok: {hot:,})"),
        ("oversold", max(0, stock["committed_orders"] - stock["received"])),
        ("charged twice", twice),
        ("orders placed", f"{placed:,}, confirmed {confirmed:,}: " + ", ".join(f"{k} {v:,}" for k, v in summary["counts"].items())),
        ("orders per second", f"{placed / summary['seconds']:,.0f} (the kill and the restart included)"),
        ("latency p50 / p99", f"{summary['p50_ms']:.1f} / {summary['p99_ms']:.1f} ms (window 256)"),
        ("souk audit", "clean" if audit["clean"] else f"VIOLATIONS {audit['violations']}"),
        ("both books", f"payment {audit['captured']['payment']}, sandbox {audit['captured']['sandbox']}"),
        ("souk replay", f"equal, {replay['turns']:,} turns, {replay['messages']:,} messages" if replay["equal"] else f"DIFFERS: {replay['first_difference']}"),
    ]
    print()
    for name, value in rows:
        print(f"  {name:<22} {value}")
    return (stock["committed_orders"] == arguments.units == hot and stock["reserved"] == 0 and twice == 0 and audit["clean"]
            and audit["captured"]["payment"] == audit["captured"]["sandbox"] and replay["equal"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--souk", default=str(ROOT / "build/release/souk"))
    parser.add_argument("--buyers", type=int, default=5000)
    parser.add_argument("--units", type=int, default=1000)
    parser.add_argument("--others", type=int, default=15000)
    parser.add_argument("--keep", action="store_true", help="leave the shop's directory for a look")
    arguments = parser.parse_args()
    show = Show(arguments)
    rng = random.Random(1)
    skus = [(HOT, "Headphones, black", 4999, arguments.units)]
    skus += [(f"SKU-{i:03d}", f"Article {i}", rng.randint(99, 9999), 100000) for i in range(200)]
    try:
        print(f"A shop in {show.directory}: a node with the repo's topology.toml …")
        show.start()
        write(show.directory / "catalog.ndjson", catalog(skus))
        write(show.directory / "sale.ndjson", orders(skus, arguments.buyers, arguments.others))
        show.send("catalog").communicate()
        print(f"  {len(skus)} SKUs in catalog and stock; {arguments.buyers:,} buyers want {arguments.units:,} units of {HOT},"
              f" {arguments.others:,} other orders run beside them")
        summary, _ = run_sale(show, arguments.buyers + arguments.others)
        settle(show)
        good = report(show, arguments, summary)
    finally:
        if show.node and show.node.poll() is None:
            show.node.kill()
            show.node.wait()
        if not arguments.keep:
            shutil.rmtree(show.directory, ignore_errors=True)
    print("\n  " + ("Everything held." if good else "SOMETHING IS WRONG: see above."))
    print("""
Try next:
  build/release/souk serve                                   a node in ./data on tcp://127.0.0.1:5555
  build/release/souk call inventory.receive TEA quantity=10  one command, JSON reply
  build/release/souk messages                                everything one can say
  tools/demo --keep                                          then: souk log, souk orders, souk audit -d DIR
  examples/online-retail/run                                 a real shop's year""")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
