# SPDX-License-Identifier: Apache-2.0
"""The kill loop: one shop through many lives of its node. Each ends in its own way (ways.py), sometimes in a power cut;
after every start the node must be as its clients know it."""
import collections
import random
import subprocess

from tests.crash.disk import Disk
from tests.crash.ledger import expect
from tests.crash.load import Load
from tests.e2e.shop import SOUK, Client, NotStarted, Shop

KINDS = ("catalog", "inventory", "cart", "order", "payment", "sandbox")
FAILURE = 70  # the exit code of a node that ended by itself
LIFE_S = 1.5


class Gone(Exception):
    """The node ended before it answered."""


class Witness(Client):
    """Asks until it is answered or nobody is there any more."""

    def __init__(self, shop):
        super().__init__(shop.endpoint)
        self.process = shop.process

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def receive(self, timeout=10):
        reply = super().receive(0.5)
        if reply is None and self.process.poll() is not None:
            raise Gone
        return reply


class Loop:
    """Use as a context manager."""

    def __init__(self, seed, **load):
        self.shop, self.disk = Shop(), None
        self.rng, self.load = random.Random(f"{seed}/loop"), Load(seed, **load)
        self.tally = collections.Counter()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.load.disconnect()
        self.shop.__exit__()

    # ---- a life

    def start(self, disk=None):
        """Started and looked at; nothing was sent again before."""
        self.shop.environment = disk and disk.environment()
        self.shop.start()
        self.tally["starts"] += 1
        with Witness(self.shop) as witness:
            self.load.ledger.check(witness, self.rng)
        self.load.connect(self.shop)

    def live(self, way, answers=None, cuts=(None, None, "hard", "soft", "zeros")):
        """One life that ends in this way, at the latest after so many answers; returns how it did."""
        if way.reshape:
            self.shop.reshape(**{kind: self.rng.randint(1, 4) for kind in KINDS})
        rule = way.rule.format(n=self.rng.randint(1, way.most))
        space = self.rng.randint(1, way.space) if way.space else None
        self.load.heavy = way.heavy
        with Disk(self.shop.directory, rule, space, serving=way.heavy) as disk:
            came = self.end(way, disk, answers) and (disk.fired() or not rule)
            cut = self.rng.choice(cuts)
            if cut:
                disk.power_cut(self.rng if cut == "soft" else None, zeros=cut == "zeros")
                self.tally["power cuts"] += 1
        self.tally["lives"] += 1
        self.tally[way.name] += came
        return f"{way.name} ({rule})" + ("" if came else ": not reached") + (f", power cut ({cut})" if cut else "")

    def end(self, way, disk, answers):
        """Runs until the node ends or it is time. False: it had to be killed although it was to end by itself."""
        asking = None
        try:
            self.start(disk)
            if way.snapshot:
                asking = subprocess.Popen([SOUK, "audit", "-d", str(self.shop.data), "--snapshot"],
                                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            self.load.run(self.shop, seconds=self.rng.uniform(0.2, LIFE_S) if not answers else None, answers=answers)
            code = self.shop.process.poll()
        except NotStarted as failed:
            code = failed.code
        except Gone:
            code = self.shop.process.poll()
        finally:
            if asking:
                asking.kill()
                asking.wait()
        self.judge_end(way, code)
        self.kill()
        return code is not None or not way.rule or way.survives

    def judge_end(self, way, code):
        if code is None or code == -9:
            return
        expect(code == FAILURE, f"{way.name}: exit {code}, not {FAILURE}:", self.shop.log_text()[-1000:])
        expect("souk serve: " in self.shop.log_text().rstrip().split("\n")[-1], f"{way.name}: ended without a word:",
               self.shop.log_text()[-1000:])
        self.tally["ended by itself"] += 1

    def kill(self):
        self.shop.kill()
        self.load.disconnect()

    # ---- looking closer

    def audit_if_made(self):
        """A node that ended early may have left no shop yet."""
        if (self.shop.data / "meta" / "CURRENT").exists():
            self.audit()

    def audit(self):
        report = self.shop.audit()
        expect(report["clean"], "audit:", report)
        self.tally["audits"] += 1

    def rest(self):
        """Everything is answered and no order is open: then all sums are exact."""
        self.load.finish(self.shop)
        with Witness(self.shop) as witness:
            self.load.ledger.check(witness, self.rng, rest=True)
            expect(self.shop.status(witness)["reasks_total"] == 0, "something was asked again after 60 s")
        self.tally["rests"] += 1

    def close(self):
        """To rest, SIGTERM, audit, replay."""
        self.start()
        self.rest()
        self.load.disconnect()
        code = self.shop.stop()
        expect(code == 0, f"SIGTERM: exit {code}:", self.shop.log_text()[-1000:])
        self.audit()
        report = self.shop.replay()
        expect(report["equal"], "replay:", report)
        self.tally["replays"] += 1
        self.tally["answers"], self.tally["repeats"] = self.load.answered, self.load.repeats
