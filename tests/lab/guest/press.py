# SPDX-License-Identifier: MIT
"""In the virtual machine: presses the button: COUNT clean|bounce|blind.

Prints the LED's value after each press: as soon as it changes, or the unchanged value after
30 s; blind does not wait for a change.
"""

import os
import random
import sys
import time

PULL = os.open("/run/chip/sim_gpio4/pull", os.O_WRONLY)
LED = os.open("/run/chip/sim_gpio17/value", os.O_RDONLY)
count, how = int(sys.argv[1]), sys.argv[2]
random.seed(count)


def contact(closed):
    os.pwrite(PULL, b"pull-down" if closed else b"pull-up", 0)


def bounce(closed):
    """Bounces for up to 10 edges and 5 ms before it settles."""
    if how == "bounce":
        for _ in range(random.randint(0, 5)):
            contact(closed)
            time.sleep(random.uniform(0, 0.0005))
            contact(not closed)
            time.sleep(random.uniform(0, 0.0005))
    contact(closed)


def led():
    return os.pread(LED, 1, 0).decode()


for _ in range(count):
    before = led()
    bounce(True)
    time.sleep(random.uniform(0.08, 0.12))
    bounce(False)
    time.sleep(0.5 if how == "bounce" else 0.25)
    deadline = time.monotonic() + 30
    while how != "blind" and led() == before and time.monotonic() < deadline:
        time.sleep(0.005)
    print(led())
