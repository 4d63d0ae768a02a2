# SPDX-License-Identifier: Apache-2.0
"""What clients know of a shop, kept outside the node: what they sent, what was answered, and so what must be there.

A command is unanswered until its reply has come. Until then it may have happened or not, but nothing between; behind
it, it has happened once. Every check compares that with what the node tells (reads) or answers again (repeats)."""
import itertools
import json

AFTER = {"confirmed": {"confirmed", "shipped", "delivered", "cancelling", "cancelled"},
         "shipped": {"shipped", "delivered"}, "delivered": {"delivered"},
         "cancelling": {"cancelling", "cancelled"}, "cancelled": {"cancelled"}}
AFTER.update({status: {status} for status in ("out_of_stock", "payment_failed", "reservation_expired", "rejected")})
PAID = ("confirmed", "shipped", "delivered")
REPEATS = 60  # remembered replies looked at in one check, beside the newest ones
CHECKED_ORDERS = 150


class Finding(AssertionError):
    """The node is not as its clients know it must be."""


def expect(good, *what):
    if not good:
        raise Finding(" ".join(one if isinstance(one, str) else json.dumps(one, default=str) for one in what))


class Sum:
    """A counter that commands add to."""

    def __init__(self):
        self.known, self.open = 0, {}

    def possible(self):
        return {self.known + sum(some) for count in range(len(self.open) + 1)
                for some in itertools.combinations(self.open.values(), count)}


class Order:
    def __init__(self, body):
        self.body, self.status, self.answer = body, None, None  # the latest status that was answered; the first answer
        self.wish = None                                        # an unanswered cancel, ship, deliver, confirm
        self.settled = False                                    # was looked at when nothing was open

    def allowed(self, status):
        return self.status not in AFTER or status in AFTER[self.status]


class Ledger:
    def __init__(self):
        self.received, self.adjusted, self.committed = {}, {}, {}  # of each SKU: Sum
        self.holds = {}     # (sku, id) -> (quantity, {states it may be in}, mortal)
        self.carts = {}     # id -> [contents it may have], or None: an order is about to take from it
        self.products = {}  # sku -> {titles it may have}
        self.orders = {}    # id -> Order
        self.replies = []   # (type, key, body, id, reply) that are remembered

    def sums(self, sku):
        return [table.setdefault(sku, Sum()) for table in (self.received, self.adjusted, self.committed)]

    # ---- after any restart, before anything is sent again

    def check(self, client, rng, rest=False):
        """`rest`: nothing is unanswered and no order is open."""
        for sku in self.received:
            self.check_stock(client, sku, rest)
        for cart, contents in self.carts.items():
            if contents is not None:
                lines = {line["sku"]: line["quantity"] for line in client.call("cart.get", cart)["lines"]}
                expect(lines in contents, f"cart {cart}:", lines, "is none of", contents)
        for sku, titles in self.products.items():
            status, body = client.ask("catalog.get", sku)
            expect((body["title"] if status == "ok" else None) in titles, f"product {sku}:", body, "is none of", list(titles))
        for order in self.looked_at(rng):
            self.check_order(client, order, self.orders[order], rest)
        for reply in self.replies[-REPEATS // 2:] + rng.sample(self.replies, min(REPEATS // 2, len(self.replies))):
            self.check_repeat(client, *reply)

    def looked_at(self, rng):
        fresh = [name for name, order in self.orders.items() if not order.settled]
        done = [name for name, order in self.orders.items() if order.settled]
        return fresh + rng.sample(done, min(CHECKED_ORDERS, len(done)))

    def check_stock(self, client, sku, rest):
        status, stock = client.ask("inventory.get", sku)
        received, adjusted, committed = self.sums(sku)
        if status == "not_found":
            expect(received.known == 0, f"{sku}: what was received is gone")
            return
        expect(stock["received"] in received.possible(), f"{sku}: received", stock, "is none of", list(received.possible()))
        expect(stock["adjusted"] in adjusted.possible(), f"{sku}: adjusted", stock, "is none of", list(adjusted.possible()))
        by_clients = stock["committed"] - stock["committed_orders"]
        expect(by_clients in committed.possible(), f"{sku}: committed by clients", stock, "is none of",
               list(committed.possible()))
        came = stock["received"] + stock["restocked"] + stock["adjusted"] - stock["committed"]
        expect(stock["on_hand"] - stock["short"] == came, f"{sku}: does not add up", stock)
        held = self.check_holds(client, sku, rest)
        if rest:
            expect(held == stock["reserved"], f"{sku}: reserved is not the sum of holds, {held}:", stock)
            sold = sum(line["quantity"] for order in self.orders.values() if order.status in PAID
                       for line in order.answer[1]["lines"] if line["sku"] == sku)
            expect(stock["committed_orders"] - stock["restocked"] == sold, f"{sku}: orders took {sold}:", stock)

    def check_holds(self, client, sku, rest):
        """What is held, in all."""
        shown, total, after = {}, 0, None
        while True:
            page = client.call("inventory.holds", sku, {"limit": 1000, **({"after": after} if after else {})})
            for hold in page["holds"]:
                total += hold["quantity"]
                expect(not rest or hold["owner"] == "client", f"{sku}: no order is open, but", hold)
                if hold["owner"] == "client":
                    expect(hold["reservation_id"] not in shown, f"{sku}: twice", hold)
                    shown[hold["reservation_id"]] = hold["quantity"]
            after = page.get("next")
            if not after:
                break
        for (of, name), (quantity, states, mortal) in self.holds.items():
            if of == sku and name in shown:
                expect("held" in states and shown.pop(name) == quantity, f"{sku}: hold {name} is", states, "of", quantity)
            elif of == sku:
                expect(mortal or states != {"held"}, f"{sku}: hold {name} of {quantity} is gone")
        expect(not shown, f"{sku}: nobody asked for", shown)
        return total

    def check_order(self, client, name, order, rest):
        status, view = client.ask("order.get", name)
        if status == "not_found":
            expect(order.answer is None, f"order {name} was answered and is gone")
            return
        expect(status == "ok", f"order {name}:", view)
        if "lines" in order.body:
            asked = [(line["sku"], line["quantity"]) for line in order.body["lines"]]
            expect([(line["sku"], line["quantity"]) for line in view["lines"]] == asked, f"order {name}: lines", view)
        expect(order.wish or order.allowed(view["status"]), f"order {name}: was {order.status}, is", view["status"])
        if rest:
            self.check_payment(client, name, order, view)
            order.status, order.settled = view["status"], True
        self.check_repeated_order(client, name, order, view)

    def check_payment(self, client, name, order, view):
        status, payment = client.ask("payment.get", name)
        if status != "ok":
            expect(view["status"] not in PAID or order.body["payment_method"] == "cod" or not view["total"]["amount"],
                   f"order {name}: confirmed without a payment", view)
            return
        kept = payment["captured"]["amount"] - payment["refunded"]["amount"]
        expect(kept == (view["total"]["amount"] if view["status"] in PAID else 0), f"order {name}:", view["status"], payment)

    def check_repeated_order(self, client, name, order, view):
        """The first answer comes again, as long as the order has not gone on."""
        if order.answer is None or order.wish or order.answer[1]["status"] != view["status"]:
            return
        again = client.ask("order.place", name, {**order.body, "wait_ms": 0})
        expect(again == order.answer, f"order {name}: answered", order.answer, "and now", again)

    def check_repeat(self, client, type, key, body, id, reply):
        again = client.ask(type, key, body, id=id)
        expect(again == reply, f"{type} {key} {id}: answered", reply, "and now", again)
