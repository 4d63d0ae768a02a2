"""At most once over orders: what many clients were answered about orders, against what is there when all is at rest.

An order is one of `faults`'s `orders`: id -> (wanted body, [answers], final view or None, payment or None), where an
answer is (status, body) of order.place. Faults are sentences; none means that each order took effect at most once, that
what was acknowledged is there, and that goods and money were moved for confirmed orders only.
"""
SOLD = {"confirmed", "shipped", "delivered"}
FAILED = {"out_of_stock", "payment_failed", "reservation_expired", "cancelled", "rejected"}


class Order:
    def __init__(self, id, wanted, answers=(), view=None, payment=None, cancelled=False):
        self.id, self.wanted, self.answers = id, wanted, list(answers)
        self.view, self.payment, self.cancelled = view, payment, cancelled

    @property
    def sold(self):
        return self.view is not None and self.view["status"] in SOLD


def amount(money):
    return money["amount"] if money else 0


def faults_of_answers(order):
    known = [body for status, body in order.answers if "status" in body]
    if known and order.view is None:
        yield f"{order.id}: was acknowledged and is not there"
        return
    final = [body for body in known if body["status"] in FAILED | SOLD]
    for body in final:
        was, is_now = body["status"], order.view["status"]
        if was in FAILED and is_now != was:
            yield f"{order.id}: was answered {was} and is {is_now}"
        if was in SOLD and is_now not in SOLD and not (order.cancelled and is_now == "cancelled"):
            yield f"{order.id}: was answered {was} and is {is_now}"
    totals = {amount(body["total"]) for body in known if body.get("total")}
    if len(totals) > 1:
        yield f"{order.id}: was answered with totals {sorted(totals)}"
    if any(status == "order_exists" for status, _ in order.answers):
        yield f"{order.id}: the same content was refused as another"


def faults_of_money(order):
    payment = order.payment or {}
    captured, refunded = amount(payment.get("captured")), amount(payment.get("refunded"))
    if order.sold and order.view["total"]["amount"] != captured - refunded:
        yield f"{order.id}: total {order.view['total']['amount']}, captured {captured}, refunded {refunded}"
    if not order.sold and captured != refunded:
        yield f"{order.id}: not confirmed, captured {captured}, refunded {refunded}"


def faults_of_stock(orders, stock):
    """`stock`: sku -> the view of inventory.get."""
    for sku, view in stock.items():
        sold = sum(line["quantity"] for order in orders if order.sold for line in order.view["lines"] if line["sku"] == sku)
        if view["committed_orders"] - view["restocked"] != sold:
            yield (f"{sku}: {sold} in confirmed orders, {view['committed_orders']} committed, "
                   f"{view['restocked']} put back")
        if view["reserved"]:
            yield f"{sku}: {view['reserved']} held though every order has ended"


def faults_of_carts(orders):
    """A cart was filled once with one line: it can be bought once."""
    buyers = {}
    for order in orders:
        if order.sold and "cart_id" in order.wanted:
            buyers.setdefault(order.wanted["cart_id"], []).append(order.id)
    for cart, ids in buyers.items():
        if len(ids) > 1:
            yield f"{cart}: bought by {', '.join(sorted(ids))}"


def faults_of_events(orders, events):
    """`events`: order id -> the names of its events, in order."""
    for order in orders:
        names = events.get(order.id, [])
        for name in ("order_confirmed", "payment_captured", "order_failed", "payment_refunded"):
            if names.count(name) > 1:
                yield f"{order.id}: {name} {names.count(name)} times"
        if order.sold and names.count("order_confirmed") != 1:
            yield f"{order.id}: confirmed without its event"


def faults(orders, stock, events):
    orders = list(orders)
    for order in orders:
        yield from faults_of_answers(order)
        yield from faults_of_money(order)
    yield from faults_of_stock(orders, stock)
    yield from faults_of_carts(orders)
    yield from faults_of_events(orders, events)
