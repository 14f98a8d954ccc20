# SPDX-License-Identifier: MIT
"""In the virtual machine: throws the button's contact COUNT times, as a switch that stays where it
is put, and restarts button and led-line between. Prints "1" for every fifth throw after which the
LED agrees with the switch, or "0" if it does not within 20 s.
"""

import os
import random
import subprocess
import sys
import time

PULL = os.open("/run/chip/sim_gpio4/pull", os.O_WRONLY)
LED = os.open("/run/chip/sim_gpio17/value", os.O_RDONLY)
random.seed(6)
closed = False


def contact(down):
    os.pwrite(PULL, b"pull-down" if down else b"pull-up", 0)


for number in range(int(sys.argv[1])):
    closed = not closed
    for _ in range(random.randint(0, 4)):
        contact(closed)
        contact(not closed)
    contact(closed)
    if random.random() < 0.1:
        how = random.choice(["restart", "kill -s KILL"]).split()
        subprocess.run(["systemctl", *how, random.choice(["button", "led-line"])])
    time.sleep(random.uniform(0, 0.4))
    if number % 5 != 4:
        continue
    wanted = b"1" if closed else b"0"
    deadline = time.monotonic() + 20
    # Commands may still be on their way: once is not enough.
    since = time.monotonic()
    while time.monotonic() - since < 1 and time.monotonic() < deadline:
        if os.pread(LED, 1, 0) != wanted:
            since = time.monotonic()
        time.sleep(0.01)
    print(int(time.monotonic() - since >= 1))
