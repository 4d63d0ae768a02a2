# SPDX-License-Identifier: Apache-2.0
"""One life of a process on a disk that fails on demand (disk.c), and the power cut at its end.

A power cut keeps of each file what was there before and what was synced, and of each directory the names up to its last
sync. What came later is lost from some moment on, all of it in the hardest case: file systems keep the order of names.
"""
import os
import pathlib
import shutil
import stat
import tempfile

from tests.e2e.shop import ROOT, SOUK

LIBRARY = pathlib.Path(os.environ.get("SOUK_DISK", pathlib.Path(SOUK).resolve().parent / "libsouk_disk.so"))
CHANGES = ("create", "write", "sync", "rename", "link", "unlink", "truncate", "allocate", "mkdir", "rmdir")
NAMES = ("create", "rename", "link", "unlink", "mkdir", "rmdir")


class Operation:
    """One line of the trace."""

    def __init__(self, line):
        self.name, self.kind, inode, size, path, second = line.split("\t")
        self.inode, self.size = int(inode), int(size)
        self.path, self.second = os.path.normpath(path), second and os.path.normpath(second)

    def directories(self):
        return {os.path.dirname(path) for path in (self.path, self.second) if path}

    def __str__(self):
        return f"{self.name} {self.kind} {self.path}" + (f" → {self.second}" if self.second else "")


class Disk:
    """`faults`, `space`, `serving` as disk.c has them. Begin it just before the process starts; use as a context manager."""

    def __init__(self, root, faults="", space=None, serving=False):
        self.root, self.faults, self.space, self.serving = str(root), faults, space, serving
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="souk-disk-"))
        (self.work / "backup").mkdir()
        self.before = {os.lstat(path).st_ino: os.lstat(path).st_size for path in files(self.root)}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.work, ignore_errors=True)

    def environment(self):
        if not LIBRARY.exists():
            raise AssertionError(f"{LIBRARY} is missing: build the target souk_disk")
        more = {"LD_PRELOAD": str(LIBRARY), "DISK_ROOT": self.root, "DISK_TRACE": str(self.work / "trace"),
                "DISK_BACKUP": str(self.work / "backup"), "DISK_FAULTS": self.faults}
        if self.space is not None:
            more["DISK_SPACE"] = str(self.space)
        if self.serving:
            more["DISK_SERVING"] = "1"
        return {**os.environ, **more}

    def trace(self):
        path = self.work / "trace"
        text = path.read_text(errors="replace") if path.exists() else ""
        return [Operation(line) for line in text.split("\n")[:-1]]

    def count(self, name="any", kind="any"):
        """Operations so far, as a rule counts them."""
        return sum((one.name in CHANGES if name == "any" else one.name == name) and kind in ("any", one.kind)
                   for one in self.trace())

    def fired(self):
        return any(one.name == "fault" for one in self.trace())

    def power_cut(self, rng=None, zeros=False):
        """After the process is dead. Without `rng` everything goes that was not synced; with it, what came behind some
        moment; `zeros`: a file keeps its length, and what is lost reads as zeros. Returns how much went."""
        trace = self.trace()
        lost = self.cut_files(trace, rng, zeros)
        return lost + self.cut_names(trace, rng)

    def cut_files(self, trace, rng, zeros):
        kept, lost = {one.inode: self.before.get(one.inode, 0) for one in trace if one.name == "write"}, 0
        for one in trace:
            if one.name == "sync":
                kept[one.inode] = max(one.size, kept.get(one.inode, 0))
        for path in [*files(self.root), *files(self.work / "backup")]:
            status = os.lstat(path)
            size = kept.get(status.st_ino, status.st_size)
            if not stat.S_ISREG(status.st_mode) or status.st_size <= size:
                continue
            lost += 1
            os.truncate(path, size if rng is None else rng.randint(size, status.st_size))
            if zeros:
                os.truncate(path, status.st_size)
        return lost

    def cut_names(self, trace, rng):
        synced, volatile = set(), []
        for one in reversed(trace):
            if one.name == "sync" and one.kind == "directory":
                synced.add(one.path)
            elif one.name in NAMES and not synced & one.directories():
                volatile.append(one)
        if rng is not None:
            del volatile[rng.randint(0, len(volatile)):]
        for one in volatile:
            self.undo(one)
        return len(volatile)

    def undo(self, one):
        backup = self.work / "backup" / str(one.size)
        there = os.path.lexists(one.path)
        if one.name in ("create", "link") and there:
            os.unlink(one.path)
        elif one.name == "mkdir" and there:
            shutil.rmtree(one.path)
        elif one.name == "rmdir" and not there:
            os.mkdir(one.path)
        elif one.name == "rename" and not there and os.path.lexists(one.second):
            os.rename(one.second, one.path)
            if one.size >= 0:
                os.link(backup, one.second)
        elif one.name == "unlink" and not there and one.size >= 0:
            os.link(backup, one.path)


def files(root):
    return [os.path.join(directory, name) for directory, _, names in os.walk(root) for name in names]
