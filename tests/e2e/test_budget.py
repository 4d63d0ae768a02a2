"""What one order costs in records written and synced turns in a row (DESIGN: checkout budget). Counted, never timed."""
import unittest

from tests.e2e.shop import Shop, gbp


class Budget(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = Shop()
        cls.shop.start()
        cls.client = cls.shop.client()

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.shop.__exit__()

    def counts(self):
        self.shop.settle(self.client)
        actors = self.shop.status(self.client)["actors"]
        return {what: sum(a[what] for a in actors) for what in ("puts", "deletes", "commits", "bytes")}

    def cost(self, place):
        before = self.counts()
        place()
        after = self.counts()
        return {what: after[what] - before[what] for what in after}

    def place(self, order, **body):
        self.client.call("order.place", order, {"user_id": "u", "payment_method": "pm_card_visa", **body})

    def lines(self, count):
        return [{"sku": f"sku-{i}", "quantity": 1, "unit_price": gbp(100)} for i in range(count)]

    def stocked(self, count):
        for i in range(count):
            self.client.send("inventory.receive", f"sku-{i}", {"quantity": 100000})
        for i in range(count):
            self.assertEqual(self.client.receive()[1], "ok")

    def test_a_one_line_order(self):
        self.stocked(1)
        cost = self.cost(lambda: self.place("one", lines=self.lines(1)))
        self.assertLessEqual(cost["puts"] + cost["deletes"], 16, cost)
        self.assertLessEqual(cost["commits"], 12, cost)  # 11 in a row; the authorized note runs beside them

    def test_a_one_line_order_from_a_cart(self):
        self.stocked(1)
        self.client.call("cart.add", "cart", {"sku": "sku-0", "quantity": 1, "price": gbp(100)})
        cost = self.cost(lambda: self.place("from-cart", cart_id="cart"))
        self.assertLessEqual(cost["puts"] + cost["deletes"], 20, cost)
        self.assertLessEqual(cost["commits"], 16, cost)  # 13 in a row; the note, the cart's end and its answer run beside them

    def test_each_further_line(self):
        self.stocked(2000)
        one = self.cost(lambda: self.place("l1", lines=self.lines(1)))
        bytes_per_line = {}
        for count in (101, 1001, 2000):
            many = self.cost(lambda: self.place(f"l{count}", lines=self.lines(count)))
            records = many["puts"] + many["deletes"] - one["puts"] - one["deletes"]
            # answers of many lines may come in a few turns more: each writes the order once
            self.assertLessEqual(records, 4 * (count - 1) + 24, (count, many))
            bytes_per_line[count] = (many["bytes"] - one["bytes"]) / (count - 1)
        self.assertLess(bytes_per_line[2000], bytes_per_line[101] * 1.25, bytes_per_line)

    def test_a_hot_sku_writes_one_record_a_command(self):
        self.client.call("inventory.receive", "hot", {"quantity": 100000})
        for verb in ("reserve", "commit"):
            before = self.counts()
            for i in range(1000):
                more = {"quantity": 1} if verb == "reserve" else {}
                self.client.send(f"inventory.{verb}", "hot", {"reservation_id": f"r{i}", **more})
            for _ in range(1000):
                self.assertEqual(self.client.receive()[1], "ok")
            after = self.counts()
            turns = after["commits"] - before["commits"]
            records = after["puts"] + after["deletes"] - before["puts"] - before["deletes"]
            self.assertLessEqual(records, 1000 + 4 * turns, verb)


if __name__ == "__main__":
    unittest.main()
