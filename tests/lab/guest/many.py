# SPDX-License-Identifier: MIT
"""In the virtual machine, with LEDs l0 to l7 on eight lines in a row: eight clients send COUNT
random commands by name, while the kernel records what happens to the lines. Prints how many
changes there were, for how many commands it was known what they had to do, and what was wrong.
"""

import random
import re
import socket
import sys
import threading
import time
from pathlib import Path

TRACING = Path("/sys/kernel/tracing")
VALUE = {"ON": 1, "OFF": 0}
TOO_LATE = "ERR too late\n"
count = int(sys.argv[1])
wrong = []


class Command:
    def __init__(self, led, verb):
        self.led, self.verb = led, verb
        answer = TOO_LATE
        while answer == TOO_LATE:  # the machine is busy; it was not carried out
            self.start = time.monotonic()
            with socket.create_connection(("127.0.0.1", 5555), 60) as s:
                s.sendall(f"LED l{led} {verb}\n".encode())
                answer = s.makefile().read()
            self.end = time.monotonic()
        match = re.fullmatch(rf"OK LED l{led} (ON|OFF)\n", answer)
        self.state = VALUE[match[1]] if match else None
        if not match:
            wrong.append(f"LED l{led} {verb}: {answer!r}")


def record():
    (TRACING / "trace_clock").write_text("mono")
    (TRACING / "buffer_size_kb").write_text("16384")
    (TRACING / "trace").write_text("")
    (TRACING / "events/gpio/enable").write_text("1")


def recorded():
    """Events since record(): (time, number of the line, its new value or None)."""
    (TRACING / "events/gpio/enable").write_text("0")
    for line in (TRACING / "trace").read_text().splitlines():
        event = re.search(r" ([\d.]+): gpio_(value|direction): (\d+) +(\w+) *(\S*)", line)
        if event and event[4] != "get":
            yield float(event[1]), int(event[3]), int(event[5]) if event[4] == "set" else None


def client(commands, number):
    numbers = random.Random(number)
    for _ in range(count // 8):
        commands.append(Command(numbers.randrange(8), numbers.choice(["ON", "OFF", "TOGGLE"])))
        time.sleep(numbers.uniform(0, 2) * (commands[-1].end - commands[-1].start))


def explain(changes, commands):
    """Checks that each change is the work of a command of its own: a matching in which every
    change gets one that was on its way then, and answered with that state."""
    taken = {}

    def find(change, seen):
        at, value = changes[change]
        for i, c in enumerate(commands):
            if c.start <= at <= c.end and c.state == value and i not in seen:
                seen.add(i)
                if i not in taken or find(taken[i], seen):
                    taken[i] = change
                    return True
        return False

    return [changes[i] for i in range(len(changes)) if not find(i, set())]


def is_alone(command, others):
    return not any(o.start <= command.end and command.start <= o.end for o in others if o is not command)


for led in range(8):
    Command(led, "OFF")
# The number of the first line is what the next command changes.
record()
Command(0, "ON")
Command(0, "OFF")
base = next(line for _, line, _ in recorded())

record()
commands = []
threads = [threading.Thread(target=client, args=(commands, number)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
events = list(recorded())
known = changed = 0
wrong += [f"event of line {line - base}" for _, line, _ in events if not 0 <= line - base < 8]
wrong += [f"l{line - base} was not only set" for _, line, value in events if value is None]
for led in range(8):
    own = [c for c in commands if c.led == led]
    sets = [(0, 0)] + [(at, value) for at, line, value in events if line == base + led]
    changes = [after for before, after in zip(sets, sets[1:]) if before[1] != after[1]]
    changed += len(changes)
    wrong += [f"l{led} became {value} without a command" for _, value in explain(changes, own)]

    def state(at):
        return next((value for time, value in reversed(changes) if time <= at), 0)

    for c in (c for c in own if is_alone(c, own)):
        known += 1
        to = VALUE.get(c.verb, 1 - state(c.start))
        if not to == c.state == state(c.end):
            wrong.append(f"l{led} {c.verb}: was {state(c.start)}, is {state(c.end)}, answer {c.state}")
    last = Command(led, "STATUS").state
    if last != state(time.monotonic()):
        wrong.append(f"l{led} ended as {last}")
print(changed, known, *wrong, sep="\n")
