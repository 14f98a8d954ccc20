# SPDX-License-Identifier: MIT
"""Asks for the LED's status ten times a second, and runs a command meanwhile.

Prints how many times it asked, the longest that an answer took, in ms, and every answer
that was not OK LED ON. A command that had to wait for more than 5 s is too late, as
led-handler(8) says: a slow machine's led-line takes that long to start.
"""

import socket
import subprocess
import sys
import threading
import time

took = []
wrong = []
done = threading.Event()


def ask():
    try:
        with socket.create_connection(("127.0.0.1", 5555), 20) as s:
            s.sendall(b"LED STATUS\n")
            return s.makefile().read()
    except OSError as why:
        return str(why)


def talk():
    while not done.is_set():
        start = time.monotonic()
        answer = ask()
        took.append(time.monotonic() - start)
        if answer != "OK LED ON\n" and not (answer == "ERR too late\n" and took[-1] > 5):
            wrong.append(answer)
        time.sleep(max(0, 0.1 - took[-1]))


talker = threading.Thread(target=talk)
talker.start()
time.sleep(1)
run = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, capture_output=True, text=True)
time.sleep(2)
done.set()
talker.join()
if run.returncode != 0:
    sys.exit(run.stdout + run.stderr)
print(len(took), round(max(took) * 1000), *wrong)
