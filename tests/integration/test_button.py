# SPDX-License-Identifier: MIT
"""button: presses from a FIFO, and how they get to the server."""

import ctypes
import os
import random
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from world import (
    BUTTON,
    ERR,
    MS_BIND,
    NOTICE,
    PORT,
    SLOW,
    SOURCE,
    WARNING,
    Skip,
    ask,
    connect,
    eventually,
    mount,
    test,
    unmount,
)


class Server:
    """A server that records what it receives; behaviour(connection, bytes) answers."""

    def __init__(self, w, behaviour=None, port=PORT, backlog=16):
        w.at_end(self.close)
        self.heard = []  # (when, bytes)
        self.behaviour = behaviour or (lambda s, data: s.sendall(b"OK LED ON\n"))
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(backlog)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            with s:
                data = s.recv(100)
                self.heard.append((time.monotonic(), data))
                try:
                    self.behaviour(s, data)
                except OSError:
                    pass

    def commands(self):
        return [data.rstrip(b"\n\0").decode() for _, data in self.heard]

    def close(self):
        if self.listener.fileno() >= 0:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()


def original_server(w):
    """The tutorial's LED process: one at a time, a backlog of 1, one read, no answer."""
    return Server(w, lambda s, data: None, backlog=1)


def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@test("each press sends the next command of the list, ON first")
def in_turn(w):
    server = Server(w)
    w.button()
    for i in range(5):
        w.press()
        eventually(lambda: len(server.heard) == i + 1)
    assert server.commands() == ["LED ON", "LED OFF", "LED ON", "LED OFF", "LED ON"]
    eventually(lambda: w.log("button")[4:])
    assert w.log("button")[0] == "press 1: LED ON: OK LED ON"


@test("button drives the original LED process: ON first, then OFF, and one question after the first")
def original(w):
    server = original_server(w)
    w.button()
    w.press(6)
    eventually(lambda: len(server.heard) == 7)
    assert server.commands() == ["LED ON", "LED STATUS", "LED OFF"] + ["LED ON", "LED OFF"] * 2
    eventually(lambda: len(w.log("button")) == 6)
    assert w.log("button", WARNING) == [
        "press 1: LED ON: sent; the server closed the connection without an answer, after LED "
        "STATUS too: from now on that counts as OK"
    ]


@test("the whole chain: FIFO, button, port 5555, led-handler, led-line")
def chain(w):
    w.serve("activate")
    w.button()
    for i in range(6):
        w.press()
        eventually(lambda: len(w.statuses()) == i + 1)
    assert w.statuses() == ["On", "Off"] * 3


@test("commands, server and button come from the environment; options override it")
def environment(w):
    server = Server(w)
    env = {
        "BUTTON": f"fifo:{w.dir}/press",
        "BUTTON_CONNECT": f"localhost:{PORT}",
        "BUTTON_COMMANDS": "LED TOGGLE, LED STATUS",
        "BUTTON_RETRY": "3",
        "BUTTON_DEBOUNCE": "20",
    }
    button = w.notified(BUTTON, env=env)
    w.press(3)
    eventually(lambda: len(server.heard) == 3)
    commands = [command.split(" #")[0] for command in server.commands()]
    assert commands == ["LED TOGGLE", "LED STATUS", "LED TOGGLE"]
    button.stop()
    w.notified(BUTTON, "--command=LED OFF", f"--connect=127.0.0.1:{PORT}", env=env)
    w.press(2)
    eventually(lambda: len(server.heard) == 5)
    assert server.commands()[3:] == ["LED OFF", "LED OFF"]


@test("a UNIX socket as the server: led-line without a network")
def unix_server(w):
    w.line()
    w.button(f"--connect={w.dir}/line.sock")
    w.press()
    eventually(lambda: w.statuses() == ["On"])


@test("press to command at the server: of 200, the fastest tenth is like a bare program's")
def latency(w):
    if SLOW:
        raise Skip("instrumented build")
    server = Server(w)
    w.button()
    bare = w.dir / "bare"
    os.mkfifo(bare)
    fifo = os.open(bare, os.O_RDWR)
    program = """
import socket, sys
for _ in sys.stdin:
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
        s.sendall(b"LED ON\\n")
        s.recv(64)
"""
    w.spawn(sys.executable, "-uc", program, PORT, stdin=fifo)

    def fastest_tenth():
        times = {bare: [], w.dir / "press": []}
        for i in range(402):
            path, heard = list(times)[i % 2], len(server.heard)
            start = time.monotonic()
            path.write_bytes(b"0\n")
            eventually(lambda: len(server.heard) > heard, every=0.0002)
            times[path].append(server.heard[heard][0] - start)
        return [sorted(seconds)[20] for seconds in times.values()]

    # Where the machine does something else too, the fastest are those that it left alone.
    for _ in range(3):
        theirs, ours = fastest_tenth()
        print(f"# p10 {ours * 1000:.2f} ms, a bare program's {theirs * 1000:.2f} ms", flush=True)
        if ours < 1.5 * theirs:
            break
    else:
        raise AssertionError((ours, theirs))
    os.close(fifo)


@test("5 presses while the server is away for 3 s: all arrive once, in order", quick=False)
def away(w):
    button = w.button("--command=A", "--command=B", "--command=C", "--command=D", "--command=E")
    for _ in range(5):
        w.press()
        time.sleep(0.3)
    eventually(lambda: "5 waiting" in button.manager.status())
    time.sleep(1.5)
    server = Server(w)
    eventually(lambda: len(server.heard) >= 5)
    time.sleep(1)
    assert server.commands() == ["A", "B", "C", "D", "E"], server.commands()
    assert not w.log("button", WARNING)
    eventually(lambda: "5 delivered, 0 dropped, 0 waiting" in button.manager.status())


@test("server away for longer than --retry: a warning for each press, and the list does not advance", quick=False)
def away_too_long(w):
    button = w.button("--retry=1")
    w.press(3)
    eventually(lambda: len(w.log("button", WARNING)) == 3, 6)
    assert w.log("button", WARNING) == [
        f"press {n}: LED ON: dropped: Connection refused" for n in (1, 2, 3)
    ]
    server = Server(w)
    w.press()
    eventually(lambda: server.heard)
    assert server.commands() == ["LED ON"]
    eventually(lambda: "4 presses, 1 delivered, 3 dropped" in button.manager.status())


@test("ERR does not acknowledge a command: it is sent again, and the list does not advance")
def refused(w):
    server = Server(
        w, lambda s, d: s.sendall(b"ERR busy\n" if len(server.heard) < 3 else b"OK LED ON\n")
    )
    w.button()
    w.press()
    eventually(lambda: len(server.heard) == 3)
    w.press()
    eventually(lambda: len(server.heard) == 4)
    assert server.commands() == ["LED ON"] * 3 + ["LED OFF"]


def keys_of(server):
    """The keys that LED TOGGLE was sent with; "" if it had none."""
    keys = []
    for command in server.commands():
        match = re.fullmatch(r"(?i)LED +TOGGLE(?: #([a-z0-9]{16}))?", command)
        assert match, command
        keys.append(match[1] or "")
    return keys


@test("LED TOGGLE is sent again with the same key, however the first attempt ended", quick=False, takes=8)
def toggle_key(w):
    def behaviour(s, _):
        how = len(server.heard)
        if how == 1:
            reset(s)
        elif how == 2:
            s.sendall(b"ERR no\n")
        elif how == 4:
            time.sleep(7)
        elif how != 3:
            s.sendall(b"OK LED ON\n")

    server = Server(w, behaviour)
    button = w.button("--command=led  toggle", "--retry=20")
    w.press(2)
    eventually(lambda: "2 delivered, 0 dropped" in button.manager.status(), 15)
    keys = keys_of(server)
    assert len(keys) == 6 and len(set(keys[:5])) == 1 and keys[5] != keys[0], keys
    assert w.log("button") == [f"press {n}: led  toggle: OK LED ON" for n in (1, 2)]


@test("LED TOGGLE to a server that knows no keys: sent without a key, and only once", quick=False)
def toggle_without_key(w):
    answers = [b"OK LED ON\n", None, b"ERR no led-line\n", b""]

    def behaviour(s, data):
        if b"#" in data:
            s.sendall(b"ERR unknown command: send LED ON, LED OFF, LED TOGGLE or LED STATUS\n")
        else:
            answer = answers[plain() - 1]
            reset(s) if answer is None else s.sendall(answer)

    def plain():
        return server.commands().count("LED TOGGLE")

    server = Server(w, behaviour)
    button = w.button("--command=LED TOGGLE")
    w.press(4)
    eventually(lambda: "1 delivered, 3 dropped, 0 waiting" in button.manager.status())
    assert [bool(key) for key in keys_of(server)] == [True, False] * 4
    assert w.log("button", WARNING) == [
        f"press {n}: LED TOGGLE: dropped: {why}"
        for n, why in (
            (2, "Connection reset by peer"),
            (3, "ERR no led-line"),
            (4, "the server closed the connection without an answer"),
        )
    ]


@test("PULSE and commands with a name get a key, too, and the log does not show it")
def pulse_key(w):
    commands = ["LED PULSE 500", "LED kitchen TOGGLE", "LED door PULSE 3000", "LED kitchen ON"]
    server = Server(w, lambda s, _: reset(s) if len(server.heard) % 2 else s.sendall(b"OK LED ON\n"))
    w.button(*(f"--command={command}" for command in commands))
    w.press(4)
    eventually(lambda: len(w.log("button")) == 4)
    assert w.log("button") == [
        f"press {n}: {command}: OK LED ON" for n, command in enumerate(commands, 1)
    ]
    sent = server.commands()
    assert sent[::2] == sent[1::2], sent
    for command, heard in zip(commands, sent[::2]):
        wanted = re.escape(command) + ("" if command.endswith("ON") else " #[a-z0-9]{16}")
        assert re.fullmatch(wanted, heard), heard


@test("LED TOGGLE also waits for a server that is away")
def toggle_waits(w):
    w.button("--command=LED TOGGLE")
    w.press()
    time.sleep(0.5)
    server = Server(w)
    eventually(lambda: server.heard)
    time.sleep(0.5)
    assert len(keys_of(server)) == 1


@test("silence of a server that has said a line acknowledges nothing, also if it was to LED STATUS")
def no_answer(w):
    silent = (1, 4, 5)
    server = Server(
        w, lambda s, _: None if len(server.heard) in silent else s.sendall(b"OK LED ON\n")
    )
    w.button()
    w.press(2)
    eventually(lambda: len(w.log("button")) == 2)
    assert server.commands() == ["LED ON", "LED STATUS", "LED ON"] + ["LED OFF"] * 3
    assert w.log("button") == ["press 1: LED ON: OK LED ON", "press 2: LED OFF: OK LED ON"]


@test("a question that ends with a reset answers nothing: the press is tried again under its key")
def no_answer_to_question(w):
    server = Server(w, lambda s, _: reset(s) if len(server.heard) == 2 else None)
    button = w.button("--command=LED TOGGLE")
    w.press()
    eventually(lambda: "1 delivered, 0 dropped" in button.manager.status())
    press, *others = server.commands()
    assert others == ["LED STATUS", press, "LED STATUS"], server.commands()
    assert len(w.log("button", WARNING)) == 1, w.log("button", WARNING)


SYN_SENT = "02"  # in /proc/net/tcp


def full_listener(w, address="127.0.0.1"):
    """Port 5555 with a full backlog: the kernel drops further connection requests."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, PORT))
    listener.listen(0)
    waiting = []
    for _ in range(3):
        s = socket.socket(family)
        s.setblocking(False)
        s.connect_ex((address, PORT))
        waiting.append(s)
    w.at_end(lambda: [s.close() for s in (listener, *waiting)])
    return listener, waiting


@test("a connection closed before the command arrives does not count as a delivery", quick=False)
def closed_at_once(w):
    listener, waiting = full_listener(w)
    ports = [s.getsockname()[1] for s in waiting]
    button = w.button("--command=LED TOGGLE")
    w.press()

    def stopped_while_connecting():
        button.pause()
        table = Path("/proc/net/tcp").read_text().splitlines()[1:]
        asking = [line.split() for line in table]
        if any(f[2].endswith(f":{PORT:04X}") and f[3] == SYN_SENT
               and int(f[1].split(":")[1], 16) not in ports for f in asking):
            return True
        button.resume()
        return False

    eventually(stopped_while_connecting, 10, 0.05)
    # One of them could fill the queue between the button's SYN and its ACK. Linux answers here with
    # SYN cookies, so it would have forgotten the button, which is stopped and sends nothing.
    for other in waiting:
        other.close()
    listener.settimeout(20)  # it asks again after 1, 3, 7 and 15 s
    peer = None
    while peer is None or peer[1] in ports:
        s, peer = listener.accept()
        s.close()  # as systemd does above MaxConnections
    listener.close()
    server = Server(w)
    button.resume()
    eventually(lambda: "1 delivered" in button.manager.status())
    assert len(keys_of(server)) == 1


@test("the very first press is not lost when led-handler fails without an answer", quick=False)
def first_press(w):
    w.serve("activate")
    line = next(p for p in w.processes if p.args[-1] == f"--listen={w.dir}/line.sock")
    line.pause()
    button = w.button("--retry=30")
    w.press()
    eventually(lambda: w.log("led-handler", ERR), 20)  # it has given up
    line.resume()
    eventually(lambda: "1 delivered" in button.manager.status(), 20)
    assert w.log("button") == ["press 1: LED ON: OK LED ON"], w.log("button")


# Drops segments with data, which have PSH set: linux/filter.h, RFC 9293.
NO_DATA = [(0x30, 0, 0, 13), (0x45, 0, 1, 8), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFF)]
FIN_WAIT1 = "04"  # in /proc/net/tcp: closed, and still sending what was not acknowledged


@test("a command that was given up does not arrive after later presses", quick=False, takes=6)
def taken_back(w):
    listener = socket.socket()
    w.at_end(listener.close)
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in NO_DATA))
    program = struct.pack("HP", len(NO_DATA), ctypes.addressof(code))
    listener.setsockopt(socket.SOL_SOCKET, 26, program)  # SO_ATTACH_FILTER
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", PORT))
    listener.listen(4)
    button = w.button("--retry=60")
    w.press()
    eventually(lambda: "trying again: the server does not answer" in button.manager.status(), 20)
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = [row[3] for row in rows if row[2].endswith(f":{PORT:04X}")]
    assert FIN_WAIT1 not in ours, ours


@test("a UNIX socket that closes without a line has not taken the command")
def silent_unix_server(w):
    path = w.dir / "server"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(10)
        button = w.button(f"--connect={path}")
        w.press()
        for answer in b"", b"", b"OK LED ON\n":
            with listener.accept()[0] as s:
                assert s.recv(100) == b"LED ON\n"
                s.sendall(answer)
    eventually(lambda: "1 delivered, 0 dropped" in button.manager.status())


@test("an OK counts, whatever follows it", quick=False, takes=6)
def ok_counts(w):
    def behaviour(s, _):
        s.sendall(b"OK LED ON")
        if len(server.heard) == 1:
            time.sleep(0.2)
            reset(s)
        else:
            time.sleep(7)

    server = Server(w, behaviour)
    button = w.button("--command=LED TOGGLE", "--retry=20")
    w.press(2)
    eventually(lambda: "2 delivered, 0 dropped" in button.manager.status(), 10)
    assert len(server.heard) == 2


@test("a server that resets the connection: ON is sent again")
def reset_server(w):
    server = Server(w, lambda s, _: reset(s) if len(server.heard) == 1 else s.sendall(b"OK\n"))
    w.button()
    w.press()
    eventually(lambda: len(server.heard) == 2)
    assert server.commands() == ["LED ON", "LED ON"]


@test("an endless answer or a garbage answer does no harm")
def garbage(w):
    server = Server(w, lambda s, _: s.sendall(b"\x1b[2J\0" * 5000))
    button = w.button("--retry=1")
    w.press()
    warning = eventually(lambda: w.log("button", WARNING), 8)
    assert warning[0].startswith("press 1: LED ON: dropped: ?[2J"), warning
    server.behaviour = lambda s, _: s.sendall(b"OK")
    w.press()
    eventually(lambda: "1 delivered, 1 dropped" in button.manager.status())


@test("a press during a slow connect is seen when it happens")
def slow_connect(w):
    listener, waiting = full_listener(w)
    button = w.button()
    w.press()
    eventually(lambda: "1 press, " in button.manager.status(), 1.5)
    w.press()
    eventually(lambda: "2 presses, 0 delivered, 0 dropped, 2 waiting" in button.manager.status(), 1)
    listener.close()
    for s in waiting:
        s.close()
    server = Server(w)
    eventually(lambda: len(server.heard) == 2, 15)
    assert server.commands() == ["LED ON", "LED OFF"]


@test("a server that hangs: presses that grew too old meanwhile are dropped too", quick=False, takes=6)
def hanging_server(w):
    server = Server(w, lambda s, _: time.sleep(7))
    w.button("--retry=2")
    w.press(5)
    eventually(lambda: len(w.log("button", WARNING)) == 5, 10)
    assert len(server.heard) == 1, server.heard
    assert "press 5: LED ON: dropped: the server does not answer" in w.log("button", WARNING)


@test("a press that waited for longer than --retry is not sent, whatever delayed it")
def old_behind_delivered(w):
    def behaviour(s, _):
        if len(server.heard) == 1:
            time.sleep(1.5)
        s.sendall(b"OK LED ON\n")

    server = Server(w, behaviour)
    button = w.button("--retry=1")
    w.press(3)
    eventually(lambda: "3 presses, 1 delivered, 2 dropped" in button.manager.status())
    assert w.log("button", WARNING) == [
        f"press {n}: LED OFF: dropped: it had to wait for longer than --retry" for n in (2, 3)
    ]
    w.press()
    eventually(lambda: len(server.heard) == 2)
    assert server.commands() == ["LED ON", "LED OFF"]


@test("the queue holds 16 presses, and what does not fit gets one warning")
def overflow(w):
    button = w.button("--retry=60")
    w.press(40)
    eventually(lambda: "40 presses, 0 delivered, 24 dropped, 16 waiting" in button.manager.status())
    server = Server(w)
    eventually(lambda: len(server.heard) == 16)
    wanted = ["press 17 to 40: dropped: 16 presses were waiting"]
    assert w.log("button", WARNING) == wanted, w.log("button", WARNING)
    w.press()
    eventually(lambda: len(server.heard) == 17)
    assert server.commands() == ["LED ON", "LED OFF"] * 8 + ["LED ON"]


@test("the FIFO is created and removed; one that existed before is kept")
def fifo(w):
    button = w.button()
    path = w.dir / "press"
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert button.stop() == 0
    assert not path.exists()
    os.mkfifo(path)
    button = w.button()
    assert button.stop() == 0
    assert stat.S_ISFIFO(path.stat().st_mode)


@test("a FIFO in the service's own /tmp is reported once, since nobody else can write to it")
def private_tmp(w):
    """PrivateTmp=yes, as systemd makes it."""
    private = w.dir / "systemd-private-1-button.service-2/tmp"
    private.mkdir(parents=True)
    mounts = 'mount --bind "$1" /var/tmp && shift && exec "$@"'
    button = lambda path: w.notified(
        "unshare", "-m", "sh", "-c", mounts, "sh", private, BUTTON, f"--button=fifo:{path}"
    )
    inside = button("/var/tmp/press")
    assert (private / "press").exists()
    wanted = [
        "/var/tmp/press is in a directory that only this service sees: use one in /run/button"
    ]
    assert w.log("button", WARNING) == wanted, w.log("button", WARNING)
    assert inside.stop() == 0
    assert button(w.dir / "press").stop() == 0
    assert w.log("button", WARNING) == wanted, w.log("button", WARNING)


@test("a file that has replaced the FIFO is not removed")
def not_our_fifo(w):
    button = w.button()
    path = w.dir / "press"
    # At once: a FIFO that is missing is made again.
    (w.dir / "file").write_text("precious")
    (w.dir / "file").rename(path)
    assert button.stop() == 0
    assert path.read_text() == "precious"


@test("presses still waiting when button stops are reported")
def stopped(w):
    button = w.button()
    w.press(2)
    eventually(lambda: "2 waiting" in button.manager.status())
    assert button.stop() == 0
    wanted = [f"press {n}: dropped: the button's program stops" for n in (1, 2)]
    assert w.log("button", WARNING) == wanted, w.log("button", WARNING)


@test("a path that is not a FIFO is refused, left alone, and waited for")
def not_a_fifo(w):
    path = w.dir / "press"
    path.write_text("mine")
    server = Server(w)
    button = w.button()
    warning = eventually(lambda: w.log("button", WARNING))
    assert warning == [f"button fifo:{path}: {path} is there and is not a FIFO; waiting for it"]
    eventually(lambda: "is not a FIFO" in button.manager.status())
    assert path.read_text() == "mine"
    path.unlink()
    eventually(path.exists, 10)
    w.press()
    eventually(lambda: server.heard)
    assert len(w.log("button", WARNING)) == 1


@test("only the lines 0 and down are a press, however the bytes are split")
def fifo_lines(w):
    server = Server(w)
    w.button()
    with open(w.dir / "press", "wb", buffering=0) as f:
        f.write(b"do")
        f.write(b"wn\nup")
        eventually(lambda: len(server.heard) == 1)
        f.write(b"\nup\n")
        server.heard.clear()
        for piece in (b"1\n", b"00\n", b"\n", b"x" * 5000 + b"\n", b" 0\n", b"0\r\n", b"0"):
            f.write(piece)
        time.sleep(0.2)
        assert len(server.heard) == 1, server.heard
        f.write(b"\n")
        eventually(lambda: len(server.heard) == 2)


@test("a write without a newline ends with its writer")
def fifo_without_newline(w):
    button = w.button("--command=A", "--retry=60")
    delivered = lambda n: eventually(lambda: f"{n} delivered" in button.manager.status())
    Server(w)
    shell = lambda script: w.spawn("sh", "-c", script, cwd=w.dir).wait(20)
    shell("printf 0 >press")
    delivered(1)
    shell("echo 0 >press")
    delivered(2)
    # Two writes as fast as a shell makes them, before the first has been read.
    for n in range(20):
        button.pause()
        shell("printf 0 >press; echo 0 >press; printf 0 >press")
        button.resume()
        delivered(5 + 3 * n)
    for n in range(20):
        shell("printf 0 >press; echo 0 >press")
        delivered(64 + 2 * n)
    # While another process has it open.
    with open(w.dir / "press", "wb", buffering=0) as f:
        shell("printf 0 >press")
        delivered(103)
        f.write(b"0\n")
        delivered(104)
    assert "104 presses, 104 delivered, 0 dropped" in button.manager.status()


@test("a FIFO that is removed, renamed or replaced is created again at once")
def fifo_removed(w):
    path = w.dir / "press"
    other = w.dir / "other"
    server = Server(w)
    button = w.button("--command=A")

    def replace():
        other.unlink()
        os.mkfifo(other)
        other.rename(path)

    for n, how in enumerate((path.unlink, lambda: path.rename(other), replace)):
        how()
        # Sooner than the regular look for a missing button.
        eventually(lambda: len(w.log("button", NOTICE)) == n + 1, 1)
        w.press()
        eventually(lambda: len(server.heard) == n + 1)
    assert not w.log("button", WARNING)
    notice = f"{path} was removed, and is made again"
    assert w.log("button", NOTICE) == [notice] * 3, w.log("button", NOTICE)

    # A file in its place is reported, and button waits for it to go.
    button.pause()
    path.unlink()
    path.write_text("0\n")
    button.resume()
    warning = f"button fifo:{path}: {path} is there and is not a FIFO; waiting for it"
    eventually(lambda: w.log("button", WARNING) == [warning])
    path.unlink()
    eventually(path.exists)
    w.press()
    eventually(lambda: len(server.heard) == 4)
    assert button.stop() == 0 and not path.exists()


@test("an endless writer to the FIFO delays nothing")
def fifo_flood(w):
    Server(w)
    button = w.button("--command=A", env={"WATCHDOG_USEC": 400000})
    for text in ("yes 0", "cat /dev/zero"):
        delivered = lambda: int(re.search(r"(\d+) delivered|$", button.manager.status())[1] or 0)
        before = delivered()
        w.spawn("sh", "-c", f"{text} >press", cwd=w.dir)
        if text == "yes 0":
            eventually(lambda: delivered() > before + 20, 10)
        sent = len(button.manager.messages)
        eventually(lambda: any("WATCHDOG" in m for m, _ in button.manager.messages[sent:]), 10)
    assert button.stop() == 0


@test("writers that come and go do not make button spin")
def no_spin(w):
    server = Server(w)
    button = w.button()
    for i in range(20):
        w.press()
        eventually(lambda: len(server.heard) == i + 1)
    before = button.cpu_seconds()
    time.sleep(1)
    assert button.cpu_seconds() - before <= 0.02


def write(w, *lines):
    with open(w.dir / "press", "wb", buffering=0) as fifo:
        for line in lines:
            fifo.write(f"{line}\n".encode())


SWITCH = ("--command=LED ON", "--release-command=LED OFF")


@test("a latching switch: its position at the start, then each closing and each opening")
def latching(w):
    server = Server(w)
    button = w.button(*SWITCH)
    heard = lambda *wanted: eventually(lambda: server.commands() == list(wanted))
    heard("LED OFF")
    write(w, "down")
    heard("LED OFF", "LED ON")
    write(w, "up")
    heard("LED OFF", "LED ON", "LED OFF")
    write(w, "0")
    heard("LED OFF", "LED ON", "LED OFF", "LED ON", "LED OFF")
    assert button.stop() == 0
    assert w.log("button")[0] == "open: LED OFF: OK LED ON", w.log("button")


@test("lists that are no position: each closing and each opening, and the start is none")
def releases(w):
    server = Server(w)
    heard = lambda *wanted: eventually(lambda: server.commands() == list(wanted))
    button = w.button("--command=A,1", "--command=B", "--release-command=R", "--release-command=S")
    write(w, "down", "up", "0")
    heard("A,1", "R", "B", "S")
    assert button.stop() == 0
    server.heard.clear()
    for lists in (
        ["--command=LED door PULSE 500", "--release-command=LED door OFF"],
        ["--command=LED ON", "--release-command=LED kitchen OFF"],
        ["--release-command=LED OFF"],
        [*SWITCH, "--long-command=LED ALL OFF"],
    ):
        button = w.button(*lists)
        status = eventually(button.manager.status)
        assert status == f"fifo:{w.dir}/press: no press yet", (lists, status)
        assert button.stop() == 0
    assert not server.heard


@test("a latching switch and its LED agree after 100 throws, with kills and refusals between", quick=False)
def latching_killed(w):
    chance = random.Random(5)
    lit = []

    def behaviour(s, data):
        if chance.random() < 0.1:
            s.sendall(b"ERR no\n")
        else:
            lit.append(data == b"LED ON\n")
            s.sendall(b"OK\n")

    Server(w, behaviour)
    button = w.button(*SWITCH)
    closed = False
    seen = set()
    for _ in range(100):
        for word in chance.choices(("down", "up", "0"), k=chance.randrange(1, 5)):
            write(w, word)
            closed = word == "down"
        if chance.random() < 0.2:
            button.stop(signal.SIGKILL)
            button = w.button(*SWITCH)
            closed = False  # as every FIFO is at first
        eventually(lambda: lit[-1:] == [closed], 10)
        seen.add(closed)
    assert seen == {False, True}
    status = f"{'closed' if closed else 'open'} since "
    eventually(lambda: status in button.manager.status())
    time.sleep(1)
    assert lit[-1] == closed and "not delivered" not in button.manager.status()


@test("a switch that was away: its position is sent if it has changed")
def latching_away(w):
    path = w.dir / "press"
    server = Server(w)
    button = w.button(*SWITCH)
    heard = lambda *wanted: eventually(lambda: server.commands() == list(wanted), 10)

    def away():
        button.pause()
        path.unlink()
        path.write_text("")
        button.resume()
        eventually(lambda: "is not a FIFO" in button.manager.status())
        path.unlink()
        eventually(path.exists, 10)
        eventually(lambda: "is not a FIFO" not in button.manager.status())

    heard("LED OFF")
    away()
    write(w, "down")
    heard("LED OFF", "LED ON")
    away()
    # A FIFO is open when it is made.
    heard("LED OFF", "LED ON", "LED OFF")


@test("a long press sends its command at the moment at which it is long")
def long_press(w):
    server = Server(w)
    env = {"BUTTON_RELEASE_COMMANDS": "R, S"}
    w.button("--command=A", "--command=B", "--long-command=L", "--long=300", env=env)
    heard = lambda *wanted: eventually(lambda: server.commands() == list(wanted))
    write(w, "0")
    heard("A", "R")
    server.heard.clear()
    start = time.monotonic()
    write(w, "down")
    heard("L")
    assert server.heard[0][0] - start >= 0.3, server.heard[0][0] - start
    write(w, "up", "down", "up")
    heard("L", "S", "B", "R")


@test("without long or release commands, a press counts at once, and a release sends nothing")
def no_gestures(w):
    server = Server(w)
    button = w.button("--long=60000")
    write(w, "down")
    eventually(lambda: server.commands() == ["LED ON"])
    write(w, "up", "0")
    eventually(lambda: "2 presses, 2 delivered" in button.manager.status())
    assert server.commands() == ["LED ON", "LED OFF"]


@test("READY=1 once the FIFO exists, STATUS= with counts, watchdog, STOPPING=1")
def notify(w):
    server = Server(w)
    button = w.button(env={"WATCHDOG_USEC": 200000})
    assert (w.dir / "press").exists()
    eventually(lambda: button.manager.status() == f"fifo:{w.dir}/press: no press yet")
    w.press()
    wanted = (
        f"fifo:{w.dir}/press: 1 press, 1 delivered, 0 dropped, 0 waiting; "
        "press 1: LED ON: OK LED ON"
    )
    eventually(lambda: button.manager.status() == wanted)
    eventually(lambda: sum("WATCHDOG" in m for m, _ in button.manager.messages) >= 3)
    assert button.stop() == 0
    eventually(lambda: button.manager.said("STOPPING", "1"))
    assert server


@test("a host name that is not found is tried again until it is")
def name(w):
    button = w.button(f"--connect=nowhere.invalid:{PORT}", "--retry=1")
    w.press()
    eventually(lambda: w.log("button", WARNING), 15)
    assert "press 1: LED ON: dropped: " in w.log("button", WARNING)[0]
    assert button.stop() == 0


@test("of a name's addresses, the one that worked last is tried first")
def dead_address(w):
    """The name is ::1, where the kernel drops connection requests, and then 127.0.0.1."""
    hosts = w.dir / "hosts"
    hosts.write_text("::1 two.example\n127.0.0.1 two.example\n")
    mount(str(hosts), "/etc/hosts", flags=MS_BIND)
    w.at_end(lambda: unmount("/etc/hosts"))
    found = socket.getaddrinfo("two.example", PORT, type=socket.SOCK_STREAM)
    assert [address[4][0] for address in found] == ["::1", "127.0.0.1"], found
    listener, waiting = full_listener(w, "::1")
    server = Server(w)
    w.button(f"--connect=two.example:{PORT}")
    times = []
    for i in range(4):
        start = time.monotonic()
        w.press()
        eventually(lambda: len(server.heard) == i + 1, 10, 0.01)
        times.append(time.monotonic() - start)
    assert max(times[1:]) < times[0] / 4, times


@test("a name server that does not answer delays nothing")
def slow_name(w):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dns:
        dns.bind(("127.0.0.1", 53))
        button = w.button(f"--connect=somewhere.example:{PORT}", "--retry=1")
        w.press()
        w.press()
        eventually(lambda: "2 presses" in button.manager.status(), 1)
        eventually(lambda: len(w.log("button", WARNING)) == 2, 10)
        assert button.stop() == 0


@test("a UNIX socket that cannot be reached is named, with the reason")
def unreachable_unix_server(w):
    path = w.dir / "server"
    w.button(f"--connect={path}", "--retry=0")

    def dropped(n, why):
        w.press()
        eventually(lambda: len(w.log("button", WARNING)) == n)
        assert w.log("button", WARNING)[-1] == f"press {n}: LED ON: dropped: {path}: {why}"

    dropped(1, "No such file or directory")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
        dropped(2, "Connection refused")


@test("a resolver that fails at once is not reported as one that takes too long")
def failing_resolver(w):
    # The name server is this machine, where nothing listens on port 53.
    w.button(f"--connect=somewhere.example:{PORT}", "--retry=0")
    w.press()
    why = "press 1: LED ON: dropped: Temporary failure in name resolution"
    eventually(lambda: w.log("button", WARNING) == [why])


@test("a command to another server is sent again, whatever it is")
def foreign_command(w):
    server = Server(w, lambda s, _: reset(s) if len(server.heard) < 3 else s.sendall(b"OK\n"))
    w.button("--command=PRESS kitchen")
    w.press()
    eventually(lambda: len(server.heard) == 3)
    assert server.commands() == ["PRESS kitchen"] * 3


def device_comes(w, spec, missing, make, path):
    """A new device has five seconds for udev to give it to its group."""
    # Not as root, just as under the unit.
    as_user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    manager = w.manager()
    w.spawn(*as_user, BUTTON, f"--button={spec}", env={"NOTIFY_SOCKET": manager.path})
    warnings = lambda: w.log("button", WARNING)
    eventually(lambda: warnings() == [f"button {spec}: {missing}; waiting for it"])
    eventually(lambda: missing in manager.status())

    # The status says so at once; then the device goes again.
    make()
    eventually(lambda: missing not in manager.status())
    if "Permission denied" not in manager.status():
        raise Skip("libgpiod 2 asks sysfs for a chip first; the lab has real ones")
    path.unlink()
    eventually(lambda: missing in manager.status())
    assert len(warnings()) == 1, warnings()

    # A device that is never given to the group is reported, later: not by the second try.
    make()
    begin = time.monotonic()
    eventually(lambda: len(warnings()) == 2, 15)
    assert time.monotonic() > begin + 4
    assert "Permission denied" in warnings()[1]


@test("a new chip has five seconds for udev to give it to its group", quick=False, takes=6)
def chip_comes(w):
    chip = Path("/dev/gpiochip0")
    if chip.exists():
        raise Skip("this machine has a GPIO chip")
    w.at_end(lambda: chip.unlink(missing_ok=True))
    missing = "this machine has no GPIO chip (/dev/gpiochip*)"
    device_comes(w, "gpio:GPIO4", missing, lambda: chip.touch(0o600), chip)


@test("a new input device has two seconds for udev, and may be the first one", quick=False, takes=6)
def input_comes(w):
    folder = Path("/dev/input")
    if folder.exists():
        raise Skip("this machine has input devices")
    w.at_end(lambda: shutil.rmtree(folder, ignore_errors=True))
    device = folder / "event0"

    def make():
        folder.mkdir(exist_ok=True)
        os.mknod(device, 0o600 | stat.S_IFCHR, os.makedev(13, 64))

    missing = "no input device is called pedal; they are in /proc/bus/input/devices"
    device_comes(w, "input:pedal", missing, make, device)


@test("a key is a press; another key and its repetition are none")
def key(w):
    if not os.access("/dev/uinput", os.W_OK):
        raise Skip("this machine has no /dev/uinput; the lab has one")
    server = Server(w)
    name = f"pedal {os.getpid()}"
    keyboard = SOURCE / "tests/lab/guest/keyboard.py"
    keys = w.spawn(sys.executable, keyboard, name, stdin=subprocess.PIPE).stdin
    button = w.notified(BUTTON, f"--button=input:{name},KEY_ENTER")
    eventually(lambda: ": no press yet" in button.manager.status())
    for code, value in (28, 1), (28, 2), (30, 1), (30, 0), (28, 2), (28, 0), (28, 1), (28, 0):
        keys.write(b"%d %d\n" % (code, value))
    keys.flush()
    eventually(lambda: server.commands() == ["LED ON", "LED OFF"])


@test("wrong options: one clear line and exit status 2")
def wrong_options(w):
    for options, text in [
        (["--button=x"], "button: --button=x: a button is gpio:LINE"),
        (["--connect=x"], "button: --connect=x: an address is"),
        (["--connect=tcp://pi:5555"], "button: --connect=tcp://pi:5555: an address is"),
        (["--button=input:pedal,ENTER"], "there is no such key; a key is KEY_ENTER, BTN_0"),
        (["--command="], "button: --command=: a command has 1 to 64 bytes"),
        (["--command=" + "x" * 65], "a command has 1 to 64 bytes"),
        (["--command=a\nb"], "no control characters"),
        (["--release-command="], "button: --release-command=: a command has 1 to 64 bytes"),
        (["--long=60001"], "button: --long=60001: too large"),
        (["--button=gpio:GPIO4,pull-up,pull-off"], "contradict each other"),
        (["--debounce=x"], "button: --debounce=x: not a number"),
        (["--debounce=-1"], "not a number"),
        (["--filter=10001"], "button: --filter=10001: too large"),
        (["--retry=9999999999999"], "button: --retry=9999999999999: too large"),
        (["--bottom=x"], "unrecognized option"),
        (["x"], "unexpected argument 'x'"),
    ]:
        p = w.spawn(BUTTON, *options)
        assert p.wait(20) == 2, (options, p.returncode, p.output())
        if "\n" not in options[0]:
            assert text in p.output() and p.output().count("\n") == 1, p.output()
    for variable, text in [("BUTTON_LONG_COMMANDS", "A,"), ("BUTTON_RELEASE_COMMANDS", ",A")]:
        p = w.spawn(BUTTON, env={variable: text})
        assert p.wait(20) == 2 and f"button: {variable}=: a command has" in p.output(), p.output()
    p = w.spawn(BUTTON, env={"BUTTON": "fifo:/run/button/press\nBUTTON_RETRY=5"})
    assert p.wait(20) == 2 and "it has more than one line: is a quote not closed?" in p.output()
    assert p.output().count("\n") == 1
    for variable, option in [("BUTTON", "button"), ("BUTTON_RETRY", "retry")]:
        p = w.spawn(BUTTON, env={variable: "x"})
        assert p.wait(20) == 2 and f"button: {variable}=x: " in p.output(), p.output()
        p = w.spawn(BUTTON, f"--{option}=y", env={variable: "x"})
        assert p.wait(20) == 2 and f"button: --{option}=y: " in p.output(), p.output()
    for option in ("--help", "--version"):
        p = w.spawn(BUTTON, option)
        assert p.wait(20) == 0 and "button" in p.output()
