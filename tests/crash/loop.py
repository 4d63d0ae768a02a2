# SPDX-License-Identifier: Apache-2.0
"""The kill loop: a real node with clients, killed again and again, looked at after every start."""
import random
import time

from tests.crash.ledger import expect
from tests.crash.load import Load
from tests.e2e.shop import NotStarted, Shop


class Loop:
    """`shop` is a node that was made but not started."""

    def __init__(self, shop, seed, say=lambda line: None, **load):
        self.shop, self.say = shop, say
        self.rng, self.load = random.Random(f"{seed}/loop"), Load(seed, **load)
        self.starts, self.kills, self.rests, self.audits, self.replays = 0, 0, 0, 0, 0

    def start(self, disk=None):
        """Started and looked at, nothing sent again yet."""
        seconds = self.shop.start(environment=disk and disk.environment())
        self.starts += 1
        client = self.shop.client()
        self.load.ledger.check(client, self.rng)
        client.close()
        self.load.connect(self.shop)
        return seconds

    def kill(self):
        self.shop.kill()
        self.load.disconnect()
        self.kills += 1

    def audit(self):
        report = self.shop.audit()
        expect(report["clean"], "audit:", report)
        self.audits += 1

    def rest(self):
        """Everything is answered, no order is open: then all sums must be exact."""
        self.load.finish(self.shop)
        client = self.shop.client()
        self.load.ledger.check(client, self.rng, rest=True)
        expect(self.shop.status(client)["reasks_total"] == 0, "questions had to be asked again after 60 s")
        client.close()
        self.rests += 1

    def stop(self):
        self.load.disconnect()
        code = self.shop.stop()
        expect(code == 0, f"SIGTERM: exit {code}:", self.shop.log_text()[-1000:])
        self.audit()

    def replay(self):
        report = self.shop.replay()
        expect(report["equal"], "replay:", report)
        self.replays += 1
