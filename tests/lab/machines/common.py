# SPDX-License-Identifier: MIT
"""What every program of the lab needs: paths, tests/lab/build, and namespaces of its own."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LAB = Path(__file__).resolve().parents[1]
SOURCE = LAB.parents[1]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class NotBuilt(RuntimeError):
    """tests/lab/build could not make something."""

    def __init__(self, arguments, said):
        super().__init__(f"tests/lab/build {' '.join(map(str, arguments))} failed")
        self.said = said
        self.ours = arguments[0] in ("packages", "installed")


def eventually(condition, seconds=10, every=0.05):
    """Waits until a condition is true and returns its value; fails after three times so many
    seconds, because a machine does other work beside.

    Asking takes half of the time at most, because an emulated machine is slow to answer.
    """
    seconds *= 3
    deadline = time.monotonic() + seconds
    while True:
        start = time.monotonic()
        value = condition()
        if value:
            return value
        now = time.monotonic()
        if now > deadline:
            raise AssertionError(f"did not come true in {seconds} s\n{value}")
        time.sleep(max(every, now - start))


def build(*arguments):
    """Returns what tests/lab/build makes, or has in its cache."""
    run = subprocess.run([LAB / "build", *arguments], capture_output=True, text=True)
    if run.returncode != 0:
        sys.stderr.write(run.stderr)
        raise NotBuilt(arguments, run.stderr)
    return Path(run.stdout.strip())


def prepare(machines, *more):
    """Builds everything that needs the network, for machines given as pairs of kind and suite.

    more: further trees to build for each suite.
    """
    suites = sorted({suite for _, suite in machines})
    trees = [(what, suite) for what in ("tree", *more) for suite in suites]
    others = [("tools", suite, "amd64") for suite in suites]
    others += [("kernel", suite) for kind, suite in machines if kind == "vm"]
    if ("pi3", "trixie") in machines:
        others += [("pi3",), ("tools", "trixie", "arm64")]
    packages = [("packages", *what[1:]) for what in others if what[0] == "tools"]
    installed = [("installed", suite) for suite in suites]
    with ThreadPoolExecutor(2) as pool:
        for what in trees, others, packages, installed:
            list(pool.map(lambda arguments: build(*arguments), what))


def is_apart():
    """Whether this program already runs under tests/lab/apart."""
    return os.environ.get("LAB") == "1"


def go_apart():
    """Starts this program again under tests/lab/apart: no network, and everything ends with it."""
    os.environ["LAB"] = "1"
    apart = LAB / "apart"
    os.execv(apart, [apart, sys.executable, *sys.argv])
