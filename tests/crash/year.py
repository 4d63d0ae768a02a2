# SPDX-License-Identifier: Apache-2.0
"""A real shop's year, sold again and again through a node that is killed: examples/online-retail/run, in rounds."""
import os
import random
import subprocess

from tests.e2e.shop import ROOT, SOUK

NO_DATA = 77
ORDERS = 4000  # of each round: the data set has some 20,000


def rounds(seed, say, over, wanted=None):
    """Returns how many rounds ended clean, and how many not; None: there is no data."""
    rng, clean, found = random.Random(f"{seed}/year"), 0, 0
    while not over() and (wanted is None or clean + found < wanted):
        words = ["--window", str(rng.choice([16, 64, 256])), "--kill", str(rng.randint(3, 12))]
        if rng.random() < 0.5:
            words.append("--reshape")
        if rng.random() < 0.5:
            words += ["--limit", str(rng.randint(1000, ORDERS))]
        done = subprocess.run([ROOT / "examples/online-retail/run", *words], capture_output=True, text=True,
                              env={"SOUK_SLOW": "10", **os.environ, "SOUK": SOUK})  # how fast it starts is not judged
        if done.returncode == NO_DATA:
            return None
        clean, found = clean + (done.returncode == 0), found + (done.returncode != 0)
        say(f"a year, {' '.join(words)}: " + ("clean" if done.returncode == 0 else "FOUND\n" + done.stdout + done.stderr[-3000:]))
    return clean, found
