# SPDX-License-Identifier: MIT
"""The measurements, each a part of the benchmark: a generator of races and figures."""

import json
import math
import os
import re
import shlex
import statistics
import time
from pathlib import Path

from machines.common import SOURCE
from machines.container import Container
from machines.qemu import VM
from results import ANSWER, CHECK, END, Figure, Race, median
from targets import (BARE, LOOP, PYTHON, SHIPPED, SOCAT, XINETD, XINETD_NOOP, container, go_first,
                     layers, serve, switch_off)

CLIENT = "python3 /usr/src/led-socket/tests/bench/client.py"


def race(pi, rounds, pause, *targets):
    """Connections to each of the targets in turn; a list of times for each."""
    targets = [str(target) for target in targets]
    times = client(pi, rounds, pause, *targets)
    return [times[target] for target in targets]


def client(pi, *arguments):
    go_first(isinstance(pi, Container))
    out = pi(f"{CLIENT} {' '.join(shlex.quote(str(argument)) for argument in arguments)}", 500)
    go_first(False)
    return json.loads(out)


def this_machine():
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    systemd = container("trixie")("systemctl --version").split()[1]
    return (f"{model[1] if model else os.uname().machine}, {os.cpu_count()} cores,"
            f" Linux {os.uname().release.split('-')[0]}; Debian 13, systemd {systemd}")


def part_xinetd():
    pi = container("trixie")
    pi("systemctl restart xinetd")
    pi.wait_for(f"ss -Hltn sport = {XINETD} | grep -q .")
    ours, noop = race(pi, 300 if CHECK else 2000, 0.002, XINETD, XINETD_NOOP)
    yield Race("led-handler under xinetd", ours, "a handler that does nothing", noop, (1.25, 1.20))


def part_systemd(suite="trixie", name="Debian 13"):
    pi = container(suite)
    serve(pi, "led.socket")
    # In the pause the manager cleans up after the connection.
    ours, bare = race(pi, 300 if CHECK else 600, 0.01 if CHECK else 0.03, 5555, BARE)
    yield Race(f"led.socket, {name}", ours, "a bare unit that does nothing", bare, 1.30)


def part_wait():
    """With the LED of xinetd's service: the log for an LED is a second line before the answer."""
    pi = container("trixie")
    pi("cp -p /etc/default/led /root/led.default; echo LED=leds:bench >>/etc/default/led")
    serve(pi, "led-wait.socket")
    ours, loop = race(pi, 1000 if CHECK else 5000, 0.001, 5555, LOOP)
    yield Race("led-wait.socket", ours, "a loop that accepts, logs and answers", loop, 1.25)
    pi("mv /root/led.default /etc/default/led")


def part_watch():
    """A change on its way to 16 watchers: to the half of them, and to the last."""
    pi = container("trixie")
    for socket, rounds in ("led-wait.socket", 1000), ("led.socket", 200):
        serve(pi, socket)
        got = client(pi, "watch", rounds // 4 if CHECK else rounds, 0.01, LOOP)
        yield Race(f"16 watchers, {socket}", got["watchers"], "a loop that accepts, logs and answers",
                   got["bare"], WATCHERS_BOUND[socket])


# The watchers of led.socket are told by 16 led-handlers.
WATCHERS_BOUND = {"led-wait.socket": 4, "led.socket": 6}
ONE, MANY = 6021, 6022


def part_many():
    """One LED and 32 LEDs, each in a led-line of its own."""
    pi = container("trixie")
    leds = " ".join(f"l{i}=log" for i in range(32))
    for unit, port, led in ("one", ONE, "l0=log"), ("many", MANY, leds):
        pi(f"systemctl stop {unit} 2>/dev/null; systemd-run -q --unit={unit} -p Type=notify"
           f" --setenv=LED='{led}' led-line --listen={port}")
    targets = [f"{port}:LED l0 {verb}" for port in (MANY, ONE) for verb in ("STATUS", "TOGGLE")]
    times = race(pi, 300 if CHECK else 2000, 0.001, *targets)
    for verb, many, one in zip(("STATUS", "TOGGLE"), times[:2], times[2:]):
        yield Race(f"LED l0 {verb}, one of 32", many, "the only one", one, 1.1)
    many, one = (memory(pi, unit, "Private_Dirty") for unit in ("many", "one"))
    each = (many - one) / 31
    yield Figure("led-line: memory of its own with 32 LEDs, and with one", f"{many} and {one} KiB",
                 f"{each:.1f} KiB an LED, where 8 is the bound" if each > 8 else "")
    pi("systemctl stop one many")


def memory(pi, unit, field="Pss"):
    """The memory of a unit's process, in KiB: with its share of the libraries, or Private_Dirty,
    which does not depend on what else uses them."""
    return int(pi(f"grep {field}: /proc/{pi.property(unit, 'MainPID')}/smaps_rollup").split()[1])


def led_changes(pi, times):
    """How many milliseconds after each of these times, in seconds, the LED changed."""
    pi("journalctl --sync")
    lines = pi(f"journalctl -q --after-cursor='{pi.mark}' -t led-line -o json"
               " --output-fields=MESSAGE,_SOURCE_REALTIME_TIMESTAMP | grep 'LED Status'")
    changes = [
        int(json.loads(line)["_SOURCE_REALTIME_TIMESTAMP"]) / 1e6 for line in lines.splitlines()
    ]
    return [1000 * (min(change for change in changes if change >= time) - time) for time in times]


def part_press():
    pi = container("trixie")
    pi("mkdir -p /run/bench; systemctl stop lone 2>/dev/null; systemd-run -q --unit=lone"
       " button --button=fifo:/run/bench/press --connect=127.0.0.1:5599")
    for socket, rounds, pause in ("led.socket", 60, 0.05), ("led-wait.socket", 100, 0.01):
        serve(pi, socket)
        pi("systemctl start button.service")
        pi.wait_for("test -p /run/button/press && test -p /run/bench/press")
        pi.ask("LED OFF")
        pi.cursor()
        got = client(pi, "press", rounds if CHECK else 5 * rounds, pause)
        chain, direct = (led_changes(pi, got[name]) for name in ("chain", "direct"))
        parts = chain, got["lone"], direct
        whole, lone, rest_of_it = (statistics.mean(times) for times in parts)
        unexplained = whole - lone - rest_of_it
        # The manager's time varies by more than the remainder to be found. Compare means, which
        # add up, and take up to twice their standard error for chance.
        chance = 2 * math.sqrt(sum(statistics.variance(times) / len(times) for times in parts))
        yield Figure(f"a press to the LED, {socket}",
                     f"{whole:.2f} ms = {lone:.2f} press to connection + {rest_of_it:.2f} from"
                     f" there to the LED {unexplained:+.2f} (+-{chance:.2f}) unexplained",
                     "" if unexplained - chance <= 1 else "more than 1 ms unexplained")


# What people write without led-mqtt. It is on another topic, which led-mqtt does not know.
SHELL = ("systemctl stop shell 2>/dev/null; systemd-run -q --unit=shell sh -c 'mosquitto_sub -t bench/set |"
         " while read -r c; do echo LED $c | led-handler; done'")


def part_mqtt():
    """A press over a broker on the same machine, until PUBACK and until the LED has changed."""
    pi = container("trixie")
    with_broker(pi)
    pi(SHELL)
    pi("echo LED OFF | led-handler")
    pi.wait_for("mosquitto_pub -t bench/set -m ON; echo LED STATUS | led-handler | grep -q ON")
    got = client(pi, "mqtt", 60 if CHECK else 500, 0.02)
    for which, end in (ANSWER, "PUBACK"), (END, "the LED"):
        ours, other = (median(got[name], which) for name in ("ours", "shell"))
        yield Figure(f"a press over a broker, to {end}",
                     f"{ours:.2f} ms; {other:.2f} with mosquitto_pub, mosquitto_sub and a shell",
                     f"{ours / other:.2f} times" if ours > other else "")
    pi("systemctl stop shell led-mqtt.service led-mqtt.socket mosquitto")


def part_led():
    """The command, beside what a shell has without it."""
    pi = container("trixie")
    serve(pi, "led-wait.socket")
    got = client(pi, "commands", 100 if CHECK else 500, 0.005)
    ours, other = (statistics.median(got[name]) for name in ("led", "nc"))
    yield Figure("led on", f"{ours:.2f} ms; {other:.2f} with echo and nc in a shell",
                 f"{ours / other:.2f} times" if ours > other else "")


def part_web():
    """The page: a command by POST, a change on its way to it, and what forty of them take."""
    pi = container("trixie")
    serve(pi, "led.socket")
    pi("systemctl restart led-web.socket")
    got = client(pi, "web", 100 if CHECK else 500, 0.01)
    yield Race("POST to led-web", got["post"], "a command over led.socket", got["command"], 0.5)
    yield Race("a change to a page", got["page"], "to WATCH over led.socket", got["watcher"], 1.25)
    wait_for_pages(pi, 0)
    before = memory(pi, "led-web", "Private_Dirty")
    pi(f"systemd-run -q --unit=pages {CLIENT} pages")
    wait_for_pages(pi, 40)
    each = (memory(pi, "led-web", "Private_Dirty") - before) / 40
    yield Figure("led-web: memory of its own for a page", f"{each:.1f} KiB",
                 f"{each:.1f} KiB, where 32 is the bound" if each > 32 else "")
    watching = int(pi("ss -Hx state connected src /run/led/line.sock | wc -l"))
    yield Figure("connections to led-line while forty pages are open", str(watching),
                 "one is the bound" if watching != 1 else "")
    pi("systemctl stop pages led-web.socket led-web.service")


def wait_for_pages(pi, count):
    pi.wait_for(f"systemctl show -P StatusText led-web | grep -q '^pages: {count},'")


def with_broker(pi):
    """Starts mosquitto as Debian installs it, and led-mqtt, and waits for them."""
    serve(pi, "led.socket")
    pi("systemctl start mosquitto led-mqtt")
    wait_until_connected(pi)


def wait_until_connected(pi):
    pi.wait_for("systemctl show -P StatusText led-mqtt | grep -q 'connected; 1 LED'")


def rest(pi, seconds):
    """What those that stay do in so many seconds without work; a led-handler that watches, too."""
    pids = {unit: pi.property(unit, "MainPID") for unit in STAYING}
    pids["led-handler"] = pi("pgrep -o led-handler")

    def look():
        found = {}
        for unit, pid in pids.items():
            proc = f"/proc/{pid}"
            text = pi(f"cat {proc}/status; cut -d' ' -f1 {proc}/schedstat")
            found[unit] = (
                int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M)[1]),
                int(text.split()[-1]) / 1e6,
            )
        return found

    before = look()
    time.sleep(seconds)
    after = look()
    return {
        unit: (after[unit][0] - before[unit][0], after[unit][1] - before[unit][1])
        for unit in after
    }


STAYING = ("led-line", "button", "led-mqtt")

# In a minute without work, led-mqtt asks the broker twice, and reads two answers.
WAKES = {"led-mqtt": 0 if CHECK else 4}


def part_rest():
    pi = container("trixie")
    with_broker(pi)
    watchdog = "/run/systemd/system/{}.service.d/watchdog.conf"
    results = []
    # Without the watchdog nothing may happen. Then an hour with the shipped watchdog of 60 s,
    # simulated by a minute with one of 1 s.
    for setting, seconds in [("infinity", 5)] if CHECK else [("infinity", 60), ("1", 60)]:
        for unit in STAYING:
            path = watchdog.format(unit)
            pi(f"mkdir -p $(dirname {path}); printf '[Service]\\nWatchdogSec={setting}\\n' >{path}")
        pi("systemctl daemon-reload; systemctl restart led-line button led-mqtt")
        wait_until_connected(pi)
        own = {unit: memory(pi, unit, "Private_Dirty") for unit in STAYING}
        # Clients that watch. led-mqtt is the sixteenth.
        pi("systemctl stop watchers 2>/dev/null; systemd-run -q --unit=watchers sh -c"
           " 'for i in $(seq 15); do echo LED WATCH | nc 127.0.0.1 5555 & done; wait'")
        pi.wait_for("[ $(pgrep -c led-handler) = 15 ]")
        time.sleep(1)
        results.append(rest(pi, seconds))
    pi("systemctl stop watchers")
    for unit in (*STAYING, "led-handler"):
        pi(f"rm -f {watchdog.format(unit)}")
        wakes = results[0][unit][0]
        yield Figure(f"{unit} at rest: wake-ups in {5 if CHECK else 60} s, but for the watchdog's",
                     str(wakes), f"{wakes} wake-ups" if wakes > WAKES.get(unit, 0) else "")
        if not CHECK:
            if unit in own:
                yield Figure(f"{unit}: memory of its own", f"{own[unit]} KiB")
            yield Figure(f"{unit}: CPU time in an hour at rest, simulated in a minute",
                         f"{results[1][unit][1]:.1f} ms")
    pi("systemctl daemon-reload; systemctl stop button led-mqtt.service led-mqtt.socket mosquitto led-line")


def part_handler():
    """The cost of one led-handler, compared with a program that does nothing."""
    pi = container("trixie")
    serve(pi, "led.socket")
    for program in ("led-handler", "noop"):
        text = pi("echo LED ON | valgrind --tool=callgrind --callgrind-out-file=/dev/null"
                  f" $(command -v {program}) 2>&1")
        instructions = int(re.search(r"Collected : (\d+)", text)[1])
        faults, pss = pi(f"python3 - <<'END'\n{HANDLER_TAKES.format(program)}\nEND").split()
        yield Figure(f"{program}: instructions", f"{instructions:,}")
        yield Figure(f"{program}: page faults", faults)
        yield Figure(f"{program}: PSS while it waits", f"{pss} KiB")


HANDLER_TAKES = r"""
import os, re, shutil
program = shutil.which("{}")
there, here = os.pipe()
pid = os.posix_spawn(program, [program], {{}}, file_actions=[
    (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0), (os.POSIX_SPAWN_DUP2, there, 0)])
while not re.search(r"^0 |^7 ", open(f"/proc/{{pid}}/syscall").read()):  # read(2) or poll(2)
    pass
pss = re.search(r"Pss: +(\d+)", open(f"/proc/{{pid}}/smaps_rollup").read())[1]
os.write(here, b"LED ON\n")
print(os.wait4(pid, 0)[2].ru_minflt, pss)
"""


def part_steps():
    """Where the time of a connection goes: each step is measured together with those before it."""
    pi = container("trixie")
    serve(pi, "led.socket")
    pi("systemctl restart xinetd")
    for title, rounds, pause, first, port, rest_of_it in (
        ("led.socket", 300, 0.02, [BARE, SHIPPED], 5555,
         ["the manager: accept, fork, exec of a bare unit", "what the shipped unit adds to it"]),
        ("xinetd", 1000, 0.002, [XINETD_NOOP], XINETD, ["xinetd: accept, fork, exec"]),
    ):
        targets = [*first, f"{port}:LED", f"{port}:LED STATUS", f"{port}:LED ON"]
        times = race(pi, rounds, pause, *targets)
        names = [*rest_of_it, "led-handler starts, reads and refuses", "it asks led-line",
                 "led-line switches"]
        before = 0
        for name, series in zip(names, times):
            now = median(series, ANSWER)
            yield Figure(f"{title}: {name}", f"{now - before:+.3f} ms")
            before = now
        yield Figure(f"{title}: from the answer to the end of the stream",
                     f"{median(times[-1], END) - median(times[-1], ANSWER):+.3f} ms")


# What a sandbox costs at each connection: these are added to a unit that does nothing, one by one.
SETTINGS = [
    "NoNewPrivileges=yes", "CapabilityBoundingSet=", "User=led-handler", "IPAddressDeny=any",
    "DevicePolicy=closed", "LockPersonality=yes", "RestrictAddressFamilies=AF_UNIX AF_INET",
    "SystemCallArchitectures=native", "SystemCallFilter=@system-service", "PrivateUsers=yes",
    "PrivateIPC=yes", "ProtectHostname=yes", "PrivateNetwork=yes", "PrivateTmp=yes",
    "ProtectHome=yes", "ProtectProc=invisible", "ProtectSystem=strict", "DynamicUser=yes",
]
FIRST_SETTING, UNFILTERED = 6100, 6005

# led-handler sets no filter where other code is loaded into it. It has the C library anyway.
UNFILTERED_SERVICE = f"""
cd /etc/xinetd.d
sed -n '/^service led$/,/^}}/p' led | sed 's/^service led/service unfiltered/
    s/= {XINETD}/= {UNFILTERED}/; s/^}}/env = LD_PRELOAD=libc.so.6\\n}}/' >unfiltered
systemctl restart xinetd
"""


def confinement(unit):
    """The lines of a shipped unit that follow its comment about confinement."""
    text = (SOURCE / "units" / unit).read_text()
    return re.search(r"^# Confinement:.*\n((?:.+\n)+)", text, re.M)[1]


def added(ours, bare):
    """What ours takes more, with twice the standard error of a difference of medians."""
    chance = 2 * math.hypot(*(
        1.86 * statistics.median(abs(time[END] - median(times, END)) for time in times)
        / math.sqrt(len(times)) for times in (ours, bare)))
    return f"{median(ours, END) - median(bare, END):+.2f} ms (+-{chance:.2f})"


def part_settings():
    """What each sandbox setting of systemd adds to a connection, and what led-handler's filter."""
    pi = container("trixie")
    sandboxes = {setting: setting for setting in SETTINGS}
    native = "SystemCallArchitectures=native"
    sandboxes[f"SystemCallFilter=@system-service, {native}"] = (
        f"SystemCallFilter=@system-service\n{native}")
    sandboxes["all of led-line.service"] = confinement("led-line.service")
    ports = [FIRST_SETTING + i for i in range(len(sandboxes))]
    for port, lines in zip(ports, sandboxes.values()):
        pi(f"cd /etc/systemd/system; sed 's/{BARE}/{port}/' bare.socket >sandbox-{port}.socket;"
           f"(cat bare@.service; printf '%s' {shlex.quote(lines)}) >sandbox-{port}@.service")
    pi("systemctl daemon-reload; systemctl start " +
       " ".join(f"sandbox-{port}.socket" for port in ports))
    # Longer pauses add to what a bare unit takes and to its spread, not to what a setting costs.
    bare, shipped, *times = race(pi, 300, 0.01, BARE, SHIPPED, *ports)
    yield Figure("a bare unit that does nothing", f"{median(bare, END):.2f} ms")
    yield Figure("the settings of led@.service", added(shipped, bare))
    for name, series in zip(sandboxes, times):
        yield Figure(name, added(series, bare))
    pi(f"systemctl stop 'sandbox-*.socket'; {UNFILTERED_SERVICE}")
    pi.wait_for(f"ss -Hltn sport = {UNFILTERED} | grep -q .")
    filtered, unfiltered = race(pi, 2000, 0.002, XINETD, UNFILTERED)
    yield Race("led-handler with its filter, under xinetd", filtered, "without", unfiltered)


def part_bookworm():
    yield from part_systemd("bookworm", "Debian 12")


# --- what a user would otherwise write --------------------------------------------------

# The same job, with an answer and a line in the log that says who sent what. A GPIO line keeps
# its value only while a process holds it, so gpioset stays, and the one before it is killed.
SOCAT_SCRIPT = """#!/bin/sh
read -r command
case $command in
"LED ON") value=1 ;;
"LED OFF") value=0 ;;
*) echo ERR; exit ;;
esac
pkill -x gpioset
until gpioset -z -c gpiochip0 27=$value 2>/dev/null; do :; done
echo "OK $command"
logger -t led "$SOCAT_PEERADDR sent $command: OK $command"
"""
PYTHON_SERVER = f"""
import gpiod, socketserver
from gpiod.line import Direction, Value

line = gpiod.request_lines("/dev/gpiochip0", consumer="led",
                           config={{22: gpiod.LineSettings(direction=Direction.OUTPUT)}})

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        command = self.rfile.readline().strip()
        if command not in (b"LED ON", b"LED OFF"):
            self.wfile.write(b"ERR\\n")
            return
        line.set_value(22, Value.ACTIVE if command == b"LED ON" else Value.INACTIVE)
        self.wfile.write(b"OK " + command + b"\\n")
        print(self.client_address[0], "sent", command, flush=True)

socketserver.TCPServer.allow_reuse_address = True
socketserver.TCPServer(("", {PYTHON}), Handler).serve_forever()
"""


def part_others():
    switch_off()
    pi = VM(*layers("vm", "trixie"))
    try:
        pi.afresh()
        pi(f"cat >/root/led.sh <<'END'\n{SOCAT_SCRIPT}\nEND\nchmod +x /root/led.sh")
        pi(f"cat >/root/led.py <<'END'\n{PYTHON_SERVER}\nEND")
        pi(f"systemd-run -q --unit=socat socat TCP-LISTEN:{SOCAT},fork,reuseaddr EXEC:/root/led.sh")
        pi("systemd-run -q --unit=python python3 /root/led.py")
        pi.wait_for(f"ss -Hltn sport = {PYTHON} | grep -q .", 30)
        serve(pi, "led.socket")
        ours, socat = race(pi, 60, 0.1, 5555, SOCAT)
        yield Race("emulated: led.socket", ours, "socat, a shell and gpioset", socat)
        serve(pi, "led-wait.socket")
        ours, socat = race(pi, 60, 0.1, 5555, SOCAT)
        yield Race("emulated: led-wait.socket", ours, "socat, a shell and gpioset", socat)
        ours, python = race(pi, 500, 0.02, 5555, PYTHON)
        yield Race("emulated: led-wait.socket", ours, "a Python server that stays", python)
        for name, unit in ("led-line", "led-line"), ("the Python server", "python"):
            yield Figure(f"emulated: {name}: PSS", f"{memory(pi, unit)} KiB")
    finally:
        pi.remove()


PARTS = {name[5:]: part for name, part in globals().items() if name.startswith("part_")}
BOUND = ("xinetd", "systemd", "wait", "watch", "many", "press", "led", "mqtt", "web", "rest",
         "bookworm")
ON_REQUEST = ("settings",)
