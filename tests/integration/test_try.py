# SPDX-License-Identifier: MIT
"""tests/try, started as a newcomer would."""

import os
import pty
import re
import signal
import socket
import subprocess
from pathlib import Path

from world import AFAR, PORT, SOURCE, TESTS, accepts, ask, eventually, test


def folder_of(process):
    """The folder that it works in, taken from the line that names the FIFO."""
    return Path(
        eventually(lambda: re.search(r"echo 0 > (\S+)/press", process.output()), 120)[1]
    )


def is_gone(w, process, folder):
    """Whether it has left nothing: no process of its session, no FIFO, no socket, no port."""
    session = [
        p.name
        for p in Path("/proc").glob("[0-9]*")
        if stat_session(p) == process.pid and p.name != str(process.pid)
    ]
    return not session and not folder.exists() and not accepts()


def shows(process, lamps):
    """Whether these lamps are the last line."""
    return process.output().rstrip().endswith(lamps)


def stat_session(path):
    try:
        fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return int(fields[3]) if fields[0] != "Z" else None


@test("tests/try at the end of standard input serves until SIGTERM", quick=False, takes=30)
def at_end(w):
    p = w.spawn(SOURCE / "tests/try")
    folder = folder_of(p)
    assert ask(b"LED ON\n") == b"OK LED ON\n"
    eventually(lambda: shows(p, "(*) led   ( ) kitchen   ( ) door"))
    (folder / "press").write_bytes(b"0\n")
    eventually(lambda: shows(p, "( ) led   ( ) kitchen   ( ) door"))
    for command in ("LED ON", "LED kitchen ON", "LED LIST", "LED ALL OFF"):
        assert f'echo "{command}" | nc 127.0.0.1 {PORT}\n' in p.output()
        ask(command.encode() + b"\n")
    eventually(lambda: shows(p, "( ) led   ( ) kitchen   ( ) door"))
    assert "(*) led   (*) kitchen   ( ) door" in p.output()
    # A door opener
    ask(b"LED door ON\n")
    eventually(lambda: shows(p, "( ) led   ( ) kitchen   (*) door"))
    eventually(lambda: shows(p, "( ) led   ( ) kitchen   ( ) door"))
    assert p.stop() == 0
    eventually(lambda: is_gone(w, p, folder))


@test("tests/try with standard input closed serves LED_PORT until SIGINT", quick=False, takes=30)
def closed(w):
    p = w.spawn("bash", "-c", 'exec "$0" <&-', SOURCE / "tests/try", env={"LED_PORT": 5558})
    folder = folder_of(p)
    assert ask(b"LED STATUS\n", ("127.0.0.1", 5558)) == b"OK LED OFF\n"
    assert not accepts()
    # The network stays outside.
    assert not accepts((AFAR, 5558)) and not accepts(("::1", 5558))
    assert p.stop(signal.SIGINT) == 0
    eventually(lambda: is_gone(w, p, folder))


@test("nohup tests/run &: programs that tests start have default signals", quick=False, takes=30)
def in_the_background(w):
    tests = f"{SOURCE}/tests/integration/run"
    p = w.spawn("bash", "-c", 'trap "" HUP INT QUIT; exec "$0" "$1"', tests, "until SIGINT")
    assert p.wait(300) == 0, p.output()
    assert re.search(r"^ok 1 - tests/try .* until SIGINT", p.output(), re.M), p.output()


@test("tests/run --all after its last minute: what is left is skipped, and it ends", quick=False)
def no_time_left(w):
    for command, skipped in (
        (["tests/integration/run", "tests/try"], len([t for t in TESTS if "tests/try" in t.name])),
        (["tests/run"], 3),
    ):
        p = w.spawn(SOURCE / command[0], *command[1:], env={"UNTIL": 0})
        assert p.wait(60) is not None, p.output()
        lines = [line for line in p.output().splitlines() if re.match(r"(not )?ok ", line)]
        assert len(lines) == skipped, p.output()
        assert all(line.endswith(" # SKIP no time left") for line in lines), p.output()


@test("tests/try in a terminal: Enter presses, l holds, the lamps show it, SIGTERM ends it", quick=False, takes=30)
def terminal(w):
    ours, theirs = pty.openpty()
    w.at_end(lambda: os.close(ours))
    p = w.spawn(SOURCE / "tests/try", stdin=theirs)
    os.close(theirs)
    folder = folder_of(p)
    for key, lamps in (
        (b"\n", "(*) led   ( ) kitchen   ( ) door"),
        (b"\n", "( ) led   ( ) kitchen   ( ) door"),
        (b"\n", "(*) led   ( ) kitchen   ( ) door"),
        (b"l\n", "( ) led   ( ) kitchen   ( ) door"),
    ):
        os.write(ours, key)
        eventually(lambda: shows(p, lamps))
    eventually(lambda: "LED ALL OFF" in (folder / "button.log").read_text())
    assert p.stop() == 0
    eventually(lambda: is_gone(w, p, folder))


@test("tests/try and a port that is taken: one clear line", quick=False)
def taken(w):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", PORT))
        s.listen(1)
        p = w.spawn(SOURCE / "tests/try")
        assert p.wait(60) == 1
        assert p.output() == (
            f"try: port {PORT} is taken; LED_PORT=5556 tests/try takes another\n"
        ), p.output()
