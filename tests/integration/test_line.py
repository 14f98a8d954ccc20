# SPDX-License-Identifier: MIT
"""led-line: its sockets, its state, the service manager, the LED class."""

import contextlib
import fcntl
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from world import (
    AFAR,
    BUTTON,
    LED_LINE,
    NOTICE,
    PORT,
    WARNING,
    SLOW,
    WRAP,
    Skip,
    ask,
    connect,
    eventually,
    mount,
    need_program,
    read_all,
    send_as_the_original,
    test,
    unmount,
)

# Starts a program with descriptors passed as the service manager does: sys.argv is
# NAMES PROGRAM..., and the descriptors are 3 and up already.
PASS = """
import os, sys
names, argv = sys.argv[1], sys.argv[2:]
os.environ["LISTEN_PID"] = str(os.getpid())
os.environ["LISTEN_FDS"] = str(names.count(":") + 1)
os.environ["LISTEN_FDNAMES"] = names
os.execv(argv[0], argv)
"""


def passed(w, fds, *argv, env=None, program=LED_LINE):
    """led-line with descriptors: {name: descriptor}, or (name, descriptor) each."""
    fds = list(fds.items() if isinstance(fds, dict) else fds)

    def put():
        # Where none is yet: dup3(2) refuses a descriptor its own place.
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 200) for _, fd in fds]
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i)

    return w.notified(
        sys.executable,
        "-c",
        PASS,
        ":".join(name for name, _ in fds),
        *(WRAP and [need_program(WRAP[0])] + WRAP[1:]),
        program,
        *argv,
        env=env,
        close_fds=False,
        preexec_fn=put,
    )


def tcp_listener(w, port=PORT):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen(8)
    w.at_end(s.close)
    return s


def unix_listener(w, path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(str(path))
    s.listen(8)
    w.at_end(s.close)
    return s


@test("several sockets of its own serve the same LED")
def several(w):
    w.line(listen=[w.dir / "a.sock", PORT, "127.0.0.1:5557"])
    assert ask(b"LED ON\n", w.dir / "a.sock") == b"OK LED ON\n"
    assert ask(b"LED STATUS\n") == b"OK LED ON\n"
    assert ask(b"LED STATUS\n", ("::1", PORT)) == b"OK LED ON\n"
    assert ask(b"LED STATUS\n", ("127.0.0.1", 5557)) == b"OK LED ON\n"


@test("LED, LED_INITIAL and LED_LISTEN; options override them")
def environment(w):
    env = {"LED": "log", "LED_INITIAL": "on", "LED_LISTEN": f"{w.dir}/a.sock 127.0.0.1:{PORT}"}
    w.notified(LED_LINE, env=env)
    assert ask(b"LED STATUS\n") == b"OK LED ON\n"
    assert ask(b"LED STATUS\n", w.dir / "a.sock") == b"OK LED ON\n"
    w.notified(LED_LINE, "--initial=off", f"--listen={w.dir}/b.sock", env=env)
    assert ask(b"LED STATUS\n", w.dir / "b.sock") == b"OK LED OFF\n"


@test("sockets from the service manager, of both kinds at once, and no others")
def passed_sockets(w):
    fds = {"led-line.socket": unix_listener(w, w.dir / "p.sock"), "led-wait.socket": tcp_listener(w)}
    passed(w, {n: s.fileno() for n, s in fds.items()}, "--led=log", f"--listen={w.dir}/not.sock")
    assert ask(b"LED ON\n", w.dir / "p.sock") == b"OK LED ON\n"
    assert ask(b"LED STATUS\n") == b"OK LED ON\n"
    assert not (w.dir / "not.sock").exists()


@test("an unknown descriptor is closed, named in the log and removed from the store")
def unknown_descriptor(w):
    r, wr = os.pipe()
    listener = unix_listener(w, w.dir / "p.sock")
    line = passed(w, {"from-the-future": r, "x.socket": listener.fileno()}, "--led=log")
    os.close(r)
    assert 'closing the unknown descriptor "from-the-future"' in w.log("led-line", NOTICE)
    try:
        os.write(wr, b"x")
        raise AssertionError("it is still open")
    except BrokenPipeError:
        pass
    assert any(
        m.get("FDSTOREREMOVE") == "1" and m.get("FDNAME") == "from-the-future"
        for m, _ in line.manager.messages
    )
    assert ask(b"LED ON\n", w.dir / "p.sock") == b"OK LED ON\n"


@test("the state goes into the descriptor store, and a restart takes it from there")
def store(w):
    first = w.line("--initial=off")
    ((name, fd),) = first.manager.store()
    assert name == "state-log"
    ask(b"LED ON\n", w.dir / "line.sock")
    first.kill()
    first.wait()
    listener = unix_listener(w, w.dir / "p.sock")
    second = passed(w, {name: fd, "x.socket": listener.fileno()}, "--led=log", "--initial=off")
    assert ask(b"LED STATUS\n", w.dir / "p.sock") == b"OK LED ON\n"
    ask(b"LED OFF\n", w.dir / "p.sock")
    second.kill()
    second.wait()
    listener = unix_listener(w, w.dir / "q.sock")
    passed(w, {name: fd, "x.socket": listener.fileno()}, "--led=log", "--initial=on")
    assert ask(b"LED STATUS\n", w.dir / "q.sock") == b"OK LED OFF\n"


@test("what another LED left in the store is silently removed before the LED is set")
def store_of_another(w):
    first = w.line(led="leds:nothing")
    store = first.manager.store()
    assert [name for name, _ in store] == ["state-leds_nothing"]
    r, wr = os.pipe()
    w.at_end(lambda: os.close(wr))
    store.append(("line-leds_nothing", r))
    listener = unix_listener(w, w.dir / "p.sock")
    fds = [*store, ("x.socket", listener.fileno())]
    line = passed(w, fds, "--led=log", "--initial=on")
    assert ask(b"LED STATUS\n", w.dir / "p.sock") == b"OK LED ON\n"
    assert not any("closing" in text for text in w.log("led-line")), w.log("led-line")
    assert [name for name, _ in line.manager.store(store)] == ["state-log"]
    (log,) = line.manager.barriers
    assert not any("LED Status" in text for text in log), log
    barrier = next(i for i, (m, _) in enumerate(line.manager.messages) if "BARRIER" in m)
    before = [m.get("FDNAME") for m, _ in line.manager.messages[:barrier]]
    assert before == [name for name, _ in store], before
    os.close(r)


@test("two descriptors of one name in the store: one is used and kept there")
def store_doubled(w):
    first = w.line()
    ((name, fd),) = first.manager.store()
    assert ask(b"LED ON\n", w.dir / "line.sock") == b"OK LED ON\n"
    first.kill()
    first.wait()
    broken = os.memfd_create("broken")
    w.at_end(lambda: os.close(broken))
    os.write(broken, b"perhaps\n")
    for number, store in enumerate([[fd, broken], [broken, fd], [fd, fd]]):
        store = [(name, fd) for fd in store]
        path = w.dir / f"p{number}.sock"
        listener = unix_listener(w, path)
        line = passed(w, [*store, ("x.socket", listener.fileno())], "--led=log", "--initial=off")
        assert ask(b"LED STATUS\n", path) == b"OK LED ON\n"
        left = line.manager.store(store)
        assert [name for name, _ in left] == ["state-log"], left
        assert os.path.sameopenfile(left[0][1], fd)
        line.kill()
        line.wait()


@test("a listening socket as standard input is served: inetd's wait")
def inetd_wait(w):
    listener = tcp_listener(w)
    w.notified(LED_LINE, "--led=log", stdin=listener.fileno())
    assert ask(b"LED ON\n") == b"OK LED ON\n"


@test("READY=1, STATUS= and STOPPING=1")
def notify(w):
    line = w.line()
    eventually(lambda: line.manager.status() == "LED log is off")
    ask(b"LED ON\n", w.dir / "line.sock")
    eventually(lambda: line.manager.status() == "LED log is on")
    assert line.stop() == 0
    eventually(lambda: line.manager.said("STOPPING", "1"))


@test("those that go on sending after their answer keep nobody else waiting")
def sends_on(w):
    w.line(listen=[PORT])
    stopped = threading.Event()
    refused = [0]

    def send_on():
        while not stopped.is_set():
            with contextlib.suppress(OSError), connect(("127.0.0.1", PORT)) as s:
                while not stopped.is_set():
                    s.sendall(b"x" * 65536)
            refused[0] += 1

    threads = [threading.Thread(target=send_on) for _ in range(32)]
    for thread in threads:
        thread.start()
    try:
        eventually(lambda: refused[0] > 0)
        # A second for each of them would be too late.
        for state in b"ON", b"OFF", b"ON":
            assert ask(b"LED " + state + b"\n", timeout=20) == b"OK LED " + state + b"\n"
    finally:
        stopped.set()
        for thread in threads:
            thread.join(10)


@test("whoever is connected at a stop is answered; who is silent does not hold it up")
def stop(w):
    line = w.line()
    silent = connect(w.dir / "line.sock")
    asking = connect(w.dir / "line.sock")
    assert ask(b"LED STATUS\n", w.dir / "line.sock") == b"OK LED OFF\n"  # both are accepted
    line.send_signal(signal.SIGTERM)
    eventually(lambda: line.manager.said("STOPPING", "1"))
    asking.sendall(b"LED ON\n")
    assert read_all(asking) == b"OK LED ON\n"
    assert line.wait(20) == 0 and read_all(silent) == b""
    # Without a client, nothing is waited for.
    line = w.line()
    eventually(lambda: line.manager.said("READY", "1"))
    assert line.stop() == 0


@test("trouble with the LED: led-line stays up, ERR and STATUS= give the reason, one warning")
def trouble(w):
    line = w.line(led="leds:nothing")
    reason = "there is no LED nothing in /sys/class/leds"
    for _ in range(3):
        assert ask(b"LED ON\n", w.dir / "line.sock") == f"ERR {reason}\n".encode()
    eventually(lambda: line.manager.status() == f"LED leds:nothing: {reason}")
    assert w.log("led-line", WARNING) == [f"LED leds:nothing: {reason}"]


@test("no GPIO chip: ERR says so")
def no_chip(w):
    if list(Path("/dev").glob("gpiochip*")):
        raise Skip("this machine has a GPIO chip; the lab tests GPIO")
    w.line(led="gpio:GPIO17")
    answer = ask(b"LED ON\n", w.dir / "line.sock")
    assert answer == b"ERR this machine has no GPIO chip (/dev/gpiochip*)\n", answer


@test("the watchdog is fed")
def watchdog(w):
    line = w.line(env={"WATCHDOG_USEC": 200000})
    eventually(lambda: sum("WATCHDOG" in m for m, _ in line.manager.messages) >= 3)


def preload(w, source):
    """The environment of a program with a library before all others."""
    library = w.dir / f"{source}.so"
    cc = need_program("gcc", "cc")
    path = Path(__file__).parent / source
    subprocess.run([cc, "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library, path], check=True)
    return {
        "LD_PRELOAD": library,
        "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
    }


def fake_led(w, name="green"):
    """Files that imitate an LED of the kernel's class."""
    mount("tmpfs", "/sys/class", "tmpfs")
    w.at_end(lambda: unmount("/sys/class"))
    led = Path("/sys/class/leds", name)
    led.mkdir(parents=True)
    (led / "brightness").write_text("255\n")
    (led / "max_brightness").write_text("255\n")
    (led / "trigger").write_text("[heartbeat] none\n")
    return led


@test("leds: the kernel's LED class: the trigger is removed, and the state is read back")
def led_class(w):
    led = fake_led(w)
    w.line(led="leds:green")
    assert (led / "trigger").read_text().startswith("none")
    assert (led / "brightness").read_text().strip("\n5") == "0"
    (led / "brightness").write_text("0")
    assert ask(b"LED STATUS\n", w.dir / "line.sock") == b"OK LED OFF\n"
    assert ask(b"LED ON\n", w.dir / "line.sock") == b"OK LED ON\n"
    assert (led / "brightness").read_text().startswith("255")
    (led / "brightness").write_text("0")
    assert ask(b"LED STATUS\n", w.dir / "line.sock") == b"OK LED OFF\n"
    assert ask(b"LED TOGGLE\n", w.dir / "line.sock") == b"OK LED ON\n"


@test("leds: a start after a crash writes nothing, and takes over what another program did")
def led_class_again(w):
    led = fake_led(w)
    files = [led / name for name in ("brightness", "trigger")]
    line = w.line(led="leds:green")
    assert ask(b"LED ON\n", w.dir / "line.sock") == b"OK LED ON\n"
    store = line.manager.store()
    for number, (brightness, state) in enumerate([("10\n", b"ON"), ("0\n", b"OFF")]):
        line.kill()
        line.wait()
        (led / "brightness").write_text(brightness)
        (led / "trigger").write_text("none [timer]\n")
        before = [(f.read_text(), f.stat().st_mtime_ns) for f in files]
        path = w.dir / f"p{number}.sock"
        listener = unix_listener(w, path)
        fds = [*store, ("x.socket", listener.fileno())]
        line = passed(w, fds, "--led=leds:green", "--initial=on")
        assert ask(b"LED STATUS\n", path) == b"OK LED " + state + b"\n"
        assert [(f.read_text(), f.stat().st_mtime_ns) for f in files] == before
    assert ask(b"LED ON\n", path) == b"OK LED ON\n"
    assert (led / "brightness").read_text().startswith("255")
    assert (led / "trigger").read_text().startswith("none")
    assert (led / "trigger").stat().st_mtime_ns > before[1][1]
    assert not w.log("led-line", NOTICE), w.log("led-line", NOTICE)


@test("a repeated key whose command was carried out gets no ERR when the LED is gone: no line")
def known_key_and_no_led(w):
    led = fake_led(w)
    w.line(led="leds:green", env=preload(w, "devices.c"))
    assert ask(b"LED TOGGLE #once\n", w.dir / "line.sock") == b"OK LED ON\n"
    led.rename("/sys/class/away")
    assert ask(b"LED TOGGLE #once\n", w.dir / "line.sock") == b""
    assert ask(b"LED TOGGLE #other\n", w.dir / "line.sock").startswith(b"ERR there is no LED")
    Path("/sys/class/away").rename(led)
    eventually(lambda: ask(b"LED TOGGLE #once\n", w.dir / "line.sock") == b"OK LED ON\n")


@test("an LED that is unplugged and comes back works again, in the same state")
def away_and_back(w):
    led = fake_led(w)
    line = w.line(led="leds:green", env=preload(w, "devices.c"))
    assert ask(b"LED ON\n", w.dir / "line.sock") == b"OK LED ON\n"
    led.rename("/sys/class/away")
    assert ask(b"LED STATUS\n", w.dir / "line.sock").startswith(b"ERR there is no LED green")
    eventually(lambda: "there is no LED" in line.manager.status())
    Path("/sys/class/away/brightness").write_text("0")
    Path("/sys/class/away").rename(led)
    eventually(lambda: (led / "brightness").read_text().startswith("255"), 10)
    eventually(lambda: line.manager.status() == "LED leds:green is on")
    assert ask(b"LED STATUS\n", w.dir / "line.sock") == b"OK LED ON\n"


@test("a new device without permissions yet is reported only if it stays so", quick=False, takes=7)
def denied(w):
    led = fake_led(w)
    listener = unix_listener(w, w.dir / "p.sock")
    (w.dir / "p.sock").chmod(0o666)
    led.rename("/sys/class/away")
    w.notified(
        LED_LINE,
        "--led=leds:green",
        stdin=listener.fileno(),
        user=61001,
        group=61001,
        env=preload(w, "devices.c"),
    )
    path = w.dir / "p.sock"
    away = "LED leds:green: there is no LED green in /sys/class/leds"
    again = "LED leds:green works again"
    refused = "LED leds:green: LED green: trigger: Permission denied"
    assert w.log("led-line", NOTICE) == [away]
    # udev's rule takes effect after the device has appeared.
    for file in Path("/sys/class/away").iterdir():
        file.chmod(0o600)
    Path("/sys/class/away").rename(led)
    answer = ask(b"LED ON\n", path)
    assert answer == b"ERR LED green: trigger: Permission denied\n", answer
    for file in led.iterdir():
        file.chmod(0o666)
    assert ask(b"LED ON\n", path) == b"OK LED ON\n"
    assert w.log("led-line", NOTICE) == [away, again], w.log("led-line", NOTICE)

    led.rename("/sys/class/away")
    assert ask(b"LED ON\n", path).startswith(b"ERR there is no LED")
    for file in Path("/sys/class/away").iterdir():
        file.chmod(0)
    Path("/sys/class/away").rename(led)
    assert b"Permission denied" in ask(b"LED ON\n", path)
    assert w.log("led-line", NOTICE) == [away, again, away], w.log("led-line", NOTICE)
    eventually(lambda: w.log("led-line", NOTICE) == [away, again, away, refused], 30)


# Sends events of two devices in turn, so that the kernel does not merge them.
TOUCH = "import os, sys\nwhile True: [os.utime(path) for path in sys.argv[1:]]"


@test("devices that change without end delay no client", quick=False)
def device_flood(w):
    if list(Path("/dev").glob("gpiochip*")):
        raise Skip("this machine has GPIO chips")
    chips = [Path(f"/dev/gpiochip{n}") for n in (0, 1)]
    for chip in chips:
        chip.touch()
        w.at_end(chip.unlink)
    w.line(led="gpio:GPIO17", listen=[PORT])
    before = chips[0].stat().st_mtime_ns
    for _ in range(2):
        w.spawn(sys.executable, "-c", TOUCH, *chips)
    eventually(lambda: chips[0].stat().st_mtime_ns > before)
    for _ in range(20):
        assert ask(b"LED ON\n").startswith(b"ERR /dev/gpiochip1: ")


@test("--initial=last: off at the first start, the last state at the next")
def last(w):
    env = {"STATE_DIRECTORY": w.dir}
    for command, state in [(b"LED ON", "on"), (b"LED OFF", "off"), (b"LED TOGGLE", "on")]:
        line = w.line("--initial=last", env=env)
        before = ask(b"LED STATUS\n", w.dir / "line.sock")
        assert ask(command + b"\n", w.dir / "line.sock").startswith(b"OK")
        line.stop()
        assert (w.dir / "last").read_text() == state + "\n"
        again = w.line("--initial=last", env=env)
        answer = ask(b"LED STATUS\n", w.dir / "line.sock")
        assert answer == f"OK LED {state.upper()}\n".encode(), (before, answer)
        again.stop()
    assert not w.log("led-line", WARNING), w.log("led-line", WARNING)
    assert sorted(p.name for p in w.dir.glob("last*")) == ["last"]


@test("--initial=last survives kill -9")
def last_killed(w):
    env = {"STATE_DIRECTORY": w.dir}
    line = w.line("--initial=last", env=env)
    ask(b"LED ON\n", w.dir / "line.sock")
    eventually(lambda: (w.dir / "last").exists() and (w.dir / "last").read_text() == "on\n")
    line.kill()
    line.wait()
    w.line("--initial=last", env=env)
    assert ask(b"LED STATUS\n", w.dir / "line.sock") == b"OK LED ON\n"


class Disk:
    """A disk that can hang, for programs that are started with its env: disk.c."""

    def __init__(self, w):
        self.dir = w.dir / "disk"
        self.dir.mkdir()
        self.state = self.dir / "last"
        self.hang_file = self.dir / "hang"
        self.env = {"STATE_DIRECTORY": self.dir, "DISK": self.dir, **preload(w, "disk.c")}

    def calls(self):
        path = self.dir / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def hang(self, at=""):
        """From now on fsync of this path hangs; without a path, fsync of any."""
        new = self.dir / "hang.new"
        new.write_text(str(at))
        new.rename(self.hang_file)

    def go_on(self):
        self.hang_file.unlink()


@test("while the disk hangs, commands are answered and the watchdog is fed; the newest state follows")
def disk_hangs(w):
    disk = Disk(w)
    line = w.line("--initial=last", env={**disk.env, "WATCHDOG_USEC": 200000})
    address = w.dir / "line.sock"
    writings = lambda: disk.calls().count(f"fsync {disk.state}.new")
    eventually(disk.state.exists)
    disk.hang(f"{disk.state}.new")
    assert ask(b"LED ON\n", address) == b"OK LED ON\n"
    eventually(lambda: writings() == 2)
    for i in range(21):
        assert ask(b"LED TOGGLE\n", address) == (b"OK LED ON\n" if i % 2 else b"OK LED OFF\n")
    fed = sum("WATCHDOG" in m for m, _ in line.manager.messages)
    eventually(lambda: sum("WATCHDOG" in m for m, _ in line.manager.messages) > fed + 2)
    assert ask(b"LED TOGGLE\n", address) == b"OK LED ON\n"
    assert ask(b"LED TOGGLE\n", address) == b"OK LED OFF\n"

    # A regular end waits for the disk, and writes the newest state only.
    line.terminate()
    eventually(lambda: line.manager.said("STOPPING", "1"))
    assert line.poll() is None and writings() == 2
    disk.go_on()
    assert line.wait(20) == 0
    assert disk.state.read_text() == "off\n" and writings() == 3, disk.calls()
    assert not w.log("led-line", WARNING), w.log("led-line", WARNING)


@test("a stop serves clients for as long as the disk makes it wait")
def disk_at_stop(w):
    disk = Disk(w)
    line = w.line("--initial=last", env=disk.env)
    address = w.dir / "line.sock"
    eventually(disk.state.exists)
    disk.hang(f"{disk.state}.new")
    assert ask(b"LED ON\n", address) == b"OK LED ON\n"
    line.terminate()
    eventually(lambda: line.manager.said("STOPPING", "1"))
    line.terminate()  # once more
    for state in b"OFF", b"ON", b"OFF":
        assert ask(b"LED " + state + b"\n", address, timeout=3) == b"OK LED " + state + b"\n"
    assert line.poll() is None
    disk.go_on()
    assert line.wait(20) == 0
    assert disk.state.read_text() == "off\n"
    assert not w.log("led-line", WARNING), w.log("led-line", WARNING)


@test("what a client changes at the end of a stop is kept, too")
def disk_at_end_of_stop(w):
    disk = Disk(w)
    line = w.line("--initial=last", env=disk.env)
    address = w.dir / "line.sock"
    writings = lambda: disk.calls().count(f"fsync {disk.state}.new")
    eventually(disk.state.exists)
    with connect(address) as first, connect(address) as second:
        assert ask(b"LED STATUS\n", address) == b"OK LED OFF\n"  # the two have been accepted
        before = writings()
        disk.hang(f"{disk.state}.new")
        line.terminate()
        eventually(lambda: line.manager.said("STOPPING", "1"))
        # Those that are connected are served for half a second.
        first.sendall(b"LED ON\n")
        assert read_all(first) == b"OK LED ON\n"
        eventually(lambda: writings() > before)
        time.sleep(1)
        second.sendall(b"LED OFF\n")
        assert read_all(second) == b"OK LED OFF\n"
        assert line.poll() is None
        disk.go_on()
        assert line.wait(20) == 0
    assert disk.state.read_text() == "off\n", disk.calls()
    assert not (disk.dir / "last.new").exists()


@test("the new state file is on the disk before it is renamed, and the rename before anything else")
def disk_order(w):
    disk = Disk(w)
    line = w.line("--initial=last", env=disk.env)
    line.stop()
    new = f"fsync {disk.state}.new"
    assert disk.calls() == [new, f"rename {disk.state}", f"fsync {disk.dir}"], disk.calls()


@test("killed while the disk hangs: the file has the old state or the new one")
def disk_killed(w):
    disk = Disk(w)
    disk.state.write_text("off\n")
    for at, state in ((f"{disk.state}.new", "off\n"), (disk.dir, "on\n")):
        disk.hang(at)
        line = w.line("--initial=last", env=disk.env)
        before = len(disk.calls())
        assert ask(b"LED ON\n", w.dir / "line.sock") == b"OK LED ON\n"
        eventually(lambda: f"fsync {at}" in disk.calls()[before:])
        line.kill()
        line.wait()
        assert disk.state.read_text() == state
        disk.go_on()


@test("a full disk is named, and tried again at the next command and by itself", takes=5)
def disk_full(w):
    disk = w.dir / "full"
    disk.mkdir()
    mount("tmpfs", disk, "tmpfs")
    w.at_end(lambda: unmount(disk))
    address = w.dir / "line.sock"
    line = w.line("--initial=last", env={"STATE_DIRECTORY": disk})
    eventually((disk / "last").exists)

    def fill():
        subprocess.run(["mount", "-o", "remount,size=64k", disk], check=True)
        with open(disk / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(bytes(4096)):
                    pass
            except OSError:
                pass

    told = f"{disk}/last: the LED's state is not kept: No space left on device"
    again = f"{disk}/last: the LED's state is kept again"
    fill()
    assert ask(b"LED ON\n", address) == b"OK LED ON\n"
    eventually(lambda: w.log("led-line", WARNING) == [told])
    assert (disk / "last").read_text() == "off\n"
    (disk / "filler").unlink()
    assert ask(b"LED ON\n", address) == b"OK LED ON\n"
    eventually(lambda: (disk / "last").read_text() == "on\n")
    eventually(lambda: again in w.log("led-line"))

    fill()
    assert ask(b"LED OFF\n", address) == b"OK LED OFF\n"
    eventually(lambda: w.log("led-line", WARNING) == [told, told])
    (disk / "filler").unlink()
    eventually(lambda: (disk / "last").read_text() == "off\n", 20)
    eventually(lambda: w.log("led-line").count(again) == 2)

    # It delays no stop.
    fill()
    assert ask(b"LED ON\n", address) == b"OK LED ON\n"
    assert line.stop() == 0
    assert (disk / "last").read_text() == "off\n"


@test("--initial=last with an unreadable file: off, a warning, and the file is written anew")
def last_broken(w):
    (w.dir / "last").write_text("perhaps")
    line = w.line("--initial=last", env={"STATE_DIRECTORY": w.dir})
    assert ask(b"LED STATUS\n", w.dir / "line.sock") == b"OK LED OFF\n"
    warnings = w.log("led-line", WARNING)
    assert warnings == [f"{w.dir}/last: neither on nor off; LED log starts off"], warnings
    line.stop()
    assert (w.dir / "last").read_text() == "off\n"


@test("a state directory that cannot be written is reported once, and the LED works")
def last_unwritable(w):
    w.line("--initial=last", env={"STATE_DIRECTORY": w.dir / "missing"})
    for _ in range(3):
        assert ask(b"LED TOGGLE\n", w.dir / "line.sock").startswith(b"OK")
        time.sleep(0.1)
    warnings = w.log("led-line", WARNING)
    assert warnings and all("the LED's state is not kept" in x for x in warnings), warnings


@test("a socket left by a crash is taken over; one in use and other files are not")
def socket_path(w):
    first = w.line()
    second = w.spawn(LED_LINE, "--led=log", f"--listen={w.dir}/line.sock")
    assert second.wait(20) == 1
    assert "Address already in use" in second.output(), second.output()
    assert ask(b"LED ON\n", w.dir / "line.sock") == b"OK LED ON\n"
    first.kill()
    first.wait()
    third = w.line()
    assert ask(b"LED STATUS\n", w.dir / "line.sock") == b"OK LED OFF\n"
    third.stop()
    assert not (w.dir / "line.sock").exists()

    (w.dir / "line.sock").write_text("mine")
    fourth = w.spawn(LED_LINE, "--led=log", f"--listen={w.dir}/line.sock")
    assert fourth.wait(20) == 1
    assert (w.dir / "line.sock").read_text() == "mine"


@test("wrong options: one clear line and exit status 2")
def wrong_options(w):
    for options, text in [
        (["--led=gpi:17"], "led-line: --led=gpi:17: an LED is gpio:LINE"),
        (["--led=gpio:chip/x"], "CHIP/OFFSET"),
        (["--initial=maybe"], "led-line: --initial=maybe: initial is off, on or last"),
        (["--listen=nowhere"], "led-line: --listen=nowhere: an address is"),
        (["--allow=10.0.0.0/33"], "led-line: --allow=10.0.0.0/33: it is private, any, or prefixes"),
        (["--lead=x"], "unrecognized option"),
        (["x"], "unexpected argument 'x'"),
    ]:
        p = w.spawn(LED_LINE, *options)
        assert p.wait(20) == 2, (options, p.returncode)
        assert text in p.output() and p.output().count("\n") == 1, p.output()
    p = w.spawn(LED_LINE, env={"LED_LISTEN": "x"})
    assert p.wait(20) == 2 and "led-line: LED_LISTEN=x: " in p.output(), p.output()
    for option in ("--help", "--version"):
        p = w.spawn(LED_LINE, option)
        assert p.wait(20) == 0 and "led-line" in p.output()


@test("a port that is taken is one clear line and exit status 1")
def port_taken(w):
    tcp_listener(w)
    w.line(listen=[f"[::1]:{PORT}"])
    for taken in (f"127.0.0.1:{PORT}", f"[::1]:{PORT}"):
        p = w.spawn(LED_LINE, "--led=log", f"--listen={taken}")
        assert p.wait(20) == 1
        assert f"cannot listen on {taken}: Address already in use" in p.output(), p.output()
        assert p.output().count("\n") == 1, p.output()


@test("a socket's path that now belongs to another program is not removed")
def not_our_socket(w):
    line = w.line()
    (w.dir / "line.sock").unlink()
    (w.dir / "line.sock").write_text("precious")
    assert line.stop() == 0
    assert (w.dir / "line.sock").read_text() == "precious"


@test("a wrong LISTEN_FDS ends it cleanly, and so does a blank LED_LISTEN")
def wrong_passing(w):
    listener = unix_listener(w, w.dir / "p.sock")
    p = w.spawn(
        "bash",
        "-c",
        'export LISTEN_PID=$$ LISTEN_FDS=5; exec "$0" --led=log',
        LED_LINE,
        pass_fds=[listener.fileno()],
    )
    assert p.wait(20) == 1 and "Bad file descriptor" in p.output(), p.output()
    p = w.spawn(LED_LINE, "--led=log", env={"LED_LISTEN": " "})
    assert p.wait(20) == 2 and "LED_LISTEN= : no address" in p.output(), p.output()


@test("standard error is no longer read: it goes on")
def no_stderr(w):
    read, write = os.pipe()
    line = w.line(stderr=write)
    os.close(write)
    os.close(read)
    for _ in range(3):
        assert ask(b"LED TOGGLE\n", w.dir / "line.sock").startswith(b"OK")
    assert line.poll() is None


@test("standard descriptors closed: led-line and button work, with /dev/null in their place")
def closed_descriptors(w):
    # Not wrapped: valgrind opens descriptors of its own.
    closing = ("bash", "-c", 'exec "$0" "$@" <&- >&- 2>&-')
    address = w.dir / "line.sock"
    line = w.notified(*closing, LED_LINE, "--led=log", f"--listen={address}")
    fifo = w.dir / "press"
    button = w.notified(*closing, BUTTON, f"--button=fifo:{fifo}", f"--connect={address}")
    w.press()
    eventually(lambda: w.statuses() == ["On"])
    for process in line, button:
        for descriptor in range(3):
            assert os.readlink(f"/proc/{process.pid}/fd/{descriptor}") == "/dev/null"


@test("out of descriptors: one line in the log, and service as soon as one is free", quick=False)
def out_of_descriptors(w):
    line = w.line(listen=[PORT])
    most = resource.prlimit(line.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(line.pid, resource.RLIMIT_NOFILE, (0, most))
    before = line.cpu_seconds()
    with connect() as s:
        s.sendall(b"LED ON\n")
        time.sleep(2.5)
        warnings = w.log("led-line", WARNING)
        assert warnings == ["no connection can be accepted: Too many open files"], warnings
        assert line.cpu_seconds() - before < 0.2
        resource.prlimit(line.pid, resource.RLIMIT_NOFILE, (most, most))
        assert read_all(s) == b"OK LED ON\n"


@test("out of descriptors: a silent client is evicted at once, and nothing is logged", quick=False)
def room_for_descriptors(w):
    line = w.line(listen=[PORT])
    # Telling the manager takes a descriptor for a moment.
    eventually(lambda: line.manager.status() == "LED log is off")
    before = len(os.listdir(f"/proc/{line.pid}/fd"))
    held = [connect() for _ in range(5)]
    w.at_end(lambda: [s.close() for s in held])
    descriptors = lambda: [int(fd) for fd in os.listdir(f"/proc/{line.pid}/fd")]
    sockets = lambda: len(descriptors()) - before
    eventually(lambda: sockets() == 5)
    # No descriptors beyond those that it has now, which have no gaps.
    limit = max(descriptors()) + 1
    assert len(descriptors()) == limit, descriptors()
    most = resource.prlimit(line.pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(line.pid, resource.RLIMIT_NOFILE, (limit, most))
    for _ in range(3):
        assert ask(b"LED TOGGLE\n", timeout=3).startswith(b"OK LED ")
    assert read_all(held[0]) == b"ERR too many connections\n"
    held[4].sendall(b"LED STATUS\n")
    assert read_all(held[4]) == b"OK LED ON\n"
    assert not w.log("led-line", WARNING), w.log("led-line", WARNING)


@test("pending input is read before a client is evicted")
def sent_before_room(w):
    line = w.line(listen=[PORT])
    held = [connect() for _ in range(64)]
    w.at_end(lambda: [s.close() for s in held])
    time.sleep(0.2)
    line.pause()
    more = [connect() for _ in range(3)]
    w.at_end(lambda: [s.close() for s in more])
    held[0].sendall(b"LED ON\n")
    line.resume()
    assert read_all(held[0]) == b"OK LED ON\n"


@test("a time in the future gains nothing, and an older command changes nothing")
def forged_time(w):
    w.line(listen=[PORT])
    assert ask(b"LED ON @18446744073709551615\n") == b"OK LED ON\n"
    time.sleep(0.05)
    assert ask(b"LED OFF\n") == b"OK LED OFF\n"
    assert ask(b"LED ON @%d\n" % ms_ago(1000)) == b"OK LED OFF\n"


def ms_ago(ms):
    """A time as led-handler would send it, exact to a few milliseconds."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000000 - ms


@test("a command that arrived more than 5 s ago is too late and changes nothing", takes=6)
def too_late(w):
    line = w.line(listen=[PORT, w.dir / "line.sock"])
    for address in ("127.0.0.1", PORT), w.dir / "line.sock":
        assert ask(b"LED ON @%d\n" % ms_ago(3000), address) == b"OK LED ON\n"
        assert ask(b"LED OFF @%d\n" % ms_ago(8000), address) == b"ERR too late\n"
        assert ask(b"LED STATUS\n", address) == b"OK LED ON\n"
    # Commands that wait for led-line: in its socket's queue, or already read when it stopped.
    line.pause()
    waiting = []
    for command in b"LED OFF\n", b"LED TOGGLE #late\n":
        waiting.append(connect())
        waiting[-1].sendall(command)
    time.sleep(6)
    line.resume()
    assert [read_all(s) for s in waiting] == [b"ERR too late\n"] * 2
    assert ask(b"LED TOGGLE #late\n") == b"OK LED OFF\n"
    # A key whose command was carried out is answered with the state, however late.
    assert ask(b"LED TOGGLE #late @%d\n" % ms_ago(8000)) == b"OK LED OFF\n"


@test("stood still: a client of a UNIX socket that has left in the meantime is too late", quick=False)
def left_meanwhile(w):
    path = w.dir / "line.sock"
    line = w.line()

    def leave(command):
        with connect(path) as s:
            s.sendall(command)

    # Who sends and closes at once is served, also if it takes a moment.
    leave(b"LED ON\n")
    eventually(lambda: w.statuses() == ["On"])
    line.pause()
    leave(b"LED OFF\n")
    line.resume()
    eventually(lambda: w.statuses() == ["On", "Off"])

    line.pause()
    leave(b"LED PULSE 60000\n")
    leave(b"PROXY TCP4 192.0.2.7 127.0.0.1 40112 5556\r\nLED ON\n")
    waiting = connect(path)
    waiting.sendall(b"LED ON\n")
    halved = connect(path)
    halved.sendall(b"LED TOGGLE\n")
    halved.shutdown(socket.SHUT_WR)
    time.sleep(5.5)
    line.resume()
    assert read_all(waiting) == b"OK LED ON\n" and read_all(halved) == b"OK LED OFF\n"
    said = [text for text in w.log("led-line") if "too late" in text]
    assert [text.partition("sent ")[2] for text in said] == [
        '"LED PULSE 60000": ERR too late',
        '"LED ON": ERR too late',
    ], said
    assert w.statuses() == ["On", "Off", "On", "Off"], w.statuses()
    # It is over in a moment: when led-line has nothing left to read.
    eventually(lambda: leave(b"LED ON\n") or w.statuses()[4:5] == ["On"])


@test("at the start: a client that has left long ago is too late, and one that has just left is not")
def left_before_start(w):
    for age in 6, 0:
        path = w.dir / f"{age}.sock"
        listener = unix_listener(w, path)
        with connect(path) as s:
            s.sendall(b"LED ON\n")
        at = time.time() - age
        os.utime(path, (at, path.stat().st_mtime))
        line = passed(w, {"x.socket": listener.fileno()}, "--led=log")
        assert ask(b"LED STATUS\n", path) == (b"OK LED OFF\n" if age else b"OK LED ON\n")
        line.stop()
    assert sum('"LED ON": ERR too late' in text for text in w.log("led-line")) == 1


@test("a TOGGLE with a key is carried out once, even after kill -9 and a restart, for 64 keys")
def keys(w):
    line = w.line()
    assert [ask(b"LED TOGGLE #first\n", w.dir / "line.sock") for _ in range(3)] == [b"OK LED ON\n"] * 3
    assert ask(b"LED TOGGLE #first2\n", w.dir / "line.sock") == b"OK LED OFF\n"
    assert ask(b"LED TOGGLE #first\n", w.dir / "line.sock") == b"OK LED OFF\n"
    name, fd = next((m["FDNAME"], fds[0]) for m, fds in line.manager.messages if m.get("FDSTORE"))
    for how in signal.SIGKILL, signal.SIGTERM:
        line.stop(how)
        listener = unix_listener(w, w.dir / f"{how}.sock")
        line = passed(w, {name: fd, "x.socket": listener.fileno()}, "--led=log")
        for key in b"first", b"first2":
            answer = ask(b"LED TOGGLE #" + key + b"\n", w.dir / f"{how}.sock")
            assert answer == b"OK LED OFF\n", answer
    shown = len(w.statuses())
    for i in range(64):
        assert ask(b"LED TOGGLE #%d\n" % i, w.dir / f"{how}.sock").startswith(b"OK LED ")
    for i in range(64):
        assert ask(b"LED TOGGLE #%d\n" % i, w.dir / f"{how}.sock") == b"OK LED OFF\n"
    assert len(w.statuses()) == shown + 64
    assert ask(b"LED TOGGLE #first\n", w.dir / f"{how}.sock") == b"OK LED ON\n"


@test("a command with a time is logged, unless it is from led-handler's own account")
def logged_with_a_time(w):
    w.line(listen=[PORT, w.dir / "line.sock"])
    command = lambda: b"LED STATUS @%d\n" % ms_ago(0)
    said = lambda: [line for line in w.log("led-line") if " sent " in line]
    assert ask(command()) == b"OK LED OFF\n"
    eventually(said)  # the answer comes first
    assert re.match(r'127.0.0.1:\d+ sent "LED STATUS @\d+": OK LED OFF', said()[-1]), said()
    assert ask(b"LED STATUS @99999999999999\n", ("::1", PORT)) == b"OK LED OFF\n"
    eventually(lambda: len(said()) == 2)
    assert said()[-1].startswith("[::1]:"), said()
    # As root, and as the owner of the socket's file.
    assert ask(command(), w.dir / "line.sock") == b"OK LED OFF\n"
    assert len(said()) == 2, said()
    (w.dir / "line.sock").chmod(0o666)
    p = w.spawn(
        need_program("socat"),
        "-",
        f"UNIX-CONNECT:{w.dir}/line.sock",
        user=65534,
        group=65534,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    p.stdin.write(command())
    p.stdin.flush()
    assert p.stdout.read() == b"OK LED OFF\n"
    eventually(lambda: len(said()) == 3)
    assert said()[-1].startswith("local user 65534 sent"), said()


@test("a command whose led-handler has given up is not carried out later")
def given_up(w):
    listener = unix_listener(w, w.dir / "p.sock")
    at = ms_ago(100)
    for command, wait in [(b"LED ON @%d\n" % at, False), (b"LED TOGGLE @%d\n" % at, True)]:
        s = socket.socket(socket.AF_UNIX)
        s.connect(str(w.dir / "p.sock"))
        s.sendall(command)
        if wait:
            w.at_end(s.close)
        else:
            s.close()
    passed(w, {"x.socket": listener.fileno()}, "--led=log")
    eventually(lambda: w.statuses())
    assert w.statuses() == ["On"], w.statuses()
    assert ask(b"LED STATUS\n", w.dir / "p.sock") == b"OK LED ON\n"


@test("the same for a led-line on another machine, whose clock does not matter")
def given_up_afar(w):
    line = w.line("--allow=any", listen=[PORT])
    line.pause()
    with connect((AFAR, PORT)) as s:
        s.sendall(b"LED ON @1\n")
    line.resume()
    assert ask(b"LED STATUS\n") == b"OK LED OFF\n"
    assert ask(b"LED OFF\n") == b"OK LED OFF\n"
    assert ask(b"LED ON @1\n", (AFAR, PORT)) == b"OK LED ON\n"
    assert w.statuses() == ["Off", "On"], w.statuses()


@test("a client that left before the answer is still named in the log")
def gone_peer(w):
    w.line(listen=[PORT])
    for i in range(20):
        send_as_the_original(b"LED TOGGLE")
        eventually(lambda: len(w.log("led-line")) == 2 * i + 3)
    said = [line for line in w.log("led-line") if " sent " in line]
    assert all(line.startswith("127.0.0.1:") for line in said), said


@test("1000 commands in a row use up no descriptor and no memory")
def no_leak(w):
    line = w.line(listen=[PORT])
    resident = lambda: int(Path(f"/proc/{line.pid}/statm").read_text().split()[1])
    descriptors = lambda: len(os.listdir(f"/proc/{line.pid}/fd"))
    at_rest = descriptors()
    for i in range(1000):
        send_as_the_original(b"LED TOGGLE")
        if i == 200:
            eventually(lambda: len(w.statuses()) > 150)
            start = resident()
    eventually(lambda: len(w.statuses()) == 1000)
    eventually(lambda: descriptors() <= at_rest)
    if not SLOW:  # their own memory grows
        assert resident() <= start + 64, (start, resident())


@test("the client of a proxy: the log names it, and its clock is another one's")
def proxys_client(w):
    w.line(led="kitchen=log")
    line = w.dir / "line.sock"
    proxied = b"PROXY TCP4 192.0.2.7 127.0.0.1 40112 5556\r\n"
    assert ask(proxied + b"LED kitchen ON @1\n", line) == b"OK LED kitchen ON\n"
    eventually(lambda: any("for 192.0.2.7:40112 sent" in text for text in w.log("led-line")))
    assert ask(b"LED kitchen OFF @1\n", line).startswith(b"ERR too late")
