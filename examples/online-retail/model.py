#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What must come out of the shop's year: an independent, sequential model.

It reads the CSV with its own code (nothing is shared with convert.py, so a fault of the converter is found too) and
places the orders strictly one after the other: every line is held or, if any SKU is short, the whole order is refused
and nothing is charged; a declined method charges nothing and gives everything back; else the total is captured and the
goods are gone.

  model.py run         prints what comes out, as JSON
  model.py compare     the replies of a run with one order at a time must be exactly this
  model.py invariants  the replies of any run: nothing oversold, nothing lost, nothing charged that was refused

Exit code: 0 equal, 1 different (the first differences are printed), 2 the data or the arguments are wrong, 77 skipped
because there are no data."""

import argparse
import csv
import json
import lzma
import os
import string
import sys

DIGITS, LETTERS = set(string.digits), set(string.ascii_letters)
DECLINED = "pm_card_chargeDeclined"
ENVELOPE = {"confirmed": "ok", "out_of_stock": "insufficient_stock", "payment_failed": "payment_declined"}
STAGE = {"confirmed": "paid", "out_of_stock": "out_of_stock", "payment_failed": "payment_failed"}


# ---- reading

def half_up(price):
    """Pounds in decimal notation, not negative -> whole pence."""
    whole, _, fraction = price.partition(".")
    digits = whole + fraction
    if not digits or not set(digits) <= DIGITS:
        raise ValueError(f"not a decimal number: {price!r}")
    scale = 10 ** len(fraction)
    return (2 * 100 * int(digits) + scale) // (2 * scale)


def is_product(code):
    digits, letters = code[:5], code[5:]
    return len(digits) == 5 and set(digits) <= DIGITS and len(letters) <= 2 and set(letters) <= LETTERS


class Year:
    """The orders and what the shop buys and lists for them."""

    def __init__(self):
        self.users = {}     # order id -> user id, in order of first appearance
        self.lines = {}     # order id -> {(sku, pence): quantity}, in order of first appearance
        self.received = {}  # sku -> units bought
        self.prices = {}    # sku -> pence
        self.titles = {}    # sku -> title

    def method(self, order):
        return DECLINED if int(order) % 50 == 0 else "pm_card_visa"

    def total(self, order):
        return sum(quantity * pence for (_, pence), quantity in self.lines[order].items())

    def wanted(self, order):
        """Units of each SKU, over all lines of the order."""
        units = {}
        for (sku, _), quantity in self.lines[order].items():
            units[sku] = units.get(sku, 0) + quantity
        return units


def year_of(rows, limit=None):
    """`rows`: the fields of each CSV row, the header first."""
    year, titles, units = Year(), {}, {}
    rows = iter(rows)
    place = {name: index for index, name in enumerate(next(rows))}
    invoice_at, code_at, title_at = place["InvoiceNo"], place["StockCode"], place["Description"]
    quantity_at, price_at, user_at = place["Quantity"], place["UnitPrice"], place["CustomerID"]
    for row in rows:
        order, sku, price = row[invoice_at], row[code_at].strip().upper(), row[price_at]
        if not is_product(row[code_at].strip()) or not order or not set(order) <= DIGITS:
            continue
        quantity = int(row[quantity_at])
        if quantity <= 0 or price.startswith("-") or not set(price) & set("123456789"):
            continue
        if order not in year.lines:
            if len(year.lines) == limit:
                continue
            user = row[user_at]
            year.users[order] = "guest" if user == "" else user[:-2] if user.endswith(".0") else user
            year.lines[order] = {}
        pence, lines = half_up(price), year.lines[order]
        lines[sku, pence] = lines.get((sku, pence), 0) + quantity
        year.prices.setdefault(sku, pence)
        units[sku] = units.get(sku, 0) + quantity
        title = row[title_at].strip()
        seen = titles.setdefault(sku, {})
        if title:
            seen[title] = seen.get(title, 0) + 1
    for sku, seen in titles.items():
        most = max(seen.values(), default=0)
        year.titles[sku] = next((title for title, count in seen.items() if count == most), sku)
    year.received = {sku: -(-9 * count // 10) for sku, count in units.items()}  # nine tenths, rounded up
    return year


def read_year(path, limit=None):
    with (lzma.open if path.endswith(".xz") else open)(path, "rt", encoding="utf-8", newline="") as file:
        return year_of(csv.reader(file), limit)


# ---- deciding

class Outcome:
    def __init__(self):
        self.status = {}     # order id -> status
        self.shortages = {}  # order id -> [(sku, requested, available)]
        self.captured = 0    # pence
        self.units_sold = 0
        self.available = {}  # sku -> units left

    def figures(self):
        counts = {status: 0 for status in ENVELOPE}
        for status in self.status.values():
            counts[status] = counts.get(status, 0) + 1
        confirmed = counts.pop("confirmed")
        return {"confirmed": confirmed, "refused": counts, "captured": self.captured,
                "units_sold": self.units_sold, "stock_left": sum(self.available.values())}


def sequential(year):
    """Every order of the year, strictly one after the other."""
    outcome = Outcome()
    stock = outcome.available = dict(year.received)
    for order in year.lines:
        wanted, total = year.wanted(order), year.total(order)
        short = [(sku, count, stock[sku]) for sku, count in wanted.items() if count > stock[sku]]
        if short:
            outcome.status[order], outcome.shortages[order] = "out_of_stock", sorted(short)
        elif year.method(order) == DECLINED and total > 0:  # a total of 0 needs no payment
            outcome.status[order] = "payment_failed"
        else:
            outcome.status[order] = "confirmed"
            outcome.captured += total
            for sku, count in wanted.items():
                stock[sku] -= count
                outcome.units_sold += count
    return outcome


# ---- judging a run

def replies_in(path, keys, what, wrong):
    """The replies, one by one; what is answered twice, never, or unasked goes to `wrong`."""
    seen = set()
    with open(path, encoding="utf-8") as file:
        for text in file:
            reply = json.loads(text)
            key = reply["key"]
            if key in seen or key not in keys:
                wrong.append(f"{what} {key}: " + ("answered twice" if key in seen else "nobody asked"))
                continue
            seen.add(key)
            yield key, reply
    wrong += [f"{what} {key}: no reply" for key in keys if key not in seen]


def view_wrong(year, order, reply):
    """Differences that no order of arrival explains: the view must agree with itself and with what was asked."""
    body, status, wrong = reply["body"], reply["body"].get("status"), []

    def expect(what, have, want):
        if have != want:
            wrong.append(f"order {order}: {what} is {have!r}, not {want!r}")

    if status not in ENVELOPE:
        return [f"order {order}: answered {reply['status']}, order status {status!r}: {body.get('message', '')}"]
    expect("the reply's status", reply["status"], ENVELOPE[status])
    expect("stage", body.get("stage"), STAGE[status])
    money = {"amount": year.total(order), "currency": "GBP"}
    if status == "confirmed" or "total" in body:
        expect("total", body.get("total"), money)
    lines = [((line["sku"], line["unit_price"]["amount"]), line["quantity"]) for line in body.get("lines", [])]
    if lines != list(year.lines[order].items()):
        wrong.append(f"order {order}: its {len(lines)} lines are not the {len(year.lines[order])} of the year")
    if year.method(order) == DECLINED and money["amount"] > 0 and status == "confirmed":
        wrong.append(f"order {order}: confirmed, and its payment method is always declined")
    if status == "out_of_stock":
        shortages, wanted = shortages_of(reply), year.wanted(order)
        if not shortages:
            wrong.append(f"order {order}: refused without a shortage")
        for sku, requested, available in shortages:
            expect(f"requested of {sku}", requested, wanted.get(sku))
            if not 0 <= available < requested:
                wrong.append(f"order {order}: refused for {requested} of {sku} while {available} were available")
    return wrong


def shortages_of(reply):
    return sorted((each["sku"], each["requested"], each["available"]) for each in reply["body"].get("shortages", []))


def stock_wrong(sku, reply, available, sold, received):
    if reply["status"] != "ok":
        return [f"stock {sku}: answered {reply['status']}"]
    want = {"available": available, "on_hand": available, "reserved": 0, "received": received, "committed": sold,
            "committed_orders": sold, "restocked": 0, "adjusted": 0, "short": 0}
    body = reply["body"]
    wrong = [f"stock {sku}: {name} is {body[name]}, not {value}" for name, value in want.items()
             if name in body and body[name] != value]
    return wrong if "available" in body else [*wrong, f"stock {sku}: the reply has no `available`"]


def judge(year, replies_path, stock_path, exact):
    """(what came out of the run, differences). `exact`: against the sequential outcome, else only invariants."""
    model = sequential(year) if exact else None
    seen, wrong, left = Outcome(), [], dict(year.received)
    for order, reply in replies_in(replies_path, year.lines, "order", wrong):
        status = seen.status[order] = reply["body"].get("status")
        if exact and status != model.status[order]:
            wrong.append(f"order {order}: {status!r} (reply {reply['status']}), not {model.status[order]!r}")
        elif exact and status == "out_of_stock" and shortages_of(reply) != model.shortages[order]:
            wrong.append(f"order {order}: shortages {shortages_of(reply)}, not {model.shortages[order]}")
        wrong += view_wrong(year, order, reply)
        if status == "confirmed":
            seen.captured += reply["body"].get("total", {}).get("amount", 0)
            for sku, count in year.wanted(order).items():
                seen.units_sold += count
                left[sku] -= count
    wrong += [f"stock {sku}: {year.received[sku]} received, {-count} more sold" for sku, count in left.items()
              if count < 0]
    for sku, reply in replies_in(stock_path, year.received, "stock", wrong):
        seen.available[sku] = reply["body"].get("available", 0)
        want, received = model.available[sku] if exact else left[sku], year.received[sku]
        wrong += stock_wrong(sku, reply, want, received - want, received)
    if exact:
        have, want = seen.figures(), model.figures()
        wrong += [f"{name}: {have[name]}, not {want[name]}" for name in want if have[name] != want[name]]
    return seen, wrong


# ---- the command

def find_data(argument):
    name = "online_retail.csv.xz"
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    path = argument or os.environ.get("SOUK_DATA") or os.path.join(os.path.dirname(root), "shared", "data", name)
    return os.path.join(path, name) if os.path.isdir(path) else path


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("csv", nargs="?", help="online_retail.csv or .csv.xz (default: $SOUK_DATA, then "
                        "../shared/data/online_retail.csv.xz seen from the repository)")
    common.add_argument("--limit", type=int, metavar="N", help="only the first N orders, as in convert.py")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("run", parents=[common], help="print what must come out, as JSON")
    for name, text in (("compare", "the run placed one order at a time: everything must be equal"),
                       ("invariants", "the run placed many orders at once: what must hold all the same")):
        judged = commands.add_parser(name, parents=[common], help=text, description=text)
        judged.add_argument("--replies", required=True, metavar="FILE", help="replies to orders.ndjson, one JSON each")
        judged.add_argument("--stock", required=True, metavar="FILE", help="replies to inventory.get of every SKU")
        judged.add_argument("--show", type=int, default=20, metavar="N", help="differences to print (default 20)")
    return parser.parse_args()


def report(year, arguments):
    seen, wrong = judge(year, arguments.replies, arguments.stock, arguments.command == "compare")
    for line in wrong[:arguments.show]:
        print(line)
    if wrong:
        print(f"{len(wrong)} differences; at most {arguments.show} are shown")
        return 1
    print(json.dumps(seen.figures()))
    return 0


def main():
    arguments = parse()
    path = find_data(arguments.csv)
    if not os.path.isfile(path):
        print(f"skipped: no data at {path} (give a path or set SOUK_DATA)", file=sys.stderr)
        return 77
    try:
        year = read_year(path, arguments.limit)
        if arguments.command != "run":
            return report(year, arguments)
    except (ValueError, KeyError, IndexError, StopIteration, OSError, EOFError, lzma.LZMAError, csv.Error) as error:
        print(f"model: {error!r}", file=sys.stderr)
        return 2
    outcome = sequential(year)
    counts = {"orders": len(year.lines), "lines": sum(map(len, year.lines.values())), "skus": len(year.received),
              "received": sum(year.received.values())}
    print(json.dumps({"orders": outcome.status, "available": outcome.available, "counts": counts,
                      **outcome.figures()}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
