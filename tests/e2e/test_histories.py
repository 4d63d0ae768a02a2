"""Histories of concurrent clients on one SKU and one cart are linearizable (Wing & Gong, 1993, with memory of seen states)."""
import random
import threading
import time
import unittest

from tests.e2e.shop import Shop, gbp


class Operation:
    def __init__(self, began, ended, apply, answer, name):
        self.began, self.ended, self.apply, self.answer, self.name = began, ended, apply, answer, name


def linearizable(operations, initial):
    """Is there an order that respects real time and in which each answer is what the model answers?

    `apply(state)` returns (answer, next state); states are hashable. Depth first over the operations that may come next
    (those that began before the earliest end of all that are left), remembering (done, state).
    """
    operations = sorted(operations, key=lambda o: o.began)
    seen, stack = set(), [(frozenset(), initial)]
    while stack:
        done, state = stack.pop()
        if len(done) == len(operations):
            return True
        if (done, state) in seen:
            continue
        seen.add((done, state))
        horizon = min(o.ended for i, o in enumerate(operations) if i not in done)
        for i, operation in enumerate(operations):
            if operation.began > horizon:
                break
            if i in done:
                continue
            answer, after = operation.apply(state)
            if answer == operation.answer:
                stack.append((done | {i}, after))
    return False


def reserve(id, quantity):
    def apply(state):  # (free, holds)
        free, holds = state
        if quantity > free:
            return ("insufficient_stock", free), state
        return ("ok", free - quantity), (free - quantity, holds | {(id, quantity)})
    return apply


def release(id, quantity):
    def apply(state):
        free, holds = state
        if (id, quantity) not in holds:
            return ("reservation_not_found", None), state
        return ("ok", free + quantity), (free + quantity, holds - {(id, quantity)})
    return apply


class Histories(unittest.TestCase):
    def run_clients(self, shop, count, work):
        operations, lock = [], threading.Lock()

        def one(number):
            client, rng = shop.client(), random.Random(number)
            for operation in work(client, rng, number):
                with lock:
                    operations.append(operation)
            client.close()
        threads = [threading.Thread(target=one, args=(n,)) for n in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return operations

    def stock_work(self, client, rng, number):
        mine = []
        for i in range(25):
            began = time.monotonic()
            if mine and rng.random() < 0.45:
                id, quantity = mine.pop(rng.randrange(len(mine)))
                status, body = client.ask("inventory.release", "sku", {"reservation_id": id})
                yield Operation(began, time.monotonic(), release(id, quantity), (status, body.get("available")), f"release {id}")
            else:
                id, quantity = f"r{number}-{i}", rng.randint(1, 3)
                status, body = client.ask("inventory.reserve", "sku", {"reservation_id": id, "quantity": quantity})
                available = body["available"] if status == "ok" else body["shortages"][0]["available"]
                if status == "ok":
                    mine.append((id, quantity))
                yield Operation(began, time.monotonic(), reserve(id, quantity), (status, available), f"reserve {id}")

    def test_failure_7_reservations_of_one_sku_are_linearizable(self):
        """spree #10697, #3808: a lock outside the transaction is no lock. Checked on histories, not on locks."""
        with Shop() as shop:
            client = shop.client()
            client.call("inventory.receive", "sku", {"quantity": 12})
            operations = self.run_clients(shop, 6, self.stock_work)
            client.close()
            self.assertEqual(len(operations), 150)
            self.assertGreater(sum(o.answer[0] == "insufficient_stock" for o in operations), 3, "the stock was scarce")
            self.assertTrue(linearizable(operations, (12, frozenset())))
            # canary: the checker must see an oversell
            index = next(i for i, o in enumerate(operations) if o.answer[0] == "insufficient_stock")
            operations[index].answer = ("ok", 11)
            self.assertFalse(linearizable(operations, (12, frozenset())))

    def test_carts_are_linearizable(self):
        def add(sku):
            def apply(state):
                after = tuple(sorted((dict(state) | {sku: dict(state).get(sku, 0) + 1}).items()))
                return after, after
            return apply

        def work(client, rng, number):
            for _ in range(15):
                sku = rng.choice("abc")
                began = time.monotonic()
                body = client.call("cart.add", "cart", {"sku": sku, "quantity": 1})
                yield Operation(began, time.monotonic(), add(sku),
                                tuple(sorted((l["sku"], l["quantity"]) for l in body["lines"])), f"add {sku}")
        with Shop() as shop:
            self.assertTrue(linearizable(self.run_clients(shop, 5, work), ()))


if __name__ == "__main__":
    unittest.main()
