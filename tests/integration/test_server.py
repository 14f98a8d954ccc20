# SPDX-License-Identifier: MIT
"""The LED side, for every kind of client and under every super-server."""

import contextlib
import random
import socket
import subprocess
import threading
import time

from world import (
    AFAR,
    INSTALLED,
    LED_LINE,
    LINE_PORT,
    PORT,
    SLOW,
    WARNING,
    Skip,
    ask,
    connect,
    eventually,
    need_program,
    read_all,
    send_as_the_original,
    test,
    test_for_each_server,
)

UNKNOWN = b"ERR unknown command: send LED ON, LED OFF, LED TOGGLE, LED STATUS, LED PULSE MS, LED LIST or LED WATCH\n"
EMPTY = b"ERR empty command: send LED ON, LED OFF, LED TOGGLE, LED STATUS, LED PULSE MS, LED LIST or LED WATCH\n"
LONG = b"ERR command too long: it has at most 64 bytes\n"
MORE = b"ERR more than one command: a connection carries one\n"
SILENT = b"ERR no command within 30 s\n"
LATE = b"ERR the command was not complete after 5 s\n"


def timed(function):
    start = time.monotonic()
    answer = function()
    return answer, time.monotonic() - start


def is_prompt(function, beside=lambda: None):
    """Whether something is done without waiting for the second of silence that ends a command: it
    takes at most 0.9 s more than what it is compared with.
    A busy machine may take that long for other reasons, but not each time."""
    quickest = min(timed(beside)[1] for _ in range(5))
    return any(timed(function)[1] < 0.9 + quickest or SLOW for _ in range(20))


def serve_at_once(w, port):
    """A server that answers and closes each connection without reading anything."""
    server = socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True)
    w.at_end(lambda: server.shutdown(socket.SHUT_RDWR))

    def serve():
        with server, contextlib.suppress(OSError):
            while True:
                client = server.accept()[0]
                with client, contextlib.suppress(OSError):
                    client.sendall(b"OK LED ON\n")

    threading.Thread(target=serve, daemon=True).start()


@test_for_each_server("ON, OFF, TOGGLE and STATUS")
def commands(w, how):
    w.serve(how)
    for command, answer in [
        (b"LED ON\n", b"OK LED ON\n"),
        (b"LED STATUS\n", b"OK LED ON\n"),
        (b"LED OFF\r\n", b"OK LED OFF\n"),
        (b"LED STATUS\0", b"OK LED OFF\n"),
        (b"LED TOGGLE\n", b"OK LED ON\n"),
        (b" led\ttoggle \n", b"OK LED OFF\n"),
        (b"led on", b"OK LED ON\n"),
        (b"LED OFF\0\0\0\0", b"OK LED OFF\n"),
    ]:
        got = ask(command, end=not command.endswith((b"\n", b"\0")))
        assert got == answer, (command, got)


@test_for_each_server("bad input gets its exact answers and does not change the LED", quick=False, takes=7)
def bad_input(w, how):
    w.serve(how)
    before = [timed(lambda: ask(b"LED ON\n")) for _ in range(9)]
    assert all(answer == b"OK LED ON\n" for answer, _ in before), before
    ask(b"LED OFF\n")
    shown = len(w.statuses())

    def whole(command, end=True):
        return lambda: ask(command, end=end)

    def slowly(command, pause):
        def run():
            with connect() as s:
                for byte in command:
                    try:
                        s.sendall(bytes([byte]))
                    except (BrokenPipeError, ConnectionResetError):
                        break
                    time.sleep(pause)
                return read_all(s)

        return run

    def deaf():
        s = connect()
        s.sendall(b"LED ONE\n" + b" " * 1000)
        time.sleep(2)
        s.close()
        return b""

    def gone():
        connect().close()
        return b""

    def many():
        with connect() as s:
            try:
                for _ in range(16):
                    s.sendall(b"x" * 65536)
            except (BrokenPipeError, ConnectionResetError):
                return b"cut off while sending"
            s.shutdown(socket.SHUT_WR)
            return read_all(s)

    cases = {
        "empty, ended": (whole(b""), EMPTY),
        "an empty line": (whole(b"\n", False), EMPTY),
        "a NUL": (whole(b"\0", False), EMPTY),
        "blanks": (whole(b"  \t \n", False), EMPTY),
        "LED": (whole(b"LED\n", False), UNKNOWN),
        "LED ONE": (whole(b"LED ONE\n", False), UNKNOWN),
        "LEDON": (whole(b"LEDON\n", False), UNKNOWN),
        "65 bytes": (whole(b"LED ON" + b" " * 59 + b"\n", False), LONG),
        "1 MB": (many, LONG),
        "a NUL inside": (whole(b"LED\0ON\n", False), MORE),
        "NULs first": (whole(b"\0\0LED ON\n", False), MORE),
        "UTF-8": (whole("LED ÖN\n".encode(), False), UNKNOWN),
        "fullwidth": (whole("ＬＥＤ ＯＮ\n".encode(), False), UNKNOWN),
        "two commands": (whole(b"LED ON\nLED ON\n", False), MORE),
        "two, far apart": (whole(b"LED ON\n" + b"\0" * 3000 + b"LED ON\n", False), MORE),
        "half a command": (whole(b"LED O", False), UNKNOWN),
        "too slow": (slowly(b"LED STATUS" + b" " * 40, 0.2), LATE),
        "closed at once": (gone, b""),
        "never reads": (deaf, b""),
    }
    results = {}

    def run(name):
        results[name] = timed(cases[name][0])

    threads = [threading.Thread(target=run, args=(name,)) for name in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, (_, answer) in cases.items():
        assert results[name][0] == answer, (name, results[name])
    # led-handler waits only while more may come: for one second, and for five.
    took = {name: seconds for name, (_, seconds) in results.items()}
    second, five = took.pop("half a command"), took.pop("too slow")
    assert 0.95 < second < five and five > 4.9, (second, five)
    for name in set(took) - {"1 MB", "never reads"}:
        assert took[name] < second or is_prompt(cases[name][0]), (name, took[name], second)

    assert ask(b"LED STATUS\n") == b"OK LED OFF\n"
    assert len(w.statuses()) == shown, "the LED was switched by bad input"

    # The quickest, because what else runs on this machine makes the others slow.
    quickest = min(seconds for _, seconds in before)

    def is_as_quick():
        answer, seconds = timed(lambda: ask(b"LED ON\n"))
        assert answer == b"OK LED ON\n", answer
        return seconds < 2 * quickest + 0.005 or SLOW

    assert any(is_as_quick() for _ in range(100)), quickest


def silence(w, how):
    """For people who type: 30 s for the first byte, not counting telnet's negotiation, then 5 s."""
    w.serve(how)
    answers = {}

    def run(name, script):
        start = time.monotonic()
        with connect(timeout=60) as s:
            try:
                for pause, data in script:
                    time.sleep(pause)
                    s.sendall(data)
            except OSError:
                pass
            answers[name] = read_all(s), time.monotonic() - start, s.getsockname()

    scripts = {
        "silent": [],
        "telnet": [(0, TELNET), (10, TELNET), (10, TELNET)],
        "types": [(0, TELNET), (27.4, b"LED "), *((0.5, key) for key in (b"O", b"N", b" ", b" ", b" ", b"\r\n"))],
        "too slow": [(12, b"L")] + [(0.2, b"E")] * 60,
    }
    threads = [threading.Thread(target=run, args=item) for item in scripts.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, answer, least, most in [
        ("silent", SILENT, 29.9, 45),
        ("telnet", SILENT, 29.9, 45),
        ("types", b"OK LED ON\n", 30, 45),
        ("too slow", LATE, 16.9, 29),
    ]:
        assert answers[name][0] == answer, (name, answers[name])
        assert least <= answers[name][1] <= most, (name, answers[name])
    quiet = [answers[name][2] for name in ("silent", "telnet")]
    assert not lines_about(w, *quiet), lines_about(w, *quiet)


# What PuTTY sends in telnet mode before its user types.
TELNET = bytes.fromhex("fffb1ffffb20fffb18fffb27fffd01fffb03fffd03")

for server in ["led_socket", "led_wait_socket"] if INSTALLED else ["line", "activate"]:
    test(f"30 s of silence, 5 s for a command, telnet's negotiation is silence ({server})", quick=False, takes=31)(
        lambda w, how=server: silence(w, how)
    )


@test_for_each_server("telnet's negotiation and urgent data are not part of a command")
def negotiation(w, how):
    w.serve(how)
    assert ask(TELNET + b"LED ON\r\n") == b"OK LED ON\n"
    for urgent, rest in (b"!", b"LED OFF\n"), (b"!", b"LED ON\n"):
        with connect() as s:
            s.send(urgent, socket.MSG_OOB)
            s.sendall(rest)
            assert read_all(s) == b"OK " + rest
    with connect() as s:  # and in the middle of it
        s.sendall(b"LED O")
        s.send(b"!", socket.MSG_OOB)
        s.sendall(b"FF\n")
        assert read_all(s) == b"OK LED OFF\n"
    with connect() as s:  # alone, it is nothing
        s.send(b"!", socket.MSG_OOB)
        s.shutdown(socket.SHUT_WR)
        assert read_all(s) == EMPTY
    assert not [line for line in w.log(most=WARNING) if line.startswith("127.")], w.log(most=WARNING)


@test_for_each_server("unusual input that works: 64 bytes, single bytes, no line end")
def odd_input(w, how):
    w.serve(how)
    assert ask(b"LED ON" + b" " * 58 + b"\n") == b"OK LED ON\n"
    assert ask(b"LED OFF" + b" " * 57 + b"\r\n") == b"OK LED OFF\n"
    with connect() as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"LED ON\n":
            s.sendall(bytes([byte]))
            time.sleep(0.1)
        assert read_all(s) == b"OK LED ON\n"
    answer, seconds = timed(lambda: ask(b"LED OFF"))
    assert answer == b"OK LED OFF\n"
    assert 0.95 < seconds < 5, seconds


CLIENTS = {
    "nc.openbsd": 'echo "LED ON" | nc.openbsd 127.0.0.1 5555',
    "nc.traditional": 'echo "LED ON" | nc.traditional 127.0.0.1 5555',
    "ncat": 'echo "LED ON" | ncat 127.0.0.1 5555',
    # By default it waits for half a second, which is too short under valgrind.
    "socat": f'echo "LED ON" | socat {"-t 10" if SLOW else ""} - TCP:127.0.0.1:5555',
    "bash": 'exec 3<>/dev/tcp/127.0.0.1/5555; echo "LED ON" >&3; cat <&3',
    "IPv6": 'echo "LED ON" | nc.openbsd ::1 5555',
}


@test_for_each_server("netcats of all kinds are answered, without a second of quiet", takes=14)
def netcats(w, how):
    for name in CLIENTS:
        if name.startswith(("nc", "socat")):
            need_program(name)
    w.serve(how)
    serve_at_once(w, 5558)
    for name, command in CLIENTS.items():
        if name == "IPv6" and how == "inetd":
            continue  # inetd.conf's "tcp" is IPv4; "tcp6" is another line
        if not SLOW:
            ask(b"LED OFF\n")

        def run(port=PORT, command=command):
            command = command.replace("5555", str(port))
            return subprocess.run(["bash", "-c", command], capture_output=True, timeout=20, check=False)

        result = run()
        assert result.stdout == b"OK LED ON\n", (name, result)
        assert is_prompt(run, lambda: run(5558)), name


@test_for_each_server("telnet is answered, without a second of quiet")
def telnet(w, how):
    program = need_program("telnet")
    w.serve(how)

    def run():
        p = w.spawn(program, "127.0.0.1", PORT, stdin=subprocess.PIPE)
        eventually(lambda: "Escape character" in p.output())
        p.stdin.write(b"LED ON\r\n")
        p.stdin.flush()
        p.wait(10)
        assert "OK LED ON" in p.output(), p.output()

    assert is_prompt(run)


# An instrumented build starts slowly, and the plain one has shown the races.
TIMES = 100 if SLOW else 1000


@test_for_each_server(f"the original client is obeyed {TIMES} times out of {TIMES}", quick=False, takes=40)
def original_client(w, how):
    w.serve(how)
    for i in range(TIMES):
        send_as_the_original([b"LED ON", b"LED OFF"][i % 2])
        eventually(lambda: len(w.statuses()) > i)
    assert w.statuses() == ["On", "Off"] * (TIMES // 2)


def bursts(w, how, count):
    """ON and OFF 10 ms apart, each led-handler delayed by 0 to 50 ms."""
    delay = w.handler_script('printf -v pause "0.%03d" $((RANDOM % 51))', 'sleep "$pause"')
    w.serve(how, delay)
    handled = lambda: len(w.log("led-handler"))
    # The LED STATUS that started led-line is logged too.
    eventually(lambda: handled() == (how in ("xinetd", "led_socket")))
    chance = random.Random(1)
    overtaken = 0
    for _ in range(count):
        start = handled()
        shown = len(w.statuses())
        commands = [chance.choice([b"LED ON", b"LED OFF"]) for _ in range(4)]
        for command in commands:
            send_as_the_original(command)
            time.sleep(0.01)
        eventually(lambda: handled() == start + len(commands), 10)
        wanted = b"OK " + commands[-1] + b"\n"
        got = ask(b"LED STATUS\n")
        assert got == wanted, (commands, got, w.log()[-24:])
        eventually(lambda: handled() == start + len(commands) + 1)
        overtaken += len(w.statuses()) - shown < len(commands)
    # Otherwise the test would show nothing.
    assert overtaken > count // 10, "hardly a handler was overtaken"


for server, bursts_of_it in [("led_socket", 50)] if INSTALLED else [("activate", TIMES // 5), ("xinetd", 50)]:
    test(f"{bursts_of_it} bursts end as the last command says ({server})", quick=False, takes=bursts_of_it / 5)(
        lambda w, how=server, count=bursts_of_it: bursts(w, how, count)
    )


def lines_about(w, *addresses):
    """What led-handler and led-line log about the clients with these addresses."""
    return [
        line
        for line in w.log("led-handler") + w.log("led-line")
        if line.split(" ")[0] in ["%s:%d" % address for address in addresses]
    ]


def connect_as_client():
    """Connects from an address of its own: led-handler's connection to led-line, which is in the
    log too, may have the number of the client's port."""
    return socket.create_connection(("127.0.0.1", PORT), 10, source_address=("127.0.0.2", 0))


@test_for_each_server("a port scan leaves nothing above debug level in the log", quick=False)
def port_scan(w, how):
    w.serve(how)
    scans = []
    for _ in range(5):
        with connect_as_client() as s:
            scans.append(s.getsockname())
    with connect_as_client() as s:
        scans.append(s.getsockname())
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    with connect_as_client() as s:
        command = s.getsockname()
        s.sendall(b"LED STATUS\n")
        read_all(s)
    eventually(lambda: lines_about(w, command))
    assert not lines_about(w, *scans), lines_about(w, *scans)


@test_for_each_server("one line in the log for each command: who, what, how it ended")
def log_lines(w, how):
    w.serve(how)
    wanted = []
    addresses = []
    for command, quoted, answer in [
        (b"LED STATUS\n", "LED STATUS", b"OK LED OFF\n"),
        (b"\x1b[2J\"\n", "\\x1b[2J\\x22", UNKNOWN),
    ]:
        with connect_as_client() as s:
            addresses.append(s.getsockname())
            s.sendall(command)
            assert read_all(s) == answer
        wanted.append('%s:%d sent "%s": %s' % (*addresses[-1], quoted, answer.decode().strip()))
    eventually(lambda: len(lines_about(w, *addresses)) >= 2)
    assert sorted(lines_about(w, *addresses)) == sorted(wanted), lines_about(w, *addresses)


def from_afar(command, timeout=10):
    """The answer to a client whose address is not private."""
    with socket.create_connection((AFAR, PORT), timeout=timeout) as s:
        try:
            s.sendall(command)
        except OSError:
            pass
        return read_all(s), s.getsockname()


for server in ["line", "activate", "inetd"]:  # xinetd has only_from

    @test(f"a stranger gets ERR and a line in the log, and LED_ALLOW says who is none ({server})")
    def stranger(w, how=server):
        w.serve(how)
        ask(b"LED ON\n")
        refused = b"ERR not allowed from this address\n"
        for command in b"LED OFF\n", b"", b"x" * 1000000:
            answer, address = from_afar(command)
            assert answer == refused, (command[:10], answer)
            wanted = "%s:%d: %s" % (*address, refused.decode().strip())
            line = eventually(lambda: [x for x in w.log() if x.startswith("%s:%d" % address)])
            assert line == [wanted], line
        assert ask(b"LED STATUS\n") == b"OK LED ON\n"


@test("LED_ALLOW: any, prefixes, and more of them")
def allowed(w):
    for allow, answer in [
        ("any", b"OK LED OFF\n"),
        ("private 192.0.2.0/24", b"OK LED OFF\n"),
        ("192.0.2.3 10.0.0.0/8", b"ERR not allowed from this address\n"),
    ]:
        line = w.notified(LED_LINE, "--led=log", env={"LED_ALLOW": allow, "LED_LISTEN": PORT})
        assert from_afar(b"LED STATUS\n")[0] == answer, allow
        line.stop()


@test_for_each_server("the log gets 1000 lines in 10 s, led-handler's included, and then the number of those left out", takes=10)
def log_is_bounded(w, how):
    w.serve(how)
    behind = {"line": ("127.0.0.1", PORT), "activate": w.dir / "line.sock"}
    behind["activate_inetd"] = behind["activate"]
    behind["led_wait_socket"] = behind["line"]
    behind["led_socket"] = "/run/led/line.sock"
    said = lambda: [x for x in w.log() if " sent " in x]
    # As fast as led-line answers, so that a slow machine finishes within the 10 s too.
    start = time.monotonic()
    while len(said()) < 1000:
        for _ in range(100):
            ask(b"LED ONE\n", behind.get(how, ("127.0.0.1", LINE_PORT)))
        if time.monotonic() > start + 9:
            raise Skip("this machine has no time for 1000 clients in 10 s")
    number = "clients more than the log's limit"
    more = lambda: [x for x in w.log(most=WARNING) if x.endswith(number)]
    for command in (b"LED STATUS\n", b"garbage\n") * 3:
        assert len(ask(command).splitlines()) == 1
    if not more() and time.monotonic() < start + 10:  # they are not over
        assert len(said()) == 1000, len(said())
    left_out = int(eventually(more, 15)[0].split()[0])
    assert left_out >= 1, left_out
    before = len(said())
    ask(b"LED STATUS\n")
    eventually(lambda: len(said()) > before)


@test("64 silent clients are held, and one more evicts the oldest")
def room(w):
    w.serve("line")
    held = [connect() for _ in range(64)]
    assert ask(b"LED ON\n") == b"OK LED ON\n"
    held[0].settimeout(2)
    assert read_all(held[0]) == b"ERR too many connections\n"
    held[1].settimeout(0.05)
    try:
        raise AssertionError(f"also went: {held[1].recv(100)}")
    except TimeoutError:
        pass
    # The clients that are kept can still send commands.
    held[63].sendall(b"LED STATUS\n")
    assert read_all(held[63]) == b"OK LED ON\n"
    for s in held:
        s.close()


@test("500 held connections: other clients are served all the time")
def flood_of_silent_ones(w):
    w.serve("line")
    held = []
    for _ in range(500):
        held.append(connect())
        if len(held) % 25 == 0:
            assert ask(b"LED TOGGLE\n").startswith(b"OK")
            assert is_prompt(lambda: ask(b"LED STATUS\n"))
    for s in held:
        s.close()
