"""A process that shops at a node and writes down what it asked and was answered, as it happens.

One JSON object a line: {"at", "operation", "event"} with at in seconds of the machine's monotonic clock and event one of
  invoke   with id, type, key, body: the request is about to be sent
  ok, refused   with status, body: it was answered, `ok` or with a named refusal
  unknown  nobody answered, and the request is not sent again; or a copy of it may still be under way
What is `busy` is asked again under the same id. Some requests are sent twice on purpose, some are shared: several
processes send the same id. What nobody answers in time (the node is down) is sent again or given up.
"""
import json
import random
import time

import msgpack

from tests.e2e.shop import SLOW, Client, gbp

WINDOW = 3              # requests of one process under way
PATIENCE = 0.4 * SLOW   # seconds until a request is sent again
GIVE_UP = 0.25          # how often it is given up instead
TWICE = 0.08            # sent twice at once
ABANDONED = 0.01        # sent, and nobody waits for the answer
PAUSE = 0.004           # seconds between requests: a history must stay short enough to be decided
SLICE = 1.5             # seconds after which new SKUs and carts are used
SKUS, CARTS, GOODS = 2, 2, 4
TRANSIENT = {"busy", "storage_full"}
METHODS = ["pm_card_visa"] * 4 + ["pm_card_chargeDeclined", "pm_sandbox_twice", "pm_sandbox_flaky",
                                  "pm_sandbox_timeout_then_success"]


# ---- what is asked

def stock_request(rng, key, number):
    """(type, body, request id)."""
    draw, own = rng.random(), f"{number}-{rng.randrange(10**9)}"
    reservation = f"{key}-r{rng.randrange(40)}"  # shared: others reserve and end it, too
    if draw < 0.40:
        return "inventory.reserve", {"reservation_id": reservation, "quantity": 1 + hash_of(reservation) % 3,
                                     "ttl_ms": 3_600_000}, own
    if draw < 0.58:
        return "inventory.release", {"reservation_id": reservation}, own
    if draw < 0.70:
        return "inventory.commit", {"reservation_id": reservation}, own
    if draw < 0.78:
        shared = f"{key}-in{rng.randrange(8)}"
        return "inventory.receive", {"quantity": 1 + hash_of(shared) % 4}, shared
    if draw < 0.84:
        body = {"delta": rng.randint(-3, 3)} if rng.random() < 0.7 else {"on_hand": rng.randint(0, 8)}
        return "inventory.adjust", body | {"reason": "count"}, own
    return "inventory.get", {}, own


def cart_request(rng, key, number):
    draw, own, sku = rng.random(), f"{number}-{rng.randrange(10**9)}", f"sku-{rng.randrange(3)}"
    if draw < 0.25:
        body = {"sku": sku, "quantity": rng.randint(1, 3)}
        return "cart.add", body | ({"price": gbp(rng.randint(1, 99))} if rng.random() < 0.3 else {}), own
    if draw < 0.40:
        shared = f"{key}-add{rng.randrange(6)}"
        return "cart.add", {"sku": f"sku-{hash_of(shared) % 3}", "quantity": 1}, shared
    if draw < 0.55:
        return "cart.set", {"sku": sku, "quantity": rng.randint(0, 4)}, own
    if draw < 0.65:
        return "cart.add", {"sku": sku, "quantity": 1, "expected_version": rng.randrange(20)}, own
    if draw < 0.75:
        return "cart.remove", {"sku": sku}, own
    if draw < 0.78:
        return "cart.clear", {}, own
    return "cart.get", {}, own


def order_body(key):
    """What an order is about depends on its id, so that everybody asks the same."""
    rng = random.Random(key)
    body = {"user_id": "u", "payment_method": rng.choice(METHODS), "wait_ms": 300}
    if rng.random() < 0.25:  # the cart is filled once, and another order may want it as well
        return body | {"cart_id": "basket-" + key[:-1]}
    skus = rng.sample(range(GOODS), rng.randint(1, 2))
    return body | {"lines": [{"sku": f"goods-{sku}", "quantity": rng.randint(1, 2), "unit_price": gbp(rng.randint(1, 999))}
                             for sku in skus]}


def order_request(rng, slice, number):
    key, own = f"order-{slice}-{rng.randrange(40)}", f"{number}-{rng.randrange(10**9)}"
    body = order_body(key)
    draw = rng.random()
    if "cart_id" in body and draw < 0.4:
        return "cart.set", body["cart_id"], {"sku": "goods-0", "quantity": 1, "price": gbp(250)}, "fill-" + body["cart_id"]
    if draw < 0.1:
        return "order.cancel", key, {}, own
    if draw < 0.2:
        return "order.get", key, {}, own
    return "order.place", key, body, own


def hash_of(text):
    return random.Random(text).randrange(1 << 30)


def request(rng, now, began, number):
    """(type, key, body, request id)."""
    slice = int((now - began) / SLICE)
    draw = rng.random()
    if draw < 0.45:
        key = f"sku-{slice}-{rng.randrange(SKUS)}"
        type, body, id = stock_request(rng, key, number)
    elif draw < 0.75:
        key = f"cart-{slice}-{rng.randrange(CARTS)}"
        type, body, id = cart_request(rng, key, number)
    else:
        return order_request(rng, slice, number)
    return type, key, body, id


# ---- asking

class Flight:
    """A request under way: `waiting` operations want an answer, `copies` of it were sent."""

    def __init__(self, frame, operations, type):
        self.frame, self.waiting, self.copies, self.sent, self.type = frame, list(operations), 0, 0.0, type


class Process:
    def __init__(self, endpoint, seed, number, path):
        self.client, self.rng, self.number = Client(endpoint), random.Random(seed * 1000 + number), number
        self.file, self.flights, self.count = open(path, "w"), {}, 0

    def note(self, operation, event, **facts):
        self.file.write(json.dumps({"at": time.monotonic(), "operation": f"{self.number}.{operation}", "event": event} | facts))
        self.file.write("\n")

    def send(self, flight):
        flight.copies += 1
        flight.sent = time.monotonic()
        self.client.socket.send(flight.frame)

    def begin(self, now, began):
        type, key, body, id = request(self.rng, now, began, self.number)
        if id in self.flights:
            return
        operations = []
        for _ in range(2 if self.rng.random() < TWICE else 1):
            operations.append(self.count)
            self.note(self.count, "invoke", id=id, type=type, key=key, body=body)
            self.count += 1
        flight = self.flights[id] = Flight(msgpack.packb([1, id, type, key, body]), operations, type)
        for _ in operations:
            self.send(flight)
        if self.rng.random() < ABANDONED:
            self.give_up(id)

    def answered(self, id, status, body):
        flight = self.flights.get(id)
        if not flight or not flight.waiting:
            return
        if status in TRANSIENT:
            flight.copies -= 1
            if flight.copies < len(flight.waiting):
                self.send(flight)
            return
        operation = flight.waiting.pop(0)
        flight.copies -= 1
        self.note(operation, "ok" if status == "ok" else "refused", status=status, body=body,
                  copies=0 if flight.waiting else flight.copies)
        if not flight.waiting:
            del self.flights[id]

    def look_after(self, id, flight):
        """Nobody answers: again, or given up."""
        if self.rng.random() < GIVE_UP:
            self.give_up(id)
        else:
            self.send(flight)

    def give_up(self, id):
        for operation in self.flights.pop(id).waiting:
            self.note(operation, "unknown")

    def work(self, began, until):
        while (now := time.monotonic()) < until or self.flights and now < until + 20 * SLOW:
            if now < until and len(self.flights) < WINDOW:
                self.begin(now, began)
            reply = self.client.receive(PAUSE / SLOW)
            while reply:
                self.answered(*reply)
                reply = self.client.receive(0)
            for id, flight in list(self.flights.items()):
                if now - flight.sent > PATIENCE + (0.3 if flight.type == "order.place" else 0):
                    self.look_after(id, flight)
        for id in list(self.flights):
            self.give_up(id)
        self.file.close()
        self.client.close()


def work(endpoint, seed, number, path, began, until):
    Process(endpoint, seed, number, path).work(began, until)
