"""The checker by itself: histories by hand that it must take, and the same ones with a fault that it must see."""
import itertools
import random
import unittest

from tests.histories.checker import OK, UNDECIDED, VIOLATION, Operation, check
from tests.histories.models import Cart, Stock, model_of

UNKNOWN = None
STOCK = Stock(known=True, on_hand=10, received=10, version=1)


def operations(*rows):
    """(began, ended, type, body, answer) with an optional request id behind; the repeated ids are found here."""
    ids = [row[5] for row in rows if len(row) > 5]
    repeated = {id for id in ids if ids.count(id) > 1}
    return [Operation(began, ended, model_of(type, body, rest[0] if rest else "", repeated), answer, f"{type} {body}")
            for began, ended, type, body, answer, *rest in rows]


def reserve(began, ended, id, quantity, left):
    answer = left if left is None else ("ok", (left,))
    return began, ended, "inventory.reserve", {"reservation_id": id, "quantity": quantity}, answer


def refused(began, ended, id, quantity, left):
    return began, ended, "inventory.reserve", {"reservation_id": id, "quantity": quantity}, ("insufficient_stock", (left,))


def release(began, ended, id, left):
    return began, ended, "inventory.release", {"reservation_id": id}, left if left is None else ("ok", ("released", left))


def get(began, ended, on_hand, reserved, version=1, received=10, committed=0):
    return (began, ended, "inventory.get", {},
            ("ok", (on_hand, reserved, on_hand - reserved, received, 0, committed, version)))


def receive(began, ended, quantity, answer, id):
    return began, ended, "inventory.receive", {"quantity": quantity}, answer, id


def add(began, ended, sku, quantity, lines, version):
    answer = None if lines is None else ("ok", (tuple((*line, None) for line in lines), version))
    return began, ended, "cart.add", {"sku": sku, "quantity": quantity}, answer


class Checker(unittest.TestCase):
    def takes(self, rows, initial=STOCK):
        verdict = check(operations(*rows), initial)
        self.assertEqual(verdict.outcome, OK, str(verdict))

    def sees(self, rows, initial=STOCK):
        verdict = check(operations(*rows), initial)
        self.assertEqual(verdict.outcome, VIOLATION, str(verdict))
        self.assertIn("nothing may come next", str(verdict))

    def test_one_after_another(self):
        self.takes([reserve(0, 1, "a", 4, 6), reserve(2, 3, "b", 6, 0), refused(4, 5, "c", 1, 0), get(6, 7, 10, 10)])

    def test_concurrent_operations_may_stand_in_either_order(self):
        self.takes([reserve(0, 9, "a", 4, 4), reserve(0, 9, "b", 2, 8), get(0, 9, 10, 2)])
        self.takes([reserve(0, 9, "a", 10, 0), refused(1, 2, "b", 1, 0)])

    def test_an_oversell_is_seen(self):
        self.sees([reserve(0, 5, "a", 6, 4), reserve(0, 5, "b", 6, 4)])

    def test_a_stale_read_is_seen(self):
        self.takes([reserve(0, 4, "a", 4, 6), get(1, 5, 10, 0)])
        self.sees([reserve(0, 4, "a", 4, 6), get(5, 6, 10, 0)])

    def test_a_read_that_goes_back_is_seen(self):
        self.sees([reserve(0, 9, "a", 4, 6), get(1, 2, 10, 4), get(3, 4, 10, 0)])

    def test_a_lost_update_is_seen(self):
        self.takes([add(0, 5, "x", 1, [("x", 1)], 1), add(0, 5, "x", 1, [("x", 2)], 2)], Cart())
        self.sees([add(0, 5, "x", 1, [("x", 1)], 1), add(0, 5, "x", 1, [("x", 1)], 1)], Cart())
        self.sees([add(0, 5, "x", 1, [("x", 1)], 1), add(0, 5, "y", 1, [("y", 1)], 2)], Cart())

    def test_a_double_effect_is_seen(self):
        first = ("ok", (15, 15, 2))
        self.takes([receive(0, 1, 5, first, "r"), receive(2, 3, 5, first, "r"), get(4, 5, 15, 0, 2, 15)])
        self.sees([receive(0, 1, 5, first, "r"), receive(2, 3, 5, ("ok", (20, 20, 3)), "r")])
        self.sees([receive(0, 1, 5, first, "r"), receive(2, 3, 5, first, "r"), get(4, 5, 20, 0, 3, 20)])
        self.sees([reserve(0, 1, "a", 4, 6), release(2, 3, "a", 10), release(4, 5, "a", 10), get(6, 7, 10, -4)])

    def test_a_repeat_gets_the_first_answer(self):
        self.takes([reserve(0, 1, "a", 4, 6), reserve(2, 3, "b", 1, 5), reserve(4, 5, "a", 4, 6)])
        self.sees([reserve(0, 1, "a", 4, 6), reserve(2, 3, "b", 1, 5), reserve(4, 5, "a", 4, 5)])

    def test_an_effect_of_a_refused_operation_is_seen(self):
        self.takes([reserve(0, 1, "a", 8, 2), refused(2, 3, "b", 3, 2), get(4, 5, 10, 8)])
        self.sees([reserve(0, 1, "a", 8, 2), refused(2, 3, "b", 3, 2), get(4, 5, 10, 10)])
        self.sees([refused(0, 1, "b", 3, 2), get(2, 3, 10, 0)])

    def test_what_is_unknown_may_have_happened_or_not(self):
        self.takes([reserve(0, 1, "a", 4, UNKNOWN), get(2, 3, 10, 0)])
        self.takes([reserve(0, 1, "a", 4, UNKNOWN), get(2, 3, 10, 4)])

    def test_what_is_unknown_may_happen_late_but_not_early_and_only_once(self):
        self.takes([reserve(0, 1, "a", 4, UNKNOWN), get(2, 3, 10, 0), get(8, 9, 10, 4)])
        self.sees([get(0, 1, 10, 4), reserve(2, 3, "a", 4, UNKNOWN)])
        self.sees([reserve(0, 1, "a", 4, UNKNOWN), get(2, 3, 10, 4), get(4, 5, 10, 0)])
        self.sees([reserve(0, 1, "a", 4, UNKNOWN), get(2, 3, 10, 8)])

    def test_what_is_unknown_can_explain_a_refusal(self):
        self.takes([reserve(0, 1, "a", 8, UNKNOWN), refused(2, 3, "b", 3, 2)])
        self.sees([reserve(0, 1, "a", 8, UNKNOWN), refused(2, 3, "b", 3, 1)])

    def test_a_search_that_is_too_long_is_undecided(self):
        many = [reserve(0, 100, f"u{i}", 1 + i, UNKNOWN) for i in range(24)]
        impossible = Stock(known=True, on_hand=10_000, received=10_000, version=1)
        last = get(200, 201, 10_000, 9_999, received=10_000)
        self.assertEqual(check(operations(*many, last), impossible, seconds=60, states_max=20_000).outcome, UNDECIDED)

    def test_it_decides_as_trying_every_order_does(self):
        """Small random histories, true and spoilt, against the definition."""
        rng, seen = random.Random(1), {OK: 0, VIOLATION: 0}
        for _ in range(300):
            history = self.random_history(rng)
            verdict, expected = check(history, STOCK).outcome, self.by_definition(history)
            self.assertEqual(verdict, expected, history)
            seen[verdict] += 1
        self.assertGreater(min(seen.values()), 50, seen)

    def random_history(self, rng):
        state, rows = STOCK, []
        for i in range(5):
            id = f"r{rng.randrange(4)}"
            type, body = rng.choice([("inventory.reserve", {"reservation_id": id, "quantity": 3}),
                                     ("inventory.release", {"reservation_id": id}), ("inventory.get", {}),
                                     ("inventory.adjust", {"delta": -2})])
            answer, state = model_of(type, body, f"id{i}", set())(state)
            if rng.random() < 0.15:
                answer = UNKNOWN
            rows.append([10 * i + rng.randrange(-15, 0), 10 * i + rng.randrange(1, 15), type, body, answer])
        if rng.random() < 0.6:
            one, other = rng.sample(rows, 2)
            one[4], other[4] = other[4], one[4]
        return operations(*rows)

    def by_definition(self, history):
        unknown = [operation for operation in history if operation.answer is None]
        known = [operation for operation in history if operation.answer is not None]
        for count in range(len(unknown) + 1):
            for taken in itertools.combinations(unknown, count):
                for order in itertools.permutations(known + list(taken)):
                    if self.respects_time(order) and self.is_answered(order):
                        return OK
        return VIOLATION

    def respects_time(self, order):
        return all(not (later.answer is not None and later.ended < earlier.began)
                   for earlier, later in itertools.combinations(order, 2))

    def is_answered(self, order):
        state = STOCK
        for operation in order:
            answer, state = operation.model(state)
            if operation.answer is not None and answer != operation.answer:
                return False
        return True


if __name__ == "__main__":
    unittest.main()
