# SPDX-License-Identifier: Apache-2.0
"""Converter and model of examples/online-retail: each rule on a few hand-written rows, both against the same
expectation; the judge and its canaries; and, where the data are, the two against each other on the real year.

    python3 -m unittest discover -s tests/year"""

import csv
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "online-retail"
sys.path.insert(0, str(EXAMPLE))
import convert  # noqa: E402
import model  # noqa: E402

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"


def row(invoice="536365", code="10001", title="MUG", quantity=1, price="1.00", user="17850.0"):
    return [invoice, code, title, str(quantity), "2010-12-01 08:26:00", price, user, "United Kingdom"]


def csv_text(rows, end="\n"):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end).writerows([HEADER.split(","), *rows])
    return text.getvalue()


def commands(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def pence(money):
    assert money["currency"] == "GBP", money
    return money["amount"]


def converted(source, limit=None):
    """What the converter's files say, in the form of `modelled`."""
    with tempfile.TemporaryDirectory() as name:
        out = pathlib.Path(name)
        convert.convert(pathlib.Path(source), out, limit)
        catalog, stock, orders = (commands(out / f"{each}.ndjson") for each in ("catalog", "stock", "orders"))
    for prefix, kind, list_ in (("put", "catalog.put", catalog), ("receive", "inventory.receive", stock),
                                ("place", "order.place", orders)):
        for each in list_:
            assert (each["id"], each["type"]) == (f"{prefix}-{each['key']}", kind), each
    assert all(each["body"]["wait_ms"] == 60000 for each in orders)
    return {
        "orders": {each["key"]: (each["body"]["user_id"], each["body"]["payment_method"],
                                 [(line["sku"], line["quantity"], pence(line["unit_price"]))
                                  for line in each["body"]["lines"]]) for each in orders},
        "catalog": {each["key"]: (each["body"]["title"], pence(each["body"]["price"])) for each in catalog},
        "received": {each["key"]: each["body"]["quantity"] for each in stock}}


def modelled(year):
    return {
        "orders": {order: (year.users[order], year.method(order),
                           [(sku, quantity, price) for (sku, price), quantity in lines.items()])
                   for order, lines in year.lines.items()},
        "catalog": {sku: (year.titles[sku], price) for sku, price in year.prices.items()},
        "received": year.received}


class Cases(unittest.TestCase):
    def both(self, rows, limit=None, text=None):
        """Converter and model read the same rows; they must agree, in order too."""
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name) / "year.csv"
            path.write_bytes((csv_text(rows) if text is None else text).encode())
            left, right = converted(path, limit), modelled(model.read_year(str(path), limit))
        self.assertEqual(left, right)
        for part in ("orders", "catalog", "received"):
            self.assertEqual(list(left[part]), list(right[part]))
        return left


class Rules(Cases):
    def test_a_sku_is_five_digits_and_up_to_two_letters_trimmed_and_upper_cased(self):
        good = ["10001", "10002a", " 10003ab ", "10004B"]
        bad = ["1000", "100011", "10001abc", "a10001", "POST", "D", "", "10 01", "１０００１", "10001ß", "10001-"]
        year = self.both([row(code=code) for code in good + bad])
        self.assertEqual(list(year["received"]), ["10001", "10002A", "10003AB", "10004B"])

    def test_case_and_spaces_do_not_make_two_skus(self):
        year = self.both([row(code="10001a"), row(code="10001A "), row(code=" 10001A")])
        self.assertEqual(year["orders"]["536365"][2], [("10001A", 3, 100)])

    def test_only_invoices_of_digits_are_sales(self):
        year = self.both([row("C536365"), row("A536366"), row("536367"), row(""), row("53636X"), row("５")])
        self.assertEqual(list(year["orders"]), ["536367"])

    def test_a_quantity_of_zero_or_less_is_no_sale(self):
        year = self.both([row(quantity=0), row(quantity=-3), row(quantity=2)])
        self.assertEqual(year["orders"]["536365"][2], [("10001", 2, 100)])

    def test_a_price_of_zero_or_less_is_no_sale(self):
        year = self.both([row("1", price="0.0"), row("2", price="0"), row("3", price="-11062.06"),
                          row("4", price="-0.5"), row("5", price="0.01")])
        self.assertEqual(list(year["orders"]), ["5"])

    def test_an_invoice_without_a_sale_row_is_no_order(self):
        year = self.both([row("1", code="POST"), row("2", quantity=-1)])
        self.assertEqual(year, {"orders": {}, "catalog": {}, "received": {}})

    def test_prices_are_rounded_half_up_to_pence(self):
        for text, want in (("2.55", 255), ("1.005", 101), ("1.015", 102), ("2.675", 268), ("0.125", 13), ("0.004", 0),
                           ("0.005", 1), ("1.0049999999999999", 100), ("7", 700), ("7.", 700), (".5", 50),
                           ("4.95", 495), ("38970.0", 3897000)):
            with self.subTest(text):
                self.assertEqual(self.both([row(price=text)])["orders"]["536365"][2], [("10001", 1, want)])

    def test_rows_of_one_sku_and_price_are_summed_at_their_first_place(self):
        year = self.both([row(quantity=1), row(code="10002"), row(quantity=2), row(price="1.10"), row(price="1.001")])
        self.assertEqual(year["orders"]["536365"][2], [("10001", 4, 100), ("10002", 1, 100), ("10001", 1, 110)])

    def test_an_order_s_rows_need_not_stand_together(self):
        year = self.both([row("2"), row("1"), row("2", code="10002")])
        self.assertEqual(list(year["orders"]), ["2", "1"])
        self.assertEqual([sku for sku, _, _ in year["orders"]["2"][2]], ["10001", "10002"])

    def test_the_user_is_the_customer_or_guest(self):
        year = self.both([row("1", user="17850.0"), row("2", user=""), row("3", user="17850"), row("4", user="100.0")])
        self.assertEqual([user for user, _, _ in year["orders"].values()], ["17850", "guest", "17850", "100"])

    def test_invoices_divisible_by_50_are_declined(self):
        year = self.both([row(invoice) for invoice in ("536350", "536400", "536365", "536355", "50", "5")])
        self.assertEqual([method == "pm_card_chargeDeclined" for _, method, _ in year["orders"].values()],
                         [True, True, False, False, True, False])

    def test_the_title_is_the_most_frequent_one_trimmed(self):
        year = self.both([row(title="CUP"), row(title=" MUG "), row(title="MUG"), row("C1", title="CUP"),
                          row(title="CUP", price="0.0"), row(title="CUP", quantity=-1)])
        self.assertEqual(year["catalog"]["10001"][0], "MUG")

    def test_of_titles_seen_equally_often_the_first_wins(self):
        year = self.both([row(title="CUP"), row(title="MUG"), row(title="MUG"), row(title="CUP"), row(title="POT")])
        self.assertEqual(year["catalog"]["10001"][0], "CUP")

    def test_a_missing_title_does_not_count_and_the_sku_stands_in(self):
        year = self.both([row(title=""), row(title=" "), row(title="MUG"), row(code="10002", title="")])
        self.assertEqual([title for title, _ in year["catalog"].values()], ["MUG", "10002"])

    def test_the_catalog_price_is_that_of_the_first_sale_row(self):
        year = self.both([row("C1", price="9.00"), row(price="2.00"), row(price="1.00"), row(price="1.00")])
        self.assertEqual(year["catalog"]["10001"][1], 200)

    def test_nine_tenths_of_the_units_are_received_rounded_up(self):
        for units, want in ((1, 1), (2, 2), (9, 9), (10, 9), (11, 10), (19, 18), (20, 18), (21, 19), (1000001, 900001)):
            with self.subTest(units):
                self.assertEqual(self.both([row(quantity=units)])["received"], {"10001": want})
        year = self.both([row("1", quantity=6), row("2", quantity=14, price="3.00"), row("C3", quantity=5)])
        self.assertEqual(year["received"], {"10001": 18})

    def test_csv_quotes_line_ends_and_letters_beyond_ascii(self):
        title = 'MUG, "LARGE"\nÉTÉ £5'
        for end in ("\n", "\r\n"):
            year = self.both(None, text=csv_text([row(title=title), row("2", code="10002")], end))
            self.assertEqual(year["catalog"]["10001"][0], title)
            self.assertEqual(year["orders"]["2"][0], "17850")

    def test_limit_takes_the_first_orders_and_their_rows_only(self):
        rows = [row("1", quantity=10), row("C2"), row("3", code="10002"), row("4", quantity=90), row("1", title="CUP")]
        year = self.both(rows, limit=2)
        self.assertEqual(list(year["orders"]), ["1", "3"])
        self.assertEqual(year["received"], {"10001": 10, "10002": 1})
        self.assertEqual(self.both(rows, limit=99), self.both(rows))

    def test_numbers_that_are_none_are_errors_not_guesses(self):
        for wrong in (row(price="1,50"), row(price="1.0.0"), row(quantity="two")):
            for read in (lambda path: convert.read(pathlib.Path(path)), model.read_year):
                with tempfile.TemporaryDirectory() as name, self.subTest(wrong=wrong):
                    path = pathlib.Path(name) / "year.csv"
                    path.write_text(csv_text([wrong]))
                    self.assertRaises(ValueError, read, str(path))


def year_with(stock, *rows):
    year = model.year_of([HEADER.split(","), *rows])
    year.received.update(stock)
    return year


class Decisions(unittest.TestCase):
    def decide(self, stock, *rows):
        outcome = model.sequential(year_with(stock, *rows))
        return list(outcome.status.values()), outcome

    def test_the_last_unit_is_sold_and_not_once_more(self):
        status, outcome = self.decide({"10001": 3}, row("1", quantity=2), row("2"), row("3"))
        self.assertEqual(status, ["confirmed", "confirmed", "out_of_stock"])
        self.assertEqual((outcome.captured, outcome.units_sold, outcome.available), (300, 3, {"10001": 0}))

    def test_one_short_line_refuses_the_whole_order(self):
        status, outcome = self.decide({"10001": 1, "10002": 5}, row("1", quantity=2), row("1", code="10002"),
                                      row("2", code="10002", quantity=5))
        self.assertEqual(status, ["out_of_stock", "confirmed"])
        self.assertEqual(outcome.shortages, {"1": [("10001", 2, 1)]})

    def test_lines_of_one_sku_are_held_together(self):
        status, outcome = self.decide({"10001": 3}, row("1", quantity=2), row("1", quantity=2, price="2.00"))
        self.assertEqual(status, ["out_of_stock"])
        self.assertEqual(outcome.shortages, {"1": [("10001", 4, 3)]})

    def test_a_declined_order_charges_nothing_and_gives_back(self):
        status, outcome = self.decide({"10001": 1}, row("50"), row("51"))
        self.assertEqual(status, ["payment_failed", "confirmed"])
        self.assertEqual((outcome.captured, outcome.available), (100, {"10001": 0}))

    def test_stock_is_asked_before_the_payment(self):
        self.assertEqual(self.decide({"10001": 0}, row("50"))[0], ["out_of_stock"])

    def test_a_total_of_zero_needs_no_payment(self):
        self.assertEqual(self.decide({"10001": 1}, row("50", price="0.001"))[0], ["confirmed"])


def money(amount):
    return {"amount": amount, "currency": "GBP"}


def replies_of(year, outcome):
    """What a node that decides as `outcome` would have answered."""
    orders = {}
    for order, lines in year.lines.items():
        status = outcome.status[order]
        body = {"status": status, "stage": model.STAGE[status], "total": money(year.total(order)),
                "lines": [{"sku": sku, "quantity": quantity, "unit_price": money(price)}
                          for (sku, price), quantity in lines.items()]}
        if status == "out_of_stock":
            names = ("sku", "requested", "available")
            body["shortages"] = [dict(zip(names, each)) for each in outcome.shortages[order]]
        orders[order] = {"id": f"place-{order}", "key": order, "status": model.ENVELOPE[status], "body": body}
    stock = {sku: {"id": f"get-{sku}", "key": sku, "status": "ok", "body": {
        "on_hand": left, "reserved": 0, "available": left, "received": year.received[sku],
        "committed": year.received[sku] - left}} for sku, left in outcome.available.items()}
    return orders, stock


class Judge(unittest.TestCase):
    """Every kind of fault is planted once; the judge must find it."""

    def setUp(self):
        self.year = year_with({"10001": 3, "10002": 2}, row("1", quantity=2), row("2", code="10002"), row("50"),
                              row("51", quantity=2), row("51", code="10002"))
        self.orders, self.stock = replies_of(self.year, model.sequential(self.year))

    def judge(self, exact, orders=None):
        with tempfile.TemporaryDirectory() as name:
            paths = [f"{name}/orders", f"{name}/stock"]
            for path, replies in zip(paths, (orders or self.orders.values(), self.stock.values())):
                with open(path, "w", encoding="utf-8") as file:
                    file.writelines(json.dumps(reply) + "\n" for reply in replies)
            return model.judge(self.year, *paths, exact)

    def wrong(self, text, both=True):
        for exact in (True, False):
            found = [line for line in self.judge(exact)[1] if text in line]
            self.assertEqual(bool(found), exact or both, f"exact={exact}: {text}")

    def test_what_the_model_says_is_right(self):
        self.assertEqual([reply["body"]["status"] for reply in self.orders.values()],
                         ["confirmed", "confirmed", "payment_failed", "out_of_stock"])
        for exact in (True, False):
            seen, wrong = self.judge(exact)
            self.assertEqual(wrong, [])
            self.assertEqual(seen.figures(), model.sequential(self.year).figures())

    def test_another_order_of_arrival_is_right_but_not_equal(self):
        other = model.Year()
        vars(other).update(vars(self.year))
        other.lines = dict(reversed(self.year.lines.items()))
        self.orders, self.stock = replies_of(other, model.sequential(other))
        self.assertEqual(self.judge(exact=False)[1], [])
        self.assertTrue(self.judge(exact=True)[1])

    def test_a_lost_a_doubled_and_an_unasked_reply(self):
        replies = list(self.orders.values())
        for text, orders in (("order 51: no reply", replies[:-1]), ("order 1: answered twice", [replies[0], *replies]),
                             ("order 9: nobody asked", [*replies, replies[0] | {"key": "9"}])):
            for exact in (True, False):
                self.assertIn(text, self.judge(exact, orders)[1])

    def test_an_oversold_sku(self):
        self.orders["51"] |= {"status": "ok"}
        self.orders["51"]["body"] |= {"status": "confirmed", "stage": "paid"}
        self.wrong("stock 10001: 3 received, 1 more sold")

    def test_a_declined_method_that_was_confirmed(self):
        self.orders["50"] |= {"status": "ok"}
        self.orders["50"]["body"] |= {"status": "confirmed", "stage": "paid"}
        self.wrong("order 50: confirmed, and")

    def test_stock_that_did_not_come_back(self):
        self.stock["10002"]["body"] |= {"available": 0, "on_hand": 0}
        self.wrong("stock 10002: available is 0, not 1")

    def test_a_hold_that_stayed(self):
        self.stock["10002"]["body"]["reserved"] = 1
        self.wrong("stock 10002: reserved is 1, not 0")

    def test_another_total(self):
        self.orders["1"]["body"]["total"]["amount"] += 1
        self.wrong("order 1: total is")

    def test_another_line(self):
        self.orders["1"]["body"]["lines"][0]["quantity"] += 1
        self.wrong("order 1: its 1 lines are not")

    def test_a_status_that_is_no_end(self):
        self.orders["1"]["body"]["status"] = "inventory_reserved"
        self.wrong("order 1: answered ok, order status 'inventory_reserved'")

    def test_an_envelope_that_does_not_fit_its_order(self):
        self.orders["51"]["status"] = "ok"
        self.wrong("order 51: the reply's status is 'ok'")

    def test_a_shortage_that_is_none(self):
        self.orders["51"]["body"]["shortages"] = [{"sku": "10001", "requested": 2, "available": 2}]
        self.wrong("order 51: refused for 2 of 10001 while 2 were available")

    def test_another_shortage_is_only_wrong_in_a_sequential_run(self):
        self.orders["51"]["body"]["shortages"] = [{"sku": "10001", "requested": 2, "available": 0}]
        self.wrong("order 51: shortages", both=False)


class Commands(unittest.TestCase):
    def call(self, name, *words, **environment):
        return subprocess.run([sys.executable, EXAMPLE / name, *words], cwd="/", env={"PATH": "", **environment},
                              capture_output=True, text=True)

    def test_missing_data_are_skipped_with_77(self):
        with tempfile.TemporaryDirectory() as name:
            for command in (("convert.py", "-o", name), ("model.py", "run")):
                done = self.call(*command, SOUK_DATA=f"{name}/none.csv")
                self.assertEqual((done.returncode, done.stdout), (77, ""))
                self.assertRegex(done.stderr, r"\Askipped: no data at .*none\.csv.*\n\Z")

    def test_another_csv_is_refused(self):
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name) / "year.csv"
            path.write_text("a,b\n1,2\n")
            for command in (("convert.py", "-o", name), ("model.py", "run")):
                self.assertEqual(self.call(*command, path).returncode, 2)

    def test_convert_and_model_from_another_directory(self):
        with tempfile.TemporaryDirectory() as name:
            path = pathlib.Path(name) / "online_retail.csv"
            path.write_text(csv_text([row("1", quantity=10), row("C2"), row("50")]))
            done = self.call("convert.py", path, "-o", f"{name}/out")
            self.assertEqual((done.returncode, done.stdout), (0, ""))
            self.assertRegex(done.stderr, r"rows read +3\n +skipped: cancelled or adjusted +1\n")
            done = self.call("model.py", "run", SOUK_DATA=str(path))
            out = json.loads(done.stdout)
            self.assertEqual(out["orders"], {"1": "confirmed", "50": "out_of_stock"})
            self.assertEqual((out["captured"], out["units_sold"], out["available"]), (1000, 10, {"10001": 0}))

    def test_help(self):
        for command in (("convert.py",), ("model.py",), ("model.py", "compare"), ("run",)):
            self.assertEqual(self.call(*command, "--help").returncode, 0)


class RealYear(Cases):
    def setUp(self):
        self.path = convert.find_data(None)
        if not self.path.is_file():
            print(f"\nskipped: no data at {self.path} (set SOUK_DATA)", file=sys.stderr)
            self.skipTest(f"no data at {self.path}")

    def test_converter_and_model_agree_on_every_line(self):
        left, year = converted(self.path), model.read_year(str(self.path))
        right = modelled(year)
        for part in ("orders", "catalog", "received"):
            self.assertTrue(list(left[part].items()) == list(right[part].items()), part)
        lines = [line for _, _, lines in left["orders"].values() for line in lines]
        self.assertEqual((len(left["orders"]), len(lines), len(left["received"])), (19773, 517703, 3791))
        self.assertEqual(sum(quantity * price for _, quantity, price in lines), sum(map(year.total, year.lines)))
        self.assertEqual(sum(left["received"].values()), 5020931)
        figures = model.sequential(year).figures()
        self.assertEqual(figures, {
            "confirmed": 17421, "refused": {"out_of_stock": 1978, "payment_failed": 374}, "captured": 799496902,
            "units_sold": 4418676, "stock_left": 602255})


if __name__ == "__main__":
    unittest.main()
