# SPDX-License-Identifier: Apache-2.0
"""Ways for a node to end: at which point, by what, and what the disk keeps. Names are for reports; see disk.c for rules."""
import dataclasses


@dataclasses.dataclass
class Way:
    name: str
    rule: str = ""         # {n}: drawn up to `most`
    most: int = 1
    reshape: bool = False  # other numbers of actors at this start
    snapshot: bool = False # somebody asks for one meanwhile
    heavy: bool = False    # write-ahead logs and tables come and go; counted only when it serves
    space: int = 0         # the disk is full after so many bytes
    survives: bool = False # the node may as well go on


def drawn(rng, count):
    """So many ways, each as often as the others, in any order."""
    ways = WAYS * (count // len(WAYS)) + rng.sample(WAYS, count % len(WAYS))
    return rng.sample(ways, count)


WAYS = [
    Way("killed at any moment"),
    Way("killed at any moment, other actors", reshape=True),
    Way("killed between commit and delivery", "send:1:{n}=die", 400),
    Way("killed after delivering to the first", "send:1:{n}=after", 400),
    Way("killed after delivering to the second", "send:2:{n}=after", 200),
    Way("killed before a sync of the log", "sync:wal:{n}=die", 400),
    Way("killed after a sync of the log", "sync:wal:{n}=after", 400),
    Way("killed in the middle of a write to the log", "write:wal:{n}=tear", 400),
    Way("killed while opening", "any:any:{n}=die", 350),
    Way("killed while reshaping", "any:any:{n}=die", 1200, reshape=True),
    Way("killed while making a snapshot", "any:snapshot:{n}=die", 30, snapshot=True),
    Way("killed while a recovered table is written", "any:table:{n}=die", 30),
    Way("killed while a recovered table is made known", "any:manifest:{n}=die", 100),
    Way("killed at a flush or compaction", "any:table:{n}=die", 30, heavy=True),
    Way("killed while a flush is made known", "any:manifest:{n}=die", 12, heavy=True),
    Way("killed while a finished log is put away", "any:wal:{n}=die", 600, heavy=True),
    Way("killed while switching manifests", "any:current:{n}=die", 60),
    Way("a sync of the log fails", "sync:wal:{n}=eio", 400),
    Way("a sync of a recovered table fails", "sync:table:{n}=eio", 12, survives=True),
    Way("a sync of a flushed table fails", "sync:table:{n}=eio", 4, heavy=True),
    Way("any sync fails", "sync:any:{n}=eio", 300, survives=True),
    Way("a write to the log fails", "write:wal:{n}=enospc", 400),
    Way("a write to the log is cut short", "write:wal:{n}=torn", 400),
    Way("any write takes half", "write:any:{n}=short", 500, survives=True),
    Way("any operation fails", "any:any:{n}=eio", 900, survives=True),
    Way("the disk is full", space=1500000, survives=True),
]
