# SPDX-License-Identifier: Apache-2.0
"""The nth operation on the disk fails, or is the last: a few of each kind. tools/crash has them all."""
import unittest

from tests.crash.nth import SERIES, Story, tell_all
from tests.crash.ways import Way


class Nth(unittest.TestCase):
    def test_some_of_each_kind(self):
        told = tell_all("short", lambda line: None, wanted=3)
        for series in SERIES:
            self.assertGreaterEqual(told[series.name], 3)
        self.assertGreater(told["ended by themselves"], 0)

    def test_while_the_shop_is_made(self):
        told = tell_all("short", lambda line: None, wanted=5, fresh=True, series=SERIES[-1:])
        self.assertGreaterEqual(sum(told.values()), 5)

    def test_each_commit_of_a_start_is_the_last(self):
        """Also the one behind which an epoch counts as served: not all actors have to have seen it by then."""
        with Story("start") as story:
            for n in range(1, 16):
                story.tell(Way("a sync of a log is the last", "sync:wal:{n}=after", survives=True), n)


if __name__ == "__main__":
    unittest.main()
