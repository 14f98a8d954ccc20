# SPDX-License-Identifier: MIT
"""A button on a bad network: no press is lost or carried out twice, and all are in order."""

import fcntl
import os
import queue
import random
import socket
import struct
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from machines.common import eventually
from machines.container import street
from scenarios import Skip, scenario

NEAR, FAR = "192.168.77.1", "192.168.77.2"
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x1, 0x1000


class Link:
    """A slow network between the street and a machine, which loses packets.

    netem would do it in the kernel, where the kernel has it.
    """

    def __init__(self, pi):
        self.delay = self.loss = 0
        self.random = random.Random(1)
        try:
            near, far = self.end("near"), self.end("far")
        except OSError as why:
            raise Skip(f"no network interfaces of our own: {why}") from None
        street(
            f"ip link set far netns {pi.leader}; ip addr add {NEAR}/30 dev near; ip link set near up"
        )
        pi(f"ip addr add {FAR}/30 dev far; ip link set far up")
        for source, sink in ((near, far), (far, near)):
            under_way = queue.Queue()
            for work in (self.receive, self.send):
                threading.Thread(target=work, args=(source, sink, under_way), daemon=True).start()

    @staticmethod
    def end(name):
        """Makes an interface whose packets are read from and written to a descriptor."""
        fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH14x", name.encode(), IFF_TUN | IFF_NO_PI))
        return fd

    def receive(self, source, _, under_way):
        while True:
            packet = os.read(source, 2048)
            if self.random.random() >= self.loss:
                under_way.put((time.monotonic() + self.delay, packet))

    def send(self, _, sink, under_way):
        while True:
            due, packet = under_way.get()
            time.sleep(max(0, due - time.monotonic()))
            os.write(sink, packet)


class Button:
    """The machine's button program, running at the near end of the link."""

    def __init__(self, pi, *commands):
        self.pi = pi
        self.fifo = Path(f"/proc/{pi.leader}/root/run/press")
        self.log = pi.layer.folder / "button.log"
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                ["nsenter", "-t", pi.leader, "-m", "-p", "button", "--button=fifo:/run/press"]
                + [f"--connect={FAR}:5555", "--retry=60", *(f"--command={command}" for command in commands)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        eventually(self.fifo.exists)
        self.pressed = 0

    def ends(self):
        """The outcome of each press so far."""
        lines = self.log.read_text().splitlines()
        return [line.split(": ", 3)[3] for line in lines if ": press " in line]

    def press(self, count):
        for _ in range(count):
            # Do not overflow its queue.
            eventually(lambda: self.pressed - len(self.ends()) < 12, 120, 0.01)
            with open(self.fifo, "wb", buffering=0) as fifo:
                fifo.write(b"0\n")
            self.pressed += 1
        eventually(lambda: len(self.ends()) == self.pressed, 120)

    def stop(self):
        self.pi("pkill -x button")
        self.process.wait(20)


@contextmanager
def meanwhile(work):
    """Does something again and again during the test."""
    over = threading.Event()

    def loop():
        while not over.is_set():
            work(over)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def killing(pi):
    """Kills led-handler and led-line in turn."""
    turn = 0

    def kill(over):
        nonlocal turn
        turn += 1
        pi.run(f"pkill -KILL {('led-handler', 'led-line')[turn % 2]}")
        over.wait(random.uniform(0.1, 0.4))

    return meanwhile(kill)


def filling(_):
    """Keeps led.socket full of connections from the button's address."""

    def fill(over):
        others = []
        for _ in range(40):
            try:
                others.append(socket.create_connection((FAR, 5555), 2, (NEAR, 0)))
            except OSError:
                pass
        over.wait(0.5)
        for s in others:
            s.close()
        over.wait(0.2)

    return meanwhile(fill)


@contextmanager
def nothing(_):
    yield


# Presses, delay of a packet in seconds, share of packets lost, what happens meanwhile. 1,000
# presses on Debian 13, and a fifth of them on Debian 12, whose programs are the same.
PHASES = [
    (250, 0.0015, 0, nothing),
    (50, 0.1, 0, nothing),
    (250, 0.0015, 0.05, nothing),
    (200, 0.0015, 0, killing),
    (150, 0.0015, 0.05, filling),
    (100, 0.01, 0.05, killing),
]


@scenario("container", "presses over a slow and lossy network, a full socket and kills: none lost or doubled")
def bad_network(pi):
    part = 5 if pi.suite == "bookworm" else 1
    pi("systemctl enable --now led.socket")
    assert pi.ask("LED OFF") == "OK LED OFF"
    link = Link(pi)
    for commands in ("LED TOGGLE",), ("LED ON", "LED OFF"):
        total = 0
        for count, link.delay, link.loss, trouble in PHASES:
            count //= part
            start = time.monotonic()
            # A new process for each: the button is killed between presses, too.
            button = Button(pi, *commands)
            try:
                # After a line from the server, its silence no longer acknowledges a command.
                button.press(2)
                with trouble(pi):
                    button.press(count - 2)
            finally:
                button.stop()
            ends = button.ends()
            wanted = ["OK LED ON", "OK LED OFF"] * (count // 2)
            wrong = [(n, end) for n, end in enumerate(ends) if end != wanted[n]]
            assert not wrong, (commands, link.delay, link.loss, trouble, wrong[:5], len(wrong))
            total += count
            print(f"# {commands[0]}: {count} presses, {trouble.__name__}, {link.delay * 2000:.0f} ms,"
                  f" {link.loss:.0%} lost: {time.monotonic() - start:.0f} s", flush=True)
        assert total == 1000 // part
        assert pi("echo LED STATUS | led-handler") == "OK LED OFF"
    # The trouble was real.
    assert int(pi.property("led-line", "NRestarts")) > 10 // part
    assert int(pi.property("led.socket", "NRefused")) > 0
