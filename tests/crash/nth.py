# SPDX-License-Identifier: Apache-2.0
"""One short story, told again and again: the nth time its nth operation on the disk fails, or is the last one.

Each time the node either goes on or ends with a message, and a node on a sound disk then has everything that was
answered. The model is SQLite's loops over failures."""
import collections
import shutil

from tests.crash.disk import Disk
from tests.crash.loop import Loop
from tests.crash.ways import Way

ANSWERS = 16
SHOP = dict(workers=3, connections=1, skus=2)
SERIES = [Way("sync fails", "sync:any:{n}=eio", survives=True),
          Way("write finds no space", "write:any:{n}=enospc", survives=True),
          Way("write is torn and fails", "write:any:{n}=torn", survives=True),
          Way("write takes half", "write:any:{n}=short", survives=True),
          Way("name cannot be changed", "rename:any:{n}=eio", survives=True),
          Way("file cannot be made", "create:any:{n}=enospc", survives=True),
          Way("sync is the last", "sync:any:{n}=after", survives=True),
          Way("operation is not done any more", "any:any:{n}=die", survives=True),
          Way("operation is the last", "any:any:{n}=after", survives=True)]


class Story:
    """Use as a context manager. `fresh`: the shop is made in it; otherwise it was there."""

    def __init__(self, seed, fresh=False):
        self.seed, self.template = seed, None
        if not fresh:
            self.template = Loop(seed)
            self.template.shop.start()
            self.template.shop.stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.template:
            self.template.__exit__()

    def loop(self, seed):
        loop = Loop(seed, **SHOP)
        if self.template:
            shutil.copytree(self.template.shop.data, loop.shop.data, ignore=shutil.ignore_patterns("control.sock"))
        return loop

    def points(self):
        """How many operations of each kind the story has, without a fault."""
        with self.loop(self.seed) as loop, Disk(loop.shop.directory) as disk:
            loop.start(disk)
            loop.load.run(loop.shop, answers=ANSWERS)
            loop.shop.kill()
            return collections.Counter({name: disk.count(name) for name in ("any", "sync", "write", "rename", "create")})

    def tell(self, series, n):
        """Returns how it ended: a line."""
        with self.loop(f"{self.seed}/{series.name}/{n}") as loop:
            line = loop.live(Way(series.name, series.rule.format(n=n), survives=True), ANSWERS)
            loop.audit_if_made()
            loop.start()
            loop.kill()
            return line, loop.tally


def places(count, wanted):
    """About so many of 1…count, spread over it."""
    return range(1, count + 1, max(1, count // wanted)) if wanted else range(1, count + 1)


def tell_all(seed, say, wanted=None, fresh=False, series=SERIES, over=lambda: False):
    """Returns how many stories were told, of each series."""
    told = collections.Counter()
    with Story(seed, fresh) as story:
        points = story.points()
        for one in series:
            for n in places(points[one.rule.split(":")[0]], wanted):
                if over():
                    return told
                line, tally = story.tell(one, n)
                told[one.name] += 1
                told["ended by themselves"] += tally["ended by itself"]
                say(line)
    return told
