# SPDX-License-Identifier: MIT
"""In the virtual machine: sends commands one after another, and kills or restarts led-line
COUNT times meanwhile. Prints the commands: "1" or "0", with a "?" when no OK came.
"""

import random
import socket
import subprocess
import sys
import threading
import time

count = int(sys.argv[1])
random.seed(count)
sent = []
done = threading.Event()


def command(value):
    try:
        with socket.create_connection(("127.0.0.1", 5555), 20) as s:
            s.sendall(b"LED ON\n" if value else b"LED OFF\n")
            return s.makefile().read().startswith("OK")
    except OSError:
        return False


def talk():
    value = 0
    while not done.is_set():
        sent.append(f"{value}" if command(value) else f"{value}?")
        value = 1 - value


talker = threading.Thread(target=talk)
talker.start()
for _ in range(count):
    time.sleep(random.uniform(0, 2))
    how = random.choice((["kill", "-s", "KILL"], ["restart"]))
    subprocess.run(["systemctl", *how, "led-line"], check=True)
done.set()
talker.join()
print(*sent)
