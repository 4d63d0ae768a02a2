"""What a SKU and a cart must answer, one operation after another: written from docs/protocol.md, not from the engine.

A model is made of an operation's request and gives (answer, next state) of a state. An answer is (status, facts) with
the facts that a reply of this status must show. States are tuples and frozensets. Times are not modelled: holds live
longer than a run.
"""
from typing import NamedTuple


class Hold(NamedTuple):
    quantity: int
    state: str      # held, committed, released
    first: int      # what reserve answered as available
    ended: int      # what commit or release answered as available, -1 before


class Stock(NamedTuple):
    known: bool = False
    on_hand: int = 0
    reserved: int = 0
    received: int = 0
    adjusted: int = 0
    committed: int = 0
    version: int = 0
    holds: frozenset = frozenset()       # of (reservation_id, Hold)
    remembered: frozenset = frozenset()  # of (request_id, answer)

    @property
    def available(self):
        return max(0, self.on_hand - self.reserved)

    def hold(self, id):
        return next((hold for name, hold in self.holds if name == id), None)

    def with_hold(self, id, hold, **changes):
        others = frozenset(one for one in self.holds if one[0] != id)
        return self._replace(holds=others | {(id, hold)}, **changes)


class Cart(NamedTuple):
    lines: tuple = ()  # of (sku, quantity, price), in order of first appearance
    version: int = 0
    remembered: frozenset = frozenset()


def once(id, repeated, decide):
    """By the request's id: a repeat of what was answered `ok` gets that answer. Remembers only ids that are repeated."""
    def model(state):
        if id in repeated:
            for name, answer in state.remembered:
                if name == id:
                    return answer, state
        answer, after = decide(state)
        if id in repeated and answer[0] == "ok":
            after = after._replace(remembered=after.remembered | {(id, answer)})
        return answer, after
    return model


# ---- a SKU

def level(stock):
    return ("ok", (stock.on_hand, stock.available, stock.version)), stock


def receive(body):
    quantity = body["quantity"]

    def decide(stock):
        return level(stock._replace(known=True, on_hand=stock.on_hand + quantity, received=stock.received + quantity,
                                    version=stock.version + 1))
    return decide


def adjust(body):
    def decide(stock):
        change = body["delta"] if "delta" in body else body["on_hand"] - stock.on_hand
        after = stock.on_hand + change
        if not stock.known and change < 0:
            return ("not_found", ()), stock
        if body.get("expected_version", stock.version) != stock.version:
            return ("version_mismatch", (stock.version,)), stock
        if after < 0:
            return ("invalid", ()), stock
        if change < 0 and after < stock.reserved:
            return ("below_reserved", (stock.reserved, stock.reserved - after)), stock
        return level(stock._replace(known=True, on_hand=after, adjusted=stock.adjusted + change,
                                    version=stock.version + 1))
    return decide


def reserve(body):
    id, quantity = body["reservation_id"], body["quantity"]

    def model(stock):
        hold = stock.hold(id)
        if hold:
            return (("ok", (hold.first,)) if hold.quantity == quantity else ("reservation_exists", ())), stock
        if not stock.known:
            return ("not_found", ()), stock
        if quantity > stock.available:
            return ("insufficient_stock", (stock.available,)), stock
        left = stock.available - quantity
        return ("ok", (left,)), stock.with_hold(id, Hold(quantity, "held", left, -1), reserved=stock.reserved + quantity)
    return model


def end(body, wanted):
    id = body["reservation_id"]

    def model(stock):
        hold = stock.hold(id)
        if not hold:
            return ("reservation_not_found" if stock.known else "not_found", ()), stock
        if hold.state == wanted:
            return ("ok", (wanted, hold.ended)), stock
        if hold.state != "held":
            return ("reservation_" + hold.state, ()), stock
        sold = hold.quantity if wanted == "committed" else 0
        after = stock._replace(on_hand=stock.on_hand - sold, reserved=stock.reserved - hold.quantity,
                               committed=stock.committed + sold)
        return ("ok", (wanted, after.available)), after.with_hold(id, hold._replace(state=wanted, ended=after.available))
    return model


def get_stock(stock):
    if not stock.known:
        return ("not_found", ()), stock
    return ("ok", (stock.on_hand, stock.reserved, stock.available, stock.received, stock.adjusted, stock.committed,
                   stock.version)), stock


# ---- a cart

def view(cart):
    return ("ok", (cart.lines, cart.version)), cart


def put_line(body, quantity_of):
    sku, price = body["sku"], body.get("price", {}).get("amount")

    def decide(cart):
        if body.get("expected_version", cart.version) != cart.version:
            return ("version_mismatch", (cart.version,)), cart
        before = next((line for line in cart.lines if line[0] == sku), None)
        quantity = quantity_of(before[1] if before else 0)
        if not quantity and not before:
            return view(cart)
        line = (sku, quantity, price if price is not None else before[2] if before else None)
        lines = tuple(line if old == before else old for old in cart.lines) if before else cart.lines + (line,)
        return view(cart._replace(lines=tuple(one for one in lines if one[1]), version=cart.version + 1))
    return decide


def remove_line(body):
    return put_line({"sku": body["sku"]}, lambda before: 0)


def clear(cart):
    return view(cart._replace(lines=(), version=cart.version + 1) if cart.lines else cart)


# ---- requests and replies

def model_of(type, body, id, repeated):
    if type == "inventory.receive":
        return once(id, repeated, receive(body))
    if type == "inventory.adjust":
        return once(id, repeated, adjust(body))
    if type == "inventory.reserve":
        return reserve(body)
    if type in ("inventory.commit", "inventory.release"):
        return end(body, "committed" if type == "inventory.commit" else "released")
    if type == "inventory.get":
        return get_stock
    if type == "cart.add":
        return once(id, repeated, put_line(body, lambda before: before + body["quantity"]))
    if type == "cart.set":
        return once(id, repeated, put_line(body, lambda before: body["quantity"]))
    if type == "cart.remove":
        return once(id, repeated, remove_line(body))
    if type == "cart.clear":
        return once(id, repeated, clear)
    if type == "cart.get":
        return view
    raise ValueError(type)


FACTS = {
    "inventory.receive": ("on_hand", "available", "version"),
    "inventory.adjust": ("on_hand", "available", "version"),
    "inventory.reserve": ("available",),
    "inventory.commit": ("state", "available"),
    "inventory.release": ("state", "available"),
    "inventory.get": ("on_hand", "reserved", "available", "received", "adjusted", "committed", "version"),
    "version_mismatch": ("version",),
    "below_reserved": ("reserved", "short"),
}


def answer_of(type, status, body):
    """What a reply says, as a model says it."""
    if status == "insufficient_stock":
        return status, (body["shortages"][0]["available"],)
    if status == "ok" and type.startswith("cart."):
        lines = tuple((line["sku"], line["quantity"], line.get("price", {}).get("amount")) for line in body["lines"])
        return status, (lines, body["version"])
    return status, tuple(body[fact] for fact in FACTS.get(type if status == "ok" else status, ()))
