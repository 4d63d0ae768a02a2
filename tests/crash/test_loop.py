# SPDX-License-Identifier: Apache-2.0
"""The kill loop in short: every way to end once. And that it would notice."""
import copy
import random
import unittest

from tests.crash.ledger import Finding
from tests.crash.loop import Loop, Witness
from tests.crash.ways import WAYS, Way


class KillLoop(unittest.TestCase):
    def test_every_way_to_end_once(self):
        with Loop("short") as loop:
            for number, way in enumerate(loop.rng.sample(WAYS, len(WAYS))):
                with self.subTest(loop.live(way)):
                    if number % 4 == 0:
                        loop.audit()
            loop.close()

    def test_what_a_start_made_is_there_after_a_power_cut(self):
        """The names of new directories: those of a new shop, and of a database that a reshape made."""
        with Loop("new names") as loop:
            loop.live(Way("a new shop"), answers=100, cuts=("hard",))
            loop.live(Way("started again"), answers=100, cuts=(None,))
            loop.shop.reshape(inventory=3, order=3)
            loop.live(Way("more actors"), answers=100, cuts=("hard",))
            loop.close()


class Canaries(unittest.TestCase):
    def test_a_disk_that_lies_about_syncs_is_noticed(self):
        with Loop("lie") as loop:
            loop.live(Way("once"), answers=200)
            loop.live(Way("it lies", "sync:any:150+=lie"), answers=800, cuts=("hard",))
            with self.assertRaises(AssertionError) as noticed:
                loop.start()
                loop.close()
            self.assertRegex(str(noticed.exception), "is gone|is none of|answered|restore|audit|is not|was")

    def test_each_kind_of_knowledge_is_compared(self):
        """Whatever the ledger knows falsely, a look at the node finds out."""
        lies = {"received": lambda ledger: setattr(ledger.received["sku-0"], "known", ledger.received["sku-0"].known + 1),
                "adjusted": lambda ledger: setattr(ledger.adjusted["sku-0"], "known", ledger.adjusted["sku-0"].known - 1),
                "committed": lambda ledger: setattr(ledger.committed["sku-0"], "known", ledger.committed["sku-0"].known + 1),
                "a hold": lambda ledger: ledger.holds.update({("sku-0", "never"): (1, {"held"}, False)}),
                "a cart": lambda ledger: ledger.carts.update({"cart-0": [{"sku-0": 77}]}),
                "a product": lambda ledger: ledger.products.update({"product-0": {"another"}}),
                "an order's end": lambda ledger: setattr(next(iter(ledger.orders.values())), "status", "delivered"),
                "a reply": lambda ledger: ledger.replies.append((*ledger.replies[-1][:4], ("ok", {"version": 0})))}
        with Loop("canary") as loop:
            loop.start()
            loop.load.run(loop.shop, answers=800)
            loop.rest()
            for what, lie in lies.items():
                with self.subTest(what):
                    ledger = copy.deepcopy(loop.load.ledger)
                    lie(ledger)
                    with Witness(loop.shop) as witness, self.assertRaises(Finding):
                        ledger.check(witness, random.Random(1), rest=True)


if __name__ == "__main__":
    unittest.main()
