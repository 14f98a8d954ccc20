# SPDX-License-Identifier: MIT
"""In the virtual machine: sends LED PULSE COUNT times, and does something to led-line at a random
moment of each: kills it, sets the clock meanwhile, or takes its chip away for a while.

The LED has to go out at its time, plus at most what the restart took, and not before if "keeps"
is given. Prints how often each was done, how late it was at most as a share of what the restart
took, and what was wrong.
"""

import os
import random
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

LIVE = Path("/sys/kernel/config/gpio-sim/pi/live")
count, keeps = int(sys.argv[1]), "keeps" in sys.argv
random.seed(count)
done, late, wrong = Counter(), [], []


def ask(command):
    with socket.create_connection(("127.0.0.1", 5555), 60) as s:
        s.sendall(command.encode() + b"\n")
        return s.makefile().read().strip()


def is_lit():
    try:
        return Path("/run/chip/sim_gpio17/value").read_text() == "1\n"
    except OSError:
        return False


def nothing():
    pass


def kill():
    subprocess.run(["systemctl", "kill", "-s", "KILL", "led-line"], check=True)


def set_clock():
    """A machine without a clock of its own gets the time from the network."""
    time.clock_settime(time.CLOCK_REALTIME, time.time() + random.choice([-3600, 3600]))
    kill()


def take_chip():
    LIVE.write_text("0")
    if random.random() < 0.5:
        kill()
    time.sleep(random.uniform(0, 1))
    LIVE.write_text("1")
    chip = LIVE.parent
    device = (chip / "dev_name").read_text().strip()
    name = (chip / "bank0/chip_name").read_text().strip()
    subprocess.run(["ln", "-sfn", f"/sys/devices/platform/{device}/{name}", "/run/chip"], check=True)
    # led-line looks for its LED every 2 s.
    while not ask("LED STATUS").startswith("OK"):
        pass


def one(number):
    ms = random.randint(500, 3000)
    what = random.choice([nothing, kill, kill, set_clock, take_chip])
    done[what.__name__] += 1
    sent = time.monotonic()
    answer = ask(f"LED PULSE {ms}")
    due = time.monotonic() + ms / 1000
    time.sleep(random.uniform(0, ms / 1000))
    begin = time.monotonic()
    what()
    ask("LED STATUS")  # it has started again
    took = time.monotonic() - begin
    while is_lit() and time.monotonic() < due + took + 20:
        time.sleep(0.002)
    out = time.monotonic()
    name = f"{number}: PULSE {ms}, {what.__name__} after {1000 * (begin - due) + ms:.0f}"
    if answer != "OK LED ON":
        wrong.append(f"{name}: {answer}")
    if keeps and what is not take_chip and out < sent + ms / 1000:
        wrong.append(f"{name}: out after {1000 * (out - sent):.0f}")
    # At its time, or where that has passed, as soon as led-line is there again. This machine may
    # stand still for a while, so twice what that took.
    if out > max(due, begin) + 2 * took:
        wrong.append(f"{name}, which took {1000 * took:.0f}: out {1000 * (out - due):.0f} late")
    late.append((out - max(due, begin)) / took)
    time.sleep(max(0, due - time.monotonic()) + 0.1)
    if is_lit() or ask("LED STATUS") != "OK LED OFF":
        wrong.append(f"{name}: lit again")


for number in range(count):
    one(number)
print(", ".join(f"{n} {name}" for name, n in sorted(done.items())), f"{max(late):.2f}", *wrong, sep="\n")
