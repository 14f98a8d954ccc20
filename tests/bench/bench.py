# SPDX-License-Identifier: MIT
"""The benchmark: tests/bench/run says how it is used.

Uses the lab's machines. A floor and what is compared with it run on the same machine at the same
time, connection by connection in random order, so that other work affects both alike.
"""

import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
sys.path.append(str(SOURCE / "tests/lab"))
from machines import common as lab  # noqa: E402
from measurements import BOUND, ON_REQUEST, PARTS, this_machine  # noqa: E402
from results import CHECK, HEAD, Race  # noqa: E402
from targets import switch_off  # noqa: E402


def measure(names):
    for name in names:
        for result in PARTS[name]():
            print(result, flush=True)
            yield result


def check():
    """The bounds, as TAP. What misses one is measured once more: a machine has moments of its own."""
    count = 0
    for name in BOUND:
        results = list(PARTS[name]())
        if missed := [f"{result.what}: {result.problem}" for result in results if result.problem]:
            print("".join(f"# once more: {line}\n" for line in missed), end="")
            results = list(PARTS[name]())
        for result in results:
            count += 1
            print(f"{'not ' if result.problem else ''}ok {count} - {result.what}")
            print("\n".join(f"# {line}" for line in str(result).splitlines()))
            if result.problem:
                print(f"# {result.problem}")
            sys.stdout.flush()
    print(f"1..{count}")
    return 0


def main(names):
    if not names:
        from picture import draw, rows  # needs matplotlib, which only the picture does
    where = this_machine()
    print(where, HEAD, sep="\n")
    results = list(measure(names or [name for name in PARTS if name not in ON_REQUEST]))
    if not names:
        races = [result for result in results if isinstance(result, Race)]
        draw(rows(races), where, SOURCE / "doc/bench.svg")
    missed = [f"{result.what}: {result.problem}" for result in results if result.problem]
    print("\n".join(missed))
    return bool(missed)


def prepare():
    """Installs and builds everything that needs the network, then leaves it."""
    wanted = {("container", "trixie"), ("container", "bookworm")}
    try:
        if not CHECK:
            wanted.add(("vm", "trixie"))
            lab.build("bench", "trixie")
        lab.prepare(wanted)
    except lab.NotBuilt as why:
        print(f"1..1\nnot ok 1 - {why}" if why.ours else f"1..1\nok 1 - the bounds # SKIP {why}")
        sys.exit(why.ours or not CHECK)
    lab.go_apart()


if __name__ == "__main__":
    if not lab.is_apart():
        prepare()
    try:
        status = check() if CHECK else main(sys.argv[1:])
    finally:
        switch_off()
    sys.exit(status)
