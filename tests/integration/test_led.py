# SPDX-License-Identifier: MIT
"""led: a command from a shell, its output and its exit status."""

import os
import pty
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

from test_line import fake_led, tcp_listener
from world import (
    LED,
    LED_HANDLER,
    LED_LINE,
    PORT,
    SLOW,
    SOURCE,
    WRAP,
    Skip,
    ask,
    eventually,
    mount,
    need_program,
    test,
    test_for_each_server,
    unmount,
)

NOTHING = "there is no LED nothing in /sys/class/leds"
LEDS = "log kitchen=log door=log,pulse=500 pump=leds:nothing"


def led(*words, host="127.0.0.1", env=None, **kwargs):
    """Runs it. Returns its exit status, its output, and what it says on standard error."""
    options = ["-H", str(host)] if host else []
    for _ in range(5):
        p = subprocess.run(
            [*WRAP, LED, *options, *words], env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            timeout=60, **kwargs,
        )
        # valgrind needs seconds to start led-handler; what was too late was not carried out.
        if not SLOW or p.stderr != "led: too late\n":
            break
    return p.returncode, p.stdout, p.stderr


@test_for_each_server("led: every command, its output and exit status")
def commands(w, how):
    w.serve(how, led=LEDS)
    for words, output in [
        ("on", "ON"),
        ("OFF", "OFF"),
        ("toggle", "ON"),
        ("status", "ON"),
        ("led off", "OFF"),
        ("pulse 3600000", "ON"),
        ("off", "OFF"),
        ("kitchen on", "kitchen ON"),
        ("Kitchen status", "kitchen ON"),
        ("kitchen toggle", "kitchen OFF"),
        ("kitchen pulse 3600000", "kitchen ON"),
        ("list", "led OFF\nkitchen ON\ndoor OFF\npump ERR"),
        ("list kinds", "led light\nkitchen light\ndoor switch,pulse=500\npump light"),
    ]:
        assert led(*words.split()) == (0, f"{output}\n", ""), words
    assert led("kitchen on") == (0, "kitchen ON\n", "")  # one word with a blank
    for words, reason in [
        ("cellar on", "no LED is called cellar; LED LIST names them"),
        ("pump status", NOTHING),
    ]:
        assert led(*words.split()) == (1, "", f"led: {reason}\n"), words
    assert led("all", "off") == (1, "all OFF\n", f"led: except pump: {NOTHING}\n")


@test("led all: what reached every LED is done")
def all_leds(w):
    w.line(listen=[PORT], led="log kitchen=log")
    assert led("all", "on") == (0, "all ON\n", "")
    assert led("list") == (0, "led ON\nkitchen ON\n", "")
    assert led("all", "off") == (0, "all OFF\n", "")


@test("led: wrong words and options end with 2, and nothing is sent")
def wrong(w):
    server = tcp_listener(w)
    server.setblocking(False)
    unknown = "no such command: led --help has them all"
    for words, said in [
        ([], "which command? led --help has them all"),
        (["one"], unknown),
        (["kitchen"], unknown),
        (["on", "off"], unknown),
        (["press", "door"], unknown),
        (["press", "door", "long"], unknown),
        (["all", "toggle"], "LED ALL takes ON and OFF"),
        (["pulse", "0"], "LED PULSE takes 1 to 3600000 milliseconds"),
        (["on\nLED off"], "more than one command: a connection carries one"),
        (["on", "-x"], "-x: unrecognized option"),
        (["on", "-H"], "-H: -H takes a HOST, HOST:PORT or /PATH"),
        (["on", "-Hpi:x"], "-H pi:x: a port is a number from 1 to 65535"),
        (["on", "-H", "5556"], "-H 5556: a host comes before the port, as in localhost:5555"),
        (["on", "-H", "::1"], "-H ::1: an IPv6 address stands in brackets, as in [::1]:5555"),
        (["on", "-H", "http://me:s3cret@pi"], "-H ...: an IPv6 address stands in brackets, as in [::1]:5555"),
        (["--x=me:s3cret@pi"], "...: unrecognized option"),
        (["--foo\n\033[1mbar"], "--foo??[1mbar: unrecognized option"),
        ([f"-{'x' * 400}"], f"-{'x' * 75}...: unrecognized option"),
    ]:
        assert led(*words) == (2, "", f"led: {said}\n"), words
    wrong_host = led("on", host=None, env={"LED_HOST": "pi:x"})
    assert wrong_host == (2, "", "led: LED_HOST=pi:x: a port is a number from 1 to 65535\n")
    try:
        server.accept()
        raise AssertionError("something was sent")
    except BlockingIOError:
        pass


@test("led --help and --version")
def help_and_version(w):
    status, text, error = led("--help", host=None)
    assert (status, error) == (0, "") and max(map(len, text.splitlines())) <= 80
    for word in ("toggle", "pulse", "watch", "kinds", "-H", "$LED_HOST", "Exit status"):
        assert word in text, word
    status, text, error = led("on", "--version", host=None)
    assert (status, error) == (0, "") and text.startswith("led ")


@test("led: nobody is there, or nobody is known: 3")
def nobody(w):
    refused = "led: 127.0.0.1:5555: Connection refused\n"
    assert led("on") == (3, "", refused)
    # There is nothing to be tried again: the command has not left.
    start = time.monotonic()
    assert led("toggle") == (3, "", refused)
    assert time.monotonic() - start < 2 or SLOW
    assert led("on", host=w.dir / "none") == (3, "", f"led: {w.dir}/none: No such file or directory\n")
    status, output, error = led("on", host="no.such.name.invalid")
    assert (status, output) == (3, "") and error.startswith("led: no.such.name.invalid:5555: ")


def instructions(*command, text=None):
    """How many a program executes, and its output."""
    valgrind = need_program("valgrind")
    run = subprocess.run(
        [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", *command], input=text,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
    )
    return int(re.search(r"Collected : (\d+)", run.stderr)[1]), run.stdout


@test("led on executes less than half as many instructions as nc alone", quick=False)
def cheaper(w):
    if SLOW:
        raise Skip("instrumented build")
    netcat = need_program("nc.openbsd")
    w.line(listen=[PORT])
    ours, said = instructions(LED, "-H", "127.0.0.1", "on")
    assert said == "ON\n", said
    other, said = instructions(netcat, "127.0.0.1", str(PORT), text="LED OFF\n")
    assert said == "OK LED OFF\n", said
    print(f"# led on: {ours} instructions; nc: {other}")
    assert ours < other / 2, (ours, other)


@test("led -H takes a name, a port, IPv6 and a path; LED_HOST does, and -H wins")
def hosts(w):
    w.line(listen=[PORT, 5557, w.dir / "line.sock"])
    for host in ("localhost", "127.0.0.1", "localhost:5557", "[::1]", "[::1]:5557", w.dir / "line.sock"):
        assert led("toggle", host=host)[0] == 0, host
        assert led("status", host=None, env={"LED_HOST": str(host)})[0] == 0, host
    for env in {"LED_HOST": "nobody.invalid"}, {"LED_HOST": ""}:
        assert led("on", env=env) == (0, "ON\n", ""), env


@test("led without a host asks led-line, else port 5555 of this machine")
def standard(w):
    mount("tmpfs", "/run", "tmpfs")
    w.at_end(lambda: unmount("/run"))
    path = Path("/run/led/line.sock")
    env = {"LED_HOST": ""}
    status, output, error = led("on", host=None, env=env)
    assert (status, output) == (3, "")
    assert error == f"led: {path}: No such file or directory; localhost:5555: Connection refused\n"
    path.parent.mkdir()
    line = w.line(listen=[path])
    assert led("on", host=None, env=env) == (0, "ON\n", "")
    port = w.line(listen=[PORT])
    assert led("status", host=None, env=env) == (0, "ON\n", "")
    # A user who may not connect there, a socket that nobody serves, and one that is not there.
    path.chmod(0)
    assert led("status", host=None, env=env, user=61001) == (0, "OFF\n", "")
    line.kill()
    line.wait()
    assert led("status", host=None, env=env) == (0, "OFF\n", "")
    path.unlink()
    assert led("status", host=None, env=env) == (0, "OFF\n", "")
    port.stop()


class Server:
    """Answers each connection with the next of some texts, the last one again and again."""

    def __init__(self, w, *answers):
        self.answers, self.commands = list(answers), []
        self.listener = tcp_listener(w)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        w.closers.insert(0, self._end)

    def _end(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # which ends accept()
        self.thread.join()

    def _serve(self):
        try:
            while True:
                s, _ = self.listener.accept()
                with s:
                    self.commands.append(s.recv(100).decode())
                    answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
                    s.sendall(answer.encode())
        except OSError:
            pass  # closed


@test("led: a TOGGLE and a PULSE are tried again under their key until there is an answer")
def again(w):
    server = Server(w, "", "", "ERR no led-line at /x: No such file or directory\n", "OK LED ON\n")
    assert led("toggle") == (0, "ON\n", "")
    first = server.commands[0].split()
    assert first[:2] == ["LED", "TOGGLE"] and len(first[2]) == 17 and first[2][0] == "#"
    assert server.commands == [server.commands[0]] * 4
    server.answers, server.commands = ["", "OK LED door ON\n"], []
    assert led("door", "pulse", "500") == (0, "door ON\n", "")
    assert len(server.commands) == 2 and server.commands[0].startswith("LED door PULSE 500 #")
    assert server.commands[0] == server.commands[1] != f"LED door PULSE 500 {first[2]}\n"
    # One's own key is sent as it is.
    server.answers, server.commands = ["", "OK LED ON\n"], []
    assert led("toggle", "#mine") == (0, "ON\n", "")
    assert server.commands == ["LED TOGGLE #mine\n"] * 2


@test("led: after 5 s without an answer, a TOGGLE is not known: 3", quick=False, takes=6)
def not_known(w):
    server = Server(w, "")
    start = time.monotonic()
    status, output, error = led("toggle")
    took = time.monotonic() - start
    assert (status, output) == (3, "")
    assert error == (
        "led: it is not known whether this was carried out:"
        " 127.0.0.1:5555: it closed the connection\n"
    )
    assert 4 < took < 6 or SLOW, took
    assert len(set(server.commands)) == 1 and len(server.commands) > 4
    # An ERR about a later try says nothing about the first.
    server.answers = ["", "ERR too late\n"]
    status, output, error = led("toggle")
    assert (status, output) == (3, "")
    assert error == "led: it is not known whether this was carried out: too late\n"


@test("led: other commands are sent once; without an answer they are not known: 3")
def once(w):
    server = Server(w, "")
    for words in ("on", "all off", "kitchen off"):
        server.commands.clear()
        status, output, error = led(*words.split())
        assert (status, output) == (3, "") and "not known whether" in error, words
        assert server.commands == [f"LED {words}\n".upper().replace("KITCHEN", "kitchen")]
    for words in ("status", "list", "watch"):
        server.commands.clear()
        assert led(words) == (3, "", "led: 127.0.0.1:5555: it closed the connection\n"), words
        assert len(server.commands) == 1
    server.answers = ["ERR too late\n"]
    assert led("toggle") == (1, "", "led: too late\n")


@test("led: a server that hangs is given up after 5.5 s: 3", quick=False, takes=6)
def hangs(w):
    tcp_listener(w)
    start = time.monotonic()
    status, output, error = led("toggle")
    assert (status, output) == (3, "") and "127.0.0.1:5555: it does not answer" in error, error
    assert 5 < time.monotonic() - start < 8 or SLOW


@test("led: another server's words are no answer: 3")
def another_server(w):
    Server(w, "HTTP/1.1 400 Bad Request\r\n\r\n")
    status, output, error = led("status")
    assert (status, output) == (3, "")
    assert error == "led: not led-socket's words: HTTP/1.1 400 Bad Request\n"


@test("led: a TOGGLE is carried out once, though its handler is killed before the answer")
def killed_handler(w):
    lose = w.dir / "lose"
    w.serve("activate", handler=w.handler_script(
        f"if rmdir {lose} 2>/dev/null; then",
        f"  {' '.join(WRAP)} {LED_HANDLER} \"$@\" <&3 >/dev/null",
        "  exit",
        "fi",
    ))
    lose.mkdir()
    assert led("toggle") == (0, "ON\n", "")
    assert not lose.exists() and w.statuses() == ["On"]
    assert led("toggle") == (0, "OFF\n", "")
    assert w.statuses() == ["On", "Off"]


class Watch:
    def __init__(self, w, *words):
        self.process = w.spawn(
            LED, "-H", "127.0.0.1", *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def next(self, n=1):
        return [self.process.stdout.readline().rstrip("\n") for _ in range(n)]

    def end(self):
        output, error = self.process.communicate(timeout=60)
        return self.process.returncode, output, error


@test_for_each_server("led watch: a line for each LED, then one for each change, until the end")
def watch(w, how):
    w.serve(how, led=LEDS)
    all_leds, kitchen = Watch(w, "watch"), Watch(w, "kitchen", "watch")
    assert all_leds.next(4) == ["led OFF", "kitchen OFF", "door OFF", f"pump ERR {NOTHING}"]
    assert kitchen.next() == ["kitchen OFF"]
    ask(b"LED ON\n")
    assert all_leds.next() == ["led ON"]
    ask(b"LED kitchen ON\n")
    assert all_leds.next() == kitchen.next() == ["kitchen ON"]
    all_leds.process.terminate()
    assert all_leds.end()[:2] == (-signal.SIGTERM, "")


@test("led watch: its end is 3, and a refusal is 1")
def watch_ends(w):
    line = w.line(listen=[PORT], led=LEDS)
    watching = Watch(w, "watch")
    assert len(watching.next(4)) == 4
    line.stop()
    assert watching.end() == (3, "", "led: 127.0.0.1:5555: it closed the connection\n")
    w.line(listen=[PORT], led=LEDS)
    refused = "led: no LED is called cellar; LED LIST names them\n"
    assert Watch(w, "cellar", "watch").end() == (1, "", refused)


@test("led watch: what another program changed is seen once somebody asks")
def watch_hardware(w):
    green = fake_led(w)
    w.line(listen=[PORT], led="green=leds:green lamp=log")
    watching = Watch(w, "watch")
    assert watching.next(2) == ["green OFF", "lamp OFF"]
    (green / "brightness").write_text("255\n")
    assert led("green", "status") == (0, "green ON\n", "")
    assert watching.next() == ["green ON"]


@test("led list with an LED in trouble is 0; a wrong setting is an answer")
def list_trouble(w):
    w.notified(LED_LINE, env={"LED": "log kitchen=gpio17", "LED_LISTEN": PORT})
    assert led("list") == (0, "led OFF\nkitchen ERR\n", "")
    assert led("list", "kinds") == (0, "led light\nkitchen ?\n", "")
    status, output, error = led("kitchen", "on")
    assert (status, output) == (1, "") and error.startswith("led: a setting is wrong: kitchen=gpio17")


@test("led: output that cannot be written is not done")
def full(w):
    w.line(listen=[PORT])
    with open("/dev/full", "w") as out:
        p = w.spawn(LED, "-H", "127.0.0.1", "on", stdout=out, stderr=subprocess.PIPE, text=True)
        error = p.communicate(timeout=60)[1]
    assert (p.returncode, error) == (3, "led: standard output: No space left on device\n")
    assert ask(b"LED STATUS\n") == b"OK LED ON\n"


@test("led: without a reader of its output, a watch ends with the next change")
def no_reader(w):
    w.line(listen=[PORT])
    watching = Watch(w, "watch")
    assert watching.next() == ["led OFF"]
    watching.process.stdout.close()
    ask(b"LED ON\n")
    assert watching.process.wait(20) == -signal.SIGPIPE


@test("led links against libc alone")
def links(w):
    libraries = subprocess.run(
        [need_program("ldd"), LED], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    names = [line.split()[0].rpartition("/")[2] for line in libraries.splitlines()]
    ours = [n for n in names if not n.startswith(("linux-vdso", "ld-linux", "libc.so", "libasan", "libubsan"))]
    assert not ours or SLOW, names


# --- completion -------------------------------------------------------------------------

SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], f". {SOURCE}/completion/led.bash"),
    "zsh": (
        ["zsh", "-f", "-i"],
        f"fpath=({SOURCE}/completion $fpath); autoload -U compinit; compinit -u -D",
    ),
}


class Typist:
    """Somebody who types at a shell's prompt."""

    def __init__(self, w, shell):
        argv, load = SHELLS[shell]
        need_program(shell)
        self.ours, theirs = pty.openpty()
        self.screen = ""
        env = {"PATH": f"{Path(LED).parent}:{os.environ['PATH']}", "PS1": "ready> ", "TERM": "dumb",
               "LED_HOST": "127.0.0.1", "HOME": w.dir, "INPUTRC": "/dev/null"}
        w.spawn(need_program("setsid"), "-c", *argv, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        threading.Thread(target=self._read, daemon=True).start()
        eventually(lambda: "ready> " in self.screen)
        # In two parts, so that it is not what was typed that is seen.
        self.type(f"{load}; PS1='led''> '\n")
        eventually(lambda: "led> " in self.screen, 20)

    def _read(self):
        try:
            while True:
                self.screen += os.read(self.ours, 65536).decode(errors="replace")
        except OSError:
            pass  # nobody has the other end open any more

    def type(self, text):
        os.write(self.ours, text.encode())


def completes(w, shell):
    w.line(listen=[PORT, 5557], led="log kitchen=log cellar=log")
    typist = Typist(w, shell)
    done = 0

    def run(keys):
        """Types a line, and waits for its end."""
        nonlocal done
        done += 1
        typist.type(f"{keys}\n")
        typist.type(f"echo end $(({done} + 1000))\n")
        eventually(lambda: f"end {1000 + done}" in typist.screen, 10)

    for keys, answer in [
        ("led kit\ton", "led=OFF kitchen=ON cellar=OFF"),
        ("led tog\t", "led=ON kitchen=ON cellar=OFF"),
        ("led -H 127.0.0.1:5557 ce\tto\t", "led=ON kitchen=ON cellar=ON"),
        ("led al\tof\t", "led=OFF kitchen=OFF cellar=OFF"),
        ("led kitchen pu\t60000", "led=OFF kitchen=ON cellar=OFF"),
    ]:
        run(keys)
        got = ask(b"LED LIST\n").decode()
        assert got == f"OK LED LIST {answer}\n", (keys, got, typist.screen)
    # After a whole command there is nothing more to type, and "no" is no name.
    typist.screen = ""
    run("echo led on\t no\t")
    assert "led on no" in typist.screen
    typist.type("exit\n")


@test("completion in bash, with the names of the LEDs", quick=False, takes=4)
def bash(w):
    completes(w, "bash")


@test("completion in zsh, with the names of the LEDs", quick=False, takes=4)
def zsh(w):
    completes(w, "zsh")
