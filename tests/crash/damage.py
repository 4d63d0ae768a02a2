# SPDX-License-Identifier: Apache-2.0
"""Damage to the files of a dead node: tails cut, bytes flipped, files lost.

What a disk has synced it may not lose again, and a node cannot always tell that it did. What it promises: it starts with
all that was answered; or with all but the last answers of one actor, if what is missing lay in the torn last record
of its log; or it does not start, or ends, with a message that says what to do. It never serves with a hole."""
import contextlib
import copy
import os
import shutil
import tempfile

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


class Copy:
    """Of a scene, to be damaged. `known`: what must be there, if not all that was answered."""

    def __init__(self, scene, known=None):
        self.scene, self.loop, self.known = scene, Loop(0), known or scene.ledger
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
        """What came of it: "whole", "refused" or "ended"; anything else is a finding, also the second time."""
        came = self.judge_once()
        if came != "whole":
            self.judge_once()
        return came

    def judge_once(self):
        shop = self.loop.shop
        try:
            shop.start()
            with Witness(shop) as witness:
                self.known.check(witness, self.loop.rng)
        except NotStarted as failed:
            expect(failed.code == FAILURE and any(word in failed.text for word in ADVICE), "no start without advice:",
                   failed.code, failed.text)
            return "refused"
        except Gone:
            expect(shop.process.poll() == FAILURE and any(word in shop.log_text() for word in ADVICE),
                   "no end without advice:", shop.process.poll(), shop.log_text()[-1000:])
            shop.kill()
            return "ended"
        shop.stop()
        for command in ("audit", "replay"):
            done = souk(command, "-d", shop.data)
            expect(done.returncode == 0 or "restore" in done.stderr, f"souk {command}: exit {done.returncode}", done.stdout[-500:],
                   done.stderr[-500:])
        return "whole"


def files(data, *patterns):
    return sorted(str(path) for pattern in patterns for path in data.glob(pattern) if path.is_file() and path.stat().st_size)


# ---- cases: (what, scene, how it is done, what is known then)

def try_one(case):
    """What came of it. A finding names the case."""
    what, scene, do, known = case
    with Copy(scene, known) as damaged:
        do(damaged)
        try:
            return damaged.judge()
        except Finding as finding:
            raise Finding(f"{what}: {finding}") from finding


@contextlib.contextmanager
def cut_tails(seed, records=3):
    """The log of one actor, cut at every byte of its last records. What a cut leaves whole was answered and is there."""
    with Scene(seed) as scene:
        log, sizes = scene.receive(20)

        def case(size):
            known = copy.deepcopy(scene.ledger)
            known.received["sku"].known = sum(one <= size for one in sizes)
            return f"{log} cut to {size}", scene, lambda it: it.cut(log, size), known
        yield (case(size) for size in range(sizes[-1], sizes[-1 - records] - 1, -1))


@contextlib.contextmanager
def flips(seed, places=8):
    """One byte of every file, at so many places."""
    with Scene(seed) as scene:
        scene.play(600)
        scene.play(600)

        def case(file, at):
            return f"{file}: byte {at} flipped", scene, lambda it: it.flip(file, at), None
        found = files(scene.shop.data, "*", "meta/*", "*-0/*")
        yield (case(file, os.path.getsize(file) * place // places) for place in range(places) for file in found)


@contextlib.contextmanager
def holes(seed):
    """Of two logs that are both needed the older one is shorter, or gone; tables and whole databases are gone."""
    with Scene(seed) as scene:
        scene.play(4000, "sync:table:6=die", heavy=True)
        data = scene.shop.data
        logs, tables = files(data, "catalog-0/*.log"), files(data, "catalog-0/*.sst")
        expect(len(logs) > 1, "the scene has one log only", logs)
        size = os.path.getsize(logs[0])
        cases = [(f"the older log cut to {to}", scene, lambda it, to=to: it.cut(logs[0], to), None)
                 for to in (size - 10, size // 2, 0)]
        cases.append(("the older log gone", scene, lambda it: os.unlink(it.path(logs[0])), None))
        cases.append(("a table gone", scene, lambda it: os.unlink(it.path(tables[0])), None))
        cases.append(("a database gone", scene, lambda it: shutil.rmtree(it.path(data / "order-1")), None))
        yield cases


@contextlib.contextmanager
def apart(seed):
    """Parts of the directory as they were an epoch ago, and logs that are gone altogether."""
    with Scene(seed) as scene, tempfile.TemporaryDirectory() as old:
        data = scene.shop.data
        scene.play(300)
        shutil.copytree(data, f"{old}/data", ignore=shutil.ignore_patterns("control.sock"))
        scene.shop.reshape(inventory=3, order=1)
        scene.play(300)

        def swap(it, part):
            shutil.rmtree(it.path(data / part))
            shutil.copytree(f"{old}/data/{part}", it.path(data / part))
        cases = [(f"{part} of an epoch ago", scene, lambda it, part=part: swap(it, part), None)
                 for part in ("meta", "inventory-0", "order-0", "sandbox-0")]
        for part in ("meta", "inventory-1", "payment-0"):
            for log in files(data, f"{part}/*.log"):
                cases.append((f"{log} gone", scene, lambda it, log=log: os.unlink(it.path(log)), None))
        yield cases
