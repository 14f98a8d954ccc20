# SPDX-License-Identifier: MIT
"""LED WATCH: clients that are told of changes."""

import errno
import os
import socket
import subprocess
import time

from test_line import fake_led, preload
from world import (
    LED_HANDLER,
    PORT,
    SLOW,
    WARNING,
    ask,
    connect,
    eventually,
    need_program,
    test,
    test_for_each_server,
)

LEDS = "log kitchen=log pump=leds:nothing"
NOTHING = "ERR pump: there is no LED nothing in /sys/class/leds\n"


class Watcher:
    """A client that has sent LED WATCH, or another command of that kind."""

    def __init__(self, w, command=b"LED WATCH\n", buffer=0, address=("127.0.0.1", PORT)):
        self.socket = socket.socket(socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX)
        w.at_end(self.socket.close)
        self.socket.settimeout(30)
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.connect(address)
        self.socket.sendall(command)
        self.lines = self.socket.makefile("r")

    def next(self, n=1):
        return "".join(self.lines.readline() for _ in range(n))


def sixteen_watchers(w):
    """One after another: a machine that starts 16 handlers at once may take longer than 5 s."""
    watchers = []
    for _ in range(16):
        watchers.append(Watcher(w))
        assert watchers[-1].next() == "OK LED OFF\n"
    return watchers


@test("WATCH: another reason why an LED does not work is a change")
def reasons(w):
    led = fake_led(w)
    path = w.dir / "line.sock"
    w.line(led="leds:green", env=preload(w, "devices.c"))
    watcher = Watcher(w, address=str(path))
    assert watcher.next() == "OK LED OFF\n"
    for number in errno.EREMOTEIO, errno.EIO:
        (led / "fails").write_text(str(number))
        reason = ask(b"LED STATUS\n", path).decode()
        assert os.strerror(number) in reason, reason
        assert watcher.next() == reason.replace("ERR ", "ERR led: ")


@test_for_each_server("WATCH: a line for each LED, and then one for each change")
def watch(w, how):
    w.serve(how, led=LEDS)
    ask(b"LED kitchen ON\n")
    everything, kitchen, led = Watcher(w), Watcher(w, b"led Kitchen watch"), Watcher(w, b"LED led WATCH\0")
    assert everything.next(3) == "OK LED OFF\nOK LED kitchen ON\n" + NOTHING
    assert kitchen.next() == "OK LED kitchen ON\n"
    assert led.next() == "OK LED OFF\n"
    # ON while on is no change.
    for command in b"LED kitchen ON\n", b"LED pump ON\n", b"LED ON\n", b"LED ON\n", b"LED LIST\n":
        ask(command)
    assert everything.next() == "OK LED ON\n" and led.next() == "OK LED ON\n"
    ask(b"LED kitchen PULSE 50\n")
    assert everything.next() == "OK LED kitchen OFF\n" and kitchen.next() == "OK LED kitchen OFF\n"
    ask(b"LED ALL OFF\n")
    assert everything.next() == "OK LED OFF\n" and led.next() == "OK LED OFF\n"


@test_for_each_server("WATCH: the end of what a client sends does not end it")
def half_closed(w, how):
    w.serve(how)
    nc = subprocess.Popen(
        [need_program("nc.openbsd"), "-N", "127.0.0.1", str(PORT)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    w.at_end(nc.kill)
    nc.stdin.write("LED WATCH\n")
    nc.stdin.close()
    assert nc.stdout.readline() == "OK LED OFF\n"
    for command, line in (b"LED ON\n", "OK LED ON\n"), (b"LED OFF\n", "OK LED OFF\n"):
        ask(command)
        assert nc.stdout.readline() == line


@test_for_each_server("WATCH: 16 at once, more are ERR, and one that has left makes room")
def sixteen(w, how):
    w.serve(how)
    watchers = sixteen_watchers(w)
    assert ask(b"LED WATCH\n") == b"ERR 16 clients watch already\n"
    assert ask(b"LED ON\n") == b"OK LED ON\n"
    assert [watcher.next() for watcher in watchers] == ["OK LED ON\n"] * 16
    watchers.pop().socket.shutdown(socket.SHUT_RDWR)

    def is_let_in():
        another = Watcher(w)
        line = another.next()
        another.socket.close()
        # Whoever has closed both ways is found at the next change.
        ask(b"LED TOGGLE\n")
        return line.startswith("OK")

    eventually(is_let_in, 30, 0.1)
    for watcher in watchers:
        assert watcher.next().startswith("OK LED O")


@test("WATCH: strangers cannot take the places of programs on this machine, nor the other way round")
def places(w):
    path = w.dir / "line.sock"
    w.line(listen=[PORT, path])
    # With the time of its arrival, as led-handler sends it.
    handler = b"LED WATCH @%d\n" % (time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000000)
    proxied = b"PROXY TCP4 192.0.2.7 127.0.0.1 40112 5556\r\nLED WATCH\n"
    full = "ERR 16 clients watch already"
    network = [(b"LED WATCH\n", ("127.0.0.1", PORT)), (handler, str(path)), (proxied, str(path))]
    local = [(b"LED WATCH\n", str(path))]
    for kind, other in (network, local), (local, network):
        held = [Watcher(w, command, address=address) for command, address in (kind * 16)[:16]]
        assert [watcher.next() for watcher in held] == ["OK LED OFF\n"] * 16
        for command, address in kind:
            answer = Watcher(w, command, address=address).next().strip(" \n")
            assert answer == full, (command, answer)
        watcher = Watcher(w, other[0][0], address=other[0][1])
        assert watcher.next() == "OK LED OFF\n"
        for each in held + [watcher]:
            each.socket.shutdown(socket.SHUT_RDWR)
        ask(b"LED ON\n")  # they are found to have left
        ask(b"LED OFF\n")


@test("one truth: what STATUS finds that another program has changed, all hear of")
def one_truth(w):
    led = fake_led(w)
    line = w.line(led="leds:green", listen=[PORT])
    watcher = Watcher(w)
    assert watcher.next() == "OK LED OFF\n"
    for brightness, state in (b"10\n", "ON"), (b"0\n\n", "OFF"):
        for ask_for in b"LED STATUS\n", b"LED LIST\n":
            (led / "brightness").write_bytes(brightness)
            assert state in ask(ask_for).decode()
            assert Watcher(w).next() == f"OK LED {state}\n"
        assert watcher.next() == f"OK LED {state}\n"
        eventually(lambda: line.manager.status() == f"LED leds:green is {state.lower()}")
    # The next command begins with what is there.
    (led / "brightness").write_bytes(b"10\n")
    assert ask(b"LED TOGGLE\n") == b"OK LED OFF\n"


@test("WATCH: what is refused")
def refused(w):
    w.line(led="kitchen=log door=log", listen=[PORT])
    assert ask(b"LED cellar WATCH\n") == b"ERR no LED is called cellar; LED LIST names them\n"
    assert ask(b"LED ALL WATCH\n") == b"ERR LED ALL takes ON and OFF\n"
    assert Watcher(w).next(2) == "OK LED kitchen OFF\nOK LED door OFF\n"


@test("WATCH: 64 clients with commands make no watcher go")
def no_room_needed(w):
    w.line(listen=[PORT])
    watchers = sixteen_watchers(w)
    silent = [connect() for _ in range(100)]
    assert ask(b"LED ON\n") == b"OK LED ON\n"
    assert [watcher.next() for watcher in watchers] == ["OK LED ON\n"] * 16
    for s in silent:
        s.close()


@test("WATCH: a slow reader gets the newest states, and one that does not read is closed", quick=False, takes=10)
def slow(w):
    names = [f"a-long-name-no{i:02}" for i in range(32)]
    line = w.line(led=" ".join(f"{name}=log" for name in names), listen=[PORT])
    stuck = [Watcher(w, buffer=1) for _ in range(16)]
    assert [watcher.next(32).count("OFF") for watcher in stuck] == [32] * 16
    memory = int(line.stat()[21])
    start, rounds = time.monotonic(), 0
    # An odd number of them, and for half of the 10 s that those who do not read have.
    while rounds < 401 and (rounds % 2 == 0 or time.monotonic() < start + 5):
        rounds += 1
        assert ask(b"LED ALL ON\n" if rounds % 2 else b"LED ALL OFF\n").startswith(b"OK")
    reader, last, lines = stuck.pop(), {}, 0
    while list(last.values()) != ["ON"] * 32:
        _, _, name, last[name] = reader.next().split()
        lines += 1
    assert 32 <= lines < 32 * rounds, lines
    # The others have their places until they have not read for 10 s.
    assert ask(b"LED WATCH\n") == b"ERR 16 clients watch already\n"
    eventually(lambda: Watcher(w).next() != "ERR 16 clients watch already\n", 30, 0.1)
    assert ask(b"LED ALL OFF\n") == b"OK LED ALL OFF\n" and reader.next().endswith(" OFF\n")
    if not SLOW:  # their own memory grows
        assert int(line.stat()[21]) <= memory + 64, "pages of memory"


@test("WATCH by led-handler in a shell: to a pipe, until its reader has left")
def local(w):
    w.line()
    handler = subprocess.Popen(
        [LED_HANDLER, f"--line={w.dir}/line.sock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    w.at_end(handler.kill)
    handler.stdin.write(b"LED WATCH\n")
    handler.stdin.close()
    assert handler.stdout.readline() == b"OK LED OFF\n"
    ask(b"LED ON\n", w.dir / "line.sock")
    assert handler.stdout.readline() == b"OK LED ON\n"
    handler.stdout.close()
    assert handler.wait(20) == 0


@test("WATCH is logged once, and ends with led-line")
def logged(w):
    line = w.line()
    handler = w.spawn(LED_HANDLER, f"--line={w.dir}/line.sock", stdin=subprocess.PIPE)
    handler.stdin.write(b"LED WATCH\n")
    handler.stdin.flush()
    eventually(lambda: 'local user 0 sent "LED WATCH": OK LED OFF' in w.log("led-handler"))
    for _ in range(10):
        ask(b"LED TOGGLE\n", w.dir / "line.sock")
    line.stop()
    assert handler.wait(20) == 0
    assert [t for t in w.log() if "WATCH" in t] == ['local user 0 sent "LED WATCH": OK LED OFF']
    assert not w.log("led-line", WARNING)
