# SPDX-License-Identifier: MIT
"""Commands of the documents that need a program that the lab lacks."""

import os
import pty
import re
import signal
import threading

from world import SOURCE, ask, eventually, need_program, test


def terminal():
    """A terminal for a program to write to, and a growing record of what it wrote."""
    ours, theirs = pty.openpty()
    seen = bytearray()

    def read():
        try:
            while True:
                seen.extend(os.read(ours, 65536))
        except OSError:
            os.close(ours)  # nobody has the other end open any more

    threading.Thread(target=read, daemon=True).start()
    return theirs, seen


@test("tcpdump as in the documents shows the command", quick=False)
def tcpdump(w):
    need_program("tcpdump")
    w.serve("line")
    lines = set()
    for document in (SOURCE / "doc/tutorial.pt.md", SOURCE / "README.md", *SOURCE.glob("man/*.8")):
        lines |= set(re.findall(r"^ *(tcpdump .*)$", document.read_text(), re.M))
    assert lines
    for line in lines:
        theirs, seen = terminal()
        p = w.spawn("bash", "-c", f"exec {line}", stdout=theirs)
        os.close(theirs)
        eventually(lambda: "listening on" in p.output())
        assert ask(b"LED ON\n") == b"OK LED ON\n"
        eventually(lambda: b"LED.ON" in seen)
        assert p.stop(signal.SIGINT) == 0
