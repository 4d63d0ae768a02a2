# SPDX-License-Identifier: Apache-2.0
"""Damage to the files of a dead node: tails cut, bytes flipped, files lost.

What a disk has synced it may not lose again, and a node cannot always tell that it did. What it promises: it starts with
all that was answered; or with all but the last answers of one actor, if what is missing lay in the torn last record
of its log; or it does not start, or ends, with a message that says what to do. It never serves with a hole."""
import os
import shutil

from tests.crash.disk import Disk
from tests.crash.ledger import Finding, expect
from tests.crash.loop import FAILURE, Gone, Loop, Witness
from tests.e2e.shop import NotStarted, souk

ADVICE = ("restore", "newer", "start it again", "stop")


class Scene:
    """A shop whose node was killed, and what was answered. Use as a context manager."""

    def __init__(self, seed, **load):
        self.loop = Loop(seed, **load)
        self.shop, self.ledger = self.loop.shop, self.loop.load.ledger

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.loop.__exit__()

    def play(self, answers, faults="", heavy=False):
        """Lets clients work and the node die; the trace of the disk."""
        self.loop.load.heavy = heavy
        with Disk(self.shop.directory, faults, serving=heavy) as disk:
            self.loop.start(disk)
            self.loop.load.run(self.shop, answers=answers)
            self.loop.kill()
            return disk.trace()

    def receive(self, count):
        """So many commands to one SKU, one after the other; returns the size of its log after each answer."""
        sizes, sum = [], self.ledger.sums("sku")[0]
        with Disk(self.shop.directory) as disk:
            self.loop.start(disk)
            with Witness(self.shop) as client:
                for _ in range(count):
                    client.call("inventory.receive", "sku", {"quantity": 1})
                    sum.known += 1
                    synced = [one for one in disk.trace() if one.name == "sync" and one.kind == "wal" and "inventory-0" in one.path]
                    sizes.append(synced[-1].size)
            self.loop.kill()
        return synced[-1].path, sizes

    def damaged(self):
        """A copy to be damaged."""
        return Copy(self)


class Copy:
    def __init__(self, scene):
        self.scene, self.loop = scene, Loop(0)
        self.loop.load.ledger = scene.ledger
        shutil.copytree(scene.shop.data, self.loop.shop.data, ignore=shutil.ignore_patterns("control.sock"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.loop.__exit__()

    def path(self, original):
        return os.path.join(self.loop.shop.data, os.path.relpath(original, self.scene.shop.data))

    def cut(self, file, size):
        os.truncate(self.path(file), size)

    def flip(self, file, at, mask=0x10):
        with open(self.path(file), "r+b") as out:
            out.seek(at)
            byte = out.read(1)
            out.seek(at)
            out.write(bytes([byte[0] ^ mask]))

    def judge(self):
        """What came of it: "whole", "refused" or "ended"; anything else is a finding."""
        shop = self.loop.shop
        try:
            shop.start()
            with Witness(shop) as witness:
                self.scene.ledger.check(witness, self.loop.rng)
        except NotStarted as failed:
            self.stays_refused()
            expect(failed.code == FAILURE and any(word in failed.text for word in ADVICE), "no start without advice:",
                   failed.code, failed.text)
            return "refused"
        except Gone:
            expect(shop.process.poll() == FAILURE and any(word in shop.log_text() for word in ADVICE),
                   "no end without advice:", shop.process.poll(), shop.log_text()[-1000:])
            return "ended"
        shop.stop()
        for command in ("audit", "replay"):
            done = souk(command, "-d", shop.data)
            expect(done.returncode == 0 or "restore" in done.stderr, f"souk {command}: exit {done.returncode}", done.stdout[-500:],
                   done.stderr[-500:])
        return "whole"

    def stays_refused(self):
        """Trying again does not help."""
        try:
            self.loop.shop.start()
        except NotStarted:
            return
        raise Finding("refused to start, and started the second time")


def files(data, *patterns):
    return sorted(str(path) for pattern in patterns for path in data.glob(pattern) if path.stat().st_size)


def spread(size, count):
    return sorted({size * i // count for i in range(count)} | {size - 1})
