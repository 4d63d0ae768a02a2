# SPDX-License-Identifier: Apache-2.0
"""Clients of a shop, drawn from a seed: stock, reservations, carts, products, whole orders; some say everything twice.

Each worker is a script that waits for its answer before it goes on, and writes down in the ledger what it asks before
it asks, and what was answered after. A lost node loses their connections, never their memory."""
import random
import time

import zmq

from tests.crash.ledger import Ledger, Order, expect
from tests.e2e.shop import Client, SLOW, gbp

METHODS = {"pm_card_visa": 66, "pm_card_chargeDeclined": 10, "pm_sandbox_flaky": 5, "pm_sandbox_twice": 5,
           "pm_sandbox_action_required": 5, "cod": 5, "pm_sandbox_timeout_then_success": 2, "pm_sandbox_late": 2}
DAY = 86400000
TWICE = 0.15
QUIET_S, BUSY_S = 3, 0.02  # unanswered, refused as busy so long: asked again
REMEMBERED = {"inventory.receive", "inventory.adjust", "inventory.reserve", "inventory.commit", "inventory.release",
              "cart.add", "cart.set", "cart.remove", "cart.clear", "catalog.put", "payment.confirm"}


class Worker:
    def __init__(self, load, number):
        self.load, self.number = load, number
        self.rng = random.Random(f"{load.seed}/{number}")
        self.script = self.stories()
        self.request, self.replies, self.copies, self.due, self.serial = None, [], 0, 0, 0
        self.advance(None)

    def advance(self, reply):
        """The next command of the script is the one that waits for its answer."""
        request = self.script.send(reply)
        self.serial += 1
        self.request = request and (*request, f"w{self.number}-{self.serial}-{self.load.seed}")
        self.replies, self.copies, self.due = [], 0, 0

    def name(self, what):
        return f"{what}-{self.number}-{self.serial}"

    def stories(self):
        if self.number == 0:
            for sku in self.load.skus:
                yield from self.receive(sku, 200)
        stories = [self.stock, self.reservation, self.cart, self.order, self.product]
        while True:
            while self.load.closing:
                yield None
            yield from self.rng.choices(stories, [2, 3, 2, 4, 40 if self.load.heavy else 1])[0]()

    def change(self, sum, amount, request):
        """A command that adds to a counter, if it is taken."""
        sum.open[self.number] = amount
        status, body = yield request
        del sum.open[self.number]
        if status == "ok":
            sum.known += amount
        return status, body

    def receive(self, sku, quantity):
        sum = self.load.ledger.sums(sku)[0]
        yield from self.change(sum, quantity, ("inventory.receive", sku, {"quantity": quantity}))

    def stock(self):
        sku, quantity = self.rng.choice(self.load.skus), self.rng.randint(1, 40)
        _, adjusted, _ = self.load.ledger.sums(sku)
        if self.rng.random() < 0.7:
            yield from self.receive(sku, quantity)
        else:
            body = {"delta": -quantity, "reason": "count", "stop_sale": self.rng.random() < 0.2}
            yield from self.change(adjusted, -quantity, ("inventory.adjust", sku, body))

    def reservation(self):
        sku, name, quantity = self.rng.choice(self.load.skus), self.name("r"), self.rng.randint(1, 3)
        mortal, holds = self.rng.random() < 0.1, self.load.ledger.holds
        holds[sku, name] = (quantity, {"none", "held"}, mortal)
        ttl_ms = self.rng.randint(1, 300) if mortal else DAY
        status, _ = yield "inventory.reserve", sku, {"reservation_id": name, "quantity": quantity, "ttl_ms": ttl_ms}
        if status != "ok":
            expect(status in ("insufficient_stock", "not_found"), f"reserve {sku} {name}: {status}")
            del holds[sku, name]
            return
        holds[sku, name] = (quantity, {"held"}, mortal)
        verb, state = self.rng.choice([("commit", "committed"), ("release", "released"), ("extend", "held"), (None, "held")])
        if not verb:
            return
        holds[sku, name] = (quantity, {"held", state}, mortal)
        body = {"reservation_id": name, **({"ttl_ms": DAY} if verb == "extend" else {})}
        request = (f"inventory.{verb}", sku, body)
        if verb == "commit":
            status, _ = yield from self.change(self.load.ledger.sums(sku)[2], quantity, request)
        else:
            status, _ = yield request
        expect(status == "ok" or mortal and status == "reservation_expired", f"{verb} {sku} {name}: {status}")
        holds[sku, name] = (quantity, {state}, mortal)
        if state != "held" or status != "ok":
            del holds[sku, name]

    def cart(self):
        name, carts = f"cart-{self.number}", self.load.ledger.carts
        for _ in range(self.rng.randint(1, 4)):
            before = carts.setdefault(name, [{}])[0]
            sku, quantity = self.rng.choice(self.load.skus), self.rng.randint(0, 3)
            verb = self.rng.choices(["add", "set", "remove", "clear"], [6, 2, 1, 1])[0]
            if verb == "add":
                quantity += 1
            after = self.changed(before, verb, sku, quantity)
            carts[name] = [before, after]
            body = {"add": {"sku": sku, "quantity": quantity}, "set": {"sku": sku, "quantity": quantity},
                    "remove": {"sku": sku}, "clear": {}}[verb]
            if verb in ("add", "set") and quantity:
                body["price"] = gbp(self.load.prices[sku])
            status, reply = yield f"cart.{verb}", name, body
            if status != "ok":
                expect(verb == "remove" and status == "not_found", f"cart.{verb} {name}: {status}")
            carts[name] = [after if status == "ok" else before]

    @staticmethod
    def changed(before, verb, sku, quantity):
        after = {} if verb == "clear" else dict(before)
        if verb == "add":
            after[sku] = after.get(sku, 0) + quantity
        elif verb == "set" and quantity:
            after[sku] = quantity
        elif verb in ("set", "remove"):
            after.pop(sku, None)
        return after

    def product(self):
        sku = f"product-{self.number}"
        titles, title = self.load.ledger.products.setdefault(sku, {None}), self.name("title")
        titles.add(title)
        long = "words " * self.rng.randint(0, 2700)
        status, _ = yield "catalog.put", sku, {"title": title, "price": gbp(self.rng.randint(1, 999)), "description": long}
        expect(status == "ok", f"catalog.put {sku}: {status}")
        self.load.ledger.products[sku] = {title}

    def basket(self):
        return [{"sku": sku, "quantity": self.rng.randint(1, 3), "unit_price": gbp(self.load.prices[sku])}
                for sku in self.rng.sample(self.load.skus, min(self.rng.choice([1, 1, 1, 2, 3, 5]), len(self.load.skus)))]

    def order(self):
        name, cart, carts = self.name("o"), f"cart-{self.number}", self.load.ledger.carts
        method = self.rng.choices(list(METHODS), list(METHODS.values()))[0]
        body = {"user_id": "u", "payment_method": method, "wait_ms": 60000}
        content = carts.get(cart, [{}])[0]
        if content and self.rng.random() < 0.5:
            body["cart_id"], carts[cart] = cart, [content, {}]
        else:
            body["lines"] = self.basket()
        order = self.load.ledger.orders[name] = Order(body)
        status, view = yield "order.place", name, body
        expect(status in ("ok", "insufficient_stock", "payment_declined", "rejected"), f"order {name}:", status, view)
        order.status, order.answer = view["status"], (status, view)
        yield from self.after(name, order)
        if "cart_id" in body:
            sold = order.status not in ("out_of_stock", "payment_failed", "rejected")
            while sold and (yield "cart.get", cart, {})[1]["lines"]:
                pass
            carts[cart] = [{} if sold else content]

    def after(self, name, order):
        if order.status == "payment_action_required":
            body = {"outcome": self.rng.choice(["succeeded", "failed"])}
            yield from self.wish(order, ("payment.confirm", name, body))
            while order.status not in ("confirmed", "payment_failed"):
                order.status = (yield "order.get", name, {})[1]["status"]
        if order.status != "confirmed":
            return
        for verb in self.rng.choices([[], ["cancel"], ["ship"], ["ship", "deliver"], ["ship", "cancel"]], [4, 2, 1, 1, 1])[0]:
            status, view = yield from self.wish(order, (f"order.{verb}", name, {}))
            expect(status == "ok" or verb == "cancel" and status in ("already_shipped", "cancelled"), f"{verb} {name}: {status}")
            if status == "ok":
                order.status = view["status"]

    def wish(self, order, request):
        order.wish = request[0]
        answer = yield request
        order.wish = None
        return answer


class Load:
    """`workers` scripts over a few connections."""

    def __init__(self, seed, workers=24, connections=4, skus=8):
        self.seed, rng = seed, random.Random(seed)
        self.rng, self.ledger = rng, Ledger()
        self.skus = [f"sku-{i}" for i in range(skus)]
        self.prices = {sku: rng.randint(1, 999) for sku in self.skus}
        self.count, self.sockets, self.answered, self.repeats = connections, [], 0, 0
        self.closing = False # scripts come to an end
        self.heavy = False   # most say much
        self.workers = [Worker(self, number) for number in range(workers)]

    # ---- connections

    def connect(self, shop):
        """To a new process: what the last one had not answered is asked again."""
        self.disconnect()
        self.sockets = [shop.client() for _ in range(self.count)]
        for worker in self.workers:
            worker.replies, worker.copies, worker.due = [], 0, 0

    def disconnect(self):
        for client in self.sockets:
            client.close()
        self.sockets = []

    def send(self, worker, client):
        type, key, body, id = worker.request
        client.send(type, key, body, id=id)
        worker.copies += 1
        worker.due = time.monotonic() + QUIET_S * SLOW

    def ask(self, worker):
        """Copies that are still on their way may take effect later: a script goes on when all are answered."""
        self.repeats += worker.copies > 0
        self.send(worker, self.sockets[worker.number % self.count])
        if self.rng.random() < TWICE:
            self.repeats += 1
            self.send(worker, self.rng.choice(self.sockets))

    def take(self, worker, status, body):
        if status in ("busy", "storage_full"):
            worker.copies -= 1
            worker.due = time.monotonic() + BUSY_S if not worker.copies else worker.due
            return
        worker.replies.append((status, body))
        if len(worker.replies) < worker.copies:
            return
        type, key, asked, id = worker.request
        good = [reply for reply in worker.replies if reply[0] == "ok"]
        if good and type in REMEMBERED:
            expect(all(reply == good[0] for reply in good), f"{type} {key} {id}: two answers", good)
            self.ledger.replies.append((type, key, asked, id, good[0]))
        self.answered += 1
        worker.advance(good[0] if good else worker.replies[-1])

    # ---- running

    def run(self, shop, seconds=None, answers=None, until=None):
        """Until the time is over, so many more are answered, `until()`, or the node is gone."""
        end, target = time.monotonic() + (seconds or 120 * SLOW), self.answered + (answers or 1 << 60)
        heard = time.monotonic()
        while shop.process.poll() is None and self.answered < target and not (until and until()):
            now = time.monotonic()
            if now > end:
                expect(seconds, "the clients do not come to an end")
                return
            heard = now if self.turn(now) else heard
            expect(now - heard < 60 * SLOW, "nothing was answered for a minute")

    def turn(self, now):
        """Sends what is due, takes what has come. True: something has."""
        for worker in self.workers:
            if worker.request is None and not self.closing:
                worker.advance(None)
            if worker.request and worker.due <= now:
                self.ask(worker)
        by_id = {worker.request[3]: worker for worker in self.workers if worker.request}
        came = False
        zmq.select([client.socket for client in self.sockets], [], [], 0.01)
        for client in self.sockets:
            while reply := client.receive(0):
                came = True
                worker = by_id.get(reply[0])
                if worker and worker.request and worker.request[3] == reply[0]:
                    self.take(worker, *reply[1:])
        return came or not by_id

    def finish(self, shop):
        """Every script comes to its end, every order to rest."""
        self.closing = True
        self.run(shop, until=lambda: not any(worker.request for worker in self.workers))
        self.closing = False
        expect(shop.process.poll() is None, "the node is gone:", shop.log_text()[-1000:])
        client = shop.client()
        shop.settle(client)
        client.close()
