"""Many clients at one node that is killed and started again, and what their histories say: see tools/histories."""
import collections
import json
import multiprocessing
import pathlib
import random
import time

from tests.e2e.shop import SLOW, Shop
from tests.histories import client as asking
from tests.histories.checker import OK, UNDECIDED, VIOLATION, Operation, check
from tests.histories.models import Cart, Stock, answer_of, model_of
from tests.histories.orders import Order, faults

NEVER = float("inf")


class Asked:
    """One operation as its client wrote it down; `outcome` None: unknown."""

    def __init__(self, at, id, type, key, body):
        self.began, self.ended, self.id, self.type, self.key, self.body = at, NEVER, id, type, key, body
        self.outcome, self.reply, self.copies = None, None, 0

    def end(self, at, event, status=None, body=None, copies=0):
        if event == "unknown":
            return
        self.ended, self.outcome, self.reply, self.copies = at, status, body, copies


def read_histories(paths):
    asked = {}
    for path in paths:
        for line in path.read_text().splitlines():
            row = json.loads(line)
            operation, at, event = row.pop("operation"), row.pop("at"), row.pop("event")
            if event == "invoke":
                asked[operation] = Asked(at, **row)
            else:
                asked[operation].end(at, event, **row)
    return list(asked.values())


# ---- SKUs and carts

def operations_of(asked):
    """What a checker decides. A copy of a refused request may still be under way, and may succeed: that is unknown."""
    ids = collections.Counter(one.id for one in asked)
    repeated = {id for id, count in ids.items() if count > 1} | {one.id for one in asked if one.copies}
    operations = []
    for one in asked:
        model = model_of(one.type, one.body, one.id, repeated)
        name = f"{one.type} {json.dumps(one.body)} ({one.id})"
        answer = None if one.outcome is None else answer_of(one.type, one.outcome, one.reply)
        operations.append(Operation(one.began, one.ended, model, answer, name))
        if answer is not None and answer[0] != "ok" and one.copies:
            operations.append(Operation(one.began, NEVER, model, None, name + ", a copy"))
    return operations


def check_objects(asked, seconds):
    """key -> (number of operations, verdict)."""
    by_key = collections.defaultdict(list)
    for one in asked:
        if one.key.startswith(("sku-", "cart-")):
            by_key[one.key].append(one)
    verdicts = {}
    for key, some in sorted(by_key.items()):
        initial = Stock() if key.startswith("sku-") else Cart()
        verdicts[key] = len(some), check(operations_of(some), initial, seconds)
    return verdicts


# ---- orders

def read_events(client, orders):
    """order id -> the names of its events."""
    events = collections.defaultdict(list)
    for actor in range(orders):
        after = None
        while True:
            page = client.call("events.read", f"order/{actor}", {"limit": 1000} | ({"after": after} if after else {}))
            for event in page["events"]:
                events[event["key"]].append(event["type"])
            if not page["events"] and page["next"] == after:
                break
            after = page["next"]
    return events


def ask_or_none(client, type, key):
    status, body = client.ask(type, key)
    return body if status == "ok" else None


def check_orders(asked, client, order_actors):
    """(number of orders, of them confirmed, faults)."""
    orders = {}
    for one in asked:
        if one.key.startswith("order-") and one.type in ("order.place", "order.cancel"):
            order = orders.setdefault(one.key, Order(one.key, asking.order_body(one.key)))
            order.cancelled |= one.type == "order.cancel"
            if one.type == "order.place" and one.outcome is not None:
                order.answers.append((one.outcome, one.reply))
    for order in orders.values():
        order.view = ask_or_none(client, "order.get", order.id)
        order.payment = ask_or_none(client, "payment.get", order.id)
    stock = {f"goods-{sku}": client.call("inventory.get", f"goods-{sku}") for sku in range(asking.GOODS)}
    found = list(faults(orders.values(), stock, read_events(client, order_actors)))
    return len(orders), sum(order.sold for order in orders.values()), found


# ---- the run

def final_reads(client, asked):
    """What is there when all is over is part of each history."""
    for key in sorted({one.key for one in asked if one.key.startswith(("sku-", "cart-"))}):
        type = "inventory.get" if key.startswith("sku-") else "cart.get"
        read = Asked(time.monotonic(), "final-" + key, type, key, {})
        status, body = client.ask(type, key)
        read.end(time.monotonic(), "ok", status, body)
        yield read


def fill(shop):
    client = shop.client()
    for sku in range(asking.GOODS):
        client.call("inventory.receive", f"goods-{sku}", {"quantity": 200})
    client.close()


def run_clients(shop, seconds, seed, clients, kills):
    """Returns the paths of their histories."""
    context, rng = multiprocessing.get_context("spawn"), random.Random(seed)
    began = time.monotonic() + 0.7 * SLOW  # the processes have started by then
    paths = [shop.directory / f"history-{number}.ndjson" for number in range(clients)]
    processes = [context.Process(target=asking.work, args=(shop.endpoint, seed, number, path, began, began + seconds))
                 for number, path in enumerate(paths)]
    for process in processes:
        process.start()
    for moment in sorted(rng.uniform(0.1, 0.95) * seconds for _ in range(kills)):
        time.sleep(max(0, began + moment - time.monotonic()))
        shop.kill()
        shop.start()
    for process in processes:
        process.join()
        if process.exitcode:
            raise AssertionError(f"a client process ended with {process.exitcode}")
    return paths


class Report:
    def __init__(self, asked, verdicts, orders, sold, order_faults):
        self.asked, self.verdicts, self.orders, self.sold, self.order_faults = asked, verdicts, orders, sold, order_faults

    def keys(self, outcome):
        return [key for key, (_, verdict) in self.verdicts.items() if verdict.outcome == outcome]

    @property
    def unknown(self):
        return sum(one.outcome is None for one in self.asked)

    @property
    def faults(self):
        return [f"{key}: {self.verdicts[key][1]}" for key in self.keys(VIOLATION)] + self.order_faults

    def summary(self):
        refused = sum(one.outcome not in (None, "ok") for one in self.asked)
        return (f"{len(self.asked)} operations, {refused} refused, {self.unknown} unknown; "
                f"{len(self.verdicts)} SKUs and carts: {len(self.keys(OK))} linearizable, "
                f"{len(self.keys(UNDECIDED))} undecided, {len(self.keys(VIOLATION))} not; "
                f"{self.orders} orders, {self.sold} confirmed, {len(self.order_faults)} faults")


def run(seconds, seed, clients=4, kills=2, decide_seconds=10, keep=None):
    with Shop() as shop:
        fill(shop)
        paths = run_clients(shop, seconds, seed, clients, kills)
        asked = read_histories(paths)
        client = shop.client()
        shop.settle(client)
        time.sleep(0.2)  # what the network still held has arrived
        asked += final_reads(client, asked)
        orders = check_orders(asked, client, shop.actors["order"])
        client.close()
        report = Report(asked, check_objects(asked, decide_seconds), *orders)
        if keep and report.faults:
            keep = pathlib.Path(keep)
            keep.mkdir(parents=True, exist_ok=True)
            for path in paths:
                (keep / f"seed-{seed}-{path.name}").write_text(path.read_text())
        return report
