# SPDX-License-Identifier: MIT
"""The client of the benchmark, run on the machine that it measures: ROUNDS PAUSE PORT...

A round has one connection to each port, every time in another order. Prints for each port
the milliseconds from before connect() until the answer was there, and until the end of the
stream, as JSON. PORT:COMMAND sends that command in place of LED ON and LED OFF in turn.

press ROUNDS PAUSE measures what lies between a press and the LED. A round has a press of the
button, whole chain; one of a button that is connected to this program, which stops the time at
its connection; and a connection to port 5555. For the first and the last it prints when they
began, in seconds: when the LED changed is in the journal.

watch ROUNDS PAUSE PORT has 16 watchers at port 5555, and in each round a command at led-line's own
socket and a connection to PORT. It prints the milliseconds from before the command's connect()
until half of the watchers had their lines, and until the last one had.

commands ROUNDS PAUSE runs "led on", and echo and nc from a shell, and prints the milliseconds.

web ROUNDS PAUSE sends commands to led-web and to port 5555 in turn, and has a page and a watcher
listen to commands at led-line's own socket. pages opens forty pages, and keeps them.

mqtt ROUNDS PAUSE presses at led-mqtt's socket, and with mosquitto_pub on the topic bench/set. It
prints the milliseconds until the broker had acknowledged it, and until the LED had changed.
"""

import gc
import json
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import time

WARM_UP = 5
PATIENCE = struct.pack("ll", 20, 0)  # a server that hangs is not waited for
BUTTON, LONE_BUTTON, LONE_PORT = "/run/button/press", "/run/bench/press", 5599


def connection(port, command, well=(b"OK LED", b"ERR")):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, PATIENCE)
    start = time.perf_counter_ns()
    client.connect(("127.0.0.1", port))
    client.sendall(command)
    answer = client.recv(256)
    answered = time.perf_counter_ns()
    while client.recv(256):
        pass
    ended = time.perf_counter_ns()
    client.close()
    assert answer.startswith(well), (port, answer)
    return (answered - start) / 1e6, (ended - start) / 1e6


def connections(rounds, pause, targets):
    times = {target: [] for target in targets}
    for number in range(WARM_UP + rounds):
        random.shuffle(targets)
        for target in targets:
            port, _, command = target.partition(":")
            command = command or ("LED ON", "LED OFF")[number % 2]
            result = connection(int(port), command.encode() + b"\n")
            if number >= WARM_UP:
                times[target].append(result)
            time.sleep(pause)
    return times


def presses(rounds, pause):
    chain, lone, direct = [], [], []
    listening = socket.create_server(("127.0.0.1", LONE_PORT))
    fifo = os.open(BUTTON, os.O_WRONLY)
    lone_fifo = os.open(LONE_BUTTON, os.O_WRONLY)

    def press():
        start = time.time()
        os.write(fifo, b"0\n")
        chain.append(start)

    def press_lone():
        start = time.time()
        os.write(lone_fifo, b"0\n")
        client, _ = listening.accept()
        lone.append((time.time() - start) * 1000)
        client.recv(256)
        client.sendall(b"OK LED ON\n")
        client.close()

    def connect():
        start = time.time()
        connection(5555, b"LED ON\n")
        direct.append(start)

    steps = [press, press_lone, connect]
    for _ in range(rounds):
        random.shuffle(steps)
        for step in steps:
            step()
            time.sleep(pause)
    return {"chain": chain, "lone": lone, "direct": direct}


def watching(rounds, pause, port):
    watchers, told, echo = [], [], []
    for _ in range(16):
        watchers.append(socket.create_connection(("127.0.0.1", 5555)))
        watchers[-1].sendall(b"LED WATCH\n")
        assert watchers[-1].recv(256).startswith(b"OK LED ")
    poll = select.epoll()
    for watcher in watchers:
        poll.register(watcher, select.EPOLLIN)
    by_number = {watcher.fileno(): watcher for watcher in watchers}

    def command():
        waiting, times = set(by_number), []
        start = time.perf_counter_ns()
        client = socket.socket(socket.AF_UNIX)
        client.connect("/run/led/line.sock")
        client.sendall(b"LED TOGGLE\n")
        while waiting:
            for number, _ in poll.poll(20):
                assert by_number[number].recv(256).startswith(b"OK LED ")
                times.append((time.perf_counter_ns() - start) / 1e6)
                waiting.remove(number)
        client.close()
        told.append((times[len(times) // 2], times[-1]))

    def bare():
        echo.append(connection(port, b"LED TOGGLE\n"))

    steps = [command, bare]
    for number in range(WARM_UP + rounds):
        random.shuffle(steps)
        for step in steps:
            step()
            time.sleep(pause)
    return {"watchers": told[WARM_UP:], "bare": echo[WARM_UP:]}


WEB_PORT = 5557
TOGGLE = b"POST /leds/led HTTP/1.0\r\nContent-Length: 6\r\n\r\nTOGGLE"


def page(address="127.0.0.1"):
    """The stream of a page that has had its LEDs."""
    stream = socket.create_connection(("127.0.0.1", WEB_PORT), source_address=(address, 0))
    stream.sendall(b"GET /events HTTP/1.0\r\n\r\n")
    got = b""
    while b"data: " not in got:
        got += stream.recv(4096)
    return stream


def over_web(rounds, pause):
    times = {name: [] for name in ("post", "command", "page", "watcher")}
    watcher = socket.create_connection(("127.0.0.1", 5555))
    watcher.sendall(b"LED WATCH\n")
    watcher.recv(256)
    listening = {"page": page(), "watcher": watcher}

    def change():
        """Both hear of it. Which one is looked at first is left to the kernel."""
        start = time.perf_counter_ns()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("/run/led/line.sock")
            client.sendall(b"LED TOGGLE\n")
            waiting, took = dict(listening), {}
            while waiting:
                ready = select.select(list(waiting.values()), [], [], 20)[0]
                now = (time.perf_counter_ns() - start) / 1e6
                for name in [name for name, s in waiting.items() if s in ready]:
                    assert listening[name].recv(4096)
                    took[name] = now, now
                    del waiting[name]
            client.recv(256)
        return took

    def one(name, port, command, well):
        took = {name: connection(port, command, well)}
        for s in listening.values():
            s.recv(4096)
        return took

    steps = [
        lambda: one("post", WEB_PORT, TOGGLE, b"HTTP/1.1 200"),
        lambda: one("command", 5555, b"LED TOGGLE\n", b"OK LED"),
        change,
    ]
    for number in range(WARM_UP + rounds):
        random.shuffle(steps)
        for step in steps:
            for name, result in step().items():
                if number >= WARM_UP:
                    times[name].append(result)
            time.sleep(pause)
    return times


def pages():
    _ = [page(f"127.0.0.{1 + n % 2}") for n in range(40)]
    signal.pause()


def over_broker(rounds, pause):
    times = {"ours": [], "shell": []}
    led = socket.socket(socket.AF_UNIX)
    led.connect("/run/led/line.sock")
    led.sendall(b"LED WATCH\n")
    state = led.recv(256)

    def ours(command):
        client = socket.socket(socket.AF_UNIX)
        client.connect("/run/led/mqtt.sock")
        client.sendall(f"LED {command}\n".encode())
        answer = client.recv(256)
        assert answer.startswith(b"OK LED "), answer
        client.close()

    def shell(command):
        subprocess.run(["mosquitto_pub", "-q", "1", "-t", "bench/set", "-m", command], check=True)

    steps = [ours, shell]
    for number in range(WARM_UP + rounds):
        random.shuffle(steps)
        for step in steps:
            command = "OFF" if state == b"OK LED ON\n" else "ON"
            start = time.perf_counter_ns()
            step(command)
            acknowledged = time.perf_counter_ns()
            state = led.recv(256)
            changed = time.perf_counter_ns()
            assert state == f"OK LED {command}\n".encode(), state
            if number >= WARM_UP:
                times[step.__name__].append(
                    ((acknowledged - start) / 1e6, (changed - start) / 1e6)
                )
            time.sleep(pause)
    return times


def commands(rounds, pause):
    programs = {
        "led": ["led", "-H", "127.0.0.1", "on"],
        "nc": ["sh", "-c", "echo LED ON | nc 127.0.0.1 5555"],
    }
    times = {name: [] for name in programs}
    order = list(programs)
    for number in range(WARM_UP + rounds):
        random.shuffle(order)
        for name in order:
            start = time.perf_counter_ns()
            subprocess.run(programs[name], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
            if number >= WARM_UP:
                times[name].append((time.perf_counter_ns() - start) / 1e6)
            time.sleep(pause)
    return times


random.seed(1)
gc.disable()
if sys.argv[1] == "press":
    print(json.dumps(presses(int(sys.argv[2]), float(sys.argv[3]))))
elif sys.argv[1] == "watch":
    print(json.dumps(watching(int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))))
elif sys.argv[1] == "commands":
    print(json.dumps(commands(int(sys.argv[2]), float(sys.argv[3]))))
elif sys.argv[1] == "web":
    print(json.dumps(over_web(int(sys.argv[2]), float(sys.argv[3]))))
elif sys.argv[1] == "pages":
    pages()
elif sys.argv[1] == "mqtt":
    print(json.dumps(over_broker(int(sys.argv[2]), float(sys.argv[3]))))
else:
    print(json.dumps(connections(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])))
