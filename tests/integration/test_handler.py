# SPDX-License-Identifier: MIT
"""led-handler alone: its connections, its cost, and what goes wrong."""

import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

from world import (
    DEBUG,
    ERR,
    LED_HANDLER,
    LED_LINE,
    LINE_PORT,
    MS_BIND,
    SLOW,
    WRAP,
    Skip,
    accepts,
    ask,
    connect,
    eventually,
    mount,
    need_program,
    read_all,
    test,
    unmount,
)


def handle(w, command, line=None, options=(), **kwargs):
    """Sends a command through standard input. Returns exit status, answer and seconds."""
    start = time.monotonic()
    p = w.spawn(
        LED_HANDLER,
        f"--line={line or w.dir / 'line.sock'}",
        *options,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        **kwargs,
    )
    answer, _ = p.communicate(command, timeout=60)
    return p.returncode, answer, time.monotonic() - start


@test("standard input and output: the local command")
def local(w):
    w.line()
    assert handle(w, b"LED ON\n")[:2] == (0, b"OK LED ON\n")
    assert handle(w, b"LED STATUS")[:2] == (0, b"OK LED ON\n")
    assert handle(w, b"LED ONE\n")[1].startswith(b"ERR unknown command")
    lines = eventually(lambda: w.log("led-handler")[2:] and w.log("led-handler"))
    assert lines[0] == f'local user {os.getuid()} sent "LED ON": OK LED ON', lines


@test("a client that connects and leaves does not reach led-line")
def silent(w):
    with socket.socket(socket.AF_UNIX) as line:
        line.bind(str(w.dir / "line.sock"))
        line.listen()
        line.setblocking(False)
        assert handle(w, b"")[:2] == (0, b"ERR empty command: send LED ON, LED OFF, LED TOGGLE, LED STATUS, LED PULSE MS, LED LIST or LED WATCH\n")
        try:
            line.accept()
        except BlockingIOError:
            return
    raise AssertionError("led-line was asked")


@test("a log that nobody reads delays nobody: led-handler ends within 45 s", quick=False, takes=45)
def stuck_log(w):
    w.line()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as nobody:
        nobody.bind(str(w.dir / "nobody"))
        log_stands_at(w, w.dir / "nobody")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as full:
            full.setblocking(False)
            try:
                while True:
                    full.sendto(b"x", str(w.dir / "nobody"))
            except BlockingIOError:
                pass
        # Without confinement it would log more.
        unconfined = w.spawn(
            LED_HANDLER,
            env={"LED_LINE": w.dir / "line.sock", "LD_PRELOAD": w.dir / "none.so"},
            wrap=False,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        unconfined.stdin.write(b"LED ON\n")
        unconfined.stdin.close()
        status, answer, seconds = handle(w, b"LED ON\n")
        assert answer == b"OK LED ON\n" and status == -signal.SIGALRM, (status, answer)
        assert 40 < seconds < 50, seconds
        assert unconfined.stdout.read() == b"OK LED ON\n"
        assert unconfined.wait(5) == -signal.SIGALRM


@test("without confinement it works, and says so at debug level")
def not_confined(w):
    w.line()
    env = {"LD_PRELOAD": w.dir / "none.so"}
    assert handle(w, b"LED ON\n", env=env, wrap=False)[:2] == (0, b"OK LED ON\n")
    line = f'local user {os.getuid()} sent "LED ON": OK LED ON'
    assert w.log("led-handler") == [line]
    first, second = w.log("led-handler", DEBUG)
    assert first.startswith("not confined: ") and second == line, (first, second)


def log_stands_at(w, path):
    """Makes /dev/log lead somewhere else until the test is over."""
    log, theirs = Path("/dev/log"), os.readlink("/dev/log")

    def back():
        log.unlink()
        log.symlink_to(theirs)

    w.at_end(back)
    log.unlink()
    log.symlink_to(path)


@test("the log has local time")
def local_time(w):
    local = Path("/etc/localtime").resolve()
    if not local.is_file():
        raise Skip("no /etc/localtime to put a zone in the place of")
    os.environ.pop("TZ", None)
    w.line()
    # A time zone that never changes, in tzfile(5)'s format: 5 h 17 min east of Greenwich.
    counts = struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    zone = struct.pack(">lBB", 19020, 0, 0) + b"LED\0"
    block = b"TZif2" + bytes(15) + counts + zone
    (w.dir / "zone").write_bytes(block + block + b"\nLED-5:17\n")
    mount(str(w.dir / "zone"), local, flags=MS_BIND)
    w.at_end(lambda: unmount(local))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        log.bind(str(w.dir / "syslogd"))
        log_stands_at(w, w.dir / "syslogd")
        assert handle(w, b"LED ON\n")[1] == b"OK LED ON\n"
        log.settimeout(20)
        line = log.recv(4096).decode()
    there = [time.gmtime(time.time() + 19020 - ago) for ago in range(30)]
    assert line.split(">", 1)[1][:15] in [time.strftime("%b %e %T", t) for t in there], line


@test("LED_LINE says where led-line is; --line overrides it")
def where(w):
    w.line()
    right, wrong = w.dir / "line.sock", w.dir / "no.sock"
    for variable, option in [(right, None), (wrong, right), ("", right)]:
        p = w.spawn(
            LED_HANDLER,
            *([f"--line={option}"] if option else []),
            env={"LED_LINE": variable},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert p.communicate(b"LED STATUS\n", 20)[0] == b"OK LED OFF\n"


@test("led-line over TCP, by number, with a scope, and by port alone")
def over_tcp(w):
    w.line(listen=[f"127.0.0.1:{LINE_PORT}", f"[::1]:{LINE_PORT}"])
    for host in ("127.0.0.1:", "[::1]:", "[::1%lo]:", "[::1%1]:", ""):
        assert handle(w, b"LED ON\n", f"{host}{LINE_PORT}")[:2] == (0, b"OK LED ON\n"), host


@test("a bad command is not a failure: exit 0, one line at info")
def bad_command(w):
    for command in (b"LED ONE\n", b"\n", b"x" * 1000, b"LED ON\nLED ON\n"):
        start = len(w.log("led-handler"))
        status, answer, _ = handle(w, command)
        assert status == 0 and answer.startswith(b"ERR "), (command, status, answer)
        assert len(eventually(lambda: w.log("led-handler")[start:])) == 1


def serve_as(behaviour, address):
    """A led-line that behaves badly, in a thread."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(address))
    listener.listen(8)

    def run():
        while True:
            try:
                s, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=behaviour, args=(s,), daemon=True).start()

    threading.Thread(target=run, daemon=True).start()
    return listener


def fails(w, answer, logged):
    """Checks what led-handler answers and logs when led-line fails. Returns seconds."""
    status, got, seconds = handle(w, b"LED ON\n")
    assert (status, got) == (1, answer), (status, got)
    lines = eventually(lambda: w.log("led-handler", ERR))
    assert lines[-1].endswith(f'"LED ON": {logged}'), lines
    return seconds


def out_of_reach(w, reason):
    text = f"ERR no led-line at {w.dir}/line.sock: {reason}"
    return fails(w, text.encode() + b"\n", text)


def unknown(w, reason):
    """The outcome of the command is unknown: led-handler answers no line."""
    return fails(w, b"", f"no answer from led-line at {w.dir}/line.sock: {reason}")


@test("led-line is missing: ERR, exit 1, an error in the log")
def missing(w):
    out_of_reach(w, "No such file or directory")


@test("led-line has crashed and its socket is still there: ERR, exit 1")
def crashed(w):
    line = w.line()
    line.kill()
    line.wait()
    out_of_reach(w, "Connection refused")


@test("led-line is killed in the middle of a request: no line, exit 1")
def killed(w):
    serve_as(lambda s: (s.recv(100), s.close()), w.dir / "line.sock")
    unknown(w, "it closed the connection without an answer")


@test("led-line is killed after half an answer: no line, exit 1")
def half_answer(w):
    serve_as(lambda s: (s.recv(100), s.sendall(b"OK LED"), s.close()), w.dir / "line.sock")
    unknown(w, "it closed the connection without an answer")


@test("led-line is stopped: no line, exit 1", quick=False)
def stopped(w):
    line = w.line()
    line.pause()
    unknown(w, "it does not answer")
    line.resume()
    # A command that it gave up is not carried out afterwards.
    assert ask(b"LED STATUS\n", w.dir / "line.sock") == b"OK LED OFF\n"


@test("led-line does not even accept: ERR, exit 1", quick=False)
def full_backlog(w):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(w.dir / "line.sock"))
    listener.listen(0)
    waiting = []
    for _ in range(5):
        s = socket.socket(socket.AF_UNIX)
        s.setblocking(False)
        waiting.append(s)
        if s.connect_ex(str(w.dir / "line.sock")) != 0:
            break
    out_of_reach(w, "Connection timed out")


@test("led-line answers byte by byte without end: no line, exit 1", quick=False)
def dribble(w):
    def behaviour(s):
        try:
            for _ in range(100):
                s.sendall(b"O")
                time.sleep(0.2)
        except OSError:
            pass

    serve_as(behaviour, w.dir / "line.sock")
    unknown(w, "it does not answer")


@test("another led-handler in led-line's place is recognised and named")
def not_a_line(w):
    w.line()
    w.spawn(
        need_program("systemd-socket-activate"),
        f"--listen={LINE_PORT}",
        "--accept",
        LED_HANDLER,
        f"--line={w.dir}/line.sock",
    )
    eventually(lambda: accepts(("127.0.0.1", LINE_PORT)))
    status, answer, _ = handle(w, b"LED ON\n", f"127.0.0.1:{LINE_PORT}")
    why = "another led-handler listens there: LED_LINE has to be led-line's address"
    assert answer == f"ERR no led-line at 127.0.0.1:{LINE_PORT}: {why}\n".encode(), answer
    assert status == 1
    assert ask(b"LED STATUS\n", w.dir / "line.sock") == b"OK LED OFF\n"


@test("an IPv6 address is in brackets in the ERR too")
def ipv6(w):
    line = f"[::1]:{LINE_PORT}"
    wanted = f"ERR no led-line at {line}: Connection refused\n".encode()
    assert handle(w, b"LED ON\n", line)[:2] == (1, wanted)


@test("led-line is slow, but answers")
def slow(w):
    serve_as(
        lambda s: (s.recv(100), time.sleep(1.5), s.sendall(b"OK LED ON\n")), w.dir / "line.sock"
    )
    assert handle(w, b"LED ON\n")[:2] == (0, b"OK LED ON\n")


@test("led-line gets the time when the command arrived, and nothing else")
def request(w):
    heard = []
    serve_as(lambda s: (heard.append(s.recv(100)), s.sendall(b"OK LED ON\n")), w.dir / "line.sock")
    handle(w, b" led   toggle ")
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000000
    match = re.fullmatch(rb"LED TOGGLE @(\d+)\n", heard[0])
    assert match and now - 60000 < int(match[1]) <= now, heard


@test("nobody reads the answer: no SIGPIPE, exit 0")
def no_reader(w):
    w.line()
    read, write = os.pipe()
    os.close(read)
    p = w.spawn(
        LED_HANDLER, f"--line={w.dir}/line.sock", stdin=subprocess.PIPE, stdout=write
    )
    os.close(write)
    p.communicate(b"LED ON\n", 20)
    assert p.returncode == 0
    assert w.statuses() == ["On"]


@test("what a client sends that watches through led-handler is bounded as a command is")
def watcher_sends(w):
    w.line()
    ours, theirs = socket.socketpair()
    p = w.spawn(LED_HANDLER, f"--line={w.dir}/line.sock", stdin=theirs, stdout=theirs)
    theirs.close()
    with ours:
        ours.settimeout(20)
        ours.sendall(b"LED WATCH\n")
        assert ours.recv(100) == b"OK LED OFF\n"
        ours.sendall(bytes(65536))
        time.sleep(0.2)
        assert p.poll() is None, "it is given up although it has sent no more than it may"
        sent = 0
        try:
            while sent < 10_000_000:
                sent += ours.send(bytes(1000))
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert sent < 1_000_000, sent
    assert p.wait(10) == 0


@test("a passed descriptor is used only by the process that it is meant for")
def not_ours(w):
    w.line()
    p = w.spawn(
        LED_HANDLER,
        f"--line={w.dir}/line.sock",
        env={"LISTEN_FDS": 1, "LISTEN_PID": 1},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert p.communicate(b"LED STATUS\n", 20)[0] == b"OK LED OFF\n"


@test("standard input or output closed: one clear line and exit status 2, at once")
def closed_descriptors(w):
    # Not wrapped: valgrind opens descriptors of its own.
    def run(redirections, environment=""):
        return subprocess.run(
            ["bash", "-c", f'{environment} exec "$0" --line="$1" {redirections}', LED_HANDLER,
             w.dir / "line.sock"],
            input=b"LED TOGGLE\n", capture_output=True, timeout=10,
        )

    w.line()
    for redirections, why in (
        ("<&-", b"standard input is closed: there is no command to read"),
        (">&-", b"standard output is closed: there is nowhere to write the answer to"),
        ("<&- >&-", b"standard input is closed: there is no command to read"),
    ):
        p = run(redirections)
        assert (p.returncode, p.stdout) == (2, b""), p
        assert p.stderr == b"led-handler: " + why + b"\n", p
    p = run("3<&-", "export LISTEN_FDS=1 LISTEN_PID=$$;")
    assert (p.returncode, p.stdout) == (2, b""), p
    assert p.stderr == b"led-handler: descriptor 3 is closed, though LISTEN_FDS passes it\n", p
    assert run("<&- >&- 2>&-").returncode == 2
    assert w.statuses() == []
    # Standard error is not a connection, and a passed descriptor replaces all three.
    assert run("2>&-").stdout == b"OK LED ON\n"
    ours, theirs = socket.socketpair()
    ours.sendall(b"LED TOGGLE\n")
    subprocess.run(
        ["bash", "-c", 'export LISTEN_FDS=1 LISTEN_PID=$$; exec "$0" --line="$1"'
         f" 3<&{theirs.fileno()} <&- >&- 2>&-", LED_HANDLER, w.dir / "line.sock"],
        pass_fds=[theirs.fileno()], timeout=10, check=True,
    )
    theirs.close()
    assert read_all(ours) == b"OK LED OFF\n"
    ours.close()


@test("wrong options: one clear line and exit status 2")
def wrong_options(w):
    for options, text in [
        (["--line=nowhere"], "led-handler: --line=nowhere: an address is"),
        (["--allow=everybody"], "led-handler: --allow=everybody: it is private, any, or prefixes"),
        (["--line=localhost:5556"], "led-handler: --line=localhost:5556: names are not looked up"),
        (["--line=[::1%nowhere]:5556"], "names are not looked up here"),
        (["--lane=x"], "unrecognized option '--lane=x'"),
        (["x"], "unexpected argument 'x'"),
        (["--line=/" + "x" * 200], "too long for a UNIX socket"),
    ]:
        p = w.spawn(LED_HANDLER, *options)
        assert p.wait(20) == 2
        assert text in p.output() and p.output().count("\n") == 1, p.output()
    p = w.spawn(LED_HANDLER, env={"LED_LINE": ""}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    answer = p.communicate(b"LED ON\n", 20)[0]
    assert answer.startswith(b"ERR no led-line at /run/led/line.sock: "), answer
    p = w.spawn(LED_HANDLER, env={"LED_LINE": "pi:x"})
    assert p.wait(20) == 2 and "LED_LINE=pi:x: a port is a number" in p.output()


@test("a wrong setting is an answer, and exit status 2")
def wrong_setting(w):
    def answer(*options, **env):
        ours, theirs = socket.socketpair()
        with ours:
            p = w.spawn(LED_HANDLER, *options, env=env, stdin=theirs, stdout=theirs)
            theirs.close()
            ours.settimeout(20)
            ours.sendall(b"LED ON\n")
            line = ours.recv(1000)
            assert line.endswith(b"\n") and len(line) <= 201 and ours.recv(1) == b"", line
        assert p.wait(10) == 2 and p.output() == "", p.output()
        said = eventually(lambda: w.log("led-handler"))
        assert all(text.startswith("a setting is wrong: ") for text in said), said
        return line.decode().rstrip("\n"), said[-1].removeprefix("a setting is wrong: ")

    wrong = "ERR a setting is wrong: "
    line = "LED_LINE=tcp://pi:5555: an address is /path, HOST:PORT, [IPv6]:PORT or PORT"
    assert answer(LED_LINE="tcp://pi:5555") == (wrong + line, line)
    unknown = "unrecognized option '--lime=x'"
    assert answer("--lime=x") == (wrong + unknown, unknown)
    # Who may connect is not known: nobody may.
    allow = "LED_ALLOW=::ffff:192.168.0.0/112: without ::ffff:, it is 192.168.0.0/16"
    assert answer(LED_ALLOW="::ffff:192.168.0.0/112") == (wrong + "see the log", allow)
    # Also where another setting is wrong, too: each is in the log.
    assert answer(LED_ALLOW="x", LED_LINE="pi:x")[0] == wrong + "see the log"
    eventually(lambda: len(w.log("led-handler")) == 5)
    said = [text.removeprefix("a setting is wrong: ").split("=")[0] for text in w.log("led-handler")[-2:]]
    assert said == ["LED_LINE", "LED_ALLOW"], said
    # One line of 200 printable characters, and no password
    long, said = answer(LED_LINE="x" * 300 + "\n\x1b[31m")
    assert "x..." in long and "\x1b" not in long + said, long
    assert answer(LED_LINE="tcp://me:secret@pi:1") [0] == (
        wrong + "LED_LINE: an address is /path, HOST:PORT, [IPv6]:PORT or PORT")


@test("a variable that only looks like a setting is a warning, with the nearest and no value")
def unknown_variables(w):
    # A shell passes on no name that it would not take, and Debian's valgrind is one.
    unprintable = {} if "valgrind" in WRAP else {"LED_LINE\x1b[31m\n": "s3cret"}
    w.notified(LED_LINE, "--led=log", f"--listen={w.dir}/line.sock", env={
        "LED_INTIAL": "s3cret", "led": "s3cret", "mqtt_borker": "s3cret", "LED_INITIAL": "on",
        "LESS": "s3cret", **unprintable,
    })
    assert handle(w, b"LED STATUS\n", env={"LED_INTIAL": "s3cret"})[1] == b"OK LED ON\n"
    said = [line for line in w.log() if "no setting" in line]
    assert sorted(said) == [
        "LED_INTIAL is no setting, and is ignored: LED_INITIAL is the nearest",
        *["LED_LINE?[31m? is no setting, and is ignored: LED_LINE is the nearest"] * len(unprintable),
        "led is no setting, and is ignored: LED is the nearest",
        "mqtt_borker is no setting, and is ignored: MQTT_BROKER is the nearest",
    ], said
    assert not any("s3cret" in line for line in w.log())


@test("--help and --version")
def help_and_version(w):
    p = w.spawn(LED_HANDLER, "--help")
    assert p.wait(20) == 0 and p.output().startswith("Usage: led-handler"), p.output()
    p = w.spawn(LED_HANDLER, "--version")
    assert p.wait(20) == 0 and re.fullmatch(r"led-handler \d+\.\d+\.\d+\n", p.output())


@test("it links against libc alone")
def libc_alone(w):
    if SLOW:
        raise Skip("instrumented build")
    text = subprocess.run(
        ["ldd", LED_HANDLER], capture_output=True, text=True, check=True
    ).stdout
    libraries = [line.split()[0] for line in text.splitlines()]
    assert all(re.match(r"linux-vdso|libc\.so\.6$|/lib.*/ld-linux", l) for l in libraries), text


def instructions(w, line):
    need_program("valgrind")
    if SLOW:
        raise Skip("instrumented build")
    # Each variable costs the dynamic linker a few hundred instructions: these are a unit's.
    p = w.spawn(
        *("env", "-i", "LANG=C.UTF-8", "PATH=/usr/bin:/bin", "REMOTE_ADDR=127.0.0.1"),
        *("REMOTE_PORT=40000", "SYSTEMD_EXEC_PID=1", f"INVOCATION_ID={32 * '0'}"),
        *(shutil.which("valgrind"), "--tool=callgrind", "--callgrind-out-file=/dev/null"),
        *(LED_HANDLER, f"--line={line}"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    answer = p.communicate(b"LED ON\n", 60)[0]
    assert answer == b"OK LED ON\n", answer
    return int(re.search(r"Collected : (\d+)", p.output())[1])


@test("an LED ON executes at most 170,000 instructions")
def few_instructions(w):
    w.line(listen=[w.dir / "line.sock", f"127.0.0.1:{LINE_PORT}"])
    for line in (w.dir / "line.sock", f"127.0.0.1:{LINE_PORT}"):
        count = instructions(w, line)
        print(f"# {line}: {count} instructions", flush=True)
        assert count <= 170000, count
