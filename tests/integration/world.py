# SPDX-License-Identifier: MIT
"""The world that the integration tests run the programs in.

enter() puts this process into a network of its own, so that port 5555 is free, with a
system log of its own, so that every line can be looked at. A World is what one test has:
a folder, and the processes that it started, all of which end with it.
"""

import contextlib
import ctypes
import fcntl
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

SOURCE = Path(__file__).resolve().parents[2]
# On a machine with the units installed, these serve.
INSTALLED = os.environ.get("INSTALLED") == "1"
LED, LED_HANDLER, LED_LINE, BUTTON, LED_MQTT, LED_WEB = (
    shutil.which(program) if INSTALLED else f"{os.environ['BUILD']}/{program}"
    for program in ("led", "led-handler", "led-line", "button", "led-mqtt", "led-web")
)
# Sanitizers and valgrind are slow: only the plain build has bounds on time.
SLOW = os.environ.get("SLOW") == "1"
# A command that starts each of our programs, such as valgrind.
WRAP = os.environ.get("WRAP", "").split()

PORT = 5555
AFAR = "192.0.2.2"
LINE_PORT = 5556
DEBUG, INFO, NOTICE, WARNING, ERR = 7, 6, 5, 4, 3


class Skip(Exception):
    """The test cannot run here; says why."""


def need_program(*names):
    for name in names:
        path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        if path:
            return path
    raise Skip(f"there is no {names[0]}")


def eventually(condition, seconds=5, every=0.005):
    """Waits until a condition is true and returns its value; fails after three times so many
    seconds, because the machine does other work beside."""
    deadline = time.monotonic() + seconds * (6 if SLOW else 3)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"did not come true in {seconds} s\n{value}")
        time.sleep(every)


# --- a network and a log of our own -----------------------------------------------------

CLONE_NEWNS, CLONE_NEWNET, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 0x40000000, 4096, 16384, 1 << 18
libc = ctypes.CDLL(None, use_errno=True)


def mount(source, target, kind=None, flags=0):
    if libc.mount(source.encode(), str(target).encode(), kind and kind.encode(), flags, None) != 0:
        raise OSError(ctypes.get_errno(), f"mount on {target}")


def unmount(path):
    if libc.umount2(str(path).encode(), 0) != 0:
        raise OSError(ctypes.get_errno(), f"umount {path}")


class Log:
    """/dev/log, and every line that it received: (priority, program, text)."""

    def __init__(self, path, entrance=None):
        """Listens on a path, where everything sent to the entrance arrives."""
        self.entrance = str(entrance or path)
        self.lines = []
        self.marks = self.seen = 0
        self.read = threading.Condition()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind(str(path))
        path.chmod(0o666)
        threading.Thread(target=self._read, daemon=True).start()

    def catch_up(self):
        """Waits until everything sent so far has been read."""
        self.marks += 1
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(b"mark %d" % self.marks, self.entrance)
        with self.read:
            self.read.wait_for(lambda: self.seen >= self.marks)

    def _read(self):
        while True:
            text = self.socket.recv(4096).decode(errors="replace").rstrip("\n\0")
            if text.startswith("mark "):
                with self.read:
                    self.seen = int(text[5:])
                    self.read.notify_all()
                continue
            match = re.match(r"<(\d+)>\w+ +\d+ [\d:]+ ([\w.-]+)\[\d+\]: (.*)", text, re.S)
            if match:
                self.lines.append((int(match[1]) & 7, match[2], match[3]))
            else:
                self.lines.append((INFO, "?", text))


def replace_dev_log(folder, path):
    """Makes /dev/log lead to a socket of ours, for this process and its children."""
    # Mount a tmpfs of our own over /dev, with everything that was there.
    mount("/dev", folder / "dev", flags=MS_BIND | MS_REC)
    mount("tmpfs", "/dev", "tmpfs")
    for entry in os.listdir(folder / "dev"):
        old, new = folder / "dev" / entry, Path("/dev") / entry
        if entry == "log":
            continue
        if entry == "ptmx":  # looks for its terminals beside itself
            new.symlink_to("pts/ptmx")
            continue
        if old.is_symlink():
            new.symlink_to(os.readlink(old))
            continue
        if old.is_dir():
            new.mkdir()
        else:
            new.touch()
        mount(str(old), new, flags=MS_BIND | MS_REC)
    Path("/dev/log").symlink_to(path)


LOG = None


def default_signals():
    """Starts every later process with default signals.

    nohup, and a shell that starts something in the background, leave signals ignored, which
    outlives exec(2); a handler does not.
    """
    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:  # subprocess does
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def enter(folder):
    """Call once in a process, as root, before anything else. folder: empty, and ours"""
    global LOG
    default_signals()
    if INSTALLED:
        # journald forwards what /dev/log received, except what the units leave out.
        forwarded = Path("/run/systemd/journal/syslog")
        forwarded.unlink(missing_ok=True)
        LOG = Log(forwarded, "/dev/log")
        return
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET) != 0:
        raise Skip("no namespaces of our own: " + os.strerror(ctypes.get_errno()))
    libc.prctl(36, 1)  # PR_SET_CHILD_SUBREAPER: orphans are ours
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = struct.pack("16sH14x", b"lo", 1 | 64)  # IFF_UP | IFF_RUNNING
        fcntl.ioctl(s, 0x8914, request)  # SIOCSIFFLAGS
        # An address outside loopback, for clients and servers on another machine.
        address = struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(AFAR))
        fcntl.ioctl(s, 0x8916, address)  # SIOCSIFADDR
    (folder / "dev").mkdir()
    LOG = Log(folder / "log")
    replace_dev_log(folder, folder / "log")
    if "REPORTS" in os.environ:
        mount("tmpfs", os.environ["REPORTS"], "tmpfs")
        os.chmod(os.environ["REPORTS"], 0o1777)

    # A copy of /etc with the package's users, so that xinetd/led works unchanged. Mounts on single
    # files would end when another process of the machine replaces them, as adduser does.
    etc = folder / "etc"
    subprocess.run(["cp", "-a", "/etc", etc], check=True)
    for name, lines in {
        "passwd": "led-line:x:61001:61001::/:/usr/sbin/nologin\n"
        "led-handler:x:61002:61002::/:/usr/sbin/nologin\n",
        "group": "led-line:x:61001:\nled-handler:x:61002:\ngpio:x:61003:\n",
    }.items():
        theirs = (etc / name).read_text().splitlines(True)
        others = [line for line in theirs if not re.match("led-|gpio:", line)]
        (etc / name).write_text("".join(others) + lines)
    (etc / "resolv.conf").unlink(missing_ok=True)
    (etc / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    mount(str(etc), "/etc", flags=MS_BIND)


# --- talking to a server ----------------------------------------------------------------


def connect(address=("127.0.0.1", PORT), timeout=10):
    timeout *= 6 if SLOW else 1
    if isinstance(address, tuple):
        s = socket.create_connection(address, timeout=timeout)
    else:
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(timeout)
        s.connect(str(address))
    return s


def read_all(s):
    data = b""
    try:
        while chunk := s.recv(4096):
            data += chunk
    except ConnectionResetError:
        data += b"<reset>"
    return data


def ask(command, address=("127.0.0.1", PORT), end=False, timeout=10):
    """Sends bytes, ends the stream if told to, and returns the whole answer."""
    with connect(address, timeout) as s:
        try:
            s.sendall(command)
            if end:
                s.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return read_all(s)


def send_as_the_original(command, address=("127.0.0.1", PORT)):
    """The tutorial's client: sends command and NUL, shuts down both ways, closes, reads nothing."""
    s = connect(address)
    s.sendall(command + b"\0")
    s.shutdown(socket.SHUT_RDWR)
    s.close()


def accepts(address=("127.0.0.1", PORT)):
    try:
        connect(address, 1).close()
        return True
    except OSError:
        return False


# --- processes --------------------------------------------------------------------------


class Process(subprocess.Popen):
    def __init__(self, argv, output, **kwargs):
        self.output_path = output
        with open(output, "wb") as out:
            super().__init__(
                argv,
                stdin=kwargs.pop("stdin", subprocess.DEVNULL),
                stdout=kwargs.pop("stdout", out),
                stderr=kwargs.pop("stderr", out),
                start_new_session=True,
                **kwargs,
            )
        if SLOW:
            # A command is too late after 5 s, however busy this machine is. The session is a
            # scheduling group, and this is three times the weight of another: sched(7), autogroup.
            with contextlib.suppress(OSError):
                Path(f"/proc/{self.pid}/autogroup").write_text("-5")

    def output(self):
        return self.output_path.read_text(errors="replace")

    def stat(self):
        """The fields of /proc/PID/stat from the state on: proc(5)."""
        return Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()

    def pause(self):
        """Stops it, and waits until it is stopped."""
        self.send_signal(signal.SIGSTOP)
        eventually(lambda: self.stat()[0] == "T")

    def resume(self):
        self.send_signal(signal.SIGCONT)

    def cpu_seconds(self):
        fields = self.stat()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self, signum=signal.SIGTERM):
        if self.poll() is None:
            self.send_signal(signum)
        return self.wait(20)


def orphans():
    """Processes whose parents have ended and left them to us, such as inetd's."""
    if INSTALLED:
        return []  # systemd takes them
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in children]


class Manager:
    """The service manager's end of sd_notify(3)."""

    def __init__(self, path, log):
        self.path = path
        self.log = log
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        path.chmod(0o666)
        self.messages = []  # (lines as a dict, descriptors)
        self.barriers = []  # what the log had at each sd_notify_barrier(3)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            while True:
                data, fds, _, _ = socket.recv_fds(self.socket, 4096, 8)
                if not data:
                    return
                lines = dict(l.split("=", 1) for l in data.decode().splitlines() if "=" in l)
                if "BARRIER" in lines:
                    self.barriers.append(self.log())
                    for fd in fds:
                        os.close(fd)
                    fds = []
                self.messages.append((lines, fds))
        except OSError:
            pass  # closed

    def said(self, key, value=None):
        """Whether KEY=VALUE has been sent; without a value, KEY with any."""
        return any(
            key in lines and (value is None or lines[key] == value) for lines, _ in self.messages
        )

    def store(self, before=()):
        """The descriptor store as pairs (name, descriptor), given what was passed at the start."""
        store = list(before)
        for lines, fds in list(self.messages):
            if "FDSTOREREMOVE" in lines:
                store = [(name, fd) for name, fd in store if name != lines["FDNAME"]]
            elif "FDSTORE" in lines:
                store += [(lines["FDNAME"], fd) for fd in fds]
        return store

    def status(self):
        """The last STATUS=."""
        return next((m["STATUS"] for m, _ in reversed(self.messages) if "STATUS" in m), "")

    def close(self):
        for _, fds in self.messages:
            for fd in fds:
                os.close(fd)
        # The next socket may get this one's number, so its thread has to end first.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()


class World:
    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="led-test."))
        self.dir.chmod(0o755)
        self.processes = []
        self.managers = []
        self.closers = []
        LOG.catch_up()
        self.log_start = len(LOG.lines)
        self.reading = threading.Lock()
        self.logs = {}  # by program and priority: how far they go in LOG.lines, and their lines

    def at_end(self, close):
        """Calls a function when the test is over."""
        self.closers.append(close)

    # The log since this test began.
    def log(self, program=None, most=INFO):
        LOG.catch_up()
        with self.reading:  # a Manager reads, too
            end, lines = self.logs.get((program, most), (self.log_start, []))
            new = LOG.lines[end:]
            lines += [text for priority, name, text in new if priority <= most and program in (None, name)]
            self.logs[program, most] = end + len(new), lines
            return lines.copy()

    def spawn(self, *argv, env=None, wrap=True, **kwargs):
        argv = [str(a) for a in argv]
        ours = argv[0] in (LED, LED_HANDLER, LED_LINE, BUTTON, LED_MQTT, LED_WEB)
        name = f"{len(self.processes)}-{Path(argv[0]).name}"
        process = Process(
            (WRAP if ours and wrap else []) + argv,
            self.dir / name,
            env={**os.environ, **{k: str(v) for k, v in (env or {}).items()}},
            **kwargs,
        )
        self.processes.append(process)
        return process

    def manager(self):
        manager = Manager(self.dir / f"notify{len(self.managers)}", self.log)
        self.managers.append(manager)
        return manager

    def notified(self, *argv, env=None, **kwargs):
        """Starts a program with a service manager, and waits for its READY=1."""
        manager = self.manager()
        process = self.spawn(*argv, env={**(env or {}), "NOTIFY_SOCKET": manager.path}, **kwargs)
        process.manager = manager

        def ready():
            assert process.poll() is None, f"ended with {process.returncode}: {process.output()}"
            return manager.said("READY", "1")

        eventually(ready, 10)
        return process

    def line(self, *options, listen=None, led="log", **kwargs):
        """led-line with a socket in the test's folder."""
        addresses = [self.dir / "line.sock"] if listen is None else listen
        leds = [f"--led={spec}" for spec in led.split()]
        return self.notified(
            LED_LINE, *leds, *(f"--listen={a}" for a in addresses), *options, **kwargs
        )

    def button(self, *options, **kwargs):
        return self.notified(BUTTON, f"--button=fifo:{self.dir}/press", *options, **kwargs)

    def press(self, times=1):
        with open(self.dir / "press", "wb", buffering=0) as fifo:
            for _ in range(times):
                fifo.write(b"0\n")

    def handler_script(self, *before):
        """A program that runs shell lines, if there are any, and then led-handler."""
        if not before and not WRAP:
            return Path(LED_HANDLER)
        path = self.dir / "handler"
        path.write_text(
            "\n".join(["#!/bin/bash", *before, f'exec {" ".join(WRAP)} {LED_HANDLER} "$@"', ""])
        )
        path.chmod(0o755)
        return path

    def line_script(self):
        """A script that runs led-line with the LEDs that are served."""
        path = self.dir / "line-wrapper"
        path.write_text(f'#!/bin/sh\nexport LED="{self.led}"\nexec {" ".join(WRAP)} {LED_LINE}\n')
        path.chmod(0o755)
        return path

    def statuses(self):
        """What the log LED has shown so far, without the state at the start."""
        return [t.removeprefix("LED Status: ") for t in self.log("led-line") if "Status:" in t][1:]

    # The ways to serve port 5555.

    def serve(self, how, handler=None, led="log"):
        self.led = led
        if not INSTALLED:
            handler = handler or self.handler_script()
        getattr(self, f"serve_{how}")(handler)
        eventually(accepts)
        return how

    def serve_line(self, _):
        self.line(listen=[PORT], led=self.led)

    def serve_activate(self, handler, *options):
        self.line(led=self.led)
        self.spawn(
            need_program("systemd-socket-activate"),
            f"--listen={PORT}",
            "--accept",
            *options,
            handler,
            f"--line={self.dir}/line.sock",
        )

    def serve_activate_inetd(self, handler):
        self.serve_activate(handler, "--inetd")

    def serve_xinetd(self, handler):
        """xinetd/led with the paths of our build and a log for an LED."""
        text = (SOURCE / "xinetd/led").read_text()
        text = text.replace("/usr/bin/led-handler", str(handler))
        line = self.line_script()
        text = text.replace("/usr/sbin/led-line", str(line))
        config = self.dir / "xinetd.conf"
        config.write_text("defaults\n{\n}\n" + text)
        self.spawn(
            need_program("xinetd"), "-dontfork", "-f", config, "-pidfile", self.dir / "pid"
        )
        eventually(accepts)
        ask(b"LED STATUS\n")  # led-line's start, and its first state, are behind us

    def serve_inetd(self, handler):
        line = self.line_script()
        config = self.dir / "inetd.conf"
        # More than inetd's own limit of 256 a minute.
        config.write_text(
            f"{PORT} stream tcp nowait.60000 root {handler} led-handler --line=127.0.0.1:{LINE_PORT}\n"
            f"127.0.0.1:{LINE_PORT} stream tcp wait root {line} led-line\n"
        )
        self.spawn(need_program("inetd"), "-i", config)
        eventually(accepts)
        ask(b"LED STATUS\n")

    # On a machine with the units installed.

    def serve_led_socket(self, handler):
        self.serve_unit("led.socket", handler)

    def serve_led_wait_socket(self, _):
        self.serve_unit("led-wait.socket")

    def serve_unit(self, unit, handler=None):
        run = lambda *command: subprocess.run(command, check=True)
        run("systemctl", "stop", "led-line.service", "led.socket", "led-wait.socket")
        drop_in = Path("/run/systemd/system/led@.service.d/test.conf")
        shutil.rmtree(drop_in.parent, ignore_errors=True)
        if handler:
            drop_in.parent.mkdir(parents=True)
            drop_in.write_text(f"[Service]\nExecStart=\nExecStart={handler}\n")
        Path("/etc/default/led").write_text(f'LED="{self.led}"\n')
        run("systemctl", "daemon-reload")
        run("systemctl", "start", unit)
        ask(b"LED STATUS\n")  # led-line's start, and its first state, are behind us

    def end(self):
        """Ends everything, and returns what went wrong at the end."""
        wrong = []
        for process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(60 if SLOW else 20)
                except subprocess.TimeoutExpired:
                    wrong.append(f"{process.args[0]} did not end at SIGTERM")
            if process.returncode in (99, -signal.SIGABRT, -signal.SIGSEGV):
                wrong.append(f"{process.args} ended with {process.returncode}")
            text = process.output()
            if "runtime error:" in text or "Sanitizer" in text or "==ERROR" in text:
                wrong.append(text)
        self.left = orphans()
        for pid in self.left:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for close in self.closers:
            close()
        for manager in self.managers:
            manager.close()
        for report in Path(os.environ.get("REPORTS", "/nonexistent")).glob("*"):
            text = report.read_text(errors="replace")
            report.unlink()
            # What a sanitizer says of a process that was killed while it looked for leaks at its end.
            text = re.sub(r"==\d+==Unable to get registers from thread \d+\.\n", "", text)
            if text.strip():
                wrong.append(f"{report.name}: {text}")
        shutil.rmtree(self.dir, ignore_errors=True)
        return wrong


SERVERS = ["line", "activate", "activate_inetd", "xinetd", "inetd"]
VALGRIND = ["activate"]  # the instrumented build runs under all of them
if INSTALLED:
    SERVERS = ["led_socket", "led_wait_socket"]

TESTS = []


@dataclass
class Test:
    name: str
    function: Callable
    quick: bool = True  # it also runs under valgrind; of the ways to serve, these do: VALGRIND
    alone: bool = False  # it needs the machine for itself: it measures time, or floods a server
    brokers: bool = False  # CI runs it against another broker than mosquitto, too
    takes: float = 1  # roughly, in seconds: the longest are started first


def test(name, **kinds):
    """Registers a test. kinds: as in Test"""

    def register(function):
        TESTS.append(Test(name, function, **kinds))
        return function

    return register


def test_for_each_server(name, **kinds):
    def register(function):
        for how in SERVERS:
            way = {**kinds, "quick": kinds.get("quick", True) and how in VALGRIND}
            TESTS.append(Test(f"{name} ({how})", lambda w, how=how: function(w, how), **way))
        return function

    return register
