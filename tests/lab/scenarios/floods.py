# SPDX-License-Identifier: MIT
"""Floods of clients: others are served meanwhile, and everything works afterwards."""

import re
import socket
import time
from collections import deque

from machines.common import eventually
from machines.container import ADDRESS, NEIGHBOUR, STREET
from scenarios import scenario
from scenarios.container import CONFIGURE

# What led-line(8) says about the log.
LOG_LINES, LOG_SECONDS = 1000, 10


def ask(source=STREET, command=b"LED ON\n"):
    """The answer to a client at an address; nothing if it is refused."""
    try:
        with socket.create_connection((ADDRESS, 5555), 5, (source, 0)) as s:
            s.sendall(command)
            return s.makefile("rb").read()
    except OSError:
        return b""


def connect(wait=5):
    """Connects a client that may be refused, waiting at most so many seconds."""
    s = socket.socket()
    s.settimeout(wait)
    try:
        s.connect((ADDRESS, 5555))
    except OSError:
        pass
    s.setblocking(False)
    return s


def say(s, text):
    try:
        s.send(text)
    except OSError:
        pass


def is_connected(s):
    """Whether it is connected; the network is local, so there is no need to wait."""
    try:
        return bool(s.getpeername())
    except OSError:
        return False


def is_over(s):
    """Whether the other end has closed the connection."""
    try:
        while s.recv(4096):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


def flood(count, text, seconds):
    """Connects as fast as possible, up to 500 at a time, every second client silent, until count
    have been accepted or the time is over: the kernel refuses most. Returns how many it was."""
    some = deque()
    connected = 0
    deadline = time.monotonic() + seconds
    while connected < count and time.monotonic() < deadline:
        for i in range(100):
            some.append(connect(0))
            connected += is_connected(some[-1])
            if i % 2:
                say(some[-1], text)
            if len(some) > 500:
                some.popleft().close()
    for s in some:
        s.close()
    return connected


def served_meanwhile(seconds):
    """Checks that another client is served, again and again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        eventually(lambda: ask(NEIGHBOUR, b"LED STATUS\n").startswith(b"OK LED "), 5, 0.2)
        time.sleep(0.2)


class Watcher:
    """A client that is told of changes."""

    def __init__(self):
        self.socket = socket.create_connection((ADDRESS, 5555), 60, (NEIGHBOUR, 0))
        self.socket.sendall(b"LED WATCH\n")
        self.lines = self.socket.makefile("rb")
        line = self.next()
        assert line == b"OK LED ON\n", line

    def next(self):
        return self.lines.readline()

    def leave(self):
        self.lines.close()
        self.socket.close()


def memory(pi):
    """The memory of process 1, in KiB."""
    return int(re.search(r"^Pss: +(\d+)", pi("cat /proc/1/smaps_rollup"), re.M)[1])


def survives(pi, name):
    eventually(lambda: ask() == b"OK LED ON\n", 5, 0)
    watchers = [Watcher() for _ in range(16)]
    handlers = int(pi.says("pgrep -c led-handler"))
    # Process 1 allocates memory for the largest number of units at once. That is in the first flood,
    # or in a later one beside other work; what leaks grows with each.
    memories = []
    for count in 2000, 20000, 20000, 20000:
        start = time.monotonic()
        assert flood(count, b"LED STATUS\n", 1800) >= count
        over = time.monotonic()
        eventually(lambda: ask() == b"OK LED ON\n", 5, 0)
        answered = time.monotonic()
        pi.wait_for(f"[ $(pgrep -c led-handler) = {handlers} ]")
        memories.append(memory(pi))
        assert ask(command=b"LED OFF\n") == b"OK LED OFF\n"
        assert [watcher.next() for watcher in watchers] == [b"OK LED OFF\n"] * 16
        assert ask() == b"OK LED ON\n"
        assert [watcher.next() for watcher in watchers] == [b"OK LED ON\n"] * 16
        if len(memories) > 1 and memories[-1] < 1.1 * memories[-2]:
            break
    print(f"# {name}: 20,000 connections in {over - start:.1f} s, "
          f"LED ON answered {answered - over:.2f} s later", flush=True)
    assert memories[-1] < 1.1 * memories[-2], f"process 1 grows in each flood: {memories} KiB"

    for watcher in watchers:
        watcher.leave()
    # A client that has closed both ways is found at the next change.
    assert ask(command=b"LED OFF\n") + ask() == b"OK LED OFF\nOK LED ON\n"

    # One client holds 500 connections.
    held = [connect() for _ in range(500)]
    served_meanwhile(4)
    for s in held:
        s.close()

    # A byte every two seconds: closed after five.
    slow = [connect() for _ in range(100)]
    for i in range(3):
        for s in slow:
            say(s, b"LED ON"[i : i + 1])
        served_meanwhile(2)
    eventually(lambda: all(is_over(s) for s in slow), 3)
    for s in slow:
        s.close()

    # Garbage: the log gets at most a thousand lines about clients in ten seconds.
    time.sleep(LOG_SECONDS)  # so that earlier clients do not count
    pi.cursor()
    start = time.monotonic()
    with socket.create_connection((ADDRESS, 5555), 5) as s:
        try:
            s.sendall(b"garbage\n" * 100_000)
        except OSError:
            pass  # it was refused long ago
    connected = flood(100_000, b"garbage\n", 15)
    eventually(lambda: ask() == b"OK LED ON\n", 5, 0)
    took = time.monotonic() - start
    lines = pi.journal()
    ours = sum(line.startswith("led-") for line in lines)
    left_out = re.findall(r"(\d+) clients more than the log's limit", "\n".join(lines))
    print(f"# {name}: {connected} times garbage in {took:.1f} s, {ours} lines in the log and "
          f"{len(lines) - ours} of others, left out: {' and '.join(left_out) or 'none'}", flush=True)
    assert ours <= LOG_LINES * (took // LOG_SECONDS + 1) + 5, ours
    # systemd and xinetd log a few lines whenever they refuse clients for a second.
    assert len(lines) - ours <= 5 * took, lines[-40:]
    assert pi.says("systemctl --failed --no-legend") == ""


@scenario("container", "floods: led.socket")
def accept(pi):
    pi("systemctl enable --now led.socket")
    survives(pi, "led.socket")
    assert pi("systemctl is-active led.socket") == "active"
    eventually(lambda: pi.says("systemctl list-units --all --plain --no-legend 'led@*'") == "")


@scenario("container", "floods: led-wait.socket")
def wait(pi):
    pi("systemctl enable --now led-wait.socket")
    survives(pi, "led-wait.socket")
    assert pi("systemctl is-active led-wait.socket led-line.service") == "active\nactive"


@scenario("container", "floods: xinetd")
def xinetd(pi):
    pi(f"{CONFIGURE}; systemctl start xinetd")
    pi.wait_for("ss -Hltn sport = 5555 | grep -q .")
    survives(pi, "xinetd")
    pi("systemctl stop xinetd; pkill led-line || :")
