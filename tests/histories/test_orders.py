"""The judge of orders by itself: a sound shop by hand, and each way in which it could be unsound."""
import copy
import unittest

from tests.histories.orders import Order, faults


def gbp(pence):
    return {"amount": pence, "currency": "GBP"}


def view(status, quantity=2):
    return {"status": status, "total": gbp(200), "lines": [{"sku": "tea", "quantity": quantity}]}


def money(captured, refunded=0):
    return {"captured": gbp(captured), "refunded": gbp(refunded)}


class Shop:
    def __init__(self):
        self.sold = Order("sold", {"cart_id": "basket"}, [("ok", view("created")), ("ok", view("confirmed"))],
                          view("confirmed"), money(200))
        self.cancelled = Order("cancelled", {"lines": []}, [("ok", view("confirmed"))], view("cancelled"), money(200, 200),
                               cancelled=True)
        self.refused = Order("refused", {"cart_id": "basket"}, [("payment_declined", view("payment_failed"))],
                             view("payment_failed"), money(0))
        self.unheard = Order("unheard", {"lines": []})
        self.stock = {"tea": {"committed_orders": 4, "restocked": 2, "reserved": 0}}
        self.events = {"sold": ["order_created", "payment_captured", "order_confirmed"]}

    def faults(self):
        return list(faults([self.sold, self.cancelled, self.refused, self.unheard], self.stock, self.events))


class Orders(unittest.TestCase):
    def sees(self, spoil, *words):
        shop = Shop()
        spoil(shop)
        found = "\n".join(shop.faults())
        for word in words:
            self.assertIn(word, found)

    def test_a_sound_shop_has_no_faults(self):
        self.assertEqual(Shop().faults(), [])

    def test_an_acknowledged_order_that_is_gone_is_seen(self):
        self.sees(lambda shop: setattr(shop.sold, "view", None), "sold: was acknowledged and is not there")

    def test_an_answer_that_changes_is_seen(self):
        self.sees(lambda shop: shop.sold.view.update(status="cancelled"), "sold: was answered confirmed and is cancelled")
        self.sees(lambda shop: shop.refused.view.update(status="confirmed"), "was answered payment_failed and is confirmed")
        self.sees(lambda shop: shop.sold.answers.append(("ok", view("confirmed") | {"total": gbp(100)})), "totals [100, 200]")
        self.sees(lambda shop: shop.sold.answers.append(("order_exists", {"field": "lines"})), "refused as another")

    def test_money_that_moved_twice_or_not_at_all_is_seen(self):
        self.sees(lambda shop: setattr(shop.sold, "payment", money(400)), "sold: total 200, captured 400")
        self.sees(lambda shop: setattr(shop.sold, "payment", None), "sold: total 200, captured 0")
        self.sees(lambda shop: setattr(shop.refused, "payment", money(200)), "refused: not confirmed, captured 200")

    def test_goods_that_left_twice_or_are_held_for_ever_are_seen(self):
        self.sees(lambda shop: shop.stock["tea"].update(committed_orders=6), "tea: 2 in confirmed orders, 6 committed")
        self.sees(lambda shop: shop.stock["tea"].update(reserved=2), "tea: 2 held")

    def test_a_cart_bought_twice_is_seen(self):
        def spoil(shop):
            shop.refused = copy.deepcopy(shop.sold)
            shop.refused.id = "again"
        self.sees(spoil, "basket: bought by again, sold")

    def test_events_that_are_told_twice_or_not_at_all_are_seen(self):
        self.sees(lambda shop: shop.events["sold"].append("payment_captured"), "sold: payment_captured 2 times")
        self.sees(lambda shop: shop.events.clear(), "sold: confirmed without its event")


if __name__ == "__main__":
    unittest.main()
