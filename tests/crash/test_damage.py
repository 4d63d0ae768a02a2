# SPDX-License-Identifier: Apache-2.0
"""Tails cut, bytes flipped, files lost, in short."""
import unittest

from tests.crash import damage


class Damage(unittest.TestCase):
    def all_of(self, cases, step=1):
        came = [damage.try_one(case) for case in list(cases)[::step]]
        self.assertTrue(came)
        return came

    def test_a_log_cut_in_its_last_records_loses_what_was_cut(self):
        with damage.cut_tails("short") as cases:
            self.assertEqual(set(self.all_of(cases, step=150)), {"whole"})

    def test_flipped_bytes(self):
        with damage.flips("short", places=2) as cases:
            self.assertIn("refused", self.all_of(cases, step=6))

    def test_what_is_lost_in_the_middle_is_refused(self):
        with damage.holes("short") as cases:
            came = self.all_of(cases)  # whole: what is lost was not needed any more
            self.assertLessEqual(set(came), {"refused", "whole"})
            self.assertGreaterEqual(came.count("refused"), 3)

    def test_parts_of_different_moments_are_refused(self):
        with damage.apart("short") as cases:
            self.assertEqual(set(self.all_of(cases)), {"refused"})


if __name__ == "__main__":
    unittest.main()
