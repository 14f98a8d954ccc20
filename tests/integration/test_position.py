# SPDX-License-Identifier: MIT
"""button: positions and contacts, which are delivered however long it takes."""

import random
import re
import signal
import socket
import time

from test_button import SWITCH, Server, original_server, reset, write
from world import BUTTON, INFO, PORT, WARNING, ask, eventually, test

CONTACT = ("--command=CONTACT door ON", "--release-command=CONTACT door OFF")

SINCE = r"since \w{3} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \w+"


def status_says(button, text):
    """text: what systemctl status says after the FIFO, where SINCE is any time"""
    option = next(arg for arg in map(str, button.args) if arg.startswith("--button="))
    path = re.escape(option.removeprefix("--button="))
    pattern = path + ": " + re.escape(text).replace("SINCE", SINCE)
    eventually(lambda: re.fullmatch(pattern, button.manager.status()), 20)


def hears(server, *wanted, seconds=15):
    eventually(lambda: server.commands() == list(wanted), seconds)


@test("the status says closed or open, since when, and what the server has")
def status(w):
    server = Server(w, lambda s, data: s.sendall(b"OK " + data))
    button = w.button(*SWITCH)
    status_says(button, "open SINCE; the server has LED OFF: OK LED OFF")
    before = time.time()
    write(w, "down")
    status_says(button, "closed SINCE; the server has LED ON: OK LED ON")
    said = re.search(r"since \w+ (\S+ \S+)", button.manager.status())[1]
    then = time.mktime(time.strptime(said, "%Y-%m-%d %H:%M:%S"))
    assert before - 2 <= then <= time.time() + 1, (before, said)
    server.close()
    write(w, "up")
    status_says(
        button,
        "open SINCE; the server has LED ON: OK LED ON; not delivered: Connection refused",
    )
    assert button.stop() == 0
    assert w.log("button") == [
        "open: LED OFF: OK LED OFF",
        "closed: LED ON: OK LED ON",
        "open: LED OFF: not delivered: Connection refused",
        "open: LED OFF: not delivered: the button's program stops",
    ]


@test("a switch thrown 40 times in 30 s while the server is away: one command, or none if it had it", quick=False, takes=90)
def thrown_during_outage(w):
    server = Server(w)
    button = w.button(*SWITCH, "--retry=0")
    hears(server, "LED OFF")
    for throws in (39, 40):
        server.close()
        for i in range(throws):
            write(w, "down" if (i + throws) % 2 else "up")
            time.sleep(30 / throws)  # what is tried: an outage of so long
        server = Server(w)
        wanted = ["LED ON"] * (throws == 39)
        hears(server, *wanted)
        # Longer than any pause.
        time.sleep(11)
        assert server.commands() == wanted, server.commands()
        status_says(button, "closed SINCE; the server has LED ON: OK LED ON")
    write(w, "up")
    hears(server, "LED OFF")
    assert w.log("button", WARNING) == [
        "closed: LED ON: not delivered: Connection refused",
        "open: LED OFF: not delivered: Connection refused",
    ]


@test("ERR is no acknowledgement of a position, and its reason is logged once")
def refused(w):
    server = Server(
        w, lambda s, _: s.sendall(b"ERR no\n" if len(server.heard) < 4 else b"OK LED OFF\n")
    )
    w.button(*SWITCH)
    hears(server, *["LED OFF"] * 4)
    eventually(lambda: w.log("button", INFO)[1:])
    assert w.log("button", INFO) == [
        "open: LED OFF: not delivered: ERR no",
        "open: LED OFF: OK LED OFF",
    ]


@test("a position of all LEDs is acknowledged by those that could, with led-line itself")
def some(w):
    w.line(listen=[PORT], led="log pump=leds:none")
    button = w.button("--command=LED ALL ON", "--release-command=LED ALL OFF")
    eventually(lambda: w.log("button"))
    write(w, "down")
    has = "the server has LED ALL ON: OK LED ALL ON except pump: "
    eventually(lambda: has in button.manager.status())
    assert w.statuses()[-1] == "On"
    assert not w.log("button", WARNING) and len(w.log("button")) == 2, w.log("button")


@test("bytes sent and no line: the newest is sent, though the server had it before")
def unknown(w):
    silent = b"LED ON\n"

    def behaviour(s, data):
        if data == silent:
            back, wanted = ("up", "open") if data == b"LED ON\n" else ("down", "closed")
            write(w, back)
            # It has been read before the connection breaks.
            eventually(lambda: f"{wanted} since" in button.manager.status())
            reset(s)
        else:
            s.sendall(b"OK " + data)

    server = Server(w, behaviour)
    button = w.button(*SWITCH)
    heard = ["LED OFF"]
    hears(server, *heard)
    write(w, "down")
    heard += ["LED ON", "LED OFF"]
    hears(server, *heard)
    status_says(button, "open SINCE; the server has LED OFF: OK LED OFF")
    silent = b"LED OFF\n"
    write(w, "down")
    heard.append("LED ON")
    hears(server, *heard)
    status_says(button, "closed SINCE; the server has LED ON: OK LED ON")
    write(w, "up")
    heard += ["LED OFF", "LED ON"]
    hears(server, *heard)
    status_says(button, "closed SINCE; the server has LED ON: OK LED ON")


@test("a server without words acknowledges positions too, after one question")
def wordless(w):
    server = original_server(w)
    w.button(*SWITCH)
    hears(server, "LED OFF", "LED STATUS")
    write(w, "down")
    hears(server, "LED OFF", "LED STATUS", "LED ON")


@test("a start sends the position again, though the server had it")
def started(w):
    server = Server(w)
    for n in range(1, 4):
        button = w.button(*SWITCH)
        hears(server, *["LED OFF"] * n)
        button.stop(signal.SIGKILL if n % 2 else signal.SIGTERM)


def lose(w, button):
    """The FIFO is no FIFO any more: the hardware is missing."""
    path = w.dir / "press"
    button.pause()
    path.unlink()
    path.write_text("")
    button.resume()
    eventually(lambda: "is not a FIFO" in button.manager.status())


@test("a contact is GONE while its hardware is missing, and its state follows even if unchanged")
def gone(w):
    path = w.dir / "press"
    path.write_text("")
    server = Server(w)
    button = w.button(*CONTACT)
    heard = ["CONTACT door GONE"]
    hears(server, *heard)
    for _ in range(2):
        path.unlink()
        heard.append("CONTACT door OFF")
        hears(server, *heard)
        lose(w, button)
        heard.append("CONTACT door GONE")
        hears(server, *heard)
    status = "is not a FIFO; gone since .*; the server has CONTACT door GONE: OK"
    eventually(lambda: re.search(status, button.manager.status()))
    # A stop has nothing to say.
    assert button.stop() == 0
    assert server.commands() == heard


@test("an LED's switch whose hardware is missing says nothing, at the start and later")
def missing_switch(w):
    path = w.dir / "press"
    path.write_text("")
    server = Server(w)
    button = w.button(*SWITCH)
    eventually(lambda: button.manager.status().endswith("is not a FIFO; no position yet"))
    path.unlink()
    hears(server, "LED OFF")
    lose(w, button)
    eventually(lambda: "was open since" in button.manager.status())
    assert button.stop() == 0
    assert server.commands() == ["LED OFF"]


@test("a regular stop says GONE of a contact, and a kill does not")
def stopped(w):
    server = Server(w)
    heard = []
    for signum in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT):
        button = w.button(*CONTACT)
        heard.append("CONTACT door OFF")
        hears(server, *heard)
        write(w, "down")
        heard.append("CONTACT door ON")
        hears(server, *heard)
        button.stop(signum)
        if signum != signal.SIGKILL:
            assert button.returncode == 0
            heard.append("CONTACT door GONE")
            eventually(lambda: button.manager.said("STOPPING", "1"))
        assert server.commands() == heard, server.commands()


@test("a stop tries GONE once, after the attempt that runs, and takes 2 s at most", quick=False)
def stopped_in_vain(w):
    # Nobody listens.
    button = w.button(*CONTACT)
    eventually(lambda: w.log("button", WARNING))
    start = time.monotonic()
    assert button.stop() == 0
    assert time.monotonic() - start < 1
    assert w.log("button", WARNING) == [
        "open: CONTACT door OFF: not delivered: Connection refused",
        "gone: CONTACT door GONE: not delivered: Connection refused",
    ]
    # The attempt that runs takes its time.
    server = Server(w, lambda s, _: (time.sleep(1), s.sendall(b"OK\n")))
    button = w.button(*CONTACT)
    eventually(lambda: server.heard)
    assert button.stop() == 0
    assert server.commands() == ["CONTACT door OFF", "CONTACT door GONE"], server.commands()
    # It hangs.
    server.behaviour = lambda s, _: time.sleep(3)
    button = w.button(*CONTACT)
    eventually(lambda: len(server.heard) == 3)
    start = time.monotonic()
    assert button.stop() == 0
    assert 1.9 < time.monotonic() - start < 3
    assert w.log("button", WARNING)[-1] == (
        "gone: CONTACT door GONE: not delivered: the button's program stops"
    )


@test("a switch and its LED agree, and TOGGLEs are carried out once, through kills and outages", quick=False, takes=60)
def storm(w):
    chance = random.Random(23)
    env = {"STATE_DIRECTORY": w.dir}

    def serve():
        return w.line("--initial=last", listen=[PORT], led="log b=log", env=env)

    line = serve()
    switch = w.button(*SWITCH)
    toggle = w.notified(
        BUTTON, f"--button=fifo:{w.dir}/toggle", "--command=LED b TOGGLE", "--retry=60"
    )
    closed, pressed = False, 0

    def throw():
        nonlocal closed
        closed = not closed
        write(w, "down" if closed else "up")
        time.sleep(chance.random() * 0.05)

    def agrees():
        return ask(b"LED STATUS\n") == (b"OK LED ON\n" if closed else b"OK LED OFF\n")

    def is_saved(led, is_on):
        """The line of the first LED has no name."""
        last = w.dir / "last"
        return last.exists() and led + ("on" if is_on else "off") in last.read_text().splitlines()

    def outage():
        """What is done to led-line, and how it is undone."""
        nonlocal line
        how = chance.choice((signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL))
        if how == signal.SIGKILL:
            # Killed before the state is on the disk, it would begin with the one before.
            eventually(agrees, 15, 0.05)
            eventually(lambda: is_saved("", closed))
        if how == signal.SIGSTOP:
            line.pause()
            return line.resume
        line.stop(how)

        def start():
            nonlocal line
            line = serve()

        return start

    for turn in range(16):
        for _ in range(chance.randrange(4)):
            throw()
        end = outage()
        for _ in range(chance.randrange(8)):
            throw()
            (w.dir / "toggle").write_text("0\n")
            pressed += 1
        if chance.random() < 0.3:
            switch.stop(signal.SIGKILL)
            switch = w.button(*SWITCH)
            closed = False  # as every FIFO is at first
        time.sleep(7 if turn == 8 else chance.random() * 2)
        end()
        for _ in range(chance.randrange(3)):
            throw()
        eventually(agrees, 15, 0.05)
        done = f" {pressed} delivered, 0 dropped"
        eventually(lambda: pressed == 0 or done in toggle.manager.status(), 15)
        wanted = "on" if pressed % 2 else "off"
        assert ask(b"LED b STATUS\n") == f"OK LED b {wanted.upper()}\n".encode(), (turn, pressed)
        eventually(lambda: is_saved("b ", pressed % 2))
    # Nothing is on its way that would change it.
    time.sleep(1)
    assert agrees()
