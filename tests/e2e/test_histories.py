"""Processes that ask for the same things while the node is killed: each SKU and each cart is linearizable, each order is at most one."""
import random
import unittest

from tests.histories.checker import UNDECIDED, VIOLATION
from tests.histories.run import check_objects, run


class Histories(unittest.TestCase):
    def test_failure_7_every_sku_and_cart_is_linearizable_and_every_order_at_most_one(self):
        """spree #10697, #3808: a lock outside the transaction is no lock. Checked on histories, not on locks."""
        report = run(seconds=5, seed=1, clients=4, kills=2)
        self.assertEqual(report.faults, [])
        self.assertEqual(report.keys(UNDECIDED), [])
        self.assertGreater(len(report.asked), 500, "clients asked")
        self.assertGreater(report.unknown, 5, "outcomes were unknown")
        self.assertGreater(sum(one.outcome == "insufficient_stock" for one in report.asked), 20, "the stock was scarce")
        self.assertGreater(report.sold, 5, "orders were confirmed")
        self.spoil(report)

    def spoil(self, report):
        """Canary: in a true history one answer is changed, and that must be seen."""
        rng = random.Random(1)
        for type, fact in (("inventory.reserve", "available"), ("inventory.receive", "on_hand"), ("cart.add", "version")):
            one = rng.choice([one for one in report.asked if one.type == type and one.outcome == "ok"])
            one.reply[fact] += 1
            _, verdict = check_objects([other for other in report.asked if other.key == one.key], 10)[one.key]
            self.assertEqual(verdict.outcome, VIOLATION, f"{type} with another {fact}")
            one.reply[fact] -= 1


if __name__ == "__main__":
    unittest.main()
