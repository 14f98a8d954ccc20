# SPDX-License-Identifier: MIT
"""In the virtual machine: throws a switch and a door's contact THROWS times, while the servers are
killed, frozen and stopped in turn, and the buttons killed and restarted; and presses a button with
TOGGLE. SEED repeats it.

After each outage, the LED has to be as the switch, what is retained at the broker as the door, and
each press has to be done once: within 15 s, three times so long on this machine. Prints what was
done, and a line that begins with "wrong" for each time that something did not agree.
"""

import os
import random
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

WITHIN = 3 * 15
SWITCH, DOOR, LED, TOGGLED = 4, 5, 17, 27
TRACING = Path("/sys/kernel/tracing")
# What is stopped with a server: its sockets would start it again.
SERVERS = {
    "led-line": ["led.socket", "led-line.socket", "led-line.service"],
    "led-mqtt": ["led-mqtt.socket", "led-mqtt.service"],
    "mosquitto": ["mosquitto.service"],
}
throws, seed = int(sys.argv[1]), int(sys.argv[2])
chance = random.Random(seed)
plan = []  # outages that are left of this turn: each server in each way
done = {"throws": 0, "outages": 0, "restarts of a button": 0, "presses": 0}


def run(*command):
    """What a command prints."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


class Contact:
    """One that stays where it is put, and bounces."""

    def __init__(self, line):
        self.pull = os.open(f"/run/chip/sim_gpio{line}/pull", os.O_WRONLY)
        self.closed = False

    def pulled(self, closed):
        os.pwrite(self.pull, b"pull-down" if closed else b"pull-up", 0)

    def throw(self):
        self.closed = not self.closed
        for _ in range(chance.randrange(5)):
            self.pulled(self.closed)
            self.pulled(not self.closed)
        self.pulled(self.closed)
        done["throws"] += 1


contacts = [Contact(SWITCH), Contact(DOOR)]


def act(seconds, most):
    """Throws contacts and presses the button for a while."""
    times = chance.randrange(most + 1)
    for _ in range(times):
        if done["throws"] < throws:
            chance.choice(contacts).throw()
        if chance.random() < 0.2:
            Path("/run/button/toggle/press").write_text("0\n")
            done["presses"] += 1
        time.sleep(seconds / times * chance.random())
    time.sleep(seconds / 2 if times == 0 else 0)


def outage():
    """One server is away for a while, and things happen meanwhile. Returns its description."""
    if not plan:
        plan.extend((server, how) for server in SERVERS for how in ("killed", "frozen", "stopped"))
        chance.shuffle(plan)
    server, how = plan.pop()
    seconds = chance.uniform(1, 6) if chance.random() < 0.85 else chance.uniform(6, 60)
    begin, end = {
        "killed": (["kill", "-s", "KILL", server], []),
        "frozen": (["kill", "-s", "STOP", server], ["kill", "-s", "CONT", server]),
        "stopped": (["stop", *SERVERS[server]], []),
    }[how]
    run("systemctl", *begin)
    act(seconds, 8)
    if end:
        run("systemctl", *end)
    # Debian's mosquitto.service gives up after five starts within ten seconds.
    run("systemctl", "reset-failed", *SERVERS[server])
    run("systemctl", "start", *SERVERS[server])
    done["outages"] += 1
    return f"{server} {how} for {seconds:.1f} s"


def value(line):
    return Path(f"/run/chip/sim_gpio{line}/value").read_text().strip() == "1"


def answers():
    """Whether led-line answers, and led-mqtt is connected."""
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect("/run/led/line.sock")
            s.sendall(b"LED STATUS\n")
            line = s.recv(100).startswith(b"OK ")
    except OSError:
        return False
    return line and ": connected" in run("systemctl", "show", "-P", "StatusText", "led-mqtt")


def differences():
    """What does not agree now."""
    topic = "led/pi/contact/door"
    said = run("mosquitto_sub", "-t", topic, "-t", f"{topic}/availability", "-C", "2", "-W", "5", "-F", "%t %p")
    wanted = {f"{topic} {'ON' if contacts[1].closed else 'OFF'}", f"{topic}/availability online"}
    delivered = run("systemctl", "show", "-P", "StatusText", "button@toggle")
    return [
        what
        for what, agrees in (
            ("the LED", value(LED) == contacts[0].closed),
            (f"the door: {said!r}", set(said.splitlines()) == wanted),
            (f"TOGGLE: {delivered}", f" {done['presses']} delivered, 0 dropped" in delivered
             or done["presses"] == 0),
            ("the LED of TOGGLE", value(TOGGLED) == done["presses"] % 2),
        )
        if not agrees
    ]


def check(what):
    """Waits until everything agrees, for a second. Returns how long that took."""
    deadline = time.monotonic() + 300
    while not answers():
        if time.monotonic() > deadline:
            print(f"wrong: {what}: no answer in 300 s")
            return 0
        time.sleep(0.1)
    start = since = time.monotonic()
    while time.monotonic() - since < 1:
        found = differences()
        if found:
            since = time.monotonic()
            if since - start > WITHIN:
                print(f"wrong: {what}: {'; '.join(found)}")
                break
        time.sleep(0.1)
    return since - start


def record():
    (TRACING / "buffer_size_kb").write_text("16384")
    (TRACING / "trace").write_text("")
    (TRACING / "events/gpio/enable").write_text("1")


def changes(line):
    """How often a line has changed since record()."""
    (TRACING / "events/gpio/enable").write_text("0")
    bases = [int(path.read_text()) for path in Path("/sys/class/gpio").glob("gpiochip*/base")]
    events = re.findall(r"gpio_value: (\d+) +set (\d)", (TRACING / "trace").read_text())
    values = ["0"] + [to for number, to in events if int(number) == line + min(bases, default=0)]
    return sum(before != now for before, now in zip(values, values[1:]))


record()
longest = 0
while done["throws"] < throws or plan:
    act(1, 3)
    what = outage()
    if chance.random() < 0.4:
        unit = chance.choice(["button", "button@door"])
        run("systemctl", *chance.choice([["restart"], ["kill", "-s", "KILL"]]), unit)
        what += f", {unit} again"
        done["restarts of a button"] += 1
    act(1, 2)
    longest = max(longest, check(what))
counted = changes(TOGGLED)
# libgpiod 1.6 requests the line again after each start of led-line.
if counted != done["presses"] and "keeps" in sys.argv:
    print(f"wrong: {done['presses']} presses were {counted} changes")
did = ", ".join(f"{number} {what}" for what, number in done.items())
print(f"{did}; agreed after {longest:.1f} s at most")
