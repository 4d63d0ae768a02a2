#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turn a shop's year ("Online Retail", CSV or CSV.xz) into souk commands.

Writes into the output directory, one JSON command on each line:
  catalog.ndjson   catalog.put for every SKU         (ids put-SKU)
  stock.ndjson     inventory.receive for every SKU   (ids receive-SKU)
  orders.ndjson    order.place for every order       (ids place-INVOICE)
Send the first two completely before the third. The rules are in README.md beside this file.
What was read, skipped and written is counted on stderr.
Exit code: 0 written, 2 the data or the arguments are wrong, 77 skipped because there are no data."""

import argparse
import collections
import csv
import functools
import json
import lzma
import os
import pathlib
import re
import sys
from decimal import ROUND_HALF_UP, Decimal

HERE = pathlib.Path(__file__).resolve().parent
DEFAULT = HERE.parents[1].parent / "shared" / "data" / "online_retail.csv.xz"
COLUMNS = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country".split(",")
PRODUCT = re.compile("[0-9]{5}[A-Za-z]{0,2}")
INVOICE = re.compile("[0-9]+")
CURRENCY = "GBP"

Sale = collections.namedtuple("Sale", "invoice sku title quantity price user")


class Sku:
    """What the catalog and the stock need to know of one SKU."""

    def __init__(self, price):
        self.price = price
        self.units = 0
        self.titles = collections.Counter()  # in order of first appearance


class Order:
    def __init__(self, user):
        self.user = user
        self.lines = {}  # (sku, price) -> quantity, in order of first appearance


@functools.lru_cache(maxsize=None)
def price_of(text):
    """(is it above zero, whole pence rounded half up)"""
    pounds = Decimal(text)
    return pounds > 0, int((pounds * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def sale_of(row):
    """A Sale, or the reason why this row is none."""
    code = row["StockCode"].strip()
    if not PRODUCT.fullmatch(code):
        return "not a product"
    if not INVOICE.fullmatch(row["InvoiceNo"]):
        return "cancelled or adjusted"
    quantity = int(row["Quantity"])
    if quantity <= 0:
        return "quantity not above zero"
    positive, pence = price_of(row["UnitPrice"])
    if not positive:
        return "price not above zero"
    user = row["CustomerID"].removesuffix(".0") or "guest"
    return Sale(row["InvoiceNo"], code.upper(), row["Description"].strip(), quantity, pence, user)


def open_text(path):
    opener = lzma.open if path.suffix == ".xz" else open
    return opener(path, "rt", encoding="utf-8", newline="")


def read(path, limit=None):
    """(orders by id, SKUs by code, count of rows, skipped rows by reason); of the first `limit` orders only."""
    orders, skus, rows, skipped = {}, {}, 0, collections.Counter()
    with open_text(path) as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != COLUMNS:
            raise ValueError(f"{path}: the header is not {','.join(COLUMNS)}")
        for rows, row in enumerate(reader, 1):
            try:
                sale = sale_of(row)
            except (ValueError, ArithmeticError, AttributeError) as error:
                raise ValueError(f"{path}: data row {rows}: {error!r}") from error
            if isinstance(sale, str):
                skipped[sale] += 1
                continue
            if sale.invoice not in orders:
                if limit is not None and len(orders) >= limit:
                    skipped["beyond --limit"] += 1
                    continue
                orders[sale.invoice] = Order(sale.user)
            lines = orders[sale.invoice].lines
            line = sale.sku, sale.price
            lines[line] = lines.get(line, 0) + sale.quantity
            if sale.sku not in skus:
                skus[sale.sku] = Sku(sale.price)
            sku = skus[sale.sku]
            sku.units += sale.quantity
            if sale.title:
                sku.titles[sale.title] += 1
    return orders, skus, rows, skipped


def money(pence):
    return {"amount": pence, "currency": CURRENCY}


def catalog_put(code, sku):
    title = max(sku.titles, key=sku.titles.get, default=code)  # the first of equals
    return {"id": f"put-{code}", "type": "catalog.put", "key": code,
            "body": {"title": title, "price": money(sku.price)}}


def inventory_receive(code, sku):
    return {"id": f"receive-{code}", "type": "inventory.receive", "key": code,
            "body": {"quantity": (9 * sku.units + 9) // 10}}


def order_place(invoice, order):
    method = "pm_card_chargeDeclined" if int(invoice) % 50 == 0 else "pm_card_visa"
    lines = [{"sku": sku, "quantity": quantity, "unit_price": money(price)}
             for (sku, price), quantity in order.lines.items()]
    return {"id": f"place-{invoice}", "type": "order.place", "key": invoice,
            "body": {"user_id": order.user, "payment_method": method, "lines": lines, "wait_ms": 60000}}


def write(path, commands):
    with open(path, "w", encoding="utf-8") as file:
        for command in commands:
            file.write(json.dumps(command, ensure_ascii=False, separators=(",", ":")) + "\n")


def convert(source, out, limit=None):
    """Writes the three files; returns the counts as (name, number) pairs."""
    orders, skus, rows, skipped = read(source, limit)
    out.mkdir(parents=True, exist_ok=True)
    write(out / "catalog.ndjson", (catalog_put(*item) for item in skus.items()))
    write(out / "stock.ndjson", (inventory_receive(*item) for item in skus.items()))
    write(out / "orders.ndjson", (order_place(*item) for item in orders.items()))
    return [("rows read", rows), *((f"  skipped: {reason}", count) for reason, count in skipped.most_common()),
            ("SKUs", len(skus)), ("orders", len(orders)), ("lines", sum(len(order.lines) for order in orders.values())),
            ("units", sum(sku.units for sku in skus.values()))]


def find_data(argument):
    """The CSV's path: the argument, $SOUK_DATA (a file, or the directory it is in), or the default place."""
    path = pathlib.Path(argument or os.environ.get("SOUK_DATA") or DEFAULT)
    return path / DEFAULT.name if path.is_dir() else path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", nargs="?", help="online_retail.csv or .csv.xz (default: $SOUK_DATA, then "
                        "../shared/data/online_retail.csv.xz seen from the repository)")
    parser.add_argument("-o", "--out", type=pathlib.Path, required=True, metavar="DIR",
                        help="where the three files go; made if it is missing")
    parser.add_argument("--limit", type=int, metavar="N",
                        help="only the first N orders; catalog and stock then come from their rows alone")
    arguments = parser.parse_args()
    if arguments.limit is not None and arguments.limit < 1:
        parser.error("--limit must be at least 1")
    source = find_data(arguments.csv)
    if not source.is_file():
        print(f"skipped: no data at {source} (give a path or set SOUK_DATA)", file=sys.stderr)
        return 77
    try:
        counts = convert(source, arguments.out, arguments.limit)
    except (ValueError, OSError, EOFError, lzma.LZMAError, csv.Error) as error:
        print(f"convert: {error}", file=sys.stderr)
        return 2
    for name, count in counts:
        print(f"{name:<35}{count:>12,}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
